"""Column segments."""

import mmap
import struct
import zlib
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.errors import Corrupt
from sightline.formats.segments import HEADER, CameraColumns, Segment, decode, encode, join
from sightline.types import FrameTable, Origin, TrackTable
from tests.unit.formats.jobs import frame_table, table, track_tables

# Two frames from seq 4, the second failed, one box and the birth of its track.
VERSION_1 = Path(__file__).parents[2] / "data" / "forms" / "segment-v1.seg"


def version_1_segment():
    frames = FrameTable([8, 10], [80_000, 100_000], ("ok", "failed"), ("", "truncated"))
    birth = (3, 7, 1, (0.0, 1.5, 3, 4), 0.9, Origin.BIRTH)
    return Segment("tracks", 4, frames, table((4, 7, 1, (1.0, 2.5, 4, 5), 0.5, Origin.HIGH), birth))


def version_2_segment():
    """The same with what is known of the camera."""
    motion = np.array([(1.0002, -0.125, 2.5, -1), (0, 0, 0, 0)])
    return replace(version_1_segment(), camera=CameraColumns(motion, (b"", b"a look")))


@st.composite
def streams(draw):
    """A whole stream: its kind, frames and rows or totals, and where it is cut into segments."""
    kind = draw(st.sampled_from(["detections", "tracks", "totals"]))
    n = draw(st.integers(1, 12))
    outcome = tuple(draw(st.lists(st.sampled_from(["ok", "failed", "skipped"]), min_size=n, max_size=n)))
    reason = tuple(
        "" if word == "ok" else draw(st.sampled_from(["truncated", "zu spät"])) for word in outcome
    )
    frames = FrameTable(np.arange(n) * 2, np.arange(n) * 40_000, outcome, reason)
    cuts = sorted(draw(st.sets(st.integers(1, n - 1)))) if n > 1 else []
    if kind == "totals":
        numbers = np.arange(n) * 3
        return Segment("totals", 0, frames, None, numbers, numbers + 1), cuts
    rows = draw(track_tables(n, ids=kind == "tracks", origins=4 if kind == "tracks" else 1))
    camera = None
    if kind == "tracks" and draw(st.booleans()):
        known = np.array(draw(st.lists(st.booleans(), min_size=n, max_size=n)))
        looks = tuple(draw(st.lists(st.binary(max_size=3), min_size=n, max_size=n)))
        camera = CameraColumns(np.outer(known, (1.0, 0.0, 0.5, -2.0)), looks)
    return Segment(kind, 0, frames, rows, camera=camera), cuts


def parts_of(whole, cuts):
    bounds = [0, *cuts, len(whole.frames)]
    for start, end in pairwise(bounds):
        frames = whole.frames
        part = FrameTable(
            frames.frame[start:end],
            frames.pts_us[start:end],
            frames.outcome[start:end],
            frames.reason[start:end],
        )
        inside = (
            None if whole.rows is None else whole.rows[(whole.rows.seq >= start) & (whole.rows.seq < end)]
        )
        totals = [None if values is None else values[start:end] for values in (whole.unique, whole.raw_ids)]
        seen = whole.camera
        camera = None if seen is None else CameraColumns(seen.motion[start:end], seen.looks[start:end])
        yield Segment(whole.kind, start, part, inside, *totals, camera)


@given(streams())
def test_cutting_encoding_decoding_and_joining_gives_the_stream_back(stream):
    """Nothing of a stream is lost, wherever it is cut."""
    whole, cuts = stream

    back = join([decode(encode(part)) for part in parts_of(whole, cuts)])

    assert encode(back) == encode(whole)


@given(streams())
def test_encoding_what_was_decoded_gives_the_same_bytes(stream):
    """The bytes of a segment are canonical."""
    whole, _ = stream
    blob = encode(whole)

    assert encode(decode(blob)) == blob


@given(streams(), st.data())
def test_a_flipped_bit_is_noticed(stream, data):
    """A damaged segment never becomes a result."""
    blob = bytearray(encode(stream[0]))
    bit = data.draw(st.integers(0, len(blob) * 8 - 1))
    blob[bit // 8] ^= 1 << bit % 8

    with pytest.raises(Corrupt):
        decode(bytes(blob))


@given(streams(), st.data())
def test_a_cut_file_is_noticed(stream, data):
    """A file that lost its end is refused."""
    blob = encode(stream[0])
    length = data.draw(st.integers(0, len(blob) - 1))

    with pytest.raises(Corrupt):
        decode(blob[:length])


def test_version_1_stays_readable():
    """A segment of the first release decodes to what was stored, and encodes to the same bytes."""
    blob = VERSION_1.read_bytes()

    segment = decode(blob)

    assert encode(version_1_segment()) == blob
    assert segment.kind == "tracks"
    assert segment.first_seq == 4
    assert segment.frames.frame.tolist() == [8, 10]
    assert segment.frames.outcome == ("ok", "failed")
    assert segment.frames.reason == ("", "truncated")
    assert segment.rows.seq.tolist() == [3, 4]
    assert segment.rows.origin.tolist() == [Origin.BIRTH, Origin.HIGH]
    assert segment.rows.xyxy.tolist() == [[0, 1.5, 3, 4], [1, 2.5, 4, 5]]


def test_columns_can_be_mapped_into_memory(tmp_path):
    """Decoded arrays are aligned views of the file, not copies, and cannot be written."""
    path = tmp_path / "a.seg"
    path.write_bytes(encode(version_1_segment()))

    with path.open("rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        segment = decode(memoryview(mapped))

        assert segment.rows.xyxy.flags.aligned
        assert not segment.rows.xyxy.flags.owndata
        assert not segment.rows.xyxy.flags.writeable
        del segment
        mapped.close()


def test_detections_of_a_frame_keep_their_order():
    """Falling confidence, as recorded, survives."""
    rows = table(
        (1, 0, 0, (0, 0, 1, 1), 0.9, 0), (0, 0, 2, (0, 0, 1, 1), 0.3, 0), (1, 0, 1, (0, 0, 1, 1), 0.8, 0)
    )

    back = decode(encode(Segment("detections", 0, frame_table(2), rows)))

    assert back.rows.confidence.tolist() == [0.3, 0.9, 0.8]


def test_negative_zero_is_stored_as_zero():
    """Equal segments have equal bytes."""
    minus, plus = (
        Segment("tracks", 0, frame_table(1), table((0, 1, 0, (zero, zero, 1, 1), 0.5, 0)))
        for zero in (-0.0, 0.0)
    )

    assert encode(minus) == encode(plus)


def resealed(blob, offset, value, form):
    body = bytearray(blob[:-4])
    struct.pack_into(form, body, offset, value)
    return bytes(body) + struct.pack("<I", zlib.crc32(body))


@pytest.mark.parametrize(
    ("offset", "form", "value", "message"),
    [
        (0, "<B", 0, "not a segment"),
        (8, "<H", 3, "version 3"),
        (10, "<H", 9, "kind 9"),
        (24, "<q", 3, "header promises"),
        (24, "<q", -2, "header promises"),
        (40, "<q", 99, "does not rise"),
        (HEADER.size + 32, "<I", 7, "index out of range"),
    ],
)
def test_impossible_content_is_refused_with_its_place(offset, form, value, message):
    """A file with a good checksum and senseless content says what and where."""
    blob = resealed(encode(version_1_segment()), offset, value, form)

    with pytest.raises(Corrupt, match=message) as caught:
        decode(blob, "segments/tracks-cars/4.seg")
    assert "segments/tracks-cars/4.seg" in str(caught.value)


@pytest.mark.parametrize(
    "rows",
    [
        table((2, 1, 0, (0, 0, 1, 1), 0.5, 0)),
        table((-1, 1, 0, (0, 0, 1, 1), 0.5, Origin.BIRTH)),
        table((0, 1, 0, (0, 0, 1, float("nan")), 0.5, 0)),
        table((0, 1, 0, (0, 0, 1, 1), float("inf"), 0)),
        table((0, 1, 0, (0, 0, 1, 1), 0.5, 9)),
        None,
    ],
)
def test_rows_that_cannot_be_meant_are_not_encoded(rows):
    """A seq outside the segment, a number that is not finite, an unknown origin, no rows at all."""
    with pytest.raises(ValueError):
        encode(Segment("tracks", 0, frame_table(2), rows))


def test_totals_need_a_number_a_frame():
    """Totals without numbers, or with too few, are refused."""
    with pytest.raises(ValueError):
        encode(Segment("totals", 0, frame_table(2)))
    with pytest.raises(ValueError):
        encode(Segment("totals", 0, frame_table(2), None, np.zeros(1, np.int64), np.zeros(2, np.int64)))


def test_segments_must_meet():
    """A missing segment, a second copy, another kind or none at all is corruption, not a shorter result."""
    first = Segment("detections", 0, frame_table(2), TrackTable.empty())
    second = Segment("detections", 2, frame_table(2, first=2), TrackTable.empty())
    other = Segment("tracks", 2, frame_table(2, first=2), TrackTable.empty())

    assert len(join([first, second]).frames) == 4
    for wrong in ([second], [first, first], [first, other], []):
        with pytest.raises(Corrupt):
            join(wrong)
