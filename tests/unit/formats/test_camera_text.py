"""How the camera moved, as text: what is read, and what is refused."""

import gzip
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.camera import IDENTITY, Motion
from sightline.errors import InvalidFile, TooLarge
from sightline.formats import camera_text

STILL = b"3 1 0 0 0 1 0\n"
MOTIONS = st.builds(
    Motion,
    a=st.floats(0.5, 1.5),
    b=st.floats(-0.5, 0.5),
    x=st.floats(-5000, 5000),
    y=st.floats(-5000, 5000),
)


def decoded(blob: bytes) -> dict[int, Motion]:
    """Motions by frame."""
    frames, maps = camera_text.decode(blob, "f")
    return dict(zip(frames.tolist(), (Motion(*each) for each in maps.tolist()), strict=True))


def row(frame: int, motion: Motion, separator: str = " ") -> str:
    numbers = (motion.a, -motion.b, motion.x, motion.b, motion.a, motion.y)
    return separator.join(map(repr, (frame, *numbers))) + "\n"


@given(
    st.dictionaries(st.integers(0, 2**40), MOTIONS, max_size=5), st.sampled_from([" ", "\t", ",", ", ", ";"])
)
def test_what_was_written_is_read(motions: dict[int, Motion], separator: str):
    """Whatever stands between the numbers; not one bit is lost."""
    written = "".join(row(frame, motions[frame], separator) for frame in sorted(motions))

    assert decoded(written.encode()) == motions
    assert decoded(gzip.compress(written.encode())) == motions


def test_points_go_where_the_file_says():
    """From the frame before to this one: x grows with m13, y with m23."""
    motions = decoded(b"7\t0\t-2\t10\t2\t0\t-5\t\n")

    assert list(motions) == [7]
    assert motions[7].apply(np.array([[3.0, 1.0]])).tolist() == [[0 * 3 - 2 * 1 + 10, 2 * 3 + 0 * 1 - 5]]


def test_comments_and_blank_lines_say_nothing():
    """And lines are counted with them."""
    written = b"\xef\xbb\xbf# frame, map\r\n\r\n  # another, 1 2 3\r\n" + STILL

    assert decoded(written) == {3: IDENTITY}
    assert decoded(b"# old line ends\r#\r1 1 0 0 0 1 0\r") == {1: IDENTITY}
    assert decoded(b"# nothing\n") == decoded(b"") == {}
    with pytest.raises(InvalidFile, match="f, line 5: frame 3"):
        camera_text.decode(written + STILL, "f")


def test_rounding_is_no_shear():
    """Four decimals of a map are near enough to one that turns and scales; the mean of both is taken."""
    motion = decoded(b"1 1.0002 -0.0102 0 0.0100 1.0000 0\n")[1]

    assert (motion.a, motion.b) == (pytest.approx(1.0001), pytest.approx(0.0101))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("4 1 0 0 0 1", "6 fields, expected 7 or more"),
        ("4 1 0 0 0 1 0 9", "an eighth number, 9"),
        ("4 1 0 0 0 1 x", "field 7 is 'x', expected a number"),
        ("4 nan 0 0 0 1 0", "field 2 is 'nan'"),
        ("4 1 0 inf 0 1 0", "field 4 is 'inf'"),
        ("4 1 0 1e6 0 1 0", "a number of size 1e[+]06"),
        ("4 1e308 0 0 0 1e308 0", "a number of size 1e[+]308"),
        ("4.5 1 0 0 0 1 0", "frame 4.5, expected a whole number"),
        ("-1 1 0 0 0 1 0", "frame -1, expected a whole number from 0"),
        ("3 1 0 0 0 1 0", "frame 3, expected frames that rise, each of them once"),
        ("2 1 0 0 0 1 0", "frame 2, expected frames that rise"),
        ("4 1 0.03 0 0 1 0", "deforms the picture by 0.0149983 of its size"),
        ("4 -1 0 0 0 1 0", "deforms the picture"),  # a mirror
        ("4 0 0 0 0 0 0", "scale 0, expected 0.25 to 4"),
        ("4 1 0 0 1 0 0", "deforms the picture"),  # a, b, c, d, x, y
        ("4 5 0 0 0 5 0", "scale 5, expected 0.25 to 4"),
    ],
)
def test_what_is_no_motion_is_refused(line: str, reason: str):
    """With its line, and what is expected there."""
    with pytest.raises(InvalidFile, match=f"camera.txt, line 2: .*{reason}"):
        camera_text.decode(STILL + line.encode(), "camera.txt")


def test_many_motions_together_stay_within_bounds():
    """One that doubles the picture may be right; a hundred of them are not."""
    written = "".join(row(frame, Motion(2.0, 0.0, 0.0, 0.0)) for frame in range(100))

    with pytest.raises(InvalidFile, match="line 14: all frames so far scale the picture by 16384"):
        camera_text.decode(written.encode(), "f")


def test_a_file_without_end_is_refused(monkeypatch: pytest.MonkeyPatch):
    """Also where it is packed: no more is unpacked than may be."""
    monkeypatch.setattr(camera_text, "MOST_BYTES", len(STILL))

    assert decoded(gzip.compress(STILL)) == {3: IDENTITY}
    for blob in (STILL + b" ", gzip.compress(STILL + b"#" * 1_000_000)):
        with pytest.raises(TooLarge, match="f: more than 14 bytes of text"):
            camera_text.decode(blob, "f")


@given(st.binary(max_size=200) | st.text("0123456789.-+e#,;\t \n", max_size=200).map(str.encode))
def test_any_bytes_are_read_or_refused(blob: bytes):
    """With a clear error; and nothing that is read goes to infinity."""
    try:
        motions = decoded(blob)
    except InvalidFile:
        return
    assert 0.9e-4 < math.prod(motion.scale for motion in motions.values()) < 1.1e4
    assert list(motions) == sorted(motions)
