"""Supervision: steps run in threads until all is done; the first error stops every thread and is raised again.

A step does a bounded piece of work and returns how much it did. Threads without work wait for the bell that others
ring when they did something.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from sightline.errors import Fenced

__all__ = ["Bell", "supervise"]

Step = Callable[[], int]


class Bell:
    """Wakes threads that wait for work of other threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._rung = 0

    def ring(self) -> None:
        """Something was done."""
        with self._changed:
            self._rung += 1
            self._changed.notify_all()

    def heard(self) -> int:
        """How often the bell has rung."""
        with self._changed:
            return self._rung

    def wait(self, heard: int, limit_s: float) -> None:
        """Wait until it has rung more often than `heard`, or for `limit_s` seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._rung != heard, limit_s)


class _Threads:
    def __init__(self, done: Callable[[], bool], idle_s: float) -> None:
        self.bell, self.done, self.idle_s = Bell(), done, idle_s
        self.stop = threading.Event()
        self.error: BaseException | None = None

    def loop(self, steps: Sequence[Step]) -> None:
        try:
            while not self.stop.is_set() and not self.done():
                heard = self.bell.heard()
                if sum(self._run(step) for step in steps):
                    self.bell.ring()
                else:
                    self.bell.wait(heard, self.idle_s)
        except BaseException as error:
            self.error = self.error or error
            self.stop.set()
        finally:
            self.bell.ring()

    def _run(self, step: Step) -> int:
        try:
            return step()
        except Fenced:
            return 1


def supervise(
    groups: Sequence[Sequence[Step]],
    done: Callable[[], bool],
    *,
    every_s: float = 0.2,
    idle_s: float = 0.05,
    tick: Callable[[], None] = lambda: None,
) -> None:
    """Run each group of steps in a thread of its own until `done()`; call `tick` meanwhile in this thread.

    Args:
        groups: steps of each thread.
        done: whether all is done.
        every_s: time between two ticks.
        idle_s: how soon a thread without work asks again though no bell rang: for work that comes from elsewhere.
        tick: called meanwhile.

    Raises:
        BaseException: the first error of a step, or what `tick` raised; all threads have ended by then.
    """
    threads = _Threads(done, idle_s)
    running = [threading.Thread(target=threads.loop, args=(group,), daemon=True) for group in groups]
    for thread in running:
        thread.start()
    try:
        while alive := [thread for thread in running if thread.is_alive()]:
            alive[0].join(every_s)
            tick()
    finally:
        threads.stop.set()
        threads.bell.ring()
        for thread in running:
            thread.join()
    if threads.error is not None:
        raise threads.error
