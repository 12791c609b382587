"""Lines and zones stay on the road while the camera moves."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sightline.camera import CameraPath
from sightline.counts import Line, Unplaced, Zone
from sightline.errors import Misconfigured
from sightline.types import FrameTable, GroupResult, JobResult, TrackTable
from sightline.vision.counting import count_job
from sightline.vision.foot_paths import anchors_of
from sightline.vision.ground import Ground
from sightline.vision.movements import movements
from tests.anchored import told
from tests.flights import SIZE, looking

from .flown import path_of_looks, seen

FRAMES = 60
GATE = Line("gate", (320, 60), (320, 300), unit="px")
YARD = Zone("yard", ((220, 100), (420, 100), (420, 260), (220, 260)), unit="px")


def job(tracks, camera, frames=FRAMES, step=1):
    """A finished job at ten frames a second."""
    numbers = np.arange(frames) * step
    table = FrameTable(numbers, np.arange(frames) * 100_000, ("ok",) * frames, ("",) * frames)
    group = GroupResult("cars", (0,), TrackTable.empty(), tracks, 1, np.zeros(frames, int))
    return JobResult("v", "j", 0, table, Fraction(10), *SIZE, ("car",), (group,), 3, 0.25, camera=camera)


def events(counts):
    return [(event.name, event.direction or event.kind, event.track_id, event.seq) for event in counts.events]


def eastward(speed=8.0, y=180.0, begin=100.0):
    return lambda seq: (begin + speed * seq, y)


def standing(x, y):
    return lambda _: (x, y)


PANS = [looking(x=5.0 * seq) for seq in range(FRAMES)]
DRIFTS = [looking(x=-2.0 * seq, y=1.5 * seq) for seq in range(FRAMES)]
TURNS = [looking(turn=0.03 * seq) for seq in range(FRAMES)]
ZOOMS = [looking(zoom=1.01**seq) for seq in range(FRAMES)]
ALL = [
    looking(30 * math.sin(seq / 9), 20 * math.cos(seq / 7) - 20, 0.3 * math.sin(seq / 11), 1 + 0.004 * seq)
    for seq in range(FRAMES)
]


@pytest.mark.parametrize(
    "looks", [PANS, DRIFTS, TURNS, ZOOMS, ALL], ids=["pan", "drift", "turn", "zoom", "all"]
)
def test_what_stands_crosses_nothing_and_what_drives_by_crosses_once(looks):
    """On both sides of the line and beside the zone, however the picture moves over the road."""
    path = path_of_looks(looks)
    tracks = seen(path, [standing(290, 200), standing(350, 220), standing(180, 180), eastward()], cut=False)

    found = events(count_job(job(tracks, path), (GATE,), (YARD,)))

    assert [(name, what, who) for name, what, who, _ in found if who == 4] == [
        ("yard", "zone_enter", 4), ("gate", "out", 4), ("yard", "zone_exit", 4),
    ]  # fmt: skip
    assert {(name, what, who) for name, what, who, _ in found if who != 4} == {
        ("yard", "zone_enter", 1),
        ("yard", "zone_enter", 2),
    }


def test_a_line_that_stays_in_the_picture_counts_what_stands():
    """What the ground is for: without it a camera that pans draws the line over parked cars."""
    path = path_of_looks(PANS)
    tracks = seen(path, [standing(350, 180), standing(450, 180)])

    assert events(count_job(job(tracks, None), (GATE,))) != []
    assert events(count_job(job(tracks, path), (GATE,))) == []


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_the_camera_plays_no_part(data):
    """Whatever it does, events are those of a camera that looks at all of the ground from one place."""
    unit = st.floats(-1, 1)
    pan, shake = data.draw(unit) * 3, data.draw(st.integers(0, 2**31))
    random = np.random.default_rng(shake).normal(0, 1, (FRAMES, 4))
    random[0] = 0
    looks = [
        looking(pan * seq + 3 * x, 2 * y, 0.01 * turn + 0.01 * pan * seq, 1 + 0.01 * zoom)
        for seq, (x, y, turn, zoom) in enumerate(random)
    ]
    path = path_of_looks(looks)
    ways = [
        eastward(data.draw(unit) * 12, 180 + 120 * data.draw(unit), 320 + 100 * data.draw(unit))
        for _ in range(4)
    ]
    # One that leans a little: not only a way of rounding decides on which side it is.
    gate = Line("gate", (320.3, 40.1), (321.7, 330.9), unit="px")

    moved = count_job(job(seen(path, ways, cut=False), path), (gate,), (YARD,))
    still = count_job(job(seen(path_of_looks([looking()] * FRAMES), ways, cut=False), None), (gate,), (YARD,))

    assert events(moved) == events(still)
    assert [group.counted_seq.tolist() for group in moved.groups] == [
        group.counted_seq.tolist() for group in still.groups
    ]


@pytest.mark.parametrize(
    "camera",
    [None, path_of_looks([looking()] * FRAMES), path_of_looks([looking()] * FRAMES, [0] * 20 + [1] * 40)],
)
def test_a_camera_that_was_never_seen_to_move_counts_as_ever(camera):
    """To the last bit, whatever frame lines say that they were drawn on, and though now and then nobody knew."""
    tracks = seen(path_of_looks(ALL), [eastward(), eastward(-8, 150, 500), standing(320, 180)])
    gate = Line(GATE.name, GATE.a, GATE.b, "px", frame=7)

    counted = count_job(job(tracks, camera), (gate,), (YARD,))

    assert told(counted) == told(count_job(job(tracks, None), (gate,), (YARD,)))
    assert counted.events
    assert counted.unplaced == ()


def test_an_event_is_where_it_can_be_seen():
    """In pixels of its own frame: the line has left its place in the picture by then."""
    path = path_of_looks(PANS)
    tracks = seen(path, [eastward(speed=10)], cut=False)

    (event,) = count_job(job(tracks, path), (GATE,)).events

    assert event.seq == 23
    assert (event.x, event.y) == pytest.approx((320 - 5 * 23, 190))


def test_a_line_can_be_drawn_on_any_frame():
    """Where the road comes into view late; in pixels of that frame, which has another scale."""
    path = path_of_looks([looking(x=8.0 * seq, zoom=1 + 0.01 * seq) for seq in range(FRAMES)])
    tracks = seen(path, [eastward(14, 180, 200), standing(690, 180)], cut=False)
    there = path.in_frame(40).apply(np.array([(700.0, 60.0), (700.0, 300.0)]))
    far = Line("far", tuple(there[0]), tuple(there[1]), "px", frame=80)
    zone = Zone("far too", (*map(tuple, there), tuple(there[0] + (100, 40))), "px", 80)

    counted = count_job(job(tracks, path, step=2), (GATE, far), (zone,))

    assert [(name, what, who) for name, what, who, _ in events(counted) if name != "far too"] == [
        ("gate", "out", 1),
        ("far", "out", 1),
    ]
    assert ("far too", "zone_enter", 1) in {each[:3] for each in events(counted)}
    seqs = [seq for name, _, _, seq in events(counted) if name == "far"]
    assert seqs == [36]  # 200 + 14 * 36 = 704


def test_a_frame_that_was_not_sampled_is_refused():
    """With those that are near it; behind the last one too."""
    path = path_of_looks(PANS)
    tracks = seen(path, [eastward()])

    for frame, near in ((7, "6 and 8"), (500, "118")):
        line = Line("gate", GATE.a, GATE.b, "px", frame=frame)
        with pytest.raises(
            Misconfigured, match=rf"line 'gate' was drawn on frame {frame}, .* nearest: {near}\n"
        ):
            count_job(job(tracks, path, step=2), (line,))


def test_ground_that_nothing_leads_to_has_no_crossings():
    """Behind a cut: neither those that are there, nor any that a jump of the picture makes; it says from where on."""
    path = path_of_looks(DRIFTS, [0] * 30 + [1] * 30)
    tracks = seen(path, [eastward(8, 180, 20), standing(300, 180)], cut=False)  # over the line in frame 37
    late = Line("late", (400, 60), (400, 300), "px", frame=35)
    yard = Zone("yard", YARD.points, "px", 0)

    counted = count_job(job(tracks, path), (GATE, late), (yard,))

    assert [each for each in events(counted) if each[0] == "gate"] == []
    assert [each[:3] for each in events(counted) if each[0] == "late"] == [("late", "out", 1)]
    assert counted.unplaced == (Unplaced(("gate", "yard"), 30, 60), Unplaced(("late",), 0, 30))


def test_ground_that_was_found_again_is_counted_on():
    """Stretches may have been away in between."""
    path = path_of_looks(DRIFTS, [0] * 20 + [1] * 5 + [0] * 35)
    tracks = seen(path, [eastward()], cut=False)

    counted = count_job(job(tracks, path), (GATE,))

    assert [each[:3] for each in events(counted)] == [("gate", "out", 1)]
    assert counted.unplaced == (Unplaced(("gate",), 20, 25),)


def test_edges_turn_with_the_picture():
    """Who leaves by the lower edge of a picture that lies on its side stands farther to the left or right."""
    path = path_of_looks([looking(turn=turn) for turn in (0, math.pi / 2, math.pi, -math.pi / 2, 0.3)])
    rows = [(seq, 1, 0, (300, 330, 340, 360), 0.9, 0) for seq in range(5)]
    anchors = anchors_of(TrackTable(*zip(*rows, strict=True)), np.array([True]), *SIZE)

    found = Ground(path, np.arange(5)).seen_from(0, anchors)

    lower, left, upper, right = 4, 1, 8, 2
    assert anchors.edges.tolist() == [lower] * 5
    # The camera turns clockwise, so what is below in its picture is farther to the left on the ground.
    assert found.edges.tolist() == [lower, left, upper, right, lower]
    assert found.first.tolist() == [0, 5]
    assert found.bounds[0].tolist() == [found.x.min(), found.y.min(), found.x.max(), found.y.max()]


def test_sizes_are_those_of_the_frame_that_a_line_was_drawn_on():
    """What is near a border is told by them."""
    path = path_of_looks([looking(), looking(zoom=2), looking(zoom=0.5)])
    tracks = seen(path, [standing(320, 180)], side=20)

    anchors = anchors_of(tracks, np.array([True]), *SIZE)

    assert anchors.size.tolist() == [20, 40, 10]
    for seq, size in enumerate((20, 40, 10)):
        found = Ground(path, np.arange(3)).seen_from(seq, anchors)
        assert found.size == pytest.approx(size)
        assert found.largest == pytest.approx([size])


def test_the_edges_of_a_picture_are_no_borders_of_the_ground():
    """A zone and a line that reach the edge end there; who is beyond is beyond."""
    path = path_of_looks([looking(x=4.0 * seq, y=2.0 * seq) for seq in range(FRAMES)])
    tracks = seen(path, [eastward(8, 180, 500), eastward(8, 400, 300)], cut=False)
    zone = Zone("yard", ((520, 100), (640, 100), (640, 260), (520, 260)), "px")
    line = Line("gate", (400, 200), (400, 360), "px")

    found = events(count_job(job(tracks, path), (line,), (zone,)))

    assert [each[:3] for each in found] == [("yard", "zone_enter", 1), ("yard", "zone_exit", 1)]


def test_turns_of_lines_that_were_drawn_on_two_frames():
    """An object goes straight on over both; in the picture of the second the camera has turned by a right angle."""
    path = path_of_looks([looking(turn=math.pi / 2 * seq / (FRAMES - 1)) for seq in range(FRAMES)])
    tracks = seen(path, [eastward(6, 180, 150)], cut=False)
    ground = np.array([(420.0, 60.0), (420.0, 300.0)])
    a, b = map(tuple, path.in_frame(FRAMES - 1).apply(ground))
    way_in = Line("in", (220, 300), (220, 60), "px")
    way_out = Line("out", a, b, "px", frame=FRAMES - 1)
    finished = job(tracks, path)

    counted = count_job(finished, (way_in, way_out))
    found = movements(counted.events, counted.lines, SIZE, Ground.of(path, finished.frames.frame))

    assert [(each.entered, each.left, each.turn) for each in found.found] == [("in", "out", "through")]
    assert movements(counted.events, counted.lines, SIZE).found[0].turn != "through"


@pytest.mark.parametrize("frame", [-1, 1.5, True, "3"])
def test_a_frame_that_is_none_is_refused(frame):
    """Of lines and zones."""
    with pytest.raises(Misconfigured, match="give the number of a frame"):
        Line("gate", (0, 0), (1, 1), frame=frame)
    with pytest.raises(Misconfigured, match="give the number of a frame"):
        Zone("yard", ((0, 0), (1, 0), (1, 1)), frame=frame)


def test_lines_keep_their_frame():
    """When they are normalised."""
    assert Line("gate", (0, 20), (50, 20), "px", frame=3).normalised(100, 40).frame == 3
    assert Zone("yard", ((0, 0), (9, 0), (9, 9)), "px", 3).normalised(100, 40).frame == 3


def test_a_path_is_the_same_from_both_sides():
    """Where points of one frame are in another, and back."""
    path = CameraPath(*(getattr(path_of_looks(ALL), name) for name in ("maps", "stretch")))
    ground = Ground(path, np.arange(FRAMES))
    points = np.array([(12.0, 300.0), (500.0, 40.0)])

    there = ground.seen_in(np.array([40, 41]), np.array([3, 9]), points)

    assert np.allclose(ground.seen_in(np.array([3, 9]), np.array([40, 41]), there), points)
    assert not np.allclose(there, points)


@pytest.mark.parametrize("looks", [PANS, DRIFTS, ZOOMS], ids=["pan", "drift", "zoom"])
def test_a_box_of_what_stands_is_the_same_seen_from_one_frame(looks):
    """As large as it is there, even beside that frame's picture."""
    path = path_of_looks(looks)
    tracks = seen(path, [standing(290, 200), standing(600, 220)], cut=False)

    boxes = Ground(path, np.arange(FRAMES)).boxes_seen_from(40, tracks)

    assert np.array_equal(boxes.seq, tracks.seq)
    for track_id in (1, 2):
        there = tracks.xyxy[(tracks.track_id == track_id) & (tracks.seq == 40)]
        assert boxes.xyxy[boxes.track_id == track_id] == pytest.approx(np.repeat(there, FRAMES, axis=0))


@pytest.mark.parametrize("looks", [TURNS, ALL], ids=["turn", "all"])
def test_a_box_seen_from_another_frame_stands_where_it_is_counted(looks):
    """The middle of its lower edge is the foot that lines and zones look at."""
    path = path_of_looks(looks, [0] * 50 + [1] * 10)
    tracks = seen(path, [standing(290, 200), eastward()], cut=False)
    ground = Ground(path, np.arange(FRAMES))
    feet = ground.seen_from(20, anchors_of(tracks, np.ones(2, bool), *SIZE))

    boxes = ground.boxes_seen_from(20, tracks)

    order = np.lexsort((boxes.seq, boxes.track_id))
    x1, _, x2, y2 = boxes.xyxy[order].T
    assert set(boxes.seq.tolist()) == set(range(50))
    assert (x1 + x2) / 2 == pytest.approx(feet.x)
    assert y2 == pytest.approx(feet.y)


def test_what_is_seen_after_a_quarter_turn_is_as_wide_as_it_was_high():
    path = path_of_looks([looking(), looking(turn=math.pi / 2)])
    tracks = TrackTable([1], [1], [0], [[300, 100, 340, 110]], [0.9], [0])

    ((x1, y1, x2, y2),) = Ground(path, np.arange(2)).boxes_seen_from(0, tracks).xyxy.tolist()

    assert (x2 - x1, y2 - y1) == pytest.approx((10, 40))
