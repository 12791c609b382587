"""JPEG out."""

from __future__ import annotations

import io

from PIL import Image

from sightline.arrays import ByteArray

__all__ = ["encode"]


def encode(image: ByteArray, quality: int) -> bytes:
    """An image as JPEG.

    Args:
        image: uint8 (height, width, 3), RGB.
        quality: 1 to 95.
    """
    blob = io.BytesIO()
    Image.fromarray(image).save(blob, "JPEG", quality=quality)
    return blob.getvalue()
