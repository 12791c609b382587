"""Frames of a folder of images: JPEG and PNG, in the order of their numbers.

Where every name is a number, `frame` is number - first number, a missing number is no frame, and time runs on over the
gap. Where every name holds a clock time, images are at these times (`image_times`). Other names count by rank, numbers
inside them compared as numbers (`img2` before `img10`). Dates of files are never looked at. EXIF orientation is applied, as image viewers and OpenCV do, so sizes and boxes are those of the
upright image; every image is scaled to the letterbox of the first.
"""

from __future__ import annotations

import io
import re
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from av.video.frame import VideoFrame
from PIL import Image, ImageOps

from sightline.adapters.images.times import NameTimes, name_times, odd_one
from sightline.adapters.opened import Place
from sightline.adapters.pixels import Painter
from sightline.arrays import ByteArray
from sightline.errors import InvalidVideo, NotFound, Unavailable
from sightline.ports import Decoded
from sightline.types import Caveat, Chunk, ImageSpec, SourceIndex
from sightline.vision.preprocess import Preprocess
from sightline.vision.sampling import microseconds, rate

__all__ = ["MAX_PIXELS", "ImageFolderReader", "in_order"]

# Pillow's own alarm for decompression bombs begins here.
MAX_PIXELS = 89_478_485
_FORMATS = {".jpg": "jpeg", ".jpeg": "jpeg", ".png": "png"}
_DEFAULT_FPS = Fraction(30)
_NUMBERS_A_NAME = 1_000
_BROKEN = (OSError, SyntaxError, ValueError, TypeError, IndexError, KeyError, struct.error, zlib.error)
_ORIENTATION = 0x0112


class ImageFolderReader:
    """A `FrameReader` for a folder of images, or for a list of image files."""

    def __init__(
        self,
        source: Path | Sequence[Place],
        image: ImageSpec,
        preprocess: Preprocess | None = None,
        fps: Fraction | None = None,
        name: str | None = None,
        max_pixels: int = MAX_PIXELS,
        max_frames: int = 20_000_000,
        index: SourceIndex | None = None,
    ) -> None:
        """Prepare; the folder is listed at the first call.

        Args:
            source: a folder, of which `.jpg`, `.jpeg` and `.png` files count, or the files themselves, which may be open already.
            image: the picture that is written; 0 x 0 is the first image's own size in `rgb` or `bgr`.
            preprocess: applied to the full-size image before it is scaled.
            fps: images per second; None: the times that their names give, else 30.
            name: for messages and the index; the folder's name by default.
            max_pixels: of an image; larger ones are `failed("limit")`. At most `MAX_PIXELS`.
            max_frames: of the folder.
            index: what `index` of another reader of the same images found; files are then in its order.

        Raises:
            ValueError: `fps` is not positive.
        """
        if fps is not None and fps <= 0:
            raise ValueError(f"fps is {fps}, expected a positive number")
        self._source, self._image, self._preprocess, self._fps = source, image, preprocess, fps
        self._name = name or (source.resolve().name if isinstance(source, Path) else _parent(source))
        self._max_pixels, self._max_frames = min(max_pixels, MAX_PIXELS), max_frames
        self._paths: tuple[Place, ...] = ()
        self._index = index
        if index is not None:
            self._paths = tuple(
                [source / each for each in index.names] if isinstance(source, Path) else source
            )
        self._painter: Painter | None = None
        self._caveats: dict[str, Caveat] = {}

    @property
    def caveats(self) -> tuple[Caveat, ...]:
        """What showed while images were read: `size_change`. Depends on the images read, not on their order."""
        return tuple(self._caveats[code] for code in sorted(self._caveats))

    def index(self) -> SourceIndex:
        """List the images; only the first one's header is read. See `FrameReader.index`.

        Raises:
            NotFound: no such folder.
            Unavailable: it cannot be read.
            InvalidVideo: `empty`, `no_frame` or `limit`.
        """
        if self._index is None:
            order = _ordered(self._listed())
            if not order.paths:
                reason = "no .jpg, .jpeg or .png file: choose the folder that holds the images"
                raise InvalidVideo(self._name, reason=reason, code="empty")
            if len(order.paths) > self._max_frames:
                reason = f"more than {self._max_frames} images are not allowed: split the folder"
                raise InvalidVideo(self._name, reason=reason, code="limit")
            self._paths = tuple(order.paths)
            self._index = self._described(order)
        return self._index

    def read(
        self, chunk: Chunk, rows: Sequence[int], ticks: Sequence[int], buffer: Callable[[], ByteArray]
    ) -> Iterator[Decoded]:
        """Decode images; see `FrameReader.read`.

        An image fails with `truncated` (an empty file), `decode` or `limit` (too many pixels).

        Raises:
            NotFound, Unavailable: a file is gone or cannot be read.
        """
        index = self.index()
        if self._painter is None:
            self._painter = Painter(self._image, index.width, index.height, 0, self._preprocess)
        for row in rows:
            frame, reason = self._decoded(self._paths[row])
            if frame is None:
                yield Decoded(int(row), "failed", reason)
                continue
            remark = ""
            if (frame.width, frame.height) != (index.width, index.height):
                remark = "size_change"
                detail = (
                    f"images of other sizes are scaled to {index.width} x {index.height}, the first one's"
                )
                self._caveats["size_change"] = Caveat("size_change", detail)
            image = buffer()
            self._painter.paint(frame, image)
            yield Decoded(int(row), "ok", remark, image)

    def close(self) -> None:
        """Nothing stays open between images."""

    def _listed(self) -> list[Place]:
        if not isinstance(self._source, Path):
            return list(self._source)
        try:
            entries = list(self._source.iterdir())
        except (FileNotFoundError, NotADirectoryError) as exc:
            raise NotFound(f"{self._name}: no such folder of images") from exc
        except OSError as exc:
            raise Unavailable(
                f"{self._name}: cannot be listed ({exc.strerror}); check the permissions"
            ) from exc
        return [
            path
            for path in entries
            if path.suffix.lower() in _FORMATS and not path.name.startswith(".") and path.is_file()
        ]

    def _described(self, order: _Order) -> SourceIndex:
        width, height, failed = self._first_size()
        frame = np.array(order.frames, dtype=np.int64)
        step = 1 / (self._fps or _DEFAULT_FPS)
        by_name = order.times is not None and self._fps is None
        if order.times is not None and by_name:
            base, tick = Fraction(1, 1_000_000), np.array(order.times.pts_us, dtype=np.int64)
            caveats = (*order.caveats, _said(order.times))
        else:
            base, tick, caveats = step, frame, order.caveats
        index = SourceIndex(
            kind="images",
            name=self._name,
            codec=", ".join(sorted({_FORMATS.get(path.suffix.lower(), "image") for path in self._paths})),
            width=width,
            height=height,
            rotation=0,
            stream=0,
            time_base=base,
            frame=frame,
            tick=tick,
            pts_us=microseconds(tick, base),
            key=np.ones(len(frame), dtype=np.bool_),
            failed=failed,
            names=tuple(path.name for path in self._paths),
            vfr=bool(order.gaps) or (by_name and len(set(np.diff(tick).tolist())) > 1),
            gaps=order.gaps,
            clock="names" if by_name else "rate",
            caveats=caveats,
        )
        if by_name:
            last = round(1_000_000 / rate(index, np.arange(len(frame))))
            return replace(index, duration_us=int(tick[-1]) + last)
        return replace(index, duration_us=int(microseconds(frame[-1:] + 1, step)[0]))

    def _first_size(self) -> tuple[int, int, dict[int, str]]:
        """Upright size of the first image whose header can be read, and those before it."""
        failed: dict[int, str] = {}
        for row, path in enumerate(self._paths):
            image, reason = self._opened(path)
            if image is None:
                failed[row] = reason
                continue
            width, height = image.size
            try:
                turned = image.getexif().get(_ORIENTATION, 1) >= 5
            except _BROKEN:
                turned = False
            return (height, width, failed) if turned else (width, height, failed)
        if "limit" in failed.values():
            reason = f"none of the images can be opened: they have more than {self._max_pixels} pixels, scale them down"
            raise InvalidVideo(self._name, reason=reason, code="limit")
        reason = "none of the images can be opened: check that they are JPEG or PNG"
        raise InvalidVideo(self._name, reason=reason, code="no_frame")

    def _opened(self, path: Place) -> tuple[Any, str]:
        try:
            content = path.read_bytes()
        except FileNotFoundError as exc:
            raise NotFound(f"{self._name}: {path.name} is gone") from exc
        except OSError as exc:
            raise Unavailable(f"{self._name}: {path.name} cannot be read ({exc.strerror})") from exc
        if not content:
            return None, "truncated"
        try:
            image = Image.open(io.BytesIO(content), formats=("JPEG", "PNG"))
        except (Image.DecompressionBombError, Image.DecompressionBombWarning):
            return None, "limit"
        except _BROKEN:
            return None, "decode"
        if image.width * image.height > self._max_pixels:
            return None, "limit"
        return image, ""

    def _decoded(self, path: Place) -> tuple[Any, str]:
        """The upright image as an `av.VideoFrame`, or None and the reason."""
        image, reason = self._opened(path)
        if image is None:
            return None, reason
        try:
            pixels = _rgb(ImageOps.exif_transpose(image))
        except MemoryError as exc:
            raise Unavailable(f"{self._name}: not enough memory to decode {path.name}") from exc
        except _BROKEN:
            return None, "decode"
        return VideoFrame.from_numpy_buffer(pixels, format="rgb24"), ""


def _rgb(image: Any) -> ByteArray:
    """uint8 (height, width, 3); 16-bit greys keep their high byte, transparency is dropped."""
    if image.mode.startswith("I"):
        grey = np.clip(np.asarray(image).astype(np.int64) >> 8, 0, 255).astype(np.uint8)
        return np.ascontiguousarray(np.repeat(grey[:, :, None], 3, axis=2))
    if image.mode == "P" and "transparency" in image.info:
        image = image.convert("RGBA")
    return np.array(image.convert("RGB"))


def _parent(paths: Sequence[Place]) -> str:
    first = paths[0] if paths else None
    return first.resolve().parent.name if isinstance(first, Path) else "images"


@dataclass(frozen=True)
class _Order:
    """Images in order, their frame numbers, the numbers without an image, and the times that their names give."""

    paths: list[Place]
    frames: list[int]
    gaps: tuple[tuple[int, int], ...] = ()
    caveats: tuple[Caveat, ...] = ()
    times: NameTimes | None = None


def in_order(paths: Sequence[Path]) -> list[Path]:
    """Images in the order of an index: row n of it is the nth."""
    return [path for path in _ordered(list(paths)).paths if isinstance(path, Path)]


def _ordered(paths: list[Place]) -> _Order:
    ranked = sorted(paths, key=_rank)
    times = name_times([path.stem for path in ranked])
    if times is not None:
        return _Order([ranked[row] for row in times.order], list(range(len(ranked))), times=times)
    odd = odd_one([path.stem for path in ranked])
    if odd is not None:
        detail = f"{ranked[odd].name} holds no clock time, nearly all others do: images are counted by rank, without times"
        return _Order(ranked, list(range(len(ranked))), caveats=(Caveat("image_times", detail),))
    if not all(path.stem.isascii() and path.stem.isdigit() for path in paths):
        return _Order(ranked, list(range(len(ranked))))
    numbered = sorted((int(path.stem), path) for path in paths)
    numbers = [number for number, _ in numbered]
    if len(set(numbers)) == len(numbers) and _plausible(numbers):
        gaps = tuple((a + 1, b - 1) for a, b in pairwise(numbers) if b - a > 1)
        return _Order([path for _, path in numbered], [number - numbers[0] for number in numbers], gaps)
    detail = "the names are numbers that repeat or lie too far apart: images are counted by rank"
    return _Order(ranked, list(range(len(ranked))), caveats=(Caveat("image_numbers", detail),))


def _said(times: NameTimes) -> Caveat:
    detail = (
        "the names are clock times: images are at these times; --fps takes them as so many a second instead"
    )
    if times.shared:
        detail += f"; {times.shared} share their {times.unit} with others and are spread evenly over it"
    return Caveat("image_times", detail)


def _plausible(numbers: list[int]) -> bool:
    """Whether the names are frame numbers and not, say, clock times in nanoseconds."""
    return not numbers or numbers[-1] - numbers[0] <= _NUMBERS_A_NAME * len(numbers)


def _rank(path: Place) -> tuple[list[tuple[int, int, str]], str]:
    parts = re.split(r"([0-9]+)", path.name)
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts if part], path.name
