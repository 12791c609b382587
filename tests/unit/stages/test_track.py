"""Track: a group's detections in order become confirmed tracks."""

import pytest

from sightline.errors import Corrupt, Misconfigured
from sightline.events import Detected, End, Tracked
from sightline.stages.track import Track
from sightline.types import Detections, Origin
from tests.laws.tracker_scenes import BYTETRACK, QUALITY, found

US = 40_000


def frame(seq: int, detections: Detections | None = None) -> Detected:
    """A frame; without detections one that failed."""
    at = ("j", "detections:cars", seq, seq, seq * US)
    if detections is None:
        return Detected(*at, "failed", "undecodable")
    return Detected(*at, detections=detections)


def car(x: float, confidence: float = 0.9) -> Detections:
    return found((x, 0, x + 40, 20, confidence))


def ids(records) -> list[list[int]]:
    return [r.tracks.track_id.tolist() for r in records if isinstance(r, Tracked)]


@pytest.mark.parametrize("mode", [BYTETRACK, QUALITY])
def test_a_car_keeps_its_id_through_an_empty_frame(mode):
    """A short occlusion does not split a track; ids begin with 1."""
    stage = Track(mode)
    scene = [frame(0, car(0)), frame(1, car(2)), frame(2, Detections.empty()), frame(3, car(6))]

    records = stage.process(scene, stage.initial()).records

    assert ids(records) == [[1], [1], [], [1]]


@pytest.mark.parametrize("mode", [BYTETRACK, QUALITY])
def test_a_failed_frame_stays_failed_and_has_no_tracks(mode):
    """Nobody saw it; the track goes on behind it."""
    stage = Track(mode)

    records = stage.process([frame(0, car(0)), frame(1), frame(2, car(4))], stage.initial()).records

    assert (records[1].outcome, records[1].reason, len(records[1].tracks)) == ("failed", "undecodable", 0)
    assert ids(records) == [[1], [], [1]]


def test_a_failed_frame_takes_no_step_in_quality_and_an_empty_one_in_bytetrack():
    """The official tracker knows no failed frames; ours goes on as if the frame had never been."""
    seen = [frame(0, car(0)), frame(1, car(2)), frame(2, Detections.empty()), frame(4, car(8))]
    failed = [seen[0], seen[1], frame(2), seen[3]]
    never = [seen[0], seen[1], seen[3]]

    def end(mode, scene) -> bytes:
        stage = Track(mode)
        return stage.encode(stage.process(scene, stage.initial()).state)

    assert end(BYTETRACK, failed) == end(BYTETRACK, seen) != end(BYTETRACK, never)
    assert end(QUALITY, failed) == end(QUALITY, never) != end(QUALITY, seen)


def test_the_first_box_of_a_track_goes_out_before_it_is_confirmed():
    """A track that begins late is confirmed by its second box; the first says that it is not."""
    stage = Track(QUALITY)
    scene = [frame(0, Detections.empty()), frame(1, car(0)), frame(2, car(2))]

    records = stage.process(scene, stage.initial()).records

    assert ids(records) == [[], [], [1]]
    assert records[1].births.seq.tolist() == [1]
    assert records[1].births.origin.tolist() == [Origin.BIRTH]
    assert records[2].births.seq.tolist() == []


def test_the_end_goes_to_the_tracks_stream():
    """Behind the last frame, with the number of frames; the state stays."""
    stage = Track(QUALITY)
    state = stage.process([frame(0, car(0))], stage.initial()).state

    out = stage.process([End("j", "detections:cars", 1)], state)

    assert out.records == (End("j", "tracks:cars", 1),)
    assert stage.encode(out.state) == stage.encode(state)


def test_nothing_in_nothing_out():
    """An empty batch changes nothing."""
    stage = Track(QUALITY)

    out = stage.process([], stage.initial())

    assert (out.records, out.blobs) == ((), ())
    assert stage.encode(out.state) == stage.encode(stage.initial())


def test_a_state_of_another_tracker_is_refused():
    """Going on with other settings would give tracks that no settings give."""
    blob = Track(QUALITY).encode(Track(QUALITY).initial())

    with pytest.raises(Misconfigured):
        Track(BYTETRACK).decode(blob)
    with pytest.raises(Corrupt):
        Track(QUALITY).decode(b"")
