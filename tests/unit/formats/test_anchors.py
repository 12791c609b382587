"""Anchors: equal tracks have equal bytes, which read back as they were; damage is found."""

import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline import formats
from sightline.counts import Anchors, TrackCounts
from sightline.errors import Corrupt
from sightline.formats.anchors import HEADER, AnchorFile, decode, encode
from sightline.stages.publish import anchors_key, published_anchors
from sightline.verdicts import Doubt
from sightline.vision.counting import count_job, counted_groups

from .jobs import frame_table, job, table, track_tables


def files(result):
    """Bytes by path."""
    return {path: b"".join(chunks) for path, chunks in published_anchors(result, count_job(result))}


def cars(result=None, **changes):
    return files(result or job(**changes))[anchors_key("cars")]


def columns(value):
    return {name: getattr(value, name) for name in value.__slots__}


def assert_same(a, b):
    for (name, one), other in zip(columns(a).items(), columns(b).values(), strict=True):
        assert one.dtype == other.dtype, name
        assert one.tobytes() == other.tobytes(), name


def test_each_tracked_group_has_a_file():
    """Beside the segments; without a tracker there is none."""
    assert list(files(job())) == ["segments/anchors-cars.bin", "segments/anchors-people.bin"]
    assert files(job(tracked=False)) == {}


def test_what_lines_and_zones_need_is_there():
    """Of tracks that count; of the others only that they do not."""
    file = decode(cars(min_hits=1), "cars")

    assert (file.width, file.height) == (64, 48)
    assert file.frame.tolist() == [0, 5, 10]
    assert file.pts_us.tolist() == [0, 200_000, 400_000]
    counts, anchors = file.group.counts, file.group.anchors
    assert (file.group.name, counts.track_id.tolist(), counts.class_id.tolist()) == ("cars", [2, 5], [1, 2])
    assert anchors.first.tolist() == [0, 2, 3]
    assert anchors.seq.tolist() == [0, 2, 0]
    assert (anchors.x.tolist(), anchors.y.tolist()) == ([20.25, 22.0, 3.25], [40.0, 40.0, 8.25])
    assert anchors.size[2] == np.sqrt(9.5 * 8.25)
    assert anchors.edges.tolist() == [0, 0, 1]
    assert anchors.largest.tolist() == [20.0, anchors.size[2]]
    assert anchors.bounds.tolist() == [[20.25, 40.0, 22.0, 40.0], [3.25, 8.25, 3.25, 8.25]]


def test_a_track_that_does_not_count_has_no_rows():
    """It crosses nothing, however its line lies."""
    file = decode(cars(min_hits=2), "cars")

    assert not file.group.counts.counted.any()
    assert (len(file.group.counts), len(file.group.anchors)) == (2, 0)
    assert file.group.anchors.bounds.tolist() == [[0.0] * 4] * 2


@given(st.integers(0, 6), st.data())
def test_what_is_read_is_what_was_written(frames, data):
    """Bit for bit, and writing it again gives the same bytes."""
    tracks = data.draw(track_tables(frames))
    keys, first = np.unique(np.column_stack([tracks.seq, tracks.track_id]), axis=0, return_index=True)
    result = job(frames=frame_table(frames), min_hits=data.draw(st.integers(1, 3)))
    group = result.groups[0]
    result = job(
        frames=result.frames,
        min_hits=result.min_hits,
        groups=(type(group)("cars", (1, 2), group.detections, tracks[np.sort(first)].sorted(), 1, None),),
    )
    (written,) = counted_groups(result)

    blob = cars(result)
    read = decode(blob, "cars")

    assert_same(read.group.anchors, written.anchors)
    assert_same(read.group.counts, written.counts)
    assert b"".join(encode(read)) == blob
    assert len(keys) == 0 or read.group.counts.first_seq.min() == keys[0, 0]


def test_columns_lie_where_a_mapped_file_can_be_read():
    """Each begins at a multiple of 8 bytes; only the checksum may end elsewhere."""
    *chunks, checksum = encode(decode(cars(), "cars"))

    assert not any(len(chunk) % 8 for chunk in chunks)
    assert len(checksum) == 4


def test_no_zero_is_negative():
    """As in segments: a box that touches the corner from either side of zero has one place."""
    rows = [(seq, 1, 1, (-0.0, -4.0, -0.0, -0.0), 0.9, 0) for seq in (0, 1, 2)]
    group = job().groups[0]
    result = job(groups=(type(group)("cars", (1, 2), group.detections, table(*rows), 1, None),))

    anchors = decode(cars(result), "cars").group.anchors

    for column in (anchors.x, anchors.y, anchors.size, anchors.bounds):
        assert not np.signbit(column).any()


def test_doubts_that_only_a_tracker_knows_are_left_out():
    """What is stored follows from the published tracks, so that verify can say it again."""
    result = job(min_hits=1)
    counts = count_job(result)
    every = np.full(2, Doubt.SHORT | Doubt.NEAR | Doubt.GAP | Doubt.LINKED | Doubt.SPLIT, np.uint8)
    groups = tuple(TrackCounts(**columns(group) | {"doubts": every[: len(group)]}) for group in counts.groups)

    blobs = published_anchors(result, type(counts)(groups))

    _, chunks = next(blobs)
    assert decode(b"".join(chunks), "cars").group.counts.doubts.tolist() == [21, 21]


@pytest.mark.parametrize("place", [0, 50, 200, -1])
def test_a_flipped_bit_is_found(place):
    """Anywhere, and the file is named."""
    blob = bytearray(cars(min_hits=1))
    blob[place] ^= 4

    with pytest.raises(Corrupt, match=r"^segments/anchors-cars\.bin: "):
        decode(bytes(blob), "cars", "segments/anchors-cars.bin")


@pytest.mark.parametrize("cut", [0, 20, 51, 200, -1])
def test_a_file_that_was_cut_is_found(cut):
    """Wherever it ends."""
    with pytest.raises(Corrupt):
        decode(cars()[:cut], "cars")


def test_a_newer_version_is_refused():
    """It says what to do."""
    blob = bytearray(cars())
    blob[8] = 2
    with pytest.raises(Corrupt, match="version 2, this program reads 1; use a newer program"):
        decode(bytes(blob), "cars")


def sealed(blob):
    return bytes(blob[:-4]) + struct.pack("<I", zlib.crc32(blob[:-4]))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"frame": [0, 5, 5]}, "does not rise"),
        ({"pts_us": [0, 0, 1]}, "does not rise"),
        ({"width": 0}, "picture"),
        ({"first": [0, 3, 2]}, "divide"),
        ({"first": [0, 2, 2]}, "divide"),
        ({"seq": [0, 2, 3]}, "seq 3 of 3 frames"),
        ({"counted_seq": [0, 3]}, "seq 3 of 3 frames"),
        ({"track_id": [2, 2]}, "track_id"),
        ({"edges": [0, 8, 0]}, "edges 8"),
        ({"size": [1, np.nan, 1]}, "not finite"),
        ({"x": [1, np.nan, 1]}, "not finite"),
        ({"y": [1, 1, -np.inf]}, "not finite"),
        ({"largest": [np.nan, 1]}, "not finite"),
        ({"seq": [0, 0, 1]}, "seq does not rise"),
        ({"seq": [1, 0, 2]}, "seq does not rise"),
        ({"class_id": [0, -1]}, "class_id -1"),
        ({"counted_seq": [-2, 0]}, "below 0"),
        ({"counted_seq": [-1, 0]}, "has rows"),
        ({"first_seq": [0, -1]}, "below 0"),
    ],
)
def test_what_nobody_can_have_counted_is_refused(monkeypatch, change, said):
    """When it is written, and when somebody made the checksum fit."""
    good = decode(cars(min_hits=1), "cars")
    ((name, value),) = change.items()
    parts = {"width": good.width, "frame": good.frame, "pts_us": good.pts_us}
    parts |= columns(good.group.counts) | columns(good.group.anchors)
    old = parts[name]
    parts[name] = value if name == "width" else np.array(value, old.dtype)
    counts = TrackCounts(**{key: parts[key] for key in TrackCounts.__slots__})
    anchors = Anchors(**{key: parts[key] for key in Anchors.__slots__})
    bad = AnchorFile(
        parts["width"], 48, parts["frame"], parts["pts_us"], type(good.group)("cars", counts, anchors)
    )

    with pytest.raises(ValueError, match=said):
        b"".join(encode(bad))

    monkeypatch.setattr(formats.anchors, "_check", lambda _: None)
    forged = b"".join(encode(bad))
    monkeypatch.undo()
    with pytest.raises(Corrupt, match=said):
        decode(forged, "cars")


def test_numbers_that_promise_too_much_are_refused():
    """Negative ones too, before anything is read."""
    blob = cars()
    for sizes in ((-1, 2, 3), (3, 2**40, 3), (3, 2, -8)):
        forged = HEADER.pack(*HEADER.unpack(blob[:48])[:6], *sizes) + blob[48:]
        with pytest.raises(Corrupt, match="the header promises"):
            decode(sealed(forged), "cars")
