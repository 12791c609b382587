"""Real detectors on real frames: what they find, in which engine and precision, with how many threads and slots."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from sightline import models
from sightline.adapters.engines.choice import open_detector, output_shape
from sightline.adapters.engines.onnx import OnnxDetector
from sightline.adapters.engines.openvino import OpenVinoDetector, has_bfloat
from sightline.adapters.pixels import Painter
from sightline.vision.boxes import iou
from sightline.vision.heads import Wanted

ALL = Wanted(tuple(range(80)), conf=0.1)
PERSON = Wanted((0,), conf=0.1)
SURE = 0.3

needs_bfloat = pytest.mark.skipif(not has_bfloat(), reason="this processor has no bfloat16 instructions")


@pytest.fixture(scope="session")
def detectors(shared) -> Path:
    return shared / "data" / "models"


@pytest.fixture(scope="session")
def frames(shared):
    """Twelve frames: people one by one, and hand-held streets with people, bicycles and cars."""
    folder = shared / "data" / "real" / "video"
    people = every(folder / "one-by-one-person-detection.mp4", 100, 6)
    return people + every(folder / "bikes.mp4", 40, 6)


def every(path: Path, step: int, most: int):
    """Each `step`-th frame."""
    found = []
    with av.open(str(path)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number % step == step // 2:
                found.append(frame)
            if len(found) == most:
                break
    return found


def paint(detector, frame, slot):
    Painter(detector.info.image, frame.width, frame.height, 0, None).paint(frame, slot.image)


def look(detector, frames):
    slot, found = detector.slot(), []
    for frame in frames:
        paint(detector, frame, slot)
        slot.start()
        found.append(slot.result())
    return found


def matches(base, other):
    """Overlap of each sure box of `base` with the best box of its class in `other`."""
    overlaps = []
    for a, b in zip(base, other, strict=True):
        a = a[a.confidence > SURE]
        same = a.class_id[:, None] == b.class_id
        best = np.where(same, iou(a.xyxy, b.xyxy), 0.0).max(axis=1, initial=0.0)
        overlaps += best.tolist()
    assert len(overlaps) > 15
    return np.array(overlaps)


def model(detectors, name):
    return models.resolve(detectors / name, probe=output_shape)


class TestWhatTheyFind:
    def test_yolox_nano_sees_six_people_one_by_one(self, detectors, shared):
        """At its card's threshold: never two at once, six times somebody comes."""
        yolox = model(detectors, "yolox_nano_416.onnx")
        frames = every(shared / "data/real/video/one-by-one-person-detection.mp4", 40, 35)

        found = look(open_detector(yolox.path, yolox.profile, PERSON), frames)

        people = [int((one.confidence >= models.KNOWN["yolox-nano"].thresholds.high).sum()) for one in found]
        assert max(people) == 1
        assert sum(before < now for before, now in pairwise([0, *people])) == 6

    def test_the_known_model_is_the_one_that_was_judged(self, detectors):
        """Its hash in the registry is that of the file, its head is told from the file alone."""
        judged, known = model(detectors, "yolox_nano_416.onnx"), models.KNOWN["yolox-nano"]

        assert judged.sha256 == known.sha256
        assert (judged.card.head, judged.card.input, judged.card.labels) == (
            known.head,
            known.input,
            known.labels,
        )

    @pytest.mark.parametrize(
        ("name", "precision"),
        [
            ("yolov8n_640_fp32.onnx", "f32"),
            ("yolo11n_640_fp32.onnx", "f32"),
            ("yolov8n_int8_openvino", "int8"),
        ],
    )
    def test_models_of_others_load_and_detect(self, detectors, frames, name, precision):
        """Without a card: head and labels are told from the files."""
        theirs = model(detectors, name)
        size = theirs.picture(None, frames[0].width, frames[0].height)

        detector = open_detector(theirs.path, theirs.profile, ALL, imgsz=size, precision=precision)

        found = look(detector, frames[:6])
        people = sum(
            theirs.card.labels[c] == "person" for one in found for c in one[one.confidence > 0.6].class_id
        )
        assert people == 4
        assert detector.info.precision == precision

    def test_the_model_of_the_study_finds_rendered_cars(self, detectors):
        """It is read with the card of the bundled one, which it became."""
        bundled = models.resolve(models.BUNDLED)
        frames = every(bundled.path.with_name("street.mp4"), 240, 2)

        detector = open_detector(
            detectors / "synthetic_tiny.onnx",
            replace(bundled.profile, sha256="0" * 64),
            Wanted((0, 3), conf=0.7),
        )

        assert all(len(one) > 3 for one in look(detector, frames))


class TestAgreement:
    def test_openvino_and_onnx_runtime_find_the_same(self, detectors, frames):
        """In f32, from the same picture: the same boxes to a thousandth of a pixel."""
        for name, size in (("yolox_nano_416.onnx", None), ("yolov8n_640_fp32.onnx", (640, 384))):
            both = model(detectors, name)
            openvino = OpenVinoDetector(both.path, both.profile, ALL, imgsz=size, layout="rgb")
            onnx = OnnxDetector(both.path, both.profile, ALL, imgsz=size)
            assert openvino.info.image == onnx.info.image

            for a, b in zip(look(openvino, frames), look(onnx, frames), strict=True):
                assert a.class_id.tolist() == b.class_id.tolist()
                np.testing.assert_allclose(a.xyxy, b.xyxy, atol=1e-3)
                np.testing.assert_allclose(a.confidence, b.confidence, atol=1e-5)

    @needs_bfloat
    def test_bfloat16_finds_what_f32_finds(self, detectors, frames):
        """Every sure box is matched, at a mean overlap above 0.98."""
        yolo = model(detectors, "yolov8n_640_fp32.onnx")
        f32, bf16 = (
            OpenVinoDetector(yolo.path, yolo.profile, ALL, imgsz=(640, 384), precision=precision)
            for precision in ("f32", "bf16")
        )

        overlaps = matches(look(f32, frames), look(bf16, frames))

        assert overlaps.min() > 0.9
        assert overlaps.mean() > 0.98

    @pytest.mark.parametrize(
        ("name", "size"), [("yolox_nano_416.onnx", None), ("yolov8n_640_fp32.onnx", (640, 384))]
    )
    def test_planes_of_a_video_find_what_rgb_finds(self, detectors, frames, name, size):
        """Half the colour resolution and another conversion: every sure box is matched, most of them closely."""
        yolo = model(detectors, name)
        planes, rgb = (
            OpenVinoDetector(yolo.path, yolo.profile, ALL, imgsz=size, layout=layout)
            for layout in ("i420", "rgb")
        )

        overlaps = matches(look(rgb, frames), look(planes, frames))

        assert overlaps.min() > 0.5
        assert overlaps.mean() > 0.965


class TestDeterminism:
    @pytest.mark.parametrize(
        ("engine", "precision"),
        [("openvino", "f32"), pytest.param("openvino", "bf16", marks=needs_bfloat), ("onnx", "f32")],
    )
    def test_threads_and_slots_change_no_byte(self, detectors, frames, engine, precision):
        """One or two streams, one to four slots in flight, two threads that share the model, and repetition."""
        yolo, frames = model(detectors, "yolov8n_640_fp32.onnx"), frames[::2]

        def opened(threads):
            return open_detector(
                yolo.path,
                yolo.profile,
                ALL,
                imgsz=(640, 384),
                engine=engine,
                precision=precision,
                threads=threads,
            )

        one, two = opened(1), opened(2)
        expected = look(one, frames)
        flights = [in_flight(two, frames, slots) for slots in (2, 4)]
        with ThreadPoolExecutor(2) as pool:
            threads = list(pool.map(lambda _: look(two, frames), range(2)))

        for found in (look(one, frames), look(two, frames), *flights, *threads):
            assert [as_bytes(a) for a in found] == [as_bytes(b) for b in expected]


def in_flight(detector, frames, number):
    """Detections of all frames, with `number` slots in flight."""
    slots = [detector.slot() for _ in range(number)]
    found = []
    for at in range(len(frames) + number):
        slot = slots[at % number]
        if number <= at:
            found.append(slot.result())
        if at < len(frames):
            paint(detector, frames[at], slot)
            slot.start()
    return found[: len(frames)]


def as_bytes(found):
    return found.xyxy.tobytes(), found.confidence.tobytes(), found.class_id.tobytes()
