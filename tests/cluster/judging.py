"""What is asked of a cluster after whatever happened to it: the files that one machine makes, each frame accounted for, nothing left."""

from __future__ import annotations

import json
import time
from collections import Counter
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
from obstore.store import S3Store
from pymongo import MongoClient

from sightline.adapters.mongo.store import MongoStore
from sightline.adapters.postgres.store import PostgresStore
from tests.cluster.cluster import Cluster, Embedded, files_of, sent
from tests.media import swung
from tests.serving.service import Service
from tests.stored_job import STREET

__all__ = [
    "Kind",
    "clip",
    "ended",
    "judged",
    "references",
    "told",
    "unaccounted",
    "waiting",
    "written",
]

PATIENCE_S = 600.0
EMPTIED_S = 30.0
Kind = tuple[int, str]
"""Frames of a clip, and a pipeline."""


def references(folder: Path, kinds: set[Kind]) -> dict[Kind, dict[str, str]]:
    """What one machine makes of each length of the video, by each pipeline."""
    with (folder / "alone.log").open("ab") as log:
        service = Embedded(folder / "alone", stderr=log).start()
    try:
        jobs = {kind: sent(service, clip(folder, kind[0]), pipeline=kind[1]) for kind in sorted(kinds)}
        for job_id in jobs.values():
            ended(service, job_id)
        return {kind: files_of(service, job_id) for kind, job_id in jobs.items()}
    finally:
        service.stop()


def clip(folder: Path, frames: int) -> Path:
    """The first frames of the bundled clip, as a camera sees them that moves."""
    path = folder / f"street-{frames}.mp4"
    return path if path.exists() else swung(path, STREET, frames)


def ended(service: Service, job_id: str) -> None:
    """Wait for the end of a job."""
    states = ("ready", "failed", "cancelled")
    service.until(lambda: service.json(f"/api/v1/jobs/{job_id}").get("state") in states, PATIENCE_S)


def judged(api: Service, job_id: str, expected: dict[str, str]) -> list[str]:
    """What is wrong with a job: it is not ready, or a file differs."""
    try:
        ended(api, job_id)
    except AssertionError:
        return [f"{job_id} never ended: {api.json(f'/api/v1/jobs/{job_id}')}"]
    job = api.json(f"/api/v1/jobs/{job_id}")
    if job["state"] != "ready":
        return [f"{job_id} {job['state']}: {job}"]
    found = files_of(api, job_id)
    return [f"{job_id}: {path}" for path in sorted(expected | found) if expected.get(path) != found.get(path)]


def unaccounted(cluster: Cluster, job_id: str) -> list[str]:
    """Streams of a job that a stage has not released to their end."""
    with closing(_store(cluster)) as store:
        job, done = store.get(job_id), store.progress(job_id)
    whole = int(job.facts["sampled"]) + 1  # and the end itself
    streams = {("collect", stream) for stream in job.streams} | set(done)
    return [
        f"{job_id}: {stage} {stream} at {done.get((stage, stream))} of {whole}"
        for stage, stream in sorted(streams)
        if done.get((stage, stream)) != whole
    ]


def waiting(cluster: Cluster, patience_s: float = EMPTIED_S) -> int:
    """Records that are left in the outbox, held ones too, when everybody had time to send them."""
    until = time.monotonic() + patience_s
    while (left := _waiting(cluster)) and time.monotonic() < until:
        time.sleep(0.1)
    return left


def told(cluster: Cluster, event: str, state: str = "") -> Counter[str]:
    """How often the processes said of each job, or each stage, that this happened: in their logs, as counters die with them."""
    said = Counter[str]()
    for log in cluster.folder.glob("worker-*.log"):
        for line in log.read_text(errors="replace").splitlines():
            if f'"event": "{event}"' in line:
                facts = json.loads(line)
                if facts.get("state", "") == state:
                    said[facts.get("job_id") or facts["stage"]] += 1
    return said


def written(cluster: Cluster, job_id: str) -> dict[str, tuple[str, str]]:
    """When each object of a job was written, and what: the same whenever it is asked, once the job is ready."""
    s3 = cluster.servers["s3"]
    store = S3Store(
        s3["bucket"],
        aws_endpoint_url_s3=s3["endpoint"],
        access_key_id=s3["access_key"],
        secret_access_key=s3["secret_key"],
        region=s3["region"],
        client_options={"allow_http": True},
        retry_config={"max_retries": 2, "retry_timeout": timedelta(seconds=5)},
    )
    found = (each for page in store.list() for each in page if job_id in each["path"])
    return {each["path"]: (str(each["last_modified"]), str(each["e_tag"])) for each in found}


def _store(cluster: Cluster) -> Any:
    url = cluster.servers[cluster.ledger]["url"]
    return PostgresStore(url) if cluster.ledger == "postgres" else MongoStore(url)


def _waiting(cluster: Cluster) -> int:
    url = cluster.servers[cluster.ledger]["url"]
    if cluster.ledger == "postgres":
        with psycopg.connect(url) as connection:
            (row,) = connection.execute("SELECT count(*) FROM outbox").fetchall()
            return int(row[0])
    with MongoClient[dict[str, Any]](url) as client:
        main = client["main_db"]
        return sum(main[name].count_documents({"queued": True}) for name in ("outbox", "sightline_commits"))
