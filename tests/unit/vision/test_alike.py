"""Errors that are like those of the frame before are worth fewer frames."""

import numpy as np
import pytest

from sightline.vision.alike import MOST_ROWS, rows_worth

WINDOWS = 6000


def errors(correlation, rows, seed=1):
    """Of variance 1: float64 (WINDOWS, rows)."""
    rng = np.random.default_rng(seed)
    off = np.empty((WINDOWS, rows))
    off[:, 0] = rng.normal(0, 1, WINDOWS)
    for at in range(1, rows):
        off[:, at] = correlation * off[:, at - 1] + rng.normal(0, (1 - correlation**2) ** 0.5, WINDOWS)
    return off


def residuals(off):
    """Of the line through each window."""
    time = np.arange(off.shape[1]) - (off.shape[1] - 1) / 2
    away = off - off.mean(axis=1, keepdims=True)
    return away - np.outer(away @ time / (time @ time), time)


@pytest.mark.parametrize("rows", [6, 10, 25])
@pytest.mark.parametrize("correlation", [0.0, 0.4, 0.8])
def test_the_variance_of_a_mean_is_told_by_what_is_left_of_a_line(correlation, rows):
    """Up to what 6,000 windows can tell."""
    off = errors(correlation, rows)
    left = residuals(off)
    products, squares = (left[:, 1:] * left[:, :-1]).sum(), (left**2).sum()

    worth = rows_worth(np.full(WINDOWS, rows), products, squares)[rows]

    told = squares / (WINDOWS * (rows - 2)) / rows * worth
    assert told == pytest.approx((off.mean(axis=1) ** 2).mean(), rel=0.25)


@pytest.mark.parametrize("rows", [[], [1, 2]])
def test_where_nothing_is_left_every_row_says_something_new(rows):
    """One row, or two, lie on a line by themselves."""
    worth = rows_worth(np.array([each for each in rows if each > 2], int), 0.0, 0.0)

    np.testing.assert_allclose(worth, 1, atol=1e-9)


def test_long_windows_are_taken_for_shorter_ones():
    """No more than that is computed."""
    left = residuals(errors(0.5, 90))
    worth = rows_worth(np.full(WINDOWS, 90), (left[:, 1:] * left[:, :-1]).sum(), (left**2).sum())

    assert len(worth) == MOST_ROWS + 1
    assert worth[-1] == pytest.approx(3, rel=0.15)
