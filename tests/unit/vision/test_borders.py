"""Objects that wait on a line or on the border of a zone, and those that the picture's edge cuts."""

import numpy as np
import pytest

from sightline.counts import Line, Zone
from sightline.types import FrameTable
from sightline.vision.geometry import crossings

from .crossed import crossed, events, standing
from .made_tracks import table

# --- standing on the border --------------------------------------------------------------------------------------

GATE = Line("gate", (0, 120), (320, 120), unit="px")
YARD = Zone("yard", ((0, 120), (320, 120), (320, 239), (0, 239)), unit="px")


def waiting(seconds, fps, foot, noise, size=40, before=(), after=()):
    """Corners of a car that waits with its foot at a height, trembling by so many pixels, and its way there and on."""
    count = round(seconds * fps)
    still = np.array([160 - size / 2, foot - size, 160 + size / 2, foot])
    trembling = np.random.default_rng(1).normal(0, noise, (count, 4)) + still
    there, on = ([still + np.array([0, dy, 0, dy]) for dy in way] for way in (before, after))
    boxes = [*there, *trembling, *on]
    return table([(seq, 1, 0, tuple(box), 0.9, 0) for seq, box in enumerate(boxes)])


@pytest.mark.parametrize("fps", [1, 3, 5, 10, 30, 60])
@pytest.mark.parametrize("noise", [1, 2])
@pytest.mark.parametrize("foot", [118, 119.5, 120, 121, 122])
def test_waiting_on_a_border_counts_once_at_most(fps, noise, foot):
    """Twenty seconds on the line, or on the border of a zone, at any frame rate."""
    tracks = waiting(20, fps, foot, noise)

    assert len(crossed(tracks, [GATE], size=(320, 240), fps=fps)) <= 1
    assert len(crossed(tracks, zones=[YARD], size=(320, 240), fps=fps)) <= 1


@pytest.mark.parametrize("fps", [1, 3, 10, 30])
@pytest.mark.parametrize(
    ("way", "directions"), [(range(10, 60, 10), ["in"]), (range(-10, -60, -10), [])], ids=["on", "back"]
)
def test_who_waits_on_a_line_and_goes_on_has_crossed_once(fps, way, directions):
    """And who goes back has not."""
    tracks = waiting(20, fps, 120, 2, before=range(-50, 0, 10), after=way)

    lines = crossed(tracks, [GATE], size=(320, 240), fps=fps)
    zones = crossed(tracks, zones=[YARD], size=(320, 240), fps=fps)

    assert [event.direction for event in lines] == directions
    assert len(zones) == len(directions)


def test_a_border_is_as_broad_as_the_object_is_large():
    """Ten pixels beyond the line, half a second: a person far away has gone there and back, a truck has trembled."""
    path = [(160, 110)] * 10 + [(160, 130)] * 10 + [(160, 110)] * 10

    far = events(path, [GATE], size=(320, 240), box=(20, 40))
    near = events(path, [GATE], size=(320, 240), box=(120, 110))

    assert [(event.seq, event.direction) for event in far] == [(10, "in"), (20, "out")]
    assert near == []


@pytest.mark.parametrize("fps", [2, 5, 10, 25, 29.97, 30, 60, 120])
def test_half_a_second_settles_at_any_frame_rate(fps):
    """There and back: a stay of half a second counts, one of a frame less does not; above two frames a second."""
    frames = int(np.ceil(round(fps / 2, 3)))

    def stays(count):
        path = [(160, 100)] * frames + [(160, 140)] * count + [(160, 100)] * frames
        return events(path, [GATE], size=(320, 240), fps=fps, box=(20, 40))

    assert [event.direction for event in stays(frames)] == ["in", "out"]
    assert stays(frames - 1) == []


def test_time_is_that_of_the_pictures():
    """A frame that lasts for a second settles, ten that last for a tenth together do not."""
    path = [(160, 100)] * 10 + [(160, 140)] * 10 + [(160, 100)] * 10
    tracks = table(standing(1, path, (20, 40)))
    quick = np.arange(30) * 10_000
    slow = quick + (np.arange(30) > 15) * 1_000_000

    found = [
        crossings(
            FrameTable(np.arange(30), pts_us, ("ok",) * 30, ("",) * 30),
            tracks, [GATE], [], 320, 240, {1: "car"}, "cars",
        )
        for pts_us in (quick, slow)
    ]  # fmt: skip

    assert [[event.seq for event in some] for some in found] == [[], [10, 20]]


# --- the picture's edge ------------------------------------------------------------------------------------------

WHOLE = {
    "0 to 1": Zone("all", ((0, 0), (1, 0), (1, 1), (0, 1))),
    "pixels": Zone("all", ((0, 0), (320, 0), (320, 240), (0, 240)), unit="px"),
    "the last pixels": Zone("all", ((0, 0), (319, 0), (319, 239), (0, 239)), unit="px"),
    "beyond the picture": Zone("all", ((-0.1, -0.1), (1.1, -0.1), (1.1, 1.1), (-0.1, 1.1))),
    "by hand": Zone("all", ((0.005, 0), (0.995, 0.004), (1, 0.996), (0, 0.995))),
}
CUT = {
    "inside": (140, 60, 180, 200),
    "at the lower edge": (20, 100, 120, 240),
    "beyond the lower edge": (200, 100, 280, 240.6),
    "far beyond the lower edge": (200, 100, 280, 300),
    "almost at the lower edge": (200, 100, 280, 239.7),
    "at the left edge": (0, 50, 6, 100),
    "beyond the left edge": (-60, 50, 6, 100),
    "beyond the right edge": (310, 50, 400, 100),
    "at the upper edge": (100, 0, 140, 1),
    "beyond the upper edge": (100, -40, 140, 1),
    "in a corner": (-40, 200, 10, 260),
}


@pytest.mark.parametrize("zone", WHOLE.values(), ids=WHOLE)
@pytest.mark.parametrize("box", CUT.values(), ids=CUT)
def test_a_zone_that_covers_the_picture_holds_everything_that_can_be_seen(zone, box):
    """An object that the edge cuts stands on the edge, and the zone goes on beyond it."""
    tracks = table([(seq, 1, 0, box, 0.9, 0) for seq in range(12)])

    found = crossed(tracks, zones=[zone], size=(320, 240))

    assert [(event.kind, event.seq) for event in found] == [("zone_enter", 0)]


def test_a_zone_at_the_edge_holds_what_its_own_part_of_the_edge_cuts():
    """The lower left quarter: neither who is cut further right nor who is above."""
    quarter = Zone("quarter", ((0, 0.5), (0.5, 0.5), (0.5, 1), (0, 1)))
    boxes = [(20, 100, 80, 240), (200, 100, 280, 240), (-20, 0, 30, 60)]
    tracks = table([(seq, track, 0, box, 0.9, 0) for seq in range(12) for track, box in enumerate(boxes)])

    found = crossed(tracks, zones=[quarter], labels=dict.fromkeys(range(3), "car"), size=(320, 240))

    assert [(event.kind, event.track_id) for event in found] == [("zone_enter", 0)]


@pytest.mark.parametrize("end", [1, 1.2, 0.996], ids=["at the edge", "beyond", "by hand"])
def test_a_line_that_reaches_the_edge_is_crossed_by_those_whom_the_edge_cuts(end):
    """They drive along the lower edge, which hides where they stand."""
    line = Line("gate", (0.5, 0.5), (0.5, end))
    tracks = table([(seq, 1, 0, (20 * seq, 200, 20 * seq + 40, 241), 0.9, 0) for seq in range(16)])

    (event,) = crossed(tracks, [line], size=(320, 240))

    assert (event.direction, event.x) == ("out", 160)


def test_a_line_along_the_edge_ends_where_it_ends():
    """Being near the lower edge does not make it reach the left and the right one."""
    line = Line("gate", (0.3, 0.998), (0.7, 0.998))
    tracks = table([(seq, 1, 0, (20, 10 * seq, 60, 100 + 10 * seq), 0.9, 0) for seq in range(20)])

    assert crossed(tracks, [line], size=(320, 240)) == []


def test_who_is_cut_below_is_past_a_line_close_to_the_edge():
    """A large car leaves over the lower edge: it shows less past the line than it might tremble."""
    line = Line("gate", (0, 0.98), (1, 0.98))
    tracks = table(
        [(seq, 1, 0, (100, 40 + 8 * seq, 220, min(150 + 8 * seq, 240)), 0.9, 0) for seq in range(18)]
    )

    (event,) = crossed(tracks, [line], size=(320, 240))

    assert (event.direction, event.seq) == ("in", 11)


def test_who_is_cut_to_the_left_is_past_a_line_close_to_the_edge():
    """A broad van leaves: the middle of what shows of it comes to a few pixels past the line."""
    line = Line("gate", (0.03, 0), (0.03, 1))
    tracks = table(
        [(seq, 1, 0, (max(0, 80 - 8 * seq), 100, 180 - 8 * seq, 190), 0.9, 0) for seq in range(22)]
    )

    (event,) = crossed(tracks, [line], size=(320, 240))

    assert (event.direction, event.seq) == ("in", 21)


def test_who_is_cut_below_may_wait_on_a_line_that_leads_there():
    """The edge hides how far below it stands, not on which side of an upright line."""
    tremble = np.random.default_rng(1).normal(0, 2, 200)
    tracks = table(
        [(seq, 1, 0, (140 + dx, 100, 180 + dx, 240), 0.9, 0) for seq, dx in enumerate(tremble.tolist())]
    )

    assert crossed(tracks, [Line("gate", (0.5, 0), (0.5, 1))], size=(320, 240)) == []


def test_lines_and_zones_may_reach_beyond_the_picture():
    """Below 0, above 1 or beyond its size, as long as some part lies on it."""
    line = Line("l", (-0.5, 0.5), (1.5, 0.5))
    pixels = Line("p", (-160, 120), (480, 120), unit="px")
    zone = Zone("z", ((-1, 0.8), (2, 0.8), (2, 1.5), (-1, 1.5)))
    around = Zone("around", ((-5, -5), (5, -5), (5, 5), (-5, 5)))

    assert pixels.normalised(320, 240) == Line("p", line.a, line.b)
    assert zone.pixels(320, 240) == ((-320, 192), (640, 192), (640, 360), (-320, 360))
    assert around.normalised(320, 240) == around
