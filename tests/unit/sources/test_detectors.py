"""Detectors that are opened on demand, by whichever thread is the first."""

import time
from concurrent.futures import ThreadPoolExecutor

from sightline.pipeline import Overrides, load, resolve
from sightline.settings import DetectOptions
from sightline.sources.detectors import Detectors
from sightline.types import Detections


class Slow(Detectors):
    """Opening takes as long as loading a model does."""

    opened = 0

    def _made(self, size):
        self.opened += 1
        time.sleep(0.05)
        return super()._made(size)


def test_threads_that_ask_at_once_share_one_detector():
    """A model is loaded once for each size of picture, however many threads want it first."""
    detectors = Slow(
        None,
        resolve(load("traffic"), None, Overrides(), "track"),
        DetectOptions(),
        threads=1,
        function=lambda frames: [Detections.empty() for _ in frames],
        labels=("car",),
    )

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: detectors.at(64, 32), range(8)))

    assert detectors.opened == 1
    assert all(each is found[0] for each in found)
    detectors.close()
