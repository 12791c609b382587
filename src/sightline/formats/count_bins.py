"""Counts by bins of time: how many objects were counted first, crossed a line, entered or left a zone in each.

Bins lie on a grid from the begin of the video: with 15 minutes, 0:00 to 0:15, 0:15 to 0:30. The last one may end
after the video. Every series has a row in every bin, zeros too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from sightline.counts import JobCounts, TrackCounts
from sightline.errors import Misconfigured
from sightline.types import GroupResult, IntArray, JobResult

__all__ = ["BinCount", "bin_counts", "group_labels", "parse_bins"]

UNITS = {
    "s": 1, "sec": 1, "second": 1, "seconds": 1,
    "m": 60, "min": 60, "minute": 60, "minutes": 60,
    "h": 3600, "hour": 3600, "hours": 3600,
}  # fmt: skip
SPAN = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]+)")

Series = tuple[str, str, str, str, str]


@dataclass(frozen=True, slots=True)
class BinCount:
    """One number of `counts.csv`.

    Attributes:
        start_us, end_us: of the bin, end exclusive.
        kind: `unique` (counted first in this bin), `line`, `zone_enter` or `zone_exit`.
        name, direction: of the line or zone, else empty.
        group, label: whose; the label by vote.
        count: how many.
    """

    start_us: int
    end_us: int
    kind: str
    name: str
    direction: str
    group: str
    label: str
    count: int


def parse_bins(text: str) -> int:
    """Length of a bin in microseconds.

    Raises:
        Misconfigured: no number with a unit, or less than a second.

    >>> parse_bins("15m") == parse_bins("15min") == parse_bins("0.25 h") == parse_bins("900s")
    True
    """
    match = SPAN.fullmatch(text.strip().lower())
    if match is None or match[2] not in UNITS:
        raise Misconfigured(f"bins {text!r}: give a number and a unit: 10s, 15m (or 15min), 1h")
    length = Fraction(match[1]) * UNITS[match[2]] * 1_000_000
    if length < 1_000_000 or length.denominator != 1:
        raise Misconfigured(f"bins {text!r}: a bin is a second or longer, in whole microseconds")
    return int(length)


def group_labels(result: JobResult, group: GroupResult, counts: TrackCounts) -> list[str]:
    """Labels of a group by class; last any other that its tracks have."""
    others = set(counts.class_id.tolist()) - set(group.class_ids)
    return list(dict.fromkeys(result.labels[number] for number in [*group.class_ids, *sorted(others)]))


def bin_counts(result: JobResult, counts: JobCounts, bin_us: int | None = None) -> Iterator[BinCount]:
    """Count by bins.

    Args:
        result: a finished job.
        counts: its counts.
        bin_us: length of a bin; None: one bin from the first frame to the end of the last one.

    Yields:
        Rows by bin, then kind, line or zone as given, direction, the group's place, and class; none without frames.
    """
    pts_us = result.frames.pts_us
    if not len(pts_us):
        return
    if bin_us is None:
        start, length = int(pts_us[0]), int(pts_us[-1] - pts_us[0]) + round(1_000_000 / result.rate)
        place = np.zeros(len(pts_us), np.int64)
    else:
        first = int(pts_us[0]) // bin_us
        start, length = first * bin_us, bin_us
        place = pts_us // bin_us - first
    table = _series(result, counts, place)
    for number in range(int(place[-1]) + 1):
        begin = start + number * length
        for series, numbers in table.items():
            yield BinCount(begin, begin + length, *series, int(numbers[number]))


def _series(result: JobResult, counts: JobCounts, place: IntArray) -> dict[Series, NDArray[np.int64]]:
    """Numbers of each (kind, name, direction, group, label), an array over all bins."""
    kinds = [("unique", "", "")]
    kinds += [("line", line.name, direction) for line in counts.lines for direction in ("in", "out")]
    kinds += [(kind, zone.name, "") for zone in counts.zones for kind in ("zone_enter", "zone_exit")]
    labels = [
        (group.name, label)
        for group, tracks in zip(result.groups, counts.groups, strict=True)
        if tracks is not None
        for label in group_labels(result, group, tracks)
    ]
    bins = int(place[-1]) + 1
    table = {(*kind, *label): np.zeros(bins, np.int64) for kind in kinds for label in labels}
    for group, tracks in zip(result.groups, counts.groups, strict=True):
        if tracks is not None:
            counted = tracks.counted
            for number, at in zip(tracks.class_id[counted], place[tracks.counted_seq[counted]], strict=True):
                table["unique", "", "", group.name, result.labels[number]][at] += 1
    for event in counts.events:
        table[event.kind, event.name, event.direction, event.group, event.label][place[event.seq]] += 1
    return table
