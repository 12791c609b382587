"""Histories of the model replayed on the workers of `sightline.runtime`: each must do what its mirror did.

Each life of an owner is lived again by a real worker, from its start to its death. Its ports are a script: every call
must be the one that the mirror made at this place, with the same content, and gets the same answer, value or error. So
a real worker sees the same records at the same offsets, hears of its name at the same steps, loses the same answers
and dies at the same call; and it is found out at the first call in which it differs.

Compared is every call, in order and in full, but for what the model does not have:

- where the log begins (`head`): only the first claim of a log that was trimmed before asks for it in earnest;
- what a dead letter says beside the record itself;
- what was found in a frame: for detections only whose they are and how the frame came out;
- whether a job is alive, asked before a commit: a matter of the ledger, not of its workers;
- how a lane chooses among frames: it is given the one that the model's die chose (`_Chosen`).

Reads and commits are as large as in the model: the constructors of the real workers say so, and for `detect`, which has
constants, `sizes` does.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any
from unittest import mock

from sightline import ports
from sightline.arrays import ByteArray
from sightline.errors import Fenced, InvalidVideo, Misconfigured, SightlineError, Unavailable
from sightline.jobs.recipe import Recipe
from sightline.jobs.topology import frames_stream, released_by
from sightline.ports import Commit, Decoded, Detector, Owned, Position, Queued, Saved, Stat
from sightline.runtime import detect, feed, lanes, worker
from sightline.runtime.chunk_queue import Run, Task
from sightline.runtime.relay import relay
from sightline.runtime.retention import trim_released
from sightline.stages.feed import Plan
from sightline.testing import ScriptedDetector, ScriptedReader
from sightline.types import Chunk, Detections
from tests.model import producers
from tests.model.actors import AT_ONCE, CONSUMERS
from tests.model.history import DIES, UNANSWERED, WORD, Call, History, Life, recorded
from tests.model.schedules import JOBS
from tests.model.translated import (
    Staged,
    blob_of,
    commit_of,
    job_of,
    logged,
    outline,
    owned_by,
    plan_of,
    recipe_of,
    saved_of,
    sent,
)
from tests.model.values import FLOOR, MAX_ACTIVE, WINDOW
from tests.model.worker import MAX_FRAMES, MAX_RECORDS, FoldWorker

TROUBLE = {job.job_id: job.trouble for job in JOBS}
NOBODY_DECIDES = ("nothing", "is_alive")  # calls of the model that a real worker does not make


class Differs(AssertionError):
    """A real worker did something else than its mirror."""


class Killed(BaseException):
    """The process is gone."""


# --- the script --------------------------------------------------------------------------------------------------


def said(call: Call) -> tuple[Any, ...]:
    """A call of the model, as a real worker would make it."""
    return _SAID.get(call.name, lambda *args: (call.name, *args))(*call.args)


def _said_load(stage: str, job_id: str, stream: str) -> tuple[Any, ...]:
    return ("progress", job_id) if stage == "feed" else ("load", stage, job_id, stream)


def _said_append(records: Sequence[Any]) -> tuple[Any, ...]:
    return "append", tuple(outline(sent(out)) for out in records)


_SAID: dict[str, Callable[..., tuple[Any, ...]]] = {
    "claim": lambda stage, topic, partition, identity: ("claim", stage, topic, partition, str(identity)),
    "read": lambda topic, partition, offset, limit, _: ("read", topic, partition, offset, limit),
    "is_mine": lambda at: ("positions", at.topic),
    "load": _said_load,
    "released": lambda job_id: ("progress", job_id),
    "commit": lambda commit, seen: ("commit", commit_of(commit)),
    "append": _said_append,
    "put_new": lambda key, value: ("put_new", key, blob_of(key, value).value),
    "advance": lambda job_id, to, code: ("advance", job_id, to, code),
}


class Script:
    """What a life asked and was answered: all ports of the real worker that lives it again."""

    def __init__(self, life: Life) -> None:
        self.life, self.at, self.named_anew = life, 0, False

    def peek(self) -> Call | None:
        """What the mirror does next, if anything."""
        while self.at < len(self.life.calls) and self.life.calls[self.at].name in NOBODY_DECIDES:
            self._pass(self.life.calls[self.at])
        return self.life.calls[self.at] if self.at < len(self.life.calls) else None

    def ask(self, *call: Any) -> Any:
        """Answer a call of the real worker.

        Raises:
            Differs: the mirror did not make it.
            Killed: its mirror did not live to hear the answer.
        """
        told = self.peek()
        expected = None if told is None else said(told)
        if told is None or expected != call:
            raise Differs(self._difference(call, expected))
        self.at += 1
        return self._answer(told)

    def word(self) -> int | None:
        """The word that the mirror hears at its next step, if it takes one; nothing is passed."""
        told = self.peek()
        return told.answer if told is not None and told.name == WORD else None

    def _pass(self, call: Call) -> None:
        """A call that a real worker does not make: what becomes of it becomes of what follows."""
        self.at += 1
        if call.name != "nothing" or call.answer is UNANSWERED:
            self._answer(call)

    def _answer(self, call: Call) -> Any:
        if call.answer is UNANSWERED:
            raise Killed
        if isinstance(call.answer, SightlineError):
            raise call.answer
        return call.answer

    def _difference(self, call: tuple[Any, ...], expected: tuple[Any, ...] | None) -> str:
        of = self.life
        end = f"it stopped: {of.stopped}" if of.stopped else "nothing more"
        return f"{of.role}, call {self.at}:\n  runtime: {call}\n  model:   {expected or end}"

    # --- Members

    def owned(self) -> frozenset[Owned]:
        """See `Members`."""
        if self.named_anew:
            return frozenset()
        mirror = self.life.worker
        return frozenset() if self.ask(WORD) is None else frozenset({place_of(mirror)})

    # --- EventLog

    def identity(self, topic: str) -> str:
        """See `EventLog`."""
        return str(self.ask("identity", topic))

    def head(self, topic: str, partition: int) -> tuple[int, int]:
        """See `EventLog`; see above."""
        return 0, 0

    def read(self, topic: str, partition: int, offset: int, limit: int) -> list[ports.Entry]:
        """See `EventLog`."""
        return [logged(topic, entry) for entry in self.ask("read", topic, partition, offset, limit)]

    def append(self, records: Sequence[ports.Outgoing]) -> None:
        """See `EventLog`."""
        if records:
            self.ask("append", tuple(outline(out) for out in records))

    # --- Ledger

    def claim(self, stage: str, topic: str, partition: int, start: int, identity: str) -> Position:
        """See `Ledger`."""
        at: Position = self.ask("claim", stage, topic, partition, identity)
        return at

    def release(self, at: Position) -> None:
        """See `Ledger`."""
        self.ask("release", at)

    def load(self, stage: str, job_id: str, stream: str) -> Saved | None:
        """See `Ledger`."""
        return saved_of(self.ask("load", stage, job_id, stream))

    def commit(self, commit: Commit) -> tuple[Position, bool]:
        """See `Ledger`."""
        answer: tuple[Position, bool] = self.ask("commit", commit)
        return answer

    def progress(self, job_id: str) -> Mapping[tuple[str, str], int]:
        """See `Ledger`: what `feed` itself saved, or what was released behind it."""
        told = self.peek()
        answer = self.ask("progress", job_id)
        if told is not None and told.name == "load":
            return {} if answer is None else {("feed", frames_stream()): answer.next_seq}
        return dict.fromkeys(released_by(recipe_of(job_id)), answer)

    def positions(self, topic: str) -> list[Position]:
        """See `Ledger`: all of them, or whether that of the mirror is still its own."""
        told = self.peek()
        answer = self.ask("positions", topic)
        if told is not None and told.name == "is_mine":
            return [owned_by(told.args[0], mine=answer)]
        return sorted(answer, key=lambda at: (at.stage, at.partition))

    def trim(self, topic: str, partition: int, before: int) -> None:
        """See `EventLog`."""
        self.ask("trim", topic, partition, before)

    # --- Jobs

    def get(self, job_id: str) -> ports.Job:
        """See `Jobs`."""
        return job_of(self.ask("get", job_id))

    def advance(self, job_id: str, to: str, *, code: str, reason: str) -> bool:
        """See `Jobs`."""
        return bool(self.ask("advance", job_id, to, code))

    # --- ObjectStore

    def put_new(self, key: str, chunks: Iterable[bytes]) -> Stat:
        """See `ObjectStore`."""
        blob = b"".join(chunks)
        self.ask("put_new", key, blob)
        return Stat.of([blob])

    # --- Outbox

    def pending(self, owner: str, limit: int) -> list[Queued]:
        """See `Outbox`."""
        return [Queued(str(queue_id), sent(out)) for queue_id, out in self.ask("pending", limit)]

    def sent(self, queue_ids: Sequence[str]) -> None:
        """See `Outbox`."""
        if queue_ids:
            self.ask("sent", [int(queue_id) for queue_id in queue_ids])


def place_of(mirror: Any) -> Owned:
    """The partition that a worker of the model owns when it is named."""
    if isinstance(mirror, FoldWorker):
        return Owned(mirror.stage.name, mirror.topic, 0)
    if isinstance(mirror, producers.Detect):
        return Owned("detect", "frames", mirror.partition)
    return Owned("feed", "jobs", 0)


# --- the real workers --------------------------------------------------------------------------------------------


def fold_worker(script: Script, mirror: FoldWorker) -> Callable[[], object]:
    """A step of track, stats or collect."""
    stage = Staged(mirror.stage, completes=mirror.stage.name == "collect")
    running = worker.FoldWorker(
        mirror.stage.name,
        mirror.topic,
        0,
        lambda recipe, stream: stage,
        log=script,
        ledger=script,
        jobs=script,
        objects=script,
        members=script,
        max_records=MAX_RECORDS,
        max_frames=MAX_FRAMES,
    )
    return running.step


def feeder(script: Script) -> Callable[[], object]:
    """A step of feed."""

    def plan(recipe: Recipe) -> Plan:
        if TROUBLE[recipe.job_id] == "source":
            raise InvalidVideo(recipe.job_id, reason="not a video", code="unreadable")
        if script.ask("fetch", f"input/{recipe.job_id}") is None:
            raise InvalidVideo(recipe.job_id, reason="no video", code="source_gone")
        return plan_of(recipe.job_id)

    running = feed.Feeder(
        script,
        script,
        script,
        plan,
        window=WINDOW,
        floor=FLOOR,
        at_once=MAX_ACTIVE,
        batch=producers.BATCH,
        members=script,
    )
    return running.step


class _Chosen:
    """The queue of a role and a lane of which a script says which frame is next. It lets repetitions pass."""

    def __init__(self) -> None:
        self.next: int | None = None
        self.waiting: dict[int, Task] = {}
        self.taken: dict[int, Task] = {}

    def put(self, task: Task) -> bool:
        """See `ChunkQueue`."""
        self.waiting[task.entry.offset] = task
        return True

    def take(self, lane: object) -> Run | None:
        """See `ChunkQueue`."""
        offset, self.next = self.next, None
        if offset is None:
            return None
        if offset not in self.waiting:
            raise Differs(f"detect: the model looks at offset {offset}, of which the runtime has nothing")
        self.taken[offset] = self.waiting.pop(offset)
        return Run((self.taken[offset],))

    def finished(self, tasks: Iterable[Task]) -> None:
        """See `ChunkQueue`."""
        for task in tasks:
            del self.taken[task.entry.offset]

    def give_back(self, tasks: Iterable[Task]) -> None:
        """See `ChunkQueue`."""
        for task in tasks:
            self.waiting[task.entry.offset] = self.taken.pop(task.entry.offset)

    def drop(self, role: object, partition: int) -> None:
        """See `ChunkQueue`."""
        self.waiting.clear()

    def forget(self, role: object, job_id: str) -> list[Task]:
        """See `ChunkQueue`."""
        gone = {offset: task for offset, task in self.waiting.items() if task.job_id == job_id}
        self.waiting = {offset: task for offset, task in self.waiting.items() if offset not in gone}
        return list(gone.values())


class _Source:
    """Frames of one job: one does not decode, one ends whoever decodes it."""

    def __init__(self, script: Script, job_id: str) -> None:
        failed = [seq for job, seq in (producers.UNREADABLE,) if job == job_id]
        self._script, self._job_id, self._of = script, job_id, ScriptedReader(0, failed=failed)

    def read(
        self, chunk: Chunk, rows: Sequence[int], ticks: Sequence[int], buffer: Callable[[], ByteArray]
    ) -> Iterator[Decoded]:
        """See `FrameReader`."""
        if any((self._job_id, row) == producers.LETHAL for row in rows):
            self._script.ask(DIES)
        return self._of.read(chunk, rows, ticks, buffer)

    def close(self) -> None:
        """See `FrameReader`."""


def detecting(script: Script, mirror: producers.Detect) -> Callable[[], object]:
    """A step of detect: its role reads, a lane looks at one frame and answers, the role advances."""
    queue, nothing_there = _Chosen(), ScriptedDetector(lambda number: Detections.empty())

    def detector(recipe: Recipe) -> Detector:
        if TROUBLE[recipe.job_id] == "model":
            raise Misconfigured("not a model", code="model")
        return nothing_there

    role = detect.DetectRole(
        "frames", [mirror.partition], log=script, ledger=script, jobs=script, queue=queue, members=script
    )
    lane = lanes.Lane(queue, lambda recipe: _Source(script, recipe.job_id), detector, depth=2)

    def step() -> None:
        role.step()
        told = script.peek()
        queue.next = None if told is None else told.offset
        if queue.next is None:
            return
        lane.step()
        if queue.taken:  # in flight: the next step lands it
            lane.step()
        role.advance()

    return step


@contextmanager
def sizes() -> Iterator[None]:
    """What `detect` reads at once, and how many frames it is careful with, as in the model."""
    changed = {"BATCH": producers.READ, "CAREFUL": producers.CAREFUL}
    with mock.patch.multiple(detect, **changed):
        yield


# --- a life, a history -------------------------------------------------------------------------------------------


def replay(history: History) -> None:
    """Let real workers live all lives of a history again.

    Raises:
        Differs: one of them did something else than its mirror.
    """
    with sizes():
        for life in history.lives:
            try:
                live(life)
            except Differs as error:
                raise Differs(f"seed {history.seed}, {history.variant}: {error}") from error


def live(life: Life) -> None:
    """One life; see `replay`."""
    script = Script(life)
    step = _step_of(script, life.worker)
    lost_at = shown = None
    while True:
        try:
            word = script.word()
            if lost_at is not None and word not in (None, lost_at):
                _show_gap(script, step)
                lost_at = None
            shown = word
            step()
        except Killed:
            return
        except Unavailable:
            continue
        except Fenced:
            lost_at = shown
        except Differs:
            raise
        except SightlineError as error:
            if error.code != life.stopped or script.at != len(life.calls):
                raise Differs(f"{life.role}, call {script.at}: stopped with {error!r}") from error
            return


def _show_gap(script: Script, step: Callable[[], object]) -> None:
    """A new word names who had lost the partition: `Ownership` knows no numbers, it must see it taken away before."""
    script.named_anew = True
    step()
    script.named_anew = False


def _step_of(script: Script, mirror: Any) -> Callable[[], object]:
    if script.life.role == "relay":
        return partial(relay, script, script, limit=AT_ONCE)
    if script.life.role == "retention":
        return partial(trim_released, script, script, CONSUMERS)
    if isinstance(mirror, FoldWorker):
        return fold_worker(script, mirror)
    return detecting(script, mirror) if isinstance(mirror, producers.Detect) else feeder(script)


def main() -> None:
    """The long form: `python -m tests.model.replay 400` plays so many histories of each variant."""
    from tests.model.schedules import VARIANTS
    from tests.model.twin import follow

    for variant in VARIANTS:
        for seed in range(int(sys.argv[1])):
            history = recorded(seed, variant=variant)
            replay(history)
            follow(history)
        print(f"{variant}: {sys.argv[1]} histories, no difference")


if __name__ == "__main__":
    main()
