"""How far each stage is behind what it reads, and since when it stands still there."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sightline.jobs.topology import Topology
from sightline.ports import Store

__all__ = ["FRESH_S", "Lag", "Lags"]

FRESH_S = 30.0  # for which what a look found is told to those who do not look themselves


@dataclass(frozen=True, slots=True)
class Lag:
    """Records that wait for a stage, and seconds for which it has released none of them, or fed no frame; 0 where none waits."""

    records: int
    still_s: float


class Lags:
    """Looks at a store.

    Args:
        store: log and ledger.
        topology: its topics.
        clock: seconds that only rise.
        good_s: for which a look is good.
        stages: of these alone; None: of all.
    """

    def __init__(
        self,
        store: Store,
        topology: Topology,
        clock: Callable[[], float],
        good_s: float = 0.0,
        stages: frozenset[str] | None = None,
    ) -> None:
        self._store, self._clock, self._good_s = store, clock, good_s
        self._last: dict[str, Lag] = {}
        self._looked = -math.inf
        self._reads = [
            (stage, topic) for stage, topic, _ in topology.reads() if stages is None or stage in stages
        ]
        # A job is released by feed when its last frame is written: until then what it writes says that it moves.
        self._fed = [
            (topic, partition)
            for stage, topic, partitions in topology.reads()
            for partition in range(partitions)
            if stage == "detect" and (stages is None or "feed" in stages)
        ]
        self._lock = threading.Lock()
        self._moved: dict[str, tuple[int, float]] = {}

    def last(self) -> Mapping[str, Lag]:
        """What the last look found; nothing where that is long ago, as the store does not answer. Asks nobody."""
        with self._lock:
            return self._last if self._clock() - self._looked < FRESH_S else {}

    def look(self) -> dict[str, Lag]:
        """Each stage's lag now, in the order in which records pass them.

        Raises:
            Unavailable: the store does not answer.
        """
        with self._lock:
            if self._clock() - self._looked < self._good_s:
                return self._last
        behind: dict[str, int] = {}
        reached: dict[str, int] = {}
        for stage, topic in self._reads:
            behind.setdefault(stage, 0)
            reached.setdefault(stage, 0)
            for position in self._store.positions(topic):
                if position.stage == stage:
                    _, head = self._store.head(topic, position.partition)
                    behind[stage] += max(0, head - position.low_water)
                    reached[stage] += position.low_water
        for topic, partition in self._fed:
            reached["feed"] += self._store.head(topic, partition)[1]
        now = self._clock()
        with self._lock:
            for stage, at in reached.items():
                if not behind[stage] or self._moved.get(stage, (-1, 0.0))[0] != at:
                    self._moved[stage] = at, now
            self._looked = now
            self._last = {
                stage: Lag(records, now - self._moved[stage][1]) for stage, records in behind.items()
            }
            return self._last
