"""Slots for engines that run a request synchronously: a few threads of ours make it asynchronous."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sightline.adapters.engines.common import Feed
from sightline.arrays import ByteArray
from sightline.errors import EngineError
from sightline.types import Detections, ImageSpec
from sightline.vision.heads import Decoder

__all__ = ["PooledSlot"]

Outputs = tuple[NDArray[Any], ...]


class PooledSlot:
    """A request and its buffers.

    Args:
        run: the network: its input for one picture in, the outputs that its head reads out; raises `EngineError`.
        pool: threads that requests run on, each on a core.
        image: the picture, in the network's own order of colours.
        feed: writes the picture into the network's input.
        decoder: makes detections of the outputs.
    """

    def __init__(
        self,
        run: Callable[[NDArray[Any]], Outputs],
        pool: ThreadPoolExecutor,
        image: ImageSpec,
        feed: Feed,
        decoder: Decoder,
    ) -> None:
        self._run, self._pool, self._feed, self._decoder = run, pool, feed, decoder
        self._picture = np.full(image.shape(), image.pad, np.uint8)
        self._planes = feed.planes()
        self._flight: Future[Outputs] | None = None

    @property
    def image(self) -> ByteArray:
        """See `Slot`."""
        return self._picture

    def start(self) -> None:
        """See `Slot`."""
        try:
            self._flight = self._pool.submit(self._infer)
        except RuntimeError as exc:
            raise EngineError(f"the detector takes no more pictures: {exc}") from exc

    def result(self) -> Detections:
        """See `Slot`."""
        if self._flight is None:
            raise EngineError("no picture was started")
        outputs = self._flight.result()
        self._decoder.check(*(output.shape for output in outputs))
        return self._decoder(*outputs)

    def _infer(self) -> Outputs:
        self._feed.write(self._picture, self._planes)
        return self._run(self._planes)
