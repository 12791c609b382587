"""A power cut under the real `track`: segments are on the disk, the commits that name them are gone."""

import time

import numpy as np
import pytest

from sightline.app.track import track
from sightline.runs.verify import verify
from sightline.settings import TrackOptions
from sightline.types import Detections
from tests.media import video

FRAMES = 300


class Unsteady:
    """A detector with other low bits at each start; at the first one the power is cut behind the first segments."""

    def __init__(self, out) -> None:
        self.start, self._out, self._seen = 1, out, 0

    def __call__(self, pictures):
        self._seen += len(pictures)
        if self.start == 1 and self._seen > FRAMES // 2:
            limit = time.monotonic() + 20
            while not any(self._out.rglob("*.seg")) and time.monotonic() < limit:
                time.sleep(0.01)
            raise InterruptedError
        box = np.array([[10.0, 5.0, 50.0 + self.start / 4, 45.0]])
        return [Detections(box, np.array([0.9]), np.array([0])) for _ in pictures]


def test_segments_of_commits_that_are_gone_are_written_again(tmp_path):
    """Looked at again they hold other bytes: without their commits they are nobody's."""
    source, out = video(tmp_path / "v.mp4", FRAMES), tmp_path / "out"
    detector = Unsteady(out)

    def run():
        return track([source], TrackOptions(out=out, workers=1), function=detector, labels=["car", "person"])

    with pytest.raises(InterruptedError):
        run()
    assert any(out.rglob("*.seg"))
    for path in (out / "v" / ".partial").glob("store.sqlite*"):
        path.unlink()
    detector.start = 2

    assert [report.state for report in run()] == ["done"]
    assert [verdict.problems for verdict in verify(out)] == [()]
