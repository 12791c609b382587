"""What is drawn on each frame of a run."""

from dataclasses import replace
from datetime import datetime
from fractions import Fraction

import numpy as np
import pytest

from sightline.adapters.drawing.overlays import Look, Shape, overlays, shapes
from sightline.camera import CameraPath
from sightline.counts import Line, Zone
from sightline.errors import Misconfigured
from sightline.types import GroupResult, JobResult, TrackTable
from tests.unit.formats.jobs import LABELS, frame_table, job, table

FRAMES = 30
GATE = Line("gate", (0.5, 1.0), (0.5, 0.0), directions=("east", "west"))
RIGHT = Zone("right", ((0.5, 0), (1, 0), (1, 1), (0.5, 1)))


def walk() -> JobResult:
    """One car of 200 x 100 pixels that goes from x = 20 to 165 at y = 80, five pixels a frame, and a car that stands."""
    going = [(seq, 1, 1, (10 + 5 * seq, 60, 30 + 5 * seq, 80), 0.9, 0) for seq in range(FRAMES)]
    standing = [(seq, 2, 1, (150, 20, 170, 40), 0.9, 0) for seq in range(10)]
    tracks = table(*sorted(going + standing))
    group = GroupResult("cars", (1,), tracks, tracks, 2, np.minimum(np.arange(FRAMES), 2))
    return JobResult(
        "v", "", 0, frame_table(FRAMES), Fraction(25), 200, 100, LABELS, (group,), min_hits=2, conf=0.25
    )


def test_a_track_is_labelled_with_its_class_and_id():
    """The class is the track's by vote, so that the label does not flicker; ids differ between groups."""
    drawn = list(overlays(job()))

    assert [overlay.texts for overlay in drawn] == [("car 2", "bus 5"), (), ("car 2", "person 1")]
    assert drawn[0].numbers[0] == drawn[2].numbers[0] != drawn[2].numbers[1]


def test_without_a_tracker_detections_are_shown():
    """With their confidence, from the job's object confidence on."""
    drawn = list(overlays(job(tracked=False)))

    assert [overlay.texts for overlay in drawn] == [("car 0.90",), (), ("car 0.80", "person 0.70")]
    assert next(overlay.panel for overlay in drawn) == ("00:00.00", "frame 0")


def test_the_panel_says_time_frame_and_unique_objects_so_far():
    """Frames by their numbers in the source; the clock where the run has one."""
    drawn = [overlay.panel for overlay in overlays(job())]
    clock = job(clock_start=datetime.fromisoformat("2026-05-17T07:59:59.700+02:00"))

    assert drawn[0] == ("00:00.00", "frame 0", "cars 0", "people 0")
    assert drawn[2] == ("00:00.40", "frame 10", "cars 2", "people 1")
    assert next(reversed(list(overlays(clock)))).panel[0] == "2026-05-17 08:00:00"


def test_a_trail_is_the_way_of_the_feet_in_the_last_seconds():
    """Middle of the lower edge, as objects are counted; the oldest point first."""
    drawn = list(overlays(walk(), Look(trails_s=0.2)))

    assert drawn[0].trails == ()
    ((number, points),) = drawn[20].trails
    assert number == drawn[20].numbers[0]
    assert points.tolist() == [[20 + 5 * seq, 80] for seq in range(15, 21)]


def test_no_trails_where_none_are_asked_for():
    """Nor for objects that are not tracked."""
    assert all(not overlay.trails for overlay in overlays(walk(), Look(trails_s=0)))
    assert all(not overlay.trails for overlay in overlays(job(tracked=False)))


def test_crossings_so_far_stand_at_the_line():
    """In the words of its directions; they never fall."""
    marks = [overlay.marks[0] for overlay in overlays(walk(), Look((GATE,), counts=True))]

    assert marks[0] == "gate   east 0   west 0"
    assert marks[-1] == "gate   east 1   west 0"
    assert marks == sorted(marks, key=lambda mark: "east 1" in mark)


def test_objects_inside_stand_at_the_zone():
    """One that stands there until its track ends, then one that comes in."""
    marks = [overlay.marks[0] for overlay in overlays(walk(), Look(zones=(RIGHT,), counts=True))]

    assert [marks[seq] for seq in (5, 9, 12, 25)] == [
        "right   1 inside",
        "right   1 inside",
        "right   0 inside",
        "right   1 inside",
    ]


def test_without_counts_shapes_have_their_names():
    """Lines, then zones."""
    look = Look((GATE,), (RIGHT,))

    assert {overlay.marks for overlay in overlays(walk(), look)} == {("gate", "right")}
    assert [shape.kind for shape in shapes(look, 200, 100)] == ["line", "zone"]
    assert shapes(look, 200, 100)[0].points == ((100, 100), (100, 0))


@pytest.mark.parametrize(
    ("a", "b", "seen"),
    [
        ((-1, 0.5), (2, 0.5), ((0, 50), (200, 50))),
        ((0.5, 0.5), (0.5, 3), ((100, 50), (100, 100))),
        ((-0.5, -0.5), (1.5, 1.5), ((0, 0), (200, 100))),
        ((0.1, 0.2), (0.9, 0.2), ((20, 20), (180, 20))),
    ],
)
def test_of_a_line_the_part_on_the_picture_is_drawn(a, b, seen):
    """Its arrow and its text stand in the middle of what can be seen."""
    (shape,) = shapes(Look((Line("l", a, b),)), 200, 100)

    assert np.array(shape.points) == pytest.approx(np.array(seen))


def test_a_line_beside_the_picture_is_refused():
    """Nobody would see it."""
    with pytest.raises(Misconfigured, match="far"):
        shapes(Look((Line("far", (500, 0), (500, 90), "px"),)), 200, 100)


def panned(stretch=(0,) * FRAMES):
    """The same walk, by a camera that goes four pixels a frame to the right."""
    maps = np.tile((1.0, 0.0, 0.0, 0.0), (FRAMES, 1))
    maps[:, 2] = -4 * np.arange(FRAMES)
    return replace(walk(), camera=CameraPath(maps, np.array(stretch)))


def test_trails_lie_on_the_ground():
    """A camera that moves: what stands on the road has no way; what stays in the picture has gone as far as the camera."""
    run = panned()
    (cars,) = run.groups
    parked = [(seq, 3, 1, (100 - 4 * seq, 20, 120 - 4 * seq, 40), 0.9, 0) for seq in range(10)]
    tracks = TrackTable.concatenate((cars.tracks, table(*parked))).sorted()
    drawn = list(overlays(replace(run, groups=(replace(cars, tracks=tracks),)), Look(trails_s=0.2)))
    going, along, standing = (points.tolist() for _, points in drawn[9].trails)

    assert going == [[20 + 5 * seq - 4 * (9 - seq), 80] for seq in range(4, 10)]
    assert along == [[160 - 4 * (9 - seq), 40] for seq in range(4, 10)]
    assert standing == [[110 - 4 * 9, 40]] * 6


def test_a_trail_ends_where_nobody_knows_how_the_camera_moved():
    """Points from before have no place in the frame."""
    drawn = list(overlays(panned((0,) * 15 + (1,) * 15), Look(trails_s=0.2)))

    assert len(drawn[14].trails[0][1]) == 6
    assert drawn[15].trails == ()
    assert len(drawn[17].trails[0][1]) == 3


def test_lines_are_drawn_where_they_are_in_each_frame():
    """They move with the ground; beside the picture nothing of them is drawn, and no text."""
    drawn = list(overlays(panned(), Look((GATE,), (RIGHT,))))

    assert drawn[0].shapes == (
        Shape("line", ((100, 100), (100, 0)), moves=True),
        Shape("zone", ((100, 0), (200, 0), (200, 100), (100, 100)), moves=True),
    )
    assert [shape.points[0] for shape in drawn[20].shapes] == [(20, 100), (20, 0)]
    assert [drawn[seq].marks for seq in (25, 26)] == [("gate", "right"), ("right",)]
    assert [shape.kind for shape in drawn[26].shapes] == ["zone"]


def test_lines_that_nobody_can_follow_are_named():
    """They are not drawn where they are not."""
    drawn = list(overlays(panned([0] * 10 + [1] * 20), Look((GATE,), (RIGHT,))))

    assert (drawn[9].panel[-1], len(drawn[9].shapes)) == ("cars 2", 2)
    assert (drawn[10].panel[-1], drawn[10].shapes, drawn[10].marks) == ("not followed: gate, right", (), ())


def test_lines_of_a_camera_that_stands_still_stay():
    """Also where its path is known: the same in each frame, so that their pictures are kept."""
    still = replace(panned(), camera=CameraPath(np.tile((1.0, 0, 0, 0), (FRAMES, 1)), np.zeros(FRAMES, int)))

    for result in (walk(), still):
        assert {overlay.shapes for overlay in overlays(result, Look((GATE,), (RIGHT,)))} == {
            shapes(Look((GATE,), (RIGHT,)), 200, 100)
        }
