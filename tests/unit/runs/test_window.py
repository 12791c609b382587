"""Records by time: the lines of the format `ndjson`, of which only the segments in question are read."""

import pytest

from sightline.errors import Corrupt, Misconfigured
from sightline.events import Native
from sightline.runs.load import load_result
from sightline.runs.place import Place, in_folder
from sightline.runs.window import between, records, rows
from sightline.stages.collect import SEGMENT
from sightline.testing import MemoryObjects
from sightline.testing.recipes import scripted_recipe
from sightline.vision.bytetrack import TrackerSettings
from tests.crash.jobs import files_below
from tests.unit.scene import FRAMES


@pytest.fixture(scope="module")
def recipe(finished):
    run = load_result(in_folder(finished.path))[1]
    return scripted_recipe(run["job_id"], FRAMES, tracker=TrackerSettings())


class Counted(MemoryObjects):
    """A store that tells what was read."""

    def __init__(self):
        super().__init__()
        self.asked = []

    def read(self, key, start=0, length=None):
        self.asked.append(key)
        return super().read(key, start, length)


@pytest.fixture
def store(finished):
    store = Counted()
    for name, blob in files_below(finished.path).items():
        store.put_new(name, [blob])
    return store


@pytest.fixture
def place(store):
    return Place(store, "", "job 7")


def lines(place, recipe, *span, kind="tracks", groups=()):
    return b"".join(records(place, recipe, kind, *span, groups)).splitlines()


def test_all_of_it_is_the_file_that_is_published(finished, place, recipe):
    """Byte for byte."""
    whole = b"".join(records(place, recipe, "tracks", 0, None))

    assert whole == (finished.path / "tracks.ndjson").read_bytes()


@pytest.mark.parametrize(
    ("start", "end", "first", "behind"),
    [
        (0, None, 0, FRAMES),
        (0, 0, 0, 0),
        (40_000, 80_000, 1, 2),
        (40_001, 80_001, 2, 3),
        (5_000_000, 5_200_000, 125, 130),
        (5_120_000, None, SEGMENT, FRAMES),
        (10**12, None, FRAMES, FRAMES),
        (80_000, 40_000, 2, 2),
    ],
)
def test_a_span_begins_with_a_frame_and_ends_before_one(place, recipe, start, end, first, behind):
    """Whatever segments lie below it; with a frame that could not be decoded it is as with others."""
    whole = lines(place, recipe, 0, None)

    assert between(place, recipe, "tracks", start, end) == (first, behind)
    assert lines(place, recipe, start, end) == whole[2 * first : 2 * behind]


def test_groups_are_those_that_were_asked_for(place, recipe):
    """In the order of the job."""
    whole = lines(place, recipe, 0, None)

    assert lines(place, recipe, 0, None, groups=["people"]) == whole[1::2]
    assert lines(place, recipe, 0, None, groups=["people", "cars"]) == whole


def test_detections_have_the_same_form(finished, place, recipe):
    """Every box that was kept, readable as records."""
    result, _ = load_result(in_folder(finished.path))
    found = [Native().decode(line) for line in lines(place, recipe, 0, None, kind="detections")]

    boxes = sum(len(record.detections) for record in found)
    assert boxes == sum(len(group.detections) for group in result.groups)
    assert [record.seq for record in found] == [seq for seq in range(FRAMES) for _ in range(2)]
    assert {record.stream for record in found} == {"detections:cars", "detections:people"}
    assert found[100].outcome == "failed"


def test_only_segments_of_the_span_are_read(store, place, recipe):
    """Of the stream that was asked for."""
    lines(place, recipe, 5_200_000, 5_240_000, groups=["people"])

    read = {key for key in store.asked if "people" in key}
    assert read == {"segments/published-people/000000000128.seg"}


def test_rows_are_those_of_the_result(finished, place):
    """As the whole table is cut."""
    table = load_result(in_folder(finished.path))[0].groups[0].tracks
    found = rows(place, "tracks", "cars", 100, 135)

    inside = table[(table.seq >= 100) & (table.seq < 135)]
    assert found.xyxy.tobytes() == inside.xyxy.tobytes()
    assert found.track_id.tolist() == inside.track_id.tolist()
    assert len(rows(place, "tracks", "cars", 5, 5)) == 0


def test_a_group_that_is_not_there_is_refused_before_the_first_line(place, recipe):
    """It names those there are."""
    with pytest.raises(Misconfigured, match="no group 'dogs'; there are cars, people"):
        records(place, recipe, "tracks", 0, None, ["dogs"])


def test_tracks_of_a_job_without_tracks_are_refused(place):
    """There are detections."""
    with pytest.raises(Misconfigured) as caught:
        records(place, scripted_recipe("7", FRAMES), "tracks", 0, None)

    assert caught.value.code == "no_tracks"


def test_a_segment_that_is_gone_is_named(store, place, recipe):
    """Nothing is made up for it."""
    store.delete("segments/published-people/000000000128.seg")

    with pytest.raises(Corrupt, match=r"segments/published-people/000000000128\.seg"):
        lines(place, recipe, 0, None)
