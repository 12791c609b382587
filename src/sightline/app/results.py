"""Results: the files of a finished job, each a pure function of its result; `run.json` comes last and lists them."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sightline import __version__
from sightline.app.prepare import Identity, Probed
from sightline.errors import Misconfigured, setting
from sightline.formats import counts_csv, csv_a, events_csv, registry, run_folder, summary
from sightline.formats.timeline import alone
from sightline.machine import cpu_name_and_flags, memory_bytes, usable_cores
from sightline.ports import DetectorInfo, Stat
from sightline.types import Caveat, JobResult, SourceIndex
from sightline.vision.counting import count_job
from sightline.vision.unfollowed import Start, unfollowed

__all__ = ["RUN_JSON", "check_formats", "check_groups", "extra_formats", "files_of", "writer_of"]

Files = Iterator[tuple[str, Iterable[bytes]]]
RUN_JSON = "run.json"
FRAME_BUFFER = (
    "bytetrack counts --tracker.track-buffer in sampled frames, which with a stride, gaps or a variable rate are not "
    "1/rate of a second; --tracker quality goes by time"
)
REMARKS = {"size_change": "the picture changes its size; boxes are in pixels of the first frame"}


def extra_formats() -> Mapping[str, Callable[[JobResult], Files]]:
    """Formats that need a library of their own."""
    from sightline.adapters.files import parquet

    return {"parquet": parquet.files}


def writer_of(name: str) -> Callable[[JobResult], Files]:
    """Who writes a format of a finished job.

    Raises:
        Misconfigured: no such format, or its extra is not installed; names those there are.
    """
    check_formats([name])
    if name == "video":
        raise Misconfigured("video is no format of text: use sightline render", code="usage")
    return extra_formats()[name] if name == "parquet" else registry.writer(name)


def check_formats(names: Sequence[str]) -> None:
    """Refuse unknown formats before any work is done.

    Raises:
        Misconfigured: names those there are.
    """
    known = [*registry.WRITERS, "parquet", "video"]
    for name in names:
        if name not in known:
            raise Misconfigured(f"no format {name!r}; there are {', '.join(known)}", code="usage")
    if "parquet" in names:
        extra_formats()


def check_groups(names: Sequence[str], video_id: str, groups: Iterable[str]) -> None:
    """Refuse a format that was asked for and would have no file.

    Raises:
        Misconfigured: names the groups there are.
    """
    if "csv-a" in names and csv_a.GROUPS.keys().isdisjoint(groups):
        raise Misconfigured(
            f"{video_id}: csv-a holds the groups {' and '.join(csv_a.GROUPS)} alone, here there are "
            f"{', '.join(groups)}: choose another {setting('format')}",
            code="usage",
        )


def files_of(
    result: JobResult,
    stored: Mapping[str, Stat],
    *,
    formats: Sequence[str],
    probed: Probed,
    identity: Identity,
    info: DetectorInfo,
    pipeline: str,
    video: Callable[[JobResult], Path] | None,
) -> Files:
    """Every file of a run folder but `timing.json` and `log.ndjson`, by relative path."""
    tracked = any(group.tracks is not None for group in result.groups)
    for name in formats:
        if name in ("video", "parquet") or (name == "mot" and not tracked):
            continue
        yield from registry.writer(name)(result)
    if "parquet" in formats:
        yield from extra_formats()["parquet"](result)
    if tracked:
        counts = count_job(result)
        timeline = alone(result, counts)
        yield from events_csv.files([timeline])
        yield from counts_csv.files([timeline])
        yield from summary.files(result, counts)
    if video is not None:
        yield "annotated.mp4", _chunks(video(result))
    yield RUN_JSON, (_run_json(result, stored, probed, identity, info, pipeline),)


def _run_json(
    result: JobResult,
    stored: Mapping[str, Stat],
    probed: Probed,
    identity: Identity,
    info: DetectorInfo,
    pipeline: str,
) -> bytes:
    index = probed.index
    return run_folder.encode(
        run_folder.RunFile(
            run_key=identity.run_key,
            job_id=identity.job_id,
            video_id=result.video_id,
            clock_start=None if result.clock_start is None else result.clock_start.isoformat(),
            versions={"sightline": __version__, "av": version("av"), info.engine: info.version},
            pipeline=pipeline,
            settings=dict(identity.settings),
            model=run_folder.model_of(info),
            engine=run_folder.engine_of(info),
            source=run_folder.source_of(index, probed.stat, result.rate),
            frames=run_folder.frames_of(result.frames, len(index)),
            warnings=run_folder.warnings_of(_caveats(result, index, identity.settings)),
            files=run_folder.files_of({path: stat for path, stat in stored.items() if path != RUN_JSON}),
        )
    )


def _caveats(result: JobResult, index: SourceIndex, settings: Mapping[str, Any]) -> list[Caveat]:
    """What a user should know: of the source, of its frames as they were looked at, of settings that do not suit it."""
    failed = Counter(
        reason
        for outcome, reason in zip(result.frames.outcome, result.frames.reason, strict=True)
        if outcome == "failed"
    )
    found = list(index.caveats)
    if failed:
        kinds = ", ".join(f"{count} {reason}" for reason, count in sorted(failed.items()))
        found = [each for each in found if each.code != "damaged"]
        found.append(Caveat("damaged", f"frames that cannot be decoded: {kinds}"))
    found += _remarks(result)
    tracker = settings["tracker"]
    if tracker is not None and tracker["mode"] == "bytetrack" and (index.vfr or settings["stride"] > 1):
        found.append(Caveat("frame_buffer", FRAME_BUFFER))
    start = None if tracker is None else Start.of(tracker["track_high_thresh"], tracker["new_track_thresh"])
    found += unfollowed(result, settings["conf"], start, settings["stride"])
    return found


def _remarks(result: JobResult) -> list[Caveat]:
    """What showed only while frames were decoded; it came with the frames' records, so it survives a crash."""
    frames = zip(result.frames.outcome, result.frames.reason, strict=True)
    seen = {reason for outcome, reason in frames if outcome == "ok" and reason}
    return [Caveat(code, REMARKS.get(code, code)) for code in sorted(seen)]


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as source:
        while chunk := source.read(2**20):
            yield chunk


def machine() -> run_folder.Machine:
    """The machine that this process runs on."""
    return run_folder.Machine(
        cpu=cpu_name_and_flags()[0],
        cores=usable_cores(),
        memory_bytes=memory_bytes(),
        os=platform.platform(),
        python=platform.python_version(),
    )
