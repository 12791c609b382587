"""The scripted double and the user's own function keep the contract of a detector."""

from types import SimpleNamespace

import numpy as np
import pytest

from sightline.adapters.engines.function import FunctionDetector
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


def answered(answer) -> Detections:
    """What becomes of an answer to a picture of 8 x 6 pixels."""

    def mine(frames):
        return answer

    slot = FunctionDetector(mine, ["light"], 8, 6).slot()
    slot.start()
    return slot.result()


def boxes(xyxy) -> list[Detections]:
    return [Detections(xyxy, [0.5] * len(xyxy), [0] * len(xyxy))]


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
            (None, "it gave NoneType: is a `return` missing?"),
            (5, "it gave int"),
            (Detections.empty(), "Detections: put it into a list"),
            ({"xyxy": []}, "it gave dict"),
            ((found for found in [Detections.empty()]), "it gave generator: return a list, not a generator"),
            ([np.zeros((1, 6))], "a list of numpy.ndarray"),
            ([{"boxes": []}], "a list of dict"),
            ([None], "a list of NoneType: is a `return` missing?"),
            (
                [SimpleNamespace(xyxy=1, confidence=1, class_id=1)],
                r"types.SimpleNamespace: sightline.Detections\(found.xyxy, found.confidence, found.class_id\)",
            ),
            ([Detections([[0, 0, 4, 4]], [0.5], [1])], "it has 1 labels: light"),
            (
                [Detections([[0, 0, 4, 4]] * 4001, [0.5] * 4001, [0] * 4001)],
                "4001 boxes in one frame, 4000 at most",
            ),
        ],
    )
    def test_a_wrong_answer_is_explained(self, answer, said):
        """It names the function, what was expected, and what to do where that can be told."""
        with pytest.raises(Misconfigured, match=said) as raised:
            answered(answer)

        assert raised.value.code == "detector_function"
        assert "detector tests.conformance.test_detector_doubles.answered.<locals>.mine" in str(raised.value)

    @pytest.mark.parametrize(
        "xyxy",
        [
            [[0.1, 0.1, 0.3, 0.3]],
            [[0, 0.5, 0.5, 1]],
            [[0.5, 0, 1.02, 1]],
            [[-0.01, 0.2, 0.3, 0.4], [0, 0, 1, 1]],
            [[0.1, 0.1, 0.3, 0.3], [0.999, 0.999, 1, 1]],
        ],
    )
    def test_boxes_in_fractions_of_the_picture_are_told_from_pixels(self, xyxy):
        """All of them within its first pixel: the message gives the factors."""
        with pytest.raises(Misconfigured, match=r"in 0\.\.1.*8 x 6 pixels: multiply x by 8 and y by 6"):
            answered(boxes(xyxy))

    @pytest.mark.parametrize(
        "xyxy",
        [
            [[0, 0, 1, 1]],
            [[0, 0, 0.7, 0.4]],
            [[-3, -2, 0.7, 0.4]],
            [[0.1, 0.1, 0.3, 0.3], [2, 2, 5, 5]],
            [[-2, -2, 10, 8]],
            [[7.5, 5.5, 9, 9]],
            [[8, 1, 8, 3]],
            [],
        ],
        ids=[
            "a pixel",
            "cut by the corner",
            "beyond the corner",
            "a tiny one",
            "all",
            "partly",
            "clipped",
            "none",
        ],
    )
    def test_boxes_that_may_be_pixels_are_taken(self, xyxy):
        """Partly outside, cut off by the picture's edge, tiny ones among others, none at all."""
        assert len(answered(boxes(xyxy))) == len(xyxy)

    @pytest.mark.parametrize("xyxy", [[[5000, 1, 5100, 3]], [[1, 1, 3, 3], [8, 0, 9, 3]], [[0, -9, 4, -1]]])
    def test_a_box_beside_the_picture_is_refused(self, xyxy):
        """It belongs to a frame of another size."""
        with pytest.raises(Misconfigured, match="lies beside the picture, but the picture has 8 x 6 pixels"):
            answered(boxes(xyxy))

    def test_values_that_no_detection_has_name_the_function(self):
        """Though it is `Detections` that refuses them, inside the function."""

        def percent(frames):
            return [Detections([[0, 0, 4, 4]], [90], [0])]

        slot = FunctionDetector(percent, ["light"], 8, 6).slot()

        with pytest.raises(
            Misconfigured, match=r"percent: confidence\[0\] = 90.0: expected 0 to 1"
        ) as raised:
            slot.start()
        assert raised.value.code == "detector_function"

    def test_a_frame_is_the_functions_own(self):
        """It may draw on it and keep it: neither the next frame nor a kept one changes."""
        kept = []

        def draws(frames):
            kept.append(frames[0])
            frames[0][:] = 255
            return [Detections.empty()]

        slot = FunctionDetector(draws, ["light"], 8, 6).slot()
        for grey in (10, 20):
            slot.image[:] = grey
            slot.start()
            assert slot.image.max() == grey

        kept[0][:] = 1
        assert kept[1].min() == 255

    def test_its_own_errors_rise(self):
        """A bug of the user's function is shown as it is."""

        def broken(frames):
            raise ZeroDivisionError("mine")

        slot = FunctionDetector(broken, ["light"], 8, 8).slot()

        with pytest.raises(ZeroDivisionError, match="mine"):
            slot.start()
        with pytest.raises(EngineError, match="no picture was started"):
            slot.result()
