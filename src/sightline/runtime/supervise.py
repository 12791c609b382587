"""Supervision: steps run in threads until all is done; the first error stops every thread and is raised again.

A step does a bounded piece of work and returns how much it did. Threads without work wait for the bell that others
ring when they did something.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from sightline.errors import Fenced

__all__ = ["Bell", "Listen", "supervise"]

AT_WORK = (-1, 0)
Step = Callable[[], int]
Listen = Callable[[int, float], int]


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
    def __init__(
        self,
        groups: Sequence[Sequence[Step]],
        done: Callable[[], bool],
        idle_s: float,
        *,
        watched: bool,
    ) -> None:
        self.bell, self.done, self.idle_s = Bell(), done, idle_s
        self.stop = threading.Event()
        self.error: BaseException | None = None
        self.stalled = False
        self._groups, self._watched = groups, watched
        # How often the bell had rung, and how often each thread has looked for work in vain since, while it waits.
        self._vain = [AT_WORK] * len(groups)

    def loop(self, number: int) -> None:
        try:
            while not self._over():
                heard = self.bell.heard()
                before, times = self._vain[number]
                self._vain[number] = AT_WORK
                if sum(self._run(step) for step in self._groups[number]):
                    self.bell.ring()
                    continue
                self._vain[number] = heard, times + 1 if before == heard else 1
                if self._watched and self._nobody_works(heard) and not self.done():
                    self.stalled = True
                    self.stop.set()
                    return
                self.bell.wait(heard, self.idle_s)
        except BaseException as error:
            self.error = self.error or error
            self.stop.set()
        finally:
            self.bell.ring()

    def _over(self) -> bool:
        """Whether to end. Where one ends all do: the others would wait for ever for what only it could bring."""
        if not self.stop.is_set() and self.done():
            self.stop.set()
        return self.stop.is_set()

    def listen(self, wait: Listen, limit_s: float) -> None:
        """Ring for what others wrote; a write of this process rings once more than it need, which costs little."""
        try:
            seen = wait(0, 0.0)
            self.bell.ring()  # whoever looked before may have missed what is in `seen` already
            while not self._over():
                before, seen = seen, wait(seen, limit_s)
                if seen > before:
                    self.bell.ring()
        except BaseException as error:
            self.error = self.error or error
            self.stop.set()
        finally:
            self.bell.ring()

    def _nobody_works(self, heard: int) -> bool:
        """Every thread has looked twice since the same ring and found nothing: none of them will ever ring again."""
        vain = list(self._vain)
        return all(at == heard and times > 1 for at, times in vain) and self.bell.heard() == heard

    def _run(self, step: Step) -> int:
        try:
            return step()
        except Fenced:
            return 0  # it waits until it is named anew; to call that work would wake everybody


def supervise(
    groups: Sequence[Sequence[Step]],
    done: Callable[[], bool],
    *,
    every_s: float = 0.2,
    idle_s: float = 0.05,
    tick: Callable[[], object] = lambda: None,
    stalled: Callable[[], BaseException] | None = None,
    listen: Listen | None = None,
) -> None:
    """Run each group of steps in a thread of its own until `done()` was true once; call `tick` meanwhile in this thread.

    Args:
        groups: steps of each thread.
        done: whether all is done.
        every_s: time between two ticks.
        idle_s: how soon a thread without work asks again though no bell rang: for work that comes from elsewhere.
        tick: called meanwhile; true where it brought work.
        stalled: makes the error to be raised when no thread has work and none is at work, so that nobody can ever
            bring any. No time limit: a step may take as long as it likes. None where work comes from elsewhere too.
        listen: `EventLog.wait`: wakes idle threads when another process wrote, so that `idle_s` may be long.

    Raises:
        BaseException: the first error of a step, what `tick` raised, or the one of `stalled`; all threads have ended
            by then.
    """
    threads = _Threads(groups, done, idle_s, watched=stalled is not None)
    running = [threading.Thread(target=threads.loop, args=(n,), daemon=True) for n in range(len(groups))]
    if listen is not None:
        running.append(threading.Thread(target=threads.listen, args=(listen, every_s), daemon=True))
    for thread in running:
        thread.start()
    try:
        while alive := [thread for thread in running if thread.is_alive()]:
            alive[0].join(every_s)
            if tick():
                threads.bell.ring()
    finally:
        threads.stop.set()
        threads.bell.ring()
        for thread in running:
            thread.join()
    if threads.error is not None:
        raise threads.error
    if threads.stalled and stalled is not None:
        raise stalled()
