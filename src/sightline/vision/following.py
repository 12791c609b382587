"""Follow the camera through a stream of frames whose chunks were decoded apart.

Inside a chunk the motion since the frame before comes with the frame. At a chunk's first frame it is told here, from the
looks of both. Every `ANCHOR_EVERY` frames, and wherever a motion is not known, a frame is laid on an earlier one, the anchor:
so errors do not add up, and a frame that failed does not end what is known.

A pure fold: what comes out does not depend on how the frames were cut into chunks.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from sightline.camera import Motion
from sightline.errors import Corrupt
from sightline.events import Anchored
from sightline.vision.camera_motion import motion_between
from sightline.vision.camera_view import CameraView
from sightline.vision.looks import decode_look

__all__ = ["ANCHOR_EVERY", "NOWHERE", "Following", "Place", "decode", "encode", "follow"]

ANCHOR_EVERY = 64  # sampled frames
HEAD = struct.Struct("<4sHqqII")
MAGIC, VERSION = b"SLCF", 1


class Following(NamedTuple):
    """What is remembered between two frames.

    Attributes:
        seq: of the last frame that was seen; -1: none.
        look: of that frame, encoded; empty where it came without.
        anchor: seq of the anchor; -1: none.
        anchor_look: of the anchor, encoded.
    """

    seq: int = -1
    look: bytes = b""
    anchor: int = -1
    anchor_look: bytes = b""


NOWHERE = Following()


class Place(NamedTuple):
    """Where the camera looks in a frame.

    Attributes:
        motion: since the sampled frame before, pixels of the source; None where it is not known.
        anchored: beside an earlier frame; None where it was laid on none.
    """

    motion: Motion | None = None
    anchored: Anchored | None = None


def follow(
    view: CameraView, state: Following, seq: int, motion: Motion | None, look: bytes
) -> tuple[Following, Place]:
    """Take a frame that was seen; one that failed is passed over.

    Args:
        view: of the job.
        state: after the frame before.
        seq: of the frame.
        motion: since the frame before, as far as whoever decoded it could tell.
        look: of the frame, encoded; empty where it came without.

    Raises:
        Corrupt: a look is damaged.
    """
    if state.seq != seq - 1:  # the frame before failed
        motion = None
    elif motion is None and look and state.look:
        motion = _between(view, state.look, look)
    anchor, anchor_look, since = state.anchor, state.anchor_look, None
    if look and (motion is None or seq % ANCHOR_EVERY == 0):
        since = _between(view, anchor_look, look) if anchor_look else None
        if since is None:
            anchor, anchor_look = seq, look
    place = Place(motion, None if since is None else Anchored(anchor, since))
    return Following(seq, look, anchor, anchor_look), place


def _between(view: CameraView, before: bytes, after: bytes) -> Motion | None:
    motion = motion_between(decode_look(before), decode_look(after))
    return None if motion is None else view.motion(motion)


def encode(state: Following) -> bytes:
    """Canonical bytes."""
    head = HEAD.pack(MAGIC, VERSION, state.seq, state.anchor, len(state.look), len(state.anchor_look))
    return head + state.look + state.anchor_look


def decode(blob: bytes) -> tuple[Following, bytes]:
    """What `encode` gave, and what follows it.

    Raises:
        Corrupt: it is none.
    """
    if len(blob) < HEAD.size or blob[:4] != MAGIC:
        raise Corrupt(f"state of a camera begins with {blob[:4]!r}; start again")
    _, version, seq, anchor, look, anchor_look = HEAD.unpack_from(blob)
    ends = HEAD.size + look, HEAD.size + look + anchor_look
    if version != VERSION or len(blob) < ends[1]:
        raise Corrupt(f"state of a camera of version {version}, {len(blob)} bytes; start again")
    return Following(seq, blob[HEAD.size : ends[0]], anchor, blob[ends[0] : ends[1]]), blob[ends[1] :]
