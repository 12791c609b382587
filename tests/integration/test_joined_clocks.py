"""Videos whose clock falls: recordings joined byte by byte, cameras that set their clock back, clocks that turn over.

Packets and frames of PyAV, that is of FFmpeg, are the oracle: what it decodes is in the account, no more, no less.
"""

import zlib
from fractions import Fraction

import av
import numpy as np
import pytest

from sightline.adapters.video.reader import VideoReader
from sightline.types import ImageSpec
from sightline.vision.sampling import chunks, rate, sample
from tests import media

SPEC = ImageSpec(64, 48, "rgb")
OPEN_GOP = {"x264-params": "open-gop=1:keyint=12:min-keyint=12:scenecut=0", "preset": "medium"}


def recording(path, first, count, *, size=(160, 96), start=0, edit=None, **encoding):
    """Frames `first` to `first + count - 1`, on a clock that begins `start` frames after 0."""
    encoding = {"header": False, "b_frames": 0} | encoding
    clip = media.encode((media.picture(number, *size) for number in range(first, first + count)), **encoding)
    media.shift(start)(clip)
    if edit is not None:
        edit(clip)
    return media.mux(path, clip)


def join(path, *parts):
    path.write_bytes(b"".join(part if isinstance(part, bytes) else part.read_bytes() for part in parts))
    return path


def joined(folder, *makings, ending="ts"):
    """A file of recordings joined with `cat`; each making is its first frame, their number, and how it is made."""
    parts = [
        recording(folder / f"part{row}.{ending}", first, count, **how)
        for row, (first, count, how) in enumerate(makings)
    ]
    return join(folder / f"joined.{ending}", *parts)


def decoded(path):
    """How many frames FFmpeg decodes."""
    count = 0
    with av.open(str(path)) as container:
        for packet in container.demux(video=0):
            try:
                count += len(packet.decode())
            except av.error.InvalidDataError:
                continue
    return count


def read(reader, chunk):
    """Row, outcome, reason, checksum and number in the picture of each frame of a chunk."""
    found = reader.read(
        chunk,
        range(chunk.first, chunk.end),
        reader.index().tick[chunk.first : chunk.end].tolist(),
        lambda: np.zeros(SPEC.shape(), np.uint8),
    )
    return [
        (each.row, each.outcome, each.reason, zlib.crc32(each.buffer), media.number_of(each.buffer))
        if each.buffer is not None
        else (each.row, each.outcome, each.reason, None, None)
        for each in found
    ]


def whole(path):
    reader = VideoReader(path, SPEC)
    return [frame for chunk in chunks(reader.index(), 4) for frame in read(reader, chunk)]


def numbers(path):
    return [number for *_, number in whole(path)]


def fell(index):
    return [caveat.detail for caveat in index.caveats if caveat.code == "clock_falls"]


B = {"b_frames": 2}
JOINED = {
    "two": [(0, 30, {}), (30, 30, {})],
    "b-frames": [(0, 30, B), (30, 30, B)],
    "b-frames-behind-none": [(0, 30, {}), (30, 30, B)],
    "three": [(0, 24, B), (24, 18, B), (42, 20, B)],
    "short-parts": [(6 * part, 6, B) for part in range(10)],
    "last-part-of-one": [(0, 40, B), (40, 1, {})],
    "overlap": [(0, 30, B), (30, 30, B | {"start": 20})],
    "overlap-of-one": [(0, 30, {}), (30, 30, {"start": 29})],
    "overlap-within-reordering": [(0, 30, B), (30, 30, B | {"start": 28})],
    "other-size": [(0, 30, B), (30, 30, B | {"size": (320, 128)})],
    "other-profile": [(0, 30, {"options": {"profile": "baseline", "preset": "ultrafast"}}), (30, 30, B)],
    "open-gop": [
        (0, 30, {"b_frames": 3, "options": OPEN_GOP}),
        (30, 30, {"b_frames": 3, "options": OPEN_GOP}),
    ],
    "far-back": [(0, 30, B | {"start": 25 * 5000}), (30, 30, B | {"start": 0})],
    "back-before-the-turn": [(0, 30, B | {"start": 25 * 40_000}), (30, 30, B | {"start": 25 * 10})],
    "h265": [(0, 30, {"codec": "libx265", **B}), (30, 30, {"codec": "libx265", **B})],
    "mpeg2": [(0, 30, {"codec": "mpeg2video", **B}), (30, 30, {"codec": "mpeg2video", **B})],
}


@pytest.mark.parametrize("name", list(JOINED))
class TestRecordingsJoined:
    @pytest.fixture
    def path(self, name, tmp_path):
        return joined(tmp_path, *JOINED[name])

    def test_every_frame_is_there_in_order(self, path, name):
        """None is lost, none is called truncated, and the account is what FFmpeg decodes."""
        found = whole(path)

        assert [number for *_, number in found] == list(range(sum(count for _, count, _ in JOINED[name])))
        assert len(found) == decoded(path)

    def test_time_goes_on_by_one_step(self, path, name):
        """As if there had been one recording: rate, steps and duration are its own."""
        index = VideoReader(path, SPEC).index()

        assert set(np.diff(index.pts_us).tolist()) == {40_000}
        assert index.duration_us == 40_000 * len(index)
        assert rate(index, sample(index, 1)) == 25

    def test_where_it_fell_is_said(self, path, name):
        """How many parts, and the number and time of the first frame of each."""
        index = VideoReader(path, SPEC).index()

        (said,) = fell(index)
        assert f"{len(JOINED[name])} parts" in said
        for first, _, _ in JOINED[name][1:6]:
            assert f"frame {first} ({first / 25:.3f} s)" in said

    def test_a_chunk_alone_equals_the_whole(self, path, name):
        """In any order, by one reader or by many, and there are several chunks."""
        expected = whole(path)
        reader = VideoReader(path, SPEC)
        cuts = chunks(reader.index(), 4)

        for chunk in [*reversed(cuts), *cuts[::2], cuts[-1], cuts[-1]]:
            assert read(reader, chunk) == expected[chunk.first : chunk.end]
            fresh = VideoReader(path, SPEC, index=reader.index())
            assert read(fresh, chunk) == expected[chunk.first : chunk.end]
            fresh.close()
        assert len(cuts) > 2


@pytest.mark.parametrize("ending", ["mkv", "mpg"])
@pytest.mark.parametrize("b_frames", [0, 2])
def test_other_containers_are_joined_too(tmp_path, ending, b_frames):
    """Matroska makes up its decoding times, a program stream leaves out presentation times: frames and steps are right."""
    how = {
        "b_frames": b_frames,
        "codec": "mpeg2video" if ending == "mpg" else "libx264",
        "header": ending == "mkv",
    }
    path = joined(tmp_path, (0, 30, how), (30, 24, how), ending=ending)
    index = VideoReader(path, SPEC).index()

    assert numbers(path) == list(range(54))
    assert len(index) == decoded(path)
    assert set((np.diff(index.pts_us) // 1000).tolist()) == {40}
    assert "2 parts" in fell(index)[0]


@pytest.mark.parametrize("at", [13, 17, 23])
@pytest.mark.parametrize("back", [1, 5, 3600 * 25])
@pytest.mark.parametrize("ending", ["ts", "mkv"])
def test_a_camera_sets_its_clock_back_within_a_group(tmp_path, at, back, ending):
    """The decoder needs the frames before the fall: pictures are those of the unbroken stream."""
    clip = media.encode((media.picture(number) for number in range(40)), header=ending == "mkv")
    late = media.Clip(clip.packets[at:], clip.context, clip.options)
    media.shift(4000 * 25 - back)(late)
    early = media.Clip(clip.packets[:at], clip.context, clip.options)
    media.shift(4000 * 25)(early)
    path = join(
        tmp_path / f"joined.{ending}",
        media.mux(tmp_path / f"a.{ending}", early),
        media.mux(tmp_path / f"b.{ending}", late),
    )
    index = VideoReader(path, SPEC).index()

    assert numbers(path) == list(range(40))
    assert set((np.diff(index.pts_us) // 1000).tolist()) == {40}
    assert f"frame {at} " in fell(index)[0]


@pytest.mark.parametrize("at", [16, 17, 18, 24, 25])
@pytest.mark.parametrize("back", [30, 200])
def test_a_clock_falls_between_frames_that_are_decoded_in_another_order(tmp_path, at, back):
    """Frames shown before the fall and decoded behind it keep their place, as do those of the group after it."""

    def set_back(clip):
        clip.packets = [
            (content, pts + 500 - (back if pts >= at else 0), 0, key) for content, pts, _, key in clip.packets
        ]

    path = media.video(tmp_path / "clip.mkv", 60, b_frames=2, edit=set_back)
    index = VideoReader(path, SPEC).index()

    assert numbers(path) == list(range(60))
    assert set(np.diff(index.pts_us).tolist()) == {40_000}
    assert f"frame {at} " in fell(index)[0]


@pytest.mark.parametrize("at", [16, 17, 18, 19, 25])
@pytest.mark.parametrize("back_ms", [60, 100])
def test_a_clock_set_back_by_less_than_reordering_loses_no_frame(tmp_path, at, back_ms):
    """As a time server corrects it: times before and after mix, and only decoding tells which frames there are."""

    clip = media.encode((media.picture(number) for number in range(60)), b_frames=2, header=False)
    halves = []
    for name, packets, back in (("a", clip.packets[:at], 0), ("b", clip.packets[at:], back_ms)):
        moved = [(content, 40 * pts - back, 40 * dts - back, key) for content, pts, dts, key in packets]
        part = media.Clip(moved, clip.context, clip.options)
        halves.append(media.mux(tmp_path / f"{name}.ts", part, time_base=Fraction(1, 1000)))
    path = join(tmp_path / "clip.ts", *halves)
    frames = whole(path)

    assert len(frames) == decoded(path) == 60
    assert {outcome for _, outcome, *_ in frames} == {"ok"}


@pytest.mark.parametrize("b_frames", [0, 2])
@pytest.mark.parametrize("lost", [1, 5])
def test_a_recording_that_begins_in_the_middle_of_a_group(tmp_path, b_frames, lost):
    """What FFmpeg shows of it is in the account; what it cannot decode is `decode`, and nothing is `truncated`."""
    first = recording(tmp_path / "a.ts", 0, 30, b_frames=b_frames)
    second = recording(tmp_path / "b.ts", 30, 36, b_frames=b_frames)
    with av.open(str(second)) as container:
        places = [packet.pos for packet in container.demux(video=0) if packet.size]
    path = join(tmp_path / "joined.ts", first, second.read_bytes()[places[lost] // 188 * 188 :])
    index = VideoReader(path, SPEC).index()

    found = whole(path)

    assert sum(outcome == "ok" for _, outcome, *_ in found) == decoded(path)
    assert {reason for _, outcome, reason, *_ in found if outcome == "failed"} <= {"decode"}
    assert [number for *_, number in found[:30]] == list(range(30))
    assert [number for *_, number in found[-24:]] == list(range(42, 66))
    assert index.duration_us <= 40_000 * (66 - lost + b_frames)
    reader = VideoReader(path, SPEC)
    for chunk in reversed(chunks(reader.index(), 4)):
        assert read(reader, chunk) == found[chunk.first : chunk.end]


@pytest.mark.parametrize("kept", [0.3, 0.62, 0.97])
def test_a_recording_that_ends_in_the_middle_of_a_packet(tmp_path, kept):
    """Only its last frame may fail: everything behind it is whole."""
    first = media.truncate(recording(tmp_path / "a.ts", 0, 36, **B), kept)
    second = recording(tmp_path / "b.ts", 36, 24, **B)
    path = join(tmp_path / "joined.ts", first, second)

    found = whole(path)

    assert [number for *_, number in found[-24:]] == list(range(36, 60))
    assert sum(outcome == "ok" for _, outcome, *_ in found) == decoded(path)
    assert {reason for _, outcome, reason, *_ in found if outcome == "failed"} <= {"decode"}


def test_sound_beside_the_picture_changes_nothing(tmp_path):
    """The picture's packets are counted, whatever lies between them."""
    parts = []
    for row, first in enumerate((0, 30, 55)):
        count = (55 if first == 30 else 30 * (row + 1) if row == 0 else 80) - first
        parts.append(with_sound(tmp_path / f"{row}.ts", first, count))
    path = join(tmp_path / "joined.ts", *parts)
    index = VideoReader(path, SPEC).index()

    assert numbers(path) == list(range(80))
    assert set(np.diff(index.pts_us).tolist()) == {40_000}
    assert "3 parts" in fell(index)[0]


def with_sound(path, first, count):
    clip = media.encode(
        (media.picture(number) for number in range(first, first + count)), header=False, b_frames=2
    )
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 160, 96, "yuv420p"
        stream.codec_context.max_b_frames = 2
        sound = container.add_stream("mp2", rate=48_000, layout="mono")
        samples = 0
        for content, pts, dts, key in clip.packets:
            packet = av.Packet(content)
            packet.stream, packet.time_base = stream, Fraction(1, 25)
            packet.pts, packet.dts, packet.is_keyframe = pts, dts, key
            container.mux(packet)
            while samples < (pts + 1) * 1920:
                frame = av.AudioFrame.from_ndarray(np.zeros((1, 1152), np.int16), format="s16", layout="mono")
                frame.sample_rate, frame.pts = 48_000, samples
                container.mux(sound.encode(frame))
                samples += 1152
        container.mux(sound.encode(None))
    return path


def test_a_recording_that_begins_later_leaves_a_pause(tmp_path):
    """Nothing falls: the time between them is true, and no part of the rate."""
    path = joined(tmp_path, (0, 30, B), (30, 30, B | {"start": 25 * 600}))
    index = VideoReader(path, SPEC).index()

    assert numbers(path) == list(range(60))
    assert index.pts_us[30] - index.pts_us[29] > 590_000_000
    assert rate(index, sample(index, 1)) == 25
    assert fell(index) == []


@pytest.mark.parametrize("b_frames", [0, 2])
def test_a_clock_that_turns_over_goes_on(tmp_path, b_frames):
    """Every 26.5 hours of an MPEG stream."""
    ticks = 2**33 - 13 * 3600
    path = joined(
        tmp_path,
        (0, 13, {"b_frames": b_frames, "start": ticks // 3600, "rate": 25}),
        (13, 30, {"b_frames": b_frames, "start": ticks // 3600 + 13, "rate": 25}),
    )
    index = VideoReader(path, SPEC).index()

    assert numbers(path) == list(range(43))
    assert np.diff(index.pts_us).max() < 130_000
    assert fell(index) == []


def test_times_that_fall_all_the_time_are_no_clock(tmp_path):
    """They are not called joined recordings."""
    path = media.video(tmp_path / "clip.mkv", **media.MJPEG, edit=media.swap_pts)
    index = VideoReader(path, SPEC).index()

    assert fell(index) == []
    assert index.counted


def test_a_part_of_a_video_is_found_by_its_new_time(tmp_path):
    """`--start` and `--end` go by the clock that goes on."""
    path = joined(tmp_path, (0, 30, B), (30, 30, B), (60, 30, B))
    reader = VideoReader(path, SPEC)
    index = reader.index()

    rows = sample(index, 1, 1_600_000, 2_600_000).tolist()

    assert rows == list(range(40, 65))
    seen = [
        media.number_of(found.buffer)
        for chunk in chunks(index, 4)
        if (inside := [row for row in rows if chunk.first <= row < chunk.end])
        for found in reader.read(
            chunk, inside, index.tick[inside].tolist(), lambda: np.zeros(SPEC.shape(), np.uint8)
        )
    ]
    assert seen == rows
