"""Where results go: never above the folder that was named."""

import shutil

import pytest

from sightline.app.track import track
from sightline.settings import TrackOptions
from sightline.sources.named import expand
from sightline.types import Detections
from tests.media import video


def run(source, out):
    options = TrackOptions(out=out, workers=1)
    return track([source], options, function=lambda pictures: [Detections.empty()], labels=["car", "person"])


@pytest.fixture
def clip(tmp_path):
    return video(tmp_path / "clip.mp4", 5)


@pytest.mark.parametrize("name", ["..mp4", "...mp4", "....mp4", "..mp4.gz"])
def test_no_name_leads_out_of_the_folder_that_was_named(tmp_path, clip, name):
    """A stem of dots would be the folder itself, or the one above: everything in it would be removed."""
    (tmp_path / "in").mkdir()
    shutil.copyfile(clip, tmp_path / "in" / name)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "precious").write_text("!")
    (tmp_path / "precious").write_text("!")

    [source], _ = expand([tmp_path / "in" / name])
    [report] = run(tmp_path / "in" / name, tmp_path / "out")

    assert source.video_id.strip(".")
    assert report.path == tmp_path / "out" / source.video_id
    assert (tmp_path / "out" / "precious").exists()
    assert (tmp_path / "precious").exists()
