"""Order: what waits for its turn, and who is released when."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.events import End, Totals
from sightline.ports import Job
from sightline.runtime.order import Fold
from sightline.testing import scripted_recipe


@dataclass(frozen=True)
class Releases:
    """As much of a stage as order asks for."""

    release: int = 1


JOB = Job("j", "v", 0)


def frame(seq: int, unique: int = 0) -> Totals:
    return Totals("j", "totals:cars", seq, seq, seq, "ok", "", unique)


def end(n: int) -> End:
    return End("j", "totals:cars", n)


def fold(*seqs: int, release: int = 1, next_seq: int = 0) -> Fold:
    made = Fold(scripted_recipe(), Releases(release), None, next_seq)
    for offset, seq in enumerate(seqs):
        made.add(offset, frame(seq))
    return made


def seqs(records) -> list[int]:
    return [record.seq for record in records]


def test_records_are_released_in_seq_order_without_a_gap():
    """What lies behind a gap waits, with its place in the log."""
    waiting = fold(2, 0, 4, 1)

    assert seqs(waiting.take_due(32)) == [0, 1, 2]
    assert waiting.take_due(32) == []
    assert {seq: w.offset for seq, w in waiting.waiting.items()} == {4: 2}

    waiting.add(4, frame(3))
    assert seqs(waiting.take_due(32)) == [3, 4]
    assert waiting.next_seq == 5


def test_the_first_record_of_a_seq_wins():
    """Before its turn and after it, a repetition is dropped and counted."""
    waiting = fold()
    waiting.add(0, frame(1, unique=1))
    waiting.add(1, frame(1, unique=2))
    waiting.add(2, frame(0))

    due = waiting.take_due(32)
    waiting.add(3, frame(1, unique=3))

    assert [record.unique for record in due] == [0, 1]
    assert waiting.duplicates == 2
    assert waiting.waiting == {}


def test_no_more_than_asked_for_is_released_at_once():
    """The rest is due at the next call."""
    waiting = fold(*range(5))

    assert [seqs(waiting.take_due(2)) for _ in range(4)] == [[0, 1], [2, 3], [4], []]


@pytest.mark.parametrize("at_most", [1, 4, 6])
def test_a_stage_that_takes_four_at_once_gets_multiples_of_four(at_most):
    """At least one release, even where that is more than asked for; the rest waits for its fourth."""
    waiting = fold(*range(7), release=4)

    assert seqs(waiting.take_due(at_most)) == [0, 1, 2, 3]
    assert waiting.take_due(at_most) == []
    waiting.add(7, frame(7))
    assert seqs(waiting.take_due(at_most)) == [4, 5, 6, 7]


def test_the_end_releases_what_is_left():
    """The last release is shorter."""
    waiting = fold(*range(6), release=4)
    waiting.add(6, end(6))

    assert seqs(waiting.take_due(4)) == [0, 1, 2, 3]
    assert not waiting.finished
    assert waiting.take_due(4) == [frame(4), frame(5), end(6)]
    assert waiting.finished


def test_an_end_that_overtakes_frames_waits_for_them():
    """Completeness is the end and every seq below it, never a count."""
    waiting = fold(0, 2)
    waiting.add(2, end(3))

    assert seqs(waiting.take_due(32)) == [0]
    assert not waiting.finished

    waiting.add(3, frame(1))
    assert seqs(waiting.take_due(32)) == [1, 2, 3]
    assert waiting.finished


def test_nothing_waits_after_the_end():
    """Frames beyond it are dropped, later repetitions too: they would hold the low water for ever."""
    waiting = fold(0, 3)
    waiting.add(2, end(1))

    waiting.take_due(32)
    waiting.add(3, frame(2))

    assert waiting.waiting == {}
    assert waiting.take_due(32) == []


def test_a_stream_without_frames_is_finished_by_its_end():
    """One release: the end."""
    waiting = fold()
    waiting.add(0, end(0))

    assert waiting.take_due(32) == [end(0)]
    assert waiting.finished


def test_a_loaded_fold_drops_what_was_released_before():
    """After a crash the log is read again from the low water."""
    waiting = fold(3, 4, 5, 6, next_seq=5)

    assert seqs(waiting.take_due(32)) == [5, 6]
    assert waiting.duplicates == 2


@given(st.integers(0, 20), st.sampled_from([1, 3, 4]), st.integers(1, 9), st.data())
def test_any_log_is_released_once_and_in_order(n, release, at_most, data):
    """Shuffled, repeated and taken at any moments."""
    log = [*map(frame, range(n)), end(n)]
    mixed = data.draw(st.permutations(log + data.draw(st.lists(st.sampled_from(log), max_size=6))))
    waiting, batches = fold(release=release), []

    for offset, record in enumerate(mixed):
        waiting.add(offset, record)
        if data.draw(st.booleans()):
            batches.append(waiting.take_due(at_most))
    while due := waiting.take_due(at_most):
        batches.append(due)

    assert [record for batch in batches for record in batch] == log
    assert all(len(batch) % release == 0 for batch in batches if batch and batch[-1] != log[-1])
    assert all(len(batch) <= max(at_most, release) for batch in batches)
    assert waiting.duplicates == len(mixed) - len(log)
