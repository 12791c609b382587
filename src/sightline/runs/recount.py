"""Count finished runs: lines and zones drawn after the run, no inference."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from sightline.counts import Line, Zone
from sightline.errors import Misconfigured, setting
from sightline.formats.count_bins import bin_counts
from sightline.formats.timeline import alone, joined
from sightline.runs.count_files import write_counts
from sightline.runs.counted import Recount
from sightline.runs.load import find_runs, names_of
from sightline.runs.opened import OpenRun, open_run
from sightline.runs.place import in_folder
from sightline.sources.named import distinct_names

__all__ = [
    "Recount",
    "ShapesOf",
    "count_again",
    "count_opened",
    "count_run",
    "count_runs",
    "drawn_in",
    "run_folders",
    "run_names",
]


Shapes = tuple[Sequence[Line], Sequence[Zone]]
ShapesOf = Callable[[Sequence[Sequence[str]]], Sequence[Shapes]]
"""Lines and zones of each run, by its names: that in these counts, and `runs.names_of`."""


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
    opened = [open_run(in_folder(folder)) for folder in run_folders(paths)]
    return count_opened(opened, shapes, bin_us=bin_us, start_times=start_times, join=join, out=out)


def count_opened(
    runs: Sequence[OpenRun],
    shapes: ShapesOf,
    *,
    bin_us: int | None = None,
    start_times: Sequence[datetime] = (),
    join: bool = False,
    out: Path | None = None,
) -> list[Recount]:
    """The same on runs that are open, as often as lines move; see `count_runs`."""
    starts = _starts([run.video.clock_start for run in runs], start_times, join)
    names = run_names(runs)
    drawn = drawn_in(runs, names, shapes)
    counted = [
        (run.video.named(name, start), run.count(lines, zones))
        for run, name, start, (lines, zones) in zip(runs, names, starts, drawn, strict=True)
    ]
    timelines = [joined(counted, starts)] if join else [alone(*each) for each in counted]
    files = () if out is None else write_counts(out, timelines, bin_us)
    return [Recount(timeline, tuple(bin_counts(timeline, bin_us)), files) for timeline in timelines]


def count_again(
    run: OpenRun,
    lines: Sequence[Line] = (),
    zones: Sequence[Zone] = (),
    *,
    bin_us: int | None = None,
    start_time: datetime | None = None,
    out: Path | None = None,
) -> Recount:
    """Count lines and zones on one run that is open, as often as they move; see `count_runs`."""
    starts = () if start_time is None else (start_time,)
    (recount,) = count_opened([run], lambda _: [(lines, zones)], bin_us=bin_us, start_times=starts, out=out)
    return recount


def run_folders(paths: Sequence[Path]) -> list[Path]:
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


def drawn_in(runs: Sequence[OpenRun], names: Sequence[str], shapes: ShapesOf) -> Sequence[Shapes]:
    """Lines and zones of each run, which has that name here."""
    return shapes([(name, *names_of(run.manifest)) for run, name in zip(runs, names, strict=True)])


def run_names(runs: Sequence[OpenRun]) -> list[str]:
    """Names that tell runs apart: theirs, or where some are equal the ends of their folders."""
    places, video_ids = [run.place for run in runs], [run.video.video_id for run in runs]
    return (
        video_ids
        if len(set(video_ids)) == len(video_ids)
        else distinct_names([place.path or Path(place.name) for place in places])
    )


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
