"""How long a run took, over all its starts."""

import os
from datetime import UTC, datetime, timedelta

import pytest

from sightline.runs.log import RunLog
from sightline.runs.timing import STARTED, RunClock, looked_before_s
from sightline.runtime.meter import Meter

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
MORE = {"calibration_s": None, "machine_settings": {}, "source_path": "street.mp4"}


@pytest.fixture
def partial(tmp_path):
    """An unfinished run: started at noon, last commit so many seconds later."""
    log, store = tmp_path / "log.ndjson", tmp_path / "store.sqlite"

    def started(looked_s: float, wrote_after_s: float, *, wal_after_s: float = -1) -> tuple:
        RunLog(log, lambda: NOON).write(STARTED, start=1, looked_s=looked_s)
        for path, after_s in ((store, wrote_after_s), (store.with_name("store.sqlite-wal"), wal_after_s)):
            path.touch()
            moment = (NOON + timedelta(seconds=after_s)).timestamp()
            os.utime(path, (moment, moment))
        return log, store

    return started


def test_a_first_start_has_nothing_before_it(tmp_path):
    """No log, no database."""
    assert looked_before_s(tmp_path / "log.ndjson", tmp_path / "store.sqlite") == 0


def test_a_killed_start_took_as_long_as_it_wrote(partial):
    """Its end is in no log."""
    assert looked_before_s(*partial(0.0, 7.5)) == pytest.approx(7.5)


def test_the_newest_write_counts_and_what_came_before_is_kept(partial):
    """The line of a start says what the starts before it took."""
    assert looked_before_s(*partial(30.0, 2.0, wal_after_s=12.0)) == pytest.approx(42)


def test_a_start_that_wrote_nothing_took_nothing(partial):
    """Killed before its first commit: the database is older than the start."""
    assert looked_before_s(*partial(30.0, -5.0)) == 30


def test_half_a_line_is_not_read(partial):
    """A disk that was full left it."""
    log, store = partial(30.0, 5.0)
    with log.open("ab") as out:
        out.write(b'{"event": "started", "looked_s": 9')

    assert looked_before_s(log, store) == pytest.approx(35)


def test_a_log_that_is_damaged_leaves_this_start_alone(partial):
    """The speed is then that of one start, and no run fails for it."""
    log, store = partial(30.0, 5.0)
    log.write_bytes(b'{"event": 1}\n[]\n')

    assert looked_before_s(log, store) == 0


def test_the_speed_is_that_of_looking_over_all_starts():
    """Neither drawing nor writing results counts in."""
    clock = RunClock(3600.0)

    clock.progress(50, 100)
    clock.progress(100, 100)
    with clock.drawing():
        pass
    clock.progress(100, 100)
    timing = clock.stop(3600 * 50, 2, Meter(), **MORE)

    assert 3600 <= timing.looked_s < 3610
    assert 49 < timing.fps <= 50
    assert 0 <= timing.draw_s < 10


def test_a_start_that_only_writes_results_took_no_time_to_look():
    """All frames were done when the earlier one was killed."""
    timing = RunClock(10.0).stop(300, 2, Meter(), **MORE)

    assert (timing.looked_s, timing.fps) == (10.0, 30.0)
