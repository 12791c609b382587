"""The unique count: when a track counts, as what, and the fold that counts frame by frame."""

from fractions import Fraction

import numpy as np
import pytest

from sightline.counts import Line
from sightline.errors import Corrupt, Misconfigured
from sightline.types import GroupResult, JobResult, Origin, Tracks, TrackTable
from sightline.vision.counting import CountRule, Tally, count_job, count_tracks, cumulative, hits_limit

from .made_tracks import frame_table, rows, table

RULE = CountRule(min_hits=3, forget_frames=5, forget_us=400_000)


def frame(*tracks: tuple[int, int, float]) -> Tracks:
    """Tracks of one frame: (id, class, confidence)."""
    ids, classes, confidence = zip(*tracks, strict=True) if tracks else ((), (), ())
    n = len(ids)
    return Tracks(np.zeros((n, 4)), confidence, classes, ids, np.zeros(n))


def tallied(*frames: Tracks, rule: CountRule = RULE) -> Tally:
    """Frames one by one, 10 a second."""
    tally = Tally.initial(rule)
    for seq, tracks in enumerate(frames):
        tally = tally.add(tracks, seq, seq * 100_000)
    return tally


# --- the limit ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rate", "limit"),
    [(30, 10), (25, 8), (20, 7), (14, 5), (10, 3), (6, 2), (2, 1), (1, 1), (Fraction(1, 60), 1)],
)
def test_a_track_counts_from_a_third_of_a_second_on(rate, limit):
    """The nearest number of frames, at least one."""
    assert hits_limit(Fraction(rate)) == limit


@pytest.mark.parametrize(
    ("rate", "limit"), [(Fraction(15, 2), 2), (Fraction(21, 2), 4), (Fraction(27, 2), 4)]
)
def test_half_a_frame_is_rounded_to_the_even_number(rate, limit):
    """2.5, 3.5 and 4.5 frames are 2, 4 and 4: exact arithmetic, Python's rule."""
    assert hits_limit(rate) == limit


def test_the_limit_of_a_fraction_is_exact():
    """29.97 frames a second are 10 frames; a rate just below a half is rounded down."""
    assert hits_limit(Fraction(30000, 1001)) == 10
    assert hits_limit(Fraction(21, 2) - Fraction(1, 10**18)) == 3


# --- a finished job ----------------------------------------------------------------------------------------------


def test_a_track_counts_in_the_frame_of_its_last_needed_hit():
    """Three hits are asked for: in frames 2, 3 and 7."""
    tracks = table(rows(4, [2, 3, 7, 8]), rows(9, [1, 2]))

    counts = count_tracks(frame_table(10), tracks, 3)

    assert counts.track_id.tolist() == [4, 9]
    assert counts.hits.tolist() == [4, 2]
    assert counts.counted_seq.tolist() == [7, -1]
    assert counts.first_seq.tolist() == [2, 1]
    assert counts.last_seq.tolist() == [8, 2]
    assert cumulative(frame_table(10), tracks, 3).tolist() == [0] * 7 + [1] * 3


def test_births_and_filled_gaps_are_no_hits():
    """They widen the time in view, and neither count nor vote."""
    tracks = table(
        rows(1, [0], class_id=2, origin=Origin.BIRTH),
        rows(1, [1], class_id=1, origin=Origin.LOW),
        rows(1, [2, 3, 4], class_id=2, origin=Origin.INTERPOLATED),
        rows(1, [5], class_id=1),
    )

    counts = count_tracks(frame_table(6), tracks, 3)

    assert counts.hits.tolist() == [2]
    assert counts.counted_seq.tolist() == [-1]
    assert counts.class_id.tolist() == [1]
    assert (counts.first_seq[0], counts.last_seq[0]) == (0, 5)


def test_a_track_never_matched_does_not_count():
    """It has the class of its first row."""
    counts = count_tracks(frame_table(3), table(rows(1, [0, 1], class_id=4, origin=Origin.BIRTH)), 1)

    assert counts.class_id.tolist() == [4]
    assert not counts.counted.any()


@pytest.mark.parametrize(
    ("votes", "winner"),
    [
        ([(1, 0.2), (1, 0.3), (0, 0.9)], 0),
        ([(0, 0.2), (1, 0.9), (0, 0.2), (0, 0.2)], 1),
        ([(1, 0.3), (1, 0.3), (0, 0.5)], 1),
        ([(0, 0.3), (1, 0.1), (1, 0.2)], 1),
        ([(0, 0.1), (0, 0.1), (0, 0.1), (1, 0.3)], 0),
        ([(2, 0.5), (1, 0.5)], 1),
        ([(2, 0.0), (1, 0.0), (2, 0.0)], 2),
    ],
    ids=[
        "one sure hit against two doubtful ones",
        "against three",
        "two that are surer together",
        "equal sums: more votes, though 0.1 + 0.2 > 0.3 in floats",
        "the same, turned",
        "all equal: the lower class",
        "no confidence at all: more votes",
    ],
)
def test_the_class_is_that_of_most_confidence(votes, winner):
    """Each hit weighs as much as its confidence; the fold agrees with the whole."""
    tracks = table(*(rows(1, [k], class_id=c, confidence=s) for k, (c, s) in enumerate(votes)))

    counts = count_tracks(frame_table(len(votes)), tracks, 1)

    assert counts.class_id.tolist() == [winner]
    assert tallied(*(frame((1, c, s)) for c, s in votes), rule=CountRule(1)).by_class() == {winner: 1}


def test_no_tracks_count_nothing():
    """An empty job has a count for each of its frames: zero."""
    assert len(count_tracks(frame_table(3), TrackTable.empty(), 1)) == 0
    assert cumulative(frame_table(3), TrackTable.empty(), 1).tolist() == [0, 0, 0]


def test_a_row_beyond_the_last_frame_is_refused():
    """Tracks and frames must be of one job."""
    with pytest.raises(ValueError, match="seq 5 to 5 of 3 frames"):
        count_tracks(frame_table(3), table(rows(1, [5])), 1)


def test_a_job_is_counted_by_group():
    """Ids are per group; tracks too short to count cross no line; groups without a tracker have no count."""
    across = lambda seq: (50.0, 10.0 * seq)  # noqa: E731
    cars = table(rows(1, range(8), across, class_id=1), rows(2, range(4, 8), across, class_id=1))
    people = table(rows(1, range(1, 8), across))
    none = TrackTable.empty()
    groups = (
        GroupResult("cars", (1,), none, cars),
        GroupResult("people", (0,), none, people),
        GroupResult("signs", (2,), none),
    )
    job = JobResult(
        "v", "j", 0, frame_table(8), Fraction(10), 100, 100, ("person", "car", "sign"), groups, 5, 0.25
    )

    counts = count_job(job, (Line("gate", (0, 0.6), (1, 0.6)),))

    assert [None if each is None else each.counted.tolist() for each in counts.groups] == [
        [True, False],
        [True],
        None,
    ]
    assert [(e.group, e.track_id, e.label, e.direction, e.seq) for e in counts.events] == [
        ("cars", 1, "car", "in", 5),
        ("people", 1, "person", "in", 5),
    ]


# --- the fold ----------------------------------------------------------------------------------------------------


def test_the_count_rises_with_the_frame_that_reaches_the_limit():
    """Two tracks; the second one misses a frame. Spent ids are told apart from the count."""
    tally, unique = Tally.initial(RULE), []
    for seq, tracks in enumerate(
        [frame((1, 0, 1), (7, 0, 1)), frame((1, 0, 1)), frame((1, 0, 1), (7, 0, 1))]
    ):
        tally = tally.add(tracks, seq, seq * 100_000)
        unique.append(tally.unique)

    assert unique == [0, 0, 1]
    assert tally.raw_ids == 2
    assert tally.add(frame((7, 0, 1)), 3, 300_000).unique == 2


def test_adding_changes_no_earlier_tally():
    """A tally is a value: what was committed stays what it was."""
    before = tallied(frame((1, 0, 0.5), (2, 1, 0.5)))
    saved = before.encode()

    before.add(frame((1, 2, 0.5), (3, 0, 0.5)), 1, 100_000)

    assert before.encode() == saved


def test_a_track_is_forgotten_after_frames_and_time():
    """Its vote stays in the totals; memory is that of the live tracks."""
    seen = [frame((1, 4, 1.0))] * 3

    kept = tallied(*seen, *[frame()] * 5)
    closed = tallied(*seen, *[frame()] * 6)

    assert kept.live.shape[1] == 1
    assert closed.live.shape[1] == closed.votes.shape[1] == len(closed.confidence) == 0
    assert kept.by_class() == closed.by_class() == {4: 1}
    assert closed.unique == closed.raw_ids == 1


def test_a_track_is_not_forgotten_while_time_is_short():
    """Many frames in little time close nothing, nor does a long time without frames."""
    tally = tallied(frame((1, 0, 1)))
    many = few = tally
    for k in range(1, 30):
        many = many.add(frame(), k, k * 1000)
    few = few.add(frame(), 1, 10_000_000)

    assert many.live.shape[1] == few.live.shape[1] == 1


def test_memory_does_not_grow_with_the_video():
    """A thousand tracks later the state is no larger."""
    tally, sizes = Tally.initial(RULE), []
    for k in range(3000):
        tally = tally.add(frame((k // 3 + 1, k % 3, 0.5)), k, k * 100_000)
        sizes.append(len(tally.encode()))

    assert tally.unique == tally.raw_ids == 1000
    assert max(sizes) == max(sizes[:50])


def test_rows_the_tracker_did_not_match_are_left_out():
    """A birth or a filled gap in the stream counts as little as in the whole."""
    tracks = Tracks(np.zeros((2, 4)), [1, 1], [0, 0], [1, 2], [Origin.BIRTH, Origin.INTERPOLATED])

    assert tallied(tracks, rule=CountRule(1)).raw_ids == 0


def test_a_track_twice_in_a_frame_is_refused():
    """One object is in one place."""
    with pytest.raises(ValueError, match="seq 0: a track has two rows"):
        tallied(frame((1, 0, 1), (1, 0, 1)))


# --- the saved form ----------------------------------------------------------------------------------------------

# Version 1, by hand: min_hits 3, forget_frames 5, forget_us 400,000; 2 frames, 0 unique, 2 ids.
SAVED = bytes.fromhex(
    "534c4354 0100 0000 03000000 05000000 801a060000000000"
    "0200000000000000 0000000000000000 0200000000000000 02000000 03000000 00000000"
    "0100000000000000 0700000000000000"  # ids
    "0200000000000000 0100000000000000"  # hits
    "0100000000000000 0000000000000000"  # last frame
    "a086010000000000 0000000000000000"  # last time
    "0100000000000000 0100000000000000 0700000000000000"  # votes: tracks
    "0000000000000000 0200000000000000 0100000000000000"  # classes
    "0100000000000000 0100000000000000 0100000000000000"  # numbers
    "000000000000e03f 000000000000d03f 000000000000f03f"  # confidences 0.5, 0.25, 1.0
    "77c3d774"
)


def test_version_1_is_written_as_documented():
    """Byte by byte, so that another program could read it."""
    tally = tallied(frame((1, 0, 0.5), (7, 1, 1.0)), frame((1, 2, 0.25)))

    assert tally.encode().hex() == SAVED.hex()


def test_version_1_can_be_read():
    """Reading and going on is going on."""
    going_on = tallied(frame((1, 0, 0.5), (7, 1, 1.0)), frame((1, 2, 0.25))).add(
        frame((1, 2, 0.5)), 2, 200_000
    )

    loaded = Tally.decode(RULE, SAVED).add(frame((1, 2, 0.5)), 2, 200_000)

    assert loaded.encode() == going_on.encode()
    assert loaded.by_class() == {2: 1}


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda b: b"", "0 bytes that begin"),
        (lambda b: b"XXXX" + b[4:], "expected b'SLCT'"),
        (lambda b: b[:-1], "expected"),
        (lambda b: b + b"\0", "expected"),
        (lambda b: b[:80] + bytes([b[80] ^ 1]) + b[81:], "checksum differs"),
    ],
    ids=["empty", "magic", "cut", "longer", "bit"],
)
def test_damage_is_corrupt(damage, message):
    """Whatever happened to the bytes, the message says what is wrong."""
    with pytest.raises(Corrupt, match=message):
        Tally.decode(RULE, damage(SAVED))


def test_a_tally_of_another_version_is_not_called_damaged():
    """A newer release wrote it: who meets it stops, and ends no job."""
    with pytest.raises(Misconfigured, match="format version 2") as newer:
        Tally.decode(RULE, SAVED[:4] + b"\x02" + SAVED[5:])

    assert newer.value.code == "state_version"


def test_a_tally_of_another_rule_is_refused():
    """Hits counted under one rule mean nothing under another."""
    with pytest.raises(Misconfigured, match=r"min_hits=3.*min_hits=4"):
        Tally.decode(CountRule(4, 5, 400_000), SAVED)


@pytest.mark.parametrize(
    "wrong", [{"min_hits": 0}, {"min_hits": 1, "forget_frames": 0}, {"min_hits": 1, "forget_us": -1}]
)
def test_a_rule_is_checked(wrong):
    """A limit of no hits would count everything, a memory of no frames nothing."""
    with pytest.raises(Misconfigured):
        CountRule(**wrong)
