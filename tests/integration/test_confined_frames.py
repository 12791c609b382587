"""The confined reader keeps the contract of `FrameReader`, and gives what the reader in this process gives."""

import subprocess
import sys
from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from sightline.adapters.confined.reader import ConfinedReader
from sightline.adapters.images.folder import ImageFolderReader
from sightline.adapters.video.file import OWN_FILES
from sightline.adapters.video.reader import VideoReader
from sightline.types import ImageSpec
from sightline.vision.preprocess import Preprocess
from tests import media
from tests.confining import assert_same_index, everything, needs
from tests.conformance.suite_frames import SPEC, FrameReaderSuite
from tests.conformance.test_frames_video import SOURCES

LOADED = """
import sys
from pathlib import Path
from sightline.adapters.confined import child
from sightline.adapters.confined.warm import late_modules, warm_up
from sightline.adapters.video.reader import VideoReader
from sightline.types import ImageSpec
warm_up(VideoReader(Path("x"), ImageSpec(64, 48)))
print(*[name for name in late_modules() if name not in sys.modules])
"""
PLAIN = {"SPEC rgb": SPEC, "i420": ImageSpec(64, 48, "i420"), "own size": ImageSpec(0, 0, "bgr")}


@pytest.fixture(autouse=True)
def _confined():
    needs("rlimits", "seccomp")


class TestConfined(FrameReaderSuite):
    """One kind of video is enough: how frames are decoded is the other reader's affair."""

    @pytest.fixture
    def path(self, tmp_path):
        return media.damage(media.video(tmp_path / "damaged.mp4", b_frames=2))

    @pytest.fixture
    def open_reader(self, path):
        return lambda: ConfinedReader(path, SPEC)

    @pytest.fixture
    def missing_reader(self, tmp_path):
        return ConfinedReader(tmp_path / "nothing.mp4", SPEC)


@pytest.mark.parametrize("name", SOURCES)
def test_every_stream_gives_the_same_index_and_pixels(name, tmp_path):
    """Whatever the codec, the container or the damage."""
    path = SOURCES[name][0](tmp_path / name)
    own = VideoReader(path, SPEC, limits=OWN_FILES)
    confined = ConfinedReader(path, SPEC, limits=OWN_FILES)

    assert_same_index(confined.index(), own.index())
    assert everything(confined, SPEC) == everything(own, SPEC)
    assert confined.child is not None
    confined.close()


def of_all_kinds(path):
    """A video with sound, subtitles and a font; PyAV loads a module for each when it meets it."""
    clip = media.encode([media.picture(number) for number in range(20)])
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 160, 96, "yuv420p"
        stream.codec_context.thread_count, stream.codec_context.options = 1, clip.options
        stream.codec_context.open()
        stream.codec_context.extradata = clip.context.extradata
        sound = container.add_stream("aac", rate=8000, layout="mono")
        container.add_mux_stream("subrip")
        container.add_attachment("font.ttf", "application/x-truetype-font", b"no font")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate, frame.pts = 8000, 0
        container.mux([*sound.encode(frame), *sound.encode(None)])
        for content, pts, dts, key in clip.packets:
            packet = av.Packet(content)
            packet.stream, packet.time_base = stream, clip.context.time_base
            packet.pts, packet.dts, packet.is_keyframe = pts, dts, key
            container.mux(packet)
    with av.open(str(path)) as container:
        assert {stream.type for stream in container.streams} == {"video", "audio", "subtitle", "attachment"}
    return path


def test_streams_of_all_kinds_change_nothing(tmp_path):
    """What is not the video is not read, and nothing has to be loaded for it."""
    path = of_all_kinds(tmp_path / "all.mkv")
    own, confined = VideoReader(path, SPEC), ConfinedReader(path, SPEC)

    assert_same_index(confined.index(), own.index())
    assert everything(confined, SPEC) == everything(own, SPEC)
    confined.close()


def test_the_child_has_all_of_the_video_library_before_it_is_confined():
    """Not one module of it is left for a stranger's file to ask for."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED], capture_output=True, text=True, check=True, timeout=120
    )

    assert done.stdout.split() == []


@pytest.mark.parametrize("spec", PLAIN.values(), ids=PLAIN)
@pytest.mark.parametrize("preprocess", [None, Preprocess(3, 1.3, 5.0)], ids=["plain", "blur"])
def test_every_picture_is_the_same(spec, preprocess, tmp_path):
    """Layouts, sizes, what is done before."""
    path = media.video(tmp_path / "a.mp4", 20, rotation=90)
    own = VideoReader(path, spec, preprocess)
    confined = ConfinedReader(path, spec, preprocess, index=own.index())

    assert everything(confined, spec) == everything(own, spec)
    confined.close()


def test_images_are_the_same(tmp_path):
    """JPEG and PNG of every kind that Pillow decodes differently, a broken one and an empty one among them."""
    paths = [save(tmp_path) for save in IMAGES]
    own = ImageFolderReader(paths, SPEC, name="images", fps=Fraction(25))
    confined = ConfinedReader(paths, SPEC, name="images", fps=Fraction(25))

    assert_same_index(confined.index(), own.index())
    assert everything(confined, SPEC) == everything(own, SPEC)
    confined.close()


def _saved(name, mode="RGB", **options):
    def save(folder):
        picture = Image.fromarray(media.picture(len(name))).convert("RGB")
        picture = (
            picture.convert(mode) if mode != "I;16" else picture.convert("L").convert("I").convert("I;16")
        )
        picture.save(folder / name, **options)
        return folder / name

    return save


def _turned(folder):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(media.picture(3)).save(folder / "7.jpg", exif=exif)
    return folder / "7.jpg"


def _several(folder):
    """Two pictures in one JPEG, as phones write them."""
    first, second = (Image.fromarray(media.picture(number)) for number in (1, 2))
    first.save(folder / "11.jpg", "MPO", save_all=True, append_images=[second])
    return folder / "11.jpg"


def _moving(folder):
    first, second = (Image.fromarray(media.picture(number)) for number in (1, 2))
    first.save(folder / "12.png", save_all=True, append_images=[second])
    return folder / "12.png"


def _described(folder):
    """Turned by words in XMP, with texts of every kind beside it."""
    words = PngImagePlugin.PngInfo()
    words.add_itxt("XML:com.adobe.xmp", '<x:xmpmeta><a tiff:Orientation="6"/></x:xmpmeta>')
    words.add_text("Comment", "\u00e4 \u00f6" * 99, zip=True)
    Image.fromarray(media.picture(1)).save(folder / "13.png", pnginfo=words, icc_profile=b"no profile")
    return folder / "13.png"


def _bytes(name, content):
    def save(folder):
        (folder / name).write_bytes(content)
        return folder / name

    return save


IMAGES = [
    _saved("1.jpg", quality=90),
    _saved("2.png"),
    _saved("3.jpg", progressive=True),
    _saved("4.jpg", mode="CMYK"),
    _saved("5.png", mode="I;16"),
    _saved("6.png", mode="P", transparency=0),
    _turned,
    _saved("8.png", mode="LA"),
    _bytes("9.jpg", b""),
    _several,
    _moving,
    _described,
    _bytes("10.png", b"\x89PNG\r\n\x1a\n and then nothing"),
]
