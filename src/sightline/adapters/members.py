"""Members of one service: the process that holds the lock of the data folder is alone, and owns all that it joins."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from sightline.ports import Owned

__all__ = ["StaticMembers"]


class StaticMembers:
    """`Members` with one member; every partition is its own from `join` to `leave`.

    Args:
        name: of this process in reports.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._roles: dict[str, dict[str, int]] = {}
        self._reported: dict[str, int] | None = None

    def join(self, role: str, topics: Mapping[str, int]) -> None:
        """See `Members`."""
        with self._lock:
            self._roles[role] = dict(topics)

    def owned(self) -> frozenset[Owned]:
        """See `Members`; it changes with `join` and `leave` alone."""
        with self._lock:
            return frozenset(
                Owned(role, topic, partition)
                for role, topics in self._roles.items()
                for topic, partitions in topics.items()
                for partition in range(partitions)
            )

    def report(self, counters: Mapping[str, int]) -> None:
        """See `Members`."""
        with self._lock:
            self._reported = dict(counters)

    def reports(self) -> Mapping[str, Mapping[str, int]]:
        """See `Members`."""
        with self._lock:
            if self._reported is None or not self._roles:
                return {}
            return {self._name: dict(self._reported)}

    def rejoin(self, role: str) -> None:
        """See `Members`; named anew at once: nobody else could be."""

    def leave(self) -> None:
        """See `Members`."""
        with self._lock:
            self._roles.clear()
            self._reported = None
