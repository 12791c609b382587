"""A decoder child that was taken over: it speaks the protocol and lies in the way that its file's name says."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time

import msgspec
import numpy as np

from sightline.adapters.confined import messages
from sightline.adapters.confined.confine import Level
from sightline.adapters.confined.kernel import memory
from sightline.adapters.confined.messages import Wire

ROWS = 4


def column(*values: int) -> bytes:
    return np.array(values, "<i8").tobytes()


HONEST = {
    "kind": "video", "codec": "h264", "width": 64, "height": 48, "rotation": 0, "stream": 0, "time_base": (1, 25),
    "frame": column(0, 1, 2, 3), "tick": column(0, 1, 2, 3), "pts_us": column(0, 40_000, 80_000, 120_000),
    "key": bytes([1, 0, 1, 0]), "failed": {}, "names": [], "counted": False, "vfr": False, "duration_us": 160_000,
    "claimed_frames": 4, "gaps": [], "parts": [], "clock": "file", "caveats": [],
}  # fmt: skip
# What no file can bring about, by name.
INDEXES = {
    "kind": {"kind": "images"},
    "names": {"names": ["/etc/passwd"]},
    "none": {"frame": b"", "tick": b"", "pts_us": b"", "key": b""},
    "unequal": {"tick": column(0, 1, 2)},
    "odd-bytes": {"tick": column(0, 1, 2, 3)[:-1]},
    "keys": {"key": bytes([1, 0, 1])},
    "no-bool": {"key": bytes([1, 0, 7, 0])},
    "falling": {"tick": column(0, 2, 1, 3)},
    "repeated": {"pts_us": column(0, 1, 1, 2)},
    "far": {"tick": column(0, 1, 2, 2**62 + 1)},
    "overflow": {"tick": column(-(2**63), 1, 2, 2**63 - 1)},
    "late-start": {"pts_us": column(1, 2, 3, 4)},
    "gaps-in-video": {"frame": column(0, 1, 2, 9)},
    "failed-row": {"failed": {4: "decode"}},
    "failed-word": {"failed": {1: "<script>"}},
    "duration": {"duration_us": 1},
    "rotation": {"rotation": 45},
    "zero": {"width": 0},
    "negative": {"height": -48},
    "base": {"time_base": (1, 0)},
    "codec": {"codec": "\x1b[2J"},
    "caveat": {"caveats": [("\x1b", "")]},
    "many-caveats": {"caveats": [("a", "")] * 65},
    "long-text": {"caveats": [("a", "x" * 1_001)]},
    "many-parts": {"parts": [(0, 0)] * 9},
    "more-words": {"more": 1},
    "no-number": {"width": "64"},
}


class Liar:
    def __init__(self, connected: socket.socket) -> None:
        self.socket = connected
        self.wire = Wire(connected, messages.Ask, trusted=True)
        self.asked = self.wire.receive()
        self.lie = self.asked.files[0].name

    def index(self) -> messages.IndexData:
        changed = HONEST | INDEXES.get(self.lie, {})
        return msgspec.convert(
            {k: v for k, v in changed.items() if k != "more"}, messages.IndexData, strict=True
        )

    def raw_index(self) -> bytes:
        """Of anything: not even of the types that are allowed."""
        body = msgspec.msgpack.encode({"type": "found", "index": HONEST | INDEXES[self.lie]})
        return len(body).to_bytes(4, "big") + body

    def say(self) -> None:
        """To the question for an index."""
        if self.lie in INDEXES:
            self.socket.sendall(self.raw_index())
        elif self.lie in BYTES:
            self.socket.sendall(BYTES[self.lie])
        elif self.lie in ACTIONS:
            ACTIONS[self.lie](self)
        else:
            self.wire.send(messages.Found(self.index()))

    def show(self, asked: messages.Read) -> None:
        """To the question for frames."""
        for row in asked.rows:
            self.wire.send(FRAMES.get(self.lie, lambda row: messages.Frame(row, "ok", ""))(row))

    def shrink(self) -> None:
        """The memory that both read: reading behind its end would end the parent."""
        descriptor = self.wire.descriptors[-1]
        try:
            os.ftruncate(descriptor, 0)
        except OSError:
            pass
        else:
            os._exit(1)
        memory(descriptor, 64 * 48 * 3)[0] = 77

    def serve(self) -> None:
        self.wire.send(messages.Ready(Level(True, True, 7, {})))
        while True:
            asked = self.wire.receive()
            if isinstance(asked, messages.Index):
                self.say()
            elif isinstance(asked, messages.Buffers) and self.lie == "shrink":
                self.shrink()
            elif isinstance(asked, messages.Buffers) and self.lie == "deaf":
                time.sleep(600)
            elif isinstance(asked, messages.Read):
                self.show(asked)


def dribble(liar: Liar) -> None:
    body = msgspec.msgpack.encode(messages.Found(liar.index()))
    for byte in len(body).to_bytes(4, "big") + body:
        liar.socket.sendall(bytes([byte]))
        time.sleep(0.05)


def send_files(liar: Liar) -> None:
    for _ in range(50):
        socket.send_fds(liar.socket, [b"\0"], [liar.asked.files[0].descriptor] * 4)
    os._exit(0)


BYTES = {
    "huge": (2**32 - 1).to_bytes(4, "big"),
    "rather-large": (200 << 20).to_bytes(4, "big"),
    "garbage": b"\0\0\0\x04\xc1\xc1\xc1\xc1",
    "nested": (100_000).to_bytes(4, "big") + b"\x91" * 100_000,
    "pickle": b"\0\0\0\x11" + b"\x80\x04cos\nsystem\n.....",
    "empty": b"\0\0\0\0",
}
ACTIONS = {
    "leaves": lambda liar: os._exit(3),
    "segfault": lambda liar: os.kill(os.getpid(), signal.SIGSEGV),
    "other-answer": lambda liar: liar.wire.send(messages.Ready(Level())),
    "hangs": lambda liar: time.sleep(600),
    "dribbles": dribble,
    "sends-files": send_files,
    "disk": lambda liar: liar.wire.send(messages.Failed("unavailable", "", 0, 0)),
    "disk-of-others": lambda liar: liar.wire.send(messages.Failed("unavailable", "", 99, 0)),
    "memory": lambda liar: liar.wire.send(messages.Failed("memory")),
    "terminal": lambda liar: liar.wire.send(messages.Failed("no_frame", "\x1b[2Jgone\r\n")),
}
FRAMES = {
    "other-row": lambda row: messages.Frame(row + 1, "ok", ""),
    "no-reason": lambda row: messages.Frame(row, "failed", ""),
    "ok-for-a-reason": lambda row: messages.Frame(row, "ok", "decode"),
    "index-for-a-frame": lambda row: messages.Ready(Level()),
}

if __name__ == "__main__":
    try:
        Liar(socket.socket(fileno=int(sys.argv[1]))).serve()
    except messages.Left:
        os._exit(0)
