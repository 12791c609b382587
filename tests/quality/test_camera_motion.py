"""Camera motion from the picture: how exact it is, that still cameras stand still, and that processors agree.

The demands are those of `python -m benchmarks.camera_motion`, on fewer clips.
"""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from benchmarks.camera_motion import (
    BITS_PER_S,
    BYTES,
    HIGH,
    MEDIAN,
    STILL,
    STRIDES,
    errors,
    gray_frames,
    looks_of,
    motions,
)

from sightline.camera import is_still
from sightline.vision.camera_motion import encode_look
from tests.flights import GROUNDS, PATHS, fly, ground, through_h264

FRAMES = 61  # an encoder needs a second to find its quality
WAYS = ("pan", "turn", "all")


@cache
def flights(kind):
    image = ground(kind)
    return {path: fly(image, path, FRAMES, seed=1 + PATHS.index(path)) for path in ("still", *WAYS)}


@pytest.mark.parametrize("coded", [False, True], ids=["as they are", "H.264"])
@pytest.mark.parametrize("stride", STRIDES)
def test_points_of_a_picture_are_found_again(stride: int, coded: bool):
    """Within 0.15 pixels, and 95 of 100 within 0.6, in a picture that is 640 wide; none of the pairs is unknown."""
    off = []
    for kind in GROUNDS:
        for path in WAYS:
            flight = flights(kind)[path]
            frames = through_h264(flight.frames, BITS_PER_S) if coded else flight.frames
            known, _, unknown = errors(flight, frames, stride)
            off += known
            assert not unknown

    median, high = np.percentile(np.concatenate(off), [50, 95])
    assert median <= MEDIAN
    assert high <= HIGH


@pytest.mark.parametrize("kind", GROUNDS)
@pytest.mark.parametrize("coded", [False, True], ids=["as it is", "H.264"])
def test_a_generated_camera_stands_still(kind: str, coded: bool):
    """But for a trembling, though vehicles that nobody detected drive through all of it."""
    frames = flights(kind)["still"].frames
    seen = looks_of(through_h264(frames, BITS_PER_S) if coded else frames)

    size = seen[0].pixels.shape[::-1]
    for stride in STRIDES:
        assert all(motion is not None and is_still(motion, *size) for motion in motions(seen, stride))


@pytest.mark.parametrize("name", STILL)
def test_a_real_camera_stands_still(shared: Path, name: str):
    """Always: also where cars fill the picture, where interlaced fields shake it, and where people come close."""
    seen = looks_of(gray_frames(shared / "data" / "real" / "video" / name))

    size = seen[0].pixels.shape[::-1]
    for stride in STRIDES:
        assert all(motion is not None and is_still(motion, *size) for motion in motions(seen, stride))


@pytest.mark.parametrize("kind", GROUNDS)
def test_a_look_fits_into_a_record(kind: str):
    """12 KiB at most; a look of noise would not."""
    flight = flights(kind)["all"]

    assert max(len(encode_look(look)) for look in looks_of(flight.frames, flight.boxes)) <= BYTES


CHILD = """
import sys
from itertools import pairwise
from sightline.vision.camera_motion import decode_look, motion_between
looks = [decode_look(bytes.fromhex(line)) for line in sys.stdin.read().split()]
print(*(motion_between(*pair) for pair in pairwise(looks)), sep="\\n")
"""


def test_processors_agree_to_the_last_bit():
    """With and without wide registers, NumPy and BLAS add in another order; no motion shows it."""
    blobs = [
        encode_look(look).hex()
        for kind in GROUNDS
        for path in WAYS
        for look in looks_of(flights(kind)[path].frames[:4], flights(kind)[path].boxes[:4])
    ]
    wide = np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])
    narrow = {"NPY_DISABLE_CPU_FEATURES": " ".join(wide), "OPENBLAS_CORETYPE": "Prescott"}

    said = [
        subprocess.run(
            [sys.executable, "-c", CHILD],
            input="\n".join(blobs),
            env=os.environ | more,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for more in ({}, narrow)
    ]

    assert said[0].count("Motion(") >= len(GROUNDS) * len(WAYS) * 3
    assert said[0] == said[1]
