"""Frames of a file that a stranger sent, decoded by a confined child: a `FrameReader` like any other.

What goes wrong with a child is an error of its source, never of this process. A child that ends, hangs or lies costs one
attempt at the place where it stood; the next one begins there. After three without a frame in between, what is left of
that group of pictures is `failed("crashed")` or `failed("limit")`, and reading goes on behind it: which frames these are
follows from the file, not from how it was cut into chunks.
"""

from __future__ import annotations

import errno
import os
import stat
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from sightline.adapters.confined import messages
from sightline.adapters.confined.indexes import checked, cleaned, most_bytes
from sightline.adapters.confined.process import Child, Ended
from sightline.adapters.confined.rlimits import Limits
from sightline.adapters.images.folder import in_order
from sightline.adapters.opened import OpenedFile
from sightline.adapters.video.file import UPLOADS, VideoLimits
from sightline.arrays import ByteArray
from sightline.errors import InvalidVideo, Misconfigured, NotFound, Unavailable
from sightline.formats.source_index import packed
from sightline.ports import Decoded
from sightline.types import Chunk, ImageSpec, SourceIndex
from sightline.vision.preprocess import Preprocess

__all__ = ["ConfinedReader"]

_PIECE = 1 << 18
_PACKET = 1 << 26  # bytes of a packet
_SAID = 200  # characters of what a child, or the check of what it said, is quoted with
_SKIPPED_S = 0.1  # for each frame that is decoded before the one that is asked for
_ABOUT = {
    "crashed": "its decoder process ended each time that it was read: it is damaged, or made to do harm",
    "limit": "it takes more time or memory than a file may: scale it down or cut it",
}
_Wanted = tuple[int, int]


class _Lost(NamedTuple):
    """Frames that were given up: from one on to the end of its group. Those before it can be read again."""

    first: int
    code: str


class ConfinedReader:
    """A `FrameReader` for a video, or for some images, that nobody here has any reason to trust."""

    def __init__(
        self,
        source: Path | Sequence[Path],
        image: ImageSpec,
        preprocess: Preprocess | None = None,
        name: str | None = None,
        limits: VideoLimits = UPLOADS,
        index: SourceIndex | None = None,
        fps: Fraction | None = None,
        confined: Limits | None = None,
        required: bool = True,
    ) -> None:
        """Prepare; files are opened and a child is started at the first call.

        Args:
            source: a video, or image files; where there is an index, in its order.
            image: the picture that is written, as for `VideoReader`.
            preprocess: applied to the full-size frame before it is scaled.
            name: for messages and the index.
            limits: what is refused of a video; of images `pixels`.
            index: what `index` of another reader of the same source found.
            fps: frames per second, for what has no times.
            confined: what decoding may take.
            required: refuse to read where not even seccomp confines the child.
        """
        self._kind: Literal["video", "images"] = "video" if isinstance(source, Path) else "images"
        self._paths = [source] if isinstance(source, Path) else list(source)
        if self._kind == "images" and index is None:
            self._paths = in_order(self._paths)
        self._image, self._preprocess, self._fps = image, preprocess, fps
        self._name = name or (self._paths[0].name if self._paths else "images")
        self._limits, self._confined, self._required = limits, confined or Limits(), required
        self._index = index
        # By place in the source; whatever lies at a path later, all children read the same file while it is kept.
        self._files: dict[int, OpenedFile] = {}
        self._release = weakref.finalize(self, _close_all, self._files)
        self._child: Child | None = None
        self._ended = 0  # children in a row that gave no frame
        self._lost: dict[int, _Lost] = {}  # what was given up, by the key frame of its group
        self._again = False  # some child has ended

    @property
    def child(self) -> int | None:
        """Process id of the child, None where none is running."""
        return None if self._child is None else self._child.pid

    def index(self) -> SourceIndex:
        """Find every frame without decoding; see `FrameReader.index`.

        Raises:
            NotFound: no such file.
            Unavailable: it cannot be read, or no process can be started.
            InvalidVideo: `empty`, `not_video`, `unreadable`, `no_video`, `no_frame`, `limit`; `crashed`: three children
                ended before they had an answer.
            Misconfigured: `confinement`: this machine cannot confine a child.
        """
        while self._index is None:
            try:
                self._index = self._found()
            except Ended as ended:
                if self._gives_up(ended):
                    said = f"{_ABOUT[ended.code]} ({cleaned(str(ended))[:_SAID]})"
                    raise InvalidVideo(self._name, reason=said, code=ended.code) from ended
        return self._index

    def read(
        self, chunk: Chunk, rows: Sequence[int], ticks: Sequence[int], buffer: Callable[[], ByteArray]
    ) -> Iterator[Decoded]:
        """Decode frames of a chunk; see `FrameReader.read`.

        A frame fails as in the reader of its kind, and with `crashed` or `limit` where three children ended at its place.
        A picture is copied into the caller's buffer as soon as it is there.

        Raises:
            NotFound, Unavailable: the file is gone or cannot be read, or no process can be started.
            InvalidVideo: the file is no longer a video.
            Misconfigured: `confinement`: this machine cannot confine a child.
        """
        wanted = deque(zip(map(int, rows), map(int, ticks), strict=True))
        index = self.index() if wanted else None
        while wanted and index is not None:
            start, end = _group(index, wanted[0][0])
            lost = self._lost.get(start)
            if lost is not None and wanted[0][0] >= lost.first:
                while wanted and wanted[0][0] < end:
                    yield Decoded(wanted.popleft()[0], "failed", lost.code)
                continue
            try:
                yield from self._read(index, chunk, wanted, buffer)
            except Ended as ended:
                if self._gives_up(ended) and wanted:
                    row = wanted[0][0]
                    self._lost[_group(index, row)[0]] = _Lost(row, ended.code)

    def packets(self) -> tuple[bytes, Iterator[tuple[int | None, bytes]]]:
        """Packets of an H.264 video in the order in which they are decoded, for an MP4: presentation time in ticks, content.

        Returns:
            AVCDecoderConfigurationRecord, empty where no browser plays them as they are; and the packets, which end early
            where one does not fit.

        Raises:
            NotFound, Unavailable, InvalidVideo, Misconfigured: as `index`; InvalidVideo too where the child ends.
        """
        found = self._packets()
        first = next(found)
        assert isinstance(first, messages.Packets)
        packets = (each for each in found if isinstance(each, messages.Packet))
        return first.record, ((each.tick, each.content) for each in packets if each.content)

    def _packets(self) -> Iterator[messages.Packets | messages.Packet]:
        try:
            for answer in self._running().packets(_PACKET, self._confined.frame_s):
                if isinstance(answer, messages.Failed):
                    raise self._failure(answer)
                yield answer
        except Ended as ended:
            self._end_child()
            said = f"{_ABOUT[ended.code]} ({cleaned(str(ended))[:_SAID]})"
            raise InvalidVideo(self._name, reason=said, code=ended.code) from ended

    def close(self) -> None:
        """End the child and release the files. Repeating is harmless."""
        self._end_child()
        _close_all(self._files)

    # --- one child

    def _found(self) -> SourceIndex:
        frames = self._limits.frames
        first = range(min(len(self._paths), messages.AT_ONCE))
        answer = self._running().index(most_bytes(frames), self._confined.index_s, self._images(first))
        if isinstance(answer, messages.Failed):
            if answer.code == "unavailable" and answer.file == len(first) < len(self._paths):
                reason = (
                    f"none of its first {len(first)} images can be opened: check that they are JPEG or PNG"
                )
                raise InvalidVideo(self._name, reason=reason, code="no_frame")
            raise self._failure(answer)
        names = [path.name for path in self._paths] if self._kind == "images" else []
        try:
            index = checked(answer.index, self._name, self._kind, names, frames)
        except messages.Lied as lied:
            raise Ended("crashed", str(lied)) from lied
        side, pixels = max(index.width, index.height), index.width * index.height
        if side > self._limits.side or pixels > self._limits.pixels:
            reason = f"{index.width} x {index.height} pixels are more than is allowed: scale it down"
            raise InvalidVideo(self._name, reason=reason, code="limit")
        self._ended = 0
        return index

    def _read(
        self, index: SourceIndex, chunk: Chunk, wanted: deque[_Wanted], buffer: Callable[[], ByteArray]
    ) -> Iterator[Decoded]:
        """Frames from the first one wanted to the first one that is lost; each leaves `wanted` as it comes."""
        child = self._running()
        child.share(self._shape(index))
        mine = self._up_to_lost(index, wanted)
        if self._kind == "images":
            mine = mine[: messages.AT_ONCE]
        asked, waits = self._asked(index, chunk, mine)
        images = self._images(asked.rows)
        whole = False
        try:
            for answer, picture in child.frames(asked, waits, images):
                if isinstance(answer, messages.Failed):
                    raise self._failure(answer)
                self._ended = 0
                out = None if picture is None else _copied(picture, buffer())
                yield Decoded(wanted.popleft()[0], answer.outcome, answer.reason, out)
            whole = True
        finally:
            if not whole:  # it is about to send what nobody asks for any more
                self._end_child()

    def _asked(
        self, index: SourceIndex, chunk: Chunk, wanted: Sequence[_Wanted]
    ) -> tuple[messages.Read, list[float]]:
        """What the child is asked, and how long it may take for each frame."""
        rows = [row for row, _ in wanted]
        if self._again and chunk.first_tick is not None:
            # Begin at the frame's own group: what ended a child may lie before it in the same chunk.
            first = max(_group(index, rows[0])[0], chunk.first)
            chunk = replace(chunk, first=first, first_tick=int(index.tick[first]))
        befores = [rows[0] - chunk.first, *(b - a for a, b in pairwise(rows))]
        waits = [self._confined.frame_s + _SKIPPED_S * before for before in befores]
        return messages.Read(
            chunk.number,
            chunk.first,
            chunk.end,
            chunk.first_tick,
            chunk.end_tick,
            rows,
            [tick for _, tick in wanted],
        ), waits

    def _up_to_lost(self, index: SourceIndex, wanted: deque[_Wanted]) -> list[_Wanted]:
        firsts = [lost.first for lost in self._lost.values() if lost.first > wanted[0][0]]
        return [each for each in wanted if each[0] < min(firsts, default=len(index))]

    def _shape(self, index: SourceIndex) -> tuple[int, ...]:
        own = not (self._image.width or self._image.height)
        size = (index.width, index.height) if own else (self._image.width, self._image.height)
        return replace(self._image, width=size[0], height=size[1]).shape()

    def _failure(self, failed: messages.Failed) -> Exception:
        """What an answer means; a child that says that a disk is out of order is believed if this process finds so, too."""
        if failed.code == "unavailable" and failed.file in self._files:
            try:
                self._files[failed.file].read_at(failed.offset, _PIECE)
            except OSError as error:
                found = Unavailable(f"{self._name}: cannot be read ({error.strerror}); check the disk")
                found.__cause__ = error
                return found
        if failed.code == "memory":
            return Ended("limit", "the decoder process needs too much memory")
        if failed.code in ("unavailable", "broken"):
            return Ended("crashed", cleaned(failed.reason))
        return InvalidVideo(self._name, reason=cleaned(failed.reason), code=failed.code)

    def _gives_up(self, ended: Ended) -> bool:
        """Count a child that has ended; whether there were enough of them."""
        self._end_child()
        self._again = True
        self._ended += 1
        if self._ended < self._confined.attempts:
            return False
        self._ended = 0
        return True

    def _running(self) -> Child:
        if self._child is None:
            child = Child(self._opening())
            if self._required and not child.level.holds:
                child.close()
                missing = "; ".join(f"{name}: {why}" for name, why in child.level.missing.items())
                raise Misconfigured(
                    f"this machine cannot confine a decoder of uploads ({missing}): `sightline doctor` says what to do",
                    code="confinement",
                )
            self._child = child
        return self._child

    def _end_child(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.close()

    def _opening(self) -> messages.Open:
        image, limits, before = self._image, self._limits, self._preprocess
        if self._kind == "video":
            video = self._open(0)
            files = [messages.File(video.descriptor, video.name, video.stat().st_size)]
        else:
            files = [messages.File(-1, path.name, 0) for path in self._paths]
        preprocess = None if before is None else (before.blur, before.contrast, before.brightness)
        return messages.Open(
            self._kind,
            files,
            messages.Picture(image.width, image.height, image.layout, image.fit, image.pad, preprocess),
            None if self._fps is None else (self._fps.numerator, self._fps.denominator),
            limits.side,
            limits.pixels,
            limits.frames,
            limits.streams,
            limits.containers,
            sorted(limits.codecs),
            None if self._index is None else packed(self._index),
            self._confined,
        )

    def _images(self, rows: Iterable[int]) -> list[int]:
        """Descriptors of images, opened where they are not; those of others are let go of where there are too many."""
        if self._kind == "video":
            return []
        wanted = [int(row) for row in rows]
        for row in [row for row in self._files if row not in wanted]:
            if len(self._files.keys() | {*wanted}) > messages.AT_ONCE:
                os.close(self._files.pop(row).descriptor)
        return [self._open(row).descriptor for row in wanted]

    def _open(self, row: int) -> OpenedFile:
        """A file of the source."""
        if row not in self._files:
            path = self._paths[row]
            descriptor = _opened(path, self._name)
            self._files[row] = OpenedFile(descriptor, path.name, os.fstat(descriptor).st_size)
        return self._files[row]


def _opened(path: Path, name: str) -> int:
    try:
        # Not waiting for who writes a pipe, not following a link: neither is a file that was sent.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError as exc:
        raise NotFound(f"{name}: no such file") from exc
    except OSError as exc:
        if exc.errno in (errno.ELOOP, errno.ENXIO):
            raise InvalidVideo(name, reason="it is no file: send the file itself", code="unreadable") from exc
        raise Unavailable(
            f"{name}: cannot be read ({exc.strerror}); check the disk and the permissions"
        ) from exc
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise InvalidVideo(name, reason="it is no file: send the file itself", code="unreadable")
    return descriptor


def _close_all(files: dict[int, OpenedFile]) -> None:
    while files:
        os.close(files.popitem()[1].descriptor)


def _copied(picture: ByteArray, out: ByteArray) -> ByteArray:
    if out.shape != picture.shape:
        raise ValueError(f"a buffer of shape {out.shape}, expected {picture.shape}")
    np.copyto(out, picture)
    return out


def _group(index: SourceIndex, row: int) -> tuple[int, int]:
    """Rows of the group of pictures that holds a row, end exclusive: from a key frame to before the next one."""
    if index.counted:
        return 0, len(index)
    if index.kind == "images":
        return row, row + 1
    before, after = np.flatnonzero(index.key[: row + 1]), np.flatnonzero(index.key[row + 1 :])
    start = int(before[-1]) if len(before) else 0
    return start, row + 1 + int(after[0]) if len(after) else len(index)
