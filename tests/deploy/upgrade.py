"""The upgrade drill: an earlier commit's service is killed with jobs in flight, and this one ends them.

`python -m tests.deploy.upgrade COMMIT` on one machine's data folder, `--shared` on Kafka, a database and a bucket.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType

from tests.cluster.cluster import Cluster, files_of, sent
from tests.cluster.demo import say
from tests.serving.service import Service
from tests.stored_job import STREET

__all__ = ["embedded", "main", "shared"]

ROOT = Path(__file__).parents[2]
PIPELINES = ("traffic", "visdrone", "detect")
EACH = 2  # jobs of each pipeline that are in flight


def code_of(commit: str, folder: Path) -> Path:
    """The package as it was at a commit; where Python finds it."""
    folder.mkdir()
    archive = subprocess.run(["git", "archive", commit, "src"], cwd=ROOT, check=True, stdout=subprocess.PIPE)
    subprocess.run(["tar", "-x", "-C", str(folder)], input=archive.stdout, check=True)
    return folder / "src"


@contextmanager
def running(code: Path) -> Iterator[None]:
    """Programs that are started meanwhile are of that code."""
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = str(code)
    try:
        yield
    finally:
        os.environ.pop("PYTHONPATH")
        if before is not None:
            os.environ["PYTHONPATH"] = before


def sent_all(api: Service) -> tuple[dict[str, str], dict[str, str]]:
    """One job of each pipeline that is ready, and as many that have begun; pipelines by job."""
    first = {sent(api, STREET, pipeline=name): name for name in PIPELINES}
    for job_id in first:
        assert api.result(job_id, 600)["status"] == "ready"
    others = {sent(api, STREET, pipeline=name): name for name in PIPELINES * EACH}
    begun = next(iter(others))
    api.until(lambda: api.json(f"/api/v1/jobs/{begun}")["progress"].get("collect", {"done": 0})["done"], 600)
    return first, others


def judged(api: Service, wanted: dict[str, dict[str, str]], jobs: dict[str, str]) -> list[str]:
    """What is wrong with jobs: each is ready, with the bytes that its pipeline gave where nothing was killed."""
    wrong = []
    for job_id, name in jobs.items():
        api.until(lambda job_id=job_id: state(api, job_id) in ("ready", "failed", "cancelled"), 900)
        found = api.json(f"/api/v1/jobs/{job_id}")
        if found["state"] != "ready":
            wrong.append(f"{name} {job_id}: {found['state']} {found.get('code')} {found.get('reason')}")
        elif files_of(api, job_id) != wanted[name]:
            wrong.append(f"{name} {job_id}: other bytes")
    return wrong


def state(api: Service, job_id: str) -> str:
    """Where a job stands."""
    return str(api.json(f"/api/v1/jobs/{job_id}")["state"])


def embedded(old: Path, folder: Path) -> list[str]:
    """A data folder; what is wrong."""
    with running(old):
        service = Service(folder / "data").start()
        first, others = sent_all(service)
        wanted = {name: files_of(service, job_id) for job_id, name in first.items()}
        service.kill()
    say(f"{len(first)} jobs ready, {len(others)} in flight: killed")
    return ended(Service(folder / "data").start(), wanted, first, others)


def ended(
    api: Service, wanted: dict[str, dict[str, str]], first: dict[str, str], others: dict[str, str]
) -> list[str]:
    """What is wrong once this code has ended what was in flight, and done one more of each."""
    try:
        more = {sent(api, STREET, pipeline=name): name for name in PIPELINES}
        wrong = judged(api, wanted, first | others | more)
        say(f"{len(first | others | more)} jobs looked at: {wrong or 'nothing wrong'}")
        return wrong
    finally:
        api.kill()


def shared(old: Path, folder: Path, ledger: str) -> list[str]:
    """Kafka, a database and a bucket; what is wrong."""
    with Cluster(folder / "cluster", ledger, around=MappingProxyType({"PYTHONPATH": str(old)})) as cluster:
        cluster.prepare()
        api = cluster.begin()
        first, others = sent_all(api)
        wanted = {name: files_of(api, job_id) for job_id, name in first.items()}
        for worker in cluster.workers:
            worker.kill()
        say(f"{len(first)} jobs ready, {len(others)} in flight: every worker killed")
        cluster.workers.clear()
        cluster.around = {}
        for _ in range(2):
            say(cluster.run("migrate").strip())
        return ended(cluster.begin(), wanted, first, others)


def main() -> int:
    """Exit code 1 where anything is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.deploy.upgrade", description=__doc__)
    parser.add_argument("commit")
    parser.add_argument("--shared", action="store_true")
    parser.add_argument("--ledger", choices=("postgres", "mongo"), default="postgres")
    given = parser.parse_args()
    with TemporaryDirectory(prefix="upgrade-") as place:
        folder = Path(place)
        folder.chmod(0o755)
        old = code_of(given.commit, folder / "old")
        wrong = shared(old, folder, given.ledger) if given.shared else embedded(old, folder)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
