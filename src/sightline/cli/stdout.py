"""One format to a stream instead of a folder: `-o -`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from sightline.app.track import Ready, track
from sightline.errors import Misconfigured, setting
from sightline.runs.reports import Report
from sightline.settings import DetectOptions
from sightline.sources.named import expand
from sightline.telemetry import Hook

__all__ = ["track_to_stdout"]

CHUNK = 2**20


def track_to_stdout(
    sources: Sequence[str | Path], options: DetectOptions, hook: Hook, out: BinaryIO, *, command: str
) -> list[Report]:
    """Run one source and write one file of its results to `out`.

    Raises:
        Misconfigured: several sources or formats, one that is no text, or one that would be several files. Nothing
            was done.
    """
    if len(options.formats) > 1 or options.save_video or set(options.formats) & {"video", "parquet"}:
        raise Misconfigured(
            f"-o - writes one text format: name it with {setting('format')}, e.g. {setting('format', 'csv')}",
            code="usage",
        )
    found, _ = expand(sources)
    if len(found) > 1:
        raise _several(f"{len(found)} sources have one each: name one of them")
    texts = any(source.kind == "detections" for source in found)
    name = options.formats[0] if options.formats else "mot" if texts else "csv"
    if name == "csv-a":
        raise _several(f"csv-a has five: choose another {setting('format')}")
    with TemporaryDirectory(prefix="sightline-") as folder:
        inside = options.model_copy(update={"out": Path(folder), "formats": (name,), "keep": False})
        accept = _one_group if name == "mot" else _any_groups
        reports = track(sources, inside, hook, command=command, accept=accept)
        for report in reports:
            for path in _files(report, name):
                _copy(path, out)
    return [Report(**{**vars(report), "path": None}) for report in reports]


def _several(what: str) -> Misconfigured:
    return Misconfigured(f"-o - writes one file, {what}, or name a folder", code="usage")


def _any_groups(ready: Ready) -> None:
    """A file holds all groups."""


def _one_group(ready: Ready) -> None:
    _refuse_groups(ready.probed.source.video_id, list(ready.recipe.class_ids))


def _refuse_groups(video_id: str, groups: Sequence[str]) -> None:
    if len(groups) > 1:
        raise _several(
            f"{video_id} has one for each of {', '.join(groups)}: choose another {setting('format')}"
        )


def _files(report: Report, name: str) -> Iterator[Path]:
    path = report.path
    if path is None:
        return
    if name == "csv":
        yield path / ("tracks.csv" if report.tracked else "detections.csv")
    else:
        kept = {"run.json", "timing.json", "log.ndjson", "events.csv", "counts.csv", "summary.json"}
        found = (file for file in path.rglob("*") if file.is_file() and file.name not in kept)
        yield from sorted(file for file in found if file.relative_to(path).parts[0] != "segments")


def _copy(path: Path, out: BinaryIO) -> None:
    with path.open("rb") as source:
        while chunk := source.read(CHUNK):
            out.write(chunk)
    out.flush()
