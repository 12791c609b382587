"""One video's run: its folder and its store, taken, worked in, and its result put in place."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sightline.adapters.files.objects import FolderObjects
from sightline.adapters.sqlite.store import SqliteStore
from sightline.disk import chunks_of, write_whole
from sightline.formats import run_folder
from sightline.jobs.files import RUN_JSON
from sightline.jobs.recipe import Recipe, known_of
from sightline.jobs.topology import Topology
from sightline.ports import Job
from sightline.runs.folders import Folder
from sightline.runs.log import RunLog
from sightline.runs.outcomes import LOG, TIMING, not_written, other_clock, report_of, with_remarks
from sightline.runs.reports import Report
from sightline.runs.timing import STARTED, RunClock, looked_before_s
from sightline.runs.uncommitted import drop_uncommitted
from sightline.runtime.failures import error_of
from sightline.runtime.host import World, accept, released
from sightline.settings import DetectOptions
from sightline.sources.opening import Ready

__all__ = ["Begun", "Single", "begin", "end"]

FILES, STORE = "files", "store.sqlite"


@dataclass(frozen=True)
class Single:
    """One source to run.

    Attributes:
        ready: the source and what decides its result.
        options: all settings.
        root: folder of the whole command.
        workers: detect threads.
        command: `track` or `detect`.
    """

    ready: Ready
    options: DetectOptions
    root: Path
    workers: int
    command: str

    @property
    def recipe(self) -> Recipe:
        """What decides the result."""
        return self.ready.recipe

    @property
    def path(self) -> Path:
        """Folder of the video."""
        return self.root / self.recipe.video_id


@dataclass(frozen=True)
class Begun:
    """A video that is being worked on.

    Attributes:
        single: the source.
        folder: it holds.
        store: its jobs and records.
        world: the work on them.
        starts: how often the run was begun.
        clock, log: what the folder tells of the work.
    """

    single: Single
    folder: Folder
    store: SqliteStore
    world: World
    starts: int
    clock: RunClock
    log: RunLog

    @property
    def job(self) -> Job:
        """Its job as it stands."""
        return self.store.get(self.single.recipe.job_id)

    def released(self) -> int:
        """Frames that every stage behind detection took over, those of earlier starts too."""
        return released(self.world, self.single.recipe)

    def left(self) -> int:
        """Frames that some stage behind detection has not taken over yet."""
        return self.single.recipe.sampled - self.released()

    def close(self) -> None:
        """Let go of store and folder; the run can be taken up again."""
        self.store.close()
        self.folder.unlock()


def begin(single: Single) -> Begun | Report:
    """Take a video's folder and open its store, or take up what was begun; a finished one is left as it is.

    Raises:
        Misconfigured: another run is in its folder.
        Unavailable: it cannot be written now; repeat to go on.
    """
    folder = Folder(single.path)
    folder.lock()
    try:
        state = folder.state(single.recipe.run_key, overwrite=single.options.overwrite)
        if state == "finished":
            if not single.options.keep:
                folder.drop_partial()
            report = with_remarks(
                single.root, single.options, report_of(folder.path, "finished"), not_written
            )
            folder.unlock()
            return report
        if state == "new":
            folder.clear()
        return _begun(single, folder, folder.begin(single.recipe.run_key))
    except BaseException:
        folder.unlock()
        raise


def _begun(single: Single, folder: Folder, starts: int) -> Begun:
    recipe, built = single.recipe, folder.partial / FILES
    looked_s = looked_before_s(folder.partial / LOG, folder.partial / STORE)
    objects = FolderObjects(built)
    objects.sweep()
    log = RunLog(folder.partial / LOG)
    log.write(
        STARTED,
        start=starts,
        job_id=recipe.job_id,
        video_id=recipe.video_id,
        frames=recipe.sampled,
        looked_s=round(looked_s, 3),
    )
    store = SqliteStore(folder.partial / STORE, synchronous="NORMAL")
    try:
        drop_uncommitted(store, recipe, objects, built)
        # As it was when the job was begun, perhaps with other settings of the machine: its records lie there.
        route = known_of(accept(store, recipe)).route
        world = World(store, objects, Topology.of(route.topics, route.frame_partitions), killed=folder.killed)
        return Begun(single, folder, store, world, starts, RunClock(looked_s), log)
    except BaseException:
        store.close()
        raise


def end(begun: Begun) -> Report:
    """Put the result of a job that has ended in place.

    Raises:
        SightlineError: the job has failed; what was done of it is gone.
        Unavailable: it cannot be written now; repeat to go on.
    """
    single, folder, job = begun.single, begun.folder, begun.job
    built = folder.partial / FILES
    if job.state != "ready":
        begun.store.close()
        folder.clear()
        raise error_of(job)
    # From here on a power cut must not take the end of the job back: its files are about to be moved.
    begun.store.flush()
    begun.store.close()
    timing = begun.clock.stop(
        single.recipe.sampled, begun.starts, begun.world.meter, **_circumstances(single)
    )
    write_whole(built / TIMING, [run_folder.encode(timing)])
    begun.log.write("finished", state=job.state, wall_s=timing.wall_s, cpu_s=timing.cpu_s, fps=timing.fps)
    write_whole(built / LOG, chunks_of(folder.partial / LOG))
    FolderObjects(built).sweep()
    folder.publish(_names(built / RUN_JSON), built, keep=single.options.keep)
    return with_remarks(single.root, single.options, report_of(folder.path, "done", timing), other_clock)


def _names(manifest: Path) -> set[str]:
    """What belongs in place: the job's own files; what an earlier start with other formats left stays behind."""
    run = run_folder.decode_run(manifest.read_bytes(), RUN_JSON)
    return {path.split("/")[0] for path in run.files} | {RUN_JSON, TIMING, LOG}


def _circumstances(single: Single) -> dict[str, Any]:
    """What `timing.json` says beside the time."""
    return {
        "calibration_s": single.ready.detectors.calibration_s,
        "machine_settings": {
            "workers": single.workers,
            "chunk_frames": single.options.chunk_frames,
            "formats": list(single.recipe.formats),
        },
        "source_path": str(single.ready.probed.source.path.resolve()),
    }
