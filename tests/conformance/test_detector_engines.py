"""The engines, with the bundled model on rendered streets, keep the contract of a detector."""

import av
import numpy as np
import pytest

from sightline import models
from sightline.adapters.engines.onnx import OnnxDetector
from sightline.adapters.engines.openvino import OpenVinoDetector
from sightline.adapters.pixels import Painter
from sightline.vision.heads import Wanted
from tests.conformance.suite_detector import DetectorSuite

WANTED = Wanted((0, 1, 2, 3), (0, 0, 0, 1), conf=0.3)
SIZE = (320, 192)


@pytest.fixture(scope="session")
def tiny():
    return models.resolve("sightline-tiny")


@pytest.fixture(scope="session")
def street(tiny):
    """Three frames of the demo clip."""
    clip = tiny.path.with_name("street.mp4")
    with av.open(str(clip)) as container:
        container.seek(16_000_000)
        decoded = container.decode(video=0)
        return [next(decoded) for _ in range(30)][::14]


def painted(spec, frames):
    painter = Painter(spec, frames[0].width, frames[0].height, 0, None)
    pictures = [np.empty(spec.shape(), np.uint8) for _ in frames]
    for picture, frame in zip(pictures, frames, strict=True):
        painter.paint(frame, picture)
    return pictures


class Engine(DetectorSuite):
    @pytest.fixture
    def detector(self, tiny):
        return self.open(tiny, threads=1)

    @pytest.fixture
    def threaded(self, tiny):
        return self.open(tiny, threads=2)

    @pytest.fixture
    def pictures(self, detector, street):
        return painted(detector.info.image, street)


class TestOpenVino(Engine):
    def open(self, model, threads):
        return OpenVinoDetector(model.path, model.profile, WANTED, imgsz=SIZE, threads=threads)


class TestOpenVinoWithoutPlanes(Engine):
    def open(self, model, threads):
        return OpenVinoDetector(model.path, model.profile, WANTED, imgsz=SIZE, threads=threads, layout="rgb")


class TestOnnxRuntime(Engine):
    def open(self, model, threads):
        return OnnxDetector(model.path, model.profile, WANTED, imgsz=SIZE, threads=threads)
