"""Supervision: steps run side by side until all is done or one fails."""

import threading

import pytest

from sightline.errors import Corrupt, Fenced, Unavailable
from sightline.ports import Outgoing
from sightline.runtime.supervise import Bell, supervise
from sightline.testing import MemoryStore

EVERY_S = 0.005
PATIENCE_S = 5.0


class Counter:
    """A step that works n times; `done` when all of them worked."""

    def __init__(self, n: int) -> None:
        self.left, self.threads = n, set()

    def step(self) -> int:
        self.threads.add(threading.get_ident())
        if not self.left:
            return 0
        self.left -= 1
        return 1


def alive() -> int:
    return threading.active_count()


def test_every_group_runs_in_a_thread_of_its_own_until_done():
    """Steps of one group share a thread, so they need no locks among them."""
    one, two, other = Counter(3), Counter(5), Counter(4)
    before = alive()

    supervise(
        [[one.step, two.step], [other.step]],
        lambda: not (one.left or two.left or other.left),
        every_s=EVERY_S,
    )

    assert (one.left, two.left, other.left) == (0, 0, 0)
    assert one.threads == two.threads
    assert len(one.threads | other.threads) == 2
    assert threading.get_ident() not in one.threads | other.threads
    assert alive() == before


def test_once_done_is_done_for_every_thread():
    """One that looks too late, when there is work again, would wait for ever for what only the others could bring."""
    asked: list[int] = []

    def done() -> bool:
        asked.append(threading.get_ident())
        return len(asked) == 1

    thread = threading.Thread(
        target=supervise, args=([[lambda: 0], [lambda: 0]], done), kwargs={"every_s": EVERY_S}, daemon=True
    )
    thread.start()
    thread.join(PATIENCE_S)

    assert not thread.is_alive()


def test_the_first_error_stops_every_thread_and_is_raised():
    """Also where the others would never end by themselves."""

    def fails() -> int:
        raise Unavailable("the disk is full")

    before = alive()
    with pytest.raises(Unavailable, match="disk is full"):
        supervise([[fails], [lambda: 1], [lambda: 0]], lambda: False, every_s=EVERY_S)

    assert alive() == before


def test_what_tick_raises_stops_every_thread():
    """A cancelled run ends so."""
    worked = threading.Event()

    def works() -> int:
        worked.set()
        return 1

    def tick() -> None:
        if worked.is_set():
            raise KeyboardInterrupt

    before = alive()
    with pytest.raises(KeyboardInterrupt):
        supervise([[works], [lambda: 0]], lambda: False, every_s=EVERY_S, tick=tick)

    assert alive() == before


def test_a_step_that_was_fenced_is_tried_again():
    """Another owner moved on: the next step claims again, nothing fails."""
    calls = []

    def fenced_twice() -> int:
        calls.append(1)
        if len(calls) < 3:
            raise Fenced("epoch 2, mine 1")
        return 1

    supervise([[fenced_twice]], lambda: len(calls) >= 3, every_s=EVERY_S)

    assert len(calls) == 3


def test_tick_runs_in_the_callers_thread_as_long_as_any_group_works():
    """That is where progress is told and a signal is noticed."""
    go_on, ticks = threading.Event(), []

    def waits() -> int:
        go_on.wait(5)
        return 1

    def tick() -> None:
        ticks.append(threading.get_ident())
        if len(ticks) == 3:
            go_on.set()

    supervise([[lambda: 1], [waits]], go_on.is_set, every_s=EVERY_S, tick=tick)

    assert set(ticks) == {threading.get_ident()}
    assert len(ticks) >= 3


def test_nothing_to_run_is_done_at_once():
    """No group, no thread."""
    supervise([], lambda: False)


def test_a_bell_rung_before_the_wait_is_heard():
    """No wake-up is lost between looking for work and waiting for it."""
    bell = Bell()
    heard = bell.heard()

    bell.ring()
    bell.wait(heard, 60)

    assert bell.heard() == heard + 1


def test_work_that_comes_from_elsewhere_is_found_without_a_bell():
    """Another process rings no bell here: a thread without work asks again after `idle_s`."""
    arrived, taken = threading.Event(), threading.Event()

    def take() -> int:
        if arrived.is_set():
            taken.set()
        return 0

    elsewhere = threading.Timer(0.02, arrived.set)
    elsewhere.start()
    supervise([[take]], taken.is_set, every_s=EVERY_S, idle_s=0.001)

    elsewhere.join()
    assert taken.is_set()


def test_what_another_process_wrote_wakes_a_thread_without_work():
    """The listener rings for it; without one the thread would sleep for a minute."""
    log, taken = MemoryStore(), threading.Event()
    before = alive()

    def take() -> int:
        if log.read("jobs", 0, 0, 1):
            taken.set()
        return 0

    elsewhere = threading.Timer(0.02, log.append, [[Outgoing("jobs", 0, "j", b"")]])
    elsewhere.start()
    supervise([[take], [take]], taken.is_set, every_s=EVERY_S, idle_s=60, listen=log.wait)

    elsewhere.join()
    assert taken.is_set()
    assert alive() == before


def test_what_was_written_before_anybody_listened_is_found_too():
    """On a busy machine the listener begins late: whoever had looked in vain by then looks again."""
    log, taken, looked, waits = MemoryStore(), threading.Event(), threading.Event(), []

    def take() -> int:
        if log.read("jobs", 0, 0, 1):
            taken.set()
        looked.set()
        return 0

    def late(seen: int, limit_s: float) -> int:
        if not waits:
            looked.wait()
            log.append([Outgoing("jobs", 0, "j", b"")])
        waits.append(seen)
        assert len(waits) < 100, "nobody was woken"
        return log.wait(seen, limit_s)

    supervise([[take]], taken.is_set, every_s=EVERY_S, idle_s=60, listen=late)

    assert taken.is_set()


def test_a_log_that_cannot_be_listened_to_is_an_error_of_all():
    """Nobody sleeps through an outage."""

    def down(seen: int, limit_s: float) -> int:
        raise Unavailable("the log does not answer")

    with pytest.raises(Unavailable):
        supervise([[lambda: 0]], lambda: False, every_s=EVERY_S, idle_s=60, listen=down)


def test_where_nobody_has_work_and_nobody_is_at_work_the_run_stands_still():
    """Then nobody can ever bring work: the error of `stalled`, after all threads have ended."""
    before = alive()

    with pytest.raises(Corrupt, match="stands still"):
        supervise(
            [[lambda: 0], [lambda: 0, lambda: 0]],
            lambda: False,
            every_s=EVERY_S,
            idle_s=0.001,
            stalled=lambda: Corrupt("it stands still"),
        )

    assert alive() == before


def test_a_slow_step_is_no_stall():
    """However often the others have looked meanwhile: there is no time limit."""
    looked, answered = threading.Event(), threading.Event()
    looks = []

    def looks_often() -> int:
        looks.append(1)
        if len(looks) == 50:
            looked.set()
        return 0

    def slow() -> int:
        looked.wait(30)
        answered.set()
        return 1

    supervise(
        [[looks_often], [slow]],
        answered.is_set,
        every_s=EVERY_S,
        idle_s=0.001,
        stalled=lambda: Corrupt("it stands still"),
    )

    assert len(looks) >= 50


def test_an_error_of_a_step_is_heard_before_a_stall():
    """The first cause counts."""

    def fails() -> int:
        raise Unavailable("the disk is full")

    with pytest.raises(Unavailable):
        supervise([[lambda: 0], [fails]], lambda: False, idle_s=0.001, stalled=lambda: Corrupt("still"))
