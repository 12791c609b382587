"""The scripted double and the user's own function keep the contract of a detector."""

import numpy as np
import pytest

from sightline.adapters.engine_function import FunctionDetector
from sightline.errors import EngineError, Misconfigured
from sightline.testing import Faults, ScriptedDetector
from sightline.types import Detections
from tests.conformance.suite_detector import DetectorSuite
from tests.conformance.test_memory import calm


def numbered(number: int) -> Detections:
    """Two boxes that tell the number of a picture."""
    return Detections([[0, 0, 1 + number, 8], [4, 4, 8, 8]], [0.9, 0.5], [0, 1])


def brightness(frames) -> list[Detections]:
    """A detector of one's own: one box as wide as the frame is bright, and one that is surer."""
    return [Detections([[0, 0, 1 + f.mean(), 8], [4, 4, 8, 8]], [0.25, 0.5], [0, 1]) for f in frames]


class TestScripted(DetectorSuite):
    @pytest.fixture
    def detector(self):
        return ScriptedDetector(numbered)

    @pytest.fixture
    def threaded(self):
        return ScriptedDetector(numbered)

    @pytest.fixture
    def pictures(self, detector):
        blank = np.zeros(detector.info.image.shape(), np.uint8)
        pictures = [blank.copy() for _ in range(3)]
        for number, picture in enumerate(pictures):
            picture.reshape(-1)[0] = number
        return pictures


class TestScriptedWithoutFaults(TestScripted):
    @pytest.fixture
    def detector(self):
        return Faults(ScriptedDetector(numbered), calm)


class TestFunction(DetectorSuite):
    @pytest.fixture
    def detector(self):
        return FunctionDetector(brightness, ["light", "spot"], 32, 16)

    @pytest.fixture
    def threaded(self):
        return FunctionDetector(brightness, ["light", "spot"], 32, 16)

    @pytest.fixture
    def pictures(self):
        return [np.full((16, 32, 3), grey, np.uint8) for grey in (10, 100, 200)]


class TestOwnFunction:
    def test_it_sees_frames_in_their_own_size(self):
        """RGB, as displayed, without padding."""
        detector = FunctionDetector(brightness, ["light", "spot"], 31, 17)

        assert detector.slot().image.shape == (17, 31, 3)
        assert (detector.info.image.layout, detector.info.engine) == ("rgb", "function")

    def test_its_version_is_part_of_the_run_key(self):
        """Else an improved function would find the old results and do nothing."""
        digests = {FunctionDetector(brightness, ["x"], 8, 8, version=v).info.sha256 for v in ("", "2")}

        assert len(digests) == 2

    @pytest.mark.parametrize(
        ("answer", "said"),
        [
            ([], "it gave 0"),
            ([Detections.empty()] * 2, "it gave 2"),
            ([np.zeros((1, 6))], "of ndarray"),
            ([Detections([[0, 0, 1, 1]], [0.5], [1])], "it has 1 labels"),
        ],
    )
    def test_a_wrong_answer_is_explained(self, answer, said):
        """It names what was expected."""
        slot = FunctionDetector(lambda frames: answer, ["light"], 8, 8).slot()

        with pytest.raises(Misconfigured, match=said):
            slot.start()

    def test_its_own_errors_rise(self):
        """A bug of the user's function is shown as it is."""

        def broken(frames):
            raise ZeroDivisionError("mine")

        slot = FunctionDetector(broken, ["light"], 8, 8).slot()

        with pytest.raises(ZeroDivisionError, match="mine"):
            slot.start()
        with pytest.raises(EngineError, match="no picture was started"):
            slot.result()
