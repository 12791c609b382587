"""Count finished runs: lines and zones drawn after the run, no inference."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sightline.counts import Event, JobCounts, Line, Zone
from sightline.errors import Misconfigured, setting
from sightline.formats.count_bins import BinCount, bin_counts
from sightline.formats.timeline import Timeline, alone, joined
from sightline.interop import data_frame
from sightline.runs.count_files import write_counts
from sightline.runs.load import find_runs, load_result, names_of
from sightline.runs.shown import bin_columns, event_columns, listed, series, table
from sightline.sources.named import distinct_names
from sightline.types import JobResult
from sightline.vision.counting import count_job

if TYPE_CHECKING:
    import pandas

__all__ = ["Recount", "ShapesOf", "count_run", "count_runs"]


Shapes = tuple[Sequence[Line], Sequence[Zone]]
ShapesOf = Callable[[Sequence[Sequence[str]]], Sequence[Shapes]]
"""Lines and zones of each run, by its names: that in these counts, and `runs.names_of`."""


@dataclass(frozen=True, repr=False)
class Recount:
    """Counts of one run, or of consecutive runs of one camera.

    Attributes:
        timeline: what was counted, on its axis of time.
        bins: rows of `counts.csv`.
        files: written files; those of several runs hold all of them.
    """

    timeline: Timeline
    bins: tuple[BinCount, ...]
    files: tuple[Path, ...] = ()

    @property
    def result(self) -> JobResult:
        """The run, the first one where several are joined."""
        return self.timeline.jobs[0].result

    @property
    def counts(self) -> JobCounts:
        """Its counts, with its lines and zones."""
        return self.timeline.jobs[0].counts

    @property
    def events(self) -> tuple[Event, ...]:
        """What crossed lines, entered and left zones, run after run."""
        return tuple(event for job in self.timeline.jobs for event in job.counts.events)

    def to_pandas(self) -> pandas.DataFrame:
        """The rows of `counts.csv`, times in microseconds; needs pandas.

        Raises:
            Misconfigured: pandas is not installed.
        """
        return data_frame(bin_columns(self.timeline.video_id, self.bins))

    def events_to_pandas(self) -> pandas.DataFrame:
        """The rows of `events.csv`, times in microseconds of their video; needs pandas.

        Raises:
            Misconfigured: pandas is not installed.
        """
        return data_frame(event_columns([(job.result, job.counts.events) for job in self.timeline.jobs]))

    def __repr__(self) -> str:
        totals = {" ".join(filter(None, key)): count for key, count in series(self.bins).items()}
        return f"Recount({self.timeline.video_id}: {listed(totals)})"

    def _repr_html_(self) -> str:
        """Totals over all bins as a table, for notebooks."""
        rows = [(*key, count) for key, count in series(self.bins).items()]
        caption = f"{self.timeline.video_id}: counts in all; to_pandas() has them by bins"
        return table(caption, ["kind", "name", "direction", "label", "count"], rows)


def count_run(
    path: Path,
    lines: Sequence[Line] = (),
    zones: Sequence[Zone] = (),
    *,
    bin_us: int | None = None,
    start_time: datetime | None = None,
    out: Path | None = None,
) -> list[Recount]:
    """Count the same lines and zones on a run, or on every run below `path`; see `count_runs`."""
    starts = () if start_time is None else (start_time,)
    return count_runs(
        [path], lambda runs: [(lines, zones)] * len(runs), bin_us=bin_us, start_times=starts, out=out
    )


def count_runs(
    paths: Sequence[Path],
    shapes: ShapesOf,
    *,
    bin_us: int | None = None,
    start_times: Sequence[datetime] = (),
    join: bool = False,
    out: Path | None = None,
) -> list[Recount]:
    """Count lines and zones on the published tracks of runs. They stay as they are.

    Args:
        paths: run folders, or folders of whole commands.
        shapes: what to count in each run, drawn on its picture.
        bin_us: length of a bin; None for one over the whole time.
        start_times: clock times of frame 0, instead of what the runs say: one for all (of joined runs for the first), or
            one for each run.
        join: the runs are consecutive files of one camera, in the order of time, and counted as one.
        out: a file that ends in `.csv` or `.json` for the counts, or a folder for `events.csv` and `counts.csv`; what it
            holds is the same for one run and for many.

    Returns:
        One for each run, or a single one where they are joined.

    Raises:
        NotFound: no finished run is there.
        Misconfigured: a run is named twice or has no tracks, a line or zone of which no part lies on the picture, or
            times that make no sense.
        Unavailable: `out` cannot be written.
    """
    folders = _folders(paths)
    loaded = [load_result(folder) for folder in folders]
    starts = _starts([result.clock_start for result, _ in loaded], start_times, join)
    names = _names(folders, [result.video_id for result, _ in loaded])
    drawn = shapes([(name, *names_of(run)) for (_, run), name in zip(loaded, names, strict=True)])
    counted = []
    for folder, (result, _), name, start, (lines, zones) in zip(
        folders, loaded, names, starts, drawn, strict=True
    ):
        if all(group.tracks is None for group in result.groups):
            raise Misconfigured(f"{folder}: this run has no tracks; use sightline track", code="no_tracks")
        named = replace(result, video_id=name, clock_start=start)
        counted.append((named, count_job(named, tuple(lines), tuple(zones))))
    timelines = [joined(counted, starts)] if join else [alone(*each) for each in counted]
    files = () if out is None else write_counts(out, timelines, bin_us)
    return [Recount(timeline, tuple(bin_counts(timeline, bin_us)), files) for timeline in timelines]


def _folders(paths: Sequence[Path]) -> list[Path]:
    """The run folders at or below paths, in their order.

    Raises:
        NotFound: no finished run is there.
        Misconfigured: none was named, or one twice.
    """
    if not paths:
        raise Misconfigured("no run: name the folder of a run, or of a whole command", code="usage")
    folders = [folder for path in paths for folder in find_runs(path)]
    whole = [folder.resolve() for folder in folders]
    for place, folder in enumerate(whole):
        if folder in whole[:place]:
            raise Misconfigured(f"{folders[place]}: this run is named twice; name it once", code="usage")
    return folders


def _names(folders: Sequence[Path], video_ids: list[str]) -> list[str]:
    """Names that tell runs apart: theirs, or where some are equal the ends of their folders."""
    return video_ids if len(set(video_ids)) == len(video_ids) else distinct_names(folders)


def _starts(
    stated: Sequence[datetime | None], given: Sequence[datetime], join: bool
) -> list[datetime | None]:
    """Clock time of each run's frame 0.

    Files of one camera that were tracked by one command have the start time that it gave, all the same: it is the
    first one's.

    Raises:
        Misconfigured: neither one start time nor one for each.
    """
    if len(given) > 1 and len(given) != len(stated):
        raise Misconfigured(
            f"{len(stated)} runs and {len(given)} times {setting('start_time')}: say it once, or once for each run",
            code="usage",
        )
    if len(given) == len(stated):
        return list(given)
    if not join:
        return [given[0]] * len(stated) if given else list(stated)
    own = [None if place and start == stated[place - 1] else start for place, start in enumerate(stated)]
    return [given[0], *own[1:]] if given else own
