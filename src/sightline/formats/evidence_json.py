"""Evidence: each event of a count with where to look, as JSON; and what people said of it.

An event has an id that follows from what it is: line or zone as it was drawn, kind, direction, group, track and frame.
Counted again with the same lines it is the same; where a line was moved there are other events, and what was said of the
old ones is *stale*: it is shown and counts nothing.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import msgspec
import numpy as np

from sightline.counts import Line, Zone
from sightline.formats import geometry_json
from sightline.formats.count_bins import bins_of
from sightline.formats.counts_csv import timespec
from sightline.formats.timeline import Timeline

__all__ = ["VERSION", "Said", "Verdict", "audited", "audited_bins", "evidence", "missed_id", "shape_digest"]

VERSION: Literal[1] = 1
Said = Literal["accepted", "rejected", "missed"]
SERIES = ("kind", "name", "direction", "group", "label")
ID = 32  # hex digits


class Verdict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody said.

    Attributes:
        said: an event was right, or was none, or was missing.
        event: what it was about, as `evidence` has it; of a missing one what is known of it.
        by: name of the token; empty where none was asked for.
        at: when, RFC 3339.
    """

    v: Literal[1] = VERSION
    said: Said
    event: dict[str, Any]
    by: str
    at: str


def shape_digest(shape: Line | Zone, size: tuple[int, int]) -> str:
    """What a line or zone is: name, directions and where it lies in a picture of this size.

    >>> line = Line("n", (32, 24), (64, 24), "px")
    >>> shape_digest(line, (64, 48)) == shape_digest(line.normalised(64, 48), (640, 480))
    True
    """
    whole = shape.normalised(*size)
    drawn = (
        geometry_json.encode([whole], []) if isinstance(whole, Line) else geometry_json.encode([], [whole])
    )
    return hashlib.sha256(drawn).hexdigest()[:ID]


def evidence(timeline: Timeline, size: tuple[int, int]) -> list[dict[str, Any]]:
    """Every event of a timeline of one job, JSON values only.

    Args:
        timeline: what was counted.
        size: width and height of the picture.
    """
    (job,) = timeline.jobs
    shapes = {
        (kind, shape.name): shape_digest(shape, size)
        for kind, drawn in (("line", job.counts.lines), ("zone", job.counts.zones))
        for shape in drawn
    }
    frames = job.result.frames
    found = []
    for event in job.counts.events:
        frame, pts_us = int(frames.frame[event.seq]), int(frames.pts_us[event.seq])
        digest = shapes[event.kind.partition("_")[0], event.name]
        found.append(
            {
                "id": _id(digest, event.kind, event.direction, event.group, str(event.track_id), str(frame)),
                "shape": digest,
                "kind": event.kind,
                "name": event.name,
                "direction": event.direction,
                "group": event.group,
                "label": event.label,
                "track_id": event.track_id,
                "frame": frame,
                "pts_us": pts_us,
                "time": timeline.time(pts_us),
                "x": round(event.x, 3) + 0.0,  # no negative zero
                "y": round(event.y, 3) + 0.0,
            }
        )
    return found


def missed_id(event: Mapping[str, Any]) -> str:
    """Id of an event that somebody adds: said twice it is one."""
    keys = ("shape", "kind", "direction", "group", "label", "frame", "x", "y")
    return _id("missed", *(str(event.get(key)) for key in keys))


def audited(
    events: Sequence[Mapping[str, Any]], shapes: Iterable[str], verdicts: Mapping[str, Verdict]
) -> dict[str, Any]:
    """Events with what was said of each, and counts: raw, and as they are after that.

    Args:
        events: as `evidence` gives them.
        shapes: digests of the lines and zones that were counted.
        verdicts: by the id of their event.

    Returns:
        `events`, each with `said`, `by`, `at` (null where nobody has looked); `missed`; `stale`; and `counts`, a row a
        series: `raw` events, of them `accepted` and `rejected`, `missed` ones, `verified` = raw - rejected + missed,
        `open` = those that nobody has looked at, and `error` = (raw - verified) / verified, null where that is 0.
    """
    known, drawn = {event["id"] for event in events}, set(shapes)
    missed, stale = [], []
    for event_id, verdict in verdicts.items():
        whole = {**verdict.event, "id": event_id, **_spoken(verdict)}
        if verdict.said == "missed" and verdict.event.get("shape") in drawn:
            missed.append(whole)
        elif event_id not in known:
            stale.append(whole)
    seen = [{**event, **_spoken(verdicts.get(event["id"]))} for event in events]
    return {"events": seen, "missed": missed, "stale": stale, "counts": _rows(seen, missed)}


def audited_bins(timeline: Timeline, audit: Mapping[str, Any], bin_us: int) -> list[dict[str, Any]]:
    """The counts of an audit by bins of time: the rows of `counts` in every bin in which something happened.

    Args:
        timeline: of one job, on which bins lie as they do for counts.
        audit: of `audited`.
        bin_us: length of a bin.
    """
    (job,), bins = timeline.jobs, bins_of(timeline, bin_us)
    frames = job.result.frames.frame

    def place(event: Mapping[str, Any]) -> int:
        """The bin of the frame of an event; a missed one may be in a frame that was not sampled."""
        return int(bins.places[0][max(int(np.searchsorted(frames, event["frame"], "right")) - 1, 0)])

    sorted_in: dict[int, tuple[list[Any], list[Any]]] = {}
    for at, name in enumerate(("events", "missed")):
        for event in audit[name]:
            sorted_in.setdefault(place(event), ([], []))[at].append(event)
    every, found = list(bins), []
    for number, (seen, missed) in sorted(sorted_in.items()):
        begin, end, _ = every[number]
        span = {
            "start_s": begin / 1_000_000,
            "end_s": end / 1_000_000,
            "start_time": timeline.time(begin, timespec(bin_us)),
            "end_time": timeline.time(end, timespec(bin_us)),
        }
        found += [span | row for row in _rows(seen, missed)]
    return found


def _spoken(verdict: Verdict | None) -> dict[str, str | None]:
    if verdict is None:
        return {"said": None, "by": None, "at": None}
    return {"said": verdict.said, "by": verdict.by, "at": verdict.at}


def _rows(seen: Sequence[Mapping[str, Any]], missed: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    tables: dict[tuple[str, ...], Counter[str]] = {}
    for event in (*seen, *missed):
        row = tables.setdefault(tuple(str(event[key]) for key in SERIES), Counter())
        row[event["said"] or "open"] += 1
    return [dict(zip(SERIES, series, strict=True)) | _figures(tables[series]) for series in sorted(tables)]


def _figures(said: Counter[str]) -> dict[str, int | float | None]:
    raw = said["accepted"] + said["rejected"] + said["open"]
    verified = raw - said["rejected"] + said["missed"]
    return {
        "raw": raw,
        "accepted": said["accepted"],
        "rejected": said["rejected"],
        "missed": said["missed"],
        "open": said["open"],
        "verified": verified,
        "error": round((raw - verified) / verified, 6) if verified else None,
    }


def _id(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:ID]
