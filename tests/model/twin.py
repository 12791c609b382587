"""What the model's world answered, asked of the doubles that pass the conformance suites of the real stores.

Every call that had an effect, of whichever process, is made again on a `MemoryStore` and a `MemoryObjects`, in the same
order; whatever both can answer must be the same: positions and whether somebody is `Fenced`, states, what the log
holds and what of it is gone, rows of jobs, who was the first to move one, what waits in the outbox.

Not compared, for the ports do not have it:

- what a broker does to records: the log of the twin is a copy of the model's, repetitions and all;
- a read in a topic that was made again: `EventLog.read` is not told which topic is meant; claims are compared;
- the second removal of what a removed job left, tombstones, uploads over a poor connection: of services to come.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sightline import ports
from sightline.errors import Corrupt, NotFound, SightlineError
from sightline.ports import TERMINAL, Commit, Position
from sightline.testing import MemoryObjects, MemoryStore
from tests.model.history import Call, Effect, History
from tests.model.script import Differs
from tests.model.translated import blob_of, commit_of, job_of, logged, saved_of, sent, state_of, stream_of
from tests.model.values import DAMAGED, GROUPS, Job, Outgoing, Record
from tests.model.world import World

NOWHERE = frozenset({"nothing", "append", "append_late", "emit", "is_removed", "unpurged", "put_remote"})


class _Store(MemoryStore):
    """A store whose topics can be made again, each by itself, and whose states a disk may damage."""

    def __init__(self) -> None:
        super().__init__(relayed=True)
        self._made: dict[str, int] = {}

    def identity(self, topic: str) -> str:
        """See `EventLog`."""
        return str(self._made.get(topic, 0))

    def make_again(self, topic: str) -> None:
        """A topic is removed and made again."""
        self._made[topic] = self._made.get(topic, 0) + 1
        for place in [place for place in self._log if place[0] == topic]:
            del self._log[place]

    def damage(self, *key: str) -> None:
        """A state that nobody can decode."""
        self.put(key, ports.Saved(self._saved[key].next_seq, state_of(DAMAGED)))

    def put(self, key: tuple[str, ...], saved: ports.Saved) -> None:
        """Write a state past every rule."""
        self._saved[key[0], key[1], key[2]] = saved

    def purge(self, job_id: str) -> None:
        """Forget the states of a job."""
        self._saved = {key: saved for key, saved in self._saved.items() if key[1] != job_id}

    def states(self) -> dict[tuple[str, str, str], ports.Saved]:
        """All of them."""
        return dict(self._saved)

    def all_positions(self) -> list[Position]:
        """In order."""
        return [self._positions[key] for key in sorted(self._positions)]

    def is_alive(self, job_id: str) -> bool:
        """Whether a job exists and has not ended."""
        try:
            return self.get(job_id).state not in TERMINAL
        except NotFound:
            return False


class Twin:
    """Answers what the world answered; each method is one of the world's."""

    def __init__(self) -> None:
        self.store, self.objects = _Store(), MemoryObjects()

    def follow(self, effect: Effect) -> None:
        """Do the same, and compare the answers.

        Raises:
            Differs: the answers are not the same.
        """
        call = effect.call
        if call.name in NOWHERE or _not_followed(call):
            self._write(effect.written)
            return
        try:
            answer = self.rot(call.answer) if call.name == "rot" else getattr(self, call.name)(*call.args)
        except SightlineError as error:
            answer = error
        if _kind(answer) != _kind(self._told(call)):
            raise Differs(f"{call.name}{call.args}\n  store: {answer!r}\n  model: {call.answer!r}")
        self._write(effect.written)

    def _write(self, written: Sequence[tuple[str, int, Record]]) -> None:
        self.store.append([sent(Outgoing(topic, partition, record)) for topic, partition, record in written])

    def _told(self, call: Call) -> Any:
        """The world's answer in the words of the product."""
        answer = call.answer
        if isinstance(answer, SightlineError):
            return answer
        if call.name == "read":
            return [logged(call.args[0], entry) for entry in answer]
        if call.name == "positions":
            return sorted(answer, key=lambda at: (at.stage, at.partition))
        if call.name == "pending":
            return [sent(out) for _, out in answer]
        if call.name == "fetch":
            return answer is not None
        said = {"load": saved_of, "identity": str, "get": lambda job: (job.job_id, job.state, job.code)}
        return said.get(call.name, lambda value: value)(answer)

    def check(self, world: World) -> None:
        """At the end both hold the same.

        Raises:
            Differs: they do not.
        """
        jobs = {job_id: (job_id, job.state, job.code) for job_id, job in world.jobs.items()}
        heads = {place: (world.kept_from[place], len(log)) for place, log in world.history.items()}
        positions = sorted(world.rows.values(), key=lambda at: (at.stage, at.topic, at.partition))
        for what, told, mine in (
            ("jobs", jobs, {job_id: self.get(job_id) for job_id in jobs}),
            ("the log", heads, {place: self.store.head(*place) for place in heads}),
            ("positions", positions, self.store.all_positions()),
            (
                "states",
                {_key(*key): saved_of(saved) for key, saved in world.saved.items()},
                self.store.states(),
            ),
        ):
            if told != mine:
                raise Differs(f"in the end, {what}:\n  store: {mine}\n  model: {told}")

    # --- log

    def identity(self, topic: str) -> str:
        """See `World`."""
        return self.store.identity(topic)

    def read(self, topic: str, partition: int, offset: int, limit: int, identity: int) -> list[ports.Entry]:
        """See `World`."""
        return self.store.read(topic, partition, offset, limit)

    def trim(self, topic: str, partition: int, before: int) -> None:
        """See `World`."""
        self.store.trim(topic, partition, before)

    def make_again(self, topic: str) -> None:
        """See `World`."""
        self.store.make_again(topic)

    # --- ledger

    def claim(self, stage: str, topic: str, partition: int, identity: int) -> Position:
        """See `World`."""
        start = self.store.head(topic, partition)[0]
        return self.store.claim(stage, topic, partition, start, str(identity))

    def release(self, at: Position) -> None:
        """See `World`."""
        self.store.release(at)

    def load(self, stage: str, job_id: str, stream: str) -> ports.Saved | None:
        """See `World`."""
        return self.store.load(*_key(stage, job_id, stream))

    def commit(self, commit: Commit, seen: bool | None) -> tuple[Position, bool]:
        """See `World`; where it was asked before whether the job is alive, that counts (rule 9)."""
        made = commit_of(commit)
        at, alive = self.store.commit(made)
        if seen and not alive and made.saved is not None:
            self.store.put((at.stage, made.job_id, made.stream), made.saved)
        return at, alive or bool(seen)

    def positions(self, topic: str) -> list[Position]:
        """See `World`."""
        return list(self.store.positions(topic))

    def is_mine(self, at: Position) -> bool:
        """See `World`."""
        return any(
            (now.stage, now.partition, now.epoch) == (at.stage, at.partition, at.epoch)
            for now in self.store.positions(at.topic)
        )

    def released(self, job_id: str) -> int:
        """See `World`."""
        done = self.store.progress(job_id)
        return min(done.get((s, f"detections:{g}"), 0) for s in ("track", "collect") for g in GROUPS)

    def rot(self, key: tuple[str, str, str] | None) -> Any:
        """See `World`: the same state."""
        if key is not None:
            self.store.damage(*key)
        return key

    # --- jobs

    def create(self, job: Job, events: list[Outgoing]) -> bool:
        """See `World`."""
        return self.store.create(job_of(job), [sent(out) for out in events])

    def get(self, job_id: str) -> tuple[str, str, str]:
        """See `World`."""
        job = self.store.get(job_id)
        return job.job_id, job.state, job.code

    def is_alive(self, job_id: str) -> bool:
        """See `World`."""
        return self.store.is_alive(job_id)

    def advance(self, job_id: str, to: ports.JobState, said: Any = "") -> bool:
        """See `World`; what is said is a code or, of a job that is ready, its result."""
        return self.store.advance(job_id, to, code=said if isinstance(said, str) else "")

    def remove(self, job_id: str) -> bool:
        """See `World`."""
        return self.store.remove(job_id)

    def purge(self, job_id: str, last: bool) -> None:
        """See `World`."""
        self.store.purge(job_id)

    # --- outbox

    def pending(self, limit: int) -> list[ports.Outgoing]:
        """See `World`; its relays share one name."""
        return [queued.record for queued in self.store.pending("relay", limit)]

    def sent(self, queue_ids: list[int]) -> None:
        """See `World`, whose numbers begin at 0."""
        self.store.sent([str(queue_id + 1) for queue_id in queue_ids])

    # --- objects

    def put_new(self, key: str, value: Any) -> None:
        """See `World`."""
        self.objects.put_new(key, (blob_of(key, value).value,))

    def fetch(self, key: str) -> bool:
        """See `World`: whether there is anything; only `put_new` is followed."""
        return key in self.objects.contents()

    def delete(self, job_id: str) -> None:
        """See `World`."""
        for key in self.objects.contents():
            if job_id in key.split("/"):
                self.objects.delete(key)


def _key(stage: str, job_id: str, stream: str) -> tuple[str, str, str]:
    return stage, job_id, stream_of(stream)


def _not_followed(call: Call) -> bool:
    """A read in a topic that was made again, and results, which are put over a poor connection."""
    if call.name == "fetch":
        return str(call.args[0]).startswith("result/")
    return call.name == "read" and isinstance(call.answer, Corrupt) and call.answer.code == "other_log"


def _kind(answer: Any) -> Any:
    """An answer as it is compared: of an error its class and its code."""
    return (type(answer), answer.code) if isinstance(answer, SightlineError) else answer


def follow(history: History) -> None:
    """Ask the doubles all that the world of a history was asked.

    Raises:
        Differs: one of the answers is not the same.
    """
    twin, number = Twin(), 0
    try:
        for number, effect in enumerate(history.effects):  # noqa: B007
            twin.follow(effect)
        twin.check(history.world)
    except Differs as error:
        raise Differs(f"seed {history.seed}, {history.variant}, effect {number}: {error}") from error
