"""The store of a service, that tells what happens in it: where jobs move to, who was fenced, what nobody could use."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Protocol

from sightline.adapters.joined import Addressed, ClosableLog, Documents, JoinedStore, as_it_is
from sightline.errors import Fenced, NotFound
from sightline.ports import Commit, Job, JobState, Outgoing, Position

__all__ = ["Watch", "WatchedStore"]

DEAD = ".dlq"


class Watch(Protocol):
    """Who is told. Called from any thread; returns fast and never raises."""

    def created(self, job: Job) -> None:
        """A job was accepted."""

    def moved(self, job: Job) -> None:
        """A job has reached another state."""

    def committed(self, commit: Commit) -> None:
        """A stage has released records of a stream."""

    def fenced(self, stage: str) -> None:
        """Another owner of a partition moved on."""

    def retried(self, stage: str) -> None:
        """A record is begun again, as its owner ended at it."""

    def buried(self, stage: str, reason: str) -> None:
        """A record was kept as a dead letter."""


class WatchedStore(JoinedStore):
    """A store that says so once a write was committed.

    Args:
        log, documents, addressed: see `JoinedStore`; a file is both log and documents.
        watch: is told.
    """

    def __init__(
        self, log: ClosableLog, documents: Documents, watch: Watch, addressed: Addressed = as_it_is
    ) -> None:
        super().__init__(log, documents, addressed)
        self._watch = watch

    def create(self, job: Job, events: Sequence[Outgoing]) -> bool:
        """See `Jobs`."""
        created = super().create(job, events)
        if created:
            self._watch.created(job)
        return created

    def advance(self, job_id: str, to: JobState, **more: Any) -> bool:
        """See `Jobs`."""
        moved = super().advance(job_id, to, **more)
        if moved:
            with suppress(NotFound):  # somebody has removed it since
                self._watch.moved(self.get(job_id))
        return moved

    def commit(self, commit: Commit) -> tuple[Position, bool]:
        """See `Ledger`."""
        try:
            at, alive = super().commit(commit)
        except Fenced:
            self._watch.fenced(commit.at.stage)
            raise
        if commit.attempt > 0 and commit.at.attempts > 0:
            self._watch.retried(commit.at.stage)
        if commit.saved is not None and alive:
            self._watch.committed(commit)
        return at, alive

    def append(self, records: Sequence[Outgoing]) -> None:
        """See `EventLog`."""
        super().append(records)
        for record in records:
            if record.topic.endswith(DEAD):
                said = dict(record.headers)
                self._watch.buried(said.get("x-dlq-stage", ""), said.get("x-dlq-reason", ""))
