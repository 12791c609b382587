"""Frames of a video file, decoded from a key frame on and scaled into the caller's buffers.

A chunk is found by its first pts: whatever packet a seek lands on, decoding begins with exactly the chunk's key
packet, so the pixels cannot depend on what was read before. Frames are matched by pts (by count from the start where
the index says so); what is asked for and does not come is `failed`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import av

from sightline.adapters.pixels import Painter
from sightline.adapters.video_decode import FirstFrame, decode, is_cut, packets
from sightline.adapters.video_file import OWN_FILES, VideoFile, VideoLimits
from sightline.adapters.video_index import build_index
from sightline.adapters.video_packets import key_test
from sightline.errors import InvalidVideo
from sightline.ports import Decoded
from sightline.types import ByteArray, Caveat, Chunk, ImageSpec, SourceIndex
from sightline.vision.preprocess import Preprocess

__all__ = ["VideoReader"]

# Seconds before a chunk at which a seek is tried; after the last one the file is read from its start.
_SEEKS_S = (0, 2, 15)


class VideoReader:
    """A `FrameReader` for one video file."""

    def __init__(
        self,
        path: Path,
        image: ImageSpec,
        preprocess: Preprocess | None = None,
        name: str | None = None,
        limits: VideoLimits = OWN_FILES,
    ) -> None:
        """Prepare; the file is opened at the first call.

        Args:
            path: a local file.
            image: the picture that is written; 0 x 0 is the frame's own size in `rgb` or `bgr`, which the caller
                learns from the index.
            preprocess: applied to the full-size frame before it is scaled.
            name: for messages and the index; the file's name by default.
            limits: what is refused.
        """
        self._path, self._image, self._preprocess = path, image, preprocess
        self._name, self._limits = name or path.name, limits
        self._index: SourceIndex | None = None
        self._painter: Painter | None = None
        self._size = (0, 0)
        self._file: VideoFile | None = None
        self._cursor: _Cursor | None = None
        self._chunk: Chunk | None = None
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
            self._index = build_index(self._path, self._name, self._limits)
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
            elif frame.width * frame.height > self._limits.pixels:
                yield Decoded(int(row), "failed", "limit")
            else:
                self._note_size(frame)
                image = buffer()
                painter.paint(frame, image)
                yield Decoded(int(row), "ok", "", image)

    def close(self) -> None:
        """Release the file. Repeating is harmless."""
        self._cursor = self._chunk = None
        if self._file is not None:
            self._file.close()
            self._file = None

    def _prepared(self) -> Painter:
        """The painter for the first frame's size, which every later frame is scaled to."""
        if self._painter is None:
            first = self._first_frame()
            self._painter = Painter(self._image, first.width, first.height, first.rotation, self._preprocess)
            self._size = (first.height, first.width) if first.rotation % 180 else (first.width, first.height)
        return self._painter

    def _first_frame(self) -> FirstFrame:
        if self._index is not None:
            return FirstFrame(self._index.width, self._index.height, self._index.rotation, False)
        file = self._rewound()
        for packet in chain(packets(file), [None]):
            for frame in decode(file, packet) or ():
                return FirstFrame.of(frame)
        reason = "no frame can be decoded: the video is empty, damaged or encrypted"
        raise InvalidVideo(self._name, reason=reason, code="no_frame")

    def _at(self, chunk: Chunk, mark: int) -> _Cursor:
        """A cursor before `mark`: the one at hand where it comes to it next, else one at the chunk's beginning."""
        cursor, last = self._cursor, self._chunk
        if cursor is not None and last is not None and cursor.position < mark:
            same = chunk == last
            follows = chunk.first == last.end and chunk.first_tick is not None and not cursor.damaged
            if same or follows:
                self._chunk = chunk
                return cursor
        if cursor is not None and cursor.leave():
            self.close()
        self._cursor = self._from_start() if _from_start(chunk) else self._sought(chunk.first_tick or 0)
        self._cursor.counted = chunk.first_tick is None
        self._chunk = chunk
        return self._cursor

    def _rewound(self) -> VideoFile:
        self.close()
        self._file = VideoFile(self._path, self._name, self._limits)
        return self._file

    def _from_start(self) -> _Cursor:
        file = self._rewound()
        return _Cursor(file, packets(file))

    def _sought(self, tick: int) -> _Cursor:
        """A cursor whose first packet is the key packet of pts `tick`."""
        file = self._file or self._rewound()
        for seconds in _SEEKS_S:
            target = tick - int(seconds / file.stream.time_base)
            try:
                file.container.seek(target, stream=file.stream)
            except av.error.FFmpegError:
                break
            file.decoder.flush_buffers()
            found = _from_key(packets(file), tick)
            if found is not None:
                return _Cursor(file, found)
        file = self._rewound()
        return _Cursor(file, _from_key(packets(file), tick) or iter(()))

    def _note_size(self, frame: Any) -> None:
        if (frame.width, frame.height) != self._size:
            detail = f"frames of other sizes are scaled to {self._size[0]} x {self._size[1]}, the first one's"
            self._caveats["size_change"] = Caveat("size_change", detail)


def _from_start(chunk: Chunk) -> bool:
    return chunk.first_tick is None or chunk.first == 0


def _from_key(found: Iterator[Any], tick: int) -> Iterator[Any] | None:
    """Packets from the key packet of pts `tick` on; None where the container stands behind it.

    All packets before a chunk's key packet have a lower pts (the index makes sure), so a higher one comes too late.
    """
    for packet in found:
        if packet.is_discard or packet.pts is None or packet.pts < tick:
            continue
        return chain([packet], found) if packet.pts == tick and packet.is_keyframe else None
    return None


class _Cursor:
    """Frames in the decoder's order, each with its mark: pts, or number from the start where frames are counted."""

    def __init__(self, file: VideoFile, source: Iterator[Any]) -> None:
        self.counted = False
        self.damaged = False
        self.position = -(2**63)
        self._file, self._source, self._following = file, source, next(source, None)
        extradata = file.stream.codec_context.extradata
        self._begins = key_test(file.codec, bytes(extradata or b""))
        self._latest: int | None = None
        self._ready: deque[tuple[int, Any]] = deque()
        self._fed: set[int] = set()
        self._events = 0
        self._ended = False

    def find(self, mark: int) -> Any | None:
        """The frame of that mark, None where it does not come. Frames before it are dropped."""
        while True:
            while self._ready and self._ready[0][0] < mark:
                self._fed.discard(self._ready.popleft()[0])
            if self._ready or self._ended:
                break
            self._advance()
        self.position = mark
        if self._ready and self._ready[0][0] == mark:
            self._fed.discard(mark)
            return self._ready.popleft()[1]
        return None

    def reason(self, mark: int) -> str:
        """Why the frame of that mark did not come: its packet did, or did not."""
        return "decode" if mark in self._fed else "truncated"

    def leave(self) -> bool:
        """Stop reading here; whether the decoder has seen damage, which outlasts a flush."""
        if not self._ended:
            self._take(decode(self._file, None))
        return self.damaged

    def _advance(self) -> None:
        packet, self._following = self._following, next(self._source, None)
        if packet is not None and is_cut(packet, self._file):
            self.damaged = True
            return
        if packet is None:
            self._ended = True
        elif not self.counted and packet.pts is not None:
            if self._is_closed(packet):
                self._empty()
            self._fed.add(packet.pts)
            self._latest = packet.pts if self._latest is None else max(self._latest, packet.pts)
        frames = decode(self._file, packet)
        if frames is None:
            self.damaged = True
            self._count(packet)
        self._take(frames)

    def _take(self, frames: list[Any] | None) -> None:
        for frame in frames or ():
            self.damaged |= frame.is_corrupt
            mark = self._events if self.counted else frame.pts
            self._events += 1
            if mark is not None:
                self._ready.append((mark, frame))

    def _empty(self) -> None:
        """Take the last frames of a group and forget it.

        Else the decoder would conceal damage with pictures of that group, and a frame's pixels would depend on where
        the chunk began.
        """
        self._take(decode(self._file, None))
        if self.damaged:
            self._file.renew_decoder()
            self.damaged = False
        else:
            self._file.decoder.flush_buffers()

    def _is_closed(self, packet: Any) -> bool:
        """Whether a group begins here that owes nothing to the one before.

        Frames that need both groups follow a key packet at once, with lower times.
        """
        if not packet.is_keyframe or self._latest is None or packet.pts <= self._latest:
            return False
        after = None if self._following is None else self._following.pts
        if after is not None and after < packet.pts:
            return False
        return self._begins is None or self._begins(memoryview(packet))

    def _count(self, packet: Any) -> None:
        """A packet that fails takes a number of its own, as in the index."""
        if self.counted and packet is not None and not packet.is_discard:
            self._fed.add(self._events)
            self._events += 1
