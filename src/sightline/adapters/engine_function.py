"""A detector of the user's own: a Python function that gets frames and gives detections."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Sequence

import numpy as np

from sightline.errors import EngineError, Misconfigured
from sightline.ports import DetectorInfo
from sightline.types import ByteArray, Detections, ImageSpec

__all__ = ["DetectorFunction", "FunctionDetector"]

DetectorFunction = Callable[[Sequence[ByteArray]], Sequence[Detections]]


class FunctionDetector:
    """Calls `fn(frames) -> list[Detections]`, one frame at a time, never from two threads at once.

    What the function raises rises to the caller. The run key knows the function by its name and `version` only: give
    another version when it changes.
    """

    def __init__(
        self, fn: DetectorFunction, labels: Sequence[str], width: int, height: int, *, version: str = ""
    ) -> None:
        """Wrap a function.

        Args:
            fn: gets uint8 (height, width, 3) arrays in RGB, to be copied if they are kept, and gives as many
                `Detections` in their pixels.
            labels: by class id.
            width, height: of the source as displayed; the function sees frames in their own size.
            version: part of the run key.
        """
        name = f"{getattr(fn, '__module__', '')}.{getattr(fn, '__qualname__', type(fn).__qualname__)}"
        digest = hashlib.sha256(f"{name}\n{version}".encode()).hexdigest()
        image = ImageSpec(width, height, "rgb", "topleft")
        self._info = DetectorInfo(name, digest, tuple(labels), "function", version or "1", "f32", image)
        self._fn, self._lock = fn, threading.Lock()

    @property
    def info(self) -> DetectorInfo:
        """See `Detector`."""
        return self._info

    def slot(self) -> FunctionSlot:
        """See `Detector`."""
        return FunctionSlot(self._call, self._info.image)

    def close(self) -> None:
        """See `Detector`."""

    def _call(self, frame: ByteArray) -> Detections:
        with self._lock:
            answer = self._fn([frame])
        if not isinstance(answer, (list, tuple)):
            raise Misconfigured(
                f"detector {self._info.name}: expected a list of one sightline.Detections for one frame, "
                f"it gave {type(answer).__name__}",
                code="detector_function",
            )
        if len(answer) != 1 or not isinstance(answer[0], Detections):
            raise Misconfigured(
                f"detector {self._info.name}: expected a list of one sightline.Detections for one frame, "
                f"it gave {len(answer)} of {type(answer[0]).__name__ if len(answer) else 'nothing'}",
                code="detector_function",
            )
        found = answer[0]
        if len(found) and not 0 <= found.class_id.min() <= found.class_id.max() < len(self._info.labels):
            raise Misconfigured(
                f"detector {self._info.name}: class ids {found.class_id.min()} to {found.class_id.max()}, "
                f"but it has {len(self._info.labels)} labels",
                code="detector_function",
            )
        return found[np.argsort(-found.confidence, kind="stable")]


class FunctionSlot:
    """A frame for the function, which is called by `start`."""

    def __init__(self, call: Callable[[ByteArray], Detections], image: ImageSpec) -> None:
        self._call = call
        self._picture = np.zeros(image.shape(), np.uint8)
        self._found: Detections | None = None

    @property
    def image(self) -> ByteArray:
        """See `Slot`."""
        return self._picture

    def start(self) -> None:
        """See `Slot`."""
        self._found = None
        self._found = self._call(self._picture)

    def result(self) -> Detections:
        """See `Slot`."""
        if self._found is None:
            raise EngineError("no picture was started")
        return self._found
