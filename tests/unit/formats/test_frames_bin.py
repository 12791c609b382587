"""Frames of a source as a browser reads them, and what a player calls the time of the first one."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from sightline.formats.frames_bin import encode, size_of
from sightline.sources.named import Source
from sightline.sources.probe import probe
from sightline.types import Part, SourceIndex
from tests.media import encode as encode_clip
from tests.media import joined, mux, picture, shift, video
from tests.unit.scene import images


def index_of(path, kind="video"):
    return probe(Source(kind, path, "a"), None).index


def made(tick, time_base=Fraction(1, 1000), **changes):
    tick = np.array(tick, np.int64)
    index = SourceIndex(
        kind="video",
        name="a",
        codec="h264",
        width=64,
        height=48,
        rotation=0,
        stream=0,
        time_base=time_base,
        frame=np.arange(len(tick)),
        tick=tick,
        pts_us=(tick - tick[0]) * 1000,
        key=np.zeros(len(tick), bool),
        duration_us=400_000,
    )
    return replace(index, **changes)


def read(blob):
    """As `page/js/job/frames.js` does."""
    n = int(np.frombuffer(blob, "<i8", 1, 16)[0])
    column = {"version": blob[8:16], "n": n}
    column["start"], column["duration"] = np.frombuffer(blob, "<i8", 2, 24).tolist()
    column["pts"] = np.frombuffer(blob, "<i8", n, 40).tolist()
    column["frame"] = np.frombuffer(blob, "<i8", n, 40 + 8 * n).tolist()
    column["seq"] = np.frombuffer(blob, "<i4", n, 40 + 16 * n).tolist()
    column["failed"] = list(blob[40 + 20 * n :])
    return column


def test_columns_are_where_a_browser_reads_them():
    """Frames 1 and 3 of four are sampled, frame 2 is known to be damaged."""
    index = made([1400, 1440, 1480, 1520], failed={2: "decode"})

    blob = b"".join(encode(index, np.array([1, 3])))

    assert blob[:8] == b"SLFRAMES"
    assert len(blob) == size_of(index)
    assert read(blob) == {
        "version": b"\1\0\0\0\0\0\0\0",
        "n": 4,
        "start": 1_400_000,
        "duration": 400_000,
        "pts": [0, 40_000, 80_000, 120_000],
        "frame": [0, 1, 2, 3],
        "seq": [-1, 0, -1, 1],
        "failed": [0, 0, 1, 0],
    }


def test_numbered_images_with_a_gap_keep_their_numbers():
    """Rows are not numbers."""
    index = made([0, 1000, 3000], frame=np.array([0, 1, 3]), kind="images", names=("0", "1", "3"))

    assert read(b"".join(encode(index, np.arange(3))))["frame"] == [0, 1, 3]


@pytest.mark.parametrize(
    ("index", "start_us"),
    [
        (made([0, 40]), 0),
        (made([1400, 1440]), 1_400_000),
        (made([-80, -40]), -80_000),
        (made([1, 2], Fraction(1001, 30000)), 33_367),
        (made([5, 6], clock="rate"), 0),
        (made([5, 6], kind="images", clock="names"), 0),
        (made([5000, 5040], parts=(Part(0, 0), Part(9, 4000))), 5_000_000),
        (made([5000, 5040], parts=(Part(0, 100),)), 4_900_000),
    ],
)
def test_players_keep_the_times_that_a_file_has(index, start_us):
    """Where it has some; a first part that was moved is moved back."""
    assert index.media_start_us == start_us


def test_times_of_files(tmp_path):
    """MP4 that begins at 0, Matroska that begins at 2 s, images, recordings joined behind each other."""
    assert index_of(video(tmp_path / "a.mp4", 10)).media_start_us == 0
    assert index_of(video(tmp_path / "b.mkv", 10, edit=shift(50))).media_start_us == 2_000_000
    assert index_of(images(tmp_path / "c", 4, [1]), "images").media_start_us == 0
    clip = encode_clip(picture(number) for number in range(10))
    assert index_of(mux(tmp_path / "d.mkv", joined(clip, clip))).media_start_us == 0
