"""Errors that are like those of the frame before: how many of them are worth one.

They are taken for an autoregression of first order. How much the residuals of lines that were fitted to short windows are like
each other says less than the errors are, since the line takes a part with it; by how much less follows from the number of rows.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np

from sightline.arrays import FloatArray, IntArray

__all__ = ["MOST_ROWS", "rows_worth"]

MOST_ROWS = 60  # of a window: with more it is taken for one of so many
ALIKE = np.linspace(0, 0.96, 25)  # correlations with the frame before that are tried


class _Expected(NamedTuple):
    """Of a window, where errors have variance 1, by correlation: float64 (25,) each."""

    squares: FloatArray  # sum of the squares of residuals
    products: FloatArray  # sum of the products of each residual and the next
    mean: FloatArray  # variance of the mean, times the number of rows


@cache
def _expected(rows: int) -> _Expected:
    """Of a window of so many rows, 3 or more."""
    at = np.arange(rows)
    line = np.stack((np.full(rows, rows**-0.5), at - at.mean()))
    line[1] /= np.sqrt((line[1] ** 2).sum())
    left = np.eye(rows) - line.T @ line
    errors = ALIKE[:, None, None] ** np.abs(at[:, None] - at)
    residuals = left @ errors @ left
    return _Expected(
        np.trace(residuals, axis1=1, axis2=2),
        np.trace(residuals, offset=1, axis1=1, axis2=2),
        errors.sum(axis=(1, 2)) / rows,
    )


def rows_worth(rows: IntArray, products: float, squares: float) -> FloatArray:
    """By how much the variance of a window's mean is larger than if each row said something new.

    Args:
        rows: int64 (W,), of each window that a line was fitted to.
        products, squares: sums over all windows and both coordinates: of residuals and those of the next row, and of their squares.

    Returns:
        float64 (MOST_ROWS + 1,): by the number of rows, from 3 on.
    """
    windows = np.bincount(np.clip(rows, 3, MOST_ROWS), minlength=4)
    some = [(int(number), _expected(int(number))) for number in np.flatnonzero(windows)]
    alike = 0.0
    if some and squares > 0:
        expected = sum(windows[number] * each.products for number, each in some) / sum(
            windows[number] * each.squares for number, each in some
        )
        alike = float(np.interp(products / squares, expected, ALIKE))
    worth = np.ones(MOST_ROWS + 1)
    for number in range(3, MOST_ROWS + 1):
        each = _expected(number)
        mean, square = (float(np.interp(alike, ALIKE, part)) for part in (each.mean, each.squares))
        worth[number] = mean * (number - 2) / square
    return worth
