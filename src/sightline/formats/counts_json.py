"""`counts.json`: what `counts.csv` and `events.csv` say, as one object with an entry of `runs` for each video.

Zero bins are there too. `start_time` and `end_time` are those of `counts.csv`, `clock_start` is null without a start time.
`unplaced`, where the camera moved and some lines and zones could not be followed, says which, from which frame on and how long.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any

import msgspec

from sightline.formats.count_bins import bin_counts
from sightline.formats.counts_csv import timespec
from sightline.formats.timeline import Timeline
from sightline.formats.unplaced import unplaced

__all__ = ["files", "plain"]

SECOND = 1_000_000


def files(timelines: Iterable[Timeline], bin_us: int | None = None) -> Iterator[tuple[str, Iterable[bytes]]]:
    """`counts.json`; without `bin_us` each timeline is one bin."""
    whole = {"v": 1, "runs": [plain(timeline, bin_us) for timeline in timelines]}
    yield "counts.json", (msgspec.json.format(msgspec.json.encode(whole), indent=2) + b"\n",)


def plain(timeline: Timeline, bin_us: int | None = None) -> dict[str, Any]:
    """Counts and number of events of a timeline, JSON values only."""
    lost = [asdict(span) for span in unplaced(timeline)]
    whole = {
        "video_id": timeline.video_id,
        "clock_start": None if timeline.clock_start is None else timeline.clock_start.isoformat(),
        "events": sum(len(job.counts.events) for job in timeline.jobs),
        "counts": [
            {
                "start_s": row.start_us / SECOND,
                "end_s": row.end_us / SECOND,
                "start_time": timeline.time(row.start_us, timespec(bin_us)),
                "end_time": timeline.time(row.end_us, timespec(bin_us)),
                "covered_s": row.covered_us / SECOND,
                "kind": row.kind,
                "name": row.name,
                "direction": row.direction,
                "group": row.group,
                "label": row.label,
                "count": row.count,
            }
            for row in bin_counts(timeline, bin_us)
        ],
    }
    return whole | {"unplaced": lost} if lost else whole
