"""A job on the stored detections of another one: the same bytes, whatever is killed, repeated or disordered meanwhile."""

from dataclasses import replace

import msgspec
import pytest

from sightline.testing import AtCall, Faults, MemoryStore, Scrambled
from tests.hosting import Work, run_job
from tests.laws.test_embedded_laws import outcome, work

PARENT, CHILD = "parent/", "child/"
FRAMES = 333


def placed(made: Work, **route) -> Work:
    """The same job with another route."""
    recipe = made.recipe
    changed = msgspec.structs.replace(recipe.route, **route)
    return replace(made, recipe=msgspec.structs.replace(recipe, route=changed))


@pytest.fixture(scope="module")
def stored():
    """Objects of a job of which some frames have failed."""
    made = placed(work(FRAMES, failed=(5, 6, 200)), prefix=PARENT)
    state, blobs = outcome(made)
    assert state == "ready"
    return blobs


class Unopened:
    """A source of which there is an index and nothing else."""

    def __init__(self, reader):
        self._reader = reader

    def index(self):
        return self._reader.index()

    def close(self):
        pass

    def read(self, *args):
        raise AssertionError("the source is read")


def replay(stored, store=None, **more) -> Work:
    made = work(FRAMES, store=store, **more)
    for key, blob in stored.items():
        if "detections-" in key:
            made.objects.put_new(key, (blob,))
    topics = {stream: topic for stream, topic in made.recipe.route.topics.items() if "frames" not in stream}
    reader = made.reader
    made = replace(made, detector=None, reader=lambda: Unopened(reader()))
    return placed(made, prefix=CHILD, stored=PARENT, topics=topics)


def results(objects, prefix):
    return {key.removeprefix(prefix): blob for key, blob in objects.items() if key.startswith(prefix)}


@pytest.mark.parametrize("window", [256, 4096])
@pytest.mark.parametrize("chunk", [32, 100])
def test_the_bytes_are_those_of_the_job_that_is_replayed(stored, window, chunk):
    """Failed frames among them; neither source nor model is there."""
    state, blobs = outcome(replay(stored, window=window, chunk=chunk))

    assert state == "ready"
    assert results(blobs, CHILD) == results(stored, PARENT)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("method", ["append", "commit"])
@pytest.mark.parametrize("n", [1, 5])
def test_a_process_that_is_killed_anywhere_goes_on(stored, method, when, n):
    """What it had written is not written otherwise by the next one."""

    def die():
        raise KeyboardInterrupt

    store = MemoryStore()
    made = replay(stored, store)
    fault = AtCall(method, when, n, die)
    with pytest.raises(KeyboardInterrupt):
        run_job(replace(made, store=Faults(store, fault)))
    assert fault.fired

    state, blobs = outcome(made)

    assert state == "ready"
    assert results(blobs, CHILD) == results(stored, PARENT)


def test_records_that_are_repeated_and_disordered(stored):
    """As of any stream: the first one of a frame counts, in the order of frames."""
    store = MemoryStore()

    state, blobs = outcome(replay(stored, Scrambled(store, 7)))

    assert state == "ready"
    assert results(blobs, CHILD) == results(stored, PARENT)
