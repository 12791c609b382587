"""How many requests a second somebody may send: a bucket for each, that fills by itself and is emptied by asking."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable

__all__ = ["Limiter"]

SECONDS = 2.0  # of requests that may come at once
REMEMBERED = 10_000  # who asked lately; whoever is forgotten has a full bucket again


class Limiter:
    """Counts requests.

    Args:
        rate: requests a second; 0: any number.
        clock: seconds that only rise.

    >>> now = [0.0]
    >>> limiter = Limiter(1, lambda: now[0])
    >>> [limiter.wait_s("anna") for _ in range(3)], limiter.wait_s("bert")
    ([0, 0, 1], 0)
    """

    def __init__(self, rate: float, clock: Callable[[], float]) -> None:
        self._rate, self._clock = rate, clock
        self._most = max(1.0, rate * SECONDS)
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_s(self, who: str) -> int:
        """0 where a request may go on; else whole seconds until one may."""
        if not self._rate:
            return 0
        now = self._clock()
        left, at = self._buckets.pop(who, (self._most, now))
        left = min(self._most, left + (now - at) * self._rate)
        allowed = left >= 1
        self._buckets[who] = (left - allowed, now)
        if len(self._buckets) > REMEMBERED:
            self._buckets.popitem(last=False)
        return 0 if allowed else max(1, math.ceil((1 - left) / self._rate))
