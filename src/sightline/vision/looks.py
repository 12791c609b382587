"""What the camera's motion is told from: a sampled frame as a small grey picture, and where objects were found in it.

A look is a few KB, so that it can travel in a record. Whoever estimates motion takes pixels from `look_pixels` alone, so a
worker that decoded both frames and one that got a look from another worker see the same.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from sightline.arrays import ByteArray, IntArray
from sightline.errors import Corrupt, TooLarge

__all__ = ["MAX_BOXES", "SIDE", "Look", "decode_look", "encode_look", "look_pixels", "look_scale"]

SIDE = 160
"""Longest side of a look. Twice as long: less than half the error in a good video, hardly less in one of low bitrate, whose
picture is itself not where it should be; and four times the bytes."""
STEP = 2  # grey levels that are one; finer ones are noise, and cost bytes
MAX_BOXES = 65_535
VERSION = 1
HEAD = struct.Struct("<HHH")  # height, width, boxes


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """A sampled frame as the estimate of camera motion sees it.

    Attributes:
        pixels: uint8 (h, w), grey, read-only; sides of 1 to 160.
        covered: int (N, 4), xyxy in pixels of the look, read-only: where objects were detected. Boxes are given in any
            order, as floats too; kept are their whole pixels, sorted, each once.

    Raises:
        ValueError: an array of another shape or type, or boxes that are not finite.
    """

    pixels: ByteArray
    covered: IntArray

    def __init__(self, pixels: ByteArray, covered: ArrayLike = ()) -> None:
        if (
            pixels.ndim != 2
            or pixels.dtype != np.uint8
            or not 0 < min(pixels.shape) <= max(pixels.shape) <= SIDE
        ):
            raise ValueError(
                f"pixels of a look are uint8, (1..{SIDE}, 1..{SIDE}): {pixels.dtype} {pixels.shape}"
            )
        kept = np.array(pixels, order="C")
        kept.setflags(write=False)
        object.__setattr__(self, "pixels", kept)
        object.__setattr__(self, "covered", _whole(covered, kept.shape[1], kept.shape[0]))


def _whole(covered: ArrayLike, width: int, height: int) -> IntArray:
    """Boxes grown to whole pixels within the picture, sorted, each once; those beside the picture are left out."""
    boxes = np.asarray(covered, np.float64).reshape(-1, 4)
    if not np.isfinite(boxes).all():
        raise ValueError("boxes of a look must be finite")
    grown = boxes.copy()
    np.floor(boxes[:, :2], out=grown[:, :2])
    np.ceil(boxes[:, 2:], out=grown[:, 2:])
    np.minimum(grown, (width, height, width, height), out=grown)
    kept: IntArray = np.maximum(grown, 0, out=grown).astype(np.int64)
    kept = kept[(kept[:, 2] > kept[:, 0]) & (kept[:, 3] > kept[:, 1])]
    if len(kept) > 1:
        kept = kept[np.lexsort(kept.T[::-1])]
        kept = kept[np.append(True, (kept[1:] != kept[:-1]).any(axis=1))]
    kept.setflags(write=False)
    return kept


def look_scale(height: int, width: int) -> int:
    """How many pixels of a picture are one of its look, along each side."""
    return -(-max(height, width) // SIDE)


def look_pixels(gray: ByteArray) -> ByteArray:
    """The mean of squares of `look_scale` pixels, in steps of 2; what is left over right and below is not seen.

    Args:
        gray: uint8 (H, W), the picture without the bars of a letterbox, H, W >= 1.

    Returns:
        uint8 (h, w), sides of 1 to 160; one black pixel where the picture is thinner than a square.
    """
    scale = look_scale(*gray.shape)
    height, width = (side // scale for side in gray.shape)
    if not height or not width:
        return np.zeros((1, 1), np.uint8)
    room = np.dtype(np.uint16 if 255 * scale * scale < 2**16 else np.uint32)
    rows = gray[: height * scale : scale].astype(room)
    for each in range(1, scale):
        rows += gray[each : height * scale : scale]
    sums = rows[:, : width * scale : scale].copy()
    for each in range(1, scale):
        sums += rows[:, each : width * scale : scale]
    levels: ByteArray = (sums // (STEP * scale * scale)).astype(np.uint8)
    levels *= STEP
    return levels


def encode_look(look: Look) -> bytes:
    """A look as bytes; equal looks give equal bytes.

    Raises:
        TooLarge: it has more than 65,535 boxes.
    """
    height, width = look.pixels.shape
    if len(look.covered) > MAX_BOXES:
        raise TooLarge(f"a look with {len(look.covered)} boxes; at most {MAX_BOXES}")
    changes = np.diff(look.pixels, axis=0, prepend=np.zeros((1, width), np.uint8))  # modulo 256
    head = HEAD.pack(height, width, len(look.covered))
    boxes = look.covered.astype(np.uint8)
    # Little repeats: without looking for it packing takes a tenth of the time, and is no longer.
    packer = zlib.compressobj(strategy=zlib.Z_HUFFMAN_ONLY)
    return bytes([VERSION]) + packer.compress(head + boxes.tobytes() + changes.tobytes()) + packer.flush()


def decode_look(blob: bytes) -> Look:
    """The look that `encode_look` wrote.

    Raises:
        Corrupt: it is of another version, damaged or cut off.
    """
    if blob[:1] != bytes([VERSION]):
        raise Corrupt(f"a look of a frame begins with {blob[:1]!r}, not with version {VERSION}")
    unpacker = zlib.decompressobj()
    try:
        plain = unpacker.decompress(blob[1:], HEAD.size + 4 * MAX_BOXES + SIDE * SIDE)
    except zlib.error as error:
        raise Corrupt(f"a look of a frame is damaged: {error}") from error
    if not unpacker.eof or unpacker.unused_data or len(plain) < HEAD.size:
        raise Corrupt("a look of a frame is cut off, or followed by something else")
    height, width, count = HEAD.unpack_from(plain)
    pixels = np.frombuffer(plain, np.uint8)[HEAD.size + 4 * count :]
    if not (0 < min(height, width) <= max(height, width) <= SIDE and pixels.size == height * width):
        raise Corrupt(
            f"a look of a frame says {width}x{height} and {count} boxes, and has {len(plain)} bytes"
        )
    boxes = np.frombuffer(plain, np.uint8, 4 * count, HEAD.size).reshape(-1, 4)
    look = Look(np.cumsum(pixels.reshape(height, width), axis=0, dtype=np.uint8), boxes)
    if not np.array_equal(look.covered, boxes):
        raise Corrupt("a look of a frame has boxes that are out of order, empty or outside it")
    return look
