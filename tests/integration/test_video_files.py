"""Real videos and broken files: what the index says, what comes out, and what a user is told."""

import zlib
from fractions import Fraction

import av
import numpy as np
import pytest

from sightline.adapters.video.file import UPLOADS, VideoLimits
from sightline.adapters.video.reader import VideoReader
from sightline.errors import InvalidVideo, NotFound
from sightline.types import Chunk, ImageSpec
from sightline.vision.sampling import chunks, rate, sample
from tests import media

SPEC = ImageSpec(64, 48, "i420")

# Name: frames, width, height, rotation, codec, key frames, rate.
REAL = {
    "bikes.mp4": (250, 640, 272, 0, "h264", 6, Fraction(25)),
    "car-detection-mjpeg.avi": (150, 384, 216, 0, "mjpeg", 150, Fraction(25, 2)),
    "car-detection-vfr.mp4": (238, 768, 432, 0, "h264", 7, Fraction(25, 2)),
    "car-detection.mp4": (377, 768, 432, 0, "h264", 7, Fraction(25, 2)),
    "corrupted-midstream.mp4": (50, 1280, 720, 0, "h264", 1, Fraction(10)),
    "highway-video1.avi": (500, 320, 240, 0, "mpeg4", 2, Fraction(14_999, 1000)),
    "nasa_13013.mp4": (390, 480, 270, 0, "h264", 2, Fraction(30_000, 1001)),
    "one-by-one-person-detection.mp4": (1394, 768, 432, 0, "h264", 140, Fraction(10)),
    "one-by-one-single-keyframe.mp4": (400, 768, 432, 0, "h264", 1, Fraction(10)),
    "realshort.mp4": (36, 320, 240, 0, "h264", 2, Fraction(45_000, 1499)),
    "video_90.mov": (3, 320, 568, 270, "h264", 1, Fraction(30)),
}


def buffer():
    return np.empty(SPEC.shape(), np.uint8)


def read(reader, chunk, rows=None):
    """Row, outcome, reason and checksum of each frame of a chunk."""
    rows = range(chunk.first, chunk.end) if rows is None else rows
    ticks = reader.index().tick[list(rows)].tolist()
    return [
        (found.row, found.outcome, found.reason, found.buffer is not None and zlib.crc32(found.buffer))
        for found in reader.read(chunk, rows, ticks, buffer)
    ]


def read_all(reader):
    return [frame for chunk in chunks(reader.index()) for frame in read(reader, chunk)]


def codes(index):
    return {caveat.code for caveat in index.caveats}


class TestRealFiles:
    @pytest.fixture
    def video(self, shared):
        return shared / "data" / "real" / "video"

    @pytest.mark.parametrize("name", list(REAL))
    def test_the_index_describes_the_file(self, video, name):
        """Frames, size, rotation, codec and key frames, found without decoding."""
        index = VideoReader(video / name, SPEC).index()

        found = (len(index), index.width, index.height, index.rotation, index.codec, int(index.key.sum()))
        assert (*found, rate(index, sample(index, 1))) == REAL[name]
        assert not index.counted

    @pytest.mark.parametrize("name", list(REAL))
    def test_every_chunk_alone_equals_the_whole(self, video, name):
        """Pixel for pixel, wherever reading begins, in chunks of any size."""
        whole = read_all(VideoReader(video / name, SPEC))
        index = VideoReader(video / name, SPEC).index()

        assert [row for row, *_ in whole] == list(range(len(index)))
        for at_least in (1, 32) if len(index) < 300 else (32,):
            for chunk in chunks(index, at_least):
                reader = VideoReader(video / name, SPEC)
                assert read(reader, chunk) == whole[chunk.first : chunk.end]
                reader.close()

    def test_a_range_that_begins_anywhere(self, video):
        """Rows in the middle of a group come out as in the whole."""
        whole = read_all(VideoReader(video / "bikes.mp4", SPEC))
        reader = VideoReader(video / "bikes.mp4", SPEC)
        chunk = chunks(reader.index())[2]

        rows = range(chunk.first + 11, chunk.end - 3, 4)

        assert read(reader, chunk, rows) == [whole[row] for row in rows]

    def test_a_corrupt_frame_is_failed_and_the_others_come(self, video):
        """49 of 50; only the frame of pts 30720 is missing."""
        reader = VideoReader(video / "corrupted-midstream.mp4", SPEC)

        found = read_all(reader)

        failed = [(row, reason) for row, outcome, reason, _ in found if outcome == "failed"]
        assert failed == [(30, "decode")]
        assert reader.index().tick[30] == 30_720
        assert dict(reader.index().failed) == {30: "decode"}

    def test_variable_distances_keep_their_times(self, video):
        """Gaps of 1, 2, 3, 9 and 26 steps of 80 ms."""
        index = VideoReader(video / "car-detection-vfr.mp4", SPEC).index()

        assert index.vfr
        assert set((np.diff(index.pts_us) // 80_000).tolist()) == {1, 2, 3, 9, 26}

    def test_the_best_of_two_streams_is_taken_and_named(self, video):
        """The first one is smaller."""
        index = VideoReader(video / "nasa_13013.mp4", SPEC).index()

        assert index.stream == 3
        assert codes(index) == {"streams"}


class TestBrokenFiles:
    @pytest.mark.parametrize(
        ("name", "make", "code"),
        [
            ("nothing.mp4", lambda path: path.write_bytes(b""), "empty"),
            ("text.mp4", lambda path: path.write_text("Once upon a time\n" * 100), "not_video"),
            ("noise.mp4", lambda path: path.write_bytes(bytes(range(7, 256)) * 50), "not_video"),
            ("sound.mp4", media.sound_only, "no_video"),
            ("no-index.mp4", lambda path: media.truncate(media.video(path, 20), 0.7), "unreadable"),
            ("frameless.avi", media.frameless, "no_frame"),
            (
                "noise-behind-ftyp.mp4",
                lambda path: path.write_bytes(b"\0\0\0\x18ftypisom" + bytes(range(256)) * 20),
                "unreadable",
            ),
            ("cover.mp4", media.cover_only, "no_video"),
        ],
    )
    def test_the_error_names_the_fault_and_what_to_do(self, tmp_path, name, make, code):
        """A stable word for machines, the name and advice for people, no folder of this machine."""
        make(tmp_path / name)

        with pytest.raises(InvalidVideo) as caught:
            VideoReader(tmp_path / name, SPEC).index()

        assert caught.value.code == code
        assert str(caught.value).startswith(f"{name}: ")
        assert ": " in caught.value.reason
        assert str(tmp_path) not in str(caught.value)

    def test_a_missing_file_is_not_found_when_it_is_read(self, tmp_path):
        """A worker may come after the file has gone."""
        reader = VideoReader(tmp_path / "gone.mp4", SPEC)

        with pytest.raises(NotFound, match=r"gone\.mp4"):
            list(reader.read(Chunk(0, 0, 1, 0, None), [0], [0], buffer))

    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("list.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nclip.ts\n#EXT-X-ENDLIST\n"),
            ("list.mp4", "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nfile:clip.ts\n#EXT-X-ENDLIST\n"),
            ("list.ffconcat", "ffconcat version 1.0\nfile clip.ts\n"),
            ("list.txt", "ffconcat version 1.0\nfile clip.ts\n"),
            ("call.sdp", "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n"),
            (
                "list.mpd",
                '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><Period/></MPD>',
            ),
        ],
    )
    def test_a_playlist_is_refused(self, tmp_path, name, text):
        """It names other files or addresses; none of them is opened."""
        media.video(tmp_path / "clip.ts", 10, header=False)
        (tmp_path / name).write_text(text)

        with pytest.raises(InvalidVideo) as caught:
            VideoReader(tmp_path / name, SPEC).index()

        assert caught.value.code == "not_video"

    def test_a_name_that_looks_like_a_protocol_is_a_file(self, tmp_path, monkeypatch):
        """Only files are opened, whatever they are called."""
        monkeypatch.chdir(tmp_path)
        clip = media.video(tmp_path / "clip.mp4", 10)
        odd = clip.rename(tmp_path / "concat:clip|http:.mp4")

        assert len(VideoReader(odd.relative_to(tmp_path), SPEC).index()) == 10

    @pytest.mark.parametrize(
        "limits",
        [
            VideoLimits(side=159),
            VideoLimits(pixels=160 * 96 - 1),
            VideoLimits(frames=59),
            VideoLimits(streams=0),
        ],
    )
    def test_over_a_limit_is_refused(self, tmp_path, limits):
        """Before anything is decoded into memory."""
        path = media.video(tmp_path / "clip.mp4")

        with pytest.raises(InvalidVideo) as caught:
            VideoReader(path, SPEC, limits=limits).index()

        assert caught.value.code == "limit"

    def test_uploads_are_of_few_kinds(self, tmp_path):
        """A codec or container that is not on the list is refused."""
        codec = media.video(tmp_path / "lossless.mkv", 5, codec="ffv1")
        container = media.video(tmp_path / "moving.gif", 5, codec="gif", pix_fmt="rgb8")

        for path, code in ((codec, "unreadable"), (container, "not_video")):
            with pytest.raises(InvalidVideo) as caught:
                VideoReader(path, SPEC, limits=UPLOADS).index()
            assert caught.value.code == code


class TestOddFiles:
    def test_a_truncated_file_fails_what_it_no_longer_holds(self, tmp_path):
        """The container promises 60 frames; those behind the end are `truncated`, the others come."""
        path = media.video(tmp_path / "clip.mp4", b_frames=2, mux_options={"movflags": "faststart"})
        with av.open(str(path)) as clip:
            packets = [packet for packet in clip.demux(video=0) if packet.dts is not None]
            ends = [packet.pos + packet.size for packet in sorted(packets, key=lambda each: each.pts)]
        kept = media.truncate(path, 0.6).stat().st_size
        lost = [seq for seq, end in enumerate(ends) if end > kept]
        reader = VideoReader(path, SPEC)

        found = read_all(reader)

        assert 10 < len(lost) < 40
        assert [seq for seq, outcome, _, _ in found if outcome == "failed"] == lost
        assert dict(reader.index().failed) == dict.fromkeys(lost, "truncated")
        assert {reason for _, outcome, reason, _ in found if outcome == "failed"} == {"truncated"}
        assert "damaged" in codes(reader.index())

    def test_a_header_that_claims_more_is_a_warning(self, tmp_path):
        """Frames are what the file holds."""
        path = media.video(tmp_path / "clip.avi", codec="mpeg4", header=False)
        index = VideoReader(media.truncate(path, 0.5), SPEC).index()

        assert index.claimed_frames == 60
        assert len(index) < 60
        assert "claimed_frames" in codes(index)

    def test_repeated_times_are_made_to_rise(self, tmp_path):
        """Every frame stays, at least a microsecond behind the one before, and the user is told."""
        path = media.video(tmp_path / "clip.mkv", **media.MJPEG, edit=media.repeat_pts)
        index = VideoReader(path, SPEC).index()

        assert len(index) == 60
        assert index.counted
        assert index.pts_us[:4].tolist() == [0, 1, 80_000, 80_001]
        assert {"timestamps", "counted"} <= codes(index)

    def test_without_times_the_frame_rate_makes_them(self, tmp_path):
        """A raw stream has none."""
        index = VideoReader(media.video(tmp_path / "clip.h264", header=False), SPEC).index()

        assert index.counted
        assert index.pts_us[:3].tolist() == [0, 40_000, 80_000]
        assert "timestamps" in codes(index)

    def test_decoding_times_stand_in(self, tmp_path):
        """H.264 with B-frames in AVI has no other."""
        path = media.video(tmp_path / "clip.avi", b_frames=2, header=False)
        index = VideoReader(path, SPEC).index()

        assert index.counted
        assert index.pts_us[:3].tolist() == [0, 40_000, 80_000]
        assert rate(index, sample(index, 1)) == 25

    def test_the_clock_starts_at_the_first_frame(self, tmp_path):
        """A stream may begin at any time."""
        path = media.video(tmp_path / "clip.ts", edit=media.shift(1000), header=False)
        index = VideoReader(path, SPEC).index()

        assert index.tick[0] > 0
        assert index.pts_us[0] == 0
        assert index.duration_us == 60 * 40_000

    def test_a_gap_is_not_filled(self, tmp_path):
        """Time runs on, no frame is invented."""

        def pause(clip):
            clip.packets = [
                (content, pts + 50 * (pts >= 24), dts + 50 * (pts >= 24), key)
                for content, pts, dts, key in clip.packets
            ]

        index = VideoReader(media.video(tmp_path / "clip.mp4", edit=pause), SPEC).index()

        assert len(index) == 60
        assert index.vfr
        assert np.diff(index.pts_us)[23] == 51 * 40_000

    @pytest.mark.parametrize("degrees", [90, 180, 270])
    def test_rotation_is_applied(self, tmp_path, degrees):
        """The picture comes upright, and its size is that of the screen."""
        path = media.video(tmp_path / "clip.mp4", 10, size=(96, 160), rotation=degrees)
        index = VideoReader(path, SPEC).index()
        image = ImageSpec(0, 0)
        reader = VideoReader(path, image)
        (chunk,) = chunks(index)

        upright = [
            np.rot90(found.buffer, -index.rotation // 90)
            for found in reader.read(
                chunk,
                [0, 7],
                [int(index.tick[0]), int(index.tick[7])],
                lambda: np.empty((index.height, index.width, 3), np.uint8),
            )
        ]

        assert index.rotation == degrees
        assert (index.width, index.height) == ((96, 160) if degrees == 180 else (160, 96))
        assert [media.number_of(picture) for picture in upright] == [0, 7]

    def test_other_sizes_are_scaled_to_the_first_and_named(self, tmp_path):
        """The caveat depends on the frames read alone."""
        path = media.size_change(tmp_path / "clip.ts")
        early, late = VideoReader(path, SPEC), VideoReader(path, SPEC)
        cuts = chunks(early.index(), 8)

        read(early, cuts[0])
        read(late, cuts[-1])

        assert early.caveats == ()
        assert [caveat.code for caveat in late.caveats] == ["size_change"]
        assert (early.index().width, early.index().height) == (160, 96)

    def test_frames_that_grow_over_the_limit_fail(self, tmp_path):
        """A frame is as limited as the file."""
        path = media.size_change(tmp_path / "clip.ts")
        reader = VideoReader(path, SPEC, limits=VideoLimits(pixels=160 * 96))

        found = read_all(reader)

        assert [outcome for _, outcome, _, _ in found] == ["ok"] * 20 + ["failed"] * 20
        assert {reason for _, _, reason, _ in found[20:]} == {"limit"}

    def test_pixels_that_are_not_square_are_named(self, tmp_path):
        """Boxes are in stored pixels."""
        path = media.video(tmp_path / "clip.mp4", 10, aspect=Fraction(4, 3))

        assert codes(VideoReader(path, SPEC).index()) == {"pixel_aspect"}

    @pytest.mark.parametrize(
        ("name", "count", "making"),
        [
            ("one.mp4", 1, {}),
            ("dot.mkv", 3, {"codec": "ffv1", "size": (1, 1), "pix_fmt": "yuv444p"}),
            ("odd.mp4", 20, {"size": (161, 97), "pix_fmt": "yuv444p"}),
            ("deep.mkv", 20, {"codec": "ffv1", "pix_fmt": "yuv420p10le"}),
            ("grey.mkv", 20, {"codec": "ffv1", "pix_fmt": "gray"}),
            ("alpha.mov", 20, {"codec": "qtrle", "pix_fmt": "argb"}),
            ("fields.mpg", 20, {"codec": "mpeg2video", "header": False}),
        ],
    )
    def test_unusual_pictures_are_ready(self, tmp_path, name, count, making):
        """One frame, one pixel, odd sides, ten bits, grey, transparency."""
        reader = VideoReader(media.video(tmp_path / name, count, **making), SPEC)

        found = read_all(reader)

        assert [(row, outcome) for row, outcome, _, _ in found] == [(row, "ok") for row in range(count)]
        assert reader.index().duration_us == count * 40_000

    def test_files_of_nanoseconds_keep_their_frames(self, tmp_path):
        """Absurd time scales are ignored: two ticks within a microsecond are two frames."""

        def crowd(clip):
            clip.packets = [(content, row, row, key) for row, (content, _, _, key) in enumerate(clip.packets)]

        path = media.video(
            tmp_path / "clip.mp4",
            20,
            edit=crowd,
            time_base=Fraction(1, 10**7),
            mux_options={"video_track_timescale": "10000000"},
        )
        reader = VideoReader(path, SPEC)

        assert reader.index().pts_us.tolist() == list(range(20))
        assert len(read_all(reader)) == 20


DAMAGED = {
    "h264.mp4": {"b_frames": 2, "mux_options": {"movflags": "faststart"}},
    "open-gop.ts": {
        "b_frames": 3,
        "header": False,
        "options": {"x264-params": "open-gop=1:keyint=12:scenecut=0", "preset": "medium"},
    },
    "mpeg4.avi": {"codec": "mpeg4", "b_frames": 2},
    "mjpeg.avi": media.MJPEG,
    "vp9.webm": media.VP9,
}


@pytest.fixture(scope="module")
def intact(tmp_path_factory):
    folder = tmp_path_factory.mktemp("intact")
    return {name: media.video(folder / name, **making).read_bytes() for name, making in DAMAGED.items()}


class TestRandomDamage:
    """Any byte may be wrong, any end may be missing."""

    @pytest.mark.parametrize("seed", range(8))
    @pytest.mark.parametrize("name", list(DAMAGED))
    def test_damage_fails_frames_or_the_file_and_nothing_else(self, tmp_path, intact, name, seed):
        """Every indexed frame has an outcome, and pixels do not depend on where reading began."""
        random = np.random.default_rng(seed)
        content = bytearray(intact[name])
        for place in random.integers(0, len(content), random.choice([1, 10, 100])):
            content[place] = random.integers(0, 256)
        if seed % 3 == 0:
            del content[random.integers(1, len(content)) :]
        path = tmp_path / name
        path.write_bytes(content)
        reader = VideoReader(path, SPEC)

        refused = ""
        try:
            whole = read_all(reader)
        except InvalidVideo as error:
            refused, whole = error.code, []

        if refused:
            assert refused in {"unreadable", "not_video", "no_video", "no_frame", "limit"}
            return
        assert [row for row, *_ in whole] == list(range(len(reader.index())))
        for at_least in (1, 20):
            for chunk in reversed(chunks(reader.index(), at_least)):
                assert read(reader, chunk) == whole[chunk.first : chunk.end]
