"""Speeds and headings of a run: by groups and by lines, how many, how fast in the middle, where to; and the fields of each row.

`heading` is in degrees clockwise from the top of the picture, `straightness` the distance from the first place to the last by the
length of the way, `speed_kmh` the speed while it moved, `error_kmh` twice its standard error, `metres` the length of the way. Each is
None where it is not known: of what stands, without a plane, or where the error is too large. Frames are numbers in the source.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sightline.counts import JobCounts, Line
from sightline.formats.text import time_of
from sightline.formats.timeline import Filmed, alone
from sightline.formats.unplaced import UnplacedSpan, unplaced
from sightline.speeds import JobSpeeds, Passage, Way

__all__ = [
    "DIRECTIONS",
    "Measured",
    "SpeedRow",
    "by_group",
    "by_line",
    "direction_of",
    "passage_fields",
    "unfollowed",
    "way_fields",
]

SECOND = 1_000_000

DIRECTIONS = ("up", "up-right", "right", "down-right", "down", "down-left", "left", "up-left")
"""Of a heading rose, clockwise from up, each 45 degrees wide about its middle."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A run, what is known of its ways, and the lines at which it was asked for."""

    video: Filmed
    speeds: JobSpeeds
    lines: tuple[Line, ...] = ()

    def moment(self, seq: int) -> tuple[int, float, str]:
        """Of a sampled frame: its number in the source, seconds, and time on the clock or from the begin."""
        pts_us = int(self.video.frames.pts_us[seq])
        return int(self.video.frames.frame[seq]), pts_us / SECOND, time_of(self.video.clock_start, pts_us)


@dataclass(frozen=True, slots=True)
class SpeedRow:
    """Objects of a group, or that crossed a line one way.

    Attributes:
        line, direction: empty for a whole group.
        group: its name.
        objects: how many.
        measured: of them those that have a speed.
        median_kmh, lower_kmh, upper_kmh: half of the speeds lie between lower and upper; None where none is known.
        error_kmh: the median of their errors.
        rose: how many have a heading of each of `DIRECTIONS`.
    """

    line: str
    direction: str
    group: str
    objects: int
    measured: int
    median_kmh: float | None
    lower_kmh: float | None
    upper_kmh: float | None
    error_kmh: float | None
    rose: tuple[int, ...]


def direction_of(heading: float) -> int:
    """Place in `DIRECTIONS`.

    >>> [DIRECTIONS[direction_of(heading)] for heading in (0, 22, 23, 90, 337.6)]
    ['up', 'up', 'up-right', 'right', 'up']
    """
    return int((heading + 22.5) % 360 // 45)


def by_group(measured: Measured) -> list[SpeedRow]:
    """A row a group, in the job's order."""
    ways = measured.speeds.ways
    return [
        _row("", "", group.name, [way for way in ways if way.group == group.name])
        for group in measured.video.groups
    ]


def by_line(measured: Measured) -> list[SpeedRow]:
    """A row for each line, direction and group that there was, sorted by their names."""
    found: dict[tuple[str, str, str], list[Passage]] = {}
    for passage in measured.speeds.passages:
        found.setdefault((passage.line, passage.direction, passage.group), []).append(passage)
    return [_row(*key, passages) for key, passages in sorted(found.items())]


def _row(line: str, direction: str, group: str, objects: Sequence[Way | Passage]) -> SpeedRow:
    headings = [each.heading for each in objects if each.heading is not None]
    rose = np.bincount([direction_of(heading) for heading in headings], minlength=len(DIRECTIONS))
    speeds = [each.speed_kmh for each in objects if each.speed_kmh is not None]
    errors = [each.error_kmh for each in objects if each.error_kmh is not None]
    lower, middle, upper = np.quantile(speeds, (0.25, 0.5, 0.75)).tolist() if speeds else (None,) * 3
    error = float(np.median(errors)) if errors else None
    return SpeedRow(
        line,
        direction,
        group,
        len(objects),
        len(speeds),
        middle,
        lower,
        upper,
        error,
        tuple(rose.tolist()),
    )


def way_fields(measured: Measured, way: Way) -> dict[str, Any]:
    """The row of an object."""
    first_frame, start_s, start_time = measured.moment(way.first_seq)
    last_frame, end_s, end_time = measured.moment(way.last_seq)
    return {
        "group": way.group,
        "track_id": way.track_id,
        "label": way.label,
        "first_frame": first_frame,
        "last_frame": last_frame,
        "start_s": start_s,
        "end_s": end_s,
        "start_time": start_time,
        "end_time": end_time,
        "heading": _heading(way.heading),
        "straightness": _rounded(way.straightness, 3),
        "speed_kmh": _rounded(way.speed_kmh, 2),
        "error_kmh": _rounded(way.error_kmh, 2),
        "metres": _rounded(way.metres, 2),
    }


def passage_fields(measured: Measured, passage: Passage) -> dict[str, Any]:
    """The row of a crossing."""
    frame, pts_s, time = measured.moment(passage.seq)
    return {
        "name": passage.line,
        "direction": passage.direction,
        "group": passage.group,
        "track_id": passage.track_id,
        "label": passage.label,
        "frame": frame,
        "pts_s": pts_s,
        "time": time,
        "heading": _heading(passage.heading),
        "speed_kmh": _rounded(passage.speed_kmh, 2),
        "error_kmh": _rounded(passage.error_kmh, 2),
    }


def unfollowed(measured: Measured) -> list[UnplacedSpan]:
    """Where nobody knows where the camera looked, and of what nothing is known then."""
    return list(unplaced(alone(measured.video, JobCounts((), unplaced=measured.speeds.unplaced))))


def _heading(value: float | None) -> float | None:
    return None if value is None else round(value, 1) % 360


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
