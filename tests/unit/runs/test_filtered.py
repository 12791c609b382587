"""Filters: what is left counts by the rule by which everything was counted."""

from dataclasses import replace

import numpy as np
import pytest

import sightline as sl
from sightline.errors import Misconfigured
from sightline.runs.filtered import EVERYTHING, Filter, filtered, hits_of
from sightline.runs.held import HeldRuns
from sightline.runs.load import load_result
from sightline.runs.opened import open_run
from sightline.runs.place import in_folder
from sightline.types import Origin
from sightline.vision.counting import count_tracks, hits_limit
from tests.anchored import told

LINES = (sl.Line("middle", (0.5, 1.0), (0.5, 0.0)), sl.Line("across", (0.0, 0.5), (1.0, 0.6)))


@pytest.fixture(scope="module")
def run(finished):
    return open_run(in_folder(finished.path))


@pytest.fixture(scope="module")
def counts(run):
    return run.count(LINES)


def asked(run, counts, which):
    return filtered(run, counts, which, lambda: hits_of(run))


def unasked():
    raise AssertionError("no segment is read where classes decide")


def counted(counts):
    return [group.counted_seq.tolist() for group in counts.groups]


def by_hand(finished, which):
    """The rule on the published tracks, from which the hits that are not sure enough were taken."""
    result, _ = load_result(in_folder(finished.path))
    expected = []
    for group in result.groups:
        origin = group.tracks.origin.copy()
        origin[group.tracks.confidence < which.min_confidence] = Origin.INTERPOLATED
        tracks = replace(group.tracks, origin=origin)
        least = which.min_hits or hits_limit(result.rate)
        expected.append(count_tracks(result.frames, tracks, least).counted_seq.tolist())
    return expected


def test_no_filter_leaves_everything(run, counts):
    """Bit for bit, and nothing is read."""
    assert told(filtered(run, counts, EVERYTHING, unasked)) == told(counts)


@pytest.mark.parametrize(
    "which",
    [
        Filter(min_hits=8),
        Filter(min_hits=9),
        Filter(min_hits=60),
        Filter(min_hits=100_000),
        Filter(min_confidence=0.54),
        Filter(min_confidence=0.62),
        Filter(min_confidence=0.85),
        Filter(min_confidence=1.0),
        Filter(min_confidence=0.62, min_hits=20),
    ],
    ids=str,
)
def test_hits_are_counted_as_publishing_counts_them(finished, run, counts, which):
    """In the same frames, of the same tracks."""
    found = asked(run, counts, which)

    assert counted(found) == by_hand(finished, which)
    for before, after in zip(counts.groups, found.groups, strict=True):
        assert after.class_id.tolist() == before.class_id.tolist()


def test_least_hits_delay_the_count(run, counts):
    """An object is there when it has been seen often enough, not before."""
    later = asked(run, counts, Filter(min_hits=20)).groups[0]

    assert (later.counted_seq[later.counted] > counts.groups[0].counted_seq[later.counted]).all()


@pytest.mark.parametrize(
    ("words", "left"), [(("car",), "cars"), (("cars",), "cars"), (("people", "dog"), "people")]
)
def test_classes_are_labels_or_groups(run, counts, words, left):
    """By vote; for them nothing is read."""
    found = filtered(run, counts, Filter(classes=words), unasked)

    names = [group.name for group in run.video.groups]
    assert [bool(group.counted.any()) for group in found.groups] == [name == left for name in names]
    assert {event.group for event in found.events} <= {left}


def test_events_are_those_of_who_counts(run, counts):
    """Where and when does not change."""
    found = asked(run, counts, Filter(min_confidence=0.85))
    kept = {
        (group.name, track_id)
        for group, left in zip(run.video.groups, found.groups, strict=True)
        for track_id in left.track_id[left.counted].tolist()
    }

    assert 0 < len(found.events) < len(counts.events)
    assert list(found.events) == [event for event in counts.events if (event.group, event.track_id) in kept]


@pytest.mark.parametrize(
    ("which", "message"),
    [
        (Filter(min_hits=7), "min_hits: 7 is below 8"),
        (Filter(classes=("car", "cat")), "there is no 'cat'; there are cars, people, car, person"),
    ],
)
def test_what_cannot_be_filtered_is_refused(run, counts, which, message):
    """It says what there is."""
    with pytest.raises(Misconfigured, match=message) as caught:
        asked(run, counts, which)

    assert caught.value.code == "filter"


def test_hits_are_read_once(finished, monkeypatch):
    """As often as a threshold moves."""
    held = HeldRuns().open("a", "1", lambda: in_folder(finished.path))
    before = held.nbytes

    assert held.hits() is held.hits()
    assert held.nbytes - before == sum(hits.nbytes for hits in held.hits()) > 0


def test_a_few_runs_are_held(finished):
    """The last ones; a job that was published again is another run."""
    runs, opened = HeldRuns(most=2), []

    def place():
        opened.append(1)
        return in_folder(finished.path)

    for key in ("a1", "b1", "a1", "c1", "b1", "b2"):
        runs.open(*key, place)

    assert len(opened) == 5
    assert runs.jobs() == {"b"}
    runs.drop({"b"})
    assert runs.jobs() == set()


def test_they_are_not_too_large(finished):
    """One is held, however large it is."""
    runs = HeldRuns(most_bytes=1)

    for job in "abc":
        held = runs.open(job, "1", lambda: in_folder(finished.path))

    assert runs.jobs() == {"c"}
    assert held.run.count(LINES).events
    assert runs.nbytes == held.nbytes > np.zeros(8).nbytes
