"""Follow the camera through a stream of frames whose chunks were decoded apart.

Inside a chunk the motion since the frame before comes with the frame. At a chunk's first frame it is told here, from the
looks of both. Looks go on with every `LOOK_EVERY`-th frame: laid on each other when all is over they bound what errors add up
to, and find ground again behind what nobody knew (`sightline.vision.camera_path`). With others they do not, or a night in which
nothing is seen would fill disks with its pictures.

A pure fold: what comes out does not depend on how the frames were cut into chunks.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import NamedTuple

from sightline.camera import Motion
from sightline.errors import Corrupt, Misconfigured
from sightline.vision.camera_motion import motion_between
from sightline.vision.camera_view import CameraView
from sightline.vision.looks import decode_look

__all__ = ["LOOK_EVERY", "NOWHERE", "Following", "decode", "encode", "follow"]

LOOK_EVERY = 32  # sampled frames
HEAD = struct.Struct("<4sHqI")
MAGIC, VERSION = b"SLCF", 1


class Following(NamedTuple):
    """What is remembered between two frames.

    Attributes:
        seq: of the last frame that was seen; -1: none.
        look: of that frame, encoded; empty where it came without.
    """

    seq: int = -1
    look: bytes = b""


NOWHERE = Following()


def follow(
    view: CameraView, state: Following, seq: int, motion: Motion | None, look: bytes
) -> tuple[Following, Motion | None, bytes]:
    """Take a frame that was seen; one that failed is passed over.

    Args:
        view: of the job.
        state: after the frame before.
        seq: of the frame.
        motion: since the frame before, as far as whoever decoded it could tell.
        look: of the frame, encoded; empty where it came without.

    Returns:
        The new state; the motion since the sampled frame before, in pixels of the source, None where it is not known; and
        the look where it goes on.

    Raises:
        Corrupt: a look is damaged.
    """
    if state.seq != seq - 1:  # the frame before failed
        motion = None
    elif motion is None and look and state.look:
        told = _told(state.look, look)
        motion = None if told is None else view.motion(told)
    return Following(seq, look), motion, look if seq % LOOK_EVERY == 0 else b""


@lru_cache(maxsize=8)
def _told(before: bytes, after: bytes) -> Motion | None:
    """The motion between two looks; each group of a frame asks for the same."""
    return motion_between(decode_look(before), decode_look(after))


def encode(state: Following) -> bytes:
    """Canonical bytes."""
    return HEAD.pack(MAGIC, VERSION, state.seq, len(state.look)) + state.look


def decode(blob: bytes) -> tuple[Following, bytes]:
    """What `encode` gave, and what follows it.

    Raises:
        Corrupt: it is none.
        Misconfigured: a newer release wrote it (code `state_version`).
    """
    if len(blob) < HEAD.size or blob[:4] != MAGIC:
        raise Corrupt(f"state of a camera begins with {blob[:4]!r}; start again")
    _, version, seq, look = HEAD.unpack_from(blob)
    end = HEAD.size + look
    if version != VERSION:
        raise Misconfigured(
            f"state of a camera: version {version}, this release reads {VERSION}; use the newer release",
            code="state_version",
        )
    if len(blob) < end:
        raise Corrupt(f"state of a camera: {len(blob)} bytes, expected {end}; start again")
    return Following(seq, blob[HEAD.size : end]), blob[end:]
