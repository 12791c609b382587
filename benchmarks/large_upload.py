"""One very large upload, as a form and as it is: memory of the API process, and how long it holds its loop up.

    python -m benchmarks.large_upload [--gib 2]

The real `sightline serve`; the file is a small video and a box of zeros behind it. Beside it one client asks again and again
for a path that is not there: nothing is looked up for it, so what it waits is how long the event loop was held up. It fails
where the API process grows by 30 MB, or the upload is not taken.

2 cores, 28 November 2026, load 1.7: form 198 MiB/s, 81 to 91 MB, p99.9 10 ms, longest 111 ms; raw 240 MiB/s, 86 to 91 MB,
p99.9 5 ms, longest 7 ms.
"""

from __future__ import annotations

import argparse
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from tests.media import video
from tests.serving.service import Service

GROWTH_MB = 30
BLOCK = bytes(2**20)
HEAD = b'--X\r\nContent-Disposition: form-data; name="file"; filename="v.mp4"\r\n\r\n'
TAIL = b"\r\n--X--\r\n"


class Beside:
    """A client that asks again and again, in a thread."""

    def __init__(self, port: int, pid: int) -> None:
        self.ms: list[float] = []
        self.mb = [memory_mb(pid)]
        self._port, self._pid = port, pid
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._ask)
        self._thread.start()

    def stop(self) -> None:
        """Ask no more."""
        self._over.set()
        self._thread.join()
        self.ms.sort()

    def _ask(self) -> None:
        with socket.create_connection(("127.0.0.1", self._port)) as line:
            while not self._over.wait(0.005):
                began = time.perf_counter()
                line.sendall(b"GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n")
                line.recv(65536)
                self.ms.append((time.perf_counter() - began) * 1e3)
                self.mb.append(memory_mb(self._pid))


def memory_mb(pid: int) -> float:
    """Resident memory of a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def body(clip: bytes, size: int) -> Iterator[bytes]:
    """A video of so many bytes: a box that players pass over fills it up."""
    left = size - len(clip) - 16
    yield clip + (1).to_bytes(4, "big") + b"free" + (left + 16).to_bytes(8, "big")
    while left > 0:
        yield BLOCK[:left]
        left -= len(BLOCK)


def upload(service: Service, clip: bytes, size: int, *, form: bool) -> bool:
    """Send it, and print what it took; whether all was well."""
    port, pid = service.ports["api"], service.children()["api"]
    kind, path = (
        ("multipart/form-data; boundary=X", "/api/upload_video") if form else ("video/mp4", "/api/v1/jobs")
    )
    before, behind = (HEAD, TAIL) if form else (b"", b"")
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\n"
    head += f"Content-Length: {len(before) + size + len(behind)}\r\n\r\n"
    beside, began = Beside(port, pid), time.perf_counter()
    with socket.create_connection(("127.0.0.1", port)) as line:
        line.sendall(head.encode() + before)
        for chunk in body(clip, size):
            line.sendall(chunk)
        line.sendall(behind)
        status = int(line.recv(65536).split()[1])
    took = time.perf_counter() - began
    beside.stop()
    grown, late = max(beside.mb) - beside.mb[0], beside.ms[int(0.999 * len(beside.ms))]
    sys.stdout.write(
        f"{'form' if form else 'raw'}: {status}, {size / 2**20 / took:.0f} MiB/s, {beside.mb[0]:.0f} MB and "
        f"{grown:.0f} more; loop p99.9 {late:.1f} ms, longest {beside.ms[-1]:.1f} ms\n"
    )
    return status in (200, 202) and grown < GROWTH_MB


def main() -> int:
    """Both ways; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--gib", type=float, default=2.0)
    size = int(parser.parse_args().gib * 2**30)
    with tempfile.TemporaryDirectory() as folder:
        clip = video(Path(folder) / "c.mp4", 20, size=(160, 96)).read_bytes()
        service = Service(Path(folder) / "data").start()
        try:
            well = [upload(service, clip, size, form=form) for form in (True, False)]
            return 0 if all(well) else 1
        finally:
            service.kill()


if __name__ == "__main__":
    sys.exit(main())
