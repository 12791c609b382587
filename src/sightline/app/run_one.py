"""One video's run: its folder, its job, its result in place."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sightline.adapters.files.objects import FolderObjects
from sightline.adapters.sqlite.store import SqliteStore
from sightline.adapters.text_detections import TextReader
from sightline.app.detectors import Detectors
from sightline.app.embedded import BRANCH, Work, released, run_job, streams_of, topics_of
from sightline.app.folders import Folder
from sightline.app.meter import Meter
from sightline.app.prepare import Identity, Probed, check_unchanged, open_reader
from sightline.app.reports import Report
from sightline.app.results import files_of
from sightline.app.run_log import RunLog
from sightline.app.runs import clock_start_of, load_result, read_run_json
from sightline.app.text import TextDetectors
from sightline.app.timing import STARTED, RunClock, looked_before_s
from sightline.disk import chunks_of, write_whole
from sightline.errors import NotFound
from sightline.formats import run_folder
from sightline.pipeline import Resolved
from sightline.ports import TERMINAL, Detector, FrameReader, Job
from sightline.runtime.failures import error_of
from sightline.settings import DetectOptions
from sightline.stages.collect import segment_keys
from sightline.stages.detect import Detect
from sightline.telemetry import Hook, Progress, Started
from sightline.types import JobResult
from sightline.vision.bytetrack import TrackerSettings
from sightline.vision.counting import CountRule, count_job
from sightline.vision.letterbox import Letterbox

__all__ = ["Single", "run_one"]

FILES = "files"
STORE, TIMING, LOG = "store.sqlite", "timing.json", "log.ndjson"


@dataclass(frozen=True)
class Single:
    """One source to run.

    Attributes:
        probed, identity: what it is, and what decides its result.
        detectors: shared with other videos.
        resolved, options: the pipeline and all settings.
        root: folder of the whole command.
        workers: detect threads.
        command: `track` or `detect`.
    """

    probed: Probed
    identity: Identity
    detectors: Detectors | TextDetectors
    resolved: Resolved
    options: DetectOptions
    root: Path
    workers: int
    command: str


def run_one(single: Single, hook: Hook, cancelled: threading.Event) -> Report:
    """Run one video, or take up what was begun; a finished one is left as it is.

    Raises:
        InvalidVideo: no frame of it could be decoded.
        Misconfigured: another run is in its folder.
        Unavailable: it cannot be written now; repeat to go on.
        KeyboardInterrupt: it was cancelled.
    """
    folder = Folder(single.root / single.probed.source.video_id)
    folder.lock()
    try:
        state = folder.state(single.identity.run_key, overwrite=single.options.overwrite)
        if state == "finished":
            if not single.options.keep:
                folder.drop_partial()
            return _with_remarks(single, report_of(folder.path, "finished"), _not_written)
        if state == "new":
            folder.clear()
        starts = folder.begin(single.identity.run_key)
        return _run(single, folder, starts, hook, cancelled)
    finally:
        folder.unlock()


def _run(single: Single, folder: Folder, starts: int, hook: Hook, cancelled: threading.Event) -> Report:
    video_id, plan = single.probed.source.video_id, single.identity.plan
    looked_s = looked_before_s(folder.partial / LOG, folder.partial / STORE)
    clock, meter = RunClock(looked_s), Meter()
    built = folder.partial / FILES
    objects = FolderObjects(built)
    objects.sweep()
    log = RunLog(folder.partial / LOG)
    log.write(
        STARTED,
        start=starts,
        job_id=single.identity.job_id,
        video_id=video_id,
        frames=len(plan.rows),
        looked_s=round(looked_s, 3),
    )
    job = _job_ended(single, folder, objects, meter, clock, hook, cancelled)
    if job.state == "failed":
        folder.clear()
        raise error_of(job)
    timing = clock.stop(len(plan.rows), starts, meter, **_circumstances(single))
    write_whole(built / TIMING, [run_folder.encode(timing)])
    log.write("finished", state=job.state, wall_s=timing.wall_s, cpu_s=timing.cpu_s, fps=timing.fps)
    write_whole(built / LOG, chunks_of(folder.partial / LOG))
    objects.sweep()
    folder.publish(_names(job), built, keep=single.options.keep)
    return _with_remarks(single, report_of(folder.path, "done", timing), _other_clock)


def _names(job: Job) -> set[str]:
    """What belongs in place: the job's own files; what an earlier start with other formats left stays behind."""
    return {path.split("/")[0] for path in job.result["files"]} | {TIMING, LOG}


def _job_ended(
    single: Single,
    folder: Folder,
    objects: FolderObjects,
    meter: Meter,
    clock: RunClock,
    hook: Hook,
    cancelled: threading.Event,
) -> Job:
    """The job at its end: run, gone on with, or found there where a crash came just before the folder was put in place."""
    video_id, index = single.probed.source.video_id, single.probed.index
    detector = single.detectors.at(index.width, index.height)
    store = SqliteStore(folder.partial / STORE, synchronous="NORMAL")
    try:
        _drop_uncommitted(store, single.identity.job_id, objects, folder.partial / FILES)
        work = _work(single, detector, store, objects, folder.partial, clock, hook)
        work = replace(work, meter=meter, killed=folder.killed)
        hook.emit(Started(video_id, len(work.plan.rows), released(work)))

        def progress(done: int, total: int) -> None:
            clock.progress(done, total)
            hook.emit(Progress(single.command, video_id, done, total))

        job = run_job(work, progress, cancelled)
        # From here on a power cut must not take the end of the job back: its files are about to be moved.
        store.flush()
        return job
    finally:
        store.close()


def _drop_uncommitted(store: SqliteStore, job_id: str, objects: FolderObjects, built: Path) -> None:
    """Remove what an earlier start wrote ahead of its commits, unless its job ended: it is written again.

    What was rendered: other formats or libraries render other bytes. Segments that no commit names, after a power cut
    that took the newest commits back: a detector with random low bits finds other bytes.
    """
    try:
        ended = store.get(job_id).state in TERMINAL
    except NotFound:
        ended = False
    done = store.progress(job_id)
    kept = {
        key
        for (stage, stream), frames in done.items()
        if stage == "collect"
        for key in segment_keys("", stream, frames)
    }
    for path in () if ended else [*built.rglob("*")]:
        key = path.relative_to(built).as_posix()
        if path.is_file() and key not in kept:
            objects.delete(key)


def _work(
    single: Single,
    detector: Detector,
    store: SqliteStore,
    objects: FolderObjects,
    partial: Path,
    clock: RunClock,
    hook: Hook,
) -> Work:
    identity, index, resolved = single.identity, single.probed.index, single.resolved
    image = detector.info.image
    whole = image.width == 0
    tracked = resolved.tracker is not None
    facts = identity.facts

    is_text = single.probed.source.kind == "detections"

    def reader() -> FrameReader:
        if is_text:
            return TextReader(index)
        return open_reader(single.probed.source, image, resolved.preprocess, single.options.fps, index)

    def render(result: JobResult, stored: Any) -> Any:
        check_unchanged(single.probed)
        return files_of(
            result,
            stored,
            formats=resolved.formats,
            probed=single.probed,
            identity=identity,
            info=detector.info,
            pipeline=resolved.name,
            video=_video(single, partial, clock, hook),
        )

    return Work(
        job=_job(single, facts.groups, tracked),
        facts=facts,
        plan=identity.plan,
        detect=Detect(
            None if whole else Letterbox.fit(index.width, index.height, image),
            facts.groups,
            quantised=not is_text,
        ),
        tracker=TrackerSettings(**resolved.tracker.model_dump()) if resolved.tracker is not None else None,
        rule=_rule(resolved, facts.min_hits),
        detector=detector,
        reader=reader,
        render=render,
        store=store,
        objects=objects,
        workers=single.workers,
    )


def _job(single: Single, groups: Any, tracked: bool) -> Job:
    identity = single.identity
    consumer = "track" if tracked else "collect"
    settings: dict[str, Any] = {
        "topics": topics_of(groups),
        "branches": [BRANCH],
        "consumers": [[consumer, f"detections:{group}"] for group in groups],
    }
    called = isinstance(single.detectors, Detectors) and single.detectors.function is not None
    if called and single.workers == 1:
        settings["frame_partitions"] = 1  # a function that keeps a state is promised the order of frames
    streams = streams_of(groups, tracked=tracked)
    facts = identity.facts
    return Job(identity.job_id, facts.video_id, facts.created_at_us, identity.run_key, settings, streams)


def _rule(resolved: Resolved, min_hits: int) -> CountRule:
    """Tracks are forgotten well after the tracker has given them up: twice its buffer, in frames and in time."""
    buffer = 30.0 if resolved.tracker is None else resolved.tracker.track_buffer
    return CountRule(min_hits, max(1, int(2 * buffer) + 2), int(2 * buffer / 30 * 1e6) + 1_000_000)


def _video(single: Single, folder: Path, clock: RunClock, hook: Hook) -> Callable[[JobResult], Path] | None:
    if not (single.options.save_video or "video" in single.options.formats):
        return None
    from sightline.app.annotate import annotate

    def render(result: JobResult) -> Path:
        path = folder / "annotated.mp4"
        with clock.drawing():
            annotate(result, single.probed.source, single.options.fps, path, hook)
        return path

    return render


def _with_remarks(
    single: Single, report: Report, remarks: Callable[[Single, Report], Iterator[tuple[str, str]]]
) -> Report:
    return replace(report, warnings=(*report.warnings, *remarks(single, report)))


def _not_written(single: Single, report: Report) -> Iterator[tuple[str, str]]:
    """What is asked for now and was not when the run was made: neither formats nor a clock make another run."""
    yield from _other_clock(single, report)
    wanted = {*single.options.formats, *(("video",) if single.options.save_video else ())}
    try:
        timing = json.loads((single.root / report.video_id / TIMING).read_bytes())
        missing = sorted(wanted - {"video"} - set(timing["machine_settings"]["formats"]))
    except (OSError, ValueError, KeyError, TypeError):
        missing = []
    if missing:
        detail = f"the run was finished before, without {', '.join(missing)}; --overwrite makes it again"
        yield "not_written", detail
    if "video" in wanted and report.video is None:
        yield "not_written", "the run was finished before, without a video; sightline render draws it"


def _other_clock(single: Single, report: Report) -> Iterator[tuple[str, str]]:
    """Another start time than that of the run's files, which were rendered before this command began."""
    asked = single.options.start_time
    made = clock_start_of(read_run_json(single.root / report.video_id))
    if asked is not None and (made is None or asked.isoformat() != made.isoformat()):
        detail = (
            f"the run was finished before, with start time {made.isoformat() if made else 'none'}: sightline count --start-time "
            f"{asked.isoformat()} counts on that clock, --overwrite makes the run again"
        )
        yield "not_written", detail


def report_of(path: Path, state: Any, timing: run_folder.TimingFile | None = None) -> Report:
    """The report of a finished run folder; with its timing where it was finished now."""
    result, run = load_result(path)
    tracked = any(group.tracks is not None for group in result.groups)
    video = path / "annotated.mp4"
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


def _circumstances(single: Single) -> dict[str, Any]:
    """What `timing.json` says beside the time."""
    return {
        "calibration_s": single.detectors.calibration_s,
        "machine_settings": {
            "workers": single.workers,
            "chunk_frames": single.options.chunk_frames,
            "formats": list(single.resolved.formats),
        },
        "source_path": str(single.probed.source.path.resolve()),
    }


def label_counts(result: JobResult) -> dict[str, int]:
    """Unique objects by voted label, those with none left out, in the order of the model's labels."""
    counts = count_job(result)
    totals = [0] * len(result.labels)
    for group in counts.groups:
        if group is not None:
            for class_id in group.class_id[group.counted].tolist():
                totals[class_id] += 1
    return {label: total for label, total in zip(result.labels, totals, strict=True) if total}
