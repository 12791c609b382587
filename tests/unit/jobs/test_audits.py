"""Lines, zones and verdicts of a job: each write is by somebody who saw the last one, and they go with the job."""

import pytest

from sightline.counts import Line, Zone
from sightline.errors import Conflict, Corrupt
from sightline.formats.evidence_json import Verdict
from sightline.jobs.audits import (
    GEOMETRY,
    VERDICT,
    Geometry,
    forget,
    geometry_of,
    put_geometry,
    say,
    verdicts_of,
    withdraw,
)
from sightline.testing import MemoryNotes

LINES = (Line("north", (0.1, 0.5), (0.9, 0.5), directions=("up", "down")),)
ZONES = (Zone("yard", ((0, 0), (1, 0), (1, 1))),)


@pytest.fixture
def notes():
    return MemoryNotes()


def verdict(word="accepted"):
    return Verdict(said=word, event={"name": "north", "frame": 3}, by="anna", at="2026-11-22T10:00:00Z")


def test_nothing_is_drawn_at_first(notes):
    """Revision 0."""
    assert geometry_of(notes, "7") == Geometry()


def test_what_was_drawn_is_read_back(notes):
    """Of this job alone, with the revision of the write."""
    put = put_geometry(notes, "7", LINES, ZONES, 0)

    assert geometry_of(notes, "7") == put
    assert (put.lines, put.zones) == (LINES, ZONES)
    assert put.revision > 0
    assert geometry_of(notes, "77") == Geometry()


def test_who_has_not_seen_the_last_lines_writes_nothing(notes):
    """Nobody's lines are lost."""
    first = put_geometry(notes, "7", LINES, (), 0)
    second = put_geometry(notes, "7", (), ZONES, first.revision)

    for seen in (0, first.revision):
        with pytest.raises(Conflict):
            put_geometry(notes, "7", LINES, ZONES, seen)
    assert geometry_of(notes, "7") == second


def test_a_damaged_note_is_said(notes):
    """It is no empty one."""
    notes.put(GEOMETRY, "7", {"lines": [{"name": 3}]})
    notes.put(VERDICT, "7/a", {"said": "perhaps"})

    with pytest.raises(Corrupt, match="job 7"):
        geometry_of(notes, "7")
    with pytest.raises(Corrupt):
        verdicts_of(notes, "7")


def test_the_last_verdict_on_an_event_holds(notes):
    """Each event has one."""
    say(notes, "7", "a", verdict())
    say(notes, "7", "b", verdict())
    say(notes, "7", "a", verdict("rejected"))

    assert {key: each.said for key, each in verdicts_of(notes, "7").items()} == {
        "a": "rejected",
        "b": "accepted",
    }


def test_a_verdict_is_taken_back(notes):
    """Twice is once."""
    say(notes, "7", "a", verdict())
    withdraw(notes, "7", "a")
    withdraw(notes, "7", "a")

    assert verdicts_of(notes, "7") == {}


def test_everything_goes_with_its_job_and_nothing_else(notes):
    """However many there are, and however alike the ids look."""
    for job in ("7", "77", "6"):
        put_geometry(notes, job, LINES, (), 0)
        for number in range(250):
            say(notes, job, f"{number:03}", verdict())

    forget(notes, "7")

    assert (geometry_of(notes, "7"), verdicts_of(notes, "7")) == (Geometry(), {})
    for job in ("77", "6"):
        assert len(verdicts_of(notes, job)) == 250
        assert geometry_of(notes, job).lines == LINES
