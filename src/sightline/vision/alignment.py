"""How two small pictures lie on each other: direct alignment on chosen points, robust against what moves by itself.

A similarity is fitted by Gauss-Newton steps, inverse compositional: the picture whose points are chosen gives the gradients
once, the other one is only sampled (Baker and Matthews, Lucas-Kanade 20 years on, 2004). Each point weighs by Tukey's
function of its difference, so that objects and what was hidden lose their say.

Machines add numbers in another order, so everything that is summed is a whole number and small enough for a sum to be
exact: all get the same result to the last bit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sightline.arrays import BoolArray, ByteArray, FloatArray, IndexArray, IntArray

__all__ = ["ACROSS", "DOWN", "GREY", "Differences", "Points", "Similarity", "align", "blurred", "differences"]

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
        y, x = _strongest(steep)
        there = y * steep.shape[1] + x
        gx, gy = (each.ravel().take(there).astype(np.float64) for each in (gx, gy))
        across = np.stack((x + (2 - (width - 1) / 2), y + (2 - (height - 1) / 2)))
        half = width / 2
        place = (y + 1) * (width - 2) + x + 1
        return cls(
            place=place,
            value=image.ravel().take(place),
            steep=steep.ravel().take(there),
            across=across.astype(np.float32),
            turned=np.stack((-across[1], across[0])).astype(np.float32),
            tile=y * DOWN // (height - 4) * ACROSS + x * ACROSS // (width - 4),
            slopes=np.stack(
                (
                    np.rint((gx * across[0] + gy * across[1]) / half),
                    np.rint((gy * across[0] - gx * across[1]) / half),
                    gx,
                    gy,
                )
            ),
            half=half,
        )

    def __len__(self) -> int:
        return len(self.place)

    def every(self, step: int) -> Points:
        """Each `step`th point."""
        return Points(
            place=self.place[::step],
            value=self.value[::step],
            steep=self.steep[::step],
            across=np.ascontiguousarray(self.across[:, ::step]),
            turned=np.ascontiguousarray(self.turned[:, ::step]),
            tile=self.tile[::step],
            slopes=np.ascontiguousarray(self.slopes[:, ::step]),
            half=self.half,
        )


def _strongest(steep: FloatImage) -> tuple[IndexArray, IndexArray]:
    """Rows and columns of the steepest place of each cell that has one; of equals the first."""
    down, across = (side // CELL for side in steep.shape)
    grid = steep[: down * CELL, : across * CELL].reshape(down, CELL, across, CELL)
    cells = grid.transpose(0, 2, 1, 3).reshape(-1, CELL * CELL)
    best = cells.argmax(axis=1)
    steepest = cells.ravel().take(np.arange(len(cells)) * CELL * CELL + best)
    kept = (steepest > (2 * GREY * WEAKEST) ** 2).nonzero()[0]
    best = best[kept]
    return kept // across * CELL + best // CELL, kept % across * CELL + best % CELL


@dataclass(frozen=True, slots=True, eq=False)
class Differences:
    """What another picture shows at the points, less their own values and what all have in common (brightness).

    Attributes:
        value: float32 (N,), whole numbers, in 1 / `GREY` of a grey level.
        inside: bool (N,), whether the point lies in the other picture.
        count: how many do.
        spread: standard deviation of those, told from their median.
    """

    value: FloatImage
    inside: BoolArray
    count: int
    spread: float

    @property
    def squares(self) -> FloatArray:
        """Squared values, exact."""
        value = self.value.astype(np.float64)
        return value * value


def differences(points: Points, image: FloatImage, at: Similarity) -> Differences | None:
    """Differences of a blurred picture to the points, where a similarity puts them; None where few lie in it."""
    height, width = image.shape
    a, b, x, y = at
    places = points.across * np.float32(a)
    places += points.turned * np.float32(b)
    places[0] += np.float32(x + (width - 1) / 2)
    places[1] += np.float32(y + (height - 1) / 2)
    within = np.minimum(places, np.array([[width - 1.001], [height - 1.001]], np.float32))
    np.maximum(within, 0, out=within)
    inside: BoolArray = (within == places).all(axis=0)
    whole = within.astype(np.int32)
    within -= whole
    corner = whole[1] * width
    corner += whole[0]
    four = image.ravel().take(corner + np.array([[0], [width], [1], [width + 1]], np.int32))
    two = four[2:] - four[:2]
    two *= within[0]
    two += four[:2]
    value = two[1] - two[0]
    value *= within[1]
    value += two[0]
    value -= points.value
    np.rint(value, out=value)
    return _centred(value, inside)


def _centred(value: FloatImage, inside: BoolArray) -> Differences | None:
    count = int(np.count_nonzero(inside))
    if count < FEWEST:
        return None
    value -= _median(value, inside, count)
    spread = 1.4826 * _median(np.abs(value), inside, count)
    return Differences(value, inside, count, spread)


def _median(values: FloatImage, inside: BoolArray, count: int) -> float:
    """Upper median of the values inside."""
    chosen = values if count == len(values) else values[inside]
    return float(np.partition(chosen, count // 2)[count // 2])


def align(
    points: Points, image: FloatImage, start: Similarity, about: Similarity, steps: int, enough: float
) -> Similarity | None:
    """The similarity near `start` under which a blurred picture fits the points best.

    Args:
        points: of one picture.
        image: the other one.
        start: where to begin; a few pixels off at most.
        about: what is expected; far from its `a` and `b` nothing is believed.
        steps: how often to improve it, at most.
        enough: pixels of change, below which it is good.

    Returns:
        None where it leaves the picture, or is far from what is expected.
    """
    for _ in range(steps):
        found = differences(points, image, start)
        if found is None:
            return None
        step = _step(points, found)
        start = _without(start, step, points.half)
        if abs(start[0] - about[0]) > MOST_CHANGE or abs(start[1] - about[1]) > MOST_CHANGE:
            return None
        if max(map(abs, step)) < enough:
            break
    return start


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
    for k in range(size):
        rows[k].append(right[k])
        rows[k][k] += rows[k][k] * 1e-6 + 1
    for k in range(size):
        for below in range(k + 1, size):
            factor = rows[below][k] / rows[k][k]
            rows[below] = [mine - factor * its for mine, its in zip(rows[below], rows[k], strict=True)]
    solved = [0.0] * size
    for k in reversed(range(size)):
        known = math.fsum(rows[k][j] * solved[j] for j in range(k + 1, size))
        solved[k] = (rows[k][size] - known) / rows[k][k]
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
