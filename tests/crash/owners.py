"""Owners that come and go: who is named, and who still believes that it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from random import Random

from sightline.ports import Owned


class Believer:
    """`Members` as one process sees them: it owns whatever it has joined, but for what it was told to be another one's."""

    def __init__(self) -> None:
        self.joined: list[Owned] = []
        self._gone: set[Owned] = set()

    def join(self, role: str, topics: Mapping[str, int]) -> None:
        """See `Members`."""
        self.joined += [Owned(role, topic, part) for topic, parts in topics.items() for part in range(parts)]

    def owned(self) -> frozenset[Owned]:
        """See `Members`."""
        return frozenset(self.joined) - self._gone

    def tell(self, moved: list[Owned], *, named: bool) -> None:
        """These partitions are its own now, or no longer."""
        self._gone = self._gone - set(moved) if named else self._gone | set(moved)


class Hands:
    """Hands partitions from one process to another, cleanly or so that two believe they own them: all of them, or some.

    Args:
        random: decides when.
        processes: how many share the work; at first all of them believe.
    """

    def __init__(self, random: Random, processes: int) -> None:
        self.believers = [Believer() for _ in range(processes)]
        self._random, self._plan = random, self._words()

    def tick(self) -> None:
        """A round of everybody's work is done."""
        next(self._plan)

    def _words(self) -> Iterator[None]:
        while True:
            for _ in range(self._random.randrange(60)):
                yield
            owner, moved = self._random.choice(self.believers), self._some()
            others = [believer for believer in self.believers if believer is not owner]
            clean = self._random.random() < 0.5
            owner.tell(moved, named=False)
            for believer in others:
                believer.tell(moved, named=not clean)
            yield
            for _ in range(self._random.randrange(8)):  # nobody is the owner, or too many are
                owner.tell(moved, named=not clean)
                yield
            owner.tell(moved, named=True)
            for believer in others:
                believer.tell(moved, named=False)

    def _some(self) -> list[Owned]:
        joined = self.believers[0].joined
        return joined if self._random.random() < 0.5 else self._random.sample(joined, len(joined) // 2)
