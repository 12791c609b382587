"""The process that decodes files of strangers: `python -m sightline.adapters.confined.child SOCKET PARENT`.

It imports and tries everything first, then gives up all rights, and only then reads the first byte of the source. It is
started by `process.Child` and has no other use.
"""

from __future__ import annotations

import os
import socket
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from typing import Any

import numpy as np

from sightline.adapters.confined import messages
from sightline.adapters.confined.confine import confine
from sightline.adapters.confined.kernel import die_with_parent, memory
from sightline.adapters.confined.messages import Failed, Wire
from sightline.adapters.confined.rlimits import prefer_to_kill
from sightline.adapters.confined.warm import warm_up
from sightline.adapters.images.folder import ImageFolderReader
from sightline.adapters.opened import OpenedFile
from sightline.adapters.video.avc import record_of, samples
from sightline.adapters.video.file import VideoFile, VideoLimits
from sightline.adapters.video.reader import VideoReader
from sightline.arrays import ByteArray
from sightline.errors import InvalidVideo, Unavailable
from sightline.formats import source_index
from sightline.types import Chunk, ImageSpec
from sightline.vision.preprocess import Preprocess

_NAME = "source"  # the parent knows its name; the child need not


class _Source:
    """The reader of a source, its files, and the buffers that its pictures go to."""

    def __init__(self, asked: messages.Open) -> None:
        self.files = [OpenedFile(file.descriptor, file.name, file.size) for file in asked.files]
        self.limits = VideoLimits(
            asked.side, asked.pixels, asked.frames, asked.streams, asked.containers, frozenset(asked.codecs)
        )
        self.reader, self.images = _reader(asked, self.files, self.limits), asked.kind == "images"
        self.slots: list[ByteArray] = []
        self._next = self._free = self._at_once = 0

    def take(self, buffers: messages.Buffers, descriptor: int) -> None:
        size = int(np.prod(buffers.shape))
        shared = np.frombuffer(memory(descriptor, size * buffers.count), np.uint8)
        os.close(descriptor)
        self.slots = [shared[n * size : (n + 1) * size].reshape(buffers.shape) for n in range(buffers.count)]
        self._free, self._at_once = buffers.count, buffers.at_once

    def slot(self, wire: Wire) -> ByteArray:
        """The next buffer, as soon as its last picture was copied."""
        while not self._free:
            self.taken(wire.receive())
        self._free -= 1
        self._next = (self._next + 1) % len(self.slots)
        return self.slots[self._next - 1]

    def taken(self, message: Any) -> None:
        assert isinstance(message, messages.Taken)
        self._free += self._at_once

    def frames(self, asked: messages.Read, wire: Wire) -> Iterator[messages.Frame]:
        chunk = Chunk(asked.number, asked.first, asked.end, asked.first_tick, asked.end_tick)
        for found in self.reader.read(chunk, asked.rows, asked.ticks, lambda: self.slot(wire)):
            outcome = "ok" if found.outcome == "ok" else "failed"
            yield messages.Frame(found.row, outcome, found.reason)  # type: ignore[arg-type]

    def packets(self) -> Iterator[messages.Packets | messages.Packet]:
        file = VideoFile(self.files[0], _NAME, self.limits)
        try:
            record = record_of(file)
            yield messages.Packets(record)
            if record:
                for tick, content in samples(file):
                    yield messages.Packet(tick, content)
                yield messages.Packet()
        finally:
            file.close()

    @contextmanager
    def open_images(self, rows: Sequence[int], wire: Wire) -> Iterator[None]:
        """The images of these rows can be read meanwhile; their descriptors have come along."""
        mine, wire.descriptors[: len(rows)] = wire.descriptors[: len(rows)], []
        for row, descriptor in zip(rows, mine, strict=True):
            self.files[row].descriptor = descriptor
        try:
            yield
        finally:
            for row, descriptor in zip(rows, mine, strict=True):
                self.files[row].descriptor = -1
                os.close(descriptor)

    def failure(self, error: Exception) -> Failed:
        """What went wrong, for the parent."""
        if isinstance(error, InvalidVideo):
            return Failed(error.code, error.reason[:1_000])  # type: ignore[arg-type]
        if isinstance(error, MemoryError) or isinstance(error.__cause__, MemoryError):
            return Failed("memory")
        failed = [(n, file.failed_at) for n, file in enumerate(self.files) if file.failed_at is not None]
        if isinstance(error, Unavailable) and failed:
            return Failed("unavailable", "", failed[0][0], failed[0][1] or 0)
        return Failed("broken", f"{type(error).__name__}: {error}"[:1_000])


def main(arguments: list[str]) -> None:
    """Serve one parent until it is gone."""
    wire = Wire(socket.socket(fileno=int(arguments[0])), messages.Ask, trusted=True)
    parent = int(arguments[1])
    die_with_parent(parent)
    asked = wire.receive()
    source = _Source(asked)
    warm_up(source.reader)
    warnings.simplefilter("ignore")  # to say one, Python would open its own source
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    prefer_to_kill()
    wire.send(messages.Ready(confine(asked.limits, parent)))
    while True:
        _answer(wire.receive(), source, wire)


def _answer(asked: Any, source: _Source, wire: Wire) -> None:
    if isinstance(asked, messages.Taken):
        source.taken(asked)
        return
    if isinstance(asked, messages.Buffers):
        source.take(asked, wire.descriptors.pop(0))
        return
    try:
        if isinstance(asked, messages.Index):
            with source.open_images(range(asked.images), wire):
                wire.send(messages.Found(source_index.packed(source.reader.index())))
        elif isinstance(asked, messages.Read):
            with source.open_images(asked.rows if source.images else [], wire):
                for frame in source.frames(asked, wire):
                    wire.send(frame)
        elif isinstance(asked, messages.Demux):
            for packet in source.packets():
                wire.send(packet)
    except messages.Left:
        raise
    except Exception as error:
        wire.send(source.failure(error))


def _reader(
    asked: messages.Open, files: list[OpenedFile], limits: VideoLimits
) -> VideoReader | ImageFolderReader:
    picture = asked.picture
    image = ImageSpec(picture.width, picture.height, picture.layout, picture.fit, picture.pad)
    preprocess = None if picture.preprocess is None else Preprocess(*picture.preprocess)
    fps = None if asked.fps is None else Fraction(*asked.fps)
    known = asked.index
    index = None if known is None else source_index.checked(known, _NAME, source_index.MOST_FRAMES)
    if asked.kind == "images":
        return ImageFolderReader(files, image, preprocess, fps, _NAME, asked.pixels, asked.frames, index)
    return VideoReader(files[0], image, preprocess, _NAME, limits, index, fps)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except messages.Left:
        os._exit(0)
