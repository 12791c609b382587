"""Event log, ledger, jobs and outbox in memory: what the SQLite file is, without the file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sightline.errors import Corrupt, Fenced
from sightline.ports import TERMINAL, Commit, Position, Saved
from sightline.testing.jobs import MemoryJobs

__all__ = ["MemoryStore"]


class MemoryStore(MemoryJobs):
    """`EventLog`, `Jobs`, `Ledger` and `Outbox`, with one lock as their transaction.

    Args:
        options: `relayed` and `hole` of `MemoryLog`, `clock` of `MemoryJobs`.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._positions: dict[tuple[str, str, int], Position] = {}
        self._claimed: dict[tuple[str, str, int], int] = {}
        self._identities: dict[tuple[str, str, int], str] = {}

    # --- Ledger

    def claim(self, stage: str, topic: str, partition: int, start: int = 0, identity: str = "") -> Position:
        """See `Ledger`."""
        with self._changed:
            key = stage, topic, partition
            kept = self._identities.setdefault(key, "")
            if kept and identity and kept != identity:
                raise Corrupt(
                    f"{stage} on {topic}/{partition}: the topic was removed and made again", code="other_log"
                )
            old = self._positions.get(key, Position(stage, topic, partition, 0, 0, start))
            stuck = self._claimed.get(key) == old.low_water
            self._claimed[key], self._identities[key] = old.low_water, kept or identity
            self._positions[key] = replace(old, epoch=old.epoch + 1, stuck=stuck)
            return self._positions[key]

    def release(self, at: Position) -> None:
        """See `Ledger`."""
        with self._changed:
            key = at.stage, at.topic, at.partition
            if key in self._positions and self._positions[key].epoch == at.epoch:
                self._claimed.pop(key, None)

    def load(self, stage: str, job_id: str, stream: str) -> Saved | None:
        """See `Ledger`."""
        with self._changed:
            return self._saved.get((stage, job_id, stream))

    def commit(self, commit: Commit) -> tuple[Position, bool]:
        """See `Ledger`."""
        at = commit.at
        key = at.stage, at.topic, at.partition
        with self._changed:
            now = self._positions[key]
            if (now.epoch, now.commit_no) != (at.epoch, at.commit_no):
                raise Fenced(f"{at.stage} on {at.topic}/{at.partition}: epoch {now.epoch}, mine {at.epoch}")
            attempts = at.attempts + commit.attempt if commit.low_water == at.low_water else 0
            self._positions[key] = replace(
                at, commit_no=at.commit_no + 1, low_water=commit.low_water, attempts=attempts, stuck=False
            )
            job = self._jobs.get(commit.job_id)
            alive = not commit.job_id or (job is not None and job.state not in TERMINAL)
            if alive and commit.saved is not None:
                self._saved[at.stage, commit.job_id, commit.stream] = commit.saved
                self._emit(commit.outputs)
                if commit.complete:
                    self._finish(commit.job_id, commit.stream)
            return self._positions[key], alive

    def progress(self, job_id: str) -> Mapping[tuple[str, str], int]:
        """See `Ledger`."""
        with self._changed:
            rows = self._saved.items()
            return {(stage, stream): saved.next_seq for (stage, job, stream), saved in rows if job == job_id}

    def positions(self, topic: str) -> Sequence[Position]:
        """See `Ledger`."""
        with self._changed:
            return [self._positions[key] for key in sorted(self._positions) if key[1] == topic]

    def _finish(self, job_id: str, stream: str) -> None:
        done = self._complete[job_id]
        done.add(stream)
        wanted = self._jobs[job_id].streams
        if wanted and done.issuperset(wanted):
            self.advance(job_id, "predictable")
