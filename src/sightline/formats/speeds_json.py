"""`speeds.json`: an object with an entry of `runs` for each video: groups with their roses, objects, and crossings of lines.

Fields of objects and crossings are those of `formats.speed_table`; `rose` has how many headings there are of each direction in the
picture. `unplaced`, where the camera moved and could not be followed, says of what nothing is known, from which frame on and how long.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any

import msgspec

from sightline.formats.speed_table import (
    DIRECTIONS,
    Measured,
    SpeedRow,
    by_group,
    by_line,
    passage_fields,
    unfollowed,
    way_fields,
)

__all__ = ["files", "plain"]


def files(runs: Iterable[Measured]) -> Iterator[tuple[str, Iterable[bytes]]]:
    """`speeds.json`."""
    whole = {"v": 1, "runs": [plain(run) for run in runs]}
    yield "speeds.json", (msgspec.json.format(msgspec.json.encode(whole), indent=2) + b"\n",)


def plain(run: Measured) -> dict[str, Any]:
    """One run, JSON values only."""
    start = run.video.clock_start
    whole: dict[str, Any] = {
        "video_id": run.video.video_id,
        "clock_start": None if start is None else start.isoformat(),
        "groups": [_row(row) for row in by_group(run)],
        "lines": [{"name": row.line, "direction": row.direction} | _row(row) for row in by_line(run)],
        "objects": [way_fields(run, way) for way in run.speeds.ways],
        "crossings": [passage_fields(run, passage) for passage in run.speeds.passages],
    }
    lost = [asdict(span) for span in unfollowed(run)]
    return whole | {"unplaced": lost} if lost else whole


def _row(row: SpeedRow) -> dict[str, Any]:
    speeds = {
        name: None if value is None else round(value, 2)
        for name, value in asdict(row).items()
        if name.endswith("_kmh")
    }
    counts = {"group": row.group, "objects": row.objects, "measured": row.measured}
    return counts | speeds | {"rose": dict(zip(DIRECTIONS, row.rose, strict=True))}
