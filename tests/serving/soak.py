"""A service under random load and kills for as long as one likes, and what it holds in the end.

    python -m tests.serving.soak [--minutes 60] [--seed 1] [--clients 4] [--every 20]

Clients upload, wait and repeat as in `tests.serving.killing`; others list, look and count; jobs are cancelled, removed and run
again; every so many seconds a process is killed, or all of them. In each quarter everything is removed once (`cleanup`) and
memory, descriptors, threads and bytes on the disk are taken while nothing runs. It fails where the last quarter holds over a
fifth more than the second one (the first warms up), or where something was wrong on the way.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path

from tests.media import video
from tests.serving.killing import PARTS, Clients, expected_of, kill
from tests.serving.service import Service

QUARTERS = 4
MORE = 1.2
LENGTHS = (30, 120)


def main(given: Sequence[str] | None = None) -> int:
    """Run it, and say what came of it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--every", type=float, default=20, help="seconds between kills, about")
    args = parser.parse_args(given)
    dice, done, wrong = random.Random(args.seed), Counter[str](), list[str]()
    with tempfile.TemporaryDirectory(prefix="soak-") as name:
        folder = Path(name)
        clips = [video(folder / f"{count}.mp4", count, size=(320, 192)) for count in LENGTHS]
        expected = expected_of(clips, folder)
        service = Service(folder / "data").start()
        taken = []
        for _ in range(QUARTERS):
            clients = Clients(service, clips, args.clients)
            end = time.monotonic() + args.minutes * 60 / QUARTERS
            next_kill = time.monotonic() + dice.uniform(0, 2 * args.every)
            while time.monotonic() < end:
                with suppress(OSError, HTTPException, ValueError):  # whoever was asked has just been killed
                    done[act(clients, dice)] += 1
                if time.monotonic() > next_kill:
                    part = dice.choice(PARTS)
                    kill(clients, part)
                    done[f"kill {part}"] += 1
                    next_kill = time.monotonic() + dice.uniform(0, 2 * args.every)
                time.sleep(dice.uniform(0, 0.2))
            clients.service.until(lambda clients=clients: clients.service.get("/ready")[0] == 200)
            clients.end()
            service = clients.service
            wrong += clients.wrong + compared(clients, expected)
            done["jobs"] += len(clients.accepted)
            service.ask("DELETE", "/api/cleanup/all")
            taken.append(held(service))
        service.stop()
    for what, second in taken[1].items():
        if taken[-1][what] > second * MORE:
            wrong.append(f"{what}: {second} in the second quarter, {taken[-1][what]} in the last")
    print(json.dumps({"done": dict(done), "held": taken, "wrong": wrong}))
    return bool(wrong)


def act(clients: Clients, dice: random.Random) -> str:
    """Something that a client does."""
    service, known = clients.service, [*clients.accepted]
    what = dice.choice(["list", "page", "show", "metrics", "remove", "retry", "cancel"])
    job_id = dice.choice(known) if known else ""
    if what == "list":
        service.get("/api/status/all")
    elif what == "page":
        service.get("/api/v1/jobs?limit=10")
    elif what == "metrics":
        service.get("/metrics")
    elif what == "show" and job_id:
        service.get(f"/api/v1/jobs/{job_id}")
    elif what == "retry" and job_id:
        service.ask("POST", f"/api/v1/jobs/{job_id}/retry", b"")
    elif what in ("remove", "cancel") and job_id and dice.random() < 0.2:
        clients.accepted.pop(job_id)
        path = f"/api/v1/jobs/{job_id}"
        service.ask("DELETE", path) if what == "remove" else service.ask("POST", f"{path}/cancel", b"")
    return what


def compared(clients: Clients, expected: Sequence[bytes]) -> list[str]:
    """Jobs that nobody removed or cancelled and that have not the bytes that they have alone."""
    wrong = []
    for job_id, clip in clients.accepted.items():
        state = clients.service.result(job_id)["status"]
        stored = clients.service.data / "objects/videos/detection" / f"{job_id}.json"
        if state != "ready" or stored.read_bytes() != expected[clip]:
            wrong.append(f"job {job_id} is {state}, or has other bytes")
    return wrong


def held(service: Service) -> dict[str, int]:
    """What the processes of a service hold: kilobytes, descriptors, threads; and kilobytes below its folder."""
    found = Counter[str]()
    for name, pid in service.children().items():
        status = Path(f"/proc/{pid}/status").read_text()
        found[f"{name} kB"] = int(status.split("VmRSS:")[1].split()[0])
        found[f"{name} threads"] = int(status.split("Threads:")[1].split()[0])
        found[f"{name} descriptors"] = len([*Path(f"/proc/{pid}/fd").iterdir()])
    files = [path for path in service.data.rglob("*") if path.is_file()]
    found["disk kB"] = sum(path.stat().st_size for path in files) // 1024
    found["files"] = len(files)
    return dict(found)


if __name__ == "__main__":
    sys.exit(main())
