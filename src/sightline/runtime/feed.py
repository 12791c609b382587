"""The feeder: accepted jobs in, one record per sampled frame out, never more than a window ahead of the slowest stage.

Of a job that replays another one from `track` on the records are those of its stored detections.

It produces, waits for the acknowledgement, then advances its own row; a crash in between repeats records with the
same identity. Jobs take turns, and the more of them are active the smaller is each one's window.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from msgspec import UNSET

from sightline.errors import Fenced, Misconfigured, NotFound, Rejected
from sightline.events import Codecs, Detected, End, Sampled, native, part_of
from sightline.jobs.recipe import Recipe, asked_of, encode
from sightline.jobs.topology import BRANCH, JOB_TOPIC, frames_stream, frames_streams, released_by
from sightline.ports import (
    TERMINAL,
    Commit,
    Entry,
    EventLog,
    Job,
    Jobs,
    Ledger,
    Members,
    ObjectStore,
    Outgoing,
    Position,
    Row,
    Saved,
)
from sightline.runtime.dead_letters import bury, dead_letter
from sightline.runtime.failures import JobEnded, of_job
from sightline.runtime.meter import Meter
from sightline.runtime.owning import Ownership
from sightline.runtime.reading import claim, read_owned
from sightline.runtime.replayed import StoredDetections
from sightline.runtime.routes import outgoing, recipe_of
from sightline.runtime.window import BATCH, FEED_AT_ONCE, FLOOR, SHORT, WINDOW, next_job, room_of, share_of
from sightline.stages.feed import Plan

__all__ = ["Broken", "Feeder", "Named", "Rows", "all_whole", "as_they_are", "no_rows"]

Rows = Callable[[Recipe, Plan, Sequence[Sampled]], Sequence[Row]]
Named = Callable[[Recipe, Plan, Sequence[Sampled]], Sequence[Sampled]]
Broken = Callable[[Recipe, Plan, Sequence[Sampled]], Sequence[str]]

STILL_S = 60.0  # in which nobody releases a frame: then those on their way are looked at


@dataclass(slots=True)
class _Active:
    offset: int
    recipe: Recipe
    plan: Plan
    next_seq: int
    longest_chunk: int
    stored: StoredDetections | None
    moved: float  # when `released` last rose
    released: int = 0
    looked: int = 0  # at frames below this seq, and at those that were released before

    def outstanding(self) -> int:
        """Frames on their way, as far as is known."""
        return max(self.next_seq - self.released, 0)


@dataclass(frozen=True, slots=True)
class _Queued:
    offset: int
    frames: int


@dataclass(slots=True)
class _Held:
    at: Position
    read_to: int
    active: dict[str, _Active] = field(default_factory=dict)
    queue: dict[str, _Queued] = field(default_factory=dict)
    admitted: int = 0
    paused: str = ""

    def low_water(self) -> int:
        jobs: list[_Active | _Queued] = [*self.active.values(), *self.queue.values()]
        return min((job.offset for job in jobs), default=self.read_to)

    def next_queued(self) -> str:
        """See `next_job`."""
        self.admitted += 1
        return next_job(self.queue, self.admitted)


def no_rows(recipe: Recipe, plan: Plan, records: Sequence[Sampled]) -> Sequence[Row]:
    """No table is filled."""
    return ()


def as_they_are(recipe: Recipe, plan: Plan, records: Sequence[Sampled]) -> Sequence[Sampled]:
    """Records say nothing that foreign programs need."""
    return records


def all_whole(recipe: Recipe, plan: Plan, records: Sequence[Sampled]) -> Sequence[str]:
    """Whoever detects decodes the frames, and answers for each."""
    return [""] * len(records)


class _Unsettled(Exception):
    """What is to be done for a job is not known yet."""


class Feeder:
    """Feeds every job of one partition of the job topic.

    Args:
        log, ledger, jobs, objects: ports.
        plan: which frames of a job's source are sampled.
        lanes: threads that decode: each should find a chunk of its own.
        window: outstanding frames over all jobs at the least.
        floor: outstanding frames of one job at the least.
        at_once: jobs that are fed at the same time; the rest queue, the oldest first.
        batch: records per append.
        members: who owns the partition; None where nobody else works on it.
        codecs: dialects by topic.
        resolve: what is to be done for a job that is new; written to its row, once, with the move to `processing`. None:
            that is not known yet; others go on, and it is asked again.
        meter: counts frames.
        rows: of tables, for frames that are about to be named; they are written with the feeder's own commit.
        named: records as foreign programs need them, such as with the paths of pictures; one that it finds to have failed is
            answered here.
        broken: why there is nothing to see in the frames of some records, empty where there is, as foreign programs may say
            nothing of them: they are answered here too. It is asked once of each frame on its way when none was released for
            `still_s` seconds.
        topic, partition: of job events.
    """

    def __init__(
        self,
        log: EventLog,
        ledger: Ledger,
        jobs: Jobs,
        plan: Callable[[Recipe], Plan],
        *,
        objects: ObjectStore,
        lanes: int = 1,
        window: int = WINDOW,
        floor: int = FLOOR,
        at_once: int = FEED_AT_ONCE,
        batch: int = BATCH,
        members: Members | None = None,
        codecs: Codecs = native,
        resolve: Callable[[Job], Recipe | None] = asked_of,
        meter: Meter | None = None,
        rows: Rows = no_rows,
        named: Named = as_they_are,
        broken: Broken = all_whole,
        still_s: float = STILL_S,
        topic: str = JOB_TOPIC,
        partition: int = 0,
    ) -> None:
        self._meter = meter or Meter()
        self._resolve, self._rows, self._named = resolve, rows, named
        self._broken, self._still_s = broken, still_s
        self._log, self._ledger, self._jobs, self._objects = log, ledger, jobs, objects
        self._plan = plan
        self._lanes, self._window, self._floor = lanes, window, floor
        self._at_once, self._batch = at_once, batch
        self.topic, self.partition = topic, partition
        self._codecs, self._codec = codecs, codecs(topic)
        self._owner = Ownership("feed", topic, [partition], members)
        self._held: _Held | None = None

    def claim(self) -> _Held | None:
        """Own the partition, if it may be owned; jobs that were not fed to their end are fed on."""
        if not self._owner.named():
            self.release()
            return None
        if self._held is None:
            at = claim(self._log, self._ledger, "feed", self.topic, self.partition)
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
            fed = self._accept(held) + self._admit(held)
            fed += sum(self._feed(held, active) for active in list(held.active.values()))
            if held.low_water() > held.at.low_water:
                held.at, _ = self._ledger.commit(Commit(held.at, held.low_water()))
            return fed
        except Fenced:
            self._held = None
            self._owner.fenced(self.partition)
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
            job = None if job_id in held.active else self._alive(job_id)
            if job is not None:
                held.queue.setdefault(job_id, _Queued(entry.offset, _length(job)))
        return len(events)

    def _admit(self, held: _Held) -> int:
        """Begin with jobs from the queue, as many as there is room for; how many left it."""
        left, unsettled = 0, dict[str, _Queued]()
        while held.queue and len(held.active) + len(unsettled) < self._at_once:
            job_id = held.next_queued()
            queued = held.queue.pop(job_id)
            try:
                recipe = self._recipe(job_id)
            except _Unsettled:
                unsettled[job_id] = queued
                continue
            left += 1
            if recipe is not None:
                self._activate(held, queued.offset, recipe)
        held.queue = {**unsettled, **held.queue}  # they keep their place
        return left

    def _activate(self, held: _Held, offset: int, recipe: Recipe) -> None:
        try:
            with of_job(self._jobs, recipe.job_id):
                plan = self._plan(recipe)
        except JobEnded:
            return
        stored = None if recipe.route.stored is UNSET else StoredDetections(self._objects, recipe)
        held.active[recipe.job_id] = _Active(
            offset, recipe, plan, self._progress(recipe), plan.longest_chunk(), stored, time.monotonic()
        )

    def _recipe(self, job_id: str) -> Recipe | None:
        """Recipe of a job that has not ended.

        Raises:
            _Unsettled: it is not known yet.
        """
        job = self._alive(job_id)
        if job is None:
            return None
        try:
            with of_job(self._jobs, job_id):
                return recipe_of(job) if job.facts else self._resolved(job)
        except JobEnded:
            return None

    def _resolved(self, job: Job) -> Recipe | None:
        """Write once what was found; whoever was faster wrote what counts."""
        recipe = self._resolve(job)
        if recipe is None:
            raise _Unsettled
        if self._jobs.advance(job.job_id, "processing", facts=encode(recipe)):
            return recipe
        return self._recipe(job.job_id)

    def _alive(self, job_id: str) -> Job | None:
        try:
            job = self._jobs.get(job_id)
        except NotFound:
            return None
        return None if job.state in TERMINAL else job

    def _job_id(self, entry: Entry) -> str:
        """Of an event; one that nobody can read is kept as a dead letter, and its key names the job all the same."""
        try:
            return self._codec.decode_job(entry.value).job_id
        except Rejected as error:
            at = ("feed", self.topic, self.partition, entry)
            bury(self._log, dead_letter(*at, "invalid_record", str(error), error=error))
            return entry.key

    def _share(self, held: _Held, active: _Active) -> int:
        """Outstanding frames of one job."""
        others = sum(other.outstanding() for other in held.active.values() if other is not active)
        return share_of(self._room(held), len(held.active), others, self._floor)

    def _room(self, held: _Held) -> int:
        """Outstanding frames of all jobs."""
        longest = max(active.longest_chunk for active in held.active.values())
        return room_of(longest, self._lanes, self._window)

    def _progress(self, recipe: Recipe) -> int:
        """The first seq that was not fed yet."""
        return self._ledger.progress(recipe.job_id).get(("feed", frames_stream()), 0)

    def _feed(self, held: _Held, active: _Active) -> int:
        """Some frames of a job, or its end; it is active until the stage behind detection has released all of them."""
        released, last = self._released(active), len(active.plan.rows)
        if released != active.released:
            active.released, active.moved = released, time.monotonic()
        room = min(active.released + self._share(held, active), last + 1) - active.next_seq
        if room > 0:
            return self._append(held, active, min(room, self._batch))
        if active.released > last or self._alive(active.recipe.job_id) is None:
            del held.active[active.recipe.job_id]
            return 1
        still = active.stored is None and time.monotonic() - active.moved >= self._still_s
        return self._look(held, active) if still else 0

    def _look(self, held: _Held, active: _Active) -> int:
        """See once whether there is anything to see in frames that are waited for; how many were looked at.

        Where there is not, nobody else may say so: a foreign detector that opens no picture says nothing.
        """
        job_id, first = active.recipe.job_id, max(active.looked, active.released)
        records = active.plan.records(job_id, BRANCH, first, min(active.next_seq - first, self._batch))
        frames = [record for record in records if isinstance(record, Sampled)]
        if not frames:
            return 0
        active.looked = first + len(frames)
        try:
            with of_job(self._jobs, job_id):
                reasons = self._broken(active.recipe, active.plan, frames)
        except JobEnded:
            held.active.pop(job_id, None)
            return 1
        seen = zip(frames, reasons, strict=True)
        lost = [replace(frame, outcome="failed", reason=reason) for frame, reason in seen if reason]
        self._log.append([each for record in lost for each in self._answered(active, record)])
        return len(frames)

    def _append(self, held: _Held, active: _Active, room: int) -> int:
        job_id, next_seq = active.recipe.job_id, active.next_seq
        records = active.plan.records(job_id, BRANCH, next_seq, room)
        try:
            with of_job(self._jobs, job_id):
                records, sent, rows = self._written(active, records)
        except JobEnded:
            held.active.pop(job_id, None)
            return 1
        self._log.append(sent)
        active.next_seq = after = next_seq + len(records)
        saved = Saved(after, b"" if isinstance(records[-1], End) else b"\x01")
        commit = Commit(held.at, held.low_water(), job_id, frames_stream(), saved, rows=tuple(rows))
        held.at, alive = self._ledger.commit(commit)
        self._meter.frames("feed", records)
        if not alive:
            held.active.pop(job_id, None)
        return len(records)

    def _written(
        self, active: _Active, records: list[Sampled | End]
    ) -> tuple[list[Sampled | End], list[Outgoing], Sequence[Row]]:
        """The frames as they are accounted for, what the log gets of them, and rows of tables.

        Of a replay the log gets what would be found in them: nobody else looks at them.
        """
        if active.stored is not None:
            found = active.stored.records(records)
            return records, [outgoing(active.recipe, record, self._codecs) for record in found], ()
        frames = [record for record in records if isinstance(record, Sampled)]
        rows = self._rows(active.recipe, active.plan, frames)
        named = list(self._named(active.recipe, active.plan, frames))
        lost = [after for before, after in zip(frames, named, strict=True) if after.outcome != before.outcome]
        records = [*named, *(record for record in records if isinstance(record, End))]
        sent = [each for record in records for each in self._addressed(active, record)]
        return records, [*sent, *(each for record in lost for each in self._answered(active, record))], rows

    def _addressed(self, active: _Active, record: Sampled | End) -> Iterator[Outgoing]:
        """The record, for each detector that shares the work."""
        chunk = active.plan.chunk_of(record.seq)
        for stream in frames_streams(active.recipe):
            mine = record if record.stream == stream else replace(record, stream=stream)
            yield outgoing(active.recipe, mine, self._codecs, chunk=chunk)

    def _answered(self, active: _Active, lost: Sampled) -> Iterator[Outgoing]:
        """What every detector would say of a frame in which there is nothing to see: that, and where its stream ends.

        A foreign detector that opens no picture says nothing, and of a job without any picture not even its end is known.
        """
        at = (lost.seq, lost.frame, lost.pts_us, lost.outcome, lost.reason)
        for stream in active.recipe.route.topics:
            if part_of(stream)[0] == "detections":
                for record in (
                    Detected(lost.job_id, stream, *at, motion=lost.motion),
                    End(lost.job_id, stream, len(active.plan.rows)),
                ):
                    yield outgoing(active.recipe, record, self._codecs)

    def _released(self, active: _Active) -> int:
        """Frames that every consumer of detections has released."""
        done = self._ledger.progress(active.recipe.job_id)
        return min(done.get(pair, 0) for pair in released_by(active.recipe))


def _length(job: Job) -> int:
    """Sampled frames of a job; one of which that is not known yet is not taken for a short one."""
    known = job.facts or job.request.get("recipe") or {}
    return int(known.get("sampled", SHORT))
