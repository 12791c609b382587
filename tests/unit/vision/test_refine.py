"""Refinement: births, links, gaps, smoothing."""

import dataclasses
import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.camera import IDENTITY, Motion
from sightline.errors import Misconfigured
from sightline.types import Origin, TrackTable
from sightline.vision.camera_path import path_of
from sightline.vision.refine import RefineSettings, refine
from sightline.vision.stabilised import in_frames

from .made_tracks import frame_table, rows, same, table

LINK = RefineSettings(fill_s=0)
FILL = RefineSettings(link_s=0)
NOTHING = RefineSettings(link_s=0, fill_s=0)


def walk(speed=5.0, y=100.0):
    """Where a walker is who goes so many pixels a frame to the right."""
    return lambda seq: (speed * seq, y)


# --- births ------------------------------------------------------------------------------------------------------


def test_the_first_box_of_a_confirmed_track_stays():
    """A birth is published, and still says that it is one."""
    tracks = table(rows(1, [0], walk(), origin=Origin.BIRTH), rows(1, range(1, 5), walk()))

    refined = refine(frame_table(5), tracks, RefineSettings())

    assert refined.seq.tolist() == [0, 1, 2, 3, 4]
    assert refined.origin.tolist() == [Origin.BIRTH] + 4 * [Origin.HIGH]


# --- links -------------------------------------------------------------------------------------------------------


def test_a_walker_hidden_for_a_second_keeps_the_first_id():
    """The end of one track and the start of the next lie on one path."""
    tracks = table(rows(3, range(12), walk()), rows(8, range(22, 30), walk()))

    refined = refine(frame_table(30), tracks, LINK)

    assert set(refined.track_id.tolist()) == {3}
    assert len(refined) == 20


def test_a_chain_keeps_its_first_id():
    """Three parts of one walk become one track, also where a later part has the lower id."""
    tracks = table(rows(7, range(10), walk()), rows(2, range(14, 24), walk()), rows(9, range(28, 38), walk()))

    refined = refine(frame_table(40), tracks, LINK)

    assert set(refined.track_id.tolist()) == {7}


@pytest.mark.parametrize(
    ("gap", "ids"), [(20, {1}), (21, {1, 2})], ids=["2.0 seconds: linked", "2.1 seconds: not"]
)
def test_the_longest_gap_of_a_link_is_two_seconds(gap, ids):
    """Someone who stands still is found again after two seconds, not after more."""
    tracks = table(rows(1, range(10)), rows(2, range(9 + gap, 9 + gap + 10)))

    refined = refine(frame_table(60), tracks, LINK)

    assert set(refined.track_id.tolist()) == ids


def test_tracks_that_share_a_moment_are_two_objects():
    """Without a gap there is no link, however alike the boxes are."""
    tracks = table(rows(1, range(10)), rows(2, range(9, 19)))

    refined = refine(frame_table(20), tracks, LINK)

    assert set(refined.track_id.tolist()) == {1, 2}


@pytest.mark.parametrize(
    "after",
    [
        rows(2, range(12, 20), lambda seq: (60 + 5.0 * seq, 100)),
        rows(2, range(12, 20), lambda seq: (55 - 20.0 * (seq - 11), 100)),
        rows(2, range(12, 20), walk(), size=(20, 64)),
    ],
    ids=["begins elsewhere", "comes from elsewhere", "another height"],
)
def test_what_does_not_fit_is_not_linked(after):
    """Place, motion and size must all agree."""
    tracks = table(rows(1, range(11), walk()), after)

    refined = refine(frame_table(20), tracks, LINK)

    assert set(refined.track_id.tolist()) == {1, 2}


def car(metres, speed, fps=5):
    """Rows of a track of a car on a road seen by a pinhole: so far away in frame 0, so many metres a second farther."""

    def made(track_id, seqs):
        every = []
        for seq in seqs:
            distance = metres + speed * seq / fps
            at = (100 + 2000 / distance, 50 + 3000 / distance)
            every += rows(track_id, [seq], lambda _, at=at: at, size=(1800 / distance, 1500 / distance))
        return every

    return made


@pytest.mark.parametrize(("metres", "speed"), [(15, 25), (95, -25)], ids=["goes away", "comes nearer"])
def test_who_changes_distance_is_found_where_a_steady_speed_leads(metres, speed):
    """At 25 m/s and five frames a second boxes halve in the time of a gap."""
    seen = car(metres, speed)
    tracks = table(seen(1, range(6)), seen(2, range(9, 15)))

    refined = refine(frame_table(15, fps=5), tracks, LINK)

    assert set(refined.track_id.tolist()) == {1}


def test_where_one_end_is_cut_the_other_one_knows():
    """At the picture's edge a box grows and its middle lags; the track behind shows where it came from."""
    behind = car(12, 25)(2, range(4, 12))
    cut = rows(1, [0], lambda _: (150, 400), size=(150, 60)) + car(12, 25)(1, [1, 2])

    refined = refine(frame_table(12, fps=5), table(cut, behind), LINK)

    assert set(refined.track_id.tolist()) == {1}


def test_who_goes_away_slower_is_another_one():
    """Distance, place and size must all agree."""
    tracks = table(car(15, 25)(1, range(6)), car(15, 15)(2, range(9, 15)))

    refined = refine(frame_table(15, fps=5), tracks, LINK)

    assert set(refined.track_id.tolist()) == {1, 2}


def test_who_shrinks_one_way_alone_does_not_go_away():
    """Somebody who is hidden from below stays where he is."""
    hidden = [rows(1, [seq], size=(20, 60 - 5 * seq)) for seq in range(6)]
    tracks = table(*hidden, rows(2, range(9, 15), size=(20, 35)))

    refined = refine(frame_table(15), tracks, LINK)

    assert set(refined.track_id.tolist()) == {1}


def test_a_fast_part_of_three_boxes_has_a_velocity():
    """Over several sides noise is little of it; a part that hardly moved may have trembled."""
    tracks = table(rows(1, range(3), walk(60)), rows(2, range(7, 16), walk(60)))

    refined = refine(frame_table(16, fps=5), tracks, LINK)

    assert set(refined.track_id.tolist()) == {1}


def test_links_are_chosen_together():
    """A start goes to the end that needs it: the sum of costs decides, not who comes first."""
    first = rows(1, range(10), lambda seq: (0, 100))
    second = rows(2, range(10), lambda seq: (4.5, 100))
    heads = rows(3, range(12, 20), lambda seq: (-4.5, 100)) + rows(4, range(12, 20), lambda seq: (0, 100))

    refined = refine(frame_table(20), table(first, second, heads), LINK)

    last = refined[refined.seq == 19]
    assert last.track_id.tolist() == [1, 2]  # 3 goes on as 1, 4 as 2, though 4 begins where 1 ended
    assert last.xyxy[:, 0].tolist() == [-14.5, -10.0]


def test_a_time_counts_not_a_number_of_frames():
    """The same walk, seen at a fifth of the rate, is linked alike."""
    tracks = table(rows(1, range(4), walk(25)), rows(2, range(6, 10), walk(25)))

    refined = refine(frame_table(10, fps=2), tracks, LINK)
    too_slow = refine(frame_table(10, fps=1), tracks, LINK)

    assert set(refined.track_id.tolist()) == {1}
    assert set(too_slow.track_id.tolist()) == {1, 2}


# --- gaps --------------------------------------------------------------------------------------------------------


def test_a_gap_is_filled_with_a_straight_line_in_time():
    """Box and confidence are between those around, the class is that of the row before."""
    tracks = table(
        rows(1, [0], lambda seq: (0, 0), class_id=2, confidence=0.5),
        rows(1, [4], lambda seq: (8, 4), class_id=1, confidence=0.9),
    )

    refined = refine(frame_table(5), tracks, FILL)

    centres = (refined.xyxy[:, :2] + refined.xyxy[:, 2:]) / 2
    assert centres.tolist() == [[0, 0], [2, 1], [4, 2], [6, 3], [8, 4]]
    assert refined.confidence == pytest.approx([0.5, 0.6, 0.7, 0.8, 0.9])
    assert refined.class_id.tolist() == [2, 2, 2, 2, 1]
    assert refined.origin.tolist() == [0, 3, 3, 3, 0]


def test_a_variable_frame_rate_is_filled_by_time():
    """A frame that comes late lies further along the line."""
    frames = frame_table(3)
    object.__setattr__(frames, "pts_us", np.array([0, 900_000, 1_000_000]))
    tracks = table(rows(1, [0]), rows(1, [2], lambda seq: (10, 0)))

    refined = refine(frames, tracks, FILL)

    assert refined.xyxy[1].tolist() == [-1.0, -20.0, 19.0, 20.0]


@pytest.mark.parametrize(
    ("seqs", "total"), [([0, 31], 32), ([0, 32], 2)], ids=["1.55 seconds: filled", "1.6 seconds: not"]
)
def test_the_longest_gap_that_is_filled(seqs, total):
    """Beyond 1.55 seconds nobody knows the way."""
    refined = refine(frame_table(40, fps=20), table(rows(1, seqs)), FILL)

    assert len(refined) == total


def test_a_frame_that_failed_stays_empty():
    """Nobody saw it, so nothing is invented for it; its neighbours are filled."""
    refined = refine(frame_table(6, failed=[2]), table(rows(1, [0, 1, 4, 5])), FILL)

    assert refined.seq.tolist() == [0, 1, 3, 4, 5]


# --- smoothing ---------------------------------------------------------------------------------------------------


def test_smoothing_takes_noise_out():
    """Noisy boxes of a steady walk come closer to the walk; nothing but boxes changes."""
    noise = np.random.default_rng(0).normal(0, 3, (60, 2))
    tracks = table(
        rows(1, range(60), lambda seq: (5 * seq + noise[seq, 0], 100 + noise[seq, 1])),
        rows(2, range(20, 30), walk(y=400)),
    )

    refined = refine(frame_table(60), tracks, RefineSettings(smooth=True))

    def error(some):
        mine = some[some.track_id == 1]
        centre = (mine.xyxy[:, :2] + mine.xyxy[:, 2:]) / 2
        return np.abs(centre - np.column_stack([5.0 * mine.seq, np.full(60, 100.0)])).mean()

    assert error(refined) < 0.8 * error(tracks)
    assert refined.seq.tolist() == tracks.seq.tolist()
    assert refined.confidence.tolist() == tracks.confidence.tolist()


def test_smoothing_a_track_does_not_depend_on_the_others():
    """Tracks of different lengths are smoothed together, yet each for itself."""
    one = table(rows(1, range(3, 20), lambda seq: (seq * seq, 3 * seq)))
    others = rows(2, range(25), walk()), rows(3, [4, 9, 10], walk(7, 300)), rows(4, [5])
    smooth = RefineSettings(link_s=0, fill_s=0, smooth=True)

    alone = refine(frame_table(25), one, smooth)
    together = refine(
        frame_table(25), table(rows(1, range(3, 20), lambda seq: (seq * seq, 3 * seq)), *others), smooth
    )

    assert same(alone, together[together.track_id == 1])


def test_smoothing_agrees_with_textbook_matrices():
    """The four 2 x 2 blocks are a Rauch-Tung-Striebel smoother with the tracker's noise."""
    centres = np.array([0.0, 4.0, 11.0, 13.0, 21.0])
    units = np.array([0.0, 3.0, 6.0, 9.0, 12.0])  # 10 frames a second in units of 1/30 s
    tracks = table(rows(1, range(5), lambda seq: (centres[seq], 0), size=(20, 20)))

    refined = refine(frame_table(5), tracks, RefineSettings(smooth=True))

    assert (refined.xyxy[:, 0] + refined.xyxy[:, 2]) / 2 == pytest.approx(_textbook(centres, units, 20.0))


def _textbook(seen, units, side):
    """Positions by the smoother in its general form, for boxes of one constant side."""
    means, covariances, ahead = (
        [np.array([seen[0], 0.0])],
        [np.diag([(side / 10) ** 2, (side / 16) ** 2])],
        [],
    )
    for k in range(1, len(seen)):
        step = units[k] - units[k - 1]
        move = np.array([[1.0, step], [0.0, 1.0]])
        noise = np.diag([(side / 20) ** 2, (side / 160) ** 2]) * step
        mean, covariance = move @ means[-1], move @ covariances[-1] @ move.T + noise
        ahead.append((move, mean, covariance))
        gain = covariance[:, 0] / (covariance[0, 0] + (side / 20) ** 2)
        means.append(mean + gain * (seen[k] - mean[0]))
        covariances.append(covariance - np.outer(gain, covariance[0]))
    for k in range(len(seen) - 2, -1, -1):
        move, mean, covariance = ahead[k]
        means[k] = means[k] + covariances[k] @ move.T @ np.linalg.inv(covariance) @ (means[k + 1] - mean)
    return [mean[0] for mean in means]


# --- the whole ---------------------------------------------------------------------------------------------------


@st.composite
def crowds(draw):
    """Up to six tracks of up to twelve rows each in 40 frames."""
    parts = []
    for track_id in range(1, draw(st.integers(1, 7))):
        seqs = draw(st.lists(st.integers(0, 39), min_size=1, max_size=12, unique=True))
        x, y = draw(st.integers(0, 60)), draw(st.integers(0, 60))
        speed = draw(st.integers(-4, 4))
        origin = draw(st.sampled_from([Origin.HIGH, Origin.LOW, Origin.BIRTH]))
        parts.append(rows(track_id, seqs, lambda seq, x=x, y=y, s=speed: (x + s * seq, y), origin=origin))
    return table(*parts)


@given(crowds(), st.sampled_from([5, 10, 30]), st.booleans())
def test_rows_are_kept_and_only_gaps_are_added(tracks, fps, smooth):
    """Every row comes out again, once; what is new says so; the order is by frame, then id; no id is new."""
    tracks = tracks[np.isin(tracks.track_id, tracks.track_id[tracks.origin != Origin.BIRTH])]

    refined = refine(frame_table(40, fps), tracks, RefineSettings(smooth=smooth))

    measured = refined[refined.origin != Origin.INTERPOLATED]
    assert sorted(zip(measured.seq, measured.confidence, measured.origin, strict=True)) == sorted(
        zip(tracks.seq, tracks.confidence, tracks.origin, strict=True)
    )
    if not smooth:
        assert sorted(measured.xyxy.tolist()) == sorted(tracks.xyxy.tolist())
    keys = list(zip(refined.seq.tolist(), refined.track_id.tolist(), strict=True))
    assert keys == sorted(set(keys))
    assert set(refined.track_id.tolist()) <= set(tracks.track_id.tolist())


@given(crowds())
def test_refining_refined_tracks_without_links_changes_nothing(tracks):
    """Once filled, there is nothing left to fill."""
    once = refine(frame_table(40), tracks, FILL)

    assert same(refine(frame_table(40), once, FILL), once)


@given(crowds(), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(tracks, random):
    """A table is a set of rows."""
    shuffled = list(range(len(tracks)))
    random.shuffle(shuffled)

    refined = refine(frame_table(40), tracks, RefineSettings())

    assert same(refine(frame_table(40), tracks[np.array(shuffled, int)], RefineSettings()), refined)


def test_nothing_asked_nothing_done():
    """With both steps off the table is as it was."""
    tracks = table(rows(1, [0, 5], walk()), rows(2, [7, 9], walk()))

    assert same(refine(frame_table(10), tracks, NOTHING), tracks)


def test_no_tracks_no_rows():
    """An empty job is refined to an empty one."""
    assert len(refine(frame_table(0), TrackTable.empty(), RefineSettings())) == 0


@pytest.mark.parametrize(
    ("tracks", "message"),
    [
        (table(rows(1, [3])), "seq 3 to 3 of 3 frames"),
        (table(rows(4, [1, 1])), "track 4 has two rows in seq 1"),
    ],
)
def test_a_broken_table_is_refused(tracks, message):
    """Rows that cannot be are named, not repaired."""
    with pytest.raises(ValueError, match=message):
        refine(frame_table(3), tracks, RefineSettings())


@pytest.mark.parametrize("wrong", [{"link_s": -1}, {"fill_s": float("nan")}, {"link_s": 61}])
def test_settings_are_checked(wrong):
    """A gap is a number of seconds from 0 to 60."""
    with pytest.raises(Misconfigured, match="seconds from 0 to 60"):
        RefineSettings(**wrong)


def test_importing_loads_no_scipy():
    """The solver is loaded when there is something to solve."""
    code = "import sightline.vision.refine, sightline.vision.counting, sys; sys.exit('scipy' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# --- a camera that moves -----------------------------------------------------------------------------------------


def drone(n, unknown=()):
    """A camera that goes 40 px a frame, turns and comes nearer."""
    step = Motion(1.01 * math.cos(0.02), 1.01 * math.sin(0.02), 40.0, -9.0)
    return path_of(None if seq in unknown else step for seq in range(n))


@pytest.mark.parametrize("smooth", [False, True])
def test_who_walks_on_the_ground_is_linked_and_filled_there(smooth):
    """As if the camera had stood still: the same ids, and boxes that it would have seen."""
    tracks = table(
        rows(3, [*range(7), *range(10, 14)], walk()),
        rows(8, range(24, 30), walk()),
        rows(5, range(30), lambda seq: (500.0, 400.0)),
    )
    path, settings = drone(30), RefineSettings(smooth=smooth)
    seen = in_frames(path, tracks)

    refined = refine(frame_table(30), seen, settings, path)
    still = refine(frame_table(30), tracks, settings)

    assert set(refined.track_id.tolist()) == {3, 5}
    assert same(dataclasses.replace(refined, xyxy=still.xyxy), still)
    assert refined.xyxy == pytest.approx(in_frames(path, still).xyxy)
    assert set(refine(frame_table(30), seen, settings).track_id.tolist()) == {3, 5, 8}


@given(crowds())
def test_boxes_that_were_measured_stay_bit_for_bit(tracks):
    """However the camera went."""
    tracks = tracks[np.isin(tracks.track_id, tracks.track_id[tracks.origin != Origin.BIRTH])]

    refined = refine(frame_table(40), tracks, RefineSettings(), drone(40, unknown=[7, 8, 30]))

    measured = refined[refined.origin != Origin.INTERPOLATED]
    assert sorted(measured.xyxy.tolist()) == sorted(tracks.xyxy.tolist())


@given(crowds(), st.booleans())
def test_a_camera_that_stood_still_changes_nothing(tracks, smooth):
    """Known to stand still, not known in some frames, or in none: not one bit."""
    settings = RefineSettings(smooth=smooth)
    plain = refine(frame_table(40), tracks, settings)

    for motions in (40 * [IDENTITY], 40 * [None], 20 * [IDENTITY, None]):
        assert same(refine(frame_table(40), tracks, settings, path_of(motions)), plain)


def test_where_nobody_knows_the_camera_is_taken_to_have_stood_still():
    """For that step alone; what is known before and behind counts."""
    pan = [Motion(1.0, 0.0, 40.0, 0.0)] * 30
    known, unknown = path_of([*pan[:15], IDENTITY, *pan[16:]]), path_of([*pan[:15], None, *pan[16:]])
    seen = in_frames(known, table(rows(1, range(14), walk()), rows(2, range(17, 30), walk())))

    refined = refine(frame_table(30), seen, RefineSettings(), unknown)

    assert same(refined, refine(frame_table(30), seen, RefineSettings(), known))
    assert set(refined.track_id.tolist()) == {1}
    assert len(refined) == 30
