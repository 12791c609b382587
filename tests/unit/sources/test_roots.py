"""Roots: what may be named below a folder of the operator's, and that nothing else can be."""

import os

import pytest

from sightline.errors import InvalidVideo, NotFound
from sightline.jobs.requests import Entry, Located
from sightline.sources import listing
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


# --- what lies in a folder


def test_a_folder_lists_what_may_become_a_job_and_what_may_be_looked_into(roots, root):
    """Folders first, each with what it is; other files, and hidden ones, are none."""
    for name in ("notes.txt", ".hidden.mp4", "B.MKV", "a.avi"):
        (root / name).write_bytes(b"xyz")
    (root / ".trash").mkdir()
    (root / "empty").mkdir()

    top, below = roots.list("files", ""), roots.list("files", "sequences")

    assert top.entries == [
        Entry("empty", "empty", "folder", None),
        Entry("sequences", "sequences", "folder", None),
        Entry("a.avi", "a.avi", "video", 3),
        Entry("B.MKV", "B.MKV", "video", 3),
        Entry("street.mp4", "street.mp4", "video", 1),
    ]
    assert (below.path, below.entries) == (
        "sequences",
        [Entry("uav1", "sequences/uav1", "images", None)],
    )
    assert roots.list("files", "sequences/uav1").entries == []
    assert not top.cut


def test_every_entry_can_be_named(roots, root):
    """By its path, as it stands there."""
    (root / "straße 1.mp4").write_bytes(b"x")

    for entry in roots.list("files", "").entries + roots.list("files", "sequences").entries:
        assert roots.path("files", entry.path).exists()


def test_no_entry_leads_out(roots, root, tmp_path):
    """Neither a link to a file nor one to a folder; one that stays inside is followed."""
    (tmp_path / "beside").mkdir()
    links = {"out.mp4": tmp_path / "secret.mp4", "up": tmp_path, "beside": tmp_path / "beside"}
    links |= {"in.mp4": root / "street.mp4", "same": root / "sequences", "circle": root / "circle"}
    for name, target in links.items():
        (root / name).symlink_to(target)
    os.mkfifo(root / "pipe.mp4")

    assert [entry.name for entry in roots.list("files", "").entries] == [
        "same",
        "sequences",
        "in.mp4",
        "street.mp4",
    ]


def test_a_name_that_is_no_text_is_not_listed(roots, root):
    """Nobody could send it back."""
    (root / b"\xff.mp4".decode("utf-8", "surrogateescape")).write_bytes(b"x")

    assert [entry.name for entry in roots.list("files", "").entries] == ["sequences", "street.mp4"]


@pytest.mark.parametrize("key", ["..", "none", "street.mp4", "sequences/../..", "a\0b"])
def test_what_is_no_folder_below_is_not_listed(roots, key):
    """Whatever its name tries."""
    with pytest.raises(NotFound):
        roots.list("files", key)
    with pytest.raises(NotFound):
        roots.list("other", "")


def test_a_long_list_is_cut_and_says_so(roots, root, monkeypatch):
    """A folder may hold a million files."""
    monkeypatch.setattr(listing, "MOST", 2)
    whole = roots.list("files", "")
    (root / "a.mp4").write_bytes(b"x")
    cut = roots.list("files", "")
    monkeypatch.setattr(listing, "MOST", 9)
    monkeypatch.setattr(listing, "LOOKED_AT", 2)
    looked = roots.list("files", "")

    assert ([entry.name for entry in whole.entries], whole.cut) == (["sequences", "street.mp4"], False)
    assert ([entry.name for entry in cut.entries], cut.cut) == (["sequences", "a.mp4"], True)
    assert looked.cut
    assert len(looked.entries) == 2
