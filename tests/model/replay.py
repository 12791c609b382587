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
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any
from unittest import mock

from sightline.arrays import ByteArray
from sightline.errors import Fenced, InvalidVideo, Misconfigured, SightlineError, Unavailable
from sightline.jobs.recipe import Recipe
from sightline.ports import Decoded, Detector
from sightline.runtime import detect, feed, lanes, worker
from sightline.runtime.chunk_queue import Run, Task
from sightline.runtime.relay import relay
from sightline.runtime.retention import Retention
from sightline.stages.feed import Plan
from sightline.testing import ScriptedDetector, ScriptedReader
from sightline.types import Chunk, Detections
from tests.model import producers
from tests.model.actors import AT_ONCE, CONSUMERS
from tests.model.history import DIES, History, Life, recorded
from tests.model.schedules import JOBS
from tests.model.script import Differs, Killed, Script
from tests.model.translated import (
    Staged,
    plan_of,
)
from tests.model.values import FLOOR, MAX_ACTIVE, WINDOW
from tests.model.worker import MAX_FRAMES, MAX_RECORDS, FoldWorker

TROUBLE = {job.job_id: job.trouble for job in JOBS}
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
        objects=script,
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
        return Retention(script, script, CONSUMERS, every=1, worth=0).step
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
