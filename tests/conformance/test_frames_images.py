"""The image reader keeps the contract of `FrameReader`, for folders and for lists of files."""

from fractions import Fraction

import pytest
from PIL import Image

from sightline.adapters.images.folder import ImageFolderReader
from tests import media
from tests.conformance.suite_frames import SPEC, FrameReaderSuite


def folder_of(path, names, size=(160, 96)):
    path.mkdir()
    for number, name in enumerate(names):
        Image.fromarray(media.picture(number, *size)).save(path / name)
    return path


class TestFolder(FrameReaderSuite):
    @pytest.fixture
    def folder(self, tmp_path):
        names = [f"{number:07d}.{'png' if number % 3 else 'jpg'}" for number in range(1, 61)]
        folder = folder_of(tmp_path / "sequence", names)
        (folder / "0000017.jpg").write_bytes(b"")
        (folder / "0000023.png").unlink(missing_ok=True)
        return folder

    @pytest.fixture
    def open_reader(self, folder):
        return lambda: ImageFolderReader(folder, SPEC, fps=Fraction(30_000, 1001))

    @pytest.fixture
    def missing_reader(self, tmp_path):
        return ImageFolderReader(tmp_path / "nothing", SPEC)


class TestList(FrameReaderSuite):
    @pytest.fixture
    def open_reader(self, tmp_path):
        names = [f"view-{number}.JPEG" for number in range(45)]
        folder = folder_of(tmp_path / "sequence", names)
        return lambda: ImageFolderReader([folder / name for name in reversed(names)], SPEC)

    @pytest.fixture
    def missing_reader(self, tmp_path):
        return ImageFolderReader([tmp_path / "1.jpg"], SPEC)
