"""The head of an MP4 whose packets are there already."""

from struct import unpack_from

import pytest

from sightline.formats import mp4

SIZES = [100, 20, 30]


def boxes(data):
    """Content of every box by its path; of a full box behind version and flags."""
    found, at = {}, 0
    while at < len(data):
        size, name = unpack_from(">I4s", data, at)
        content = data[at + 8 : at + size]
        key = name.decode()
        if key in ("moov", "trak", "mdia", "minf", "stbl"):
            found |= boxes(content)
        else:
            found[key] = content
        if key == "mdat":
            found["start"] = at + 16
            break
        at += size
    return found


def numbers(table, form, skip=4):
    (count,) = unpack_from(">I", table, skip)
    return list(unpack_from(f">{form * count}", table, skip + 4))


@pytest.fixture
def parts():
    """Three packets, the second one is shown last."""
    return boxes(mp4.head(b"\1record", (640, 360), SIZES, [0, 80_000, 40_000], [0], 120_000))


def test_packets_stand_in_decoding_order_and_say_when_they_are_shown(parts):
    """At the times of the frames in order, each with its own distance from there, which may be below 0."""
    assert numbers(parts["stts"], "II") == [3, 40_000]
    assert numbers(parts["ctts"], "Ii") == [1, 0, 1, 40_000, 1, -40_000]
    assert parts["ctts"][0] == 1  # signed
    assert "edts" not in parts


def test_where_the_orders_are_the_same_nothing_is_said_of_them():
    """As most videos without B-frames."""
    parts = boxes(mp4.head(b"\1record", (640, 360), SIZES, [0, 33_367, 66_733], [0, 2], 100_100))

    assert numbers(parts["stts"], "II") == [1, 33_367, 1, 33_366, 1, 33_367]
    assert "ctts" not in parts
    assert numbers(parts["stss"], "I") == [1, 3]


def test_every_packet_is_found(parts):
    """Behind the head, one after the other."""
    first = numbers(parts["co64"], "Q")[0]

    assert first == parts["start"]
    assert numbers(parts["co64"], "Q") == [first, first + 100, first + 120]
    assert numbers(parts["stsz"], "I", skip=8) == SIZES
    head = mp4.head(b"\1record", (640, 360), SIZES, [0, 80_000, 40_000], [0], 120_000)
    assert len(head) == first
    assert unpack_from(">I4sQ", head, len(head) - 16) == (1, b"mdat", 16 + sum(SIZES))


def test_decoders_get_the_parameter_sets_and_the_size(parts):
    """As they came."""
    entry = parts["stsd"]

    assert entry.endswith(b"avcC\1record")
    assert unpack_from(">HH", entry, 8 + 8 + 24) == (640, 360)
