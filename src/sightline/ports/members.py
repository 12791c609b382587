"""Who takes part in the work, and who owns which partition."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol

__all__ = ["Members", "Owned"]


class Owned(NamedTuple):
    """A partition of a topic, as a role reads it."""

    role: str
    topic: str
    partition: int


class Members(Protocol):
    """This process among those that share the work. `Ledger.claim` fences, this port decides who may claim.

    Whoever is `Fenced` there, or no longer owns a partition here, drops what it holds of it and waits until `owned`
    names the partition again.
    """

    def join(self, role: str, topics: Mapping[str, int]) -> None:
        """Take part in a role: it reads these topics, each with so many partitions. Repeating is harmless."""

    def owned(self) -> frozenset[Owned]:
        """What this process owns now; never waits. It may change between any two calls."""

    def report(self, counters: Mapping[str, int]) -> None:
        """Publish the counters of this process, in place of those that it published before."""

    def reports(self) -> Mapping[str, Mapping[str, int]]:
        """Counters by member, of all that take part and have reported, this process included."""

    def rejoin(self, role: str) -> None:
        """Give up what is owned of a role and be named anew: for who is named, and was fenced by a stale owner.

        Whatever `owned` names after it is named anew.
        """

    def leave(self) -> None:
        """Take part in nothing any more: owned is empty, reports forget this process. Repeating is harmless."""
