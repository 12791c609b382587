"""Sources: what a user may name, and what it is called in a run."""

import pytest

from sightline.app.sources import Source, content_hash, expand
from sightline.errors import InvalidFile, Misconfigured, NotFound


def touch(path, content=b"x"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_files_folders_and_texts_are_told_apart(tmp_path):
    """By what they are; a text may be gzipped."""
    video = touch(tmp_path / "a.mp4")
    touch(tmp_path / "seq" / "0000001.jpg")
    text = touch(tmp_path / "det.txt.gz")

    sources, errors = expand([video, tmp_path / "seq", text])

    assert errors == []
    assert [(source.kind, source.video_id) for source in sources] == [
        ("video", "a"),
        ("images", "seq"),
        ("detections", "det"),
    ]


def test_a_dataset_root_is_its_sequences(tmp_path):
    """In the order of their names."""
    for name in ("b", "a"):
        touch(tmp_path / "root" / "sequences" / name / "1.png")

    sources, _ = expand([tmp_path / "root"])

    assert [source.video_id for source in sources] == ["a", "b"]


def test_a_pattern_is_expanded_and_a_source_named_twice_runs_once(tmp_path):
    """Sorted, so that a run does not depend on the disk."""
    for name in ("2.mp4", "1.mp4"):
        touch(tmp_path / name)

    sources, _ = expand([tmp_path / "*.mp4", tmp_path / "1.mp4"])

    assert [source.video_id for source in sources] == ["1", "2"]


def test_equal_stems_are_told_apart_by_the_shortest_end_of_their_paths(tmp_path):
    """`/` becomes `_`."""
    paths = [touch(tmp_path / "x" / "cam" / "v.mp4"), touch(tmp_path / "y" / "cam" / "v.mp4")]

    sources, _ = expand([*paths, touch(tmp_path / "w.mp4")])

    assert [source.video_id for source in sources] == ["x_cam_v", "y_cam_v", "w"]


def test_equal_stems_in_one_folder_are_told_apart_by_their_endings(tmp_path):
    """Two results never have one folder."""
    names = ["day.mp4", "day.mov", "day.mp4.mkv", "night.mp4"]

    sources, _ = expand([touch(tmp_path / name) for name in names])

    assert [source.video_id for source in sources] == ["day.mp4", "day.mov", "day.mp4.mkv", "night"]


def test_a_source_named_in_several_ways_runs_once(tmp_path, monkeypatch):
    """Relative, absolute, through a link."""
    monkeypatch.chdir(tmp_path)
    path = touch(tmp_path / "v.mp4")
    (tmp_path / "link.mp4").symlink_to(path)

    sources, _ = expand(["v.mp4", path, "./v.mp4", "link.mp4"])

    assert [(source.video_id, source.path.name) for source in sources] == [("v", "v.mp4")]


def test_what_is_missing_is_reported_and_the_rest_goes_on(tmp_path):
    """One error each, naming the source."""
    (tmp_path / "empty").mkdir()

    sources, errors = expand(
        [touch(tmp_path / "a.mp4"), tmp_path / "b.mp4", tmp_path / "*.avi", tmp_path / "empty"]
    )

    assert [source.video_id for source in sources] == ["a"]
    assert [type(error) for _, error in errors] == [NotFound, NotFound, InvalidFile]
    assert errors[0].name == str(tmp_path / "b.mp4")
    assert "b.mp4" in str(errors[0].error)


@pytest.mark.parametrize("live", ["rtsp://camera/1", "http://host/stream", "0", "-"])
def test_live_sources_say_that_they_are_not_supported_yet(live):
    """A usage error, not a missing file."""
    with pytest.raises(Misconfigured, match="not supported yet"):
        expand([live])


def test_nothing_named_is_a_usage_error():
    """The message says what to name."""
    with pytest.raises(Misconfigured, match="name a video"):
        expand([])


def test_the_hash_of_a_folder_is_that_of_its_images(tmp_path):
    """Names and contents count, other files do not."""
    touch(tmp_path / "s" / "1.jpg", b"one")
    touch(tmp_path / "s" / "2.jpg", b"two")
    source = Source("images", tmp_path / "s", "s")
    before = content_hash(source)

    touch(tmp_path / "s" / "notes.txt")
    assert content_hash(source) == before

    touch(tmp_path / "s" / "2.jpg", b"2wo")
    assert content_hash(source) != before
