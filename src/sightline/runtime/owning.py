"""Owning: which partitions a worker may claim.

`Ledger.claim` is a fence and not an assignment: whoever calls it wins. So two owners that claim again whenever they are
fenced fence each other for ever. Who may claim is said by `Members`, and after a fence only by a new word.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from sightline.ports import Members, Owned

__all__ = ["PATIENCE_S", "Ownership"]

PATIENCE_S = 15.0  # longer than a change of owners takes to be heard of everywhere


class Ownership:
    """What one worker may hold of a role.

    Args:
        role: of the worker.
        topic, partitions: what it reads.
        members: who owns what; None where this process is the only one and owns all.
        clock: seconds that only rise.
    """

    def __init__(
        self,
        role: str,
        topic: str,
        partitions: Iterable[int],
        members: Members | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._role, self._clock, self._since = role, clock, 0.0
        self._all = {partition: Owned(role, topic, partition) for partition in partitions}
        self._members, self._lost = members, set[int]()

    def named(self) -> frozenset[int]:
        """Partitions that may be held now: those that are owned, but for those lost to another owner since they were."""
        if self._members is None:
            return frozenset(self._all) - self._lost
        owned = self._members.owned()
        mine = frozenset(partition for partition, key in self._all.items() if key in owned)
        self._lost &= mine  # who was named no longer may be named anew
        # Still named though another one has claimed: that one was stale, and would be the last for ever.
        if self._lost and self._clock() - self._since > PATIENCE_S:
            self._members.rejoin(self._role)
            self._lost.clear()  # whatever is named from now on is named anew
            return self.named()
        return mine - self._lost

    def fenced(self, partition: int) -> None:
        """Another owner claimed a partition: it is not claimed again until it was taken away and named anew."""
        if not self._lost:
            self._since = self._clock()
        self._lost.add(partition)

    @property
    def lost(self) -> int:
        """Partitions that are waited for though they are named, until `Members` names them anew."""
        return len(self._lost)
