"""Counts by bins of time: how many objects were counted first, crossed a line, entered or left a zone in each.

Bins lie on the clock: with 15 minutes 07:00 to 07:15, 07:15 to 07:30, laid from midnight of the first day in the offset of
the start time; without a start time from the begin of the video. The first one may begin before the video, the last one
end after it: `covered_us` says how much of a bin there was to look at. Every series has a row in every bin, zeros too.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from sightline.arrays import IntArray
from sightline.counts import TrackCounts
from sightline.errors import Misconfigured
from sightline.formats.timeline import CountedJob, Filmed, GroupClasses, Timeline

__all__ = ["BinCount", "Bins", "bin_counts", "bins_of", "group_labels", "parse_bins"]

UNITS = {
    "s": 1, "sec": 1, "second": 1, "seconds": 1,
    "m": 60, "min": 60, "minute": 60, "minutes": 60,
    "h": 3600, "hour": 3600, "hours": 3600,
}  # fmt: skip
LONGEST_US = 366 * 86_400_000_000
SPAN = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]+)")

Series = tuple[str, str, str, str, str]


@dataclass(frozen=True, slots=True)
class BinCount:
    """One number of `counts.csv`.

    Attributes:
        start_us, end_us: of the bin on the timeline, end exclusive; the first one may begin below 0.
        covered_us: how much of it lies between the first frame and the end of the last one.
        kind: `unique` (counted first in this bin), `line`, `zone_enter` or `zone_exit`.
        name, direction: of the line or zone, else empty.
        group, label: whose; the label by vote.
        count: how many.
    """

    start_us: int
    end_us: int
    covered_us: int
    kind: str
    name: str
    direction: str
    group: str
    label: str
    count: int


@dataclass(frozen=True, slots=True, eq=False)
class Bins:
    """Bins of one length on a timeline, in microseconds.

    Attributes:
        begins: int64 (B,), rising.
        length: of each.
        covered: int64 (B,), how much of each there is to look at.
        places: for each job of the timeline int64 (F,), the bin of each of its frames.
    """

    begins: IntArray
    length: int
    covered: IntArray
    places: tuple[IntArray, ...]

    def __iter__(self) -> Iterator[tuple[int, int, int]]:
        """Begin, end and how much is covered of each."""
        for begin, covered in zip(self.begins.tolist(), self.covered.tolist(), strict=True):
            yield begin, begin + self.length, covered


def parse_bins(text: str) -> int:
    """Length of a bin in microseconds.

    Raises:
        Misconfigured: no number with a unit, less than a second, or more than a year.

    >>> parse_bins("15m") == parse_bins("15min") == parse_bins("0.25 h") == parse_bins("900s")
    True
    """
    match = SPAN.fullmatch(text.strip().lower())
    if match is None or match[2] not in UNITS:
        raise Misconfigured(f"bins {text!r}: give a number and a unit: 10s, 15m (or 15min), 1h")
    length = Fraction(match[1]) * UNITS[match[2]] * 1_000_000
    if length < 1_000_000 or length.denominator != 1:
        raise Misconfigured(f"bins {text!r}: a bin is a second or longer, in whole microseconds")
    if length > LONGEST_US:
        raise Misconfigured(f"bins {text!r}: a bin is a year at most; leave it out for one over all")
    return int(length)


def group_labels(result: Filmed, group: GroupClasses, counts: TrackCounts) -> list[str]:
    """Labels of a group by class; last any other that its tracks have."""
    others = set(counts.class_id.tolist()) - set(group.class_ids)
    return list(dict.fromkeys(result.labels[number] for number in [*group.class_ids, *sorted(others)]))


def bin_counts(timeline: Timeline, bin_us: int | None = None) -> Iterator[BinCount]:
    """Count by bins.

    Args:
        timeline: counted jobs.
        bin_us: length of a bin; None: one bin from the first frame to the end of the last one.

    Yields:
        Rows by bin, then kind, line or zone as given, direction, the group's place, and class; none without frames.
        A bin in which there is nothing to look at, between files, has no rows.
    """
    bins = bins_of(timeline, bin_us)
    if not len(bins.begins):
        return
    table = _series(timeline, bins.places, len(bins.begins))
    for number, (begin, end, covered) in enumerate(bins):
        for series, counts in table.items():
            yield BinCount(begin, end, covered, *series, int(counts[number]))


def bins_of(timeline: Timeline, bin_us: int | None = None) -> Bins:
    """The bins of a timeline that hold a frame; see `bin_counts`."""
    spans = timeline.spans_us()
    times = [job.start_us + job.result.frames.pts_us for job in timeline.jobs]
    none = np.zeros(0, np.int64)
    if not any(map(len, times)):
        return Bins(none, 0, none, tuple(times))
    if bin_us is None:
        origin, length = spans[0][0], spans[-1][1] - spans[0][0]
    else:
        origin, length = timeline.grid_us, bin_us
    places = [(time - origin) // length for time in times]
    numbers = np.unique(
        np.concatenate([np.arange(place[0], place[-1] + 1) for place in places if len(place)])
    )
    begins = origin + numbers * length
    within = tuple(np.searchsorted(numbers, place) for place in places)
    return Bins(begins, length, _covered(begins, length, spans), within)


def _covered(begins: IntArray, length: int, spans: Iterable[tuple[int, int]]) -> IntArray:
    """How much of each bin there is to look at, microseconds."""
    covered = np.zeros(len(begins), np.int64)
    for begin, end in spans:
        covered += np.maximum(np.minimum(begins + length, end) - np.maximum(begins, begin), 0)
    return covered


def _series(timeline: Timeline, places: Sequence[IntArray], bins: int) -> dict[Series, IntArray]:
    """Numbers of each (kind, name, direction, group, label), an array over all bins.

    Args:
        timeline: counted jobs.
        places: the bin of each frame, for each job.
        bins: how many there are.
    """
    every = [job.counts for job in timeline.jobs]
    kinds = [("unique", "", "")]
    kinds += [
        ("line", line.name, direction)
        for counts in every
        for line in counts.lines
        for direction in line.directions
    ]
    kinds += [
        (kind, zone.name, "")
        for counts in every
        for zone in counts.zones
        for kind in ("zone_enter", "zone_exit")
    ]
    labels = [
        (group.name, label)
        for job in timeline.jobs
        for group, tracks in zip(job.result.groups, job.counts.groups, strict=True)
        if tracks is not None
        for label in group_labels(job.result, group, tracks)
    ]
    table = {(*kind, *label): np.zeros(bins, np.int64) for kind in kinds for label in labels}
    for job, place in zip(timeline.jobs, places, strict=True):
        _add(table, job, place)
    return table


def _add(table: dict[Series, IntArray], job: CountedJob, place: IntArray) -> None:
    """Add what was counted in one job."""
    result = job.result
    for group, tracks in zip(result.groups, job.counts.groups, strict=True):
        if tracks is not None:
            counted, at = tracks.class_id[tracks.counted], place[tracks.counted_seq[tracks.counted]]
            for number in np.unique(counted).tolist():
                series = table["unique", "", "", group.name, result.labels[number]]
                series += np.bincount(at[counted == number], minlength=len(series))
    bins = place.tolist()
    happened = Counter(
        (event.kind, event.name, event.direction, event.group, event.label, bins[event.seq])
        for event in job.counts.events
    )
    for (kind, name, direction, group_name, label, at_bin), count in happened.items():
        table[kind, name, direction, group_name, label][at_bin] += count
