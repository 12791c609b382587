"""Frames of a video in order, each from a decoder that began at the key packet of its own group.

A damaged picture leaves traces in a decoder: it is concealed with older pictures, and intact ones that follow come
out different, even behind a flush. So that a frame's pixels cannot depend on where reading began, every group of
pictures gets a new decoder. An open group shows some frames that need the group before, too: these come from the old
decoder, which is fed on beside the new one until they are out.
"""

from __future__ import annotations

from bisect import insort
from collections import deque
from collections.abc import Iterator
from operator import itemgetter
from typing import Any

from sightline.adapters.video.decode import decode, is_cut
from sightline.adapters.video.file import VideoFile
from sightline.adapters.video.packets import key_test

__all__ = ["Cursor"]

_BEFORE_ALL = -(2**63)


class Cursor:
    """Frames with their marks: pts, or the number from the start where frames are counted.

    Attributes:
        position: the last mark that was asked for.
    """

    def __init__(
        self,
        file: VideoFile,
        source: Iterator[Any],
        *,
        start: int = _BEFORE_ALL,
        counted: bool = False,
        disorder: int = 0,
    ) -> None:
        """Begin.

        Args:
            file: gives decoders.
            source: packets, the first one that of pts `start`.
            start: frames before it need packets that were not read, and are dropped.
            counted: number frames and packets that fail, instead of looking at pts.
            disorder: so many later frames may come out of the decoder before one that it was fed.
        """
        self.position = _BEFORE_ALL
        self._file, self._source, self._following = file, source, next(source, None)
        self._begins = key_test(file.codec, bytes(file.stream.codec_context.extradata or b""))
        self._start, self._counted, self._disorder = start, counted, disorder
        self._decoder = file.new_decoder()
        self._old: Any = None
        self._held: list[Any] = []
        self._ended = self._used = False
        self._latest = _BEFORE_ALL
        self._ready: deque[tuple[int, Any]] = deque()
        self._fed: set[int] = set()
        self._events = 0

    def find(self, mark: int) -> Any | None:
        """The frame of that mark, None where it does not come. Frames before it are dropped.

        Raises:
            Unavailable: the file cannot be read, or out of memory.
        """
        while True:
            while self._ready and self._ready[0][0] < mark:
                self._fed.discard(self._ready.popleft()[0])
            if self._ended or (self._ready and not self._may_follow(mark)):
                break
            self._advance()
        self.position = mark
        if self._ready and self._ready[0][0] == mark:
            self._fed.discard(mark)
            return self._ready.popleft()[1]
        return None

    def _may_follow(self, mark: int) -> bool:
        """Whether the frame of that mark may come behind later ones."""
        return self._ready[0][0] > mark and mark in self._fed and len(self._ready) <= self._disorder

    def reason(self, mark: int) -> str:
        """Why the frame of that mark did not come: its packet did, or did not."""
        return "decode" if mark in self._fed else "truncated"

    def _advance(self) -> None:
        packet, self._following = self._following, next(self._source, None)
        if packet is None:
            self._leave_old()
            self._take(decode(self._decoder, None))
            self._ended = True
        elif not is_cut(packet, self._file):
            if not (self._counted or packet.is_discard or packet.pts is None):
                self._enter(packet)
                self._fed.add(packet.pts)
                self._latest = max(self._latest, packet.pts)
            self._feed(packet)
            self._used = True

    def _feed(self, packet: Any) -> None:
        frames = decode(self._decoder, packet)
        if frames is None and self._counted and not packet.is_discard:
            # A packet that fails takes a number, as it has a row in the index.
            self._fed.add(self._events)
            self._events += 1
        if self._old is None:
            self._take(frames)
        else:
            self._held += frames or ()
            self._take_old(decode(self._old, packet))

    def _enter(self, packet: Any) -> None:
        """Change the decoder where a group begins."""
        if self._old is not None and packet.pts > self._start:
            self._leave_old()
        if not self._begins_group(packet):
            return
        after = None if self._following is None else self._following.pts
        if after is not None and after < packet.pts:
            self._old = self._decoder
        else:
            self._take(decode(self._decoder, None))
        self._decoder, self._start = self._file.new_decoder(), packet.pts

    def _begins_group(self, packet: Any) -> bool:
        if not (packet.is_keyframe and self._used and packet.pts > self._latest):
            return False
        return self._begins is None or self._begins(memoryview(packet))

    def _leave_old(self) -> None:
        if self._old is not None:
            self._take_old(decode(self._old, None))
            self._old = None
            held, self._held = self._held, []
            self._take(held)

    def _take_old(self, frames: list[Any] | None) -> None:
        for frame in frames or ():
            if frame.pts is not None and frame.pts < self._start:
                self._add(frame.pts, frame)

    def _take(self, frames: list[Any] | None) -> None:
        for frame in frames or ():
            mark = self._events if self._counted else frame.pts
            self._events += 1
            if mark is not None and mark >= self._start:
                self._add(mark, frame)

    def _add(self, mark: int, frame: Any) -> None:
        if self._disorder:
            insort(self._ready, (mark, frame), key=itemgetter(0))
        else:
            self._ready.append((mark, frame))
