"""Packets and frames of an open video file, one at a time, with every vendor error translated or counted."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.sidedata.sidedata import Type as SideData

from sightline.adapters.video.file import OWN_FILES, VideoFile
from sightline.errors import Unavailable

__all__ = ["FirstFrame", "decode", "first_frame", "is_cut", "packets"]

PATIENCE = 256  # packets in which a frame that decodes is waited for


@dataclass(frozen=True, slots=True)
class FirstFrame:
    """What the first frame that decodes says about all of them.

    Attributes:
        width, height: display size in pixels, after rotation.
        rotation: degrees that a frame must be turned counter-clockwise: 0, 90, 180, 270.
        mirrored: the container asks for a mirror image, which is not applied.
    """

    width: int
    height: int
    rotation: int
    mirrored: bool

    @classmethod
    def of(cls, frame: Any) -> FirstFrame:
        """Read size and display matrix of an `av.VideoFrame`."""
        rotation, mirrored = 0, False
        try:
            matrix = frame.side_data.get(SideData.DISPLAYMATRIX)
        except (
            ValueError
        ):  # PyAV knows not every kind, EXIF for one, and then gives none; its own property needs none
            matrix, rotation = None, round(frame.rotation / 90) % 4 * 90
        if matrix is not None:
            a, b, _, c, d = np.frombuffer(matrix, np.int32)[:5].astype(np.float64)
            # From the second row: a mirror image flips the first one only.
            rotation = round(math.degrees(-math.atan2(-c, d)) / 90) % 4 * 90
            mirrored = bool(a * d - b * c < 0)
        width, height = (frame.height, frame.width) if rotation % 180 else (frame.width, frame.height)
        return cls(width, height, rotation, mirrored)


def packets(file: VideoFile) -> Iterator[Any]:
    """Packets that hold data, from where the container stands; ends early where the container is damaged.

    An empty packet would end the decoder, and AVI uses it for "show the last frame again": it is no frame.

    Raises:
        Unavailable: the file cannot be read.
    """
    try:
        for packet in file.container.demux(file.stream):
            if packet.size:
                yield packet
    except OSError as exc:
        raise Unavailable(f"{file.name}: cannot be read ({exc.strerror}); check the disk") from exc
    except (av.error.FFmpegError, IndexError):
        # IndexError: PyAV flushes a stream that appeared after it had opened the file; all packets are out by then.
        return


def is_cut(packet: Any, file: VideoFile) -> bool:
    """Whether the file ends before or inside this packet."""
    if packet.pos is None:
        return False
    end = packet.pos + packet.size
    return bool(end > file.size or (packet.is_corrupt and end == file.size))


def decode(decoder: Any, packet: Any) -> list[Any] | None:
    """Frames that a packet releases, None where it does not decode; a packet of None releases the last ones.

    Raises:
        Unavailable: out of memory.
    """
    try:
        frames: list[Any] = decoder.decode(packet)
    except MemoryError as exc:
        raise Unavailable("not enough memory to decode a frame: use fewer workers") from exc
    except av.error.FFmpegError:
        return None
    return frames


def first_frame(path: Path) -> FirstFrame | None:
    """What the first frame says, without a look at the rest of the file; None where none decodes soon.

    Raises:
        NotFound, Unavailable, InvalidVideo: as `VideoFile`.
    """
    file = VideoFile(path, path.name, OWN_FILES)
    try:
        decoder = file.stream.codec_context  # the container's own knows how pictures are turned
        for packet in islice(packets(file), PATIENCE):
            for frame in decode(decoder, packet) or ():
                return FirstFrame.of(frame)
        return next((FirstFrame.of(frame) for frame in decode(decoder, None) or ()), None)
    finally:
        file.close()
