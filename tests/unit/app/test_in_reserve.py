"""The next videos wait with their folders taken: lanes have frames while those before are finished."""

import threading

import pytest

from sightline.app import tools
from sightline.app.track import track
from sightline.settings import TrackOptions
from sightline.telemetry import Finished, Started
from sightline.types import Detections
from tests.media import video

PATIENCE_S = 60.0


class Heard:
    """Names in the order in which they were begun and finished; a word when enough were begun."""

    def __init__(self, enough):
        self.begun, self.finished, self.enough = [], [], threading.Event()
        self._wanted = enough

    def emit(self, event):
        if isinstance(event, Started):
            self.begun.append(event.job)
            if len(self.begun) == self._wanted:
                self.enough.set()
        if isinstance(event, Finished):
            self.finished.append(event.job)


@pytest.fixture
def texts(tmp_path):
    """Texts of detections: no model and no function."""
    for name in "abcdef":
        rows = [f"{frame},-1,{frame},0,10,20,0.9\n" for frame in range(1, 40)]
        (tmp_path / f"{name}.txt").write_text("".join(rows))
    return [tmp_path / f"{name}.txt" for name in "abcdef"]


def test_the_next_videos_are_begun_before_the_first_ones_are_published(texts, tmp_path, monkeypatch):
    """Two at once, two in reserve, no more: videos of the same length end at the same time."""
    heard, check, seen = Heard(4), tools.check_unchanged, []

    def publishing(probed):
        seen.append((heard.enough.wait(PATIENCE_S), len(heard.begun) - len(heard.finished)))
        check(probed)

    monkeypatch.setattr(tools, "check_unchanged", publishing)

    reports = track(texts, TrackOptions(workers=1, out=tmp_path / "out"), heard)

    assert [report.state for report in reports] == ["done"] * 6
    assert all(enough and begun <= 4 for enough, begun in seen)
    assert heard.begun == [*"abcdef"]


def test_a_function_has_one_video_after_the_other(tmp_path):
    """It may keep a state from frame to frame: nothing is in reserve."""
    clips = [video(tmp_path / f"{name}.mp4", 6) for name in "abc"]
    told = []

    class Hook:
        def emit(self, event):
            if isinstance(event, Started | Finished):
                told.append((type(event), event.job))

    options = TrackOptions(workers=1, out=tmp_path / "out")
    track(clips, options, Hook(), function=lambda pictures: [Detections.empty()], labels=["car", "person"])

    assert told == [(kind, name) for name in "abc" for kind in (Started, Finished)]
