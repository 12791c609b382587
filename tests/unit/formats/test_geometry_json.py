"""JSON files of lines and zones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.counts import Line, Zone
from sightline.errors import InvalidFile
from sightline.formats.geometry_json import encode, read_lines, read_zones

LINES = '[{"name": "north", "a": [0.1, 0.5], "b": [0.9, 0.5]}, {"name": "s", "a": [0, 7], "b": [640, 7], "unit": "px"}]'
ZONES = '[{"name": "yard", "points": [[0, 0], [1, 0], [1, 1]]}]'


def test_a_list_of_lines():
    """In parts of the picture, or in pixels where it says so."""
    assert read_lines(LINES, "f.json") == (
        Line("north", (0.1, 0.5), (0.9, 0.5)),
        Line("s", (0, 7), (640, 7), "px"),
    )


def test_a_list_of_zones():
    """Polygons close by themselves."""
    assert read_zones(ZONES, "f.json") == (Zone("yard", ((0, 0), (1, 0), (1, 1))),)


def test_one_file_with_both():
    """Each reader takes its own; what is not there is none."""
    both = f'{{"lines": {LINES}, "zones": {ZONES}}}'

    assert (read_lines(both, "f"), read_zones(both, "f")) == (read_lines(LINES, "f"), read_zones(ZONES, "f"))
    assert read_zones(f'{{"lines": {LINES}}}', "f") == ()
    assert read_lines("[]", "f") == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "f.json: not JSON"),
        ("[", "not JSON"),
        ("3", "expected a list of lines or an object"),
        ('{"line": []}', "unknown key 'line', expected lines or zones"),
        ('{"lines": {}}', "expected a list of lines"),
        ("[3]", "lines element 1: expected an object with name, a, b"),
        ('[{"name": "n", "a": [0, 0]}]', r"lines element 1 \('n'\): has no 'b'"),
        ('[{"a": [0, 0], "b": [1, 1]}]', "lines element 1: has no 'name'"),
        ('[{"name": 3, "a": [0, 0], "b": [1, 1]}]', "lines element 1: line .* has no name"),
        ('[{"name": "n", "a": [0, 0], "b": [1, 1], "c": 1}]', "unknown key 'c', expected name, a, b, unit"),
        ('[{"name": "n", "a": [0], "b": [1, 1]}]', r"expected points \[x, y\]"),
        ('[{"name": "n", "a": [0, true], "b": [1, 1]}]', r"expected points \[x, y\]"),
        (
            '[{"name": "n", "a": [0, 0], "b": [640, 1]}]',
            r"element 1 \('n'\): line 'n': point \(640, 1\) is far from",
        ),
        ('[{"name": "n", "a": [0, 0], "b": [1, 1], "unit": "mm"}]', "unit 'mm'"),
        (f"[{LINES[1:-1]}, {LINES[1:].split('}')[0]}}}]", r"element 3 \('north'\): the name is taken"),
    ],
)
def test_a_line_that_is_none_is_named(text, message):
    """File, number, name, what is wrong, what is expected."""
    with pytest.raises(InvalidFile, match=message):
        read_lines(text, "f.json")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[{"name": "z", "points": 3}]', r"zones element 1 \('z'\): expected points"),
        ('[{"name": "z", "points": [[0, 0], [1]]}]', "expected points"),
        ('[{"name": "z", "points": [[0, 0], [1, 1]]}]', "2 different points, needs 3"),
        (LINES, "has no 'points', expected name, points"),
    ],
)
def test_a_zone_that_is_none_is_named(text, message):
    """A file of lines given as zones is told apart."""
    with pytest.raises(InvalidFile, match=message):
        read_zones(text, "f.json")


names = st.text(min_size=1).filter(str.strip)
parts = st.tuples(st.floats(0, 1), st.floats(0, 1))
pixels = st.tuples(st.floats(0, 1e5), st.floats(0, 1e5))


@st.composite
def drawn(draw):
    lines, zones = [], []
    for name in draw(st.sets(names, max_size=3)):
        unit, points = draw(st.sampled_from([("norm", parts), ("px", pixels)]))
        corners = draw(st.lists(points, min_size=3, max_size=5, unique=True))
        lines.append(Line(name, corners[0], corners[1], unit))
        zones.append(Zone(name, tuple(corners), unit))
    return tuple(lines), tuple(zones)


@given(drawn())
def test_what_was_written_is_read(shapes):
    """Bit for bit: floats are written with all their digits."""
    text = encode(*shapes).decode()

    assert (read_lines(text, "f"), read_zones(text, "f")) == shapes
