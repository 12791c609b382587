"""Datasets: brought whole or not at all, whatever server, archive, disk or power do."""

import io
import os
import stat
import zipfile
from pathlib import Path

import pytest

from sightline.errors import Corrupt, InvalidFile, Misconfigured, NotFound, Unavailable
from sightline.setup import archives, datasets
from sightline.setup.datasets import KNOWN, bring, verify
from tests.unit.test_model_download import Shelf

MOT = KNOWN["visdrone-mot-val"]
SEQUENCE = "uav0000305_00000_v"
ROOT = "VisDrone2019-MOT-val/"


def archive_of(path: Path, extra=(), root=ROOT, images=3) -> Path:
    """A dataset as its authors pack it, and more members."""
    with zipfile.ZipFile(path, "w") as packed:
        for number in range(1, images + 1):
            packed.writestr(f"{root}sequences/{SEQUENCE}/{number:07d}.jpg", os.urandom(40_000))
        packed.writestr(f"{root}annotations/{SEQUENCE}.txt", "1,0,1,2,3,4,1,4,0,0\n")
        for member in extra:
            packed.writestr(*member)
    return path


@pytest.fixture
def archive(tmp_path):
    return archive_of(tmp_path / "a.zip")


@pytest.fixture
def target(tmp_path):
    return tmp_path / "data" / "VisDrone_images"


@pytest.fixture
def shelf(archive):
    shelf = Shelf(archive.read_bytes())
    yield shelf
    shelf.close()


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


LAYOUT = [
    f"annotations/{SEQUENCE}.txt",
    *(f"sequences/{SEQUENCE}/{number:07d}.jpg" for number in range(1, 4)),
]


# --- from a file


@pytest.mark.parametrize("root", [ROOT, "", "a/b/"])
def test_an_archive_becomes_a_folder_with_sequences(tmp_path, target, root):
    """Whatever folder it was packed in; the archive stays."""
    archive = archive_of(tmp_path / "b.zip", root=root)

    contents = bring(MOT, target, archive)

    assert files(target) == LAYOUT
    assert (contents.sequences, len(contents.members)) == (1, 4)
    assert archive.exists()
    with zipfile.ZipFile(archive) as packed:
        assert (target / LAYOUT[1]).read_bytes() == packed.read(root + LAYOUT[1])


def test_what_is_not_of_the_layout_is_not_written(tmp_path, target):
    """Leavings of a Mac, a program, a file beside the images."""
    extra = [("__MACOSX/._x", b"x"), (ROOT + "run.sh", b"x"), (f"{ROOT}sequences/{SEQUENCE}/x.exe", b"x")]

    bring(MOT, target, archive_of(tmp_path / "b.zip", extra))

    assert files(target) == LAYOUT


def member(name, **more):
    made = zipfile.ZipInfo(name)
    for key, value in more.items():
        setattr(made, key, value)
    return made


@pytest.mark.parametrize(
    "evil",
    [
        ("../outside.jpg", b"x"),
        ("a/../../outside.jpg", b"x"),
        ("/outside.jpg", b"x"),
        ("C:/outside.jpg", b"x"),
        ("..\\outside.jpg", b"x"),
        (member("link", external_attr=(stat.S_IFLNK | 0o777) << 16), b"/etc/passwd"),
        (member("pipe", external_attr=(stat.S_IFIFO | 0o777) << 16), b""),
    ],
    ids=str,
)
def test_an_archive_that_reaches_outside_is_refused_whole(tmp_path, target, evil):
    """Its good files too: whoever made it meant harm."""
    with pytest.raises(InvalidFile):
        bring(MOT, target, archive_of(tmp_path / "b.zip", [evil]))

    assert [path.name for path in target.parent.iterdir()] == []
    assert not (tmp_path / "outside.jpg").exists()


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path, target, monkeypatch):
    """By what its directory says of sizes and numbers."""
    blob = io.BytesIO()
    with zipfile.ZipFile(blob, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr(f"sequences/{SEQUENCE}/1.jpg", bytes(2**20))
    (tmp_path / "b.zip").write_bytes(blob.getvalue())

    for name, least in (("MOST_OF_FILE", 2**20 - 1), ("MOST_BYTES", 2**20 - 1), ("MOST_FILES", 0)):
        with monkeypatch.context() as patched:
            patched.setattr(archives, name, least)
            with pytest.raises(InvalidFile):
                bring(MOT, target, tmp_path / "b.zip")
    assert not target.exists()


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_cut_archive_leaves_nothing(archive, target, share):
    """And says what it is."""
    blob = archive.read_bytes()
    archive.write_bytes(blob[: int(len(blob) * share)])

    with pytest.raises(InvalidFile):
        bring(MOT, target, archive)
    assert list(target.parent.iterdir()) == []


def test_a_damaged_file_leaves_nothing(archive, target):
    """Its checksum is another one."""
    blob = bytearray(archive.read_bytes())
    blob[60_000] ^= 1
    archive.write_bytes(blob)

    with pytest.raises(InvalidFile) as caught:
        bring(MOT, target, archive)
    assert "0000002.jpg is damaged" in caught.value.reason
    assert list(target.parent.iterdir()) == []
    with pytest.raises(InvalidFile):
        archives.test(archive)


@pytest.mark.parametrize("extra", [[], [("annotations/a.txt", b"")]])
def test_an_archive_without_sequences_is_another_dataset(tmp_path, target, extra):
    """VisDrone's images for detection, say."""
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as packed:
        packed.writestr("images/0000001.jpg", b"x")
        for each in extra:
            packed.writestr(*each)

    with pytest.raises(InvalidFile):
        bring(MOT, target, tmp_path / "b.zip")
    with pytest.raises(NotFound):
        bring(MOT, target, tmp_path / "none.zip")
    assert not target.exists()


def test_what_a_killed_extraction_left_is_removed(archive, target):
    """It has a name of its own, so nobody took it for the dataset."""
    left = target.with_name(f".{target.name}.extracting")
    (left / "sequences" / "half").mkdir(parents=True)

    bring(MOT, target, archive)

    assert files(target) == LAYOUT
    assert [path.name for path in target.parent.iterdir()] == [target.name]


def test_a_folder_with_something_else_is_left_alone(archive, target):
    """An empty one is taken."""
    target.mkdir(parents=True)
    bring(MOT, target, archive)
    other = target.with_name("other")
    other.mkdir()
    (other / "mine.txt").write_text("x")

    with pytest.raises(Misconfigured):
        bring(MOT, other, archive)
    assert files(target) == LAYOUT
    assert files(other) == ["mine.txt"]


def test_a_disk_without_room_is_said_before_anything_is_written(archive, target, monkeypatch):
    """With how much is needed."""
    usage = type("Usage", (), {"free": 1000})
    monkeypatch.setattr(datasets.shutil, "disk_usage", lambda path: usage)

    with pytest.raises(Unavailable) as caught:
        bring(MOT, target, archive)
    assert caught.value.code == "disk_full"
    assert list(target.parent.iterdir()) == []


# --- from an address


def test_a_download_is_extracted_and_the_archive_goes(shelf, target):
    """Nobody needs it twice."""
    seen = []

    bring(MOT, target, url=shelf.url, progress=lambda done, total: seen.append((done, total)))

    assert files(target) == LAYOUT
    assert [path.name for path in target.parent.iterdir()] == [target.name]
    assert seen[-1] == (len(shelf.content), len(shelf.content))


def test_a_download_that_broke_off_goes_on(shelf, target):
    """From the byte where it ended."""
    shelf.breaks_after = 70_000
    with pytest.raises(Unavailable):
        bring(MOT, target, url=shelf.url)
    shelf.breaks_after = None

    bring(MOT, target, url=shelf.url)

    assert shelf.asked == [0, 70_000]
    assert files(target) == LAYOUT


def test_a_page_instead_of_an_archive_is_not_kept(target):
    """As a drive gives it that asks people something first."""
    page = Shelf(b"<html>Download anyway?</html>")
    try:
        with pytest.raises(Corrupt) as caught:
            bring(MOT, target, url=page.url)
    finally:
        page.close()

    assert caught.value.code == "dataset"
    assert list(target.parent.iterdir()) == []


def test_a_whole_download_is_not_fetched_again(shelf, target):
    """An extraction that was killed behind it begins with the file."""
    target.parent.mkdir(parents=True)
    (target.parent / MOT.file).write_bytes(shelf.content)

    bring(MOT, target, url=shelf.url)

    assert shelf.asked == []
    assert files(target) == LAYOUT


def test_without_file_and_address_it_says_where_to_look(target):
    """No program can fetch it from a page for people, and nothing is made up."""
    with pytest.raises(Misconfigured) as caught:
        bring(MOT, target)

    assert caught.value.code == "no_address"
    assert MOT.page in caught.value.message
    assert caught.value.fields == ("from", "url")


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://a/b.zip", "a.zip"])
def test_an_address_is_one_of_http(target, url):
    """A file is named as a file."""
    with pytest.raises(Misconfigured):
        bring(MOT, target, url=url)


# --- verify


def test_verify_looks_at_every_sequence(archive, target):
    """Counts of documents are hints: another number is no worse; empty images and folders are."""
    bring(MOT, target, archive)
    (target / "sequences" / "other").mkdir()
    (target / "sequences" / "mine").mkdir()
    (target / "sequences" / "mine" / "0000001.jpg").write_bytes(b"")

    found = {each.name: each for each in verify(target)}

    assert (found[SEQUENCE].frames, found[SEQUENCE].expected, found[SEQUENCE].problem) == (3, 184, "")
    assert found[SEQUENCE].annotated
    assert found["other"].problem == "no image"
    assert found["mine"].problem == "1 empty images, 0000001.jpg first"
    assert found["mine"].expected is None
    assert verify(target.parent) == verify(target)


def test_verify_without_a_dataset(tmp_path):
    """Nothing there, and nothing in it."""
    with pytest.raises(NotFound):
        verify(tmp_path)
    (tmp_path / "sequences").mkdir()
    with pytest.raises(Corrupt) as caught:
        verify(tmp_path)
    assert caught.value.code == "dataset"
