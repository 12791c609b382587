"""How full zones were: the most objects in each at once, from the events of a count.

An object is in a zone from the frame in which it entered to the one before it left, or to its last box where its track ends
inside. Nobody saw that one leave: it is no longer there, and not among those that left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sightline.counts import JobCounts
from sightline.formats.timeline import FrameTimes

__all__ = ["Occupancy", "occupancy"]


@dataclass(frozen=True, slots=True)
class Occupancy:
    """A zone.

    Attributes:
        name: of the zone.
        peak: the most objects in it in one frame.
        peak_frame, peak_pts_us: the first frame with so many; None where nobody ever was inside.
        entered, left: visits that began, and those whose end was seen.
    """

    name: str
    peak: int
    peak_frame: int | None
    peak_pts_us: int | None
    entered: int
    left: int


def occupancy(counts: JobCounts, groups: Sequence[str], frames: FrameTimes) -> list[Occupancy]:
    """Every zone of a count.

    Args:
        counts: zones and their events.
        groups: names of the job's groups, in its order.
        frames: the sampled ones.
    """
    ends = {
        (name, track_id): last
        for name, group in zip(groups, counts.groups, strict=True)
        if group is not None
        for track_id, last in zip(group.track_id.tolist(), group.last_seq.tolist(), strict=True)
    }
    return [_zone(zone.name, counts, ends, frames) for zone in counts.zones]


def _zone(name: str, counts: JobCounts, ends: dict[tuple[str, int], int], frames: FrameTimes) -> Occupancy:
    steps = np.zeros(len(frames.frame) + 1, np.int64)
    inside: set[tuple[str, int]] = set()
    entered = left = 0
    for event in counts.events:
        if event.name != name or event.kind == "line":
            continue
        who = event.group, event.track_id
        if event.kind == "zone_enter":
            entered += 1
            steps[event.seq] += 1
            inside.add(who)
        else:
            left += 1
            steps[event.seq] -= 1
            inside.discard(who)
    for who in inside:
        steps[ends[who] + 1] -= 1
    within = steps[:-1].cumsum()
    at = int(within.argmax())
    if not within[at]:
        return Occupancy(name, 0, None, None, entered, left)
    return Occupancy(name, int(within[at]), int(frames.frame[at]), int(frames.pts_us[at]), entered, left)
