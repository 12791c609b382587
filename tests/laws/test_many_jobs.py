"""Many jobs in one store: all end, in a fair order, each as if it were alone, whatever is wrong with some of them."""

from dataclasses import replace
from random import Random

import pytest

from sightline.errors import InvalidVideo, Misconfigured
from sightline.jobs.derived import plan_of
from sightline.jobs.topology import JOB_TOPIC, Topology
from sightline.ports import TERMINAL, Outgoing
from sightline.runtime.host import Host, Tools, World, accept
from sightline.testing import MemoryObjects, MemoryStore, ScriptedDetector, ScriptedReader, scripted_recipe
from sightline.vision.bytetrack import TrackerSettings
from tests.hosting import Work, rendered, run_job
from tests.laws.test_embedded_laws import street

JOBS = 60
UNREADABLE, REFUSED, CANCELLED, GONE = "j07", "j11", "j23", "j31"


def recipe(job_id: str):
    frames = Random(job_id).choice([1, 9, 40, 130, 300])
    return scripted_recipe(
        job_id, frames, tracker=TrackerSettings(track_low_thresh=0.1), prefix=f"{job_id}/", video_id="street"
    )


RECIPES = {f"j{number:02}": recipe(f"j{number:02}") for number in range(JOBS)}


class Refusing(ScriptedDetector):
    """A model that does not fit one of the jobs."""

    def slot(self):
        raise Misconfigured("tiny.onnx: another head", code="model_head")


class Gone(ScriptedReader):
    """A source that goes away in the middle."""

    def read(self, chunk, rows, ticks, buffer):
        yield from super().read(chunk, rows[:1], ticks[:1], buffer)
        raise InvalidVideo("street", reason="it was changed", code="source_changed")


def tools() -> Tools:
    fine, refusing = ScriptedDetector(street), Refusing(street)

    def plan(wanted):
        if wanted.job_id == UNREADABLE:
            raise InvalidVideo("street", reason="not a video", code="not_video")
        return plan_of(wanted, ScriptedReader(wanted.sampled).index())

    def reader(wanted):
        kind = Gone if wanted.job_id == GONE else ScriptedReader
        return kind(wanted.sampled)

    return Tools(plan, reader, lambda wanted: refusing if wanted.job_id == REFUSED else fine, rendered)


def alone(job_id: str) -> dict[str, bytes]:
    """Files of a job that has a store and a host for itself."""
    work = Work(RECIPES[job_id], ScriptedDetector(street), lambda: ScriptedReader(RECIPES[job_id].sampled))
    run_job(work)
    return work.objects.contents()


@pytest.mark.parametrize("lanes", [1, 3])
def test_every_job_ends_and_nobody_notices_what_is_wrong_with_the_others(lanes):
    """One cannot be read, one's model is refused, one's source goes away, one is cancelled, one event is garbage."""
    store, objects = MemoryStore(), MemoryObjects()
    route = RECIPES["j00"].route
    world = World(store, objects, Topology.of(route.topics, route.frame_partitions))
    for number, wanted in enumerate(RECIPES.values()):
        accept(store, wanted)
        if number == 20:
            store.append([Outgoing(JOB_TOPIC, 0, "?", b"garbage")])
    store.advance(CANCELLED, "cancelled")
    host = Host(tools(), lanes)
    host.add(world)

    host.run(lambda: all(store.get(job_id).state in TERMINAL for job_id in RECIPES), lambda: None)
    host.remove(world)

    ends = {job_id: (store.get(job_id).state, store.get(job_id).code) for job_id in RECIPES}
    wrong = {
        UNREADABLE: ("failed", "not_video"),
        REFUSED: ("failed", "model_head"),
        CANCELLED: ("cancelled", ""),
        GONE: ("failed", "source_changed"),
    }
    assert {job_id: end for job_id, end in ends.items() if end != ("ready", "")} == wrong
    files = objects.contents()
    for job_id in [job_id for job_id in RECIPES if job_id not in wrong][::7]:
        mine = {key: blob for key, blob in files.items() if key.startswith(f"{job_id}/")}
        assert mine == alone(job_id)


def test_a_short_job_is_not_held_up_by_a_long_one_that_came_first():
    """Their chunks take turns: it ends while the long one has not gone much further."""
    long = scripted_recipe("long", 20_000, tracker=TrackerSettings(), prefix="long/")
    short = scripted_recipe("short", 200, tracker=TrackerSettings(), prefix="short/")
    store, objects = MemoryStore(), MemoryObjects()
    world = World(store, objects, Topology.of(long.route.topics, long.route.frame_partitions))
    for wanted in (long, short):
        accept(store, wanted)
    host = Host(replace(tools(), reader=lambda wanted: ScriptedReader(wanted.sampled)), 2)
    host.add(world)

    host.run(lambda: store.get("short").state in TERMINAL, lambda: None)

    released = store.progress("long").get(("track", "detections:cars"), 0)
    assert store.get("short").state == "ready"
    assert released < 2_500
    host.remove(world)
