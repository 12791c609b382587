"""A service under test: the real command, its processes, and a client that knows nothing of it but HTTP."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from pathlib import Path
from typing import Any

PATIENCE_S = 120.0
# What is said to tests; a service refuses variables of its own name that it does not know.
OURS = {"PYTHONUNBUFFERED", "PAGE_TESTS", "PAGE_SCREENSHOTS"}
PORTS = ("api", "runner", "inference", "generator")


class Service:
    """`sightline serve` on free ports; that of the API may be given, so that it is the same after a restart."""

    def __init__(
        self, data: Path, *more: str, stderr: Any = None, model: str = "sightline-tiny", api_port: int = 0
    ) -> None:
        self._model, self._fixed = model, {"api": api_port}
        self.data, self._more, self._stderr = data, more, stderr
        self.process: subprocess.Popen[str] | None = None
        self.ports: dict[str, int] = {}

    def start(self) -> Service:
        """Start it, and wait until it answers."""
        command = [sys.executable, "-m", "sightline", "serve", "--json", "--data", str(self.data)]
        ports = [word for name in PORTS for word in (f"--{name}-port", str(self._fixed.get(name, 0)))]
        self.process = subprocess.Popen(
            [*command, *ports, "--model", self._model, "--workers", "2", *self._more],
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            text=True,
            env={name: value for name, value in os.environ.items() if name not in OURS},
        )
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], PATIENCE_S)
        assert ready, "it never said where it serves"
        said = json.loads(self.process.stdout.readline())
        self.ports = {name: said[name] for name in PORTS}
        self.until(lambda: self.get("/api/health")[0] == 200)
        return self

    def stop(self) -> int:
        """As an operator stops it; its exit code."""
        assert self.process is not None
        self.process.terminate()
        self.process.communicate(timeout=PATIENCE_S)
        return self.process.returncode

    def kill(self) -> None:
        """The supervisor; the kernel kills the others."""
        assert self.process is not None
        children = self.children()
        self.process.kill()
        self.process.communicate()
        self.until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in children.values()))

    def children(self) -> dict[str, int]:
        """Process ids of the API process and the worker."""
        assert self.process is not None
        listed = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        named = {}
        for pid in listed:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            for name in ("api", "worker"):
                if any(word.endswith(f".{name}".encode()) for word in words[:3]):
                    named[name] = int(pid)
        return named

    def kill_one(self, name: str) -> None:
        """A process of it, as the kernel does when memory is short."""
        pid = self.children().get(name)
        if pid is not None:
            os.kill(pid, signal.SIGKILL)

    def until(self, holds: Any, patience_s: float = PATIENCE_S) -> None:
        """Wait until something holds; nobody answering is no reason to give up."""
        end = time.monotonic() + patience_s
        while time.monotonic() < end:
            try:
                if holds():
                    return
            except OSError:
                pass
            time.sleep(0.05)
        raise AssertionError("it never came to be")

    # --- HTTP

    def get(self, path: str, port: str = "api", **headers: str) -> tuple[int, bytes]:
        """Status and body."""
        return self.ask("GET", path, port=port, headers=headers)

    def json(self, path: str) -> Any:
        """The JSON of an answer."""
        return json.loads(self.get(path)[1])

    def ask(
        self, method: str, path: str, body: bytes | None = None, port: str = "api", headers: Any = None
    ) -> tuple[int, bytes]:
        """Status and body of an answer."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.ports[port]}{path}", data=body, method=method, headers=headers or {}
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def upload(self, path: Path, key: str = "", **fields: str) -> tuple[int, dict[str, Any]]:
        """Status and answer of an upload, repeated as `Retry-After` asks for where the worker is on its way up."""
        answers: list[tuple[int, dict[str, Any]]] = []

        def answered() -> bool:
            answers.append(self.upload_once(path, key, **fields))
            return answers[-1][0] != 503

        self.until(answered)
        return answers[-1]

    def upload_once(self, path: Path, key: str = "", **fields: str) -> tuple[int, dict[str, Any]]:
        """Status and answer of an upload."""
        boundary = uuid.uuid4().hex
        parts = [
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
            for name, value in fields.items()
        ]
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{path.name}"\r\n'
        parts += [head.encode(), b"Content-Type: video/mp4\r\n\r\n", path.read_bytes(), b"\r\n"]
        body = b"".join([*parts, f"--{boundary}--\r\n".encode()])
        headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        if key:
            headers["Idempotency-Key"] = key
        status, answer = self.ask("POST", "/api/upload_video", body, headers=headers)
        return status, json.loads(answer)

    def result(self, job_id: str, patience_s: float = PATIENCE_S) -> dict[str, Any]:
        """The result of a job, once it has one."""
        found: dict[str, Any] = {}

        def ended() -> bool:
            answer = self.json(f"/api/result_video/{job_id}")
            found.clear()
            found.update(answer)
            return found["status"] in ("ready", "failed", "cancelled")

        self.until(ended, patience_s)
        return found
