"""The script of a life: ports that answer each call of a real worker as the mirror's was answered, if it is the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sightline import ports
from sightline.errors import SightlineError
from sightline.jobs.topology import frames_stream, released_by
from sightline.ports import Commit, Owned, Position, Queued, Saved, Stat
from tests.model import producers
from tests.model.history import UNANSWERED, WORD, Call, Life
from tests.model.translated import (
    blob_of,
    commit_of,
    job_of,
    logged,
    outline,
    owned_by,
    recipe_of,
    saved_of,
    sent,
)
from tests.model.worker import FoldWorker

NOBODY_DECIDES = ("nothing", "is_alive")  # calls of the model that a real worker does not make


class Differs(AssertionError):
    """A real worker did something else than its mirror."""


class Killed(BaseException):
    """The process is gone."""


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
