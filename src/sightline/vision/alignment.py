"""How two small pictures lie on each other: direct alignment on chosen points, robust against what moves by itself.

A similarity is fitted by Gauss-Newton steps, inverse compositional: the picture whose points are chosen gives the gradients
once, the other one is only sampled (Baker and Matthews, Lucas-Kanade 20 years on, 2004). Each point weighs by Tukey's
function of its difference, so that objects and what was hidden lose their say.

Machines add numbers in another order, so everything that is summed is a whole number and small enough for a sum to be
exact: all get the same result to the last bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sightline.arrays import BoolArray, ByteArray, FloatArray, IndexArray, IntArray

__all__ = [
    "ACROSS",
    "DOWN",
    "GREY",
    "Differences",
    "Points",
    "Similarity",
    "align",
    "blurred",
    "differences",
    "unmoved",
]

FloatImage = NDArray[np.float32]
Similarity = tuple[float, float, float, float]
"""(a, b, x, y) about the middle of the picture, from the picture of the points to the other one."""

GREY = 16.0  # what a grey level is in a blurred picture
ACROSS, DOWN = 8, 5  # tiles
CELL = 3  # pixels: the strongest point of so many, along each side, is taken
WEAKEST = 1.0  # grey levels a pixel: below, a point is noise
GROWN = 2  # pixels around a box that blur and gradient take from it
TUKEY = 4.685  # deviations from which a point has no say; 95 % efficiency where noise is normal
LEAST = 0.7 * GREY  # deviation of the differences that is always granted: levels and rounding
FEWEST = 40  # points
STEPS = 12  # at most, of an alignment
ENOUGH = 0.03  # pixels; a step of less is the last one
MOST_CHANGE = 0.25  # of a and b; more than expected is no camera between two frames


def blurred(pixels: ByteArray) -> FloatImage:
    """A picture times `GREY`, blurred by 1-2-1 along both sides: exact, and without the outermost pixels."""
    image = pixels.astype(np.float32)
    rows = image[1:-1] * 2
    rows += image[:-2]
    rows += image[2:]
    columns = rows[:, 1:-1] * 2
    columns += rows[:, :-2]
    columns += rows[:, 2:]
    return columns


class _Grid(NamedTuple):
    """What pictures of one size have in common; pixels are those that have a gradient, all but the outermost two.

    Attributes:
        cells: int (C, 9), the pixels of each cell.
        place: int (P,), index of each pixel in the blurred picture.
        across: float64 (2, P), see `Points`.
        tile: int (P,), see `Points`.
    """

    cells: IndexArray
    place: IndexArray
    across: FloatArray
    tile: IndexArray


@lru_cache(maxsize=4)
def _grid(height: int, width: int) -> _Grid:
    y, x = (each.ravel() for each in np.indices((height - 4, width - 4)))
    down, right = (each.ravel() for each in np.indices(((height - 4) // CELL, (width - 4) // CELL)))
    below, beside = (each.ravel() for each in np.indices((CELL, CELL)))
    return _Grid(
        cells=(CELL * down[:, None] + below) * (width - 4) + CELL * right[:, None] + beside,
        place=(y + 1) * (width - 2) + x + 1,
        across=np.stack((x + (2 - (width - 1) / 2), y + (2 - (height - 1) / 2))),
        tile=y * DOWN // (height - 4) * ACROSS + x * ACROSS // (width - 4),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """Points of a picture that show where it lies: one of each cell, that of the steepest gradient.

    Attributes:
        place: int (N,), index in the blurred picture.
        value: float32 (N,), the blurred picture there.
        steep: float32 (N,), squared change of `value` over two pixels.
        across, turned: float32 (2, N), (x, y) from the middle of the picture, and (-y, x).
        tile: int (N,), number of its tile, row by row.
        slopes: float64 (4, N), change of `value` over two pixels along a, b, x and y, whole numbers; a and b are in units
            of half the picture's width.
        half: half the picture's width.
    """

    place: IndexArray
    value: FloatImage
    steep: FloatImage
    across: FloatImage
    turned: FloatImage
    tile: IndexArray
    slopes: FloatArray
    half: float

    @classmethod
    def of(cls, pixels: ByteArray, covered: IntArray) -> Points:
        """Points of a picture outside boxes.

        Args:
            pixels: uint8 (h, w), sides of at least 8.
            covered: int (N, 4), xyxy in whole pixels.
        """
        image = blurred(pixels)
        height, width = pixels.shape
        gx, gy = image[1:-1, 2:] - image[1:-1, :-2], image[2:, 1:-1] - image[:-2, 1:-1]
        steep = gx * gx
        steep += gy * gy
        inset = 2 + GROWN
        for left, top, right, bottom in covered.tolist():
            steep[
                max(0, top - inset) : max(0, bottom - 2 + GROWN),
                max(0, left - inset) : max(0, right - 2 + GROWN),
            ] = 0
        grid, half = _grid(height, width), width / 2
        there = _strongest(steep.ravel(), grid.cells)
        gx, gy = (each.ravel().take(there).astype(np.float64) for each in (gx, gy))
        across, place = grid.across.take(there, axis=1), grid.place.take(there)
        x, y = across
        slopes = np.empty((4, len(there)))
        np.rint((gx * x + gy * y) / half, out=slopes[0])
        np.rint((gy * x - gx * y) / half, out=slopes[1])
        slopes[2], slopes[3] = gx, gy
        turned = np.empty(across.shape, np.float32)
        np.negative(y, out=turned[0], casting="same_kind")
        turned[1] = x
        return cls(
            place=place,
            value=image.ravel().take(place),
            steep=steep.ravel().take(there),
            across=across.astype(np.float32),
            turned=turned,
            tile=grid.tile.take(there),
            slopes=slopes,
            half=half,
        )

    def __len__(self) -> int:
        return len(self.place)


def _strongest(steep: FloatImage, cells: IndexArray) -> IndexArray:
    """The steepest pixel of each cell that has one; of equals the first."""
    values = steep.take(cells)
    best = values.argmax(axis=1)
    best += np.arange(0, cells.size, CELL * CELL)
    kept = values.ravel().take(best) > (2 * GREY * WEAKEST) ** 2
    chosen: IndexArray = cells.ravel().take(best[kept])
    return chosen


class Differences(NamedTuple):
    """What another picture shows at the points, less their own values and what all have in common (brightness).

    Attributes:
        value: float32 (N,), whole numbers, in 1 / `GREY` of a grey level.
        inside: bool (N,), whether the point lies in the other picture.
        amount: how many do.
        spread: standard deviation of those, told from their median.
    """

    value: FloatImage
    inside: BoolArray
    amount: int
    spread: float

    @property
    def squares(self) -> FloatArray:
        """Squared values, exact."""
        value = self.value.astype(np.float64)
        return value * value


def unmoved(points: Points, image: FloatImage) -> Differences | None:
    """Differences of a blurred picture to the points, where these are; None where there are few."""
    value = image.ravel().take(points.place)
    return _centred(points, value, np.ones(len(points), np.bool_))


def differences(points: Points, image: FloatImage, at: Similarity) -> Differences | None:
    """Differences of a blurred picture to the points, where a similarity puts them; None where few lie in it."""
    height, width = image.shape
    a, b, x, y = at
    places = points.across * np.float32(a)
    places += points.turned * np.float32(b)
    places += np.array([[x + (width - 1) / 2], [y + (height - 1) / 2]], np.float32)
    within = np.minimum(places, np.array([[width - 1.001], [height - 1.001]], np.float32))
    np.maximum(within, 0, out=within)
    inside: BoolArray = (within == places).all(axis=0)
    whole = np.floor(within)
    within -= whole
    corner = whole[1] * np.float32(width)  # exact
    corner += whole[0]
    four = image.ravel().take(corner.astype(np.int64) + np.array([[0], [width], [1], [width + 1]]))
    two = four[2:] - four[:2]
    two *= within[0]
    two += four[:2]
    value: FloatImage = two[1] - two[0]
    value *= within[1]
    value += two[0]
    return _centred(points, np.rint(value, out=value), inside)


def _centred(points: Points, value: FloatImage, inside: BoolArray) -> Differences | None:
    """What a picture shows at the points, whole numbers, less what these show and what all have in common."""
    amount = int(np.count_nonzero(inside))
    if amount < FEWEST:
        return None
    value -= points.value
    value -= _median(value, inside, amount)
    spread = 1.4826 * float(_median(np.abs(value), inside, amount))
    return Differences(value, inside, amount, spread)


def _median(values: FloatImage, inside: BoolArray, amount: int) -> np.float32:
    """Upper median of the values inside."""
    chosen = values.copy() if amount == len(values) else values[inside]
    chosen.partition(amount // 2)
    middle: np.float32 = chosen[amount // 2]
    return middle


def align(
    points: Points, image: FloatImage, start: Similarity, found: Differences
) -> tuple[Similarity, Differences] | None:
    """The similarity near another one under which a blurred picture fits the points best, and their differences there.

    Args:
        points: of one picture.
        image: the other one.
        start: where to begin, a few pixels off at most; far from its `a` and `b` nothing is believed.
        found: the differences there.

    Returns:
        None where it leaves the picture, or is far from where it began. The differences are those before the last step,
        which is less than `ENOUGH`.
    """
    at = start
    for _ in range(STEPS):
        step = _step(points, found)
        at = _without(at, step, points.half)
        if abs(at[0] - start[0]) > MOST_CHANGE or abs(at[1] - start[1]) > MOST_CHANGE:
            return None
        if max(map(abs, step)) < ENOUGH:
            break
        moved = differences(points, image, at)
        if moved is None:
            return None
        found = moved
    return at, found


def _step(points: Points, found: Differences) -> list[float]:
    """By how much the points moved besides, in pixels: the least squares of the weighted differences."""
    weight = found.value * np.float32(1 / (TUKEY * (found.spread + LEAST)))
    weight *= weight
    np.minimum(weight, 1, out=weight)
    weight -= 1
    weight *= weight
    weight *= 64
    np.rint(weight, out=weight)
    weight *= found.inside
    weighted = points.slopes * weight
    step = _solve((weighted @ points.slopes.T).tolist(), (weighted @ found.value).tolist())
    return [2 * each for each in step]  # slopes are over two pixels


def _solve(rows: list[list[float]], right: list[float]) -> list[float]:
    """Solve a symmetric positive system; by hand, since LAPACK rounds as the processor likes."""
    size = len(right)
    for k, row in enumerate(rows):
        row.append(right[k])
        row[k] += row[k] * 1e-6 + 1
    for k, row in enumerate(rows):  # only what lies right of the diagonal is kept right
        for below in range(k + 1, size):
            factor, other = row[below] / row[k], rows[below]
            for j in range(below, size + 1):
                other[j] -= factor * row[j]
    solved = [0.0] * size
    for k in reversed(range(size)):
        row, known = rows[k], rows[k][size]
        for j in range(k + 1, size):
            known -= row[j] * solved[j]
        solved[k] = known / row[k]
    return solved


def _without(at: Similarity, step: list[float], half: float) -> Similarity:
    """`at` after the inverse of a step."""
    a, b, x, y = 1 + step[0] / half, step[1] / half, step[2], step[3]
    size = a * a + b * b
    a, b = a / size, -b / size
    x, y = b * y - a * x, -b * x - a * y
    return (
        at[0] * a - at[1] * b,
        at[1] * a + at[0] * b,
        at[0] * x - at[1] * y + at[2],
        at[1] * x + at[0] * y + at[3],
    )
