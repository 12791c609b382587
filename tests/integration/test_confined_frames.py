"""The confined reader keeps the contract of `FrameReader`, and gives what the reader in this process gives."""

from fractions import Fraction

import pytest
from PIL import Image

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
    _bytes("10.png", b"\x89PNG\r\n\x1a\n and then nothing"),
]
