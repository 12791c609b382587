"""Headings and speeds of objects whose ways are known."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sightline.camera import CameraPath
from sightline.counts import CountedGroup, Line
from sightline.errors import Misconfigured
from sightline.speeds import Plane
from sightline.types import Origin, TrackTable
from sightline.vision.counting import count_tracks
from sightline.vision.foot_paths import anchors_of
from sightline.vision.geometry import crossings_of
from sightline.vision.ground import Ground
from sightline.vision.speeds import speeds_of
from tests.flights import SIZE, looking

from .flown import path_of_looks, seen
from .made_tracks import frame_table, rows, table

FRAMES = 50  # five seconds
# Ten pixels are a metre.
METRES = Plane(((100, 100), (500, 100), (500, 300), (100, 300)), ((0, 0), (40, 0), (40, 20), (0, 20)), "px")
STILL = CameraPath(np.tile((1.0, 0, 0, 0), (FRAMES, 1)), np.zeros(FRAMES, int))


def ways_of(tracks, plane=METRES, path=None, lines=(), frames=FRAMES, size=SIZE):
    """What is said of tracks at ten frames a second; all of them count."""
    times = frame_table(frames)
    counts = count_tracks(times, tracks, 1)
    group = CountedGroup("cars", counts, anchors_of(tracks, counts.counted, *size))
    ground = Ground.of(path, times.frame)
    events = crossings_of([group], times.pts_us, lines, (), *size, ("car",), ground)
    return speeds_of([group], times.pts_us, size, ("car",), plane, ground, events)


def driving(speed=4.0, heading=90.0, begin=(200.0, 200.0)):
    """Pixels a frame, along degrees clockwise from up."""
    x, y = speed * math.sin(math.radians(heading)), -speed * math.cos(math.radians(heading))
    return lambda seq: (begin[0] + x * seq, begin[1] + y * seq)


def noisy(tracks, seed=0, share=0.02):
    """Each edge of each box off by so much of its side."""
    rng = np.random.default_rng(seed)
    sides = np.tile(tracks.xyxy[:, 2:] - tracks.xyxy[:, :2], 2)
    xyxy = tracks.xyxy + rng.normal(0, share, tracks.xyxy.shape) * sides
    return replace(tracks, xyxy=xyxy)


@given(st.floats(0, 359), st.floats(0.8, 3))
@settings(max_examples=40, deadline=None)
def test_heading_and_speed_of_a_straight_way(heading, speed):
    """Pixels a frame are metres a second here; up is 0 and right is 90."""
    tracks = table(rows(1, range(FRAMES), driving(speed, heading, (300, 200))))

    (way,) = ways_of(tracks).ways

    assert (way.group, way.track_id, way.label, way.first_seq, way.last_seq) == ("cars", 1, "car", 0, 49)
    assert abs((way.heading - heading + 180) % 360 - 180) < 0.01
    assert way.straightness == pytest.approx(1, abs=1e-3)
    assert way.speed_kmh == pytest.approx(3.6 * speed, rel=5e-3)
    assert 0 < way.error_kmh < 0.1 * way.speed_kmh + 0.3


def test_without_a_plane_there_are_headings_only():
    """Pixels are nothing to drive by."""
    (way,) = ways_of(table(rows(1, range(FRAMES), driving())), plane=None).ways

    assert way.heading == pytest.approx(90)
    assert (way.straightness, way.metres, way.speed_kmh, way.error_kmh) == (1.0, None, None, None)


@pytest.mark.parametrize("way", [lambda _: (300, 200), driving(0.2), lambda seq: (300 + 5 * (seq % 2), 200)])
def test_what_stands_has_no_heading_and_no_speed(way):
    """Nor what moves by less than its own size, or trembles."""
    (found,) = ways_of(noisy(table(rows(1, range(FRAMES), way)))).ways

    assert (found.heading, found.straightness, found.metres, found.speed_kmh, found.error_kmh) == (None,) * 5


def test_who_waits_on_the_way_has_the_speed_at_which_it_moves():
    """Ten seconds at 2 m/s, ten of waiting, and on again; the seconds in which it stops and starts are half of each."""

    def way(seq):
        return 100 + 2 * (min(seq, 100) + max(0, seq - 200)), 200

    (found,) = ways_of(noisy(table(rows(1, range(300), way))), frames=300).ways

    assert found.speed_kmh == pytest.approx(2 * 3.6, rel=0.07)
    assert found.metres == pytest.approx(38, abs=0.5)


def test_a_turn_is_as_long_as_it_is_driven():
    """A quarter of a circle, from up to the right, less half a second at both ends: the chord leads between."""
    radius, frames = 150.0, FRAMES

    def way(seq):
        angle = math.pi / 2 * seq / (frames - 1)
        return 400 - radius * math.cos(angle), 280 - radius * math.sin(angle)

    (found,) = ways_of(table(rows(1, range(frames), way))).ways

    assert found.heading == pytest.approx(45, abs=1)
    assert found.straightness == pytest.approx(math.sin(0.64) / 0.64, abs=0.01)
    assert found.speed_kmh == pytest.approx(math.pi / 2 * radius / 10 / 4.9 * 3.6, rel=0.02)


def test_who_comes_back_has_a_speed_and_no_heading():
    """A turn about itself leads nowhere."""

    def way(seq):
        return (200 + 5 * min(seq, 49 - seq), 200)

    (found,) = ways_of(table(rows(1, range(FRAMES), way))).ways

    assert found.heading is None
    assert found.straightness < 0.1
    assert found.speed_kmh == pytest.approx(5 * 3.6, rel=0.25)


def test_boxes_that_the_edge_cuts_say_nothing():
    """A box that enters grows at one side only, so its middle moves at half of the speed."""
    whole = table(rows(1, range(FRAMES), driving(4, 90, (-20, 200)), size=(120, 40)))
    cut = replace(whole, xyxy=np.clip(whole.xyxy, 0, [*SIZE, *SIZE]))

    (found,) = ways_of(cut).ways

    assert found.speed_kmh == pytest.approx(4 * 3.6, rel=1e-3)


def test_a_few_boxes_of_something_else_change_little():
    """Somebody stood before it for two frames."""
    tracks = noisy(table(rows(1, range(FRAMES), driving())))
    xyxy = tracks.xyxy.copy()
    xyxy[[14, 33]] += 25
    jumped = TrackTable(tracks.seq, tracks.track_id, tracks.class_id, xyxy, tracks.confidence, tracks.origin)

    (clean,), (found,) = ways_of(tracks).ways, ways_of(jumped).ways

    assert found.speed_kmh == pytest.approx(clean.speed_kmh, rel=0.01)
    assert found.error_kmh == pytest.approx(clean.error_kmh, rel=0.2)


def test_filled_rows_make_nothing_surer():
    """Every second is only half seen: what lies on the line between says nothing new."""
    measured = noisy(table(rows(1, [seq for seq in range(FRAMES) if seq % 10 < 4], driving())), share=0.05)
    every = np.arange(measured.seq[0], measured.seq[-1] + 1)
    filled = np.stack([np.interp(every, measured.seq, edge) for edge in measured.xyxy.T], axis=1)
    none = np.zeros(len(every), int)
    whole = TrackTable(every, none + 1, none, filled, none + 0.9, none + Origin.HIGH)

    (seen_only,), (with_filled,) = ways_of(measured).ways, ways_of(whole).ways

    assert with_filled.error_kmh >= 0.9 * seen_only.error_kmh


@pytest.mark.parametrize("alike", [0.0, 0.5, 0.8])
def test_errors_cover_the_noise_of_boxes(alike):
    """Of a hundred objects 19 of 20 are nearer to the truth than the error, and the error is no more than it must be.

    Also where a detector is off by nearly the same from frame to frame, so that each says less.
    """
    tracks = table(
        *(rows(n + 1, range(FRAMES), driving(3, 3.6 * n, (320, 180)), size=(40, 40)) for n in range(100))
    )
    rng, wrong = np.random.default_rng(1), np.empty((FRAMES, 100, 4))
    wrong[0] = rng.normal(0, 1, (100, 4))
    for seq in range(1, FRAMES):
        wrong[seq] = alike * wrong[seq - 1] + rng.normal(0, (1 - alike**2) ** 0.5, (100, 4))
    seen_so = replace(tracks, xyxy=tracks.xyxy + wrong.reshape(-1, 4))
    sure = Plane(METRES.points, METRES.metres, "px", error_px=0)

    found = ways_of(seen_so, sure, size=(4000, 4000)).ways

    known = [way for way in found if way.speed_kmh is not None]
    off, said = np.array([(way.speed_kmh - 3 * 3.6, way.error_kmh) for way in known]).T
    assert len(known) >= 70
    assert (np.abs(off) <= said).mean() >= 0.9
    assert np.sqrt((off**2).mean()) == pytest.approx(said.mean() / 2, rel=0.2)


def test_points_that_are_less_sure_make_speeds_less_sure():
    tracks = table(rows(1, range(FRAMES), driving()))
    errors = [
        ways_of(tracks, Plane(METRES.points, METRES.metres, "px", error_px=px)).ways[0].error_kmh
        for px in (0, 2, 8)
    ]

    boxes, *wholes = (error**2 for error in errors)
    by_points = [math.sqrt(whole - boxes) for whole in wholes]
    assert by_points[1] / by_points[0] == pytest.approx(4, rel=0.05)


def test_far_from_its_points_a_plane_tells_no_speed():
    """Near the horizon a pixel is many metres."""
    road = Plane(((300, 150), (340, 150), (400, 350), (240, 350)), ((0, 60), (8, 60), (8, 10), (0, 10)), "px")
    near, far = (
        rows(number, range(FRAMES), driving(1.5, 180, (320, y))) for number, y in ((1, 200), (2, 50))
    )

    first, second = ways_of(table(near, far), road).ways

    assert first.speed_kmh is not None
    assert second.speed_kmh is None


LOOKS = {
    "pan": [looking(x=3.0 * seq) for seq in range(FRAMES)],
    "zoom": [looking(zoom=1.01**seq) for seq in range(FRAMES)],
    "turn": [looking(turn=0.02 * seq) for seq in range(FRAMES)],
}


@pytest.mark.parametrize("looks", LOOKS.values(), ids=LOOKS.keys())
def test_a_camera_that_moves_sees_the_same(looks):
    """Squares that drive and that stand; the camera adds to the error and takes nothing from the speed."""
    ways = [driving(3, 90, (200, 150)), driving(2, 200, (420, 120)), lambda _: (350, 250)]
    path = path_of_looks(looks)

    still = ways_of(seen(STILL, ways, cut=False)).ways
    moved = ways_of(seen(path, ways, cut=False), path=path).ways

    for before, after in zip(still[:2], moved[:2], strict=True):
        assert after.heading == pytest.approx(before.heading, abs=1)
        assert after.speed_kmh == pytest.approx(before.speed_kmh, rel=0.02)
        assert after.error_kmh > before.error_kmh
    assert (still[2].heading, moved[2].heading) == (None, None)


def test_points_of_a_later_frame():
    """They lie where that frame shows them; headings are clockwise from its top."""
    path = path_of_looks(LOOKS["turn"])
    tracks = seen(path, [driving(3, 90, (200, 150))], cut=False)
    then = path.in_frame(20)
    points = tuple(map(tuple, then.apply(np.array(METRES.points, float)).tolist()))
    plane = Plane(points, METRES.metres, "px", frame=20)

    (first,), (later,) = ways_of(tracks, path=path).ways, ways_of(tracks, plane, path).ways

    assert later.speed_kmh == pytest.approx(first.speed_kmh, rel=0.02)
    assert later.heading - first.heading == pytest.approx(math.degrees(math.atan2(then.b, then.a)), abs=1)
    with pytest.raises(
        Misconfigured, match="the plane was drawn on frame 77, which is none of the 50 sampled"
    ):
        ways_of(tracks, Plane(points, METRES.metres, "px", frame=77), path)


def test_where_nobody_knows_where_the_camera_looked_nothing_is_said():
    """Behind a cut that nothing leads over; the frames are named."""
    cut = path_of_looks(LOOKS["pan"], [0] * 20 + [1] * 30)
    tracks = table(
        rows(1, range(20), driving(3, 90, (200, 150))), rows(2, range(20, 50), driving(3, 90, (200, 150)))
    )

    found = ways_of(tracks, path=cut)

    assert [way.heading is None for way in found.ways] == [False, True]
    assert [(each.names, each.first, each.end) for each in found.unplaced] == [
        (("headings and speeds",), 20, 50)
    ]


def test_at_a_line_the_speed_is_that_of_the_moment():
    """A car that drives on twice as fast in its second half, on which the line lies."""
    line = Line("gate", (420, 20), (420, 340), "px")

    def way(seq):
        return 150 + 4 * seq + 4 * max(0, seq - 25), 200

    found = ways_of(table(rows(1, range(FRAMES), way)), lines=(line,))

    (passage,) = found.passages
    assert (passage.line, passage.direction, passage.group, passage.track_id) == ("gate", "out", "cars", 1)
    assert passage.heading == pytest.approx(90, abs=0.1)
    assert passage.speed_kmh == pytest.approx(8 * 3.6, rel=0.01)
    assert passage.speed_kmh > found.ways[0].speed_kmh + found.ways[0].error_kmh


def test_a_crossing_of_what_hardly_moves_says_nothing_of_its_speed():
    """It is there all the same."""
    line = Line("gate", (300, 20), (300, 340), "px")
    tracks = table(rows(1, range(FRAMES), driving(0.6, 90, (285, 200)), size=(40, 40)))

    found = ways_of(noisy(tracks, share=0.3), lines=(line,))

    assert [(each.line, each.speed_kmh, each.error_kmh) for each in found.passages] == [("gate", None, None)]


@pytest.mark.parametrize("lines", [(), (Line("gate", (300, 20), (300, 340), "px"),)])
def test_nothing_seen_is_nothing_said(lines):
    found = ways_of(TrackTable.empty(), lines=lines)

    assert (found.ways, found.passages) == ((), ())
    assert ways_of(table(rows(1, [4]))).ways[0].heading is None
