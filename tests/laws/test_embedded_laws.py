"""One video in one process, whole: the same bytes with any number of workers, chunks and windows."""

import numpy as np
import pytest

from sightline.runtime.retention import WORTH
from sightline.testing import (
    Faults,
    MemoryObjects,
    MemoryStore,
    ScriptedDetector,
    ScriptedReader,
    scripted_recipe,
)
from sightline.types import Detections
from sightline.vision.bytetrack import TrackerSettings
from sightline.vision.refine import RefineSettings
from tests.hosting import Work, run_job


def street(number: int) -> Detections:
    """Two cars and a person who hides for a while; an empty stretch in the middle."""
    if 150 <= number < 170:
        return Detections.empty()
    boxes = [[number, 10, number + 40, 30], [600 - number, 100, 640 - number, 120]]
    rows = [(*box, 0.9, 0) for box in boxes]
    if number % 50 < 40:
        rows.append((300, number, 320, number + 50, 0.8 - number % 7 / 20, 1))
    table = np.array(rows)
    return Detections(table[:, :4], table[:, 4], table[:, 5].astype(int))


def work(
    frames=333, *, tracked=True, workers=1, chunk=32, window=512, failed=(), store=None, objects=None
) -> Work:
    recipe = scripted_recipe(
        "j1",
        frames,
        tracker=TrackerSettings(track_low_thresh=0.1) if tracked else None,
        refine=RefineSettings() if tracked else None,
    )
    return Work(
        recipe,
        ScriptedDetector(street),
        lambda: ScriptedReader(frames, failed=failed),
        store or MemoryStore(),
        objects or MemoryObjects(),
        workers,
        chunk,
        window,
    )


def outcome(made: Work):
    job = run_job(made)
    return job.state, made.objects.contents()


@pytest.fixture(scope="module")
def plain():
    return outcome(work())


def test_a_job_ends_ready_with_every_file_listed(plain):
    """Segments and results, each with size and hash."""
    state, blobs = plain

    assert state == "ready"
    assert {key.split("/")[0] for key in blobs} == {
        "segments",
        "mot",
        "csv-a",
        "detections.csv",
        "tracks.csv",
        "result.json",
        "counts.csv",
        "events.csv",
        "summary.json",
        "manifest.txt",
    }
    assert blobs["csv-a/stats.csv"].splitlines()[-1].endswith(b",2,1")
    assert len(blobs["csv-a/stats.csv"].splitlines()) == 334


@pytest.mark.parametrize("workers", [1, 2, 4])
@pytest.mark.parametrize("chunk", [32, 100])
@pytest.mark.parametrize("window", [256, 4096])
def test_machine_settings_never_change_a_byte(plain, workers, chunk, window):
    """Workers, chunk size and window are free."""
    assert outcome(work(workers=workers, chunk=chunk, window=window)) == plain


def test_without_a_tracker_there_are_detections_only():
    """The pipeline `detect`: one stream a group."""
    state, blobs = outcome(work(tracked=False, workers=2))

    assert state == "ready"
    assert {key.split("/")[1] for key in blobs if key.startswith("segments")} == {
        "detections-cars",
        "detections-people",
    }


def test_failed_frames_are_in_the_result():
    """Some frames fail: the job is ready and names them."""
    state, blobs = outcome(work(failed=(5, 6)))

    assert state == "ready"
    assert blobs["result.json"].count(b'"outcome":"failed"') == 2


def test_a_job_of_which_no_frame_decodes_has_failed():
    """With a code, and no result files."""
    made = work(40, failed=range(40))

    job = run_job(made)

    assert (job.state, job.code) == ("failed", "no_frame")
    assert not any(key.startswith("mot") for key in made.objects.contents())


def test_the_log_is_trimmed_while_it_runs():
    """Memory does not grow with the length of a video: a partition keeps what is not worth a trim, and what came since."""
    made = work(9000)

    outcome(made)

    partitions = made.store._log.values()
    assert sum(partition.next for partition in partitions) > 50_000
    assert sum(len(partition.entries) for partition in partitions) < len(partitions) * 2 * WORTH


def test_a_job_that_was_interrupted_goes_on_where_it_stood(plain):
    """The same store, another process: the same bytes."""
    calls = [0]

    def fault(method: str, when: str) -> None:
        calls[0] += method == "commit"
        if calls[0] > 60:
            raise KeyboardInterrupt

    store = MemoryStore()
    made = work(store=Faults(store, fault))

    with pytest.raises(KeyboardInterrupt):
        outcome(made)

    assert store.get("j1").state == "processing"
    assert outcome(work(store=store, objects=made.objects)) == plain
