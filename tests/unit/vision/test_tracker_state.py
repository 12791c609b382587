"""The saved form of a tracker."""

import json
import re
import struct
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sightline.errors import Corrupt, Misconfigured
from sightline.types import Detections
from sightline.vision import tracker_state
from sightline.vision.bytetrack import TrackerSettings, decode, encode, initial, step
from sightline.vision.tracker_state import HEADER, VERSION
from tests.data.tracker.make import name_of, rows
from tests.laws.tracker_scenes import BYTETRACK, EVERY, EVIDENCE, QUALITY, play, street

MODES = pytest.mark.parametrize("settings", EVERY, ids=["bytetrack", "quality", "section", "evidence"])
GOLDEN = Path(__file__).resolve().parents[2] / "data" / "tracker"


def busy(settings: TrackerSettings):
    return play(settings, street(5, 14, 40))[0]


def changed(blob: bytes, at: int, new: bytes) -> bytes:
    """The blob with other bytes at a place, and a checksum that fits."""
    body = blob[:at] + new + blob[at + len(new) : -4]
    return body + struct.pack("<I", zlib.crc32(body))


@MODES
def test_what_is_loaded_is_what_was_saved(settings):
    """Every field and every bit comes back, and saves to the same bytes."""
    state = busy(settings)
    assert len(state) > state.tracked > 0

    loaded = decode(settings, encode(settings, state))

    for name in ("frames", "pts_us", "next_id", "tracked"):
        assert getattr(loaded, name) == getattr(state, name)
    assert np.array_equal(loaded.facts, state.facts)
    assert np.array_equal(loaded.motion, state.motion)
    assert np.array_equal(loaded.scores, state.scores)
    assert encode(settings, loaded) == encode(settings, state)


@MODES
def test_a_tracker_that_saw_nothing_can_be_saved(settings):
    """The state before the first frame is a state: a header, no confidences and a checksum."""
    blob = encode(settings, initial(settings))

    assert len(blob) == HEADER.size + 4 + 8 * (101 if settings.evidence else 0)
    assert encode(settings, decode(settings, blob)) == blob


def test_the_size_is_that_of_the_table():
    """182 bytes a track, and 808 for the confidences of the video, below 9 KB for 44 tracks."""
    for settings, scores in ((QUALITY, 0), (EVIDENCE, 808)):
        state = busy(settings)

        assert len(encode(settings, state)) == HEADER.size + 4 + 182 * len(state) + scores
    assert HEADER.size + 4 + 44 * 182 + 808 < 9000


def test_equal_states_of_different_memory_give_equal_bytes():
    """Bytes depend on values only, not on strides or on who made the arrays."""
    state = busy(QUALITY)

    other = replace(state, motion=np.asfortranarray(state.motion), facts=np.asfortranarray(state.facts))

    assert encode(QUALITY, other) == encode(QUALITY, state)


def test_the_documented_table_lists_every_part():
    """The module's table names the parts in the order in which they are written."""
    parts = re.findall(r"^\| (\w+) \|", tracker_state.__doc__, re.MULTILINE)

    header = [
        "magic",
        "version",
        "mode",
        "reserved",
        "rows",
        "bins",
        "frames",
        "pts_us",
        "next_id",
        "digest",
    ]
    columns = ["track_id", "state", "flags", "motion", "last_frame", "last_pts_us", "birth"]
    assert parts == ["part", *header, *columns, "scores", "crc"]


@pytest.mark.parametrize(
    ("damage", "error", "message"),
    [
        (lambda blob: b"", Corrupt, "0 bytes"),
        (lambda blob: b"JUNK" + blob[4:], Corrupt, "begin b'JUNK'"),
        (lambda blob: blob[:-1], Corrupt, "expected"),
        (lambda blob: blob + b"\0", Corrupt, "expected"),
        (lambda blob: blob[:100] + bytes((blob[100] ^ 1,)) + blob[101:], Corrupt, "checksum"),
        (lambda blob: blob[:-4] + b"\0\0\0\0", Corrupt, "checksum"),
        (lambda blob: changed(blob, 4, struct.pack("<H", VERSION + 1)), Misconfigured, "format version 3"),
        (lambda blob: changed(blob, 6, b"\0"), Misconfigured, "mode bytetrack"),
        (lambda blob: changed(blob, 6, b"\7"), Misconfigured, "mode 7"),
    ],
)
def test_a_damaged_or_foreign_state_is_refused(damage, error, message):
    """The reader says what is wrong and never goes on with it."""
    blob = encode(QUALITY, busy(QUALITY))

    with pytest.raises(error, match=message):
        decode(QUALITY, damage(blob))


@pytest.mark.parametrize(
    "other",
    [
        {"mode": "bytetrack"},
        {"track_high_thresh": 0.5},
        {"track_low_thresh": 0.2},
        {"new_track_thresh": 0.65},
        {"match_thresh": 0.8},
        {"track_buffer": 31},
        {"fuse_score": False},
        {"own_motion": False},
        {"online": False},
        {"evidence": True},
    ],
)
def test_other_settings_are_refused(other):
    """Going on with other settings would be another result; every setting counts."""
    blob = encode(QUALITY, busy(QUALITY))

    with pytest.raises(Misconfigured, match="written with other settings"):
        decode(replace(QUALITY, **other), blob)


def test_the_type_of_a_number_does_not_matter():
    """A buffer of 30 is one of 30.0."""
    blob = encode(QUALITY, busy(QUALITY))

    assert len(decode(replace(QUALITY, track_buffer=30.0), blob)) > 0


@pytest.mark.parametrize("settings", [BYTETRACK, QUALITY, EVIDENCE], ids=["bytetrack", "quality", "evidence"])
def test_a_state_of_version_2_goes_on_as_it_did(settings):
    """A blob of the format version, with every kind of row, gives the output recorded then, bit for bit."""
    name = name_of(settings, 2)
    blob = (GOLDEN / f"{name}.bin").read_bytes()
    expected = json.loads((GOLDEN / f"{name}.json").read_text())

    state = decode(settings, blob)
    for frame in expected:
        table = np.array(frame["detections"], float).reshape(-1, 6)
        detections = Detections(table[:, :4], table[:, 4], table[:, 5].astype(np.int64))
        state, tracks, births = step(settings, state, detections, frame["pts_us"], frame["seq"])

        assert rows(tracks) == frame["tracks"]
        assert births.track_id.tolist() == frame["births"]
    assert any(frame["births"] for frame in expected)
