"""Windows: some consecutive frames of a finished run, of which only the segments in question are read.

An hour has a thousand segments of a stream; the first one of a time is found by looking into ten.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence

import numpy as np

from sightline.errors import Corrupt, Misconfigured, NotFound
from sightline.formats import ndjson, segments
from sightline.formats.ndjson import Kind, Part
from sightline.formats.segments import Segment
from sightline.jobs.recipe import Recipe
from sightline.runs.place import Place
from sightline.stages.collect import SEGMENT, segment_key
from sightline.types import FrameTable, TrackTable

__all__ = ["between", "groups_of", "parts", "records", "rows"]

STREAMS = {"tracks": "published", "detections": "detections"}


def records(
    place: Place, recipe: Recipe, kind: Kind, start_us: int, end_us: int | None, groups: Sequence[str] = ()
) -> Iterator[bytes]:
    """Tracks as they were published, or detections, as lines of `formats.ndjson`: a segment at a time.

    Args:
        place: of the run.
        recipe: of its job.
        kind: of the records.
        start_us, end_us: presentation times, the end exclusive; None for all that follow.
        groups: those wanted, in any order; none for all.

    Raises:
        Misconfigured: no such group, or no tracks: before the first line.
        Corrupt: a segment is missing or damaged.
    """
    wanted = groups_of(recipe, kind, groups)
    first, end = between(place, recipe, kind, start_us, end_us)
    return (ndjson.lines(recipe.job_id, kind, each) for each in parts(place, kind, wanted, first, end))


def groups_of(recipe: Recipe, kind: Kind, groups: Sequence[str]) -> list[str]:
    """The groups that are wanted, in the order of the job.

    Raises:
        Misconfigured: there is no such group, or the job has no tracks.
    """
    if kind == "tracks" and not recipe.tracked:
        raise Misconfigured("this job has detections and no tracks: ask for them", code="no_tracks")
    strange = [name for name in groups if name not in recipe.class_ids]
    if strange:
        raise Misconfigured(
            f"there is no group {strange[0]!r}; there are {', '.join(recipe.class_ids)}", code="no_group"
        )
    return [name for name in recipe.class_ids if not groups or name in groups]


def between(place: Place, recipe: Recipe, kind: Kind, start_us: int, end_us: int | None) -> tuple[int, int]:
    """The sampled frames from one time to another: seq of the first, and behind the last."""
    group = next(iter(recipe.class_ids))
    first = _seq_at(place, recipe, kind, group, start_us)
    end = recipe.sampled if end_us is None else _seq_at(place, recipe, kind, group, end_us)
    return first, max(first, end)


def parts(place: Place, kind: Kind, groups: Sequence[str], first: int, end: int) -> Iterator[list[Part]]:
    """Frames `first` to `end`, a segment at a time; of each a part for every group.

    Raises:
        Corrupt: a segment is missing or damaged.
    """
    for number in range(first // SEGMENT, -(-end // SEGMENT) if end > first else 0):
        yield [_cut(name, _segment(place, kind, name, number), first, end) for name in groups]


def rows(place: Place, kind: Kind, group: str, first: int, end: int) -> TrackTable:
    """The boxes of a group in frames `first` to `end`."""
    found = [part.rows for each in parts(place, kind, [group], first, end) for part in each]
    return TrackTable.concatenate(found) if found else TrackTable.empty()


def _seq_at(place: Place, recipe: Recipe, kind: Kind, group: str, time_us: int) -> int:
    """Seq of the first frame at a time or behind it."""
    count = -(-recipe.sampled // SEGMENT)

    def begins(number: int) -> int:
        return int(_segment(place, kind, group, number).frames.pts_us[0])

    number = max(0, bisect_right(range(count), time_us, key=begins) - 1)
    if number >= count:
        return 0
    found = int(np.searchsorted(_segment(place, kind, group, number).frames.pts_us, time_us))
    return number * SEGMENT + found


def _segment(place: Place, kind: Kind, group: str, number: int) -> Segment:
    key = segment_key("", f"{STREAMS[kind]}:{group}", number * SEGMENT)
    try:
        return segments.decode(place.read(key), key)
    except NotFound as error:
        raise Corrupt(f"{place.name}: {error}; the run is incomplete") from error


def _cut(group: str, segment: Segment, first: int, end: int) -> Part:
    """What of a segment lies between two frames."""
    if segment.rows is None:
        raise Corrupt(f"segment of kind {segment.kind} has no rows")
    low, high = max(first - segment.first_seq, 0), min(end - segment.first_seq, len(segment.frames))
    frames, table = segment.frames, segment.rows
    cut = FrameTable(
        frames.frame[low:high], frames.pts_us[low:high], frames.outcome[low:high], frames.reason[low:high]
    )
    begin, behind = np.searchsorted(table.seq, [segment.first_seq + low, segment.first_seq + high])
    return Part(group, segment.first_seq + low, cut, table[int(begin) : int(behind)])
