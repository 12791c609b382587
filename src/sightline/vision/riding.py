"""Who rides: people of whom a finished job shows that they sit on a two-wheeler, which counts as one road user with them.

A detector gives a cyclist two boxes, a person's and a bicycle's, which come and go independently; one frame proves
nothing. So it is decided per pair of tracks, over all frames in which both were matched with a detection:

1. Sits: the person's feet are in the two-wheeler's box, most of the narrower box's width lies over the other, and the
   person is as tall as one who sits on it (`_sits`). It has to be so in most of these frames.
2. Together: in the frames in which the person sits, both travel, and the person stays in its place over the two-wheeler
   (`_together`). Nobody rides a parked one.
3. Often: all two-wheelers that the person rides by 1 and 2 were seen under the person in a good part of its own frames.

Our own rule; its limits are parts of the boxes' sizes, so that they hold at any resolution (docs/counting.md). A pure function of the tables: ids break ties, and nothing depends on the order of rows.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sightline.arrays import BoolArray, FloatArray, IntArray
from sightline.types import Origin, TrackTable

__all__ = ["RIDING_VERSION", "riders"]


RIDING_VERSION = 1

# Sits: parts of the two-wheeler's height and of the narrower box's width.
HIGHEST_FEET, LOWEST_FEET = 0.3, 1.15  # below its upper edge
OVER = 0.6
SHORTEST, TALLEST = 0.5, 3.0
LOWEST_HEAD = 0.4  # below its upper edge
# Shares of frames.
SITTING, SEEN = 0.6, 0.25
LEAST_FRAMES = 3
# Together: parts of the two-wheeler's size, between the tenth and the ninetieth percentile of the frames. Boxes of a few
# pixels tremble by much of their size, so who rides far may sway by a part of the way.
TRAVEL, SWAY, SWAY_OF_TRAVEL = 0.75, 0.4, 0.15
MIDDLE = (0.1, 0.9)


def riders(people: TrackTable, two_wheelers: TrackTable, min_hits: int) -> dict[int, int]:
    """The people who ride, and what.

    Args:
        people, two_wheelers: published tracks of the two groups of one job, any order. Rows that no detection matched
            (births, filled gaps) are left out.
        min_hits: frames that a two-wheeler must be matched in, so that it counts: one that does not takes nobody out of
            the count.

    Returns:
        Track id of each person who rides, rising, with the track id of the two-wheeler under it in most frames; equal
        numbers go to the nearer one, then to the lower id. Several people may ride one.
    """
    people, two_wheelers = _matched(people), _long(_matched(two_wheelers), min_hits)
    if not len(people) or not len(two_wheelers):
        return {}
    found: dict[int, int] = {}
    for person, rows in _tracks(people):
        mine = people[rows]
        ridden = sorted(_ridden(mine, two_wheelers))
        frames: set[int] = set().union(*(under for *_, under in ridden))
        if len(frames) >= max(LEAST_FRAMES, SEEN * len(mine)):
            found[person] = ridden[0][2]
    return found


def _ridden(person: TrackTable, two_wheelers: TrackTable) -> Iterator[tuple[int, float, int, frozenset[int]]]:
    """Each two-wheeler that one person rides: frames on it, negative; distance; id; seq of those frames."""
    first, end = np.searchsorted(two_wheelers.seq, [person.seq[0], person.seq[-1] + 1])
    meanwhile = two_wheelers[int(first) : int(end)]
    met = meanwhile[np.isin(meanwhile.seq, person.seq)]
    for track_id, rows in _tracks(met):
        other = met[rows]
        box, under = person.xyxy[np.searchsorted(person.seq, other.seq)], other.xyxy
        sits = _sits(box, under)
        if sits.mean() < SITTING or not _together(box[sits], under[sits]):
            continue
        on = frozenset(other.seq[sits].tolist())
        yield -len(on), float(np.median(np.abs(_middle(box) - _middle(under))[sits])), track_id, on


def _sits(person: FloatArray, under: FloatArray) -> BoolArray:
    """Whether a person's box is where that of a rider would be, bool (N,), of boxes xyxy (N, 4) in the same frames."""
    height = np.maximum(under[:, 3] - under[:, 1], 1.0)
    narrower = np.minimum(person[:, 2] - person[:, 0], under[:, 2] - under[:, 0])
    shared = np.minimum(person[:, 2], under[:, 2]) - np.maximum(person[:, 0], under[:, 0])
    feet = (person[:, 3] - under[:, 1]) / height
    head = (person[:, 1] - under[:, 1]) / height
    tall = (person[:, 3] - person[:, 1]) / height
    fits: BoolArray = (
        (shared >= OVER * narrower)
        & (feet >= HIGHEST_FEET)
        & (feet <= LOWEST_FEET)
        & (head <= LOWEST_HEAD)
        & (tall >= SHORTEST)
        & (tall <= TALLEST)
    )
    return fits


def _together(person: FloatArray, under: FloatArray) -> bool:
    """Whether two boxes, xyxy (N, 4) in rising frames, travel and keep their places to each other."""
    if len(person) < LEAST_FRAMES:
        return False
    size = np.sqrt(np.maximum((under[:, 2:] - under[:, :2]).prod(axis=1), 1.0))
    feet, wheels = _feet(person), _feet(under)
    travelled = min(_spread(feet), _spread(wheels)) / np.median(size)
    sway = _spread((feet - wheels) / size[:, None])
    return bool(travelled >= TRAVEL and sway <= max(SWAY, SWAY_OF_TRAVEL * travelled))


def _feet(boxes: FloatArray) -> FloatArray:
    """Middle of the lower edge, (N, 2)."""
    return np.stack((_middle(boxes), boxes[:, 3]), axis=1)


def _middle(boxes: FloatArray) -> FloatArray:
    middle: FloatArray = (boxes[:, 0] + boxes[:, 2]) / 2
    return middle


def _spread(points: FloatArray) -> float:
    """How far apart most points lie: the diagonal of their middle four fifths."""
    low, high = np.quantile(points, MIDDLE, axis=0)
    return float(np.hypot(*(high - low)))


def _matched(tracks: TrackTable) -> TrackTable:
    return tracks[tracks.origin <= Origin.LOW].sorted()


def _long(tracks: TrackTable, min_hits: int) -> TrackTable:
    ids, place, hits = np.unique(tracks.track_id, return_inverse=True, return_counts=True)
    return tracks[hits[place] >= min_hits] if len(ids) else tracks


def _tracks(tracks: TrackTable) -> Iterator[tuple[int, IntArray]]:
    """Each track with its rows, rising by seq."""
    order = np.argsort(tracks.track_id, kind="stable")
    ids, starts, lengths = np.unique(tracks.track_id[order], return_index=True, return_counts=True)
    for track_id, start, length in zip(ids.tolist(), starts.tolist(), lengths.tolist(), strict=True):
        yield track_id, order[start : start + length]
