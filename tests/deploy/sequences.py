"""The founding documents' own sequence on the services of docker-compose.yaml, without containers; `python -m tests.deploy.sequences system-a`."""

from __future__ import annotations

import csv
import json
import sys
import urllib.request
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg

from tests.cluster.demo import say
from tests.cluster.founding import SEQUENCE, dataset
from tests.deploy.native import Native
from tests.servers.programs import Missing
from tests.serving.service import Service
from tests.stored_job import STREET

__all__ = ["main", "system_a", "system_b"]


def up(native: Native, ahead: tuple[str, ...]) -> None:
    """`docker compose up`: what has to end first, then all others until they are healthy."""
    for name in ahead:
        say(f"{name}: {native.services[name]['command'][0]}: {native.run(name).strip()}")
    rest = [name for name in native.ours if name not in ahead]
    for name in rest:
        native.start(name)
    for name in rest:
        native.healthy(name)
        say(f"{name}: sightline {' '.join(native.command(name))}: healthy")


def client(folder: Path) -> Service:
    """Somebody who knows the published ports and nothing else."""
    service = Service(folder)
    service.ports = {"api": 8080, "generator": 5001, "runner": 8002, "inference": 8003}
    return service


def system_a(folder: Path) -> dict[str, Any]:
    """Start a sequence; its CSV files, and its rows in the table."""
    with Native("system-a", folder) as native:
        dataset(native.place("data_generator", "/app/VisDrone_data"))
        told = native.services["postgres"]["environment"]
        with psycopg.connect(native.servers["postgres"]["url"], autocommit=True) as database:
            database.execute(
                f"CREATE ROLE \"{told['POSTGRES_USER']}\" LOGIN PASSWORD '{told['POSTGRES_PASSWORD']}'"
            )
            database.execute(f'CREATE DATABASE {told["POSTGRES_DB"]} OWNER "{told["POSTGRES_USER"]}"')
        address = psycopg.conninfo.make_conninfo(
            host="127.0.0.1",
            port=native.servers["postgres"]["ports"][0],
            user=told["POSTGRES_USER"],
            password=told["POSTGRES_PASSWORD"],
            dbname=told["POSTGRES_DB"],
        )
        (mounted,) = (
            each
            for each in native.services["postgres"]["volumes"]
            if each["target"].startswith("/docker-entrypoint-initdb.d/")
        )
        with psycopg.connect(address) as database:
            database.execute(Path(mounted["source"]).read_bytes())
        up(native, ("prepare_a",))
        service = client(folder)
        texts = {}
        for name in native.processes:
            with urllib.request.urlopen(f"http://127.0.0.1:{native.port(name, 5000)}/") as answered:
                texts[name] = answered.read().decode()
        status, body = service.ask("POST", f"/start/{SEQUENCE}", b"", port="generator")
        answer = json.loads(body)
        say(f"POST http://localhost:5001/start/{SEQUENCE}: {status} {answer}")
        stats = native.place("stats_generator", "/data/debug_output/stats.csv")
        service.until((stats.parent / ".newest").is_file, 600)  # written behind all others
        rows = list(csv.DictReader(stats.read_text().splitlines()))
        say(f"debug_output: {sorted(path.name for path in stats.parent.iterdir() if path.is_file())}")
        with psycopg.connect(address) as database:
            found = database.execute("SELECT frame_id, video_id, path FROM frames ORDER BY seq").fetchall()
        return {"texts": texts, "status": status, "answer": answer, "rows": rows, "frames": found}


def system_b(folder: Path) -> dict[str, Any]:
    """Upload, ask until it is ready, take the result, try to clean up."""
    with Native("system-b", folder) as native:
        up(native, ("prepare_b", "buckets"))
        service = client(folder)
        status, answer = service.upload(STREET, bucket="videos")
        say(f"POST http://localhost:8080/api/upload_video: {status} {answer}")
        job_id = answer["event_id"]
        result = service.result(job_id, 600)
        say(f"GET http://localhost:8080/api/result_video/{job_id}: {len(result['prediction'])} frames")
        listed = service.json("/api/status/all")
        health = {port: service.get("/health", port=port)[1].decode() for port in ("runner", "inference")}
        status, body = service.ask("DELETE", "/api/cleanup/all", b"")
        cleaned = status, json.loads(body).get("code")
        say(f"DELETE http://localhost:8080/api/cleanup/all: {cleaned}")
        return {"answer": answer, "result": result, "listed": listed, "health": health, "cleaned": cleaned}


def main() -> int:
    """Run one; 3 where this machine lacks a server."""
    runs = {"system-a": system_a, "system-b": system_b}
    if len(sys.argv) != 2 or sys.argv[1] not in runs:
        sys.stderr.write("python -m tests.deploy.sequences system-a|system-b\n")
        return 2
    with TemporaryDirectory(prefix="compose-") as place:
        try:
            runs[sys.argv[1]](Path(place))
        except Missing as lack:
            say(f"this machine lacks a server: {lack}")
            return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
