"""The feeder: accepted jobs in, one record per sampled frame out, never more than a window ahead of the slowest stage.

It produces, waits for the acknowledgement, then advances its own row; a crash in between repeats records with the
same identity. Jobs take turns, and the more of them are active the smaller is each one's window.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from sightline.errors import Fenced, Misconfigured, NotFound, Rejected
from sightline.events import Codecs, End, native, stream_name
from sightline.ports import TERMINAL, Commit, Entry, EventLog, Job, Jobs, Ledger, Members, Position, Saved
from sightline.runtime.dead_letters import bury, dead_letter
from sightline.runtime.failures import JobEnded, of_job
from sightline.runtime.owning import Ownership
from sightline.runtime.reading import claim, read_owned
from sightline.runtime.routes import JOB_TOPIC, outgoing
from sightline.stages.feed import Plan

__all__ = ["Feeder"]


@dataclass(slots=True)
class _Active:
    offset: int
    job: Job
    plan: Plan
    next_seq: dict[str, int]


@dataclass(slots=True)
class _Held:
    at: Position
    read_to: int
    paused: str = ""
    active: dict[str, _Active] = field(default_factory=dict)

    def low_water(self) -> int:
        return min((job.offset for job in self.active.values()), default=self.read_to)


class Feeder:
    """Feeds every job of one partition of the job topic.

    Args:
        log, ledger, jobs: ports.
        plan: which frames of a job's source are to be looked at.
        window: outstanding frames over all jobs.
        floor: outstanding frames of one job at the least: two releases of the slowest stage, or it would wait for ever.
        batch: records per append.
        members: who owns the partition; None where nobody else works on it.
        codecs: dialects by topic.
    """

    def __init__(
        self,
        log: EventLog,
        ledger: Ledger,
        jobs: Jobs,
        plan: Callable[[Job], Plan],
        *,
        window: int = 512,
        floor: int = 256,
        batch: int = 64,
        members: Members | None = None,
        codecs: Codecs = native,
    ) -> None:
        self._log, self._ledger, self._jobs, self._plan = log, ledger, jobs, plan
        self._window, self._floor, self._batch = window, floor, batch
        self._codecs, self._codec = codecs, codecs(JOB_TOPIC)
        self._owner = Ownership("feed", JOB_TOPIC, [0], members)
        self._held: _Held | None = None

    def claim(self) -> _Held | None:
        """Own the partition, if it may be owned; jobs that were not fed to their end are fed on."""
        if not self._owner.named():
            self.release()
            return None
        if self._held is None:
            at = claim(self._log, self._ledger, "feed", JOB_TOPIC, 0)
            self._held = _Held(at, at.low_water)
        return self._held

    def release(self) -> None:
        """Give the partition up, as at a stop."""
        held, self._held = self._held, None
        if held is not None:
            self._ledger.release(held.at)

    @property
    def paused(self) -> str:
        """Why no further job is taken though there is one; empty where they are."""
        return "" if self._held is None else self._held.paused

    def step(self) -> int:
        """Take new jobs, feed each active one within its window; 0 only if there was nothing to do.

        Raises:
            Fenced: another feeder moved on; the partition is waited for. After any other error the next step claims again.
        """
        held = self.claim()
        if held is None:
            return 0
        try:
            fed = self._accept(held)
            fed += sum(self._feed(held, active) for active in list(held.active.values()))
            if held.low_water() > held.at.low_water:
                held.at, _ = self._ledger.commit(Commit(held.at, held.low_water()))
            return fed
        except Fenced:
            self._held = None
            self._owner.fenced(0)
            raise
        except BaseException:
            self._held = None
            raise

    def _accept(self, held: _Held) -> int:
        events = read_owned(self._log, self._ledger, held.at, held.read_to, 64)
        held.paused = ""
        for read, entry in enumerate(events):
            try:
                job_id = self._job_id(entry)
            except Misconfigured as error:  # only a newer program can read it: nobody may pass it over
                held.paused = str(error)
                return read
            held.read_to = entry.offset + 1
            if job_id not in held.active:
                self._activate(held, entry.offset, job_id)
        return len(events)

    def _activate(self, held: _Held, offset: int, job_id: str) -> None:
        try:
            job = self._jobs.get(job_id)
        except NotFound:
            return
        if job.state in TERMINAL:
            return
        try:
            with of_job(self._jobs, job_id):
                plan = self._plan(job)
        except JobEnded:
            return
        held.active[job_id] = _Active(offset, job, plan, self._progress(job))

    def _job_id(self, entry: Entry) -> str:
        """Of an event; one that nobody can read is kept as a dead letter, and its key names the job all the same."""
        try:
            return self._codec.decode_job(entry.value).job_id
        except Rejected as error:
            at = ("feed", JOB_TOPIC, 0, entry)
            bury(self._log, dead_letter(*at, "invalid_record", str(error), error=error))
            return entry.key

    def _progress(self, job: Job) -> dict[str, int]:
        done = self._ledger.progress(job.job_id)
        return {
            branch: done.get(("feed", stream_name("frames", branch)), 0)
            for branch in job.settings["branches"]
        }

    def _feed(self, held: _Held, active: _Active) -> int:
        limit = self._released(active) + max(self._window // max(len(held.active), 1), self._floor)
        fed = 0
        for branch, next_seq in active.next_seq.items():
            last = len(active.plan.rows)
            if next_seq > last:
                continue
            room = min(limit - next_seq, self._batch)
            if room <= 0:
                self._drop_ended(held, active)
                continue
            fed += self._append(held, active, branch, next_seq, room)
        if active.job.job_id in held.active and all(
            n > len(active.plan.rows) for n in active.next_seq.values()
        ):
            del held.active[active.job.job_id]
        return fed

    def _drop_ended(self, held: _Held, active: _Active) -> None:
        """Forget a job that ended while its window was full; it must not shrink the others' windows."""
        try:
            ended = self._jobs.get(active.job.job_id).state in TERMINAL
        except NotFound:
            ended = True
        if ended:
            held.active.pop(active.job.job_id, None)

    def _append(self, held: _Held, active: _Active, branch: str, next_seq: int, room: int) -> int:
        job = active.job
        records = active.plan.records(job.job_id, branch, next_seq, room)
        self._log.append(
            [
                outgoing(job, record, self._codecs, chunk=active.plan.chunk_of(record.seq))
                for record in records
            ]
        )
        active.next_seq[branch] = after = next_seq + len(records)
        ended = isinstance(records[-1], End)
        saved = Saved(after, b"" if ended else b"\x01")
        held.at, alive = self._ledger.commit(
            Commit(held.at, held.low_water(), job.job_id, stream_name("frames", branch), saved)
        )
        if not alive:
            held.active.pop(job.job_id, None)
        elif next_seq == 0:
            with suppress(NotFound):  # removed meanwhile
                self._jobs.advance(job.job_id, "processing")
        return len(records)

    def _released(self, active: _Active) -> int:
        """Frames that every consumer of detections has released."""
        done = self._ledger.progress(active.job.job_id)
        return min(done.get((stage, stream), 0) for stage, stream in active.job.settings["consumers"])
