"""Streams without a container, and files that were cut off: times are made, and what is not there is said."""

import io
from fractions import Fraction

import numpy as np
import pytest
from PIL import Image

from sightline.adapters.video.reader import VideoReader
from sightline.types import ImageSpec
from sightline.vision.sampling import chunks, rate, sample
from tests import media

SPEC = ImageSpec(64, 48, "rgb")
SILENT = {"codec": "libx265", "options": {"x265-params": "log-level=none:vui-timing-info=0"}}
RAW = {
    "h264": ("clip.h264", {"header": False, "b_frames": 2}),
    "264": ("clip.264", {"header": False}),
    "hevc": ("clip.hevc", {"header": False, "b_frames": 2, **SILENT}),
    "265": ("clip.265", {"header": False, **SILENT}),
    "m4v": ("clip.m4v", {"header": False, "codec": "mpeg4"}),
    "m2v": ("clip.m2v", {"header": False, "codec": "mpeg2video", "b_frames": 2}),
    "mjpeg": ("clip.mjpeg", media.MJPEG),
    "multipart": ("multipart.mjpeg", media.MJPEG),
}
ENDINGS = {".264": "h264", ".265": "hevc", ".mjpeg": "mjpeg", ".m4v": "m4v"}


def raw(folder, kind, count=40):
    """A stream of numbered pictures; 25 a second, where its header has a place to say so."""
    name, how = RAW[kind]
    clip = media.encode((media.picture(number) for number in range(count)), **how)
    if kind == "multipart":
        return multipart(folder / name, clip)
    path = folder / name
    return media.mux(path, clip, format=ENDINGS.get(path.suffix))


def multipart(path, clip, head=b"", line=b"\r\n"):
    """JPEG pictures as a web camera sends them."""
    parts = (
        line.join(
            [b"--frame", b"Content-Type: image/jpeg", b"Content-Length: %d" % len(content), b"", content, b""]
        )
        for content, *_ in clip.packets
    )
    path.write_bytes(head + b"".join(parts))
    return path


def numbers(path, **how):
    reader = VideoReader(path, SPEC, **how)
    index = reader.index()
    return [
        media.number_of(found.buffer)
        for chunk in chunks(index, 4)
        for found in reader.read(
            chunk,
            range(chunk.first, chunk.end),
            index.tick[chunk.first : chunk.end].tolist(),
            lambda: np.zeros(SPEC.shape(), np.uint8),
        )
    ]


def said(index):
    return {caveat.code: caveat.detail for caveat in index.caveats}


@pytest.mark.parametrize("kind", list(RAW))
class TestRawStreams:
    def test_every_frame_comes(self, tmp_path, kind):
        """In order, with a given rate and without one."""
        path = raw(tmp_path, kind)

        assert numbers(path) == list(range(40))
        assert numbers(path, fps=Fraction(10)) == list(range(40))

    @pytest.mark.parametrize("fps", [Fraction(10), Fraction(30_000, 1001), Fraction(1, 5)])
    def test_a_given_rate_makes_the_times(self, tmp_path, kind, fps):
        """Exactly, and nothing is left to warn of."""
        index = VideoReader(raw(tmp_path, kind), SPEC, fps=fps).index()

        assert index.clock == "rate"
        assert index.pts_us.tolist() == [round(number * 1_000_000 / fps) for number in range(40)]
        assert rate(index, sample(index, 1)) == fps
        assert index.duration_us in (int(index.pts_us[-1]) + round(1_000_000 / fps), round(40_000_000 / fps))
        assert "timestamps" not in said(index)

    def test_without_one_the_assumption_is_said(self, tmp_path, kind):
        """What the header says, else 25; and what to do about it."""
        index = VideoReader(raw(tmp_path, kind), SPEC).index()

        assert rate(index, sample(index, 1)) == 25
        assert index.duration_us == 1_600_000
        assert "25 frames a second" in said(index)["timestamps"]
        assert "--fps" in said(index)["timestamps"]
        assumed = kind in ("hevc", "265", "mjpeg", "multipart")
        assert ("assumption" in said(index)["timestamps"]) == assumed

    def test_a_chunk_alone_equals_the_whole(self, tmp_path, kind):
        """Times that are made up lead nowhere in the file: it is read from its start on."""
        path = raw(tmp_path, kind)
        index = VideoReader(path, SPEC).index()
        expected = numbers(path)

        for chunk in reversed(chunks(index, 4)):
            reader = VideoReader(path, SPEC, index=index)
            rows = range(chunk.first, chunk.end)
            found = reader.read(
                chunk, rows, index.tick[list(rows)].tolist(), lambda: np.zeros(SPEC.shape(), np.uint8)
            )
            assert [media.number_of(each.buffer) for each in found] == expected[chunk.first : chunk.end]
            reader.close()


@pytest.mark.parametrize(
    ("head", "line"),
    [
        (b"", b"\n"),
        (b"\r\n", b"\r\n"),
        (b"HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n", b"\r\n"),
    ],
)
def test_a_web_cameras_answer_opens_however_it_was_saved(tmp_path, head, line):
    """With the server's own head or without it, with either kind of line."""
    clip = media.encode((media.picture(number) for number in range(12)), **media.MJPEG)

    assert numbers(multipart(tmp_path / "cam.mjpg", clip, head, line)) == list(range(12))


def test_the_headers_own_rate_is_taken(tmp_path):
    """H.264 that says 10 frames a second."""
    clip = media.encode((media.picture(number) for number in range(20)), header=False, rate=10)
    index = VideoReader(media.mux(tmp_path / "clip.h264", clip), SPEC).index()

    assert rate(index, sample(index, 1)) == 10
    assert "10 frames a second, as its header says" in said(index)["timestamps"]


CUT = {
    "clip.mkv": {},
    "clip.webm": {"codec": "libvpx"},
    "clip.avi": {"codec": "mpeg4"},
    "clip.flv": {"mux_options": {"flvflags": "no_duration_filesize"}},
    "clip.ts": {"header": False},
    "fragments.mp4": {"mux_options": {"movflags": "frag_keyframe+empty_moov"}},
    "clip.mp4": {"mux_options": {"movflags": "faststart"}},
}


@pytest.mark.parametrize("name", list(CUT))
class TestCutFiles:
    def test_a_whole_file_says_nothing(self, tmp_path, name):
        """No warning at all."""
        assert VideoReader(media.video(tmp_path / name, **CUT[name]), SPEC).index().caveats == ()

    @pytest.mark.parametrize("share", [0.45, 0.7, 0.93, 0.995])
    def test_a_cut_one_does(self, tmp_path, name, share):
        """By frames that the container counts and the file no longer holds, or by its last bytes."""
        path = media.video(tmp_path / name, **CUT[name])
        content = path.read_bytes()
        path.write_bytes(content[: int(len(content) * share) | 1])
        index = VideoReader(path, SPEC).index()

        assert "cut_off" in said(index) or "truncated" in index.failed.values()
        assert 0 < len(index) <= 60


@pytest.mark.parametrize("b_frames", [0, 2])
def test_a_transport_stream_cut_between_its_packets_may_be_cut_within_a_frame(tmp_path, b_frames):
    """Then that frame does not decode; a stream that ends with a frame is whole."""
    path = media.video(tmp_path / "clip.ts", header=False, b_frames=b_frames)
    content = path.read_bytes()
    begins = [content[at + 1] & 0x40 for at in range(0, len(content), 188)]
    found = {True: [], False: []}
    for packets in range(40, 160):
        path.write_bytes(content[: 188 * packets])
        found[bool(begins[packets])].append("cut_off" in said(VideoReader(path, SPEC).index()))

    assert not any(found[True])
    assert sum(found[False]) > 0.9 * len(found[False])


@pytest.mark.parametrize("name", ["clip.mp4", "clip.avi", "clip.mkv"])
@pytest.mark.parametrize("behind", [bytes(64), b"GPS 52.5N 13.4E " * 20, b"x"])
def test_what_was_appended_to_a_whole_file_is_no_cut(tmp_path, name, behind):
    """Dashcams write their own behind the container, copies are padded with zeros."""
    path = media.video(tmp_path / name, **CUT[name])
    path.write_bytes(path.read_bytes() + behind)

    assert "cut_off" not in said(VideoReader(path, SPEC).index())


def test_pictures_with_exif_are_read(tmp_path):
    """FFmpeg hands it on beside the frame, as a kind that PyAV does not know."""
    exif = Image.Exif()
    exif[0x010F] = "Cam"
    stream = io.BytesIO()
    for number in range(30):
        Image.fromarray(media.picture(number)).save(stream, "JPEG", exif=exif)
    path = tmp_path / "clip.mjpeg"
    path.write_bytes(stream.getvalue())

    assert len(VideoReader(path, SPEC).index()) == 30


def test_an_avi_without_sizes_is_whole(tmp_path):
    """A writer that cannot go back leaves them open."""
    path = media.video(tmp_path / "clip.avi", codec="mpeg4", header=False)
    content = bytearray(path.read_bytes())
    content[4:8] = b"\xff" * 4
    path.write_bytes(content)

    assert "cut_off" not in said(VideoReader(path, SPEC).index())
