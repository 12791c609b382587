"""Networks as people export them: each runs alike in both engines, or is refused with the way to export it."""

import numpy as np
import pytest

from sightline import models
from sightline.adapters.engines.choice import open_detector, output_shape
from sightline.adapters.engines.onnx import OnnxDetector
from sightline.adapters.engines.openvino import OpenVinoDetector
from sightline.errors import Misconfigured
from sightline.vision.heads import Profile, Wanted
from tests.unit.onnx_graphs import Table, network

LABELS = ("car", "person")
WIDTH, HEIGHT = 96, 64
GREY = 51  # a fifth of 255
BOX = (24, 16, 72, 48)  # xyxy in pixels: half of the picture, in its middle
NAMES = "{0: 'car', 1: 'person'}"


def yolov8(gain=0.0, score=0.9, cells=126, box=(48, 32, 48, 32)):
    """One car in cell 5; its score is `score + gain * mean`."""
    base, gains = np.zeros((1, 6, cells)), np.zeros((1, 6, cells))
    base[0, :4, 5], base[0, 4, 5], gains[0, 4, 5] = box, score, gain
    return Table(base, gains)


def engines(path, profile=None, class_ids=(0, 1)):
    """What both engines find in a grey picture."""
    profile = models.resolve(path).profile if profile is None else profile
    wanted = Wanted(class_ids, conf=0.05)
    slots = [
        OpenVinoDetector(path, profile, wanted, layout="rgb").slot(),
        OnnxDetector(path, profile, wanted).slot(),
    ]
    for slot in slots:
        slot.image[:] = GREY
        slot.start()
    return [slot.result() for slot in slots]


def assert_car(found, score, box=BOX, class_id=0):
    for each in found:
        np.testing.assert_allclose(each.xyxy, [box], atol=0.1)
        np.testing.assert_allclose(each.confidence, [score], atol=2e-3)
        assert each.class_id.tolist() == [class_id]


class TestInputs:
    @pytest.mark.parametrize("dtype", ["float32", "float16", "float64"])
    def test_floats_take_pixels_over_255(self, tmp_path, dtype):
        """Whatever their size: half-precision exports too."""
        path = network(tmp_path / "m.onnx", {"output0": yolov8(1.0, 0.0)}, dtype=dtype, names=NAMES)

        assert_car(engines(path), GREY / 255)

    def test_bytes_take_pixels_as_they_are(self, tmp_path):
        """A network that takes bytes divides them itself; divided twice the picture would be black."""
        path = network(tmp_path / "m.onnx", {"output0": yolov8(1 / 255, 0.0)}, dtype="uint8", names=NAMES)

        assert_car(engines(path), GREY / 255)

    def test_bytes_and_a_card_that_divides_them_do_not_fit(self, tmp_path):
        """Said before the first picture."""
        path = network(tmp_path / "m.onnx", {"output0": yolov8()}, dtype="uint8")
        profile = Profile("m", "0" * 64, LABELS, "yolov8", mean=(0.5, 0.5, 0.5))

        for engine in (OpenVinoDetector, OnnxDetector):
            with pytest.raises(Misconfigured, match="takes bytes"):
                engine(path, profile, Wanted((0,)))

    def test_mean_and_deviation_of_the_card_are_used(self, tmp_path):
        """After the scale, by channel: (0.2 - 0.1) / 0.5 is 0.2, (0.2 - 0.1) / 0.25 is 0.4."""
        path = network(tmp_path / "m.onnx", {"output0": yolov8(1.0, 0.0)})
        profile = Profile("m", "0" * 64, LABELS, "yolov8", mean=(0.1, 0.1, 0.1), std=(0.5, 0.5, 0.25))

        assert_car(engines(path, profile), (0.2 + 0.2 + 0.4) / 3)

    def test_channels_may_come_last(self, tmp_path):
        """As TensorFlow exports them."""
        image = (1, HEIGHT, WIDTH, 3)
        path = network(tmp_path / "m.onnx", {"output0": yolov8(1.0, 0.0)}, image=image, names=NAMES)

        assert models.resolve(path).fixed == (WIDTH, HEIGHT)
        assert_car(engines(path), GREY / 255)

    @pytest.mark.parametrize(
        ("image", "dtype", "said"),
        [
            ((8, 3, HEIGHT, WIDTH), "float32", "exported for batches of 8.*batch=1"),
            ((1, 1, HEIGHT, WIDTH), "float32", "three channels, not 1"),
            ((1, 4, HEIGHT, WIDTH), "float32", "three channels, not 4"),
            ((1, 3, HEIGHT, WIDTH), "int8", "numbers of type int8.*float32"),
            ((3, HEIGHT, WIDTH), "float32", "one picture"),
        ],
    )
    def test_inputs_that_cannot_be_fed_say_how_to_export(self, tmp_path, image, dtype, said):
        """The same words by both engines, and without one."""
        path = network(tmp_path / "m.onnx", {"output0": yolov8()}, image=image, dtype=dtype, names=NAMES)
        profile = Profile("m", "0" * 64, LABELS, "yolov8")

        with pytest.raises(Misconfigured, match=said):
            models.resolve(path)
        for engine in ("openvino", "onnx"):
            with pytest.raises(Misconfigured, match=said):
                open_detector(path, profile, Wanted((0,)), engine=engine)

    def test_a_batch_that_may_vary_is_one(self, tmp_path):
        """Exported with dynamic axes."""
        path = network(tmp_path / "m.onnx", {"output0": yolov8(1.0, 0.0)}, image=("n", 3, "h", "w"))
        profile = Profile("m", "0" * 64, LABELS, "yolov8", imgsz=(WIDTH, HEIGHT))

        assert_car(engines(path, profile), GREY / 255)
        assert output_shape(path) == (1, 6, 126)


def detr(box=(0.5, 0.5, 0.5, 0.5), classes=2, queries=7, at=0):
    """Logits and boxes: one object of class `at` at 0.88 in query 3."""
    logits, boxes = np.full((1, queries, classes), -6.0), np.full((1, queries, 4), 0.01)
    logits[0, 3, at], boxes[0, 3] = 2.0, box
    return logits, boxes


SCORE = 1 / (1 + np.exp(-2.0))


class TestDetrs:
    def test_a_raw_export(self, tmp_path):
        """RT-DETR, D-FINE, DEIM without their post-processing, and Hugging Face's exports."""
        logits, boxes = detr()
        tables = {"logits": Table(logits), "pred_boxes": Table(boxes)}
        path = network(tmp_path / "m.onnx", tables, name="pixel_values", names=NAMES)

        assert models.resolve(path).card.head == "detr"
        assert models.resolve(path).profile.fit == "stretch"
        assert_car(engines(path), SCORE)

    def test_a_deployed_export_is_given_the_size_of_the_picture(self, tmp_path):
        """RT-DETR, D-FINE, DEIM as their `export_onnx.py` writes them: boxes in pixels of `orig_target_sizes`."""
        boxes = np.zeros((1, 7, 4))
        boxes[0, 0] = (0.25, 0.25, 0.75, 0.75)
        scores, labels = np.zeros((1, 7)), np.zeros((1, 7))
        scores[0, 0], labels[0, 0] = 0.8, 1
        tables = {
            "labels": Table(labels, dtype="int64"),
            "boxes": Table(boxes, sized=True),
            "scores": Table(scores),
        }
        path = network(tmp_path / "m.onnx", tables, names=NAMES)

        assert models.resolve(path).card.head == "detr-deployed"
        assert_car(engines(path), 0.8, class_id=1)

    def test_rf_detr(self, tmp_path):
        """Outputs `dets` and `labels`, 91 scores by COCO's category ids, pictures normalised as ImageNet's."""
        logits, boxes = detr(classes=91, at=3)
        tables = {"dets": Table(boxes), "labels": Table(logits, (logits > 0) * 1.0)}
        path = network(tmp_path / "m.onnx", tables, name="input")
        model = models.resolve(path)

        found = engines(path, class_ids=(1, 3))

        mean = np.mean((0.2 - np.array([0.485, 0.456, 0.406])) / np.array([0.229, 0.224, 0.225]))
        assert model.card.labels[1:4] == ("person", "bicycle", "car")
        assert_car(found, 1 / (1 + np.exp(-2.0 - mean)), class_id=3)

    def test_a_half_precision_export(self, tmp_path):
        """Its outputs are of float16 too."""
        logits, boxes = detr()
        tables = {"logits": Table(logits, dtype="float16"), "pred_boxes": Table(boxes, dtype="float16")}
        path = network(tmp_path / "m.onnx", tables, dtype="float16", names=NAMES)

        assert_car(engines(path), SCORE)

    def test_ultralytics_rt_detr(self, tmp_path):
        """Both of its forms: a score for each class, or score and class id."""
        each, named = np.zeros((1, 300, 7)), np.zeros((1, 300, 6))
        each[0, 0], named[0, 0] = (0.5, 0.5, 0.5, 0.5, 0.9, 0.02, 0.01), (0.5, 0.5, 0.5, 0.5, 0.9, 0)
        names = "{0: 'car', 1: 'person', 2: 'bus'}"
        said = {"task": "detect", "names": names, "description": "Ultralytics RT-DETR-l model"}
        old = network(tmp_path / "old.onnx", {"output0": Table(each)}, **said)
        new = network(tmp_path / "new.onnx", {"output0": Table(named)}, **said, head="RTDETRDecoder")

        assert [models.resolve(path).card.head for path in (old, new)] == ["rtdetr", "end2end"]
        assert_car(engines(old), 0.9)
        assert_car(engines(new), 0.9)

    def test_outputs_that_are_not_those_of_the_head_are_named(self, tmp_path):
        """With what the head reads."""
        path = network(tmp_path / "m.onnx", {"boxes": Table(np.zeros((1, 7, 4)))})
        profile = Profile("m", "0" * 64, LABELS, "detr-deployed")

        for engine in ("openvino", "onnx"):
            with pytest.raises(
                Misconfigured, match="reads the outputs labels, boxes, scores; it has boxes 1x7x4"
            ):
                open_detector(path, profile, Wanted((0,)), engine=engine)
