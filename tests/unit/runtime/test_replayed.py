"""Stored detections as records of another job: those that were collected, frame by frame."""

import msgspec
import numpy as np
import pytest

from sightline.errors import Corrupt, NotFound
from sightline.events import Detected, End, Sampled
from sightline.runtime.replayed import StoredDetections
from sightline.stages.collect import SEGMENT, Collect, segment_key
from sightline.testing import MemoryObjects, scripted_recipe
from sightline.types import Detections

FRAMES = SEGMENT + 40
STREAMS = ("detections:cars", "detections:people")
PARENT = "jobs/parent/"


def detected(job_id, stream, seq):
    """Boxes of equal confidence whose order means something, and frames in which there is nothing or that failed."""
    at = (job_id, stream, seq, 3 * seq, 40_000 * seq)
    if seq % 7 == 0:
        return Detected(*at, "failed", "decode")
    boxes = [[seq + 0.1 * n, 0, seq + 10.5, 20.125] for n in range(seq % 4)]
    return Detected(
        *at, detections=Detections(boxes, [0.5] * len(boxes), [2 - n % 2 for n in range(len(boxes))])
    )


@pytest.fixture
def objects():
    """The segments that a job has collected."""
    made = MemoryObjects()
    for stream in STREAMS:
        records = [detected("parent", stream, seq) for seq in range(FRAMES)]
        for blob in Collect(PARENT).process([*records, End("parent", stream, FRAMES)], None).blobs:
            made.put_new(blob.key, (blob.value,))
    return made


@pytest.fixture
def stored(objects):
    """Of a job that replays it."""
    recipe = scripted_recipe("child", FRAMES)
    streams = (*STREAMS, "tracks:cars")
    route = msgspec.structs.replace(recipe.route, stored=PARENT)
    return StoredDetections(objects, msgspec.structs.replace(recipe, streams=streams, route=route))


def frames(first, end, shift=0):
    return [Sampled("child", "frames:main", seq, 3 * seq + shift, 40_000 * seq) for seq in range(first, end)]


def said(record):
    found = record.detections
    return (
        (
            record.job_id,
            record.stream,
            record.seq,
            record.frame,
            record.pts_us,
            record.outcome,
            record.reason,
        ),
        *(column.tolist() for column in (found.xyxy, found.confidence, found.class_id)),
    )


def test_records_are_those_that_were_collected(stored):
    """Of every stream of detections and no other, across segments, whatever is asked for at a time; then their end."""
    records = [
        record
        for first in range(0, FRAMES, 50)
        for record in stored.records(frames(first, min(first + 50, FRAMES)))
    ]

    expected = [detected("child", stream, seq) for seq in range(FRAMES) for stream in STREAMS]
    assert [said(record) for record in records] == [said(record) for record in expected]
    ends = [*stored.records([End("child", "frames:main", FRAMES)])]
    assert ends == [End("child", stream, FRAMES) for stream in STREAMS]


def test_frames_that_are_asked_for_again_are_the_same(stored):
    """As after a crash, or where a job before went back."""
    first, again = ([said(each) for each in stored.records(frames(120, 140))] for _ in range(2))
    assert first == again == [said(each) for each in stored.records(frames(120, 140))]
    assert np.array_equal([each[0][2] for each in first[::2]], range(120, 140))


def test_detections_that_are_gone(stored, objects):
    """The message says of which segment, and what to do."""
    key = segment_key(PARENT, STREAMS[1], SEGMENT)
    objects.delete(key)

    with pytest.raises(NotFound, match=f"{key}.*retry the job") as error:
        [*stored.records(frames(SEGMENT - 1, SEGMENT + 1))]
    assert error.value.code == "records_gone"


@pytest.mark.parametrize("asked", [frames(5, 6, shift=1), frames(FRAMES, FRAMES + 1)])
def test_detections_of_other_frames_are_no_ones(stored, asked):
    """Another frame under the same number, or one that was not sampled then: nothing is guessed."""
    with pytest.raises(Corrupt, match="is not the one that is stored as seq"):
        [*stored.records(asked)]
