"""A run that was interrupted goes on with other settings of the machine."""

import json
import time

import pytest

from sightline.app.track import track
from sightline.settings import TrackOptions
from sightline.telemetry import NULL, Progress
from tests.unit.scene import LABELS, images, see


class Interrupts:
    """Stops the command when the first frames were released."""

    def emit(self, event) -> None:
        if isinstance(event, Progress) and event.done > 4:
            raise KeyboardInterrupt


def slowly(pictures):
    """The run is not over before it is interrupted."""
    time.sleep(0.01)
    return see(pictures)


def run(source, out, workers, hook=NULL):
    options = TrackOptions(out=out, workers=workers, chunk_frames=2)
    return track([source], options, hook, function=slowly, labels=LABELS)


@pytest.mark.parametrize("workers", [(2, 1), (1, 3)])
def test_a_function_s_run_goes_on_with_another_number_of_workers(tmp_path, workers):
    """With one of them frames lie on one partition, with several on eight: they are read where they lie."""
    source = images(tmp_path / "street", 60)
    run(source, tmp_path / "plain", 1)

    with pytest.raises(KeyboardInterrupt):
        run(source, tmp_path / "run", workers[0], Interrupts())
    (report,) = run(source, tmp_path / "run", workers[1])

    assert report.state == "done"
    files = [
        json.loads((tmp_path / each / "street/run.json").read_bytes())["files"] for each in ("run", "plain")
    ]
    assert files[0] == files[1]
