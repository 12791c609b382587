"""Sources: what a user may name, and what it is called in a run."""

import re

import pytest

from sightline.errors import InvalidFile, Misconfigured, NotFound
from sightline.sources.named import Source, content_hash, expand


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


@pytest.mark.parametrize("live", ["rtsp://camera/1", "RTMP://host/stream", "0", "-"])
def test_live_sources_say_that_they_are_not_supported_yet(live):
    """A usage error, not a missing file."""
    with pytest.raises(Misconfigured, match="not supported yet; record to a file first"):
        expand([live])


@pytest.mark.parametrize("address", ["http://host/a.mp4", "https://host/stream", "s3://bucket/a.mp4"])
def test_an_address_is_to_be_downloaded_first(address):
    """Nothing is fetched: what was tracked must be there tomorrow."""
    with pytest.raises(Misconfigured, match="download it first") as caught:
        expand([address])

    assert caught.value.code == "live"


def test_a_file_address_names_the_file():
    """Browsers show files so."""
    with pytest.raises(Misconfigured, match="without file://"):
        expand(["file:///tmp/a.mp4"])


def test_a_folder_of_videos_is_each_of_its_videos(tmp_path):
    """Sorted by name; hidden files, other files and what lies deeper are left alone."""
    names = ["b.MKV", "a.mp4", "c.h264", "._a.mp4", "notes.txt", "a.srt", "below/d.mp4"]
    for name in names:
        touch(tmp_path / "day" / name)

    sources, errors = expand([tmp_path / "day"])

    assert errors == []
    assert [(source.kind, source.video_id) for source in sources] == [
        ("video", "a"),
        ("video", "b"),
        ("video", "c"),
    ]


def test_videos_and_images_in_one_folder_are_told_apart_by_the_user(tmp_path):
    """Neither is left out in silence."""
    for name in ("a.mp4", "b.mp4", "1.jpg"):
        touch(tmp_path / name)

    sources, [(_, error)] = expand([tmp_path])

    assert sources == []
    assert r"videos (2) and images (1)" in str(error)


@pytest.mark.parametrize(
    ("inside", "said"),
    [("cam1/a.mp4", r"\*\*/\*\.mp4"), ("seq/1.jpg", "images in seq"), ("x.txt", "no video and")],
)
def test_a_folder_without_pictures_says_where_there_are_some(tmp_path, inside, said):
    """Folders below are not searched: an archive may be large."""
    touch(tmp_path / inside)

    _, [(_, error)] = expand([tmp_path])

    assert re.search(said, str(error))


@pytest.mark.parametrize("letter", ["n", "車", "é"])
def test_a_long_name_is_cut_for_folders_and_stays_distinct(tmp_path, letter):
    """A source may use the whole 255 bytes; results have endings of their own, and a temporary name meanwhile."""
    stem = letter * (250 // len(letter.encode()))
    paths = [touch(tmp_path / f"{stem}.mp4"), touch(tmp_path / f"{stem[:-1]}x.mp4")]

    sources, _ = expand(paths)

    names = [source.video_id for source in sources]
    assert len(set(names)) == 2
    assert all(len(name.encode()) <= 100 and name.startswith(letter * 30) for name in names)
    assert names == [source.video_id for source in expand(paths)[0]]


def test_a_name_that_no_file_can_have_is_not_found():
    """Not a crash."""
    _, [(_, error)] = expand(["n" * 300 + ".mp4"])

    assert error.code == "not_found"


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
