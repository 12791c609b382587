"""What is drawn lies where it belongs, inside the picture, in colours that can be told apart."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ImageFont

from sightline.adapters.drawing.canvas import (
    FONT,
    PALETTE,
    SHAPE,
    Style,
    color_of,
    grid_labels,
    grid_lines,
    paint,
)
from sightline.adapters.drawing.overlays import Overlay, Shape

GREY = np.full((48, 64, 3), 90, np.uint8)
WIDE = np.full((360, 640, 3), 90, np.uint8)


def one(box, number=1, text="car 12", **more) -> Overlay:
    return Overlay(np.array([box], float), np.array([number]), (text,), **more)


def pixels(image, color) -> np.ndarray:
    """Rows y, x of the pixels of a colour."""
    return np.argwhere((image == color).all(axis=2))


def changed(image, before=WIDE) -> np.ndarray:
    return np.argwhere((image != before).any(axis=2))


def test_boxes_are_drawn_on_a_copy():
    """The frame that came in may still be needed."""
    image = GREY.copy()

    painted = paint(image, one([10, 20, 40, 40]))

    assert (image == 90).all()
    assert tuple(painted[40, 25]) == color_of(1)
    assert (painted[30, 25] == 90).all()


def test_a_box_has_a_dark_edge():
    """It is seen on a ground of its own colour too."""
    ground = np.full((48, 64, 3), color_of(1), np.uint8)

    painted = paint(ground, one([10, 20, 40, 40]))

    assert painted[41, 25].max() < 60


def test_a_box_beyond_the_frame_is_cut_at_its_edge():
    """Boxes may lie outside, pixels may not."""
    painted = paint(GREY, one([-50, -50, 500, 500], 3))

    assert painted.shape == GREY.shape
    assert tuple(painted[47, 63]) == color_of(3)


def test_a_frame_without_anything_to_draw_stays_as_it_is():
    """It costs nothing."""
    assert paint(GREY, Overlay()) is GREY


@given(st.integers(-30, 660), st.integers(-30, 380))
def test_a_label_is_whole_wherever_its_box_is(x, y):
    """Beside the edge it moves inwards: as many pixels of it as in the middle of the picture."""
    style = Style.of(640, 360)
    middle = paint(WIDE, one([300, 200, 300, 200]))

    label = pixels(paint(WIDE, one([x, y, x, y])), color_of(1))

    assert len(label) >= len(pixels(middle, color_of(1))) - 2 * style.line**2
    assert np.ptp(label[:, 1]) >= np.ptp(pixels(middle, color_of(1))[:, 1])


@pytest.mark.parametrize("color", [*PALETTE, SHAPE])
def test_text_stands_out_from_its_ground(color):
    """A contrast of 4.5 to 1 or more, as WCAG asks for."""
    from sightline.adapters.drawing.canvas import BLACK, WHITE, _label, _luminance

    label = np.asarray(_label("car 12", Style.of(1280, 720), color))

    inks = [ink for ink in (BLACK, WHITE) if len(pixels(label, ink)) > 10 and ink != color]
    bright, dark = sorted((_luminance(color), _luminance(inks[0])), reverse=True)
    assert (bright + 0.05) / (dark + 0.05) >= 4.5


@given(st.integers(0, 10**6))
def test_neighbouring_objects_differ_in_colour(number):
    """Two ids in a row are never hard to tell apart."""
    one, two = np.array(color_of(number), int), np.array(color_of(number + 1), int)

    assert np.abs(one - two).max() > 80


def test_two_groups_share_no_colour():
    """`track_id * 2 + place`: even numbers are of the first group, odd ones of the second."""
    cars, people = ({color_of(track_id * 2 + place) for track_id in range(1, 50)} for place in (0, 1))

    assert len(cars) == len(people) == 4
    assert not cars & people


def test_colours_are_told_apart_without_red_or_green():
    """Seen by a deuteranope (Viénot 1999) and a protanope, no two of the palette come together."""
    deuteranopia = np.array([[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]])
    protanopia = np.array([[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]])

    for seen in (deuteranopia, protanopia):
        linear = (np.array(PALETTE) / 255) ** 2.2 @ seen.T
        colors = 255 * np.clip(linear, 0, 1) ** (1 / 2.2)
        assert min(np.abs(a - b).max() for a, b in itertools.combinations(colors, 2)) > 25


def test_a_trail_ends_at_the_object():
    """Thin where it is old, thick where it is new."""
    way = np.array([[100.0, 100.0], [200.0, 100.0], [300.0, 100.0]])

    painted = paint(WIDE, one([280, 60, 320, 99], trails=((1, way),)))

    columns = [np.count_nonzero((painted[100:104, x] == color_of(1)).all(axis=1)) for x in (102, 270)]
    assert 1 <= columns[0] <= columns[1]
    assert (painted[95:106, 80:95] == 90).all()


def test_a_line_has_its_arrow_on_the_side_that_is_in():
    """To the right of a -> b: downwards for one that runs to the right."""
    shape = Shape("line", ((100.0, 180.0), (500.0, 180.0)))

    painted = paint(WIDE, Overlay(shapes=(shape,), marks=("north",)))

    arrow = np.flatnonzero((painted[:, 300] == SHAPE).all(axis=1))
    assert arrow.min() >= 178
    assert arrow.max() >= 183
    assert tuple(painted[180, 120]) == SHAPE
    assert (painted[170:176, 120] == 90).all()


@pytest.mark.parametrize(
    "points", [((-50, 10), (700, 350)), ((630, -90), (630, 500)), ((0, 0), (640, 0)), ((5, 359), (600, 359))]
)
def test_the_text_of_a_line_stays_inside_the_picture(points):
    """Lines may reach beyond it; as many bright pixels as in the middle."""
    middle, painted = (
        paint(WIDE, Overlay(shapes=(Shape("line", ends),), marks=("name   in 12   out 7",)))
        for ends in (((200, 180), (400, 180)), points)
    )

    ink = [np.count_nonzero((image > 200).all(axis=2)) for image in (middle, painted)]
    assert ink[0] == ink[1] > 50


def test_a_zone_lets_the_picture_through():
    """Its ground is tinted, its outline drawn, the rest stays as it is."""
    shape = Shape("zone", ((200.0, 100.0), (400.0, 100.0), (400.0, 250.0), (200.0, 250.0)))

    painted = paint(WIDE, Overlay(shapes=(shape,), marks=("yard",)))

    inside, outside = painted[200, 300].astype(int), painted[300, 300]
    assert (outside == 90).all()
    assert 0 < np.abs(inside - 90).max() < 60
    assert np.abs(painted[110:240, 199:202].astype(int) - 90).max(axis=(1, 2)).min() > 60


def test_the_panel_is_a_dark_ground_with_words():
    """In the upper left corner, in two lines where one would be too long."""
    short, long = (paint(WIDE, Overlay(panel=("00:12.48", *words))) for words in ((), ("frame 312",) * 14))

    for painted in (short, long):
        assert changed(painted)[:, 0].min() < 20
        assert np.count_nonzero((painted > 200).all(axis=2)) > 20
    assert changed(long)[:, 0].max() > changed(short)[:, 0].max() + 8
    assert changed(long)[:, 1].max() < 640 * 0.75


@pytest.mark.parametrize(
    ("width", "height"), [(2, 2), (64, 48), (320, 240), (1280, 720), (1080, 1920), (3840, 2160)]
)
def test_any_size_of_picture_can_be_drawn_on(width, height):
    """Widths and text follow the picture."""
    image = np.full((height, width, 3), 90, np.uint8)
    shapes = (
        Shape("line", ((0, 0), (width, height))),
        Shape("zone", ((0, 0), (width / 2, 0), (0, height / 2))),
    )
    overlay = one(
        [width * 0.4, height * 0.4, width * 0.6, height * 0.6],
        panel=("00:00.00", "frame 1"),
        shapes=shapes,
        marks=("a", "b"),
    )

    painted = paint(image, overlay)

    assert painted.shape == image.shape
    assert painted.dtype == np.uint8
    assert len(changed(painted, image)) > 2


def test_a_grid_names_its_lines():
    """A line every tenth; the picture between them stays as it is."""
    painted = grid_labels(grid_lines(WIDE))

    assert (painted[180, 330] != 90).any()
    assert (painted[190, 320] != 90).any()
    assert (painted[200, 340] == 90).all()
    assert len(changed(painted)) < 0.2 * 640 * 360


@pytest.mark.parametrize(("width", "labels"), [(1280, 10), (320, 5), (100, 2)])
def test_labels_of_a_grid_do_not_cover_each_other(width, labels):
    """On a small picture every second or fifth line has one; the picture shows between them."""
    painted = grid_labels(np.full((width * 3 // 4, width, 3), 120, np.uint8))

    dark = (painted[-2] == painted[-2, 2]).all(axis=1)
    runs = np.flatnonzero(np.diff(np.concatenate(([0], dark, [0])))).reshape(-1, 2)
    assert len(runs) == labels
    assert (np.diff(runs, axis=0)[:, 0] > 10).all()


@pytest.mark.parametrize("text", ["Ausfahrt Süd", "öst", "Łódź", "Юг", "Θεσσαλονίκη"])
def test_letters_of_european_names_are_drawn(text):
    """Each as itself: no box stands for a letter that the font lacks."""
    font = ImageFont.truetype(str(FONT), 20)
    box = bytes(font.getmask("\u65e5"))

    assert all(bytes(font.getmask(letter)) != box for letter in text)
    drawn, without = (
        paint(WIDE, Overlay(shapes=(Shape("line", ((200, 180), (400, 180))),), marks=(mark,)))
        for mark in (text, "")
    )
    assert (drawn != without).any()
