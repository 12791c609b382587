"""The durable log disturbed while real threads work: repeated and shuffled records, a second owner."""

import threading
from dataclasses import replace

import pytest

from sightline.adapters.files.objects import FolderObjects
from sightline.adapters.sqlite.store import SqliteStore
from sightline.testing import Scrambled
from tests.crash.jobs import files_below
from tests.crash.schedules import late
from tests.hosting import run_job
from tests.laws.test_embedded_laws import work

FAILED = (5, 6, 332)


@pytest.fixture(scope="module")
def plain():
    """Files of a run that nothing disturbs, in memory."""
    made = work(failed=FAILED)
    run_job(made)
    return made.objects.contents()


def durable(folder, disturb=lambda store: store, **options):
    store = SqliteStore(folder / "store.sqlite", synchronous="NORMAL")
    return store, work(
        failed=FAILED, store=disturb(store), objects=FolderObjects(folder / "files"), **options
    )


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_repeated_and_shuffled_records_change_no_byte(plain, tmp_path, workers):
    """Each batch is shuffled, and records come again with other content: the first one counts."""
    store, made = durable(tmp_path, lambda store: Scrambled(store, workers, late), workers=workers, chunk=32)

    job = run_job(made)

    assert job.state == "ready"
    assert files_below(tmp_path / "files") == plain
    store.close()


@pytest.mark.parametrize("workers", [1, 2])
def test_a_second_process_on_the_same_job_changes_no_byte(plain, tmp_path, workers):
    """Two sets of workers over one file take partitions from each other; then one of them goes away."""
    store, mine = durable(tmp_path, workers=workers)
    other, theirs = durable(tmp_path, workers=workers)
    gone = threading.Event()
    theirs = replace(theirs, detector=mine.detector)
    ended: list[BaseException] = []

    def zombie() -> None:
        try:
            run_job(theirs, gone)
        except KeyboardInterrupt as error:
            ended.append(error)

    thread = threading.Thread(target=zombie)
    thread.start()
    timer = threading.Timer(0.6, gone.set)
    timer.start()
    job = run_job(mine)
    thread.join()
    timer.cancel()

    assert job.state == "ready"
    assert files_below(tmp_path / "files") == plain
    store.close()
    other.close()
