"""`make cluster-demo`: a video through a real cluster on this machine, parts of it killed meanwhile; `python -m tests.cluster.demo`."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.cluster.cluster import ROLES, Cluster, Embedded, files_of, sent
from tests.servers.programs import Missing
from tests.serving.service import Service
from tests.stored_job import STREET

__all__ = ["main"]


def say(text: str) -> None:
    """At once, also into a pipe."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def done(service: Service, job_id: str, patience_s: float = 600) -> dict[str, str]:
    """The files of a job, once it has ended."""
    ended = ("ready", "failed", "cancelled")
    service.until(lambda: service.json(f"/api/v1/jobs/{job_id}")["state"] in ended, patience_s)
    return files_of(service, job_id)


def alone(folder: Path, video: Path, pipelines: list[str], model: str) -> dict[str, dict[str, str]]:
    """What one machine makes of the video."""
    with (folder / "alone.log").open("ab") as log:
        service = Embedded(folder / "alone", model=model, stderr=log).start()
    try:
        jobs = {name: sent(service, video, pipeline=name) for name in pipelines}
        return {name: done(service, job_id) for name, job_id in jobs.items()}
    finally:
        service.stop()


def shared(
    cluster: Cluster, video: Path, pipelines: list[str]
) -> tuple[dict[str, dict[str, str]], dict[str, float], int]:
    """What the cluster makes of it, how long that took, and how many of its processes were killed."""
    api = cluster.begin()
    began, took, kills = time.monotonic(), dict[str, float](), 0
    jobs = {name: sent(api, video, pipeline=name) for name in pipelines}
    for worker in cluster.workers[1:]:
        time.sleep(1.0)
        pid = worker.children().get("worker")
        if pid is not None:
            worker.kill_one("worker")
            kills += 1
            say(f"killed {pid}: {' '.join(worker.roles)}")
    found = {}
    for name, job_id in jobs.items():
        found[name] = done(api, job_id)
        took[name] = time.monotonic() - began
    return found, took, kills


def main(words: list[str] | None = None) -> int:
    """Run it; 0 where every file is the same, 1 where one differs, 3 where this machine lacks a server."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--video", type=Path, default=STREET, help="default: the bundled clip")
    parser.add_argument("--model", default="sightline-tiny", help="default: the bundled model")
    parser.add_argument("--ledger", choices=("postgres", "mongo"), default="postgres")
    parser.add_argument("--pipeline", action="append", choices=("traffic", "visdrone", "detect"))
    asked = parser.parse_args(words)
    pipelines = asked.pipeline or ["traffic"]
    with TemporaryDirectory(prefix="cluster-demo-") as place:
        folder = Path(place)
        try:
            say(f"starting Kafka, {asked.ledger} and an S3 server below {folder}")
            with Cluster(folder, asked.ledger, asked.model) as cluster:
                cluster.prepare()
                say("one machine: " + ", ".join(pipelines))
                reference = alone(folder, asked.video, pipelines, asked.model)
                say(f"{len(ROLES)} workers: " + "; ".join(" ".join(roles) for roles in ROLES))
                found, took, kills = shared(cluster, asked.video, pipelines)
        except Missing as lack:
            say(f"this machine lacks a server: {lack}")
            return 3
    say(f"\n{'pipeline':<10} {'files':>6} {'differ':>7} {'seconds':>8}")
    differ = 0
    for name in pipelines:
        others = {
            path
            for path in reference[name] | found[name]
            if reference[name].get(path) != found[name].get(path)
        }
        differ += len(others)
        say(f"{name:<10} {len(found[name]):>6} {len(others):>7} {took[name]:>8.1f}")
        for path in sorted(others):
            say(f"  differs: {path}")
    say(
        f"\n{kills} of its processes were killed; "
        + ("the same bytes" if not differ else "NOT the same bytes")
    )
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
