"""A cluster in which something is killed or stopped all the time; `python -m tests.cluster.chaos --events 200 --jobs 20`.

A number decides what happens, not when: processes and servers run in real time. The judge is outside of all that is killed: what
one machine made of the same videos before.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, closing, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from sightline.adapters.kafka.connection import Connection
from sightline.adapters.kafka.log import KafkaLog
from sightline.app.service_tools import PIPELINES
from sightline.app.shared import shared_topology
from sightline.ports import Outgoing
from tests.cluster.cluster import ROLES, Cluster, Worker, sent
from tests.cluster.demo import say
from tests.cluster.judging import Kind, clip, judged, references, told, unaccounted, waiting

__all__ = ["Chaos", "Event", "Watching", "main", "run"]

LENGTHS = (40, 90, 160)
AGAIN = 64
STOPPED_S = 13.0  # longer than a session of a consumer group


@dataclass(frozen=True)
class Event:
    """Something that was done to a cluster: to what, when (seconds since the epoch), and how long that took."""

    name: str
    what: str
    at: float
    seconds: float

    def __str__(self) -> str:
        return f"{self.name}: {self.what}"


Watching = Callable[[Cluster], AbstractContextManager[Callable[[Event], None]]]
"""Looks at a cluster at work; is told of each event."""


@dataclass
class Chaos:
    """What happens to a cluster, as a number decides.

    Args:
        cluster: at work.
        random: decides.
        hear: is told of each event.

    Attributes:
        happened: events by name.
        again: records that were written a second time.
    """

    cluster: Cluster
    random: Random
    hear: Callable[[Event], None]
    happened: Counter[str] = field(default_factory=Counter)
    again: int = 0

    def __post_init__(self) -> None:
        self._reads = [*shared_topology(PIPELINES, self.cluster.partitions).reads()]

    def events(self) -> dict[str, tuple[int, Callable[[], str]]]:
        """By name: how often of all, and what it does."""
        return {
            "a process is killed": (8, self.kill_process),
            "a service is killed, and another one started": (3, self.kill_service),
            "a process stands still beyond its session": (2, self.stop_process),
            "a service leaves, and another one comes": (2, self.leave),
            "the broker is killed": (1, lambda: self.kill_server("kafka")),
            "the database is killed": (2, lambda: self.kill_server(self.cluster.ledger)),
            "the object store is killed": (2, lambda: self.kill_server("s3")),
            "connections are cut": (2, self.cut),
            "records come again, in another order": (2, self.disorder),
        }

    def step(self) -> None:
        """One event."""
        events = self.events()
        (name,) = self.random.choices([*events], [weight for weight, _ in events.values()])
        at = time.time()
        what = events[name][1]()
        self.happened[name] += 1
        self.hear(Event(name, what, at, time.time() - at))

    def kill_process(self) -> str:
        """As the kernel does where memory is short; its supervisor starts it again."""
        worker = self._one(self._alive())
        worker.kill_one("worker")
        return " ".join(worker.roles)

    def kill_service(self) -> str:
        """All processes of one at once."""
        worker = self._one(self._alive()[1:])  # whoever answers must stay: its port is known
        worker.kill()
        self.cluster.worker(*worker.roles)
        return " ".join(worker.roles)

    def stop_process(self) -> str:
        """Others own what was its own when it wakes."""
        worker = self._one(self._alive()[1:])
        pid = worker.children().get("worker")
        if pid is None:
            return "none was there"
        os.kill(pid, signal.SIGSTOP)
        time.sleep(STOPPED_S)
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
        return " ".join(worker.roles)

    def leave(self) -> str:
        """As an operator takes a machine out."""
        worker = self._one(self._alive()[1:])
        assert worker.stop() == 0
        self.cluster.worker(*worker.roles)
        return " ".join(worker.roles)

    def kill_server(self, name: str) -> str:
        """And start it again on what it has written."""
        self.cluster.kill(name)
        return name

    def cut(self) -> str:
        """Those of all workers to one server, in the middle of what they carry."""
        name = self.random.choice(self.cluster.names)
        return f"{self.cluster.cut(name)} to {name}"

    def disorder(self) -> str:
        """What was written last to some partition, as by a producer or a relay that heard no answer."""
        _, topic, partitions = self.random.choice(self._reads)
        with closing(KafkaLog(Connection(self.cluster.servers["kafka"]["bootstrap"], client="chaos"))) as log:
            partition = self.random.randrange(partitions)
            first, end = log.head(topic, partition)
            entries = log.read(topic, partition, max(first, end - AGAIN), AGAIN) if end > first else []
            again = self.random.sample(entries, len(entries))
            log.append([Outgoing(topic, partition, each.key, each.value, each.headers) for each in again])
        self.again += len(again)
        return f"{len(again)} of {topic}/{partition}"

    def _alive(self) -> list[Worker]:
        return [each for each in self.cluster.workers if each.process and each.process.poll() is None]

    def _one(self, workers: list[Worker]) -> Worker:
        codes = [each.process.poll() for each in self.cluster.workers if each.process is not None]
        assert workers, f"services ended by themselves: {codes}"
        return self.random.choice(workers)


def unwatched(cluster: Cluster) -> AbstractContextManager[Callable[[Event], None]]:
    """Events are printed."""
    return nullcontext(lambda event: say(str(event)))


def run(
    folder: Path,
    *,
    events: int,
    jobs: int,
    seed: int,
    ledger: str = "postgres",
    watching: Watching = unwatched,
) -> list[str]:
    """Let it happen; what was wrong at the end."""
    random = Random(seed)
    kinds: list[Kind] = [(random.choice(LENGTHS), random.choice(PIPELINES)) for _ in range(jobs)]
    with Cluster(folder, ledger, proxied=True) as cluster:
        cluster.prepare()
        expected = references(folder, set(kinds))
        api = cluster.begin(ROLES)
        with watching(cluster) as hear:
            chaos, made = Chaos(cluster, random, hear), dict[str, Kind]()
            for number in range(events):
                while len(made) < jobs * (number + 1) // events or len(made) < min(3, jobs):
                    kind = kinds[len(made)]
                    made[sent(api, clip(folder, kind[0]), pipeline=kind[1])] = kind
                time.sleep(random.uniform(0.5, 3.0))
                chaos.step()
            wrong = [text for job_id, kind in made.items() for text in judged(api, job_id, expected[kind])]
        wrong += [text for job_id in made if not wrong for text in unaccounted(cluster, job_id)]
        left, ready = waiting(cluster), told(cluster, "job moved", "ready")
        wrong += [f"{left} records are left in the outbox"] if left else []
        wrong += [f"{job_id} became ready {count} times" for job_id, count in ready.items() if count > 1]
        fenced = told(cluster, "fenced")
    say(f"{sum(chaos.happened.values())} events, {len(made)} jobs: {dict(chaos.happened)}")
    say(f"{sum(fenced.values())} late commits fenced: {dict(fenced)}; {chaos.again} records came again")
    return wrong


def main() -> int:
    """Run it by hand."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=200)
    parser.add_argument("--jobs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--ledger", choices=("postgres", "mongo"), default="postgres")
    asked = parser.parse_args()
    say(f"seed {asked.seed}")
    with TemporaryDirectory(prefix="chaos-") as folder:
        wrong = run(Path(folder), events=asked.events, jobs=asked.jobs, seed=asked.seed, ledger=asked.ledger)
    for text in wrong:
        say(f"WRONG {text}")
    say("nothing wrong" if not wrong else f"{len(wrong)} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
