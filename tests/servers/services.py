"""Real servers for the tests, on loopback, without a container engine.

A server keeps its data, log, ports and process id in DIR/NAME; starting it again in the same DIR finds the same data on the
same port. Standard library only, so that a test can import it before anything is installed.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import random
import signal
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

from tests.servers.programs import HOST, SERVERS, Missing, ServiceError, locked

START_SECONDS = 180

_children: dict[int, subprocess.Popen] = {}  # those this process started, to reap them


def start(name: str, folder: str | Path) -> dict:
    """Starts the server (or finds it running) and waits until it answers a client."""
    if sys.platform != "linux":
        raise Missing("these servers are started on Linux only")
    server = SERVERS[name]()
    server.install()
    home = Path(folder).resolve() / name
    home.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    with locked(home / "lock"):
        record = load(home) or {"name": name, "host": HOST, "ports": free_ports(server.ports)}
        tries = 0
        while not (alive(record) and answers(server, record)):
            if not alive(record) and tries < 3:
                time.sleep(tries)  # what a killed server left behind may take a moment to go
                tries += 1
                server.prepare(home, record)
                spawn(server, home, record)
            elif not alive(record) or time.monotonic() > began + START_SECONDS:
                stop(name, folder, kill=True)
                tail = (home / "log").read_text(errors="replace")[-3000:]
                raise ServiceError(f"{name} did not come up; its log ends:\n{tail}")
            time.sleep(0.05)
    return record | {"seconds": round(time.monotonic() - began, 2)}


def spawn(server, home: Path, record: dict) -> None:
    argv = [str(part) for part in server.command(home, record)]
    options = {"stdin": subprocess.DEVNULL, "start_new_session": True, "cwd": home}
    with open(home / "log", "ab") as log:
        options |= getattr(server, "as_user", {})
        child = subprocess.Popen(argv, stdout=log, stderr=log, **options)
    _children[child.pid] = child
    record |= {"pid": child.pid, "born": look(child.pid)[1], "log": str(home / "log")}
    draft = home / "service.json.new"
    draft.write_text(json.dumps(record, indent=1))
    draft.replace(home / "service.json")


def ready(name: str, folder: str | Path) -> bool:
    record = load(Path(folder).resolve() / name)
    server = SERVERS[name]()
    server.install()
    return bool(record) and alive(record) and answers(server, record)


def stop(name: str, folder: str | Path, kill: bool = False, seconds: float = 15) -> dict:
    """Ends the one process that start() started; SIGKILL at once if asked, or when it lingers."""
    record = load(Path(folder).resolve() / name) or {}
    if not alive(record):
        return record
    pid, began = record["pid"], time.monotonic()
    os.kill(pid, signal.SIGKILL if kill else SERVERS[name].stop_signal)
    while alive(record):
        if time.monotonic() > began + seconds:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)
    if (child := _children.pop(pid, None)) is not None:
        child.wait()
    ended = time.monotonic()  # its ports and locks are free only when its parent has seen its end
    while look(pid) and time.monotonic() < ended + 5:
        if pid in _children:
            _children[pid].poll()  # that parent is this process
        time.sleep(0.02)
    return record


def answers(server, record: dict) -> bool:
    try:
        return server.probe(record)
    except (OSError, struct.error, http.client.HTTPException, ServiceError):
        return False


def alive(record: dict) -> bool:
    """Whether the recorded process runs; its birth time tells it from a later one of that id."""
    pid = record.get("pid")
    child = _children.get(pid)
    if not pid or (child and child.poll() is not None):
        return False
    state, birth = look(pid) or ("Z", "")
    return state[0] not in "ZX" and birth == record["born"]


def look(pid: int) -> tuple[str, str] | None:
    """A process's state letter and time of birth, if there is such a process."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return fields[0], fields[19]


def free_ports(count: int) -> list[int]:
    """Below the range that the system hands to outgoing connections, so that they stay free."""
    ports: list[int] = []
    while len(ports) < count:
        port = random.SystemRandom().randrange(15000, 32000)
        with contextlib.suppress(OSError), socket.socket() as s:
            s.bind((HOST, port))
            ports.append(port)
    return ports


def load(home: Path) -> dict | None:
    try:
        return json.loads((home / "service.json").read_text())
    except FileNotFoundError:
        return None
