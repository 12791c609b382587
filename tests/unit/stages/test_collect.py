"""Collect: any stream becomes segments at fixed boundaries."""

import numpy as np
import pytest

from sightline.errors import Corrupt, Misconfigured
from sightline.events import Detected, End, Totals, Tracked
from sightline.formats import segments
from sightline.stages.collect import SEGMENT, Collect, segment_key, segment_keys, track_rows
from sightline.types import Detections, Tracks, TrackTable


def frames(n: int, first: int = 0) -> list[Totals]:
    return [Totals("j", "totals:cars", s, s, s * 40_000, "ok", "", s // 10, s // 5) for s in range(first, n)]


def test_a_segment_begins_at_every_128th_frame():
    """300 frames are segments of 128, 128 and 44; their keys say where they begin."""
    blobs = Collect("jobs/j/").process([*frames(300), End("j", "totals:cars", 300)], None).blobs

    assert [blob.key for blob in blobs] == [
        "jobs/j/segments/totals-cars/000000000000.seg",
        "jobs/j/segments/totals-cars/000000000128.seg",
        "jobs/j/segments/totals-cars/000000000256.seg",
    ]
    assert [len(segments.decode(blob.value).frames) for blob in blobs] == [SEGMENT, SEGMENT, 44]


@pytest.mark.parametrize("n", [0, 1, 127, 128, 129, 300])
def test_readers_know_the_keys_from_the_number_of_frames(n):
    """No listing is needed."""
    blobs = Collect("p/").process([*frames(n), End("j", "totals:cars", n)], None).blobs

    assert segment_keys("p/", "totals:cars", n) == [blob.key for blob in blobs]


def test_the_end_alone_writes_nothing_and_nothing_goes_to_the_log():
    """Collect answers with blobs."""
    out = Collect().process([End("j", "totals:cars", 128)], None)

    assert (out.records, out.blobs) == ((), ())
    assert Collect().process(frames(3), None).records == ()


def test_detections_keep_their_order_inside_a_frame_and_failed_frames_their_reason():
    """A frame without boxes is a row of the frames, not of the boxes."""
    boxes = Detections([[5, 0, 9, 4], [0, 0, 4, 4]], [0.5, 0.9], [1, 0])
    batch = [
        Detected("j", "detections:cars", 0, 0, 0, "failed", "undecodable"),
        Detected("j", "detections:cars", 1, 2, 80_000, detections=boxes),
    ]

    (blob,) = Collect().process(batch, None).blobs
    segment = segments.decode(blob.value)

    assert blob.key == segment_key("", "detections:cars", 0)
    assert segment.frames.outcome == ("failed", "ok")
    assert segment.frames.reason == ("undecodable", "")
    assert segment.frames.frame.tolist() == [0, 2]
    assert segment.rows.confidence.tolist() == [0.5, 0.9]
    assert segment.rows.track_id.tolist() == [0, 0]


def test_a_segment_without_a_single_box_is_a_segment():
    """Empty stretches are frames too."""
    (blob,) = Collect().process([Detected("j", "detections:cars", 0, 0, 0)], None).blobs

    segment = segments.decode(blob.value)
    assert (len(segment.frames), len(segment.rows)) == (1, 0)


def test_a_birth_lies_in_the_segment_in_which_its_track_was_confirmed():
    """Its seq may lie before the segment's first; joined, it stands in the frame in which it was seen."""
    empty = [Tracked("j", "tracks:cars", s, s, s * 40_000) for s in range(SEGMENT)]
    box = np.array([[0.0, 0, 4, 4]])
    birth = TrackTable([SEGMENT - 1], [1], [0], box, [0.8], [2])
    confirmed = Tracked(
        "j",
        "tracks:cars",
        SEGMENT,
        SEGMENT,
        SEGMENT * 40_000,
        tracks=Tracks(box, [0.9], [0], [1], [0]),
        births=birth,
    )

    blobs = Collect().process([*empty, confirmed], None).blobs
    first, second = (segments.decode(blob.value) for blob in blobs)

    assert (len(first.rows), len(second.rows)) == (0, 2)
    assert segments.join([first, second]).rows.seq.tolist() == [SEGMENT - 1, SEGMENT]


def test_rows_of_a_frame_rise_by_track_id():
    """Whatever order the tracker gave."""
    box = [[0, 0, 4, 4], [5, 0, 9, 4]]

    table = track_rows(
        Tracked("j", "tracks:cars", 7, 7, 0, tracks=Tracks(box, [0.9, 0.8], [0, 1], [4, 2], [0, 1]))
    )

    assert table.track_id.tolist() == [2, 4]
    assert table.seq.tolist() == [7, 7]


def test_a_state_of_another_version_is_refused():
    """There is nothing to remember, but the byte says so."""
    stage = Collect()

    assert stage.decode(stage.encode(stage.initial())) is None
    with pytest.raises(Misconfigured, match="version 2"):
        stage.decode(b"\x02")
    for damaged in (b"", b"\x00", b"\x01\x01"):
        with pytest.raises(Corrupt):
            stage.decode(damaged)
