"""A two-wheeler and its rider through a whole run: tracks, counts, files, and the run read back."""

import json

import numpy as np
import pytest

import sightline as sl
from sightline.counts import Line
from sightline.formats.segments import decode
from sightline.stages.collect import segment_keys

FRAMES = 60
COUNTS = {"cars": 0, "people": 1, "two-wheelers": 2}
LINE = Line("road", (300.0, 0.0), (300.0, 400.0), unit="px")


def boxes(seq):
    """A cyclist, a pedestrian who passes a parked bicycle, the bicycle: label and box."""
    x, walk = 40 + 8 * seq, 80 + 6 * seq
    yield "Bicycle", (x, 180, x + 60, 220)
    yield "Person", (x + 18, 150, x + 42, 216)
    yield "Bicycle", (250, 300, 310, 340)
    yield "Person", (walk, 272, walk + 24, 338)


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """KITTI text, 25 frames a second."""
    path = tmp_path_factory.mktemp("source") / "street.txt"
    path.write_text(
        "".join(
            f"{seq} -1 {label} -1 -1 -10 {' '.join(map(str, box))} -1 -1 -1 -1000 -1000 -1000 -10 0.9\n"
            for seq in range(FRAMES)
            for label, box in boxes(seq)
        )
    )
    return path


def run(source, out, **options):
    return sl.track(source, fps=25, size="640x400", out=out, formats=["mot", "csv", "csv-a"], **options)


@pytest.fixture(scope="module", params=["quality", "bytetrack"])
def made(request, source, tmp_path_factory):
    """A run of each tracker: refined and as the tracker gave it."""
    return run(source, tmp_path_factory.mktemp("made"), tracker=request.param)


def test_the_cyclist_is_one_road_user_and_the_pedestrian_another(made):
    """Two bicycles, one of them parked, and one person: not two."""
    assert made.counts == {"Person": 1, "Bicycle": 2}
    assert {group.name: int(group.unique[-1]) for group in made.result.groups} == COUNTS


def test_every_output_agrees(made):
    """Summary, tables, crossings of a line, running count."""
    summary = json.loads((made.path / "summary.json").read_bytes())
    recount = made.count([LINE])

    assert {name: each["unique"] for name, each in summary["groups"].items()} == COUNTS
    assert len({event.track_id for event in recount.events if event.group == "people"}) == 1
    assert sorted(event.label for event in recount.events) == ["Bicycle", "Person"]
    people = (made.path / "mot" / "people" / "street.txt").read_text().splitlines()
    assert len({line.split(",")[1] for line in people}) == 1


def test_a_run_that_is_read_back_is_the_same(made):
    """The rule asked again finds nobody else, and the count up to each frame stays."""
    again = sl.load(made.path)

    assert again.counts == made.counts
    for group, before in zip(again.result.groups, made.result.groups, strict=True):
        assert np.array_equal(group.unique, before.unique)
        assert np.array_equal(group.tracks.track_id, before.tracks.track_id)


def test_nobody_says_that_the_rider_was_not_followed(source, tmp_path):
    """Where all people ride, the count of people is 0 and no threshold is to blame."""
    path = tmp_path / "cyclist.txt"
    path.write_text("".join(source.read_text().splitlines(True)[place] for place in _cyclist_rows()))

    found = run(path, tmp_path / "out")

    assert found.counts == {"Bicycle": 1}
    assert json.loads((found.path / "run.json").read_bytes())["warnings"] == []


def _cyclist_rows():
    """The first two of four lines of each frame."""
    return [4 * seq + place for seq in range(FRAMES) for place in (0, 1)]


def test_raw_tracks_keep_the_rider(made):
    """What the tracker gave stays in the run folder."""
    keys = segment_keys("", "tracks:people", FRAMES)
    ids = {int(i) for key in keys for i in decode((made.path / key).read_bytes()).rows.track_id}

    assert len(ids) == 2


def test_switched_off_the_rider_is_a_person(source, tmp_path):
    """And two-wheelers are not looked at."""
    found = run(source, tmp_path, two_wheelers=False)

    assert found.counts == {"Person": 2}
