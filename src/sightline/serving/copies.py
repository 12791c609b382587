"""Copies of sources that every browser plays: made when somebody asks, one at a time, beside the jobs.

What is being made is known to this process alone. Where it is killed nothing is left that anybody would take for a copy,
and the next one that asks begins it again.
"""

from __future__ import annotations

import logging
import os
import queue
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import msgspec

from sightline.disk import chunks_of
from sightline.errors import InvalidVideo, NotFound, SightlineError, Unavailable
from sightline.jobs import copies, requests
from sightline.jobs.copies import How, copy_key, copy_of
from sightline.jobs.rows import is_there
from sightline.ports import Jobs, Notes
from sightline.rendering import copy
from sightline.sources.stored import Places, index_of

__all__ = ["Copies"]

QUEUE = 16  # copies that wait
STEP = 64  # frames between two looks whether the job is still there
NICER = 10  # jobs come first
JSON = "application/json"
BUG = "an error of Sightline's own; it is in the log"
Answer = tuple[dict[str, Any], Iterator[bytes]]

log = logging.getLogger("sightline.serving")


@dataclass(frozen=True, slots=True)
class State:
    """Where a copy stands that is not there yet."""

    state: Literal["making", "failed"] = "making"
    done: int = 0
    total: int = 0
    how: How | None = None
    detail: str = ""


class _Given(Exception):
    """Nobody wants the copy any more."""


class Copies:
    """See the module; called by several threads.

    Args:
        jobs, notes: ports.
        places: of sources and copies.
        scratch: folder for what is made before it is stored.
    """

    def __init__(self, jobs: Jobs, notes: Notes, places: Places, scratch: Path) -> None:
        self._jobs, self._notes, self._places, self._scratch = jobs, notes, places, scratch
        self._lock = threading.Lock()
        self._states: dict[str, State] = {}
        self._waiting: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._make_on, name="sightline-copy", daemon=True)
        self._thread.start()

    def calls(self) -> Mapping[str, Callable[..., Answer]]:
        """By name, for a server."""
        return {"playback": self.show, "make_copy": self.make}

    def show(self, job_id: str) -> Answer:
        """The copy of a job as it stands, None where there is none; and when a player shows the first frame of the source.

        Raises:
            NotFound: no such job.
        """
        source = requests.decode(self._jobs.get(job_id).request).source
        try:
            start: int | None = index_of(self._places.objects, source).media_start_us
        except InvalidVideo:  # it is gone, and the source with it
            start = None
        return _json({"copy": self._shown(job_id), "media_start_us": start})

    def make(self, job_id: str) -> Answer:
        """Begin a copy where there is none, or none that is being made; then as `show`.

        Raises:
            NotFound: no such job.
            Unavailable: too many wait.
        """
        if not is_there(self._jobs, job_id):
            raise NotFound(f"no job {job_id}")
        with self._lock:
            state = self._states.get(job_id)
            if copy_of(self._notes, job_id) is None and (state is None or state.state == "failed"):
                if sum(each.state == "making" for each in self._states.values()) >= QUEUE:
                    raise Unavailable("too many copies are being made: ask again later", code="busy")
                self._states[job_id] = State()
                self._waiting.put(job_id)
        return self.show(job_id)

    def tidy(self) -> None:
        """Forget what became of copies of jobs that were removed."""
        with self._lock:
            failed = [job_id for job_id, each in self._states.items() if each.state == "failed"]
        gone = [job_id for job_id in failed if not is_there(self._jobs, job_id)]
        with self._lock:
            for job_id in gone:
                self._states.pop(job_id, None)

    def close(self) -> None:
        """Make no more; what is being made is given up."""
        self._stopped.set()
        self._waiting.put(None)
        self._thread.join(5)

    def _shown(self, job_id: str) -> dict[str, Any] | None:
        with self._lock:
            state = self._states.get(job_id)
        kept = copy_of(self._notes, job_id)
        # What is kept while it is still being made may go again: its job was perhaps removed.
        if kept is not None and (state is None or state.state != "making"):
            return {"state": "ready", "how": kept.how, "bytes": kept.bytes}
        return None if state is None else asdict(state)

    # --- the one thread

    def _make_on(self) -> None:
        os.setpriority(
            os.PRIO_PROCESS, threading.get_native_id(), NICER
        )  # of this thread and those it starts
        while (job_id := self._waiting.get()) is not None and not self._stopped.is_set():
            try:
                self._make(job_id)
                self._say(job_id, None)
            except (_Given, NotFound):
                self._say(job_id, None)
            except SightlineError as error:
                self._fail(job_id, error.reason if isinstance(error, InvalidVideo) else str(error))
            except Exception:  # one copy is lost, the next one is another matter
                log.exception("copy of %s", job_id)
                self._fail(job_id, BUG)

    def _make(self, job_id: str) -> None:
        source, key = requests.decode(self._jobs.get(job_id).request).source, copy_key(job_id)
        objects = self._places.objects

        def at(done: int, total: int, how: How) -> None:
            if self._stopped.is_set() or (done % STEP == 0 and not is_there(self._jobs, job_id)):
                raise _Given
            self._say(job_id, State(done=done, total=total, how=how))

        with TemporaryDirectory(dir=self._scratch) as folder:
            path = Path(folder) / "copy.mp4"
            how = copy.copy(self._places, source, path, at)
            objects.delete(key)  # of one that was stored and not noted: another release may have made it
            stat = objects.put_new(key, chunks_of(path))
        copies.keep(self._notes, job_id, stat, how)
        if not is_there(self._jobs, job_id):  # removed meanwhile: whoever did so may not have seen it
            copies.forget(self._notes, job_id)
            objects.delete(key)

    def _say(self, job_id: str, state: State | None) -> None:
        with self._lock:
            if state is None:
                self._states.pop(job_id, None)
            else:
                self._states[job_id] = state

    def _fail(self, job_id: str, detail: str) -> None:
        with self._lock:
            before = self._states.get(job_id, State())
            self._states[job_id] = replace(before, state="failed", detail=detail)


def _json(value: Any) -> Answer:
    blob = msgspec.json.encode(value)
    return {"type": JSON, "bytes": len(blob)}, iter((blob,))
