"""Positions, states, and the commit that writes both; records that a commit left to be sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sightline.ports.log import Outgoing

__all__ = ["Commit", "Ledger", "Outbox", "Position", "Queued", "Row", "Saved"]


@dataclass(frozen=True, slots=True)
class Position:
    """How far a stage has come in a partition.

    Attributes:
        stage, topic, partition: whose position it is.
        epoch: raised by each claim.
        commit_no: raised by each commit.
        low_water: lowest offset not yet released.
        attempts: sum of `attempt` since `low_water` last moved: how often the record there was begun.
        stuck: the owner before this one, if there was one, claimed at this very `low_water`, never moved it and did
            not release it.
    """

    stage: str
    topic: str
    partition: int
    epoch: int
    commit_no: int
    low_water: int
    attempts: int = 0
    stuck: bool = False


@dataclass(frozen=True, slots=True)
class Saved:
    """Committed state of a stage for one stream of a job; `next_seq` is the first seq not yet folded."""

    next_seq: int
    state: bytes


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a documented table, such as `frames`; `key` and `values` by column, JSON values only."""

    table: str
    key: Mapping[str, Any]
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Commit:
    """State of one stream, outputs and position, written together or not at all.

    Attributes:
        at: the position that the owner last saw.
        low_water: the new one.
        job_id, stream: the fold; empty where only the position moves.
        saved: its new state, None where only the position moves.
        outputs: records that must reach the log, in order.
        attempt: 1: the record at `low_water` is about to be begun, and may end the process; less than 0: so many
            times it has not, an outage came between.
        complete: the stream ends with this commit. The commit that completes the last of the job's `streams` moves
            the job to `predictable`.
        rows: of tables; a key that is there already keeps its values. A ledger without the table drops them.
    """

    at: Position
    low_water: int
    job_id: str = ""
    stream: str = ""
    saved: Saved | None = None
    outputs: tuple[Outgoing, ...] = ()
    complete: bool = False
    attempt: int = 0
    rows: tuple[Row, ...] = ()


class Ledger(Protocol):
    """Positions and states. The commit is the only write that counts."""

    def claim(self, stage: str, topic: str, partition: int, start: int = 0, identity: str = "") -> Position:
        """Take a partition: raise its epoch, so that every earlier owner is `Fenced` at its next commit.

        Args:
            stage, topic, partition: whose position.
            start: where a first claim begins: the lowest offset that the log still keeps.
            identity: `EventLog.identity` of the topic, kept with the first claim that names one; empty asks nothing.

        Raises:
            Corrupt: the position belongs to another log (code `other_log`): the topic was removed and made again.
        """

    def release(self, at: Position) -> None:
        """Give a partition up with nothing begun: the next claim is not `stuck`. Of a fenced owner: nothing happens."""

    def load(self, stage: str, job_id: str, stream: str) -> Saved | None:
        """The last committed state, None before the first commit."""

    def commit(self, commit: Commit) -> tuple[Position, bool]:
        """Write state, outputs, rows and position in one transaction; the new position, and whether the job is alive.

        Where the job is gone or terminal only the position moves: the rest is dropped. Outputs become readable in the
        log afterwards, in order, at least once.

        Raises:
            Fenced: epoch or commit_no moved on; nothing was written.
            Unavailable: perhaps it was written; drop memory and claim again.
        """

    def progress(self, job_id: str) -> Mapping[tuple[str, str], int]:
        """`next_seq` by (stage, stream) of a job, as committed."""

    def positions(self, topic: str) -> Sequence[Position]:
        """All positions in a topic, sorted by stage and partition: below the lowest low_water nobody reads again."""


@dataclass(frozen=True, slots=True)
class Queued:
    """A committed record that waits to be sent."""

    queue_id: str
    record: Outgoing


class Outbox(Protocol):
    """Committed records on their way to a log that lives elsewhere; any number of relays share them by name."""

    def pending(self, owner: str, limit: int) -> Sequence[Queued]:
        """The oldest records not yet sent, for `owner` to send: of each key in the order of their commits.

        What is given stays with the owner, and is given to it again, until `sent` or `give_back`. What another owner
        holds is not given, nor anything behind it of the same key.
        """

    def sent(self, queue_ids: Sequence[str]) -> None:
        """Forget records that the log has acknowledged. Repeating is harmless."""

    def give_back(self, owner: str) -> None:
        """Let others have what an owner holds: it stops, or is gone."""
