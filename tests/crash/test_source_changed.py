"""A source that is replaced while its command runs: a camera that writes `latest.mp4` again and again."""

import os
import shutil

import pytest

from sightline.app.track import track
from sightline.runs.verify import verify
from sightline.settings import TrackOptions
from sightline.types import Detections
from tests.media import video
from tests.unit.scene import images


def command(sources, out, seen=lambda: None):
    def see(pictures):
        seen()
        return [Detections.empty()]

    return track(sources, TrackOptions(out=out, workers=1), function=see, labels=["car", "person"])


@pytest.mark.parametrize("kind", ["video", "images"])
def test_no_result_is_called_that_of_another_source(tmp_path, kind):
    """Hours may lie between the hash of the last of many videos and its first frame."""
    first = video(tmp_path / "first.mp4", 4)
    other = video(tmp_path / "other.mp4", 30)
    if kind == "video":
        source = video(tmp_path / "latest.mp4", 30, gop=3)
    else:
        source = images(tmp_path / "latest", 30)

    def replace():
        if kind == "video":
            shutil.copyfile(other, source)
        else:
            for number in range(1, 30):
                shutil.copyfile(source / "0000.png", source / f"{number:04d}.png")

    reports = command([first, source], tmp_path / "out", replace)

    assert [report.state for report in reports] == ["done", "failed"]
    assert reports[1].error.code == "source_changed"
    assert not (tmp_path / "out" / "latest" / "run.json").exists()
    assert [report.state for report in command([first, source], tmp_path / "out")] == ["finished", "done"]
    assert [verdict.problems for verdict in verify(tmp_path / "out")] == [(), ()]


def test_a_source_that_was_only_touched_is_the_same(tmp_path):
    """Copied once more, say."""
    source = video(tmp_path / "latest.mp4", 4)

    reports = command([source], tmp_path / "out", lambda: os.utime(source))

    assert [report.state for report in reports] == ["done"]
