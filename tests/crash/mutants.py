"""Planted bugs: what somebody might have written instead, made of the product's own parts and one wrong one."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from sightline.disk import chunks_of, disk_errors
from sightline.errors import Fenced
from sightline.events import End, Native, Sampled
from sightline.jobs.topology import FRAME_PARTITIONS, released_by
from sightline.ports import Commit, Entry, Outgoing, Saved, Stat
from sightline.runs.folders import BEGUN, RUN, Folder
from sightline.runtime.chunk_queue import ChunkQueue
from sightline.runtime.detect import DetectRole
from sightline.runtime.feed import Feeder
from sightline.runtime.lanes import Lane
from sightline.runtime.order import Fold, Waiting
from sightline.runtime.publish import Publisher, read_segments
from sightline.runtime.retention import Retention
from sightline.runtime.routes import recipe_of
from sightline.runtime.worker import FoldWorker
from sightline.stages.track import Track
from tests.crash.world import Parts

CODEC = Native()
FOLDS = frozenset({"track", "stats", "collect"})


class Around:
    """A port with some calls replaced."""

    def __init__(self, port: Any) -> None:
        self.port = port

    def __getattr__(self, name: str) -> Any:
        return getattr(self.port, name)


def around(kind: Callable[[Any], Any], *roles: str) -> Callable[[str, Any], Any]:
    """The store as some roles see it."""
    return lambda role, store: kind(store) if role in roles else store


# --- ledger and log ------------------------------------------------------------------------------------------------


class PositionFirst(Around):
    """The position in a commit of its own, before state and outputs."""

    def commit(self, commit: Commit) -> Any:
        if commit.saved is None:
            return self.port.commit(commit)
        at, _ = self.port.commit(Commit(commit.at, commit.low_water))
        return self.port.commit(replace(commit, at=at))


class SentLater(Around):
    """What was produced goes to the log after the position has moved."""

    def __init__(self, port: Any) -> None:
        super().__init__(port)
        self.kept: list[Outgoing] = []

    def append(self, records: Any) -> None:
        self.kept += records

    def commit(self, commit: Commit) -> Any:
        answer = self.port.commit(commit)
        kept, self.kept = self.kept, []
        self.port.append(kept)
        return answer


class NothingCompared(Around):
    """Commits at whatever position there is."""

    def commit(self, commit: Commit) -> Any:
        mine = commit.at
        for now in self.port.positions(mine.topic):
            if (now.stage, now.partition) == (mine.stage, mine.partition):
                return self.port.commit(replace(commit, at=now))
        raise Fenced("no position")


class Ahead(Around):
    """The position is what was read, not what was released."""

    def __init__(self, port: Any) -> None:
        super().__init__(port)
        self.read_to: Counter[tuple[str, int]] = Counter()

    def read(self, topic: str, partition: int, offset: int, limit: int) -> list[Entry]:
        entries: list[Entry] = self.port.read(topic, partition, offset, limit)
        self.read_to[topic, partition] = max([offset, *(entry.offset + 1 for entry in entries)])
        return entries

    def commit(self, commit: Commit) -> Any:
        read_to = self.read_to[commit.at.topic, commit.at.partition]
        return self.port.commit(replace(commit, low_water=max(commit.low_water, read_to)))


class WaitingStored(Around):
    """Frames that wait for their turn are kept in the state, and the position is what was read."""

    def __init__(self, port: Any) -> None:
        super().__init__(port)
        self.waiting: dict[tuple[str, str], list[Entry]] = {}
        self.again: list[Entry] = []

    def read(self, topic: str, partition: int, offset: int, limit: int) -> list[Entry]:
        again, self.again = self.again, []
        entries = again + self.port.read(topic, partition, offset, limit)
        for entry in entries:
            record = CODEC.decode(entry.value)
            self.waiting.setdefault((record.job_id, record.stream), []).append(entry)
        return entries

    def load(self, stage: str, job_id: str, stream: str) -> Saved | None:
        saved = self.port.load(stage, job_id, stream)
        if saved is None or not saved.state:
            return saved
        state, waiting = msgspec.msgpack.decode(saved.state, type=tuple[bytes, list[Entry]])
        self.again += waiting
        return Saved(saved.next_seq, state)

    def commit(self, commit: Commit) -> Any:
        if commit.saved is not None and commit.saved.state:
            key = commit.job_id, commit.stream
            seqs = ((CODEC.decode(entry.value).seq, entry) for entry in self.waiting.get(key, []))
            waiting = [entry for seq, entry in seqs if seq >= commit.saved.next_seq]
            self.waiting[key] = waiting
            state = msgspec.msgpack.encode((commit.saved.state, waiting))
            commit = replace(commit, saved=Saved(commit.saved.next_seq, state))
        return self.port.commit(commit)


class OutputsFirst(Around):
    """Outputs go to the log before state and position are committed."""

    def commit(self, commit: Commit) -> Any:
        self.port.append(list(commit.outputs))
        return self.port.commit(replace(commit, outputs=()))


class NobodyAsks(Around):
    """A commit of a job that has ended writes its outputs all the same, and the stage goes on with it."""

    def commit(self, commit: Commit) -> Any:
        at, alive = self.port.commit(commit)
        if not alive:
            self.port.append(list(commit.outputs))
        return at, True


class Renumbered(Around):
    """Frames are numbered as they are written, not as they were planned."""

    def append(self, records: Any) -> None:
        written = sum(self.port.head("frames-main", part)[1] for part in range(FRAME_PARTITIONS))
        fed = []
        for record in records:
            decoded = CODEC.decode(record.value) if record.topic.startswith("frames") else None
            if isinstance(decoded, Sampled):
                record = replace(record, value=CODEC.encode(replace(decoded, seq=written)))
                written += 1
            fed.append(record)
        self.port.append(fed)


class ForgetfulFeeder(Feeder):
    """Counts in memory what it fed: a new one begins with the first frame that no consumer has released."""

    def _progress(self, recipe: Any) -> int:
        done = self._ledger.progress(recipe.job_id)
        released = min(done.get(pair, 0) for pair in released_by(recipe))
        return released + 1 if released else 0


class TrimByFastest(Retention):
    """Below the fastest reader instead of the slowest."""

    def step(self) -> int:
        for topic in self._consumers:
            for position in self._ledger.positions(topic):
                self._log.trim(topic, position.partition, position.low_water)
        return 0


# --- many jobs -----------------------------------------------------------------------------------------------------


class StoppedByGarbage(Feeder):
    """An event that nobody can read stops the stage."""

    def _job_id(self, entry: Entry) -> str:
        return self._codec.decode_job(entry.value).job_id


class StoppedByOne(Feeder):
    """A job whose source cannot be read stops the stage."""

    def _activate(self, held, offset, recipe):
        self._plan(recipe)
        super()._activate(held, offset, recipe)


class SlotKept(Feeder):
    """A job that ended before its last frame keeps its place among those that are fed."""

    def _feed(self, held, active):
        ended = self._alive(active.recipe.job_id) is None
        if ended and self._released(active) <= len(active.plan.rows):
            return 0
        return super()._feed(held, active)


class FreeWhenFed(Feeder):
    """A place is free when the last frame was fed, not when it is released."""

    def _feed(self, held, active):
        fed = super()._feed(held, active)
        if active.next_seq > len(active.plan.rows):
            held.active.pop(active.recipe.job_id, None)
        return fed


class WholeWindow(Feeder):
    """Each job has the whole window."""

    def _room(self, held):
        return super()._room(held) * len(held.active)


class Blames(DetectRole):
    """What goes wrong when a picture lands is put down to the job whose frames are begun."""

    _begun_last = ""

    def begin_any(self, tasks):
        self._begun_last = tasks[0].job_id
        super().begin_any(tasks)

    def of_job(self, job_id):
        return super().of_job(self._begun_last or job_id)


class OneModel(Lane):
    """Slots are kept, whatever the detector of the next job."""

    def _slots_of(self, recipe):
        return next(iter(self._slots.values()), None) or super()._slots_of(recipe)


class OneSource(Lane):
    """A source is kept open, whatever the next job."""

    def _reader(self, role, recipe):
        return next(iter(self._readers.values()), None) or super()._reader(role, recipe)


class DropsAll(ChunkQueue):
    """Whoever gives a partition up drops what waits of it in other stores too."""

    def drop(self, role, partition):
        for other in {owner for owner, _ in self._jobs} | {role}:
            super().drop(other, partition)


class EndedKept(FoldWorker):
    """What waits of a job that ended is kept."""

    def _drop_ended(self, held, moved):
        pass


# --- folds ---------------------------------------------------------------------------------------------------------


def folding(kind: type[Fold]) -> Callable[..., Any]:
    """A worker whose streams are folded in another way."""

    class Worker(FoldWorker):
        def _load(self, job: Any, stream: str) -> Fold | None:
            fold = super()._load(job, stream)
            return (
                None
                if fold is None
                else kind(fold.recipe, fold.stage, fold.state, fold.next_seq, fold.finished)
            )

    return Worker


class LastWins(Fold):
    """A later record of an identity replaces the one that waits."""

    def add(self, offset, record):
        if not self.finished and record.seq >= self.next_seq:
            self.waiting[record.seq] = Waiting(offset, record)


class ByArrival(Fold):
    """Records are released as they come."""

    def take_due(self, at_most):
        due = [self.waiting.pop(seq).record for seq in list(self.waiting)[:at_most]]
        self.next_seq = max([self.next_seq, *(record.seq + 1 for record in due)])
        self.finished = any(isinstance(record, End) for record in due)
        return sorted(due, key=lambda record: isinstance(record, End))


class EndAtOnce(Fold):
    """The end does not wait for its turn."""

    def take_due(self, at_most):
        due = super().take_due(at_most)
        ends = [seq for seq, waiting in self.waiting.items() if isinstance(waiting.record, End)]
        if ends and not self.finished:
            self.finished = True
            due.append(self.waiting.pop(ends[0]).record)
            self.next_seq = due[-1].seq + 1
            self.waiting.clear()
        return due


class Counted(Fold):
    """Complete when as many records have come as there are frames, the end among them."""

    came = 0

    def add(self, offset, record):
        Counted.came += 1
        super().add(offset, record)

    def take_due(self, at_most):
        due = super().take_due(at_most)
        ends = [waiting.record for waiting in self.waiting.values() if isinstance(waiting.record, End)]
        if ends and self.duplicates + self.next_seq + len(self.waiting) > ends[0].seq and not due:
            self.finished, self.next_seq = True, ends[0].seq + 1
            self.waiting.clear()
            return [ends[0]]
        return due


class KeptMemory(FoldWorker):
    """Goes on with what it held after a commit whose answer got lost."""

    def step(self) -> int:
        return self._step(self.claim())


class ClockTrack(Track):
    """The tracker's time is that of the machine, not that of the frame."""

    def _frame(self, record, stream, state):
        clock = replace(record, pts_us=time.monotonic_ns() // 1000)
        state, tracked = super()._frame(clock, stream, state)
        return state, replace(tracked, pts_us=record.pts_us)


# --- publishing, files ---------------------------------------------------------------------------------------------


class PointerFirst(Publisher):
    """The job is ready, then its files are written."""

    def _publish(self, job: Any) -> int:
        if not self._jobs.advance(job.job_id, "ready", result={}):
            return 0
        recipe = recipe_of(job)
        segments = read_segments(self._objects, recipe.route.prefix, self._frames(recipe), {})
        for path, chunks in self._render(recipe, segments).files:
            self._objects.put_new(recipe.route.prefix + path, chunks)
        return 1


class ReadBackSkipped(Around):
    """What was put is taken for stored: reading it back gives what was put."""

    def __init__(self, objects: Any) -> None:
        super().__init__(objects)
        self.put: dict[str, bytes] = {}

    def put_new(self, key: str, chunks: Any) -> Any:
        self.put[key] = b"".join(chunks)
        return self.port.put_new(key, [self.put[key]])

    def read(self, key: str, start: int = 0, length: int | None = None) -> Any:
        return iter([self.put[key]]) if key in self.put else self.port.read(key, start, length)


class RunJsonFirst(Folder):
    """`run.json` is moved into place before the rest."""

    def publish(self, names, built, *, keep):
        for name in sorted(names, key=lambda name: name != RUN):
            if (built / name).exists():
                self.disk.replace(built / name, self.path / name)
        self.drop_partial()


class NotTidied(Folder):
    """`.partial` goes with `begun.json` last, as it comes; what is left of it stays."""

    def drop_partial(self):
        if (self.path / RUN).exists() and (self.partial / BEGUN).exists():
            super().drop_partial()


class NotFlushed(Around):
    """Bytes get their name without a flush."""

    def sync(self, file: Any) -> None:
        file.flush()


class NamesNotFlushed(Around):
    """A folder is not flushed after it got a name."""

    def sync_folder(self, folder: Path) -> None:
        pass


class InPlace(Around):
    """An object is written under its own name, and one that has its name is taken for whole."""

    def put_new(self, key: str, chunks: Any) -> Any:
        path = self.port._path(key)
        if not path.exists():
            self.port._make_folder(path.parent)
            with disk_errors(f"object {key}"), self.port._disk.create(path) as file:
                file.write(b"".join(chunks))
                self.port._disk.sync(file)
        return Stat.of(chunks_of(path))


class NotSwept(Around):
    """What killed writers left is not removed."""

    def sweep(self) -> None:
        pass


# --- the table -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Mutant:
    """A planted bug.

    Attributes:
        name: stable word.
        does: what it does instead.
        parts: what the process is made of.
        kind: of the schedules that find it; a name of `schedules.KINDS`, or of a check of its own.
        point: where faults come; anywhere if empty.
        scene: which jobs; any if empty.
    """

    name: str
    does: str
    parts: Parts
    kind: str = "crash"
    point: str = ""
    scene: str = ""


MUTANTS = (
    Mutant(
        "position_first",
        "fold: position before state and outputs",
        Parts(store=around(PositionFirst, *FOLDS)),
        point="track.commit",
    ),
    Mutant(
        "detect_acknowledges_first",
        "detect: position before the answers are in the log",
        Parts(store=around(SentLater, "detect")),
        point="detect.commit",
    ),
    Mutant(
        "feed_acknowledges_first",
        "feed: progress before the records are in the log",
        Parts(store=around(SentLater, "feed")),
        point="feed.commit",
    ),
    Mutant(
        "nothing_compared",
        "commit: no compare-and-set on epoch and commit number",
        Parts(store=around(NothingCompared, *FOLDS, "detect", "feed")),
        "two owners",
    ),
    Mutant("counter", "fold: complete by a counter, not by a set", Parts(fold=folding(Counted)), "disorder"),
    Mutant(
        "last_wins", "fold: the last record of an identity wins", Parts(fold=folding(LastWins)), "disorder"
    ),
    Mutant("order_ignored", "fold: records as they come", Parts(fold=folding(ByArrival)), "disorder"),
    Mutant(
        "end_overtakes",
        "fold: the end does not wait for its turn",
        Parts(fold=folding(EndAtOnce)),
        "disorder",
    ),
    Mutant("clock", "track: the machine's clock in the state", Parts(track=ClockTrack), scene="segments"),
    Mutant(
        "position_ahead",
        "fold: position ahead of the state, frames that wait are lost",
        Parts(store=around(Ahead, *FOLDS)),
        "crash twice",
    ),
    Mutant(
        "highest_finished",
        "detect: what was read as position, not the lowest unfinished",
        Parts(store=around(Ahead, "detect")),
        point="detect.append",
    ),
    Mutant(
        "waiting_stored",
        "fold: frames that wait are part of the state",
        Parts(store=around(WaitingStored, "track")),
        "state size",
    ),
    Mutant(
        "outputs_first",
        "fold: outputs before the state; only an upgrade shows it",
        Parts(store=around(OutputsFirst, "stats")),
        "upgrade",
    ),
    Mutant(
        "memory_kept",
        "fold: memory kept after a lost answer",
        Parts(fold=KeptMemory),
        "outage",
        "track.commit",
    ),
    Mutant(
        "alive_not_asked",
        "commit: nobody asks whether the job is alive",
        Parts(store=around(NobodyAsks, *FOLDS)),
        "cancelled",
    ),
    Mutant(
        "renumbered",
        "feed: frames numbered as they are written: a replay invents some",
        Parts(store=around(Renumbered, "feed")),
        point="feed.commit",
    ),
    Mutant(
        "fed_in_memory",
        "feed: progress in memory only: a new one leaves frames out",
        Parts(feeder=ForgetfulFeeder),
        point="detect.commit",
    ),
    Mutant("trimmed_by_fastest", "retention: below the fastest reader", Parts(retention=TrimByFastest)),
    Mutant(
        "pointer_first",
        "publish: ready before its files are there",
        Parts(publisher=PointerFirst),
        point="publish.put_new",
    ),
    Mutant("not_verified", "publish: not read back", Parts(objects=ReadBackSkipped), "damaged put"),
    Mutant(
        "run_json_first", "folder: run.json before the rest", Parts(folder=RunJsonFirst), point="disk.replace"
    ),
    Mutant(
        "not_tidied", "folder: .partial of a finished run stays", Parts(folder=NotTidied), point="disk.remove"
    ),
    Mutant(
        "bytes_not_flushed",
        "disk: a name for bytes that were not flushed",
        Parts(disk=NotFlushed),
        "power cut",
    ),
    Mutant("names_not_flushed", "disk: folders not flushed", Parts(disk=NamesNotFlushed), "power cut"),
    Mutant(
        "end_not_flushed",
        "store: not flushed before files are moved",
        Parts(flush=lambda store: None),
        "power cut",
        "disk.replace",
    ),
    Mutant(
        "in_place",
        "objects: written under their own name, taken for whole",
        Parts(objects=InPlace),
        "outage",
        "disk.create",
    ),
    Mutant(
        "not_swept",
        "objects: half-written files of killed writers stay",
        Parts(objects=NotSwept),
        point="disk.sync",
    ),
    Mutant(
        "stopped_by_garbage",
        "feed: an event that nobody can read stops the stage",
        Parts(feeder=StoppedByGarbage),
        scene="many",
    ),
    Mutant(
        "stopped_by_one",
        "feed: a source that cannot be read stops the stage",
        Parts(feeder=StoppedByOne),
        scene="many",
    ),
    Mutant(
        "slot_kept",
        "feed: a job that ended keeps its place among those that are fed",
        Parts(feeder=SlotKept),
        scene="many",
    ),
    Mutant(
        "free_when_fed",
        "feed: a place is free when its job is fed, not when it is released",
        Parts(feeder=FreeWhenFed),
        "on their way",
    ),
    Mutant("whole_window", "feed: the whole window for each job", Parts(feeder=WholeWindow), "on their way"),
    Mutant("ended_kept", "fold: what waits of a job that ended is kept", Parts(fold=EndedKept), "let go"),
    Mutant(
        "neighbour_blamed",
        "detect: an error is put down to the job that is begun, not the one that lands",
        Parts(detect=Blames),
        scene="many",
    ),
    Mutant(
        "one_model",
        "lane: a frame goes to the model of the job before",
        Parts(lane=OneModel),
        scene="many",
    ),
    Mutant(
        "one_source",
        "lane: a frame is read from the source of the job before",
        Parts(lane=OneSource),
        scene="many",
    ),
    Mutant(
        "drops_all",
        "queue: who leaves drops what waits of another store",
        Parts(queue=DropsAll),
        "two stores",
    ),
)
