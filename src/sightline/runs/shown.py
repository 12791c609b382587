"""What runs and counts look like in a console, in a notebook and as tables."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any

import msgspec
import numpy as np

from sightline.counts import Event
from sightline.formats.count_bins import BinCount
from sightline.formats.timeline import Filmed
from sightline.types import JobResult, Origin, TrackTable

__all__ = ["bin_columns", "event_columns", "listed", "series", "table", "track_columns"]


def listed(counts: Mapping[str, int]) -> str:
    """Counts in a line.

    >>> listed({"car": 1394, "person": 31}), listed({})
    ('car 1,394, person 31', 'nothing counted')
    """
    return ", ".join(f"{name} {count:,}" for name, count in counts.items()) or "nothing counted"


def table(caption: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """An HTML table; numbers stand on the right.

    >>> table("a & b", ["label", "count"], [["car", 3]])
    '<table><caption>a &amp; b</caption><tr><th>label</th><th>count</th></tr><tr><td>car</td><td style="text-align:right">3</td></tr></table>'
    """
    head = "".join(f"<th>{html.escape(column)}</th>" for column in columns)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    return f"<table><caption>{html.escape(caption)}</caption><tr>{head}</tr>{body}</table>"


def _cell(value: object) -> str:
    if isinstance(value, int):
        return f'<td style="text-align:right">{value:,}</td>'
    return f"<td>{html.escape(str(value))}</td>"


def series(bins: Iterable[BinCount]) -> Counter[tuple[str, ...]]:
    """What was counted over all bins, by kind, name, direction and label; what never happened is left out."""
    totals: Counter[tuple[str, ...]] = Counter()
    for row in bins:
        totals[row.kind, row.name, row.direction, row.label] += row.count
    return +totals


def bin_columns(video_id: str, bins: Sequence[BinCount]) -> dict[str, Any]:
    """Columns of the rows of `counts.csv`, times in microseconds."""
    names = [field.name for field in fields(BinCount)]
    return {"video_id": [video_id] * len(bins)} | {n: [getattr(row, n) for row in bins] for n in names}


def event_columns(results: Sequence[tuple[Filmed, Sequence[Event]]]) -> dict[str, Any]:
    """Columns of the rows of `events.csv`, the time of each in microseconds of its video."""
    names = ["video_id", "frame", "pts_us", *Event.__struct_fields__]
    rows = [
        {
            "video_id": result.video_id,
            "frame": int(result.frames.frame[event.seq]),
            "pts_us": int(result.frames.pts_us[event.seq]),
        }
        | msgspec.structs.asdict(event)
        for result, events in results
        for event in events
    ]
    return {name: [row[name] for row in rows] for name in names}


def track_columns(result: JobResult) -> dict[str, Any]:
    """Columns of `tracks.csv`, numbers unrounded; all groups, one after the other."""
    groups = [(group.name, group.tracks) for group in result.groups if group.tracks is not None]
    whole = TrackTable.concatenate([tracks for _, tracks in groups])
    labels = np.array(result.labels, object)
    origins = np.array([origin.name.lower() for origin in Origin], object)
    return {
        "video_id": result.video_id,
        "frame": result.frames.frame[whole.seq],
        "seq": whole.seq,
        "pts_us": result.frames.pts_us[whole.seq],
        "group": np.array([name for name, tracks in groups for _ in range(len(tracks))], object),
        "track_id": whole.track_id,
        "class_id": whole.class_id,
        "label": labels[whole.class_id],
        **{name: whole.xyxy[:, place] for place, name in enumerate(("x1", "y1", "x2", "y2"))},
        "confidence": whole.confidence,
        "origin": origins[whole.origin],
    }
