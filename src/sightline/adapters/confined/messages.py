"""What a decoder child and its parent say to each other: MessagePack behind its length, no pickle, no names of files to open.

The child is taken for hostile from its first byte of the source on. What it says is decoded into these types and no
others, is never longer than the parent allows, and comes in time or not at all.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec

from sightline.adapters.confined.confine import Level
from sightline.adapters.confined.rlimits import Limits
from sightline.formats.source_index import IndexData

__all__ = [
    "AT_ONCE",
    "Answer",
    "Ask",
    "Buffers",
    "Demux",
    "Failed",
    "File",
    "Found",
    "Frame",
    "Index",
    "Late",
    "Left",
    "Lied",
    "Open",
    "Packet",
    "Packets",
    "Picture",
    "Read",
    "Ready",
    "Taken",
    "Wire",
]

AT_ONCE = 64  # images that a child has open
_PIECE = 1 << 16
_HEAD = 4
_LISTENS_S = 60.0
_Text = Annotated[str, msgspec.Meta(max_length=1_000)]
_Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]


class File(msgspec.Struct, frozen=True):
    """A file of the source: its name for the order of images, its bytes, and the descriptor that the child was started with.

    Of images the descriptor is -1: those that are to be read come along with the question, `AT_ONCE` at the most.
    """

    descriptor: int
    name: str
    size: int


class Picture(msgspec.Struct, frozen=True):
    """What is to be made of a frame: an `ImageSpec`, and a `Preprocess` as its three values."""

    width: int
    height: int
    layout: Literal["rgb", "bgr", "i420"]
    fit: Literal["centre", "topleft", "stretch"]
    pad: int
    preprocess: tuple[int, float, float] | None


class Open(msgspec.Struct, frozen=True, tag="open"):
    """The first thing that a child hears, before it is confined.

    Attributes:
        files: one of a video, or each of the images.
        fps: numerator, denominator.
        side, pixels, frames, streams, containers, codecs: `VideoLimits`.
        index: of a video, where it is known.
        limits: how it is to confine itself.
    """

    kind: Literal["video", "images"]
    files: list[File]
    picture: Picture
    fps: tuple[int, int] | None
    side: int
    pixels: int
    frames: int
    streams: int
    containers: str
    codecs: list[str]
    index: IndexData | None
    limits: Limits


class Index(msgspec.Struct, frozen=True, tag="index"):
    """Say what is in the source; descriptors of its first `images` come along."""

    images: int = 0


class Buffers(msgspec.Struct, frozen=True, tag="buffers"):
    """Pictures go here, one after the other and round again: the memory's descriptor comes along.

    Attributes:
        shape: of a picture.
        count: buffers.
        at_once: how many of them `Taken` gives back.
    """

    shape: tuple[int, ...]
    count: int
    at_once: int


class Read(msgspec.Struct, frozen=True, tag="read"):
    """Frames of a chunk; of images the descriptors of all rows come along."""

    number: int
    first: int
    end: int
    first_tick: int | None
    end_tick: int | None
    rows: list[int]
    ticks: list[int]


class Demux(msgspec.Struct, frozen=True, tag="demux"):
    """Say what the packets of a video are, in the order in which they are decoded, for another container."""


class Taken(msgspec.Struct, frozen=True, tag="taken"):
    """The oldest pictures were copied: their buffers are free."""


class Ready(msgspec.Struct, frozen=True, tag="ready", forbid_unknown_fields=True):
    """The child is confined and has not read a byte of the source."""

    level: Level


class Found(msgspec.Struct, frozen=True, tag="found", forbid_unknown_fields=True):
    """What is in the source."""

    index: IndexData


class Frame(msgspec.Struct, frozen=True, tag="frame", forbid_unknown_fields=True):
    """The next frame: `ok` is in the next buffer."""

    row: _Count
    outcome: Literal["ok", "failed"]
    reason: Literal["", "size_change", "truncated", "decode", "limit"]


class Packets(msgspec.Struct, frozen=True, tag="packets", forbid_unknown_fields=True):
    """What a decoder is told first; empty: the packets do not suit, and none follow."""

    record: bytes


class Packet(msgspec.Struct, frozen=True, tag="packet", forbid_unknown_fields=True):
    """The next packet, and its presentation time in ticks; without content: there are no more, or the next does not suit."""

    tick: Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)] | None = None
    content: bytes = b""


class Failed(msgspec.Struct, frozen=True, tag="failed", forbid_unknown_fields=True):
    """It did not work.

    Attributes:
        code: of an `InvalidVideo`; or `memory`: there was not enough; `unavailable`: a byte of the source, `offset` of
            file `file`, could not be read; `broken`: anything else.
        reason: for people.
    """

    code: Literal[
        "empty",
        "not_video",
        "unreadable",
        "no_video",
        "no_frame",
        "encrypted",
        "limit",
        "memory",
        "unavailable",
        "broken",
    ]
    reason: _Text = ""
    file: _Count = 0
    offset: _Count = 0


Ask = Open | Index | Buffers | Read | Demux | Taken
Answer = Ready | Found | Frame | Packets | Packet | Failed


class Left(Exception):
    """The other end is gone."""


class Late(Exception):
    """The other end did not answer in time."""


class Lied(Exception):
    """What the other end said is not what can be said here."""


class Wire:
    """One end of a connected socket.

    Args:
        connected: the socket.
        heard: what may come in, a union of messages.
        trusted: the other end is waited for without a limit, and descriptors that come along are taken; otherwise the
            kernel drops them.
    """

    def __init__(self, connected: socket.socket, heard: Any, *, trusted: bool = False) -> None:
        self._socket, self._trusted = connected, trusted
        self._encode, self._decoder = msgspec.msgpack.Encoder().encode, msgspec.msgpack.Decoder(heard)
        self._received = bytearray()
        self.descriptors: list[int] = []

    def send(self, message: Ask | Answer, descriptors: Sequence[int] = ()) -> None:
        """Say something.

        Raises:
            Left: nobody is there.
            Late: nobody has listened for a minute.
        """
        body = self._encode(message)
        data = len(body).to_bytes(_HEAD, "big") + body
        if not self._trusted:
            self._socket.settimeout(_LISTENS_S)
        try:
            if descriptors:
                sent = socket.send_fds(self._socket, [data], list(descriptors))
                data = data[sent:]
            self._socket.sendall(data)
        except TimeoutError as error:
            raise Late from error
        except OSError as error:
            raise Left from error

    def receive(self, most: int = 2**31, within_s: float | None = None) -> Any:
        """The next message.

        Args:
            most: bytes that it may have.
            within_s: seconds until all of it is here; None waits for ever.

        Raises:
            Left, Late, Lied: there is none.
        """
        until = None if within_s is None else time.monotonic() + within_s
        self._fill(_HEAD, until)
        length = int.from_bytes(self._received[:_HEAD], "big")
        if length > most:
            raise Lied(f"{length} bytes, at most {most} are expected")
        self._fill(_HEAD + length, until)
        body = bytes(self._received[_HEAD : _HEAD + length])
        del self._received[: _HEAD + length]
        try:
            return self._decoder.decode(body)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
            raise Lied(str(error)) from error

    def close(self) -> None:
        """Let go of the socket. Repeating is harmless."""
        self._socket.close()

    def _fill(self, count: int, until: float | None) -> None:
        while len(self._received) < count:
            if until is not None:
                left = until - time.monotonic()
                if left <= 0:
                    raise Late
                self._socket.settimeout(left)
            try:
                piece = self._piece()
            except TimeoutError as error:
                raise Late from error
            except OSError as error:
                raise Left from error
            if not piece:
                raise Left
            self._received += piece

    def _piece(self) -> bytes:
        if not self._trusted:
            return self._socket.recv(_PIECE)
        piece, descriptors, _, _ = socket.recv_fds(self._socket, _PIECE, AT_ONCE)
        self.descriptors += descriptors
        return piece
