"""Owners that come and go: who is named, and who still believes that it is."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from sightline.ports import Owned


class _Everything(frozenset[Owned]):
    """Every partition of every role."""

    def __contains__(self, key: object) -> bool:
        return True


class Believer:
    """`Members` as one process sees them: it owns everything, or nothing."""

    def __init__(self, *, named: bool) -> None:
        self.named = named

    def owned(self) -> frozenset[Owned]:
        """See `Members`."""
        return _Everything() if self.named else frozenset()


class Hands:
    """Hands everything from one process to another, cleanly or so that two believe they own it.

    Args:
        random: decides when.
        processes: how many share the work; at first all of them believe.
    """

    def __init__(self, random: Random, processes: int) -> None:
        self.believers = [Believer(named=True) for _ in range(processes)]
        self._random, self._plan = random, self._words()

    def tick(self) -> None:
        """A round of everybody's work is done."""
        next(self._plan)

    def _words(self) -> Iterator[None]:
        while True:
            for _ in range(self._random.randrange(60)):
                yield
            owner = self._random.choice(self.believers)
            others = [believer for believer in self.believers if believer is not owner]
            clean = self._random.random() < 0.5
            for believer in self.believers:
                believer.named = believer in others and not clean
            yield
            for _ in range(self._random.randrange(8)):  # nobody is the owner, or too many are
                owner.named = not clean
                yield
            owner.named = True
            for believer in others:
                believer.named = False
