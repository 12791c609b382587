"""Verify: the account of every frame and the hash of every file of a finished run, counted again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from sightline.errors import NotFound, Rejected, SightlineError, Words, as_keyword
from sightline.formats import run_folder
from sightline.jobs.files import RUN_JSON
from sightline.ports import Job, ObjectStore, Stat
from sightline.runs.load import find_runs, load_result, read_run_json
from sightline.runs.place import Place, in_folder, of_job
from sightline.stages.publish import published_anchors
from sightline.types import JobResult, TrackTable
from sightline.vision.counting import count_job, cumulative

__all__ = ["Verdict", "verify", "verify_job", "verify_place"]

# `sightline render` adds a video to a finished run, or was killed while it did; a service keeps the index of the source.
NOT_LISTED = frozenset(
    {"run.json", "index.bin", "timing.json", "log.ndjson", "annotated.mp4", ".annotated.mp4.part", ".lock"}
)


@dataclass(frozen=True)
class Verdict:
    """What was found in one run folder.

    Attributes:
        name: of the run's folder, or whatever its place is called.
        frames, files: how many were checked.
        problems: what is wrong, a line each; none means that the run is whole.
    """

    name: str
    frames: int
    files: int
    problems: tuple[str, ...]


def verify(path: Path, words: Words = as_keyword) -> list[Verdict]:
    """Check a run folder, or every one below `path`; `words` says settings that a problem names.

    Raises:
        NotFound: no finished run is there.
    """
    return [verify_place(in_folder(folder), words) for folder in find_runs(path)]


def verify_place(place: Place, words: Words = as_keyword) -> Verdict:
    """Check one run, wherever it lies."""
    try:
        run = read_run_json(place)
    except Rejected as error:
        return Verdict(place.name, 0, 0, (error.phrased(words),))
    problems = [*_files(place, run["files"]), *_more(place, run["files"])]
    frames = 0
    try:
        result, _ = load_result(place)
        frames = len(result.frames)
        wrong = [*_account(result, run)]
        # Of tracks that cannot be, nobody can say where they stood.
        problems += wrong or _anchors(place, result, run["files"])
    except SightlineError as error:
        problems.append(error.phrased(words))
    return Verdict(place.name, frames, len(run["files"]), tuple(dict.fromkeys(problems)))


def verify_job(objects: ObjectStore, job: Job, words: Words = as_keyword) -> Verdict:
    """Check the result of a job, and that its row points to the `run.json` that is there.

    Raises:
        NotFound: it has none.
    """
    place = of_job(objects, job)
    found = verify_place(place, words)
    pointed, stored = Stat(int(job.result["bytes"]), str(job.result["sha256"])), _stored(place, RUN_JSON)
    if stored in (None, pointed):
        return found
    changed = f"{RUN_JSON}: its sha256 is not the one in the row of the job; it was changed"
    return replace(found, problems=(changed, *found.problems))


def _stored(place: Place, name: str) -> Stat | None:
    try:
        return place.stat(name)
    except NotFound:
        return None


def _files(place: Place, listed: Mapping[str, Any]) -> Iterator[str]:
    for name, expected in sorted(listed.items()):
        stored = _stored(place, name)
        if stored is None:
            yield f"{name}: missing"
        elif stored.size != expected["bytes"]:
            yield f"{name}: {stored.size} bytes, run.json says {expected['bytes']}"
        elif stored.sha256 != expected["sha256"]:
            yield f"{name}: its sha256 is not the one in run.json; it was changed"


def _more(place: Place, listed: Mapping[str, Any]) -> Iterator[str]:
    """What lies in a folder and is of no run; what else a store holds is not the run's."""
    if place.path is None:
        return
    for path in sorted(place.path.rglob("*")):
        name = path.relative_to(place.path).as_posix()
        known = name in listed or name in NOT_LISTED or name.startswith(".partial/")
        if path.is_file() and not known:
            yield f"{name}: not in run.json"


def _account(result: JobResult, run: Mapping[str, Any]) -> Iterator[str]:
    account = run["frames"]
    counted = run_folder.frames_of(result.frames, account["total"])
    for name in ("sampled", "ok", "failed", "skipped"):
        if getattr(counted, name) != account[name]:
            yield f"frames: {getattr(counted, name)} {name} in the segments, run.json says {account[name]}"
    if not (np.all(np.diff(result.frames.frame) > 0) and np.all(np.diff(result.frames.pts_us) > 0)):
        yield "frames: numbers or times do not rise"
    for group in result.groups:
        for what, table in (("detections", group.detections), ("tracks", group.tracks)):
            if table is not None:
                yield from _rows(group.name, what, table, len(result.frames))
        if group.tracks is not None and group.unique is not None:
            again = cumulative(result.frames, group.tracks, result.min_hits)
            if not np.array_equal(again, group.unique):
                yield f"{group.name}: {int(group.unique[-1])} counted, {int(again[-1])} when counted again"


def _anchors(place: Place, result: JobResult, listed: Mapping[str, Any]) -> Iterator[str]:
    """Anchors that are not those of the published tracks; older runs have none."""
    for name, chunks in published_anchors(result, count_job(result)):
        try:
            same = name not in listed or _stored(place, name) in (None, Stat.of(chunks))
        except ValueError:  # damaged tracks, of which there are no anchors
            same = False
        if not same:
            yield f"{name}: not where its published tracks stood; restore it or the tracks from a copy"


def _rows(group: str, what: str, table: TrackTable, frames: int) -> Iterator[str]:
    if len(table) and not 0 <= table.seq.min() <= table.seq.max() < frames:
        yield f"{group}: {what} of frames that do not exist"
    if np.any(np.diff(table.seq) < 0):
        yield f"{group}: {what} are not in order"
    if what == "tracks" and len(np.unique(np.column_stack([table.seq, table.track_id]), axis=0)) != len(
        table
    ):
        yield f"{group}: a track has two boxes in one frame"
