"""`Run`: a finished run in Python."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack, overload

import numpy as np

from sightline.adapters.engines.function import DetectorFunction
from sightline.app.track import track as run_track
from sightline.counts import Line, Zone
from sightline.disk import make_folder, write_whole
from sightline.errors import Misconfigured, SightlineError
from sightline.formats.count_bins import parse_bins
from sightline.interop import data_frame
from sightline.progress.notebook import shown
from sightline.rendering.render import Look, render_run
from sightline.runs.export import check_seen_from, seen_from
from sightline.runs.load import find_runs, load_result
from sightline.runs.opened import OpenRun, open_run
from sightline.runs.outcomes import label_counts
from sightline.runs.place import in_folder
from sightline.runs.recount import Recount, count_again, count_runs
from sightline.runs.reports import Report
from sightline.runs.shown import listed, table, track_columns
from sightline.runs.speeds import Speeds, measure, plane_of
from sightline.runs.writers import check_formats, writer_of
from sightline.settings import TrackOptions
from sightline.settings.typed import TrackArguments
from sightline.settings.words import clock_time, words
from sightline.speeds import Plane
from sightline.telemetry import NULL, Hook
from sightline.types import JobResult, Tracks
from sightline.validation import checked

if TYPE_CHECKING:
    import pandas

__all__ = ["Run", "count_joined", "load", "track"]


@dataclass(frozen=True, repr=False)
class Run:
    """The finished run of one video.

    Attributes:
        path: its folder.
        result: tables of frames, detections and tracks.
    """

    path: Path
    result: JobResult

    @property
    def counts(self) -> dict[str, int]:
        """Unique objects by voted label: `{"car": 12, "person": 31}`."""
        return label_counts(self.result)

    def frames(self) -> Iterator[tuple[int, dict[str, Tracks]]]:
        """Presentation time in microseconds and the published tracks of each group, for each sampled frame."""
        for seq, pts_us in enumerate(self.result.frames.pts_us.tolist()):
            yield (
                pts_us,
                {
                    group.name: _at(group.tracks, seq)
                    for group in self.result.groups
                    if group.tracks is not None
                },
            )

    def to_pandas(self, *, seen_from: int | None = None) -> pandas.DataFrame:
        """Published tracks with the columns of `tracks.parquet`; needs pandas.

        Args:
            seen_from: number of a frame on whose picture boxes are given, where the objects stood on the ground, without those
                of frames from which nothing leads there; None: each on its own frame. It matters where the camera moves.

        Raises:
            Misconfigured: pandas is not installed, or that frame was not sampled.
        """
        return data_frame(track_columns(self._result(seen_from)))

    def __repr__(self) -> str:
        frames = len(self.result.frames)
        return f"Run({self.result.video_id}: {frames:,} frames, {listed(self.counts)}; {self.path})"

    def _repr_html_(self) -> str:
        """Counts as a table, for notebooks."""
        caption = f"{self.result.video_id}: {len(self.result.frames):,} frames, {self.path}"
        return table(caption, ["label", "unique objects"], self.counts.items())

    def count(
        self,
        lines: Sequence[Line] = (),
        zones: Sequence[Zone] = (),
        bins: str | None = None,
        out: str | Path | None = None,
        start_time: str | datetime | None = None,
    ) -> Recount:
        """Count lines and zones on the published tracks, without inference.

        Args:
            lines, zones: drawn on the picture, 0..1 or pixels.
            bins: length of a bin, `15min`; None for one over the whole video.
            out: a file for the counts, `.csv` or `.json`, or a folder for `events.csv` and `counts.csv`.
            start_time: clock time of frame 0 with its offset from UTC, instead of what the run says; bins lie on the clock.

        Raises:
            Misconfigured: a line or zone of which no part lies on the picture, a bin that is no length, a time without
                its offset, or a run without tracks.
            Unavailable: `out` cannot be written.
        """
        return count_again(
            self._opened,
            lines,
            zones,
            bin_us=None if bins is None else parse_bins(bins),
            start_time=None if start_time is None else _clock(start_time),
            out=None if out is None else Path(out),
        )

    def speeds(
        self,
        plane: Plane | str | Path | None = None,
        lines: Sequence[Line] = (),
        frame: int | None = None,
        out: str | Path | None = None,
    ) -> Speeds:
        """Headings of the counted objects, and with a plane their speeds with the errors of these; without inference.

        Args:
            plane: four points whose places on the ground are known, or a JSON file with them; None: headings only.
            lines: at which speeds are asked for.
            frame: number of the frame on whose picture headings are told, and the plane lies where it says none; None: the
                first sampled one. Where the camera stands still, all are alike.
            out: a file that ends in `.csv`, for objects or, with lines, for crossings, or in `.json` for all.

        Raises:
            Misconfigured: a plane or line that was drawn on a frame that was not sampled, a line beside the picture, or a run
                without tracks.
            NotFound: no such file.
            InvalidFile: it holds no plane.
            Unavailable: `out` cannot be written.
        """
        known = plane if plane is None or isinstance(plane, Plane) else plane_of(Path(plane))
        return measure(self._opened, known, lines, frame=frame, out=None if out is None else Path(out))

    def _result(self, frame: int | None) -> JobResult:
        return self.result if frame is None else seen_from(self.result, frame)

    @cached_property
    def _opened(self) -> OpenRun:
        """Its tracks, ready to be counted and measured as often as somebody asks."""
        return open_run(in_folder(self.path))

    def render(
        self,
        out: str | Path | None = None,
        *,
        lines: Sequence[Line] = (),
        zones: Sequence[Zone] = (),
        trails: float = 1.0,
        counts: bool = False,
        source: str | Path | None = None,
        hook: Hook = NULL,
    ) -> Path:
        """Draw the run into a video: boxes, trails, time, unique objects so far; its path.

        Args:
            out: the video; None: `annotated.mp4` in the run's folder.
            lines, zones: to draw too.
            trails: seconds of each object's way that stay visible.
            counts: crossings so far at each line, objects inside at each zone.
            source: where the source lies now; of a text of detections the video they were made on, else they are drawn
                on a blank canvas.
            hook: hears of progress.

        Raises:
            NotFound: the source is gone.
            Misconfigured: the source is another one, or a line or zone is beside the picture.
            Unavailable: the disk is full.
        """
        look = Look(tuple(lines), tuple(zones), trails, counts)
        place = None if source is None else Path(source)
        target = None if out is None else Path(out)
        return render_run(self.path, target, source=place, look=look, hook=hook)[0].path

    def save(
        self,
        out: str | Path,
        formats: str | Sequence[str] = "csv",
        *,
        format: str | Sequence[str] = (),
        seen_from: int | None = None,
    ) -> list[Path]:
        """Write the result in other formats; the files written.

        Args:
            out: folder.
            formats: one or several, `"csv"`, `"csv,mot"` or `["csv", "mot"]`.
            format: another name of `formats`.
            seen_from: see `to_pandas`; for `csv`, `mot`, `ndjson` and `parquet`.

        Raises:
            Misconfigured: an unknown format, one whose extra is not installed, or that has no boxes seen from one frame.
            Unavailable: `out` cannot be written.
        """
        names = words(format or formats)
        check_formats(names)
        for name in names:
            check_seen_from(name, seen_from)
        result = self._result(seen_from)
        written = []
        for name in names:
            if name == "video":
                written.append(self.render(Path(out) / "annotated.mp4"))
                continue
            for relative, chunks in writer_of(name)(result):
                path = Path(out) / relative
                make_folder(path.parent)
                write_whole(path, chunks)
                written.append(path)
        return written


OF_A_MODEL = ("model", "imgsz", "engine", "device", "precision", "batch")
Sources = list[str] | list[Path] | list[str | Path] | tuple[str | Path, ...]


@overload
def track(
    source: str | Path,
    *,
    detector: DetectorFunction | None = None,
    labels: Sequence[str] = (),
    hook: Hook | None = None,
    progress: bool | None = None,
    **options: Unpack[TrackArguments],
) -> Run: ...
@overload
def track(
    source: Sources,
    *,
    detector: DetectorFunction | None = None,
    labels: Sequence[str] = (),
    hook: Hook | None = None,
    progress: bool | None = None,
    **options: Unpack[TrackArguments],
) -> list[Run]: ...
def track(
    source: str | Path | Sources,
    *,
    detector: DetectorFunction | None = None,
    labels: Sequence[str] = (),
    hook: Hook | None = None,
    progress: bool | None = None,
    **options: Unpack[TrackArguments],
) -> Run | list[Run]:
    """Track one source, or several, and wait; a run that was finished before is loaded.

    Args:
        source: a video file, a folder of images or a text of detections. A list of them, of patterns and of folders of
            videos gives a list of runs, in their order. One pattern or folder that holds several videos gives a list
            too, which no type can know: put it into a list of its own, and the type is right.
        detector: `fn(frames) -> list[Detections]` instead of a model; frames are uint8 RGB in their own size. They come
            in order and once each, unless `workers` is more than 1. Another body of that function makes another run;
            what it calls is not looked into, so choose another `out` when that changes.
        labels: of that detector, by class id; one text is one label.
        hook: hears of progress.
        progress: show it, below a notebook's cell or as a line on stderr; None: in a notebook and on a terminal, where no
            `hook` hears of it.
        **options: as the flags of `sightline track`: `model`, `classes`, `out`, `conf`, ...

    Raises:
        Misconfigured: a wrong option.
        SightlineError: what went wrong, after all other sources were done; `KeyboardInterrupt` leaves runs that the same
            call goes on with.
    """
    names = _labels(labels)
    _check_detector(detector, names, options)
    given = {name: plain(value) for name, value in options.items()}
    settings = checked(TrackOptions, given, lambda key: key)
    named: Sequence[str | Path] = [source] if isinstance(source, str | Path) else list(source)
    with shown(hook, progress) as listener:
        reports = run_track(named, settings, listener, function=detector, labels=names)
    for report in reports:
        if report.error is not None:
            raise _with_others(report.error, reports)
    runs = [load(report.path) for report in reports if report.path is not None]
    return runs[0] if isinstance(source, str | Path) and len(runs) == 1 else runs


def _labels(given: Any) -> tuple[str, ...]:
    """Labels by class id: a list of texts, one text, or a mapping from class ids as Ultralytics' `names` is.

    Raises:
        Misconfigured: something else.
    """
    if given is None:
        return ()
    if isinstance(given, str):
        return (given,)
    if isinstance(given, Mapping):
        if sorted(given) != list(range(len(given))):
            raise Misconfigured(
                f"labels: class ids {sorted(given)}, expected 0 to {len(given) - 1}", code="usage"
            )
        given = [given[number] for number in range(len(given))]
    if not all(isinstance(label, str) and label.strip() for label in given):
        raise Misconfigured(f"labels {list(given)!r}: expected a text for each class id", code="usage")
    return tuple(given)


def _check_detector(
    detector: DetectorFunction | None, labels: Sequence[str], options: Mapping[str, Any]
) -> None:
    """Refuse what would be left out silently.

    Raises:
        Misconfigured: labels without a detector or none with one, no function, or options of a model beside one.
    """
    if detector is None:
        if labels:
            raise Misconfigured("labels belong to a detector= of your own; a model has its own", code="usage")
        return
    if not callable(detector):
        raise Misconfigured(
            f"detector is a {type(detector).__name__}, expected a function of frames",
            code="detector_function",
        )
    for name in OF_A_MODEL:
        if options.get(name) not in (None, "auto"):
            raise Misconfigured(
                f"{name} is an option of models, and detector= takes their place: leave one of them out",
                code="usage",
            )
    if not labels:
        raise Misconfigured(
            'detector= needs labels=, one for each class id, e.g. ["car", "person"]', code="usage"
        )


def _with_others(error: SightlineError, reports: Sequence[Report]) -> SightlineError:
    """The error of one source, with a note of the runs that are there all the same."""
    done = [str(report.path) for report in reports if report.error is None]
    failed = len(reports) - len(done)
    if len(reports) > 1:
        error.add_note(f"{failed} of {len(reports)} sources failed; sightline.load gives the others: {done}")
    return error


def count_joined(
    runs: Sequence[Run | str | Path],
    lines: Sequence[Line] = (),
    zones: Sequence[Zone] = (),
    bins: str | None = None,
    out: str | Path | None = None,
    start_time: str | datetime | None = None,
) -> Recount:
    """Count consecutive files of one camera as one, each at its own start time or else right behind the file before.

    Objects are those of each file: who is seen at the end of one and at the begin of the next counts in both.

    Args:
        runs: runs or their folders, in the order of time; the folder of a command stands for all its runs.
        lines, zones, bins, out: as for `Run.count`.
        start_time: clock time of the first file's frame 0, instead of what its run says.

    Raises:
        Misconfigured: as for `Run.count`, or start times that are not in the order of the runs.
        NotFound: no finished run is there.
        Unavailable: `out` cannot be written.
    """
    (recount,) = count_runs(
        [run.path if isinstance(run, Run) else Path(run) for run in runs],
        lambda found: [(lines, zones)] * len(found),
        bin_us=None if bins is None else parse_bins(bins),
        start_times=() if start_time is None else (_clock(start_time),),
        join=True,
        out=None if out is None else Path(out),
    )
    return recount


def _clock(written: str | datetime) -> datetime:
    try:
        time: datetime = clock_time(written)
    except ValueError as error:
        raise Misconfigured(f"start_time = {str(written)!r}: {error}", code="usage") from error
    return time


def load(path: str | Path) -> Run:
    """A finished run.

    Args:
        path: its folder, or the folder of a command that ran one video.

    Raises:
        NotFound: none is there.
        Misconfigured: there are several.
    """
    found = find_runs(Path(path))
    if len(found) != 1:
        names = ", ".join(folder.name for folder in found)
        raise Misconfigured(f"{path} holds {len(found)} runs: {names}; name one of them", code="usage")
    return Run(found[0], load_result(in_folder(found[0]))[0])


def _at(table: Any, seq: int) -> Tracks:
    first, end = np.searchsorted(table.seq, [seq, seq + 1]).tolist()
    rows = table[first:end]
    return Tracks(rows.xyxy, rows.confidence, rows.class_id, rows.track_id, rows.origin)


def plain(value: Any) -> Any:
    """An option as settings read it: a path as text, a tuple as a list."""
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    return list(value) if isinstance(value, tuple) else value
