"""Counting and drawing finished runs."""

import pytest

import sightline as sl
from sightline.errors import Misconfigured, Unavailable
from sightline.runs.recount import count_run
from tests.unit.scene import LABELS, see

# Cars that drive to the right cross it inwards: to the right of a -> b, as seen on the screen.
MIDDLE = sl.Line("middle", (0.5, 1.0), (0.5, 0.0))
TOP = sl.Zone("top", ((0, 0), (1, 0), (1, 0.5), (0, 0.5)))


def totals(recount) -> dict:
    """Counts over the whole video that are not 0."""
    return {(r.kind, r.name, r.direction, r.label): r.count for r in recount.bins if r.count}


def test_without_lines_and_zones_unique_objects_are_counted(finished):
    """As the run itself counted them."""
    (recount,) = count_run(finished.path)

    assert totals(recount) == {("unique", "", "", "car"): 2, ("unique", "", "", "person"): 1}
    assert recount.files == ()


def test_a_line_counts_who_crosses_it_in_its_direction(finished):
    """One car drives to the right; turned round, the same line counts it out."""
    (there,) = count_run(finished.path, [MIDDLE])
    (back,) = count_run(finished.path, [sl.Line("middle", MIDDLE.b, MIDDLE.a)])

    assert totals(there)["line", "middle", "in", "car"] == 1
    assert totals(back)["line", "middle", "out", "car"] == 1
    (event,) = there.counts.events
    assert (event.group, event.direction) == ("cars", "in")
    assert event.x == pytest.approx(80)


def test_the_names_of_its_directions_are_used_everywhere(finished):
    """In events and in the rows of counts, those of zero too; `in` and `out` are gone."""
    named = sl.Line("middle", MIDDLE.a, MIDDLE.b, directions=("eastbound", "westbound"))

    (recount,) = count_run(finished.path, [named])

    assert [event.direction for event in recount.counts.events] == ["eastbound"]
    rows = {(row.direction, row.label): row.count for row in recount.bins if row.kind == "line"}
    assert (rows["eastbound", "car"], rows["westbound", "car"]) == (1, 0)
    assert {direction for direction, _ in rows} == {"eastbound", "westbound"}


def test_pixels_and_shares_of_the_picture_are_the_same_line(finished):
    """160 x 96 pixels."""
    pixels = sl.Line("middle", (80, 96), (80, 0), unit="px")

    assert totals(count_run(finished.path, [pixels])[0]) == totals(count_run(finished.path, [MIDDLE])[0])


def test_a_zone_counts_who_enters_it(finished):
    """The car that drives up comes in from below."""
    (recount,) = count_run(finished.path, zones=[TOP])

    assert totals(recount)["zone_enter", "top", "", "car"] == 1


def test_bins_share_the_whole(finished):
    """Seconds of the video; together they are the count of one bin."""
    (recount,) = count_run(finished.path, [MIDDLE], bin_us=2_000_000)

    assert {row.start_us for row in recount.bins} == {0, 2_000_000, 4_000_000}
    cars = [row.count for row in recount.bins if row.kind == "unique" and row.label == "car"]
    assert sum(cars) == 2


def test_files_go_where_they_are_asked_for_and_the_run_stays_as_it_is(finished, tmp_path):
    """A folder that is made, and one per video only where there are several."""
    before = {path: path.stat().st_mtime_ns for path in finished.path.rglob("*")}

    (recount,) = count_run(finished.path.parent, [MIDDLE], out=tmp_path / "a" / "b")

    assert sorted(path.name for path in (tmp_path / "a" / "b").iterdir()) == ["counts.csv", "events.csv"]
    assert set(recount.files) == set((tmp_path / "a" / "b").iterdir())
    assert "middle" in (tmp_path / "a" / "b" / "events.csv").read_text()
    assert {path: path.stat().st_mtime_ns for path in finished.path.rglob("*")} == before


def test_a_line_outside_the_picture_is_refused(finished):
    """With the size of the picture."""
    with pytest.raises(Misconfigured, match="160 x 96"):
        count_run(finished.path, [sl.Line("far", (500, 0), (500, 90), unit="px")])


def test_a_run_without_tracks_cannot_be_counted(street, tmp_path):
    """The message says which command makes tracks."""
    run = sl.track(street, detector=see, labels=LABELS, out=tmp_path, pipeline="detect", vid_stride=40)

    with pytest.raises(Misconfigured, match="sightline track"):
        count_run(run.path)


def test_a_place_that_cannot_be_written_is_said(finished, tmp_path):
    """A file has the folder's name."""
    (tmp_path / "file").write_text("")

    with pytest.raises(Unavailable, match="choose another folder"):
        count_run(finished.path, out=tmp_path / "file" / "out")


def test_counting_into_a_run_leaves_it_as_it_is(run_copy):
    """Its own `counts.csv` is in `run.json`, with its hash."""
    before = (run_copy / "counts.csv").read_bytes()

    with pytest.raises(Misconfigured, match="choose another"):
        count_run(run_copy, [MIDDLE], out=run_copy)

    assert (run_copy / "counts.csv").read_bytes() == before
