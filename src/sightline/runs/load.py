"""Finished runs: a folder back into the result that made it, without inference."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

from sightline.camera import CameraPath
from sightline.errors import Corrupt, InvalidFile, NotFound
from sightline.formats import camera_bin
from sightline.formats.run_folder import VERSION, decode_run
from sightline.formats.text import since_1970
from sightline.jobs.derived import facts_from
from sightline.jobs.files import RUN_JSON
from sightline.runs.place import Place
from sightline.settings.words import clock_time
from sightline.stages.collect import segment_keys
from sightline.stages.publish import CAMERA_KEY, Facts, result_of
from sightline.types import JobResult

__all__ = [
    "camera_of",
    "clock_start_of",
    "facts_in",
    "find_runs",
    "load_result",
    "names_of",
    "newer",
    "read_run_json",
]


def find_runs(path: Path) -> list[Path]:
    """The run folders at or below `path`: itself, or one per video in the natural order of names.

    Raises:
        NotFound: there is none; the message says whether a run is unfinished.
    """
    if (path / "run.json").is_file():
        return [path]
    if not path.is_dir():
        raise NotFound(f"{path}: no such run folder")
    found = sorted((folder.parent for folder in path.glob("*/run.json")), key=_natural)
    if found:
        return found
    unfinished = (path / ".partial").is_dir() or any(path.glob("*/.partial"))
    hint = "its run is unfinished: repeat the command that began it" if unfinished else "no run.json in it"
    raise NotFound(f"{path}: {hint}")


def _natural(folder: Path) -> list[str | int]:
    """Order of names in which 10 comes after 9."""
    parts = re.split(r"([0-9]+)", folder.name)
    return [int(part) if place % 2 else part for place, part in enumerate(parts)] + [folder.name]


def read_run_json(place: Place) -> dict[str, Any]:
    """`run.json` of a finished run.

    Raises:
        NotFound: there is none.
        InvalidFile: it is damaged, or of a newer version (code `file_version`).
    """
    path = f"{place.name}/{RUN_JSON}"
    try:
        blob = place.read(RUN_JSON)
        run: dict[str, Any] = json.loads(blob)
        version = run["v"]
    except NotFound as error:
        raise NotFound(
            f"{place.name}: no run.json; the run is unfinished or this is no run folder"
        ) from error
    except OSError as error:
        raise InvalidFile(path, reason=f"cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InvalidFile(path, reason="not the run.json of a run") from error
    if version != VERSION:
        raise newer(path, version, VERSION)
    try:
        decode_run(blob, path)
    except Corrupt as error:
        raise InvalidFile(path, reason=f"not the run.json of a run: {error.__cause__}") from error
    return run


def newer(path: str, version: object, known: int) -> InvalidFile:
    """A file of a run that only a newer program can read."""
    reason = f"version {version}, this program reads {known}; use a newer program"
    return InvalidFile(path, reason=reason, code="file_version")


def load_result(place: Place, *, published: bool = True) -> tuple[JobResult, dict[str, Any]]:
    """The result of a finished run, from its segments, and its `run.json`.

    Args:
        place: of the run.
        published: tracks as they were published; False: refined again from the raw ones, with the verdicts on them and
            the riders.

    Raises:
        NotFound: no finished run is here.
        Corrupt: a segment is missing or damaged.
        InvalidFile: `run.json` cannot be read.
    """
    run = read_run_json(place)
    facts, streams = facts_in(place, run), _streams(run, published=published)
    frames = int(run["frames"]["sampled"])

    def blobs() -> Iterator[tuple[str, list[bytes]]]:
        for stream in streams:
            yield stream, [place.read(key) for key in segment_keys("", stream, frames)]

    try:
        return result_of(facts, blobs(), camera_of(place, run)), run
    except NotFound as error:
        raise Corrupt(f"{place.name}: {error}; the run folder is incomplete") from error


def camera_of(place: Place, run: Mapping[str, Any]) -> CameraPath | None:
    """Where the camera of a run looked; None where it is not known to have moved.

    Raises:
        Corrupt: the file is missing, damaged or of another video.
    """
    if CAMERA_KEY not in run["files"]:
        return None
    try:
        path = camera_bin.decode(place.read(CAMERA_KEY), CAMERA_KEY)
    except NotFound as error:
        raise Corrupt(f"{place.name}: {error}; the run folder is incomplete") from error
    if len(path) != run["frames"]["sampled"]:
        raise Corrupt(f"{place.name}: {CAMERA_KEY} is of another video; restore it from a copy")
    return path


def facts_in(place: Place, run: Mapping[str, Any]) -> Facts:
    """What a result needs besides its segments, from the `run.json` of a place.

    Raises:
        InvalidFile: its settings are not those of a run.
    """
    try:
        return facts_of(run)
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidFile(
            f"{place.name}/{RUN_JSON}", reason=f"its settings are not those of a run: {error!r}"
        ) from error


def facts_of(run: Mapping[str, Any]) -> Facts:
    """What a result needs besides its segments, from `run.json`."""
    settings, source = run["settings"], run["source"]
    labels = tuple(run["model"]["labels"])
    start = clock_start_of(run)
    return facts_from(
        settings,
        video_id=run["video_id"],
        job_id=run["job_id"],
        created_at_us=0 if start is None else since_1970(start),
        clock_start=start,
        rate=Fraction(source["rate"]),
        size=(source["width"], source["height"]),
        labels=labels,
        class_ids={
            each["name"]: tuple(labels.index(label) for label in each["labels"])
            for each in settings["groups"]
        },
    )


def names_of(run: Mapping[str, Any]) -> tuple[str, ...]:
    """What a file of shapes may call the video of a run: its `video_id`, its file's name with and without the ending."""
    name = str(run["source"]["name"])
    short = (name,) if run["source"]["kind"] == "images" else (name, Path(name).stem)
    return str(run["video_id"]), *short


def clock_start_of(run: Mapping[str, Any]) -> datetime | None:
    """Clock time of frame 0. Older runs call it `created_at`, and 1970 where nobody said it."""
    written = run.get("clock_start", run.get("created_at"))
    return None if written in (None, "1970-01-01T00:00:00Z") else clock_time(written)


def _streams(run: Mapping[str, Any], *, published: bool) -> list[str]:
    kinds = ["detections"]
    if run["settings"]["tracker"] is not None:
        kinds += ["tracks", "totals", "published"] if published else ["tracks", "totals"]
    return [f"{kind}:{group['name']}" for group in run["settings"]["groups"] for kind in kinds]
