"""Evidence: events that are known again, and counts after people have looked at them."""

from dataclasses import replace

import pytest

from sightline.counts import Line, Zone
from sightline.formats.evidence_json import Verdict, audited, audited_bins, evidence, missed_id, shape_digest
from sightline.formats.timeline import alone

from . import counted

SIZE = (64, 48)
AT = "2026-11-22T10:00:00Z"


def events(result=None, counts=None):
    return evidence(alone(result or counted.job(), counts or counted.counts()), SIZE)


def digests():
    return [shape_digest(shape, SIZE) for shape in (*counted.LINES, *counted.ZONES)]


def said(word, event):
    return Verdict(said=word, event={k: v for k, v in event.items() if k != "id"}, by="anna", at=AT)


def test_each_event_says_where_to_look():
    """Frame, time on the clock, place; in the order of the events."""
    found = events()

    assert [(each["kind"], each["direction"], each["track_id"], each["frame"]) for each in found] == [
        ("line", "in", 1, 22),
        ("zone_enter", "", 3, 22),
        ("line", "in", 1, 29),
        ("zone_exit", "", 3, 30),
        ("line", "out", 1, 39),
    ]
    assert (found[0]["pts_us"], found[0]["time"]) == (2_200_000, "2024-05-17T00:00:02.200000+02:00")
    assert (found[0]["x"], str(found[0]["y"])) == (1.25, "0.0")


def test_ids_are_the_same_when_it_is_counted_again():
    """Each its own."""
    found = [each["id"] for each in events()]

    assert found == [each["id"] for each in events()]
    assert len({*found}) == len(found) == 5


def test_ids_change_with_their_line_alone():
    """A zone that stayed keeps its events, on another clock too."""
    moved = replace(counted.counts(), lines=(Line("north", (0, 0.5), (1, 0.51)),))
    before, after = events(), events(replace(counted.job(), clock_start=None), moved)

    same = [old["id"] == new["id"] for old, new in zip(before, after, strict=True)]
    assert same == [each["kind"] != "line" for each in before]


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (Line("north", (0, 24), (64, 24), "px"), True),
        (Line("north", (1, 0.5), (0, 0.5)), False),
        (Line("north", (0, 0.5), (1, 0.5), directions=("up", "down")), False),
        (Line("south", (0, 0.5), (1, 0.5)), False),
        (Zone("north", ((0, 0), (1, 0), (1, 1))), False),
    ],
)
def test_a_shape_is_where_it_lies_and_what_it_is_called(other, same):
    """In whatever unit it was drawn."""
    assert (shape_digest(other, SIZE) == shape_digest(counted.LINES[0], SIZE)) is same


def test_without_a_verdict_counts_are_raw():
    """Everything is open."""
    audit = audited(events(), digests(), {})

    assert [each["said"] for each in audit["events"]] == [None] * 5
    assert (audit["missed"], audit["stale"]) == ([], [])
    assert [(row["kind"], row["direction"], row["group"], row["raw"]) for row in audit["counts"]] == [
        ("line", "in", "cars", 1),
        ("line", "in", "people", 1),
        ("line", "out", "cars", 1),
        ("zone_enter", "", "cars", 1),
        ("zone_exit", "", "cars", 1),
    ]
    assert all(row["open"] == row["verified"] == 1 and row["error"] == 0 for row in audit["counts"])


def test_verified_counts_follow_what_was_said():
    """Raw less what was rejected, and what was missed; the error is that of the raw ones."""
    found = events()
    missed = {**found[0], "frame": 15, "track_id": None}
    verdicts = {
        found[0]["id"]: said("accepted", found[0]),
        found[2]["id"]: said("rejected", found[2]),
        "m1": said("missed", missed),
        "m2": said("missed", {**missed, "frame": 16}),
    }

    rows = {
        (row["kind"], row["direction"], row["group"]): row
        for row in audited(found, digests(), verdicts)["counts"]
    }

    cars, people = rows["line", "in", "cars"], rows["line", "in", "people"]
    assert (cars["raw"], cars["accepted"], cars["missed"], cars["verified"]) == (1, 1, 2, 3)
    assert cars["error"] == pytest.approx(-2 / 3, abs=1e-6)
    assert (people["raw"], people["rejected"], people["verified"], people["error"]) == (1, 1, 0, None)


def test_verdicts_on_a_line_that_was_moved_are_stale():
    """They are shown with who said them, and count nothing."""
    found = events()
    verdicts = {
        found[0]["id"]: said("rejected", found[0]),
        "m1": said("missed", found[0]),
        found[1]["id"]: said("accepted", found[1]),
    }
    moved = replace(counted.counts(), lines=(Line("north", (0, 0.5), (1, 0.51)),))
    drawn = [shape_digest(shape, SIZE) for shape in (*moved.lines, *moved.zones)]

    audit = audited(events(counts=moved), drawn, verdicts)

    assert [(each["id"], each["said"], each["by"]) for each in audit["stale"]] == [
        (found[0]["id"], "rejected", "anna"),
        ("m1", "missed", "anna"),
    ]
    assert [row["verified"] for row in audit["counts"]] == [1] * 5
    assert sum(row["accepted"] for row in audit["counts"]) == 1


def test_a_missed_event_that_is_added_twice_is_one():
    """Unless it lies elsewhere."""
    event = {"shape": "a", "kind": "line", "direction": "in", "group": "cars", "label": "car", "frame": 3}

    assert missed_id(event) == missed_id(dict(event))
    assert missed_id(event) != missed_id({**event, "x": 4.0, "y": 5.0})


def test_the_same_by_bins_on_the_clock():
    """A video from second 1 to 4 in bins of two seconds; the missed one lies in a frame that was not sampled."""
    found = events()
    verdicts = {
        found[0]["id"]: said("rejected", found[0]),
        "m": said("missed", {**found[0], "frame": 500}),
    }
    audit = audited(found, digests(), verdicts)

    rows = audited_bins(alone(counted.job(), counted.counts()), audit, 2_000_000)

    assert {(row["start_s"], row["end_s"], row["start_time"]) for row in rows} == {
        (2.0, 4.0, "2024-05-17T00:00:02+02:00")
    }
    assert [{key: row[key] for key in audit["counts"][0]} for row in rows] == audit["counts"]
    apart = audited_bins(alone(counted.job(), counted.counts()), audit, 1_000_000)
    cars = [
        (row["start_s"], row["raw"], row["rejected"], row["missed"], row["verified"])
        for row in apart
        if (row["kind"], row["direction"], row["group"]) == ("line", "in", "cars")
    ]
    assert cars == [(2.0, 1, 1, 0, 0), (3.0, 0, 0, 1, 1)]
