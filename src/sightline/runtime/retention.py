"""Retention: what every consumer of a topic has released may be forgotten."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sightline.ports import EventLog, Ledger

__all__ = ["Retention"]

EVERY = 8  # steps: looking where everybody stands is not free either
WORTH = 256  # offsets: each trim takes the one write lock of a store


class Retention:
    """Trims topics below the lowest position of their consumers, again and again.

    Args:
        log, ledger: ports.
        consumers: number of stages that read each topic; a topic is left alone until each has claimed it.
        every: steps between two looks.
        worth: offsets that must have been released since the last trim.
    """

    def __init__(
        self,
        log: EventLog,
        ledger: Ledger,
        consumers: Mapping[str, int],
        *,
        every: int = EVERY,
        worth: int = WORTH,
    ) -> None:
        self._log, self._ledger, self._consumers = log, ledger, consumers
        self._every, self._worth = every, worth
        self._trimmed: dict[tuple[str, int], int] = {}
        self._steps = 0

    def step(self) -> int:
        """Look now and then; always 0, for nobody waits for it."""
        self._steps += 1
        if self._steps % self._every:
            return 0
        for topic, partition, lowest in _marks(self._ledger, self._consumers):
            if lowest - self._trimmed.get((topic, partition), 0) >= self._worth:
                self._log.trim(topic, partition, lowest)
                self._trimmed[topic, partition] = lowest
        return 0


def _marks(ledger: Ledger, consumers: Mapping[str, int]) -> Iterator[tuple[str, int, int]]:
    """Topic, partition and lowest position, where every consumer has one."""
    for topic, expected in consumers.items():
        marks: dict[int, list[int]] = {}
        for position in ledger.positions(topic):
            marks.setdefault(position.partition, []).append(position.low_water)
        for partition, lowest in marks.items():
            if len(lowest) >= expected:
                yield topic, partition, min(lowest)
