"""Slots for engines that run a request synchronously: a few threads of ours make it asynchronous."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from sightline.errors import EngineError
from sightline.types import ByteArray, Detections, ImageSpec
from sightline.vision.heads import Decoder

__all__ = ["PooledSlot"]

Floats = NDArray[np.float32]


class PooledSlot:
    """A request and its buffers.

    Args:
        run: the network: float32 (1, 3, height, width) in, its output out; raises `EngineError`.
        pool: threads that requests run on, each on a core.
        image: the picture, in the network's own order of colours.
        scale: pixel values are divided by it.
        decoder: makes detections of the output.
    """

    def __init__(
        self,
        run: Callable[[Floats], Floats],
        pool: ThreadPoolExecutor,
        image: ImageSpec,
        scale: float,
        decoder: Decoder,
    ) -> None:
        self._run, self._pool, self._decoder = run, pool, decoder
        self._picture = np.full(image.shape(), image.pad, np.uint8)
        self._planes = np.empty((1, 3, image.height, image.width), np.float32)
        self._factor = np.float32(1 / scale)
        self._flight: Future[Floats] | None = None

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
        output = self._flight.result()
        self._decoder.check(output.shape)
        return self._decoder(output)

    def _infer(self) -> Floats:
        np.multiply(self._picture.transpose(2, 0, 1), self._factor, out=self._planes[0], casting="unsafe")
        return self._run(self._planes)
