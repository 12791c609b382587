"""One format to a stream instead of a folder: `-o -`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from sightline.app.reports import Report
from sightline.app.track import track
from sightline.errors import Misconfigured
from sightline.settings import DetectOptions
from sightline.telemetry import Hook

__all__ = ["track_to_stdout"]

CHUNK = 2**20


def track_to_stdout(
    sources: Sequence[str | Path], options: DetectOptions, hook: Hook, out: BinaryIO, *, command: str
) -> list[Report]:
    """Run the sources and write one format of their results to `out`, one source after the other.

    Raises:
        Misconfigured: no format was named, several were, or it is one that is no text.
    """
    if len(options.formats) > 1 or options.save_video or set(options.formats) & {"video", "parquet"}:
        raise Misconfigured(
            "-o - writes one text format: name it with --format, e.g. --format csv", code="usage"
        )
    name = options.formats[0] if options.formats else "csv"
    with TemporaryDirectory(prefix="sightline-") as folder:
        inside = options.model_copy(update={"out": Path(folder), "formats": (name,), "keep": False})
        reports = track(sources, inside, hook, command=command)
        for report in reports:
            for path in _files(report, name):
                _copy(path, out)
    return [Report(**{**vars(report), "path": None}) for report in reports]


def _files(report: Report, name: str) -> Iterator[Path]:
    path = report.path
    if path is None:
        return
    if path.is_file():
        if len(report.groups) > 1:
            raise Misconfigured(
                f"-o - writes one file, {report.video_id} has one for each of {', '.join(report.groups)}: "
                "choose with --classes, or name a folder",
                code="usage",
            )
        yield path
    elif name == "csv":
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
