"""Kills of a service that works: its API process, its worker, all of it, again and again while videos come in.

    python -m tests.serving.killing [--kills 60] [--seed 1] [--clients 6]

Clients upload with an `Idempotency-Key`, as `Retry-After` asks for, until they are answered, wait for the result and send the
next one. Processes are killed at random moments of it: bodies that come, probes, feeding, detection, publishing. In the end
each upload that was answered has the bytes that it has without a kill, there is no other job, no other object, and no file
that is half written.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path

from sightline.runs.verify import verify
from tests.media import video
from tests.serving.service import Service

__all__ = ["Clients", "expected_of", "kill", "left_over", "main"]

LENGTHS = (30, 120, 400)
WAIT_S = (0.1, 2.5)
PARTS = ("api", "worker", "worker", "api", "all")


class Clients:
    """Clients in threads, until they are told to end.

    Args:
        service: that they talk to; another one may take its place.
        clips: that they send, in turn.
        count: of clients.
    """

    def __init__(self, service: Service, clips: Sequence[Path], count: int) -> None:
        self.service, self._clips = service, clips
        self.accepted: dict[str, int] = {}
        self.wrong: list[str] = []
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(number,)) for number in range(count)]
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """Let what is under way be answered."""
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _run(self, number: int) -> None:
        turn = number
        while not self._over.is_set():
            clip = turn % len(self._clips)
            job_id = self._upload(self._clips[clip])
            if job_id:
                self.accepted[job_id] = clip
                self._await(job_id)
            turn += 1

    def _upload(self, clip: Path) -> str:
        key = uuid.uuid4().hex
        while True:
            with suppress(OSError, HTTPException):  # nobody is there, or whoever was there is no more
                status, said = self.service.upload_once(clip, key)
                if status == 200:
                    return str(said["event_id"])
                if status not in (409, 429, 503):
                    self.wrong.append(f"an upload was answered {status}: {said}")
                    return ""
            time.sleep(0.05)

    def _await(self, job_id: str) -> None:
        while not self._over.is_set():
            with suppress(OSError, HTTPException):  # an answer that was cut
                if self.service.json(f"/api/result_video/{job_id}")["status"] != "sent":
                    return
            time.sleep(0.1)


def kill(clients: Clients, part: str) -> None:
    """A process of the service, or all of them, which somebody starts again."""
    if part == "all":
        clients.service.kill()
        clients.service = Service(clients.service.data).start()
    else:
        clients.service.kill_one(part)


def expected_of(clips: Sequence[Path], folder: Path) -> list[bytes]:
    """Results by a service that nobody kills."""
    service = Service(folder / "calm").start()
    jobs = [service.upload(clip)[1]["event_id"] for clip in clips]
    for job_id in jobs:
        assert service.result(job_id)["status"] == "ready"
    service.stop()
    return [(service.data / "objects/videos/detection" / f"{job_id}.json").read_bytes() for job_id in jobs]


def left_over(data: Path, jobs: set[str]) -> list[str]:
    """Files below the objects that are no job's, and jobs whose run folder is not whole."""
    found = []
    for path in (data / "objects").rglob("*"):
        name = path.relative_to(data / "objects").as_posix()
        parts = name.split("/")
        job_id = parts[2] if parts[0] == "sightline" and len(parts) > 2 else path.stem
        if path.is_file() and (job_id not in jobs or path.name.startswith(".")):
            found.append(name)
    for job_id in sorted(jobs):
        for verdict in verify(data / "objects/sightline/jobs" / job_id):
            found += [f"{job_id}: {problem}" for problem in verdict.problems]
    return found


def main(given: Sequence[str] | None = None) -> int:
    """Kill, and say what came of it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--clients", type=int, default=6)
    args = parser.parse_args(given)
    dice, killed = random.Random(args.seed), Counter[str]()
    with tempfile.TemporaryDirectory(prefix="killing-") as name:
        folder = Path(name)
        clips = [video(folder / f"{count}.mp4", count, size=(320, 192)) for count in LENGTHS]
        expected = expected_of(clips, folder)
        clients = Clients(Service(folder / "data").start(), clips, args.clients)
        slowest = 0.0
        for _ in range(args.kills):
            time.sleep(dice.uniform(*WAIT_S))
            part = dice.choice(PARTS)
            began = time.monotonic()
            kill(clients, part)
            killed[part] += 1
            clients.service.until(lambda: clients.service.get("/ready")[0] == 200)
            slowest = max(slowest, time.monotonic() - began)
        clients.end()
        wrong = [*clients.wrong]
        for job_id, clip in clients.accepted.items():
            state = clients.service.result(job_id)["status"]
            stored = clients.service.data / "objects/videos/detection" / f"{job_id}.json"
            if state != "ready" or stored.read_bytes() != expected[clip]:
                wrong.append(f"job {job_id} is {state}, or has other bytes")
        listed = {each["video_id"] for each in clients.service.json("/api/status/all")["operations"]}
        if listed != set(clients.accepted):
            wrong.append(f"jobs that nobody was told of: {sorted(listed - set(clients.accepted))}")
        clients.service.stop()
        wrong += left_over(clients.service.data, listed)
    told = {"killed": dict(killed), "jobs": len(clients.accepted), "slowest_back_s": round(slowest, 2)}
    print(json.dumps({**told, "wrong": wrong}))
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
