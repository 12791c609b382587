"""Frames of a video file, decoded from a key frame on and scaled into the caller's buffers.

A chunk is found by its first pts: whatever packet a seek lands on, decoding begins with exactly the chunk's key
packet, so the pixels cannot depend on what was read before. Frames are matched by pts (by count from the start where
the index says so); what is asked for and does not come is `failed`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from itertools import chain
from typing import Any

import av

from sightline.adapters.opened import Place
from sightline.adapters.pixels import Painter
from sightline.adapters.video.clock import moved
from sightline.adapters.video.cursor import Cursor
from sightline.adapters.video.decode import packets
from sightline.adapters.video.file import OWN_FILES, VideoFile, VideoLimits
from sightline.adapters.video.index import build_index
from sightline.arrays import ByteArray
from sightline.ports import Decoded
from sightline.types import Caveat, Chunk, ImageSpec, Part, SourceIndex
from sightline.vision.preprocess import Preprocess

__all__ = ["VideoReader"]

# Seconds before a chunk at which a seek is tried; after the last one the file is read from its start.
_SEEKS_S = (0, 2, 15)
# Frames that a decoder holds back at most; where a clock falls within a group they come behind later ones.
_REORDERED = 16


class VideoReader:
    """A `FrameReader` for one video file."""

    def __init__(
        self,
        path: Place,
        image: ImageSpec,
        preprocess: Preprocess | None = None,
        name: str | None = None,
        limits: VideoLimits = OWN_FILES,
        index: SourceIndex | None = None,
        fps: Fraction | None = None,
    ) -> None:
        """Prepare; the file is opened at the first call.

        Args:
            path: a local file, or one that is open already.
            image: the picture that is written; 0 x 0 is the frame's own size in `rgb` or `bgr`, which the caller
                learns from the index.
            preprocess: applied to the full-size frame before it is scaled.
            name: for messages and the index; the file's name by default.
            limits: what is refused.
            fps: frames per second, for a file that has no times.
            index: what `index` of another reader of the same file found; None: it is made when it is needed.
        """
        self._path, self._image, self._preprocess = path, image, preprocess
        self._name, self._limits, self._fps = name or path.name, limits, fps
        self._index = index
        self._painter: Painter | None = None
        self._size = (0, 0)
        self._file: VideoFile | None = None
        self._cursor: Cursor | None = None
        self._chunk: Chunk | None = None
        self._walk: _Walk | None = None
        self._caveats: dict[str, Caveat] = {}

    @property
    def caveats(self) -> tuple[Caveat, ...]:
        """What showed while frames were read: `size_change`. Depends on the frames read, not on their order."""
        return tuple(self._caveats[code] for code in sorted(self._caveats))

    def index(self) -> SourceIndex:
        """Find every frame without decoding; see `FrameReader.index`.

        Raises:
            NotFound: no such file.
            Unavailable: it cannot be read.
            InvalidVideo: `empty`, `not_video`, `unreadable`, `no_video`, `no_frame` or `limit`.
        """
        if self._index is None:
            self._index = build_index(self._path, self._name, self._limits, self._fps)
        return self._index

    def read(
        self, chunk: Chunk, rows: Sequence[int], ticks: Sequence[int], buffer: Callable[[], ByteArray]
    ) -> Iterator[Decoded]:
        """Decode frames of a chunk; see `FrameReader.read`.

        A frame fails with `truncated` (the file ends before it), `decode` (its packet is damaged) or `limit`
        (it is larger than allowed).

        Raises:
            NotFound, Unavailable: the file is gone or cannot be read.
            InvalidVideo: the file is no longer a video.
        """
        if not len(rows):
            return
        marks = rows if chunk.first_tick is None else ticks
        painter = self._prepared()
        cursor = self._at(chunk, int(marks[0]))
        for row, mark in zip(rows, marks, strict=True):
            frame = cursor.find(int(mark))
            if frame is None:
                yield Decoded(int(row), "failed", cursor.reason(int(mark)))
            elif self._is_too_large(frame):
                yield Decoded(int(row), "failed", "limit")
            else:
                remark = self._remark(frame)
                image = buffer()
                painter.paint(frame, image)
                yield Decoded(int(row), "ok", remark, image)

    def close(self) -> None:
        """Release the file. Repeating is harmless."""
        self._cursor = self._chunk = self._walk = None
        if self._file is not None:
            self._file.close()
            self._file = None

    def _prepared(self) -> Painter:
        """The painter for the first frame's size, which every later frame is scaled to."""
        if self._painter is None:
            index = self.index()
            self._painter = Painter(self._image, index.width, index.height, index.rotation, self._preprocess)
            turned = index.rotation % 180
            self._size = (index.height, index.width) if turned else (index.width, index.height)
        return self._painter

    def _at(self, chunk: Chunk, mark: int) -> Cursor:
        """A cursor before `mark`: the one at hand where it comes to it next, else one at the chunk's beginning."""
        cursor, last = self._cursor, self._chunk
        if cursor is not None and last is not None and cursor.position < mark and _continues(last, chunk):
            self._chunk = chunk
            return cursor
        if chunk.first_tick is None or chunk.first == 0:
            walk = self._from_start()
            cursor = Cursor(walk.file, walk, counted=chunk.first_tick is None, disorder=self._disorder())
        elif self.index().parts:
            cursor = self._walked(chunk.first_tick)
        else:
            cursor = self._sought(chunk.first_tick)
        self._cursor, self._chunk = cursor, chunk
        return cursor

    def _rewound(self) -> VideoFile:
        self.close()
        self._file = VideoFile(self._path, self._name, self._limits)
        return self._file

    def _from_start(self) -> _Walk:
        self._walk = _Walk(self._rewound(), self.index().parts)
        return self._walk

    def _disorder(self) -> int:
        return _REORDERED if self.index().parts else 0

    def _walked(self, tick: int) -> Cursor:
        """A cursor whose first packet is the key packet of pts `tick`, found by reading on from the file's start.

        Times in the file cannot lead there: they fall.
        """
        walk = self._walk
        if walk is None or walk.latest >= tick:
            walk = self._from_start()
        return Cursor(walk.file, _from_key(walk, tick) or iter(()), start=tick, disorder=self._disorder())

    def _sought(self, tick: int) -> Cursor:
        """A cursor whose first packet is the key packet of pts `tick`."""
        file = self._file or self._rewound()
        for seconds in _SEEKS_S:
            target = tick - int(seconds / file.stream.time_base)
            try:
                file.container.seek(target, stream=file.stream)
            except av.error.FFmpegError:
                break
            found = _from_key(packets(file), tick)
            if found is not None:
                return Cursor(file, found, start=tick)
        file = self._rewound()
        return Cursor(file, _from_key(packets(file), tick) or iter(()), start=tick)

    def _is_too_large(self, frame: Any) -> bool:
        limits = self._limits
        return bool(
            max(frame.width, frame.height) > limits.side or frame.width * frame.height > limits.pixels
        )

    def _remark(self, frame: Any) -> str:
        if (frame.width, frame.height) == self._size:
            return ""
        detail = f"frames of other sizes are scaled to {self._size[0]} x {self._size[1]}, the first one's"
        self._caveats["size_change"] = Caveat("size_change", detail)
        return "size_change"


class _Walk:
    """Packets from the start of a file just opened, one after the other, on the clock of the index.

    Attributes:
        latest: the highest presentation time so far.
    """

    def __init__(self, file: VideoFile, parts: Sequence[Part]) -> None:
        self.file, self.latest = file, -(2**63)
        self._packets = moved(packets(file), parts, file.container.format.name)

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        packet = next(self._packets)
        if packet.pts is not None:
            self.latest = max(self.latest, packet.pts)
        return packet


def _continues(last: Chunk, chunk: Chunk) -> bool:
    return chunk == last or (chunk.first == last.end and chunk.first_tick is not None)


def _from_key(found: Iterator[Any], tick: int) -> Iterator[Any] | None:
    """Packets from the key packet of pts `tick` on; None where the container stands behind it.

    All packets before a chunk's key packet have a lower pts (the index makes sure), so a higher one comes too late.
    """
    for packet in found:
        if packet.is_discard or packet.pts is None or packet.pts < tick:
            continue
        return chain([packet], found) if packet.pts == tick and packet.is_keyframe else None
    return None
