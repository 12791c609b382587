"""Wrappers that bring faults into any port: they raise, delay, repeat, shuffle, and keep a list of calls."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random
from typing import Any

from sightline.ports import Commit, Outgoing, Position


class Faults:
    """Any port, with a fault at chosen calls: `fault(method, when)` runs before and after each call.

    `fault` gets the method's name and `before` or `after`; what it raises is what the caller sees. A fault `after`
    a call is an effect whose answer was lost.
    """

    def __init__(self, port: Any, fault: Callable[[str, str], None]) -> None:
        self._port, self._fault = port, fault

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)
        if not callable(method):
            return method

        def call(*args: Any, **kwargs: Any) -> Any:
            self._fault(name, "before")
            answer = method(*args, **kwargs)
            self._fault(name, "after")
            return answer

        return call


class AtCall:
    """A fault for `Faults`: something happens at the n-th call, and from then on at every call, or only there.

    Args:
        method, when: which calls count; `*` for every method.
        n: from 1.
        act: raises, sleeps, or ends the process with `os._exit(137)`.
        dead: nothing has an effect any more after it, as in a process that is no longer there; `finally` blocks of the
            code under test run into it too.
    """

    def __init__(self, method: str, when: str, n: int, act: Callable[[], None], *, dead: bool = True) -> None:
        self._chosen, self._act, self._dead = (method, when), act, dead
        self._left = n
        self.fired = False

    def __call__(self, name: str, when: str) -> None:
        """Count the call; see `Faults`."""
        method, moment = self._chosen
        if self.fired:
            if self._dead:
                self._act()
        elif method in ("*", name) and when == moment:
            self._left -= 1
            if not self._left:
                self.fired = True
                self._act()


class Recorded:
    """Any port, with a list of the calls made: `(method, arguments)`."""

    def __init__(self, port: Any) -> None:
        self.calls: list[tuple[str, tuple[Any, ...]]] = []
        self._port = port

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            self.calls.append((name, args))
            return method(*args, **kwargs)

        return call


class Scrambled:
    """A log and ledger that repeats records and shuffles those written together, as brokers and retries do.

    Args:
        store: what is written to.
        seed: decides which and how.
        late: what a record says when it is repeated later; the first one must win.
    """

    def __init__(
        self, store: Any, seed: int, late: Callable[[Outgoing], Outgoing] = lambda record: record
    ) -> None:
        self._store, self._random, self._late = store, Random(seed), late
        self._seen: list[Outgoing] = []
        self._lock = threading.Lock()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def append(self, records: Sequence[Outgoing]) -> None:
        """See `EventLog`."""
        self._store.append(self._scrambled(records))
        self._remember(records)

    def commit(self, commit: Commit) -> tuple[Position, bool]:
        """See `Ledger`; the outputs are scrambled."""
        answer: tuple[Position, bool] = self._store.commit(
            replace(commit, outputs=tuple(self._scrambled(commit.outputs)))
        )
        self._remember(commit.outputs)
        return answer

    def _scrambled(self, records: Sequence[Outgoing]) -> list[Outgoing]:
        with self._lock:
            again = self._random.sample(self._seen, min(len(self._seen), self._random.randrange(4)))
            return self._random.sample([*records], len(records)) + [self._late(record) for record in again]

    def _remember(self, records: Sequence[Outgoing]) -> None:
        with self._lock:
            for record in records:
                place = self._random.randrange(32)
                self._seen[place : place + (len(self._seen) >= 32)] = [record]
