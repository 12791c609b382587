"""Annotated video: the same frames at the same times, boxes on them, the same bytes every time."""

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sightline.adapters.drawing.overlays import Overlay
from sightline.adapters.drawing.video import render
from sightline.errors import Unavailable

GREY = np.full((48, 64, 3), 90, np.uint8)
ONE = Overlay(np.array([[10.0, 20.0, 40.0, 40.0]]), np.array([1]), ("car 12",))


def frames(times, image=GREY, overlay=ONE):
    return [(image, pts_us, overlay) for pts_us in times]


def decoded(path):
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return [
            (round(frame.pts * stream.time_base * 1_000_000), frame) for frame in container.decode(video=0)
        ]


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10**7), st.lists(st.integers(1, 10**6), max_size=8))
def test_every_frame_keeps_its_own_time(tmp_path_factory, first, steps):
    """Varying distances and a late beginning survive, to the microsecond."""
    path = tmp_path_factory.mktemp("video") / "a.mp4"
    times = [first + int(each) for each in np.cumsum([0, *steps])]

    written = render(frames(times), path)

    assert written == len(times)
    assert [pts_us for pts_us, _ in decoded(path)] == times


def test_the_video_plays_everywhere(tmp_path):
    """H.264 in yuv420p, one stream, no audio, its index before its data."""
    path = tmp_path / "a.mp4"

    render(frames([0, 40_000]), path)

    with av.open(str(path)) as container:
        assert [stream.type for stream in container.streams] == ["video"]
        codec = container.streams.video[0].codec_context
        assert (codec.name, codec.pix_fmt) == ("h264", "yuv420p")
    blob = path.read_bytes()
    assert blob.index(b"moov") < blob.index(b"mdat")


def test_the_same_frames_give_the_same_bytes(tmp_path):
    """No clock, no name of a library, no number of cores is in the file, and nothing that memory held by chance."""
    times = range(0, 400_000, 40_000)

    blobs = set()
    for _ in range(40):
        render(frames(times), tmp_path / "a.mp4")
        blobs.add((tmp_path / "a.mp4").read_bytes())

    assert len(blobs) == 1
    assert b"Lavf" not in blobs.pop()


@pytest.mark.parametrize(("height", "width"), [(47, 63), (48, 63), (47, 64)])
def test_an_odd_side_grows_by_one(tmp_path, height, width):
    """The encoder wants even sides; no pixel of the source is cut off."""
    path = tmp_path / "a.mp4"

    render(frames([0], GREY[:height, :width]), path)

    [(_, frame)] = decoded(path)
    assert (frame.height, frame.width) == (48, 64)


def test_without_frames_there_is_no_file(tmp_path):
    """A video of nothing cannot be played."""
    assert render([], tmp_path / "a.mp4") == 0
    assert list(tmp_path.iterdir()) == []


def test_a_broken_off_video_leaves_nothing(tmp_path):
    """The older file stays until the new one is whole."""
    path = tmp_path / "a.mp4"
    path.write_bytes(b"older")

    def source():
        yield from frames([0, 40_000])
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        render(source(), path)

    assert path.read_bytes() == b"older"
    assert [each.name for each in tmp_path.iterdir()] == ["a.mp4"]


def test_a_folder_that_is_not_there_is_named(tmp_path):
    """The message names the file, not the encoder's state."""
    with pytest.raises(Unavailable, match=r"a\.mp4: cannot be written"):
        render(frames([0]), tmp_path / "missing" / "a.mp4")


def test_two_who_draw_one_video_do_not_mix(tmp_path):
    """The second one is told; what the first one writes is whole."""
    plain, out = tmp_path / "plain.mp4", tmp_path / "a.mp4"
    times = range(0, 400_000, 40_000)
    render(frames(times), plain)

    def meanwhile():
        for number, frame in enumerate(frames(times)):
            if number == 5:
                with pytest.raises(Unavailable, match="another process draws") as error:
                    render(frames(times[:3]), out)
                assert error.value.code == "locked"
            yield frame

    render(meanwhile(), out)

    assert out.read_bytes() == plain.read_bytes()
    assert {path.name for path in tmp_path.iterdir()} == {"plain.mp4", "a.mp4"}


def test_what_a_killed_process_left_is_written_over(tmp_path):
    """Nobody holds it any more."""
    (tmp_path / ".a.mp4.part").write_bytes(b"half a video" * 10_000)

    assert render(frames([0, 40_000]), tmp_path / "a.mp4") == 2
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]
