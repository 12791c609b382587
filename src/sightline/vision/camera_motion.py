"""How the camera moved from one sampled frame to the next, seen in two small pictures.

The picture of the later frame, without the objects in it, is laid on that of the earlier one, from where it stands and from
where a coarse look at the whole picture says it went. Then tiles of the picture vote. The camera moved where most tiles
agree and far more of them fit better moved than unmoved. It stands still where they do not, and a shift would have shown. All
else is unknown: a cut, fog, a picture full of what moves by itself.

Pure and without memory: the same two looks give the same motion to the last bit on every machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from sightline.arrays import BoolArray, ByteArray, FloatArray
from sightline.camera import IDENTITY, Motion, is_still
from sightline.vision.alignment import (
    ACROSS,
    DOWN,
    GREY,
    Differences,
    FloatImage,
    Points,
    Similarity,
    align,
    blurred,
    differences,
    unmoved,
)
from sightline.vision.coarse_shift import coarse_shift
from sightline.vision.looks import Look, decode_look, encode_look, look_pixels

__all__ = [
    "IDENTITY",
    "Look",
    "Motion",
    "decode_look",
    "encode_look",
    "look_pixels",
    "motion_between",
]

SMALLEST = 24  # pixels: a picture with a shorter side has too few points in a tile
TILES = ACROSS * DOWN
UNMOVED: Similarity = (1.0, 0.0, 0.0, 0.0)
NOISE = 0.6 * GREY  # deviation that is always granted: levels and rounding
FAR = 3.0  # deviations from which a point says no more
CLEAR = 12.0  # squared deviations by which a tile is sure of its vote
NOTHING = 0.02  # pixels
HALF = 0.5  # share of agreeing tiles with which a fit is one
SURE = 0.8  # and with which none is better
OFF = 3.0  # pixels; a tile that shows something tells such a shift from none
MOST_DOUBT = 5  # times as many tiles must be sure that the camera moved as are sure that it did not
FEWEST_MOVED, FEWEST_STILL = 4, 3  # tiles
FEW, MUCH = (
    0.0,
    0.3,
)  # of the tiles that tell; fewer may be an object, which matters where the motion is large
LEFT = 5  # one tile in so many must lie where it lay, or objects that fill the picture would hide that it stands still
FEWEST_TELLING = 6  # tiles
FEWEST_POINTS = 8  # of a tile that tells
SHOWN = 2.0 * GREY  # deviation of the values of a tile that shows something
LIKE = 0.5  # of what a tile shows: it agrees where differences are less
STEP_AB, STEP_XY = 2.0**-16, 2.0**-8  # by either a corner moves by less than 1/256 of a pixel of the look


class _Seen(NamedTuple):
    """How many tiles agree, and how many show enough to tell."""

    agree: int
    telling: int

    def by(self, share: float) -> bool:
        """Whether a share of the tiles that tell agree."""
        return self.agree >= share * self.telling


class _Fit(NamedTuple):
    at: Similarity
    found: Differences
    seen: _Seen

    @property
    def agrees(self) -> bool:
        return self.seen.telling >= FEWEST_TELLING and self.seen.by(HALF)

    @property
    def sure(self) -> bool:
        return self.agrees and self.seen.by(SURE)


def motion_between(before: Look | ByteArray, after: Look, expected: Motion | None = None) -> Motion | None:
    """How the camera moved, in pixels of the look.

    Args:
        before: the earlier frame, or its pixels alone.
        after: the later one; what its boxes cover is left out.
        expected: about how it may have moved, where somebody knows: far turns and zooms are not found without.

    Returns:
        Where points of the earlier frame are in the later one; `a` and `b` in steps of 2**-16, `x` and `y` in steps of
        2**-8. Exactly `IDENTITY` where nothing speaks for a motion; a mast that trembles moves, see
        `sightline.camera.is_still`. None where it is not known: looks of different sizes, or
        smaller than 24 pixels, too little to be seen, or too little that both frames have in common.
    """
    earlier = before.pixels if isinstance(before, Look) else before
    if earlier.shape != after.pixels.shape or min(earlier.shape) < SMALLEST:
        return None
    points, image = Points.of(after.pixels, after.covered), blurred(earlier)
    found = unmoved(points, image)
    if found is None:
        return None
    stays = _Fit(UNMOVED, found, _seen(points, found))
    best = _best(points, image, earlier, after.pixels, stays, expected)
    if best is not None and best.agrees:
        height, width = earlier.shape
        motion = _motion(best.at, width, height)
        if best.sure and motion.farthest(width, height) <= NOTHING:
            return IDENTITY
        if _moved(points, stays.found, best, FEW if is_still(motion, width, height) else MUCH):
            return motion
    return IDENTITY if _stands(points, stays) else None


def _best(
    points: Points,
    image: FloatImage,
    before: ByteArray,
    after: ByteArray,
    stays: _Fit,
    expected: Motion | None,
) -> _Fit | None:
    """The best of the fits from where it is expected, where it stands and where it seems to have gone."""
    starts = [stays]
    if expected is not None:
        starts = [*_at(points, image, _about_the_middle(expected, before.shape)), stays]
    if not stays.seen.by(HALF):
        x, y = coarse_shift(after, before)
        for gone in _at(points, image, (1.0, 0.0, float(x), float(y))) if x or y else ():
            nearer = _misfit(points, gone.found) < _misfit(points, stays.found)
            starts.insert(len(starts) - nearer, gone)
    best: _Fit | None = None
    for start in starts:
        fit = _fit(points, image, start)
        if fit is not None and (best is None or _misfit(points, fit.found) < _misfit(points, best.found)):
            best = fit
        if best is not None and best.agrees:
            break
    return best


def _at(points: Points, image: FloatImage, at: Similarity) -> Iterator[_Fit]:
    """How it fits there, if it lies in the picture."""
    found = differences(points, image, at)
    if found is not None:
        yield _Fit(at, found, _seen(points, found))


def _fit(points: Points, image: FloatImage, start: _Fit) -> _Fit | None:
    """The fit that is found from another one."""
    aligned = align(points, image, start.at, start.found)
    if aligned is None or 2 * aligned[1].amount < len(points):
        return None
    at, found = aligned
    return _Fit(at, found, start.seen if found is start.found else _seen(points, found))


def _misfit(points: Points, found: Differences) -> float:
    """Mean squared difference, where no point says more than that the picture is off by a pixel: objects must not decide."""
    most = points.steep.astype(np.float64) / 4 + (3 * GREY) ** 2
    return float(np.minimum(found.squares, most)[found.inside].sum()) / found.amount


def _seen(points: Points, found: Differences) -> _Seen:
    """A tile that shows enough agrees where differences are small beside what it shows."""
    inside = found.inside
    count = np.bincount(points.tile, inside, TILES)
    value = points.value * inside
    total = np.bincount(points.tile, value, TILES)
    shown = np.bincount(points.tile, value * value, TILES) - total * total / np.maximum(count, 1)
    telling = (count >= FEWEST_POINTS) & (shown > count * SHOWN**2)
    agree = np.bincount(points.tile, found.squares * inside, TILES) < LIKE * shown
    return _Seen(int(np.count_nonzero(agree & telling)), int(np.count_nonzero(telling)))


def _gain(points: Points, one: FloatArray, other: FloatArray, spread: float, inside: BoolArray) -> FloatArray:
    """By how much each tile fits better with the squared differences `one` than with `other`, in squared deviations."""
    scale, most = 1 / (spread + NOISE) ** 2, FAR * FAR
    gain = np.minimum(other * scale, most) - np.minimum(one * scale, most)
    gain *= inside
    return np.bincount(points.tile, gain, TILES).astype(np.float64)


def _moved(points: Points, stays: Differences, fit: _Fit, share: float) -> bool:
    """Whether a share of what tells went the way of a fit, and far more than stayed."""
    found = fit.found
    gain = _gain(points, found.squares, stays.squares, found.spread, found.inside & stays.inside)
    went, stayed = (int(np.count_nonzero(each)) for each in (gain > CLEAR, gain < -CLEAR))
    return went >= max(FEWEST_MOVED, MOST_DOUBT * stayed, share * fit.seen.telling)


def _stands(points: Points, stays: _Fit) -> bool:
    """Whether much of the picture lies where it lay, and several tiles would fit worse with a shift to any side."""
    if LEFT * stays.seen.agree < stays.seen.telling:
        return False
    found = stays.found
    squares, shifts = found.squares, points.slopes[2:] * (OFF / 2)  # slopes are over two pixels
    sure = [_gain(points, squares, each * each, found.spread, found.inside) > CLEAR for each in shifts]
    return bool(np.count_nonzero(sure[0] & sure[1]) >= FEWEST_STILL)


def _about_the_middle(motion: Motion, shape: tuple[int, ...]) -> Similarity:
    """From the later picture to the earlier one; the other way round than `_motion`, and not in steps."""
    y, x = shape[0] / 2, shape[1] / 2
    a, b = motion.a, motion.b
    back = Motion(a, b, a * x - b * y + motion.x - x, b * x + a * y + motion.y - y).inverse()
    return back.a, back.b, back.x, back.y


def _motion(at: Similarity, width: int, height: int) -> Motion:
    """From the earlier picture to the later one, about the corner, in whole steps."""
    back = Motion(*at).inverse()
    a, b = round(back.a / STEP_AB) * STEP_AB, round(back.b / STEP_AB) * STEP_AB
    x, y = width / 2, height / 2
    x, y = x + back.x - (a * x - b * y), y + back.y - (b * x + a * y)
    return Motion(a, b, round(x / STEP_XY) * STEP_XY, round(y / STEP_XY) * STEP_XY)
