"""JSON files of lines and zones."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sightline.counts import Line, Zone
from sightline.errors import InvalidFile
from sightline.formats.geometry_json import encode, read_lines, read_videos, read_zones

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


NAMED = '[{"name": "n", "a": [0, 0], "b": [1, 1], "in": "northbound", "out": "southbound"}]'


def test_directions_have_names():
    """Both, or one of them; what has no name stays in or out."""
    (both,) = read_lines(NAMED, "f")
    (one,) = read_lines(NAMED.replace(', "out": "southbound"', ""), "f")

    assert (both.directions, one.directions) == (("northbound", "southbound"), ("northbound", "out"))
    assert read_lines(encode([both, one], []).decode().replace('"n"', '"m"', 1), "f")[1] == one


def test_the_frame_that_they_were_drawn_on():
    """Of an element, else of the file; a list has none, and what is written says it again."""
    line = '{"name": "n", "a": [0, 0], "b": [1, 1]}'
    other = '{"name": "m", "a": [0, 0], "b": [1, 1], "frame": 0}'
    text = f'{{"frame": 120, "lines": [{line}, {other}], "zones": {ZONES}}}'

    lines, zones = read_lines(text, "f"), read_zones(text, "f")

    assert [shape.frame for shape in (*lines, *zones)] == [120, 0, 120]
    assert read_lines(f"[{line}]", "f")[0].frame is None
    assert read_lines(encode(lines, zones).decode(), "g") == lines
    assert read_zones(encode(lines, zones).decode(), "g") == zones
    with pytest.raises(InvalidFile, match=r"lines element 1 \('n'\): line 'n': frame 'x'; give the number"):
        read_lines(text.replace("120", '"x"'), "f")


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
        (
            '[{"name": "n", "a": [0, 0], "b": [1, 1], "c": 1}]',
            "unknown key 'c', expected name, a, b, unit, video, frame, in, out",
        ),
        (NAMED.replace("northbound", "southbound"), "directions 'southbound' and 'southbound'; give two"),
        (NAMED.replace("northbound", " "), "element 1 .*directions ' ' and 'southbound'"),
        (NAMED.replace('"northbound"', "3"), "directions 3 and 'southbound'"),
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
        (x, y), *others = corners
        size = max(abs(a - x) + abs(b - y) for a, b in others)
        area = max(abs((a - x) * (d - y) - (c - x) * (b - y)) for a, b in others for c, d in others)
        assume(size > 1e-3 and area > 1e-6 * size * size)  # thinner is refused as a line
        lines.append(Line(name, corners[0], corners[1], unit))
        zones.append(Zone(name, tuple(corners), unit))
    return tuple(lines), tuple(zones)


@given(drawn())
def test_what_was_written_is_read(shapes):
    """Bit for bit: floats are written with all their digits."""
    text = encode(*shapes).decode()

    assert (read_lines(text, "f"), read_zones(text, "f")) == shapes


NORTH, SOUTH, BOTH = ('{{"name": "{}", {}"a": [0, 0.5], "b": [1, 0.5]}}'.format(*each) for each in (
    ("north", '"video": "cam1", '), ("south", '"video": ["cam2", "gate-*"], '), ("both", "")
))  # fmt: skip


@pytest.mark.parametrize(
    ("video", "names"),
    [
        (None, ["north", "south", "both"]),
        (["cam1"], ["north", "both"]),
        (["other", "cam1"], ["north", "both"]),
        (["cam2", "b.mp4"], ["south", "both"]),
        (["gate-0700"], ["south", "both"]),
        (["cam10"], ["both"]),
    ],
)
def test_an_element_may_say_its_video(video, names):
    """By one of its names, or a pattern; what names none is for all."""
    text = f"[{NORTH}, {SOUTH}, {BOTH}]"

    assert [line.name for line in read_lines(text, "f", video)] == names
    assert read_videos(text, "f") == ("cam1", "cam2", "gate-*")


def test_a_file_may_say_its_video():
    """For all its lines and zones but those that say their own."""
    text = f'{{"video": "cam[9]", "lines": [{NORTH}, {BOTH}], "zones": {ZONES}}}'

    assert [line.name for line in read_lines(text, "f", ["cam[9]"])] == ["both"]
    assert [line.name for line in read_lines(text, "f", ["cam1"])] == ["north"]
    assert [len(read_zones(text, "f", [name])) for name in ("cam[9]", "cam9", "cam1")] == [1, 1, 0]
    assert read_videos(text, "f") == ("cam1", "cam[9]")
    assert read_videos(LINES, "f") == ()


def test_two_videos_may_use_one_name():
    """One video may not."""
    twice = f"[{NORTH}, {NORTH.replace('cam1', 'cam2')}]"

    assert len(read_lines(twice, "f")) == 2
    assert len(read_lines(twice, "f", ["cam2"])) == 1
    with pytest.raises(InvalidFile, match=r"element 2 \('north'\): the name is taken"):
        read_lines(f"[{NORTH}, {BOTH.replace('both', 'north')}]", "f", ["cam1"])


@pytest.mark.parametrize("video", ["3", "[]", '""', "[1]", "null", '{"a": 1}'])
def test_a_video_that_is_no_name_is_refused(video):
    """In an element and in a file; the message says where."""
    with pytest.raises(InvalidFile, match=r"the file: video is .* expected the name of a video"):
        read_lines(f'{{"video": {video}, "lines": []}}', "f")
    with pytest.raises(InvalidFile, match=r"lines element 1: video is .* expected the name of a video"):
        read_lines(f"[{NORTH}]".replace('"cam1"', video), "f")
