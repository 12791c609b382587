"""What became of a video: the report of its finished run folder, and what differs from what was asked for now."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from sightline.formats import run_folder
from sightline.runs.load import clock_start_of, load_result, read_run_json
from sightline.runs.place import in_folder
from sightline.runs.reports import Report
from sightline.settings import DetectOptions
from sightline.types import JobResult
from sightline.vision.counting import count_job

__all__ = [
    "LOG",
    "TIMING",
    "VIDEO",
    "label_counts",
    "not_written",
    "other_clock",
    "report_of",
    "with_remarks",
]

VIDEO, TIMING, LOG = "annotated.mp4", "timing.json", "log.ndjson"


Remarks = Callable[[Path, DetectOptions, Report], Iterator[tuple[str, str]]]


def with_remarks(root: Path, options: DetectOptions, report: Report, remarks: Remarks) -> Report:
    """A report with what is to be said about what was asked for now, of a run in `root`."""
    return replace(report, warnings=(*report.warnings, *remarks(root, options, report)))


def not_written(root: Path, options: DetectOptions, report: Report) -> Iterator[tuple[str, str]]:
    """What is asked for now and was not when the run was made: neither formats nor a clock make another run."""
    yield from other_clock(root, options, report)
    wanted = {*options.formats, *(("video",) if options.save_video else ())}
    try:
        timing = json.loads((root / report.video_id / TIMING).read_bytes())
        missing = sorted(wanted - {"video"} - set(timing["machine_settings"]["formats"]))
    except (OSError, ValueError, KeyError, TypeError):
        missing = []
    if missing:
        detail = f"the run was finished before, without {', '.join(missing)}; --overwrite makes it again"
        yield "not_written", detail
    if "video" in wanted and report.video is None:
        yield "not_written", "the run was finished before, without a video; sightline render draws it"


def other_clock(root: Path, options: DetectOptions, report: Report) -> Iterator[tuple[str, str]]:
    """Another start time than that of the run's files, which were rendered before this command began."""
    asked = options.start_time
    made = clock_start_of(read_run_json(in_folder(root / report.video_id)))
    if asked is not None and (made is None or asked.isoformat() != made.isoformat()):
        detail = (
            f"the run was finished before, with start time {made.isoformat() if made else 'none'}: sightline count --start-time "
            f"{asked.isoformat()} counts on that clock, --overwrite makes the run again"
        )
        yield "not_written", detail


def report_of(path: Path, state: Any, timing: run_folder.TimingFile | None = None) -> Report:
    """The report of a finished run folder; with its timing where it was finished now."""
    result, run = load_result(in_folder(path))
    tracked = any(group.tracks is not None for group in result.groups)
    video = path / VIDEO
    return Report(
        result.video_id,
        state,
        path,
        label_counts(result) if tracked else {},
        {
            group.name: int(group.unique[-1]) if group.unique is not None else len(group.detections)
            for group in result.groups
        },
        tracked,
        len(result.frames),
        run["frames"]["failed"],
        0.0 if timing is None else timing.fps,
        video if video.exists() else None,
        tuple((each["code"], each["detail"]) for each in run["warnings"]),
        draw_s=0.0 if timing is None else timing.draw_s,
    )


def label_counts(result: JobResult) -> dict[str, int]:
    """Unique objects by voted label, those with none left out, in the order of the model's labels."""
    counts = count_job(result)
    totals = [0] * len(result.labels)
    for group in counts.groups:
        if group is not None:
            for class_id in group.class_id[group.counted].tolist():
                totals[class_id] += 1
    return {label: total for label, total in zip(result.labels, totals, strict=True) if total}
