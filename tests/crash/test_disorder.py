"""The durable log disturbed while real threads work: repeated and shuffled records, a second owner."""

import threading
import time
from contextlib import suppress
from dataclasses import replace

import pytest

from sightline.adapters.files.objects import FolderObjects
from sightline.adapters.sqlite.store import SqliteStore
from sightline.testing import Scrambled, ScriptedGroup
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
    """Partitions go from one to the other and back while both work; then one of them goes away.

    It may have claimed what it was no longer named for, just before: whoever names owners names the other one anew.
    """
    store, mine = durable(tmp_path, workers=workers)
    other, theirs = durable(tmp_path, workers=workers)
    group, gone, done = ScriptedGroup(), threading.Event(), threading.Event()
    members = group.member("mine"), group.member("theirs")
    mine = replace(mine, members=members[0])
    theirs = replace(theirs, detector=mine.detector, members=members[1])

    def zombie() -> None:
        with suppress(KeyboardInterrupt):
            run_job(theirs, gone)

    def hands() -> None:
        for turn in range(12):
            time.sleep(0.05)
            for owned in sorted(group.reads("theirs") & group.reads("mine")):
                group.hand(owned, ("theirs", "mine")[(turn + owned.partition) % 2])
        members[1].leave()
        gone.set()
        threads[0].join()
        while not done.wait(0.5):
            for to in (None, "mine"):
                for owned in sorted(group.reads("mine")):
                    group.hand(owned, to)
                time.sleep(0.2)

    threads = [threading.Thread(target=each) for each in (zombie, hands)]
    for thread in threads:
        thread.start()
    try:
        job = run_job(mine)
    finally:
        done.set()
        for thread in threads:
            thread.join()

    assert job.state == "ready"
    assert files_below(tmp_path / "files") == plain
    store.close()
    other.close()
