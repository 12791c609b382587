"""Each service that a cluster needs, away for a while, killed or standing still: `python -m tests.cluster.outages --seconds 60`.

Work is under way when it goes and goes on by itself when it is back: the files of one machine, every frame released, nothing left to
be sent, no attempt counted and no record buried. Meanwhile the workers say what they wait for.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.cluster.cluster import Cluster, Worker, sent
from tests.cluster.demo import say
from tests.cluster.judging import Kind, clip, judged, references, told, unaccounted, waiting
from tests.serving.service import Service

__all__ = ["Outage", "outage"]

DATABASE = ("database_down", "jobs")
NAMES = {
    "kafka": ("kafka_down", "kafka_down"),
    "postgres": DATABASE,
    "mongo": DATABASE,
    "s3": ("objects_down", "objects"),
}
"""What workers and API call a server that is away: the API serves requests without the brokers, so these are awaited, not missing."""
PIPELINE = "traffic"
KIND: Kind = (160, PIPELINE)
NOTICED_S = 60.0


@dataclass
class Outage:
    """What became of one.

    Attributes:
        server, how: `killed` or `still`.
        said: codes that the workers named meanwhile.
        shown: what the API named, as missing or awaited.
        seconds: from when it was back until the job had ended.
        wrong: what was not as it should be.
    """

    server: str
    how: str
    said: set[str] = field(default_factory=set)
    shown: set[str] = field(default_factory=set)
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)

    @property
    def named(self) -> bool:
        """Whether workers and API have said what is missing."""
        code, name = NAMES[self.server]
        return code in self.said and name in self.shown


def outage(
    cluster: Cluster, server: str, seconds: float, video: Path, expected: dict[str, str], how: str = "killed"
) -> Outage:
    """One server is away for so long while a job is worked on, and until the workers say so.

    Args:
        cluster: at work; its first worker answers.
        server: its name.
        seconds: for which it is away at the least.
        video: of the job, whose pipeline is `traffic`.
        expected: the files of the job, as one machine makes them.
        how: it is `killed`, or stands `still`.
    """
    found, api = Outage(server, how), cluster.workers[0]
    job_id = sent(api, video, pipeline=PIPELINE)
    api.until(lambda: api.json(f"/api/v1/jobs/{job_id}")["state"] == "processing")
    before = _counted(cluster)
    with cluster.without(server, still=how == "still"):
        began = time.monotonic()
        while (away := time.monotonic() - began) < seconds or not found.named:
            if away > seconds + NOTICED_S:
                found.wrong.append(f"workers said {found.said}, the API {found.shown}")
                break
            time.sleep(0.2)
            found.said |= {code for worker in _alive(cluster) for code in worker.awaits()}
            found.shown |= _shown(api)
    back = time.monotonic()
    found.wrong += judged(api, job_id, expected)
    found.seconds = time.monotonic() - back
    if not found.wrong:
        found.wrong += unaccounted(cluster, job_id)
        left = waiting(cluster)
        found.wrong += [f"{left} records are left in the outbox"] if left else []
    if more := _counted(cluster) - before:
        found.wrong.append(f"attempts or dead letters were counted: {dict(more)}")
    return found


def _shown(api: Service) -> set[str]:
    """What the API says is missing or awaited; nothing where it waits for its own answer."""
    try:
        ready = api.json("/ready")
    except OSError:
        return set()
    return {*ready.get("missing", ()), *ready.get("awaits", ())}


def _alive(cluster: Cluster) -> list[Worker]:
    return [each for each in cluster.workers if each.process is not None and each.process.poll() is None]


def _counted(cluster: Cluster) -> Counter[str]:
    """Records that were begun again or buried, by stage."""
    return told(cluster, "record begun again") + told(cluster, "dead letter")


def run(folder: Path, seconds: float, ledger: str) -> Iterator[Outage]:
    """Each server of a cluster, killed and standing still."""
    with Cluster(folder, ledger) as cluster:
        cluster.prepare()
        expected = references(folder, {KIND})[KIND]
        cluster.begin()
        for server in cluster.names:
            for how in ("killed", "still"):
                yield outage(cluster, server, seconds, clip(folder, KIND[0]), expected, how)


def main() -> int:
    """Run it by hand."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--ledger", choices=("postgres", "mongo"), default="postgres")
    asked = parser.parse_args()
    wrong = 0
    with TemporaryDirectory(prefix="outages-") as folder:
        for found in run(Path(folder), asked.seconds, asked.ledger):
            wrong += len(found.wrong)
            said, outcome = " ".join(sorted(found.said | found.shown)), "; ".join(found.wrong) or "same bytes"
            say(
                f"| {found.server} {found.how} {asked.seconds:g} s | {said} | ready {found.seconds:.0f} s later | {outcome} |"
            )
    say(f"{wrong or 'nothing'} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
