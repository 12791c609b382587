"""Batches of a fixed size: each picture has the answer that it would have alone, whoever goes along."""

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import av
import numpy as np
import pytest

import sightline
from sightline import models
from sightline.adapters.engines.batches import Batches
from sightline.adapters.engines.choice import open_detector
from sightline.adapters.engines.onnx import OnnxDetector
from sightline.errors import EngineError, Misconfigured
from sightline.vision.heads import Profile, Wanted
from tests.unit.onnx_graphs import Table, network

STREET = Path(sightline.__file__).parent / "demo" / "street.mp4"  # also of a wheel
BLANK = np.zeros((1, 2), np.float32)
WANTED = Wanted((0, 1, 2, 3))


def picture(value):
    return np.full((1, 2), value, np.float32)


class TestBatches:
    def test_each_has_its_own_answer(self):
        """Whatever the order in which threads ask."""
        batches = Batches(lambda planes: (planes + 1, planes * 2), 3, BLANK)
        with ThreadPoolExecutor(8) as threads:
            answers = list(threads.map(lambda number: batches(picture(number)), range(100)))
        batches.close()

        for number, (one, two) in enumerate(answers):
            assert one.tolist() == [[number + 1] * 2]
            assert two.tolist() == [[number * 2] * 2]

    def test_every_run_has_the_same_size(self):
        """Empty places hold blank pictures, or what went before: nobody reads their rows."""
        shapes, batches = [], None

        def run(planes):
            shapes.append(planes.shape)
            return (planes.copy(),)

        batches = Batches(run, 4, BLANK)
        batches(picture(1))
        batches(picture(2))
        batches.close()

        assert shapes == [(4, 2), (4, 2)]

    def test_who_asks_while_a_run_is_under_way_goes_along_in_the_next(self):
        """Nobody waits for a batch to be full."""
        seen, begun, go = [], threading.Event(), threading.Event()

        def run(planes):
            seen.append(sorted(planes[:, 0].tolist()))
            begun.set()
            go.wait(30)
            return (planes.copy(),)

        batches = Batches(run, 3, BLANK)
        with ThreadPoolExecutor(4) as threads:
            first = threads.submit(batches, picture(1))
            begun.wait(30)
            others = [threads.submit(batches, picture(number)) for number in (2, 3, 4)]
            while batches._asked.qsize() < 3:
                pass
            go.set()
            assert [each.result()[0][0, 0] for each in [first, *others]] == [1, 2, 3, 4]
        batches.close()

        assert seen == [[0, 0, 1], [2, 3, 4]]

    def test_a_failed_run_is_told_to_each_and_the_next_one_works(self):
        failing = [True]

        def run(planes):
            if failing.pop() if failing else False:
                raise EngineError("out of memory")
            return (planes.copy(),)

        batches = Batches(run, 2, BLANK)
        with pytest.raises(EngineError, match="out of memory"):
            batches(picture(1))

        assert batches(picture(2))[0][0, 0] == 2
        batches.close()

    def test_an_error_that_nobody_expects_is_told_too(self):
        """Else whoever waits would wait for ever."""
        batches = Batches(lambda planes: {}[planes.size], 2, BLANK)
        for _ in range(2):
            with pytest.raises(KeyError):
                batches(picture(1))
        batches.close()

    def test_what_was_asked_is_answered_before_it_closes(self):
        """And nothing after it."""
        batches = Batches(lambda planes: (planes.copy(),), 2, BLANK)
        with ThreadPoolExecutor(4) as threads:
            asked = [threads.submit(batches, picture(number)) for number in range(4)]
            for each in asked:
                each.result()
        batches.close()
        batches.close()

        with pytest.raises(EngineError, match="no more pictures"):
            batches(picture(1))


@pytest.fixture(scope="module")
def tiny():
    return models.resolve(models.BUNDLED)


def pictures(spec, count):
    """Of the bundled street, in the size that is wanted."""
    with av.open(str(STREET)) as video:
        frames = list(itertools.islice(video.decode(video=0), 0, 40 * count, 40))
    return np.stack([frame.reformat(spec.width, spec.height, "rgb24").to_ndarray() for frame in frames])


def found_by(detector, images, together):
    """Detections of pictures, so many of them at once."""
    found = []
    for start in range(0, len(images), together):
        slots = [detector.slot() for _ in images[start : start + together]]
        for slot, image in zip(slots, images[start:], strict=False):
            slot.image[...] = image
            slot.start()
        found += [slot.result() for slot in slots]
    return found


def equal(one, other):
    return all(
        (a.xyxy.tobytes(), a.confidence.tobytes()) == (b.xyxy.tobytes(), b.confidence.tobytes())
        for a, b in zip(one, other, strict=True)
    )


def test_detections_do_not_depend_on_who_goes_along(tiny):
    """To the last bit: alone, in twos, in eights, in another order."""
    detector = OnnxDetector(tiny.path, tiny.profile, WANTED, imgsz=(320, 192), threads=2, batch=4)
    images = pictures(detector.info.image, 8)
    alone = found_by(detector, images, 1)

    assert sum(len(each) for each in alone) > 0
    for together in (2, 3, 8):
        assert equal(found_by(detector, images, together), alone)
    assert equal(found_by(detector, images[::-1], 8), alone[::-1])
    detector.close()


def test_the_size_of_batches_is_in_the_run_key(tiny):
    """As part of the engine's version; of one picture at a time nothing is said."""
    one = OnnxDetector(tiny.path, tiny.profile, WANTED, imgsz=(64, 64))
    four = OnnxDetector(tiny.path, tiny.profile, WANTED, imgsz=(64, 64), batch=4)

    assert four.info.version == f"{one.info.version} batch 4"


def test_a_network_of_one_picture_takes_no_batch(tmp_path):
    path = network(tmp_path / "one.onnx", {"output0": Table(np.zeros((1, 8, 21)))}, image=(1, 3, 64, 96))
    profile = Profile("one", "0" * 64, ("car", "van", "truck", "person"), "yolov8")

    with pytest.raises(Misconfigured, match="does not take 4 pictures at a time") as error:
        OnnxDetector(path, profile, WANTED, batch=4)

    assert error.value.code == "batch"


def test_openvino_takes_one_picture_at_a_time(tiny):
    with pytest.raises(Misconfigured, match="only ONNX Runtime takes several") as error:
        open_detector(tiny.path, tiny.profile, WANTED, engine="openvino", batch=2)

    assert error.value.code == "batch"
