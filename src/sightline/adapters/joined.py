"""A store of one or two backends: the log in one, jobs and ledger perhaps in another, whose outbox relays bring to the log."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol, cast

from sightline.errors import Unavailable
from sightline.ports import (
    ALL_JOBS,
    Commit,
    Counts,
    Entry,
    EventLog,
    Job,
    Jobs,
    JobState,
    Ledger,
    Notes,
    Outbox,
    Outgoing,
    Page,
    Position,
    Saved,
    Which,
)

__all__ = ["Addressed", "ClosableLog", "Documents", "JoinedStore", "as_it_is"]

SLICE_S = 0.5  # how long one look for news lasts, so that closing waits no longer
_Wait = Callable[[int, float], int]
Addressed = Callable[[Outgoing, Job], Outgoing]


class Documents(Jobs, Ledger, Outbox, Protocol):
    """Jobs, ledger and outbox in one backend, with the notes beside them."""

    @property
    def notes(self) -> Notes:
        """What is noted beside them."""

    def wait(self, seen: int, limit_s: float) -> int:
        """A number that rises when jobs or outbox may have changed; see `EventLog.wait`."""

    def close(self) -> None:
        """End the connections."""


class ClosableLog(EventLog, Protocol):
    """A log whose connections end."""

    def close(self) -> None:
        """End the connections."""


def as_it_is(event: Outgoing, job: Job) -> Outgoing:
    """The event of a job is written as it was made."""
    return event


class JoinedStore:
    """`EventLog`, `Ledger`, `Jobs` and `Outbox`.

    Args:
        log: the log.
        documents: everything else; perhaps the same backend.
        addressed: the event of a job as the log is to have it: event, job.
    """

    def __init__(
        self,
        log: ClosableLog,
        documents: Documents,
        addressed: Addressed = as_it_is,
    ) -> None:
        self._log, self._documents, self._addressed = log, documents, addressed
        self.notes = documents.notes
        self._news = _News([log.wait, documents.wait]) if log is not cast("Any", documents) else None

    # --- EventLog

    def append(self, records: Sequence[Outgoing]) -> None:
        """See `EventLog`."""
        self._log.append(records)

    def read(self, topic: str, partition: int, offset: int, limit: int) -> list[Entry]:
        """See `EventLog`."""
        return self._log.read(topic, partition, offset, limit)

    def head(self, topic: str, partition: int) -> tuple[int, int]:
        """See `EventLog`."""
        return self._log.head(topic, partition)

    def trim(self, topic: str, partition: int, before: int) -> None:
        """See `EventLog`."""
        self._log.trim(topic, partition, before)

    def wait(self, seen: int, limit_s: float) -> int:
        """See `EventLog`; it rises with news of either backend. One that does not answer has none."""
        return self._log.wait(seen, limit_s) if self._news is None else self._news.wait(seen, limit_s)

    def identity(self, topic: str) -> str:
        """See `EventLog`."""
        return self._log.identity(topic)

    # --- Jobs

    def create(self, job: Job, events: Sequence[Outgoing]) -> bool:
        """See `Jobs`; a job whose events wait in another backend than the log is `new` until a relay has sent them."""
        if events and self._news is not None:
            job = replace(job, state="new")
        return self._documents.create(job, [self._addressed(event, job) for event in events])

    def get(self, job_id: str) -> Job:
        """See `Jobs`."""
        return self._documents.get(job_id)

    def list(self, which: Which = ALL_JOBS, *, limit: int = 50, after: str = "") -> Page:
        """See `Jobs`."""
        return self._documents.list(which, limit=limit, after=after)

    def advance(self, job_id: str, to: JobState, **more: Any) -> bool:
        """See `Jobs`."""
        return self._documents.advance(job_id, to, **more)

    def counts(self, owner: str | None = None) -> Counts:
        """See `Jobs`."""
        return self._documents.counts(owner)

    def remove(self, job_id: str) -> bool:
        """See `Jobs`."""
        return self._documents.remove(job_id)

    # --- Ledger

    def claim(self, stage: str, topic: str, partition: int, start: int = 0, identity: str = "") -> Position:
        """See `Ledger`."""
        return self._documents.claim(stage, topic, partition, start, identity)

    def release(self, at: Position) -> None:
        """See `Ledger`."""
        self._documents.release(at)

    def load(self, stage: str, job_id: str, stream: str) -> Saved | None:
        """See `Ledger`."""
        return self._documents.load(stage, job_id, stream)

    def commit(self, commit: Commit) -> tuple[Position, bool]:
        """See `Ledger`."""
        return self._documents.commit(commit)

    def progress(self, job_id: str) -> Mapping[tuple[str, str], int]:
        """See `Ledger`."""
        return self._documents.progress(job_id)

    def positions(self, topic: str) -> Sequence[Position]:
        """See `Ledger`."""
        return self._documents.positions(topic)

    def close(self) -> None:
        """End both."""
        if self._news is not None:
            self._news.close()
            self._log.close()
        self._documents.close()

    # --- Outbox

    @property
    def outbox(self) -> Outbox:
        """What waits for relays."""
        return self._documents


class _News:
    """Waits for several at once, each in a thread of its own from the first wait on."""

    def __init__(self, waits: Sequence[_Wait]) -> None:
        self._waits = waits
        self._changed = threading.Condition()
        self._number, self._closed = 1, threading.Event()
        self._threads: list[threading.Thread] = []

    def wait(self, seen: int, limit_s: float) -> int:
        with self._changed:
            if not self._threads and not self._closed.is_set():
                self._threads = [
                    threading.Thread(target=self._hear, args=(wait,), name="sightline-news", daemon=True)
                    for wait in self._waits
                ]
                for thread in self._threads:
                    thread.start()
            self._changed.wait_for(lambda: self._number > seen or self._closed.is_set(), limit_s)
            return self._number

    def close(self) -> None:
        self._closed.set()
        with self._changed:
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _hear(self, wait: _Wait) -> None:
        seen = 0
        while not self._closed.is_set():
            try:
                before, seen = seen, wait(seen, SLICE_S)
            except Unavailable:  # whoever asks for more than news hears of it
                self._closed.wait(SLICE_S)
                continue
            if seen > before:
                with self._changed:
                    self._number += 1
                    self._changed.notify_all()
