"""A counted job for tests: cars and people at 10 frames a second, a line and a zone."""

from datetime import datetime
from fractions import Fraction

import numpy as np

from sightline.counts import Event, JobCounts, Line, TrackCounts, Zone
from sightline.types import FrameTable, GroupResult, JobResult, TrackTable

LINES = (Line("north", (0, 0.5), (1, 0.5)),)
ZONES = (Zone("yard", ((0, 0), (1, 0), (1, 1))),)
LABELS = ("person", "car", "bus")


def tracks(*parts):
    """Parts (track id, class, first seq, end seq)."""
    rows = [
        (seq, track, number, (0, 0, 8, 8), 0.5, 0)
        for track, number, first, end in parts
        for seq in range(first, end)
    ]
    return TrackTable(*zip(*rows, strict=True)).sorted() if rows else TrackTable.empty()


def event(kind, name, direction, group, track_id, label, seq):
    return Event(kind, name, direction, group, track_id, label, seq, 1.25, -0.0001)


EVENTS = (
    event("line", "north", "in", "cars", 1, "car", 12),
    event("zone_enter", "yard", "", "cars", 3, "bus", 12),
    event("line", "north", "in", "people", 1, "person", 19),
    event("zone_exit", "yard", "", "cars", 3, "bus", 20),
    event("line", "north", "out", "cars", 1, "car", 29),
)


def job(**changes):
    """3 seconds from second 1 on; cars 1 and 3 count, 2 is too short; person 1 counts; signs have no tracker."""
    frames = FrameTable(np.arange(30) + 10, (np.arange(30) + 10) * 100_000, ("ok",) * 30, ("",) * 30)
    cars = tracks((1, 1, 0, 25), (2, 1, 3, 5), (3, 2, 8, 12))
    people = tracks((1, 0, 20, 24))
    none = TrackTable.empty()
    unique = np.zeros(30, int)
    groups = (
        GroupResult("cars", (1, 2), none, cars, len(np.unique(cars.track_id)), unique),
        GroupResult("people", (0,), none, people, len(np.unique(people.track_id)), unique),
        GroupResult("signs", (), none),
    )
    values = {
        "video_id": "street",
        "job_id": "j",
        "created_at_us": 0,
        "frames": frames,
        "rate": Fraction(10),
        "width": 64,
        "height": 48,
        "labels": LABELS,
        "groups": groups,
        "min_hits": 3,
        "conf": 0.25,
        "clock_start": datetime.fromisoformat("2024-05-17T00:00:00+02:00"),
    }
    return JobResult(**values | changes)


def counts(lines=LINES, zones=ZONES, events=EVENTS):
    """What counting that job gives."""
    cars = TrackCounts(
        np.array([1, 2, 3]), np.array([1, 1, 2]), np.array([25, 2, 4]), np.array([0, 3, 8]),
        np.array([24, 4, 11]), np.array([2, -1, 10]),
    )  # fmt: skip
    people = TrackCounts(*(np.array([value]) for value in (1, 0, 4, 20, 23, 22)))
    return JobCounts((cars, people, None), lines, zones, events)
