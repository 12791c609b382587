"""Roots: what may be named below a folder of the operator's, and that nothing else can be."""

import os

import pytest

from sightline.errors import InvalidVideo, NotFound
from sightline.jobs.requests import Located
from sightline.sources.roots import Roots


@pytest.fixture
def root(tmp_path):
    """A dataset with a sequence and a video, and a secret beside it."""
    root = tmp_path / "root"
    for path in (root / "sequences" / "uav1" / "0000001.jpg", root / "street.mp4", tmp_path / "secret.mp4"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return root


@pytest.fixture
def roots(root):
    return Roots({"dataset": root, "files": root})


@pytest.mark.parametrize(
    "key",
    [
        "../secret.mp4",
        "/etc/passwd",
        "a/../../secret.mp4",
        "",
        ".",
        "..",
        "street.mp4/",
        "none.mp4",
        "a\0b",
        "n" * 5000,
        "\udcff",
    ],
)
def test_what_is_not_below_is_not_there(roots, key):
    """Whatever its name tries."""
    with pytest.raises(NotFound):
        roots.path("files", key)


def test_a_folder_that_nobody_configured_holds_nothing(root):
    """Neither by another name nor by none."""
    for name in ("other", ""):
        with pytest.raises(NotFound):
            Roots({"files": root}).path(name, "street.mp4")


def test_a_link_may_not_lead_out(roots, root, tmp_path):
    """One that stays inside is followed; a circle is nothing."""
    (root / "out.mp4").symlink_to(tmp_path / "secret.mp4")
    (root / "up").symlink_to(tmp_path)
    (root / "in.mp4").symlink_to(root / "street.mp4")
    (root / "circle").symlink_to(root / "circle")

    for key in ("out.mp4", "up/secret.mp4", "circle"):
        with pytest.raises(NotFound):
            roots.path("files", key)
    assert roots.path("files", "in.mp4") == root / "street.mp4"


def test_a_root_may_be_a_link_itself(root, tmp_path):
    """Data often lie on another disk."""
    (tmp_path / "data").symlink_to(root)

    assert Roots({"files": tmp_path / "data"}).path("files", "street.mp4") == root / "street.mp4"


def test_a_pipe_is_no_source(roots, root):
    """Opening it would wait for ever."""
    os.mkfifo(root / "pipe.mp4")

    with pytest.raises(NotFound):
        roots.path("files", "pipe.mp4")


def test_files_are_videos_and_folders_are_images(roots, root):
    """A folder without images says so."""
    (root / "empty").mkdir()

    assert roots.locate("files", "street.mp4") == Located("video", "files", "street.mp4")
    assert roots.locate("files", "sequences/uav1") == Located("images", "files", "sequences/uav1")
    with pytest.raises(InvalidVideo):
        roots.locate("files", "empty")


@pytest.mark.parametrize("above", [False, True])
def test_a_dataset_is_the_folder_with_sequences_or_the_one_above_it(root, above):
    """The document of system A has both."""
    roots = Roots({"dataset": root.parent if above else root})
    before = "root/" if above else ""

    assert roots.sequence("uav1") == Located("images", "dataset", f"{before}sequences/uav1")
    assert roots.sequence("street.mp4") == Located("video", "dataset", f"{before}street.mp4")


def test_only_sequences_and_videos_of_a_dataset_are_started(roots, root):
    """A folder beside the sequences, a file among them or of another kind are not."""
    (root / "annotations").mkdir()
    (root / "annotations" / "0000001.jpg").write_bytes(b"x")
    (root / "sequences" / "v.mp4").write_bytes(b"x")
    (root / "x.mp4.php").write_bytes(b"x")

    for name in ("annotations", "v.mp4", "x.mp4.php", "sequences"):
        with pytest.raises(NotFound):
            roots.sequence(name)
