"""What `track`, `detect` and `demo` have in common: run the sources, show progress, print a report for each."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sightline.cli.console import Console, as_flag
from sightline.cli.exits import DONE, FAILED, PARTLY, UNAVAILABLE, UNREADABLE, USAGE, exit_code
from sightline.errors import Misconfigured
from sightline.logs import open_log
from sightline.progress.lines import LiveLine, LogLines, clock
from sightline.settings import DetectOptions
from sightline.telemetry import NULL, Hook

if TYPE_CHECKING:
    from sightline.runs.reports import Report

__all__ = ["describe", "exit_of", "listening", "run", "show"]


def run(console: Console, command: str, sources: Sequence[str], options: DetectOptions) -> int:
    """Run the sources and print what became of them; the exit code.

    Raises:
        SightlineError: nothing was done, or the run can go on later.
    """
    with listening(console) as hook:
        reports = _reports(console, command, sources, options, hook)
    return show(console, reports, to_stdout=options.to_stdout)


def _reports(
    console: Console, command: str, sources: Sequence[str], options: DetectOptions, hook: Hook
) -> list[Report]:
    if not options.to_stdout:
        from sightline.app.track import track

        return track(sources, options, hook, command=command)
    if console.json:
        raise Misconfigured("-o - writes results to stdout, where --json would mix with them", code="usage")
    from sightline.cli.stdout import track_to_stdout

    return track_to_stdout(sources, options, hook, sys.stdout.buffer, command=command)


@contextmanager
def listening(console: Console) -> Iterator[Hook]:
    """Who hears of progress: a line on a terminal, else log lines; nobody with `--quiet` or `--no-progress`."""
    if console.quiet or console.no_progress:
        yield NULL
    elif sys.stderr.isatty():
        line = LiveLine(sys.stderr)
        try:
            yield line
        finally:
            line.clear()
    else:
        yield LogLines(open_log(sys.stderr, level="debug" if console.verbose else "info"))


def show(console: Console, reports: Sequence[Report], *, to_stdout: bool = False) -> int:
    """Print a report for each source and return the exit code."""
    code = exit_of(reports)
    for report in reports:
        for name, detail in report.warnings:
            console.warning(f"{report.video_id}: {detail} ({name})")
        if report.error is not None:
            console.complain(report.error)
        elif to_stdout:
            console.note(describe(report))
        else:
            console.result(describe(report))
    if not to_stdout:
        console.object({"runs": [report.to_json(as_flag) for report in reports], "exit_code": code})
    return code


def exit_of(reports: Sequence[Report]) -> int:
    """Exit code of several sources: what can be resumed or repaired first, then whether anything was done."""
    codes = [_code(report) for report in reports]
    for serious in (UNAVAILABLE, FAILED, USAGE):
        if serious in codes:
            return serious
    if UNREADABLE in codes:
        return UNREADABLE if set(codes) == {UNREADABLE} else PARTLY
    return PARTLY if PARTLY in codes else DONE


def _code(report: Report) -> int:
    if report.error is not None:
        return exit_code(report.error)
    if report.state == "failed":
        return FAILED
    return PARTLY if report.failed_frames else DONE


def describe(report: Report) -> str:
    """A small table: what was found in a source, a group a row, and where the results are."""
    lines = [f"{report.video_id}: {', '.join(_facts(report))}"]
    width = max((len(name) for name in report.groups), default=0)
    for name, count in report.groups.items():
        lines.append(f"  {name:<{width}}  {count:>5}{'' if report.tracked else ' detections'}")
    if report.counts:
        lines.append("  by label: " + ", ".join(f"{label} {count}" for label, count in report.counts.items()))
    if not report.groups:
        lines.append("  nothing to count")
    return "\n".join([*lines, *(f"  {path}" for path in (report.path, report.video) if path is not None)])


def _facts(report: Report) -> Iterator[str]:
    yield f"{report.frames} frames"
    if report.failed_frames:
        yield f"{report.failed_frames} of them could not be decoded"
    if report.state == "finished":
        yield "finished before: nothing was done"
    elif report.fps:
        yield f"{report.fps:.0f} fps"
    if report.draw_s:
        yield f"drawn in {clock(report.draw_s)}"
