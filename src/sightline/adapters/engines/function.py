"""A detector of the user's own: a Python function that gets frames and gives detections."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import CodeType

import numpy as np

from sightline.arrays import ByteArray, FloatArray
from sightline.errors import EngineError, Misconfigured
from sightline.ports import DetectorInfo
from sightline.types import Detections, ImageSpec, InvalidDetections

__all__ = ["DetectorFunction", "FunctionDetector", "version_of"]

# A record of more boxes would be over the log's limit (`events.MAX_BYTES`).
MOST_BOXES = 4_000

DetectorFunction = Callable[[list[ByteArray]], Sequence[Detections]]


class FunctionDetector:
    """Calls `fn(frames) -> list[Detections]`, one frame at a time, never from two threads at once.

    The frame is the function's own: it may be kept and written to. What the function raises rises to the caller; what
    it gives and cannot be boxes in pixels is an error that names it. The run key knows the function by its name and `version` only: give
    another version when it changes.
    """

    def __init__(
        self,
        fn: DetectorFunction,
        labels: Sequence[str],
        width: int,
        height: int,
        *,
        version: str = "",
        conf: float = 0.0,
    ) -> None:
        """Wrap a function.

        Args:
            fn: gets uint8 (height, width, 3) arrays in RGB, and gives as many `Detections` in their pixels.
            labels: by class id.
            width, height: of the source as displayed; the function sees frames in their own size.
            version: part of the run key.
            conf: lowest confidence of a detection.
        """
        name = f"{getattr(fn, '__module__', '')}.{getattr(fn, '__qualname__', type(fn).__qualname__)}"
        digest = hashlib.sha256(f"{name}\n{version}".encode()).hexdigest()
        image = ImageSpec(width, height, "rgb", "topleft")
        self._info = DetectorInfo(name, digest, tuple(labels), "function", version or "1", "f32", image)
        self._fn, self._conf, self._lock = fn, conf, threading.Lock()

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
            try:
                found = self._one(self._fn([frame.copy()]))
            except InvalidDetections as error:
                raise self._wrong(str(error)) from error
            except StopIteration as error:  # would end whatever iterates over frames here
                raise self._wrong("it raised StopIteration: it has no answer for this frame") from error
        if len(found):
            self._check_classes(found)
            self._check_pixels(found.xyxy)
        found = found[found.confidence >= self._conf]
        return found[np.argsort(-found.confidence, kind="stable")]

    def _wrong(self, what: str) -> Misconfigured:
        return Misconfigured(f"detector {self._info.name}: {what}", code="detector_function")

    def _one(self, answer: object) -> Detections:
        """The detections of the one frame."""
        expected = "expected a list of one sightline.Detections for one frame"
        if not isinstance(answer, (list, tuple)):
            raise self._wrong(f"{expected}, it gave {_kind(answer)}{_remedy(answer)}")
        if len(answer) != 1:
            raise self._wrong(f"{expected}, it gave {len(answer)}")
        found = answer[0]
        if not isinstance(found, Detections):
            raise self._wrong(f"{expected}, it gave a list of {_kind(found)}{_remedy(found)}")
        if len(found) > MOST_BOXES:
            raise self._wrong(f"{len(found)} boxes in one frame, {MOST_BOXES} at most: keep the surest")
        return found

    def _check_classes(self, found: Detections) -> None:
        if found.class_id.max() >= len(self._info.labels):
            raise self._wrong(
                f"class ids {found.class_id.min()} to {found.class_id.max()}, "
                f"but it has {len(self._info.labels)} labels: {', '.join(self._info.labels)}"
            )

    def _check_pixels(self, xyxy: FloatArray) -> None:
        """Boxes that cannot be pixels of the picture: in 0..1 of it, or wholly beside it."""
        width, height = self._info.image.width, self._info.image.height
        picture = f"the picture has {width} x {height} pixels"
        if min(width, height) > 2 and _in_unit_square(xyxy):
            raise self._wrong(
                f"all boxes lie in 0..1, e.g. {xyxy[0].tolist()}, but boxes are in pixels and {picture}: "
                f"multiply x by {width} and y by {height}"
            )
        x1, y1, x2, y2 = xyxy.T
        beside = (x1 >= width) | (y1 >= height) | (x2 <= 0) | (y2 <= 0)
        beside &= (x2 > x1) & (
            y2 > y1
        )  # what was clipped to the border and has no area left is dropped later
        if beside.any():
            box = xyxy[int(np.argmax(beside))].tolist()
            raise self._wrong(
                f"box {box} lies beside the picture, but {picture}: scale boxes to the frame that came in, "
                "and drop those outside"
            )


def _in_unit_square(xyxy: FloatArray) -> bool:
    """Whether boxes are certainly fractions of the picture.

    All lie in its first pixel or hardly reach out of it, and one of them is not cut off by the corner, as the visible
    rest of an object that leaves there is.
    """
    if xyxy.min() < -0.5 or xyxy.max() > 1.5:
        return False
    return bool(((xyxy[:, :2] > 0).any(axis=1) & (xyxy != np.rint(xyxy)).any(axis=1)).any())


def _kind(value: object) -> str:
    kind = type(value)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _remedy(value: object) -> str:
    """What to do with what was given instead, where that can be told."""
    if value is None:
        return ": is a `return` missing?"
    if isinstance(value, Iterator):
        return ": return a list, not a generator"
    if isinstance(value, Detections):
        return ": put it into a list"
    if all(hasattr(value, name) for name in ("xyxy", "confidence", "class_id")):
        return ": sightline.Detections(found.xyxy, found.confidence, found.class_id) makes one of it"
    return ""


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


def version_of(function: DetectorFunction) -> str:
    """Digest of a function's own code: another body makes another run. Empty for an object that is called.

    What the function calls and refers to is not looked into, and another Python may compile it to other code.
    """
    code = getattr(function, "__code__", None)
    if not isinstance(code, CodeType):
        return ""
    digest = hashlib.sha256()
    for part in (*_parts(code), *_plain(getattr(function, "__defaults__", None) or ())):
        digest.update(part + b"\n")
    return digest.hexdigest()[:16]


def _parts(code: CodeType) -> Iterator[bytes]:
    """Instructions, names and constants of code and of what is defined inside it."""
    yield code.co_code
    yield " ".join((*code.co_names, *code.co_varnames)).encode()
    yield from _plain(code.co_consts)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _parts(constant)


def _plain(values: Iterable[object]) -> Iterator[bytes]:
    """Constants that are written the same way in every process; sets, for one, are not."""
    for value in values:
        if isinstance(value, tuple):
            yield from _plain(value)
        elif isinstance(value, str | bytes | int | float | complex | None):
            yield repr(value).encode()
