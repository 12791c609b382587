"""What of finished runs is doubtful: the rows of `summary.json` that somebody should look at."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sightline.errors import InvalidFile, NotFound
from sightline.formats.summary import VERSION
from sightline.runs.load import find_runs, newer, read_run_json
from sightline.runs.place import Place, in_folder

__all__ = ["Doubtful", "doubtful", "doubtful_in"]


@dataclass(frozen=True, slots=True)
class Doubtful:
    """An object that was counted, or a track that was refused, with what is doubtful of it.

    Attributes:
        video_id, group, track_id, label: which; no label where it was refused.
        from_s, to_s: when it was in view, seconds of the video.
        counted: whether it counts.
        why: by what it is an object, or the first reason against it.
        doubts: short, near, gap, linked, split; see docs/counting.md.
    """

    video_id: str
    group: str
    track_id: int
    label: str
    from_s: float
    to_s: float
    counted: bool
    why: str
    doubts: tuple[str, ...]


def doubtful(paths: Sequence[Path]) -> list[Doubtful]:
    """The doubtful rows of runs, by the time at which they came into view.

    Args:
        paths: run folders, or folders of whole commands.

    Raises:
        NotFound: no finished run is there, or it has no `summary.json` with objects.
        InvalidFile: a file cannot be read.
    """
    return [row for path in paths for folder in find_runs(path) for row in doubtful_in(in_folder(folder))]


def doubtful_in(place: Place) -> list[Doubtful]:
    """The doubtful rows of one run; see `doubtful`."""
    video_id = str(read_run_json(place)["video_id"])
    path = f"{place.name}/summary.json"
    try:
        blob = place.read("summary.json")
    except NotFound as error:
        raise NotFound(
            f"{place.name}: no summary.json; the run has no tracker, or the file was removed"
        ) from error
    try:
        summary = json.loads(blob)
        if summary["v"] != VERSION:
            raise newer(path, summary["v"], VERSION)
        if "objects" not in summary:
            raise NotFound(f"{path}: it does not say what is doubtful; repeat the run with this release")
        return sorted(
            _read(video_id, summary["objects"]), key=lambda row: (row.from_s, row.group, row.track_id)
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidFile(path, reason="not the summary.json of a run") from error


def _read(video_id: str, objects: Sequence[dict[str, object]]) -> Iterator[Doubtful]:
    for row in objects:
        doubts = row["doubts"]
        if not isinstance(doubts, list):
            raise TypeError("doubts")
        if doubts:
            counted = "why" in row
            yield Doubtful(
                video_id,
                str(row["group"]),
                int(str(row["id"])),
                str(row.get("label", "")),
                float(str(row["from"])),
                float(str(row["to"])),
                counted,
                str(row["why" if counted else "refused"]),
                tuple(str(doubt) for doubt in doubts),
            )
