"""Members whose partitions go from one to another when a test says so, as a consumer group moves them by itself."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from sightline.ports import Owned

__all__ = ["ScriptedGroup", "ScriptedMembers"]


class ScriptedGroup:
    """All members of a world; who joins a role first owns all of it, until it is handed on."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.roles: dict[str, dict[str, dict[str, int]]] = {}
        self.owners: dict[Owned, str] = {}
        self.reported: dict[str, Mapping[str, int]] = {}

    def member(self, name: str) -> ScriptedMembers:
        """The port of one process."""
        return ScriptedMembers(self, name)

    def hand(self, what: Owned, to: str | None) -> None:
        """Move a partition to another member; to None: nobody owns it for now, as while a group is rearranged.

        Raises:
            ValueError: that member does not read it.
        """
        with self.lock:
            if to is not None and what not in self.reads(to):
                raise ValueError(f"{to} does not read {what}")
            if to is None:
                self.owners.pop(what, None)
            else:
                self.owners[what] = to

    def reads(self, name: str) -> set[Owned]:
        """What a member could own."""
        return {
            Owned(role, topic, partition)
            for role, topics in self.roles.get(name, {}).items()
            for topic, partitions in topics.items()
            for partition in range(partitions)
        }


class ScriptedMembers:
    """`Members` of one process of a `ScriptedGroup`."""

    def __init__(self, group: ScriptedGroup, name: str) -> None:
        self._group, self._name = group, name

    def join(self, role: str, topics: Mapping[str, int]) -> None:
        """See `Members`."""
        with self._group.lock:
            taken = {owned.role for owned, who in self._group.owners.items() if who != self._name}
            self._group.roles.setdefault(self._name, {})[role] = dict(topics)
            if role not in taken:
                mine = {owned for owned in self._group.reads(self._name) if owned.role == role}
                self._group.owners |= dict.fromkeys(mine, self._name)

    def owned(self) -> frozenset[Owned]:
        """See `Members`."""
        with self._group.lock:
            return frozenset(owned for owned, who in self._group.owners.items() if who == self._name)

    def report(self, counters: Mapping[str, int]) -> None:
        """See `Members`."""
        with self._group.lock:
            self._group.reported[self._name] = dict(counters)

    def reports(self) -> Mapping[str, Mapping[str, int]]:
        """See `Members`."""
        with self._group.lock:
            return {
                name: dict(said) for name, said in self._group.reported.items() if name in self._group.roles
            }

    def rejoin(self, role: str) -> None:
        """See `Members`; named anew at once."""

    def leave(self) -> None:
        """See `Members`; what it owned goes to the one that joined first of those that read it."""
        with self._group.lock:
            mine = self.owned()
            self._group.roles.pop(self._name, None)
            self._group.reported.pop(self._name, None)
            for owned in mine:
                heirs = [name for name in self._group.roles if owned in self._group.reads(name)]
                self._group.hand(owned, heirs[0] if heirs else None)
