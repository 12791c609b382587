"""Feed: which record names which frame of the source."""

from fractions import Fraction

import numpy as np

from sightline.events import End, Sampled
from sightline.stages.feed import Plan
from sightline.types import SourceIndex
from sightline.vision import sampling


def source(frames: int = 10, *, failed=None, gop: int = 4, first_tick: int = 100) -> SourceIndex:
    """A video at 25 frames a second whose ticks do not begin at 0."""
    rows = np.arange(frames)
    return SourceIndex(
        kind="video",
        name="street.mp4",
        codec="h264",
        width=640,
        height=360,
        rotation=0,
        stream=0,
        time_base=Fraction(1, 25),
        frame=rows,
        tick=rows + first_tick,
        pts_us=rows * 40_000,
        key=rows % gop == 0,
        failed=failed or {},
        duration_us=frames * 40_000,
    )


def plan(index: SourceIndex, stride: int = 1, at_least: int = 4) -> Plan:
    return Plan(index, sampling.sample(index, stride), sampling.chunks(index, at_least))


def test_a_record_says_where_its_frame_can_be_decoded():
    """Row and tick of the frame, and the chunk around it; the last chunk has no end tick."""
    frame = plan(source()).records("j", "main", 5, 1)[0]
    last = plan(source()).records("j", "main", 9, 1)[0]

    assert frame == Sampled("j", "frames:main", 5, 5, 200_000, "ok", "", 5, 105, 1, 4, 8, 104, 108)
    assert (last.chunk, last.first, last.end, last.end_tick) == (2, 8, 10, None)


def test_seq_is_dense_where_frames_are_left_out():
    """With stride 3 seq 0, 1, 2, 3 are frames 0, 3, 6, 9, at their own times."""
    records = plan(source(), stride=3).records("j", "main", 0, 10)

    assert [(r.seq, r.frame, r.pts_us) for r in records[:-1]] == [
        (0, 0, 0),
        (1, 3, 120_000),
        (2, 6, 240_000),
        (3, 9, 360_000),
    ]
    assert records[-1] == End("j", "frames:main", 4)


def test_the_end_comes_once_all_frames_are_named_and_there_is_room():
    """A batch that the frames fill leaves it to the next one."""
    full = plan(source()).records("j", "main", 6, 4)
    roomy = plan(source()).records("j", "main", 6, 5)
    next_batch = plan(source()).records("j", "main", 10, 4)

    assert [record.seq for record in full] == [6, 7, 8, 9]
    assert isinstance(roomy[-1], End)
    assert next_batch == [End("j", "frames:main", 10)]


def test_feeding_again_gives_the_same_whatever_the_batches():
    """Records are a pure function of index and plan."""
    made = plan(source(), stride=2)

    batches = [record for first in range(0, 6, 2) for record in made.records("j", "main", first, 2)]

    assert batches == made.records("j", "main", 0, 100)


def test_a_frame_known_to_be_undecodable_has_failed_before_anyone_looks():
    """With the reason that the index found; the frames around it are ok."""
    records = plan(source(failed={3: "truncated"})).records("j", "main", 2, 3)

    assert [(r.outcome, r.reason) for r in records] == [("ok", ""), ("failed", "truncated"), ("ok", "")]


def test_the_end_travels_with_the_last_chunk():
    """So that it comes to a worker behind that chunk's frames."""
    made = plan(source())

    assert [made.chunk_of(seq) for seq in (0, 3, 4, 9, 10)] == [0, 0, 1, 2, 2]
    assert Plan(made.index, made.rows[:0], []).chunk_of(0) == 0
