"""The path of a camera that moved: where the ground is in each sampled frame, as `publish` stores it for `count`.

Little endian; columns start at multiples of 8 bytes. A run whose camera stood still, or of which nobody knows, has no such file.

| offset | type | content |
|---|---|---|
| 0 | 8 bytes | magic `SLCAMERA` |
| 8 | u2 | version, 1 |
| 10 | u2, u4 | 0 |
| 16 | i8 | F, frames |
| 24 | f8 F x 4 | a, b, x, y of each frame: a point x0, y0 of the first frame of the stretch is at a x0 - b y0 + x, b x0 + a y0 + y |
| | i8 F | stretch: frames of one number have ground in common, from 0 |
| end - 4 | u4 | CRC-32 of everything before |

Equal paths have equal bytes: there is no NaN and no negative zero.
"""

from __future__ import annotations

import struct
import zlib

import numpy as np

from sightline.camera import CameraPath
from sightline.errors import Corrupt
from sightline.formats.versioned import require_version

__all__ = ["decode", "encode"]

MAGIC, VERSION = b"SLCAMERA", 1
HEADER = struct.Struct("<8sHHIq")
CRC = struct.Struct("<I")
FRAME = 5 * 8  # bytes


def encode(path: CameraPath) -> bytes:
    """Canonical bytes.

    Raises:
        ValueError: no camera can have looked so; says why.
    """
    _check(path)
    maps = path.maps.astype("<f8") + 0.0  # no negative zero
    blob = (
        HEADER.pack(MAGIC, VERSION, 0, 0, len(path)) + maps.tobytes() + path.stretch.astype("<i8").tobytes()
    )
    return blob + CRC.pack(zlib.crc32(blob))


def decode(blob: bytes, name: str = "camera") -> CameraPath:
    """Read a path; its arrays cannot be written.

    Args:
        blob: the file.
        name: key of the file, for errors.

    Raises:
        Corrupt: wrong magic, newer version, wrong length, bad CRC, impossible content; says what and where.
    """
    if len(blob) < HEADER.size + CRC.size or blob[:8] != MAGIC:
        raise Corrupt(
            f"{name}: {len(blob)} bytes that do not begin with {MAGIC.decode()}: no path of a camera"
        )
    _, version, _, _, frames = HEADER.unpack_from(blob)
    require_version(version, VERSION, name)
    length = HEADER.size + FRAME * frames + CRC.size
    if frames < 0 or length != len(blob):
        raise Corrupt(
            f"{name}: {len(blob)} bytes, the header promises {length}; restore the file from a copy"
        )
    (crc,) = CRC.unpack_from(blob, length - CRC.size)
    if zlib.crc32(blob[: length - CRC.size]) != crc:
        raise Corrupt(f"{name}: CRC-32 at byte {length - CRC.size} differs; restore the file from a copy")
    maps = np.frombuffer(blob, "<f8", 4 * frames, HEADER.size).reshape(-1, 4)
    path = CameraPath(maps, np.frombuffer(blob, "<i8", frames, HEADER.size + 32 * frames))
    try:
        _check(path)
    except ValueError as error:
        raise Corrupt(f"{name}: {error}; restore the file from a copy") from error
    return path


def _check(path: CameraPath) -> None:
    """Refuse what no camera can have seen.

    Raises:
        ValueError: says what.
    """
    if path.maps.shape != (len(path), 4) or path.stretch.shape != (len(path),):
        raise ValueError(f"maps {path.maps.shape} and stretches {path.stretch.shape}")
    if not np.isfinite(path.maps).all():
        raise ValueError("a map is not finite")
    if not (path.maps[:, 0] ** 2 + path.maps[:, 1] ** 2 > 0).all():
        raise ValueError("a map makes the picture a point")
    if path.stretch.min(initial=0) < 0:
        raise ValueError(f"stretch {path.stretch.min()}")
