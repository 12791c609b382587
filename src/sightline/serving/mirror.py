"""The CSV files of system A where its users look for them: `debug_output/{job_id}/`, and flat ones of the newest finished job.

They are copies of what lies in the job's run folder, made after it is `ready`: nobody sees files of a job that failed.
What a crash left undone follows from the rows of jobs, and is done at the next start.
"""

from __future__ import annotations

import logging
import os
import shutil
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from sightline.disk import disk_errors, give_name, make_folder, write_whole
from sightline.errors import Corrupt, NotFound, Unavailable
from sightline.formats.run_folder import decode_run
from sightline.ports import TERMINAL, Job, Jobs, ObjectStore, Which

__all__ = ["Mirror"]

FORMAT = "csv-a"
STATS = "stats.csv"
NEWEST = ".newest"  # whose files the flat ones are; written behind them
READY = Which(states=("ready",))
log = logging.getLogger("sightline.serving")


class Mirror:
    """Keeps the copies; used by one thread.

    Args:
        folder: `debug_output`.
        stats: where the flat `stats.csv` goes; None: beside the others.
        jobs, objects: ports.
    """

    def __init__(self, folder: Path, stats: Path | None, jobs: Jobs, objects: ObjectStore) -> None:
        self._folder, self._stats = folder, stats or folder / STATS
        self._jobs, self._objects = jobs, objects
        self._waiting: dict[str, None] = {}
        self._begun = False

    def publishing(self, job_id: str) -> None:
        """Hear of a job that is about to be `ready`; of any thread."""
        self._waiting[job_id] = None

    def step(self) -> bool:
        """Copy the files of jobs that have become `ready`; False where a disk does not take them now: try again later."""
        try:
            if not self._begun:
                self._catch_up()
                self._begun = True
            for job_id in list(self._waiting):
                if self._settled(job_id):
                    self._waiting.pop(job_id, None)
        except Unavailable as error:
            log.warning("csv files are not copied now: %s (%s)", error.message, error.code)
            return False
        return True

    def tidy(self, removed: Iterable[str]) -> bool:
        """Remove the copies of jobs that were removed; False where a disk does not allow it now."""
        try:
            with disk_errors(self._folder.name):
                self._remove(removed)
        except Unavailable as error:
            log.warning("csv files are not removed now: %s (%s)", error.message, error.code)
            return False
        return True

    # --- what is there

    def _catch_up(self) -> None:
        """What a crash has left undone."""
        if self._folder.is_dir():
            with disk_errors(self._folder.name):
                self._remove([name for name in os.listdir(self._folder) if _is_id(name)])
        newest: Job | None = None
        for job in self._finished():
            self._copy(job)
            newest = job if newest is None else max(newest, job, key=_ended_at)
        if newest is not None and newest.job_id != self._newest():
            self._flatten(newest)

    def _remove(self, job_ids: Iterable[str]) -> None:
        """The copies of those of these jobs that are not there any more."""
        gone = [
            job_id for job_id in job_ids if (self._folder / job_id).is_dir() and self._job(job_id) is None
        ]
        was = self._newest()
        for job_id in gone:
            shutil.rmtree(self._folder / job_id)
        if was in gone:
            self._forget()
            self._flatten(max(self._finished(), key=_ended_at, default=None))

    def _finished(self) -> Iterator[Job]:
        """Every job that has such files."""
        cursor = ""
        while True:
            page = self._jobs.list(READY, limit=200, after=cursor)
            yield from (job for job in page.jobs if FORMAT in job.facts.get("formats", ()))
            cursor = page.cursor
            if not cursor:
                return

    def _job(self, job_id: str) -> Job | None:
        try:
            return self._jobs.get(job_id)
        except NotFound:
            return None

    def _newest(self) -> str:
        """Whose files the flat ones are; empty where there are none."""
        try:
            return (self._folder / NEWEST).read_text()
        except FileNotFoundError:
            return ""

    # --- one job

    def _settled(self, job_id: str) -> bool:
        """Whether nothing is to be done any more for a job that was about to be `ready`."""
        job = self._job(job_id)
        if job is None or job.state != "ready":
            return job is None or job.state in TERMINAL
        if FORMAT in job.facts.get("formats", ()):
            self._copy(job)
            self._flatten(job)
        return True

    def _copy(self, job: Job) -> None:
        """The job's own folder, whole or not at all."""
        target = self._folder / job.job_id
        if target.exists():
            return
        part = self._folder / f".{job.job_id}.part"
        make_folder(self._folder)
        shutil.rmtree(part, ignore_errors=True)
        try:
            files = self._files(job)
            for name, key in files.items():
                make_folder(part)
                write_whole(part / name, self._objects.read(key))
        except NotFound:  # it was removed meanwhile
            return
        except Corrupt as error:  # one that is damaged does not keep the others
            log.warning(
                "csv files of job %s cannot be copied: %s (%s)", job.job_id, error.message, error.code
            )
            return
        if files:
            give_name(part, target)

    def _files(self, job: Job) -> dict[str, str]:
        """Keys of the job's files by name, as its manifest has them.

        Raises:
            NotFound: the job was removed.
            Corrupt: its manifest is damaged.
        """
        manifest = PurePosixPath(job.result["key"])
        listed = decode_run(b"".join(self._objects.read(str(manifest)))).files
        return {
            path.removeprefix(f"{FORMAT}/"): str(manifest.parent / path)
            for path in sorted(listed)
            if path.startswith(f"{FORMAT}/")
        }

    def _flatten(self, job: Job | None) -> None:
        """The flat files, each whole: those of the job, `stats.csv` last; then the name of the job."""
        source = None if job is None else self._folder / job.job_id
        if job is None or source is None or not source.is_dir():
            return
        for path in sorted(source.iterdir(), key=lambda path: (path.name == STATS, path.name)):
            target = self._stats if path.name == STATS else self._folder / path.name
            make_folder(target.parent)
            write_whole(target, [path.read_bytes()])
        write_whole(self._folder / NEWEST, [job.job_id.encode()])

    def _forget(self) -> None:
        """Remove the flat files."""
        flat = [path for path in self._folder.iterdir() if path.suffix == ".csv" and path.is_file()]
        for path in [*flat, self._stats, self._folder / NEWEST]:
            path.unlink(missing_ok=True)


def _is_id(name: str) -> bool:
    """Whether a folder is one of ours: whatever else somebody puts here is left alone."""
    try:
        return str(uuid.UUID(name)) == name
    except ValueError:
        return False


def _ended_at(job: Job) -> tuple[int, str]:
    return job.times.get("ready", 0), job.job_id
