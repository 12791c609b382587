"""Every durable step of a cluster, with a SIGKILL before it, in it and after it: `python -m tests.cluster.points --ledger mongo`.

The processes are the real ones (`tests.cluster.dying`), over real servers. A round is a job during which one process dies at a point
of each role; its result must be that of one machine, every frame released by every stage, the outbox empty, `ready` told once, and no
object written again afterwards.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.cluster.cluster import Cluster
from tests.cluster.demo import say
from tests.cluster.dying import DIED, DIES_IN, arm
from tests.cluster.judging import (
    Kind,
    clip,
    judged,
    references,
    told,
    unaccounted,
    waiting,
    written,
)

__all__ = ["POINTS", "Points", "main", "rounds", "run"]

REST = ("track", "stats", "collect", "publish")
ROLES = (("api", "generator"), ("feed", "relay", "detect"), ("feed", "relay", "detect"), REST, REST)
KIND: Kind = (60, "traffic")
REACHED_S = 120.0
ALL = ("before", "in", "after")
STEPS: dict[str, tuple[str, ...]] = {
    "upload.put_new": ALL,
    "upload.create": ALL,
    "feed.read": ("before", "after"),
    "feed.append": ALL,
    "feed.commit": ALL,
    "feed.advance": ALL,
    "feed.claim": ALL,
    "feed.release": ALL,
    "detect.read": ("before", "after"),
    "detect.append": ALL,
    "detect.commit": ALL,
    "detect.claim": ALL,
    "track.read": ("before", "after"),
    "track.commit": ALL,
    "track.claim": ALL,
    "stats.commit": ALL,
    "collect.put_new": ALL,
    "collect.commit": ALL,
    "relay.pending": ALL,
    "relay.append": ALL,
    "relay.advance": ALL,
    "relay.sent": ALL,
    "relay.give_back": ALL,
    "publish.read": ("before",),
    "publish.put_new": ALL,
    "publish.advance": ALL,
}
"""Durable steps by stage and method of a port, in the order in which records pass them, and moments."""
POINTS = tuple(f"{step}.{moment}" for step, moments in STEPS.items() for moment in moments)
SECOND = frozenset({"track.commit", "stats.commit", "collect.commit", "detect.append", "publish.put_new"})
"""Steps where something of the job is durable already, as it is the second one."""
CLAIMS, STOPS = frozenset({"claim"}), frozenset({"release", "give_back"})


@dataclass
class Reached:
    """What became of a round.

    Attributes:
        points: in order.
        seconds: from the upload until it was judged.
        wrong: what was not as it should be.
    """

    points: Sequence[str]
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)


class Points:
    """Rounds on one cluster.

    Args:
        cluster: whose processes may be killed at points.
        folder: where points are armed.
        expected: files of the job, as one machine makes them.
    """

    def __init__(self, cluster: Cluster, folder: Path, expected: dict[str, str]) -> None:
        self._cluster, self._folder, self._expected = cluster, folder, expected
        self._api = cluster.begin(ROLES)
        self._objects: dict[str, dict[str, tuple[str, str]]] = {}

    def round(self, points: Sequence[str]) -> Reached:
        """One job, and a death at each point."""
        reached, began = Reached(points), time.monotonic()
        for point in points:
            arm(self._folder, point, 2 if point.rpartition(".")[0] in SECOND else 1)
        self._move(points)
        video = clip(self._cluster.folder, KIND[0])
        job_id = self._uploaded(video, str(began))
        reached.wrong += judged(self._api, job_id, self._expected)
        reached.wrong += [f"{point}: nobody came there" for point in self._missed(points)]
        if not reached.wrong:
            self._objects[job_id] = written(self._cluster, job_id)
            reached.wrong += unaccounted(self._cluster, job_id)
            left = waiting(self._cluster)
            reached.wrong += [f"{left} records are left in the outbox"] if left else []
        reached.seconds = time.monotonic() - began
        return reached

    def afterwards(self) -> list[str]:
        """What is wrong when all is over."""
        said = told(self._cluster, "job moved", "ready")
        twice = [f"{job_id} became ready {count} times" for job_id, count in said.items() if count > 1]
        changed = [
            f"{job_id}: its objects were written again"
            for job_id, before in self._objects.items()
            if written(self._cluster, job_id) != before
        ]
        return [*twice, *changed]

    def _uploaded(self, video: Path, key: str) -> str:
        """The job of a video, sent again with its key as long as nobody answers, as clients do."""
        answers: list[tuple[int, dict[str, str]]] = []

        def answered() -> bool:
            answers.append(self._api.upload(video, key, pipeline=KIND[1]))
            return answers[-1][0] == 200

        self._api.until(answered)
        return str(answers[-1][1]["event_id"])

    def _move(self, points: Iterable[str]) -> None:
        """Claims and releases happen where owners change: one goes by force, another one cleanly."""
        for point in points:
            role, method, _ = point.split(".")
            if method in CLAIMS | STOPS:
                first, *_, last = (worker for worker in self._cluster.workers if role in worker.roles)
                which, number = (first, signal.SIGKILL) if method in CLAIMS else (last, signal.SIGTERM)
                pid = which.children().get("worker")
                if pid is not None:
                    os.kill(pid, number)

    def _missed(self, points: Sequence[str]) -> list[str]:
        until = time.monotonic() + REACHED_S
        while missed := [point for point in points if not (self._folder / f"{point}.{DIED}").exists()]:
            if time.monotonic() > until:
                return missed
            time.sleep(0.1)
        return []


def rounds(points: Sequence[str] = POINTS) -> Iterator[list[str]]:
    """Points in rounds, one of each role; a process that leaves dies once, at one of them."""
    by_role: dict[str, list[str]] = {}
    for point in points:
        by_role.setdefault(point.partition(".")[0], []).append(point)
    for some in zip_longest(*by_role.values()):
        together = [point for point in some if point is not None]
        others = [point for point in together if point.split(".")[1] in STOPS][1:]
        yield [point for point in together if point not in others]
        yield from ([point] for point in others)


def run(folder: Path, plan: Iterable[Sequence[str]], ledger: str = "postgres") -> Iterator[Reached]:
    """Each round as it ends; the last one is what is wrong afterwards."""
    deaths = folder / "points"
    deaths.mkdir(parents=True)
    with Cluster(folder, ledger, program="tests.cluster.dying", around={DIES_IN: str(deaths)}) as cluster:
        cluster.prepare()
        points = Points(cluster, deaths, references(folder, {KIND})[KIND])
        for some in plan:
            yield points.round(some)
        yield Reached((), wrong=points.afterwards())


def main() -> int:
    """Run it by hand."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ledger", choices=("postgres", "mongo"), default="postgres")
    parser.add_argument(
        "--only", default="", help="points whose names begin with it, each in a round of its own"
    )
    parser.add_argument("--moment", choices=ALL, help="these alone")
    asked = parser.parse_args()
    mine = [
        point
        for point in POINTS
        if point.startswith(asked.only) and point.endswith(f".{asked.moment or point.rpartition('.')[2]}")
    ]
    plan = [[point] for point in mine] if asked.only else [*rounds(mine)]
    wrong = 0
    with TemporaryDirectory(prefix="points-") as folder:
        for reached in run(Path(folder), plan, asked.ledger):
            wrong += len(reached.wrong)
            for point in reached.points:
                say(f"| {point} | {reached.seconds:.0f} s | {'; '.join(reached.wrong) or 'same bytes'} |")
            for text in () if reached.points else reached.wrong:
                say(f"WRONG {text}")
    say(f"{len(mine)} points, {asked.ledger}: {wrong or 'nothing'} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
