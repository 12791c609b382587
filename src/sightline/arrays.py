"""Names for arrays, by what is in them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["BoolArray", "ByteArray", "FloatArray", "IndexArray", "IntArray", "SeqArray"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
ByteArray = NDArray[np.uint8]
IndexArray = NDArray[np.intp]
"""Places in another array, as NumPy gives them."""
SeqArray = NDArray[np.uint32]
"""Numbers of sampled frames where there are many of them."""
