"""Which engine, size and precision a model gets, and what is said where it cannot have them."""

from pathlib import Path

import pytest

from sightline import models
from sightline.adapters.engines.choice import choose_engine, open_detector, output_shape
from sightline.adapters.engines.common import picture_size, precision_of
from sightline.adapters.engines.onnx import OnnxDetector
from sightline.adapters.engines.openvino import OpenVinoDetector
from sightline.adapters.engines.ultralytics import UltralyticsDetector
from sightline.errors import EngineError, Misconfigured
from sightline.machine import cpu_name_and_flags
from sightline.vision.heads import Profile, Wanted

PROFILE = Profile("net", "0" * 64, ("car", "van", "truck", "person"), "yolov8")
WANTED = Wanted((0, 3))
ONNX, IR, PT = Path("m.onnx"), Path("m.xml"), Path("m.pt")


@pytest.fixture(scope="module")
def tiny():
    return models.resolve(models.BUNDLED)


def only(*packages):
    """A machine on which these packages are installed."""
    return lambda package: package if package in packages else None


class TestEngine:
    @pytest.mark.parametrize(
        ("path", "asked", "installed", "expected"),
        [
            (ONNX, "auto", only("openvino", "onnxruntime"), "openvino"),
            (ONNX, "auto", only("onnxruntime"), "onnx"),
            (ONNX, "onnx", only("openvino", "onnxruntime"), "onnx"),
            (IR, "auto", only("openvino", "onnxruntime"), "openvino"),
            (PT, "auto", only("openvino", "ultralytics"), "ultralytics"),
        ],
    )
    def test_openvino_where_it_is_installed(self, path, asked, installed, expected):
        """Else ONNX Runtime; a .pt file is Ultralytics'."""
        assert choose_engine(path, asked, installed) == expected

    @pytest.mark.parametrize(
        ("path", "asked", "installed", "said"),
        [
            (ONNX, "onnx", only("openvino"), r'pip install "sightline\[onnx\]"'),
            (ONNX, "auto", only(), r'pip install "sightline\[onnx\]"'),
            (ONNX, "openvino", only("onnxruntime"), "engine=onnx"),
            (IR, "auto", only("onnxruntime"), "OpenVINO is not installed"),
            (PT, "auto", only("openvino"), r'pip install "sightline\[ultralytics\]"'),
            (PT, "onnx", only("onnxruntime"), "m.pt: engine onnx does not read it: engine=ultralytics"),
            (ONNX, "tensorrt", only(), "one of auto, openvino, onnx, ultralytics"),
            (Path("m.engine"), "auto", only(), r"no engine reads \.engine files"),
        ],
    )
    def test_what_is_missing_is_named_with_what_to_do(self, path, asked, installed, said):
        """Never an import error."""
        with pytest.raises(Misconfigured, match=said):
            choose_engine(path, asked, installed)

    @pytest.mark.parametrize("device", ["cuda", "cuda:0"])
    def test_a_card_needs_an_onnx_runtime_that_was_built_for_it(self, tiny, device):
        """Said instead of falling back to the processor; where this one was, there is no card, or it is taken."""
        with pytest.raises(Misconfigured, match=r"built for processors|finds no such card") as error:
            open_detector(
                tiny.path, tiny.profile, WANTED, device=f"{device}9" if device[-1] == "0" else device
            )
        assert error.value.code == "device"

    @pytest.mark.parametrize("device", ["mps", "cuda:", "cuda:x", "gpu"])
    def test_other_devices_are_named_as_wrong(self, tiny, device):
        """With those that are known."""
        with pytest.raises(Misconfigured, match="one of auto, cpu, cuda:0"):
            open_detector(tiny.path, tiny.profile, WANTED, device=device)

    @pytest.mark.parametrize("engine", ["openvino", "ultralytics"])
    def test_a_card_is_for_onnx_runtime_alone(self, engine):
        """Auto means it there."""
        path = IR if engine == "openvino" else PT
        assert choose_engine(ONNX, "auto", only("openvino", "onnxruntime"), device="cuda:0") == "onnx"
        with pytest.raises(Misconfigured, match="onnx"):
            choose_engine(path, "auto", only(engine), device="cuda:0")

    def test_auto_opens_the_bundled_model(self, tiny):
        """In the size of its card."""
        detector = open_detector(tiny.path, tiny.profile, WANTED)

        assert (detector.info.name, detector.info.sha256) == (tiny.card.name, tiny.sha256)
        assert (detector.info.image.width, detector.info.image.height) == tiny.card.imgsz

    @pytest.mark.parametrize("engine", [OpenVinoDetector, OnnxDetector])
    def test_what_is_no_network_is_an_error(self, tmp_path, engine):
        """The engine's own words, without the folder."""
        (tmp_path / "m.onnx").write_bytes(b"not a network")

        with pytest.raises(Misconfigured, match=r"^m\.onnx: .* cannot read it as a network") as error:
            engine(tmp_path / "m.onnx", PROFILE, WANTED)

        assert str(tmp_path) not in str(error.value)

    @pytest.mark.parametrize("engine", [OpenVinoDetector, OnnxDetector])
    def test_a_card_that_means_another_output_is_an_error(self, tiny, engine):
        """Found at the latest at the first picture."""
        wrong = Profile("net", "0" * 64, ("car", "person"), "yolov8", imgsz=(64, 64))

        with pytest.raises(Misconfigured, match="correct `head`, `labels` or `imgsz`"):
            looked_at(engine, tiny.path, wrong)

    @pytest.mark.parametrize("engine", [OpenVinoDetector, OnnxDetector])
    def test_a_closed_detector_takes_no_more_pictures(self, tiny, engine):
        """An error of the engine, which is repeated, not one of the picture."""
        detector = engine(tiny.path, tiny.profile, WANTED, imgsz=(64, 64))
        detector.close()

        with pytest.raises(EngineError):
            detector.slot().start()

    def test_a_pt_file_that_is_not_there_is_not_looked_for_elsewhere(self, tmp_path):
        """Ultralytics would ask the network for it."""
        with pytest.raises(Misconfigured, match=r"best\.pt: no such file"):
            UltralyticsDetector(tmp_path / "best.pt", PROFILE, WANTED)

    def test_the_shape_of_an_output_can_be_found_out(self, tiny):
        """For models whose file does not say it."""
        assert output_shape(tiny.path)[:2] == (1, 8)


def looked_at(engine, path, profile):
    """The first class in an empty picture."""
    slot = engine(path, profile, Wanted((0,))).slot()
    slot.start()
    return slot.result()


class TestPrecision:
    @pytest.mark.parametrize(("asked", "quantised"), [("f32", False), ("bf16", False), ("int8", True)])
    def test_a_network_has_the_precision_that_fits_it(self, asked, quantised):
        """A quantised one is int8, a float one is not."""
        assert precision_of(PROFILE, asked, quantised) == asked

    @pytest.mark.parametrize(
        ("asked", "quantised", "said"),
        [
            ("int8", False, "is not quantised"),
            ("f32", True, "is quantised: precision=int8"),
            ("bf16", True, "is quantised: precision=int8"),
            ("auto", False, "one of f32, bf16, int8"),
            ("fp16", False, "one of f32, bf16, int8"),
        ],
    )
    def test_another_is_an_error(self, asked, quantised, said):
        """Never another precision than the one in the run key."""
        with pytest.raises(Misconfigured, match=said):
            precision_of(PROFILE, asked, quantised)

    @pytest.mark.parametrize("engine", [OnnxDetector, UltralyticsDetector])
    def test_engines_without_bfloat16_say_so(self, tiny, engine):
        """Instead of running in f32."""
        with pytest.raises(Misconfigured, match="precision=f32"):
            engine(tiny.path, tiny.profile, WANTED, precision="bf16")

    def test_instruction_sets_are_those_of_the_processor(self, tmp_path):
        """As Linux lists them; where nothing is listed there are none."""
        (tmp_path / "cpuinfo").write_text(
            "processor : 0\nmodel name : Fast CPU @ 3 GHz\nflags : fpu avx2 amx_bf16\n"
        )

        name, flags = cpu_name_and_flags(tmp_path / "cpuinfo")

        assert (name, flags) == ("Fast CPU @ 3 GHz", {"fpu", "avx2", "amx_bf16"})
        assert cpu_name_and_flags(tmp_path / "none")[1] == frozenset()


class TestPictureSize:
    @pytest.mark.parametrize(
        ("card", "fixed", "asked", "expected"),
        [
            (None, None, None, (640, 640)),
            ((640, 384), None, None, (640, 384)),
            ((640, 384), None, (320, 192), (320, 192)),
            ((640, 384), (416, 416), None, (416, 416)),
            (None, (416, 416), (416, 416), (416, 416)),
            (None, (300, 300), None, (300, 300)),
        ],
    )
    def test_the_network_then_the_user_then_the_card(self, card, fixed, asked, expected):
        """A network of one size has no other."""
        profile = Profile("net", "", ("car",), "yolov8", imgsz=card)

        assert picture_size(profile, fixed, asked) == expected

    @pytest.mark.parametrize(
        ("fixed", "asked", "said"),
        [((416, 416), (640, 640), "416x416 only, not 640x640"), (None, (650, 380), "imgsz=640x384")],
    )
    def test_another_size_is_an_error(self, fixed, asked, said):
        """It names one that fits."""
        with pytest.raises(Misconfigured, match=said):
            picture_size(PROFILE, fixed, asked)
