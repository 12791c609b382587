"""`make system-a-demo`, `make system-b-demo`: the founding systems' calls and what their programs read, on a real cluster here.

`python -m tests.cluster.founding a` or `b`; their old consumers (`old_consumers.py`) know nothing of Sightline.
"""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import av

from tests.cluster.cluster import Cluster, Embedded, sent
from tests.cluster.demo import done, say
from tests.cluster.old_consumers import groups, read
from tests.servers.programs import Missing
from tests.serving.service import Service
from tests.stored_job import STREET

__all__ = ["main"]

SEQUENCE = "uav0000086_00000_v"
FRAMES = 120
ROLES_A = (
    ("generator", "api"),
    ("feed", "relay"),
    ("detect",),
    ("detect",),
    ("track",),
    ("stats", "collect", "publish"),
)
ROLES_B = (("api",), ("feed", "relay"), ("detect",), ("detect",), ("track", "stats", "collect"), ("publish",))
GROUPS_A = {
    "car-detector-group": {"car-frames"},
    "person-detector-group": {"person-frames"},
    "car-tracker-group": {"detections-cars"},
    "person-tracker-group": {"detections-people"},
    "stats-generator-group": {"tracks-cars", "tracks-people"},
}
GROUPS_B = {
    "runner-group": {"outbox_events"},
    "inference-group": {"inference_tasks"},
    "runner-results-group": {"inference_results"},
}


def dataset(folder: Path) -> Path:
    """A sequence of VisDrone's layout, cut from the bundled clip."""
    images = folder / "VisDrone2019-MOT-val" / "sequences" / SEQUENCE
    images.mkdir(parents=True)
    with av.open(str(STREET)) as video:
        for number, frame in enumerate(islice(video.decode(video=0), FRAMES), 1):
            frame.to_image().save(images / f"{number:07d}.jpg", quality=95)
    return images.parents[1]


def started(service: Service) -> str:
    """`POST /start/NAME`; the id of its job."""
    status, body = service.ask("POST", f"/start/{SEQUENCE}", b"", port="generator")
    say(f"POST /start/{SEQUENCE}: {status} {body.decode()}")
    return str(json.loads(body)["event_id"])


def uploaded(service: Service) -> str:
    """`POST /api/upload_video`; the id of its job."""
    job_id = sent(service, STREET, bucket="videos")
    say(f'POST /api/upload_video: 200 {{"status":"ok","event_id":"{job_id}"}}')
    return job_id


def seen_a(cluster: Cluster, api: Service, job_id: str) -> None:
    """What system A's programs find."""
    import psycopg

    (publisher,) = (worker for worker in cluster.workers if "publish" in worker.roles)
    folder = publisher.data / "debug_output"
    api.until(lambda: (folder / ".newest").read_text() == job_id)
    rows = list(csv.reader(io.StringIO((folder / "stats.csv").read_text())))
    say(
        f"debug_output/stats.csv: {len(rows) - 1} rows, the last one {dict(zip(rows[0], rows[-1], strict=True))}"
    )
    asked = "SELECT path FROM frames WHERE frame_id=%s AND video_id=%s"
    with psycopg.connect(cluster.servers["postgres"]["url"]) as database:
        (path,) = database.execute(asked, ("frame_00007", SEQUENCE)).fetchone() or ("nothing",)
    say(f"{asked % ('frame_00007', SEQUENCE)}: {path}")


def seen_b(cluster: Cluster, api: Service, job_id: str) -> None:
    """What system B's programs find."""
    from pymongo import MongoClient

    status, body = api.get("/api/status/all")
    say(f"GET /api/status/all: {status} {body.decode()}")
    with MongoClient[dict[str, Any]](cluster.servers["mongo"]["url"]) as client:
        outbox = client["main_db"]["outbox"].find_one({"_id": job_id}) or {}
        view = client["runner_db"]["runner_predictions"].find_one({"_id": job_id}) or {}
    kept = ("_id", "status", "payload", "created_at")
    say(f"main_db.outbox: { {name: outbox.get(name) for name in kept} }")
    kept = ("_id", "status", "total_frames", "received_frames", "ready_at", "output_s3")
    say(f"runner_db.runner_predictions: { {name: view.get(name) for name in kept} }")


def run(system: str, folder: Path) -> int:
    """Both on one machine and on the cluster; 0 where every file is the same."""
    begin: Callable[[Service], str] = started if system == "a" else uploaded
    data = ("--dataset", str(dataset(folder))) if system == "a" else ()
    ledger, roles = ("postgres", ROLES_A) if system == "a" else ("mongo", ROLES_B)
    wanted = GROUPS_A if system == "a" else GROUPS_B
    with Cluster(folder, ledger, more=data) as cluster:
        cluster.prepare()
        with (folder / "alone.log").open("ab") as log:
            alone = Embedded(folder / "alone", *data, stderr=log).start()
        try:
            say("one machine, everything in one file")
            reference = done(alone, begin(alone))
        finally:
            alone.stop()
        say(f"\nKafka, {ledger} and S3; workers: " + "; ".join(" ".join(each) for each in roles))
        api = cluster.begin(roles)
        job_id = begin(api)
        found = done(api, job_id)
        for name, topics in sorted(groups(cluster.servers["kafka"]["bootstrap"], wanted).items()):
            say(f"consumer group {name}: {', '.join(sorted(topics))}")
        topics = sorted({topic for group in wanted.values() for topic in group})
        for topic, messages in read(cluster.servers["kafka"]["bootstrap"], topics).items():
            say(f"topic {topic}: {len(messages)} records, the first {messages[0].value()[:120]!r}")
        (seen_a if system == "a" else seen_b)(cluster, api, job_id)
    differ = sorted(path for path in reference | found if reference.get(path) != found.get(path))
    say(
        f"\n{len(found)} files: "
        + (f"differ: {', '.join(differ)}" if differ else "the same bytes as on one machine")
    )
    return 1 if differ else 0


def main() -> int:
    """Run one of them; 3 where this machine lacks a server."""
    if sys.argv[1:] not in (["a"], ["b"]):
        sys.stderr.write("python -m tests.cluster.founding a|b\n")
        return 2
    with TemporaryDirectory(prefix="founding-") as place:
        try:
            return run(sys.argv[1], Path(place))
        except Missing as lack:
            say(f"this machine lacks a server: {lack}")
            return 3


if __name__ == "__main__":
    sys.exit(main())
