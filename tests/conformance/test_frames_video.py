"""The video reader keeps the contract of `FrameReader`, on every kind of stream that is decoded differently."""

import os

import pytest

from sightline.adapters.video.reader import VideoReader
from sightline.vision.sampling import chunks
from tests import media
from tests.conformance.suite_frames import SPEC, FrameReaderSuite
from tests.integration import bad_files

OPEN_GOP = {"x264-params": "open-gop=1:keyint=12:min-keyint=12:scenecut=0", "preset": "medium"}
OPEN_GOP_H265 = {"x265-params": "log-level=none:open-gop=1:keyint=15:min-keyint=15"}
SHORT_GOP = {"x264-params": "scenecut=0:keyint=3:min-keyint=3:b-adapt=0", "preset": "medium"}
REFRESH = {"x264-params": "intra-refresh=1:keyint=12:min-keyint=12"}

SIXTY = range(60)
# Name, how it is made, and the numbers that its frames show; None where damage makes some unreadable.
SOURCES = {
    "h264.mp4": (lambda path: media.video(path, b_frames=2), SIXTY),
    "h264.mkv": (lambda path: media.video(path, b_frames=2), SIXTY),
    "h264.ts": (lambda path: media.video(path, b_frames=2, header=False), SIXTY),
    "h264-counted.avi": (lambda path: media.video(path, b_frames=2, header=False), SIXTY),
    "h264-raw.h264": (lambda path: media.video(path, b_frames=2, header=False), SIXTY),
    "raw.mjpeg": (lambda path: media.video(path, **media.MJPEG), SIXTY),
    "raw.m2v": (lambda path: media.video(path, codec="mpeg2video", b_frames=2, header=False), SIXTY),
    "open-gop.mp4": (lambda path: media.video(path, b_frames=3, options=OPEN_GOP), SIXTY),
    "open-gop.ts": (lambda path: media.video(path, b_frames=3, header=False, options=OPEN_GOP), SIXTY),
    "short-gop.mp4": (lambda path: media.video(path, b_frames=3, gop=3, options=SHORT_GOP), SIXTY),
    "short-gop.ts": (lambda path: media.video(path, b_frames=2, gop=2, header=False), SIXTY),
    "intra-refresh.ts": (lambda path: media.video(path, header=False, options=REFRESH), SIXTY),
    "h265.mp4": (lambda path: media.video(path, codec="libx265", b_frames=3, options=OPEN_GOP_H265), SIXTY),
    "mpeg2.ts": (lambda path: media.video(path, codec="mpeg2video", b_frames=2, header=False), SIXTY),
    "mpeg4.avi": (lambda path: media.video(path, codec="mpeg4", b_frames=2), SIXTY),
    "packed.avi": (media.packed_mpeg4, SIXTY),
    "fields.mp4": (lambda path: media.paff(path, 60), SIXTY),
    "fields.ts": (lambda path: media.paff(path, 60), SIXTY),
    "mjpeg.avi": (lambda path: media.video(path, codec="mjpeg", pix_fmt="yuvj420p"), SIXTY),
    "vp8-hidden.mkv": (
        lambda path: media.video(path, codec="libvpx", gop=20, edit=media.hide_vp8),
        [number for number in SIXTY if number not in media.HIDDEN_VP8],
    ),
    "vp9.webm": (lambda path: media.video(path, **media.VP9), SIXTY),
    "vp9-hidden.avi": (lambda path: media.video(path, edit=media.hide_vp9, **media.VP9), SIXTY),
    "vp9-superframes.webm": (lambda path: media.video(path, edit=media.hide_vp9, **media.VP9), SIXTY),
    "av1.mp4": (lambda path: media.video(path, codec="libsvtav1", gop=20, options={"preset": "8"}), SIXTY),
    "edit-list.mp4": (
        lambda path: media.video(
            path, b_frames=2, edit=media.shift(-10), mux_options={"avoid_negative_ts": "disabled"}
        ),
        range(10, 60),
    ),
    "repeated-pts.mkv": (lambda path: media.video(path, **media.MJPEG, edit=media.repeat_pts), SIXTY),
    "falling-pts.mkv": (lambda path: media.video(path, **media.MJPEG, edit=media.swap_pts), SIXTY),
    "fragments.mp4": (
        lambda path: media.video(path, b_frames=2, mux_options={"movflags": "frag_keyframe+empty_moov"}),
        SIXTY,
    ),
    "joined.ts": (bad_files.joined_recordings, SIXTY),
    "size-change.ts": (media.size_change, range(40)),
    "truncated.mp4": (
        lambda path: media.truncate(
            media.video(path, b_frames=2, mux_options={"movflags": "faststart"}), 0.6
        ),
        None,
    ),
    "truncated.ts": (
        lambda path: media.truncate(media.video(path, 80, b_frames=2, header=False), 0.6),
        None,
    ),
    "damaged.mp4": (lambda path: media.damage(media.video(path, b_frames=2)), None),
}


@pytest.fixture(scope="module", params=list(SOURCES))
def source(request, tmp_path_factory):
    make, numbers = SOURCES[request.param]
    return make(tmp_path_factory.mktemp("video") / request.param), numbers


class TestVideo(FrameReaderSuite):
    @pytest.fixture
    def open_reader(self, source):
        return lambda: VideoReader(source[0], SPEC)

    @pytest.fixture
    def missing_reader(self, tmp_path):
        return VideoReader(tmp_path / "nothing.mp4", SPEC)

    def test_each_picture_comes_exactly_once(self, source):
        """Pictures carry their number: an intact file gives every frame, in order, and no other."""
        path, numbers = source
        if numbers is None:
            return
        reader = VideoReader(path, SPEC)
        index = reader.index()

        found = [
            media.number_of(frame.buffer)
            for chunk in chunks(index, self.at_least)
            for frame in reader.read(
                chunk,
                range(chunk.first, chunk.end),
                index.tick[chunk.first : chunk.end].tolist(),
                self.buffer,
            )
        ]

        assert found == list(numbers)


def test_whoever_makes_a_clip_is_no_real_time_process_afterwards(tmp_path):
    """As an encoder makes of root's: with it all servers that tests start would keep everybody else from the processor."""
    media.video(tmp_path / "av1.mp4", count=2, codec="libsvtav1", options={"preset": "12"})

    assert os.sched_getscheduler(0) == os.SCHED_OTHER
