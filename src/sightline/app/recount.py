"""Count and render finished runs: lines and zones drawn after the run, no inference."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from sightline.app.annotate import annotate
from sightline.app.folders import write_durably
from sightline.app.runs import find_runs, load_result
from sightline.app.shown import bin_columns, event_columns, listed, series, table
from sightline.app.sources import Source, content_hash, expand
from sightline.counts import JobCounts, Line, Zone
from sightline.errors import Misconfigured, NotFound, Unavailable
from sightline.formats import counts_csv, events_csv
from sightline.formats.count_bins import BinCount, bin_counts
from sightline.interop import data_frame
from sightline.telemetry import NULL, Hook
from sightline.types import JobResult
from sightline.vision.counting import count_job

if TYPE_CHECKING:
    import pandas

__all__ = ["Recount", "count_run", "make_folder", "render_run"]


@dataclass(frozen=True, repr=False)
class Recount:
    """Counts of one run.

    Attributes:
        result: the run.
        counts: with its lines and zones.
        bins: rows of `counts.csv`.
        files: written files.
    """

    result: JobResult
    counts: JobCounts
    bins: tuple[BinCount, ...]
    files: tuple[Path, ...] = ()

    def to_pandas(self) -> pandas.DataFrame:
        """The rows of `counts.csv`, times in microseconds; needs pandas.

        Raises:
            Misconfigured: pandas is not installed.
        """
        return data_frame(bin_columns(self.result.video_id, self.bins))

    def events_to_pandas(self) -> pandas.DataFrame:
        """The rows of `events.csv`, times in microseconds of their video; needs pandas.

        Raises:
            Misconfigured: pandas is not installed.
        """
        return data_frame(event_columns([(self.result, self.counts.events)]))

    def __repr__(self) -> str:
        totals = {" ".join(filter(None, key)): count for key, count in series(self.bins).items()}
        return f"Recount({self.result.video_id}: {listed(totals)})"

    def _repr_html_(self) -> str:
        """Totals over all bins as a table, for notebooks."""
        rows = [(*key, count) for key, count in series(self.bins).items()]
        caption = f"{self.result.video_id}: counts in all; to_pandas() has them by bins"
        return table(caption, ["kind", "name", "direction", "label", "count"], rows)


def count_run(
    path: Path,
    lines: Sequence[Line] = (),
    zones: Sequence[Zone] = (),
    *,
    bin_us: int | None = None,
    out: Path | None = None,
) -> list[Recount]:
    """Count lines and zones on the published tracks of a run, or of every run below `path`. The run stays as it is.

    Args:
        path: a run folder, or the folder of a whole command.
        lines, zones: what to count, drawn on the picture.
        bin_us: length of a bin; None for one over the whole video.
        out: where `events.csv` and `counts.csv` go, in a folder per video where there are several.

    Raises:
        NotFound: no finished run is there.
        Misconfigured: a line or zone of which no part lies on the picture, or the run has no tracks.
        Unavailable: `out` cannot be written.
    """
    folders = find_runs(path)
    return [_count(folder, tuple(lines), tuple(zones), bin_us, out, len(folders) > 1) for folder in folders]


def _count(
    folder: Path,
    lines: tuple[Line, ...],
    zones: tuple[Zone, ...],
    bin_us: int | None,
    out: Path | None,
    many: bool,
) -> Recount:
    result, _ = load_result(folder)
    if all(group.tracks is None for group in result.groups):
        raise Misconfigured(f"{folder}: this run has no tracks; use sightline track", code="no_tracks")
    counts = count_job(result, lines, zones)
    rows = tuple(bin_counts(result, counts, bin_us))
    written = []
    if out is not None:
        target = out / result.video_id if many else out
        if (target / "run.json").exists():
            raise Misconfigured(
                f"{target}: a run is in this folder, it stays; choose another --out", code="usage"
            )
        make_folder(target)
        for name, chunks in (*events_csv.files(result, counts), *counts_csv.files(result, counts, bin_us)):
            write_durably(target / name, b"".join(chunks))
            written.append(target / name)
    return Recount(result, counts, rows, tuple(written))


def render_run(
    path: Path, out: Path | None = None, *, source: Path | None = None, hook: Hook = NULL
) -> list[Path]:
    """Draw the tracks of a run, or of every run below `path`, on its source.

    Args:
        path: a run folder, or the folder of a whole command.
        out: the video of a single run; None: `annotated.mp4` in each run's own folder.
        source: where the source lies now; None: where it lay then.
        hook: hears of progress.

    Raises:
        NotFound: no finished run is there, or the source is gone.
        Misconfigured: the source is another one, or `out` is one file for several runs.
        Unavailable: the disk is full.
    """
    folders = find_runs(path)
    if out is not None and len(folders) > 1:
        raise Misconfigured(
            f"{path} holds {len(folders)} runs: name one of them, or leave out -o", code="usage"
        )
    written = []
    for folder in folders:
        result, run = load_result(folder)
        found = _source(folder, source, run["source"]["sha256"])
        target = out or folder / "annotated.mp4"
        if target.exists() and target.samefile(found.path):
            raise Misconfigured(f"{target} is the source itself: choose another --out", code="usage")
        make_folder(target.parent)
        fps = run["settings"]["fps"]
        annotate(result, found, None if fps is None else Fraction(fps), target, hook)
        written.append(target)
    return written


def make_folder(path: Path) -> None:
    """Make a folder and those above it.

    Raises:
        Unavailable: it cannot be written, or a file has its name.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Unavailable(
            f"{path}: cannot be written: {error.strerror}; choose another folder", code="unwritable"
        ) from error


def _source(folder: Path, named: Path | None, sha256: str) -> Source:
    path = named or _source_path(folder)
    found, errors = expand([path])
    if errors or len(found) != 1:
        raise NotFound(f"{path.name}: the source of this run is not there any more; say where with --source")
    if content_hash(found[0]) != sha256:
        raise Misconfigured(f"{path.name}: this is not the source of {folder}; say where it is with --source")
    return found[0]


def _source_path(folder: Path) -> Path:
    """Where the source lay when the run was made; only `timing.json` knows, and no promise covers that file."""
    try:
        return Path(json.loads((folder / "timing.json").read_bytes())["source_path"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NotFound(
            f"{folder}: timing.json does not say where the source is; say it with --source"
        ) from error
