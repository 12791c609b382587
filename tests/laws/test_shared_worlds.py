"""Several processes over one log and one ledger: who does what changes, the bytes do not."""

import threading
from contextlib import ExitStack, contextmanager
from dataclasses import replace

import msgspec
import pytest

from sightline.adapters.joined import JoinedStore
from sightline.errors import Unavailable
from sightline.jobs.recipe import job_of
from sightline.jobs.requests import event_of
from sightline.jobs.topology import Topology, partition_of, topics_of
from sightline.ports import TERMINAL, Outgoing, Owned
from sightline.runtime.crew import STAGES
from sightline.runtime.host import Host, World
from sightline.runtime.relay import Relay
from sightline.testing import (
    Faults,
    MemoryNotes,
    MemoryObjects,
    MemoryStore,
    ScriptedDetector,
    ScriptedGroup,
    ScriptedReader,
    scripted_recipe,
)
from sightline.vision.bytetrack import TrackerSettings
from tests.hosting import Work
from tests.laws.test_embedded_laws import outcome, street

FRAMES = 200
JOBS = ("j1", "j2", "j3", "j4")
GATHER = 3
ONE = topics_of(["cars", "people"], tracked=True)
TWO = {"frames:a": "car-frames", "frames:b": "person-frames"} | {
    stream: topic for stream, topic in ONE.items() if stream != "frames:main"
}


class Documents(MemoryStore):
    """What a database keeps: outputs wait there for a relay."""

    def __init__(self):
        super().__init__(relayed=True)
        self.notes = MemoryNotes()

    def close(self):
        pass


class Log(MemoryStore):
    """A log with holes in its offsets."""

    def __init__(self):
        super().__init__(hole=1)

    def close(self):
        pass


def addressed(event, job):
    return Outgoing("events", partition_of(job.job_id, GATHER), event.key, event.value)


def recipe(job_id, topics):
    made = scripted_recipe(job_id, FRAMES, tracker=TrackerSettings(track_low_thresh=0.1), topics=topics)
    branches = {"a": ("cars",), "b": ("people",)} if "frames:a" in topics else msgspec.UNSET
    route = msgspec.structs.replace(
        made.route,
        frame_partitions=4,
        partition=partition_of(job_id, GATHER),
        prefix=f"{job_id}/",
        branches=branches,
    )
    return msgspec.structs.replace(made, route=route)


class Cluster:
    """Log, ledger and objects that processes share, and the jobs in them."""

    def __init__(self, topics=ONE, faults=None):
        self.log, self.documents, self.objects = Log(), Documents(), MemoryObjects()
        self.topics, self.group, self.faults = topics, ScriptedGroup(), faults
        self.store = self.joined()
        self.waits, self.awaited, self.at_last = [], [], []
        for job_id in JOBS:
            job = job_of(recipe(job_id, topics))
            assert self.store.create(job, [event_of(job)])

    def joined(self):
        log = self.log if self.faults is None else Faults(self.log, self.faults)
        return JoinedStore(log, self.documents, addressed)

    def over(self):
        return all(self.documents.get(job_id).state in TERMINAL for job_id in JOBS)

    @contextmanager
    def process(self, name, stages=STAGES, relays=True, done=lambda: False, leaves=True):
        """One that works until all is over, or until `done`."""
        store = self.joined()

        def waits(error):
            self.waits.append(error)
            self.awaited.append(host.awaited(world))

        world = World(
            store,
            self.objects,
            Topology.of(self.topics, 4, jobs="events", gather=GATHER),
            members=self.group.member(name),
            stages=frozenset(stages),
            outbox=self.documents if relays else None,
            waits=waits,
        )
        work = Work(recipe("j1", self.topics), ScriptedDetector(street), lambda: ScriptedReader(FRAMES))
        host = Host(work.tools(), 2, alone=False, listen=store.wait)
        assert host.awaited(world) == []
        host.add(world)
        seen = []

        def run():
            try:
                host.run(lambda: self.over() or done() or host.error(world) is not None, lambda: None)
            except BaseException as error:
                seen.append(error)
            if host.error(world) is not None:
                seen.append(host.error(world))
            self.at_last += host.awaited(world)
            if leaves:
                host.remove(world)
                world.members.leave()

        thread = threading.Thread(target=run)
        thread.start()
        yield thread
        thread.join(60)
        assert not thread.is_alive()
        assert not seen
        store.close()

    def contents(self):
        assert {self.documents.get(job_id).state for job_id in JOBS} == {"ready"}
        return self.objects.contents()


@pytest.fixture(scope="module")
def alone():
    """What one process makes of each job by itself."""
    found = {}
    for job_id in JOBS:
        made = recipe(job_id, ONE)
        state, blobs = outcome(
            Work(
                msgspec.structs.replace(
                    made, route=msgspec.structs.replace(made.route, partition=0, frame_partitions=8)
                ),
                ScriptedDetector(street),
                lambda: ScriptedReader(FRAMES),
            )
        )
        assert state == "ready"
        found |= blobs
    return found


def test_a_job_is_new_until_its_event_is_on_the_log():
    """Whoever takes it in says `sent`, as where log and rows are one file; here a relay has yet to bring the event."""
    cluster = Cluster()
    job = replace(job_of(recipe("j9", ONE)), state="sent")
    relays = Relay(cluster.documents, cluster.log, cluster.documents, topic="events", partitions=GATHER)

    assert cluster.store.create(job, [event_of(job)])
    assert cluster.documents.get("j9").state == "new"
    while relays.step():
        pass

    assert cluster.documents.get("j9").state == "sent"
    assert cluster.log.head("events", partition_of("j9", GATHER))[1] > 0


def test_one_process_over_many_partitions(alone):
    """Jobs gather on a partition of their own each, outputs pass the outbox, offsets have holes."""
    cluster = Cluster()

    with cluster.process("p1"):
        pass

    assert cluster.contents() == alone
    assert len({partition_of(job_id, GATHER) for job_id in JOBS}) > 1


def test_two_detectors_share_the_frames_of_a_job(alone):
    """Each reads a topic of its own and keeps its own groups, as in system A."""
    cluster = Cluster(TWO)

    with cluster.process("p1"):
        pass

    assert cluster.contents() == alone
    assert cluster.documents.positions("person-frames")


def test_a_process_for_each_stage(alone):
    """And two that relay: records go through the log and nowhere else."""
    cluster = Cluster(TWO)

    with ExitStack() as running:
        for stage in sorted(STAGES):
            running.enter_context(cluster.process(stage, {stage}, relays=False))
        for name in ("relay1", "relay2"):
            running.enter_context(cluster.process(name, (), relays=True))

    assert cluster.contents() == alone


def test_partitions_go_from_one_process_to_another(alone):
    """While both are at work: whoever loses one drops what it holds."""
    cluster = Cluster()
    with cluster.process("p1"), cluster.process("p2"):
        turn = 0
        while not cluster.over():
            turn += 1
            owned = sorted(cluster.group.owners, key=lambda each: (each.role, each.topic, each.partition))
            for number, each in enumerate(owned):
                if (number + turn) % 3 == 0:
                    cluster.group.hand(each, ("p1", "p2")[(turn + number) % 2])
            threading.Event().wait(0.2)

    assert cluster.contents() == alone


def test_a_process_that_is_gone_without_a_word(alone):
    """What it held is read again by who gets its partitions, its records of the outbox are sent again."""
    cluster = Cluster()

    def half():
        return cluster.documents.progress("j1").get(("track", "detections:cars"), 0) > 60

    with cluster.process("p1", done=half, leaves=False):
        pass
    assert not cluster.over()
    with cluster.process("p2"):
        for each in [*cluster.group.owners]:
            cluster.group.hand(each, "p2")

    assert cluster.contents() == alone


def test_a_log_that_does_not_answer_is_waited_for(alone):
    """Nobody ends, nothing is lost, and who waits says for what, as long as it waits."""
    calls = []

    def fault(name, when):
        if name in ("append", "read") and when == "before":
            calls.append(name)
            if 200 < len(calls) < 210:
                raise Unavailable("the broker does not answer", code="kafka_down")

    cluster = Cluster(faults=fault)
    with cluster.process("p1"):
        pass

    assert cluster.contents() == alone
    assert {error.code for error in cluster.waits} == {"kafka_down"}
    assert {code for codes in cluster.awaited for code in codes} == {"kafka_down"}
    assert cluster.at_last == []


def test_a_partition_whose_last_claim_was_a_stale_one_is_claimed_again(monkeypatch):
    """Who is named and was fenced asks to be named anew; else nobody would ever work on it."""
    from sightline.runtime import owning

    monkeypatch.setattr(owning, "PATIENCE_S", 0.2)
    cluster = Cluster()
    stale = [Owned("feed", "events", partition) for partition in range(GATHER)]

    with cluster.process("p1"):
        while not any(at.epoch for at in cluster.documents.positions("events")):
            threading.Event().wait(0.01)
        for each in stale:
            cluster.documents.claim(each.role, each.topic, each.partition)

    cluster.contents()
