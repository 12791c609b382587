"""One video in one process: every stage and worker of its job over one store, until its result is published."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from sightline.app.meter import Meter
from sightline.app.stall import Pausing, stall
from sightline.errors import Misconfigured, SightlineError
from sightline.events import JobEvent, Native, stream_name
from sightline.ports import TERMINAL, Detector, FrameReader, Job, ObjectStore, Outgoing, Stat
from sightline.runtime.detect import DetectWorker
from sightline.runtime.feed import Feeder
from sightline.runtime.publish import Publisher
from sightline.runtime.retention import trim_released
from sightline.runtime.routes import FRAME_PARTITIONS, JOB_TOPIC
from sightline.runtime.supervise import supervise
from sightline.runtime.worker import FoldWorker
from sightline.stages.collect import SEGMENT, Collect, segment_keys
from sightline.stages.detect import Detect
from sightline.stages.feed import Plan
from sightline.stages.publish import Facts, published_segments, result_of
from sightline.stages.stats import Stats
from sightline.stages.track import Track
from sightline.types import JobResult
from sightline.vision.bytetrack import TrackerSettings
from sightline.vision.counting import CountRule

__all__ = ["BRANCH", "Progress", "Work", "released", "run_job", "streams_of", "topics_of"]

BRANCH = "main"
# All work comes from threads of this process, which ring the bell; asking every 50 ms cost 1 ms of each frame.
IDLE_S = 1.0
Progress = Callable[[int, int], None]
Files = Iterator[tuple[str, Iterable[bytes]]]
Render = Callable[[JobResult, Mapping[str, Stat]], Files]


@dataclass(frozen=True)
class Work:
    """What one job needs.

    Attributes:
        job: its row.
        facts: what its result needs besides segments.
        plan: which frames are looked at.
        detect: how pictures become records.
        tracker: None where nothing is tracked.
        rule: when a track counts.
        detector: shared model.
        reader: opens the source for one thread.
        render: result files by object key; it sees size and hash of what was stored before, segments included.
        store: log, ledger, jobs and outbox.
        objects: where segments and results go.
        workers: detect threads.
        depth: pictures in flight a thread.
        window: outstanding frames.
        meter: adds up what stages take.
        killed: the process that worked on this job before did not end by itself; perhaps a frame ended it.
    """

    job: Job
    facts: Facts
    plan: Plan
    detect: Detect
    tracker: TrackerSettings | None
    rule: CountRule
    detector: Detector
    reader: Callable[[], FrameReader]
    render: Render
    store: Any
    objects: ObjectStore
    workers: int = 1
    depth: int = 3
    window: int = 4 * SEGMENT
    meter: Meter = field(default_factory=Meter)
    killed: bool = False


def streams_of(groups: Iterable[str], *, tracked: bool) -> tuple[str, ...]:
    """Streams that must be complete before a job is published."""
    kinds = ("detections", "tracks", "totals") if tracked else ("detections",)
    return tuple(f"{kind}:{group}" for group in groups for kind in kinds)


def topics_of(groups: Iterable[str]) -> dict[str, str]:
    """Topic of each stream inside one process."""
    names = [stream_name("frames", BRANCH), *streams_of(groups, tracked=True)]
    return {name: name.replace(":", "-") for name in names}


def run_job(work: Work, progress: Progress, cancelled: threading.Event) -> Job:
    """Run a job to its end and return its row: `ready`, or `failed` with a reason.

    Args:
        work: what to do; a job that the store already knows goes on where it stood.
        progress: gets frames released and frames in all, now and then.
        cancelled: set by another thread to stop; the job stays as it is.

    Raises:
        KeyboardInterrupt: it was cancelled.
        SightlineError: what stopped a stage.
    """
    store, job_id = work.store, work.job.job_id
    store.create(work.job, [Outgoing(JOB_TOPIC, 0, job_id, Native().encode(JobEvent(job_id)))])
    if store.get(job_id).state in TERMINAL:
        return store.get(job_id)  # type: ignore[no-any-return]
    folds = _fold_workers(work)
    publisher = Publisher(
        store, store, work.objects, lambda job, blobs, stored: _rendered(work, blobs, stored)
    )
    feeder = Feeder(store, store, store, lambda job: work.plan, window=work.window, floor=2 * SEGMENT)
    readers: list[FrameReader] = []
    detectors = [_detect_worker(work, number, readers) for number in range(work.workers)]
    consumers = _consumers(work)
    feeder.claim()
    for fold in folds.values():
        fold.claim()
    for detector in detectors:
        detector.claim()

    def trim() -> int:
        trim_released(store, store, consumers)
        return 0

    def tick() -> None:
        if cancelled.is_set():
            raise KeyboardInterrupt
        progress(released(work), len(work.plan.rows))

    watched = work.meter.watched
    steps = [
        watched("feed", feeder.step),
        *(watched(fold.stage, fold.step) for fold in folds.values()),
        watched("publish", publisher.step),
        trim,
    ]
    try:
        supervise(
            [steps, *([watched("detect", detector.step)] for detector in detectors)],
            lambda: store.get(job_id).state in TERMINAL,
            idle_s=IDLE_S,
            tick=tick,
            stalled=lambda: stall(store, work.job, folds, _readers(work, feeder, detectors)),
        )
    finally:
        _release([feeder, *folds.values(), *detectors])
        for reader in readers:
            reader.close()
    progress(released(work), len(work.plan.rows))
    return store.get(job_id)  # type: ignore[no-any-return]


def _readers(work: Work, feeder: Feeder, detectors: Sequence[DetectWorker]) -> dict[str, Pausing]:
    """What comes before the folds, by stage and topic; of the detect workers the first that stands still."""
    stopped = next((detector for detector in detectors if detector.paused), detectors[0])
    topic = work.job.settings["topics"][stream_name("frames", BRANCH)]
    return {f"feed {JOB_TOPIC}": feeder, f"detect {topic}": stopped}


def _release(workers: Sequence[Feeder | FoldWorker | DetectWorker]) -> None:
    """Leave cleanly, whatever ended the run; where the store cannot be written the next start is careful, no more."""
    for worker in workers:
        with suppress(SightlineError):
            worker.release()


def _fold_workers(work: Work) -> dict[tuple[str, str], FoldWorker]:
    """The workers by stage and stream, in the order in which records pass them."""
    groups = list(work.facts.groups)
    wanted = [("collect", stream) for stream in work.job.streams]
    if work.tracker is not None:
        wanted += [("track", f"detections:{group}") for group in groups]
        wanted += [("stats", f"tracks:{group}") for group in groups]
    topics: Mapping[str, str] = work.job.settings["topics"]
    order = {"track": 0, "stats": 1, "collect": 2}
    return {
        (stage, stream): FoldWorker(
            stage,
            topics[stream],
            0,
            lambda job, of, stage=stage, stream=stream: _stage(work, stage) if of == stream else None,  # type: ignore[misc]
            log=work.store,
            ledger=work.store,
            jobs=work.store,
            objects=work.objects,
        )
        for stage, stream in sorted(wanted, key=lambda pair: order[pair[0]])
    }


def _stage(work: Work, name: str) -> Any:
    if name == "track" and work.tracker is not None:
        return Track(work.tracker)
    if name == "stats":
        return Stats(work.rule)
    if name == "collect":
        return Collect(str(work.job.settings.get("prefix", "")))
    raise Misconfigured(f"no stage {name} in this job")


def _detect_worker(work: Work, number: int, readers: list[FrameReader]) -> DetectWorker:
    own: list[FrameReader] = []

    def reader(job: Job) -> FrameReader:
        if not own:
            own.append(work.reader())
            readers.append(own[0])
        return own[0]

    return DetectWorker(
        work.job.settings["topics"][stream_name("frames", BRANCH)],
        range(number, FRAME_PARTITIONS, work.workers),
        log=work.store,
        ledger=work.store,
        jobs=work.store,
        reader=reader,
        detector=work.detector,
        stage=lambda job: work.detect,
        depth=work.depth,
        suspicious=work.killed,
    )


def _consumers(work: Work) -> dict[str, int]:
    """How many stages read each topic."""
    topics: Mapping[str, str] = work.job.settings["topics"]
    tracked = work.tracker is not None
    counts = {"frames": 1, "detections": 1 + tracked, "tracks": 1 + tracked, "totals": 1}
    read = [stream_name("frames", BRANCH), *work.job.streams]
    return {JOB_TOPIC: 1} | {topics[stream]: counts[stream.partition(":")[0]] for stream in read}


def released(work: Work) -> int:
    """Frames of a job that every stage behind detection took over, those of earlier starts too."""
    done: Mapping[tuple[str, str], int] = work.store.progress(work.job.job_id)
    lowest = min(done.get((stage, stream), 0) for stage, stream in work.job.settings["consumers"])
    return min(lowest, len(work.plan.rows))


def _rendered(
    work: Work, blobs: Iterable[tuple[str, Sequence[bytes]]], stored: Mapping[str, Stat]
) -> Files | tuple[str, str]:
    result = result_of(work.facts, blobs)
    if "ok" not in result.frames.outcome:
        reasons = sorted(set(result.frames.reason))
        return "no_frame", f"no frame could be decoded ({', '.join(reasons)}): copy or download it again"
    return _files(work, result, stored)


def _files(work: Work, result: JobResult, stored: Mapping[str, Stat]) -> Files:
    prefix = str(work.job.settings.get("prefix", ""))
    for stream, parts in published_segments(result).items():
        for key, blob in zip(segment_keys(prefix, stream, len(result.frames)), parts, strict=True):
            yield key, (blob,)
    yield from work.render(result, stored)
