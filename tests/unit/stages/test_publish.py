"""Publish: the segments of a job, joined into its result."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from sightline.errors import Corrupt
from sightline.events import Detected, End
from sightline.formats import segments
from sightline.stages.collect import SEGMENT, Collect
from sightline.stages.publish import Facts, published_segments, result_of
from sightline.stages.stats import Stats
from sightline.stages.track import Track
from sightline.types import Detections, Origin
from sightline.vision.bytetrack import TrackerSettings
from sightline.vision.counting import CountRule, cumulative
from sightline.vision.refine import RefineSettings
from tests.laws.tracker_scenes import street
from tests.unit.vision.made_tracks import same

FACTS = Facts(
    "street",
    "j",
    0,
    Fraction(25),
    640,
    360,
    ("car", "van", "bus"),
    {"cars": (0, 1, 2)},
    8,
    0.25,
    RefineSettings(),
)
FRAMES = 150


def records(group: str = "cars", seed: int = 3) -> list:
    """A street that nobody could see in frames 5 and 6, and in which nothing was in frames 20 to 40."""
    made = []
    for seq, found in enumerate(street(seed, 6, FRAMES)):
        at = ("j", f"detections:{group}", seq, seq, seq * 40_000)
        if seq in (5, 6):
            made.append(Detected(*at, "failed", "undecodable"))
        else:
            made.append(Detected(*at, detections=Detections.empty() if 20 <= seq < 40 else found))
    return [*made, End("j", f"detections:{group}", FRAMES)]


def stored(group: str = "cars", seed: int = 3) -> dict[str, list[bytes]]:
    """Segments of one group's three streams."""
    return stored_of(records(group, seed))


def stored_of(found: list) -> dict[str, list[bytes]]:
    """Segments of what track and stats make of detections."""
    track, stats = Track(TrackerSettings()), Stats(CountRule(8))
    group = found[0].stream.partition(":")[2]
    shown = track.process(found, track.initial()).records
    counted = stats.process(shown, stats.initial()).records
    streams = {f"detections:{group}": found, f"tracks:{group}": shown, f"totals:{group}": counted}
    return {
        name: [blob.value for blob in Collect().process(each, None).blobs] for name, each in streams.items()
    }


@pytest.fixture(scope="module")
def blobs() -> dict[str, list[bytes]]:
    return stored()


def test_a_result_holds_every_frame_with_its_outcome(blobs):
    """Failed frames keep their reason."""
    frames = result_of(FACTS, blobs.items()).frames

    assert len(frames) == FRAMES
    assert [seq for seq, outcome in enumerate(frames.outcome) if outcome == "failed"] == [5, 6]
    assert frames.reason[5] == "undecodable"


def test_unrefined_tracks_are_the_trackers_without_their_unconfirmed_first_boxes(blobs):
    """And the count is the one that `stats` made while the job ran."""
    (group,) = result_of(replace(FACTS, refine=None), blobs.items()).groups

    raw = segments.join([segments.decode(blob) for blob in blobs["tracks:cars"]]).rows
    assert same(group.tracks, raw[raw.origin != Origin.BIRTH])
    assert len(raw) > len(group.tracks)
    assert group.raw_ids == len(np.unique(group.tracks.track_id))
    assert (
        group.unique.tolist()
        == cumulative(result_of(FACTS, blobs.items()).frames, group.tracks, FACTS.min_hits).tolist()
    )


def test_refined_tracks_are_counted_again_and_raw_ones_stay(blobs):
    """Refinement is a pure function of the raw tracks."""
    refined = result_of(FACTS, blobs.items())
    plain = result_of(replace(FACTS, refine=None), blobs.items())
    group = refined.groups[0]

    assert group.raw_ids == plain.groups[0].raw_ids
    assert len(group.tracks) > len(plain.groups[0].tracks)
    assert np.array_equal(group.unique, cumulative(refined.frames, group.tracks, FACTS.min_hits))


def test_a_car_hidden_for_longer_than_the_tracker_waits_is_one_car_when_refined():
    """`stats` has counted it twice by then; the result of a refined job counts its linked tracks."""

    def car(seq: int) -> Detected:
        at = ("j", "detections:cars", seq, seq, seq * 40_000)
        box = [[seq, 10, seq + 40, 40]]
        hidden = 40 <= seq < 75
        return Detected(*at, detections=Detections.empty() if hidden else Detections(box, [0.9], [0]))

    blobs = stored_of([*map(car, range(FRAMES)), End("j", "detections:cars", FRAMES)])

    assert result_of(replace(FACTS, refine=None), blobs.items()).groups[0].unique[-1] == 2
    assert result_of(FACTS, blobs.items()).groups[0].unique[-1] == 1


def test_published_segments_give_the_same_result_again(blobs):
    """A reader of the run folder need not refine."""
    refined = result_of(FACTS, blobs.items())

    again = result_of(FACTS, (blobs | published_segments(refined)).items())

    assert set(published_segments(refined)) == {"published:cars"}
    assert same(again.groups[0].tracks, refined.groups[0].tracks)
    assert np.array_equal(again.groups[0].unique, refined.groups[0].unique)


def test_without_a_tracker_a_group_has_detections_only(blobs):
    """And nothing is published in segments of its own."""
    result = result_of(FACTS, {"detections:cars": blobs["detections:cars"]}.items())

    assert result.groups[0].tracks is None
    assert result.groups[0].unique is None
    assert len(result.groups[0].detections) > 0
    assert published_segments(result) == {}


def test_groups_keep_the_pipelines_order():
    """A group's place is its index in result.json."""
    both = stored("people", 1) | stored("cars", 2)
    facts = replace(FACTS, groups={"people": (1,), "cars": (0, 2)})

    result = result_of(facts, both.items())

    assert [group.name for group in result.groups] == ["people", "cars"]
    assert [group.class_ids for group in result.groups] == [(1,), (0, 2)]


def riding() -> dict[str, list[bytes]]:
    """Somebody rides from the first frame to the last, and somebody stands there."""
    made: dict[str, list] = {"people": [], "bikes": []}
    for seq in range(FRAMES):
        x = 20 + 4 * seq
        boxes = {
            "people": [[x + 18, 100, x + 42, 164], [300, 200, 324, 264]],
            "bikes": [[x, 128, x + 60, 168]],
        }
        for group, xyxy in boxes.items():
            found = Detections(np.array(xyxy, float), np.full(len(xyxy), 0.9), np.zeros(len(xyxy), int))
            made[group].append(Detected("j", f"detections:{group}", seq, seq, seq * 40_000, detections=found))
    ends = {group: [*records, End("j", f"detections:{group}", FRAMES)] for group, records in made.items()}
    return stored_of(ends["people"]) | stored_of(ends["bikes"])


RIDING = replace(FACTS, groups={"people": (0,), "bikes": (1,)}, two_wheelers=("bikes", "people"))


@pytest.mark.parametrize("refine", [None, RefineSettings()])
def test_who_rides_leaves_the_tracks_and_the_count_of_people(refine):
    """The result says what it rides; the raw ids, and the other group, stay as they were."""
    facts, streams = replace(RIDING, refine=refine), riding()
    apart = result_of(replace(facts, two_wheelers=None), streams.items())

    people, bikes = result_of(facts, streams.items()).groups

    ((rider, ridden),) = people.riders.items()
    assert ridden == bikes.tracks.track_id[0]
    assert rider not in people.tracks.track_id
    assert set(people.rider_tracks.track_id.tolist()) == {rider}
    assert (apart.groups[0].unique[-1], people.unique[-1], people.raw_ids) == (2, 1, 2)
    assert same(people.tracks, apart.groups[0].tracks[apart.groups[0].tracks.track_id != rider])
    assert same(bikes.tracks, apart.groups[1].tracks)
    assert np.array_equal(bikes.unique, apart.groups[1].unique)


@pytest.mark.parametrize("refine", [None, RefineSettings()])
def test_published_tracks_without_riders_are_read_back_as_they_are(refine):
    """And counted as they were, whatever the running totals said."""
    facts, streams = replace(RIDING, refine=refine), riding()
    result = result_of(facts, streams.items())

    again = result_of(facts, (streams | published_segments(result)).items())

    for before, after in zip(result.groups, again.groups, strict=True):
        assert same(after.tracks, before.tracks)
        assert np.array_equal(after.unique, before.unique)
    assert dict(again.groups[0].riders) == {}


def test_streams_that_disagree_about_their_frames_are_damage(blobs):
    """A frame is `ok` in all streams or in none."""
    other = [replace(r, outcome="skipped") if getattr(r, "seq", 0) == 9 else r for r in records()[:-1]]
    changed = [blob.value for blob in Collect().process(other, None).blobs]

    with pytest.raises(Corrupt, match="disagree"):
        result_of(FACTS, (blobs | {"detections:cars": changed}).items())


@pytest.mark.parametrize("stream", ["detections:cars", "tracks:cars", "totals:cars"])
@pytest.mark.parametrize("refine", [None, RefineSettings()])
def test_a_frame_of_which_a_stream_has_lost_its_record_has_failed(blobs, stream, refine):
    """As `invalid`, in the whole result; what the other streams say of it stays, and the count is not of zeros."""
    plain = result_of(replace(FACTS, refine=refine), blobs.items())
    segment = segments.join([segments.decode(blob) for blob in blobs[stream]])
    outcome, reason = list(segment.frames.outcome), list(segment.frames.reason)
    outcome[-1], reason[-1] = "failed", "invalid"
    frames = replace(segment.frames, outcome=tuple(outcome), reason=tuple(reason))
    if segment.rows is None:
        changed = replace(segment, frames=frames, unique=np.append(segment.unique[:-1], 0))
    else:
        changed = replace(segment, frames=frames, rows=segment.rows[segment.rows.seq < FRAMES - 1])

    result = result_of(replace(FACTS, refine=refine), (blobs | {stream: [segments.encode(changed)]}).items())

    assert (result.frames.outcome[-1], result.frames.reason[-1]) == ("failed", "invalid")
    assert result.frames.outcome[:-1] == plain.frames.outcome[:-1]
    assert result.groups[0].unique[-1] == plain.groups[0].unique[-1] > 0


def test_missing_swapped_and_damaged_segments_are_damage(blobs):
    """A result is never made of what is left."""
    first, second = blobs["tracks:cars"]
    flipped = bytes([*first[:60], first[60] ^ 1, *first[61:]])

    for parts in (
        [first],
        [second],
        [second, first],
        [first, first],
        [],
        [flipped, second],
        [first, second[:-1]],
    ):
        with pytest.raises(Corrupt):
            result_of(FACTS, (blobs | {"tracks:cars": parts}).items())
    assert FRAMES > SEGMENT
