"""A service under load: many who poll, some who upload, jobs that run; how long each waits, and what the API process takes.

    python -m benchmarks.serving [--jobs 1000] [--pollers 200] [--uploaders 20] [--seconds 60] [--every 1.0]

The real `sightline serve` on a data folder that holds so many ended jobs, with the bundled model. Four videos are being
processed all the time. Each poller asks `GET /api/status/all` for all jobs every so many seconds, each uploader sends a
small video, and the next one when it was answered. Beside them one client asks again and again for a path that is not there:
nothing is looked up for it, so what it waits is how long the event loop was held up.

All of it runs on this machine, the clients too: they take processor time from the service. It fails where the API process
takes over 150 MB, or an answer is no 200 (uploads may be told to come again later: 429).
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tests.media import video
from tests.serving.service import Service

from sightline.adapters.sqlite.store import SqliteStore
from sightline.ports import Job

LIMIT_MB = 150
RUNNING = 4


@dataclass
class Figures:
    """What clients saw: milliseconds and statuses by kind of request."""

    ms: dict[str, list[float]] = field(default_factory=dict)
    statuses: dict[str, Counter[int]] = field(default_factory=dict)

    def add(self, kind: str, status: int, seconds: float) -> None:
        self.ms.setdefault(kind, []).append(seconds * 1e3)
        self.statuses.setdefault(kind, Counter())[status] += 1

    def line(self, kind: str) -> str:
        found = sorted(self.ms[kind])
        at = {name: found[min(len(found) - 1, int(len(found) * share))] for name, share in SHARES.items()}
        said = ", ".join(f"{name} {value:.1f}" for name, value in at.items())
        return (
            f"{kind:8} {len(found):6} answers {dict(self.statuses[kind])}; ms: {said}, worst {found[-1]:.1f}"
        )


SHARES = {"p50": 0.5, "p99": 0.99, "p99.9": 0.999}


class Connection:
    """A client's connection that stays open."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._pair: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, method: str, path: str, head: str = "", body: bytes = b"") -> int:
        """The status of an answer that was read to its end."""
        if self._pair is None:
            self._pair = await asyncio.open_connection("127.0.0.1", self._port, limit=2**20)
        reader, writer = self._pair
        length = f"Content-Length: {len(body)}\r\n" if body else ""
        writer.write(f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{head}{length}\r\n".encode() + body)
        await writer.drain()
        lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines[1:] if line)
        if "content-length" in headers:
            await reader.readexactly(int(headers["content-length"]))
        elif headers.get("transfer-encoding") == "chunked":
            while size := int(await reader.readline(), 16):
                await reader.readexactly(size + 2)
            await reader.readexactly(2)
        if headers.get("connection") == "close":
            self._pair = None
        return int(lines[0].split()[1])


async def poll(port: int, seen: Figures, kind: str, path: str, every_s: float, end: float) -> None:
    """Ask again and again, from a moment of its own on."""
    connection = Connection(port)
    await asyncio.sleep(random.Random(id(connection)).random() * every_s)
    while time.monotonic() < end:
        began = time.monotonic()
        seen.add(kind, await connection.ask("GET", path), time.monotonic() - began)
        await asyncio.sleep(max(0.0, every_s - (time.monotonic() - began)))


async def upload(port: int, seen: Figures, content: bytes, end: float) -> None:
    """Send a video, and another one."""
    form = (
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\n\r\n%s\r\n--b--\r\n'
        % content
    )
    while time.monotonic() < end:
        began = time.monotonic()
        head = "Content-Type: multipart/form-data; boundary=b\r\n"
        status = await Connection(port).ask("POST", "/api/upload_video", head, form)
        seen.add("upload", status, time.monotonic() - began)
        await asyncio.sleep(1.0)


async def load(
    service: Service, args: argparse.Namespace, clip: bytes
) -> tuple[Figures, dict[str, list[int]]]:
    """Let them all loose."""
    port, end, seen = service.ports["api"], time.monotonic() + args.seconds, Figures()
    memory: dict[str, list[int]] = {"api": [], "worker": []}
    pids = service.children()

    async def watch() -> None:
        while time.monotonic() < end:
            for name, pid in pids.items():
                memory[name].append(rss_mb(pid))
            await asyncio.sleep(0.5)

    tasks = [poll(port, seen, "status", "/api/status/all", args.every, end) for _ in range(args.pollers)]
    tasks += [upload(port, seen, clip, end) for _ in range(args.uploaders)]
    tasks += [poll(port, seen, "nothing", "/nothing", 0.005, end), watch()]
    tasks += [poll(port, seen, "page", "/api/status/all?limit=50", 0.1, end)]
    tasks += [poll(port, seen, "health", "/api/health", 0.1, end)]
    await asyncio.gather(*tasks)
    return seen, memory


def rss_mb(pid: int) -> int:
    """Resident memory of a process."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) // 1024
    return 0


def filled(data: Path, jobs: int) -> None:
    """A data folder with jobs that have ended."""
    data.mkdir(parents=True)
    store = SqliteStore(data / "store.sqlite", synchronous="NORMAL")
    for number in range(jobs):
        job_id = f"{number:08x}-0000-4000-8000-000000000000"
        store.create(Job(job_id, f"video {number}", number, state="sent"), [])
        store.advance(job_id, "cancelled")
    store.close()


def main() -> int:
    """Print what everybody waited."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", type=int, default=1000)
    parser.add_argument("--pollers", type=int, default=200)
    parser.add_argument("--uploaders", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--every", type=float, default=1.0)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        filled(data, args.jobs)
        long = video(Path(folder) / "long.mp4", 6000, size=(320, 192))
        short = video(Path(folder) / "short.mp4", 60, size=(320, 192)).read_bytes()
        service = Service(data).start()
        try:
            for _ in range(RUNNING):
                service.upload(long)
            seen, memory = asyncio.run(load(service, args, short))
        finally:
            service.kill()
    for kind in sorted(seen.ms):
        print(seen.line(kind))
    print("; ".join(f"{name} {max(found)} MB at most, {found[0]} at first" for name, found in memory.items()))
    wrong = [
        f"{kind}: {status}"
        for kind, found in seen.statuses.items()
        for status in found
        if status not in {"nothing": {404}, "upload": {200, 429}}.get(kind, {200})
    ]
    if max(memory["api"]) > LIMIT_MB:
        wrong.append(f"the API process takes more than {LIMIT_MB} MB")
    print("\n".join(wrong) or "as it should be")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
