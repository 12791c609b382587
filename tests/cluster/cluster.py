"""A cluster on one machine: real brokers, database and bucket, and workers of every role as processes of their own."""

from __future__ import annotations

import itertools
import json
import os
import select
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import av

from tests.cluster.proxy import Proxy
from tests.servers import services
from tests.serving.service import OURS, PATIENCE_S, Service

__all__ = ["ROLES", "Cluster", "Embedded", "Worker", "cut", "files_of", "sent"]

ROLES = (
    ("api", "generator"),
    ("feed", "relay"),
    ("detect",),
    ("detect",),
    ("track", "stats", "collect", "publish"),
    ("track", "stats", "collect", "publish"),
)
Words = Sequence[str]


class Worker(Service):
    """`sightline worker ROLE...`."""

    def __init__(self, cluster: Cluster, roles: Words, data: Path) -> None:
        super().__init__(data)
        self._cluster, self.roles = cluster, tuple(roles)

    def launch(self) -> Worker:
        """Start it."""
        ports = [word for name in ("api", "generator") for word in (f"--{name}-port", "0")]
        words = [
            *self.roles,
            "--json",
            "--data",
            str(self.data),
            *ports,
            "--health-port",
            "0",
            "--workers",
            "1",
        ]
        with (self.data.parent / f"{self.data.name}.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", self._cluster.program, "worker", *words, *self._cluster.flags],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=self._cluster.environment,
            )
        return self

    def start(self) -> Worker:
        """Wait until it says that it works; it is ready a little later."""
        if self.process is None or self.process.poll() is not None:
            self.launch()
        assert self.process is not None
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], PATIENCE_S)
        said = json.loads(self.process.stdout.readline() or "{}") if ready else {}
        assert said.get("event") == "serving", f"{self.roles}: {said}; see {self.data}.log"
        self.ports = {name: said[name] for name in ("api", "generator", "health") if name in said}
        return self

    def awaits(self) -> list[str]:
        """Codes of the services that it says it waits for; one that is on its way up says nothing."""
        try:
            return list(json.loads(self.get("/health", port="health")[1]).get("awaits", ()))
        except OSError:
            return []


class Cluster:
    """Servers in a folder, and workers over them.

    Attributes:
        partitions: of each topic.
        around: what workers that are started find in their environment besides.

    Args:
        folder: of everything.
        ledger: `postgres` or `mongo`.
        model: of all jobs.
        more: further flags of every worker.
        program: module that workers are started from.
        around: what they find in their environment besides.
        proxied: they reach every server through a proxy, which `cut` breaks off.
    """

    partitions = 4

    def __init__(
        self,
        folder: Path,
        ledger: str = "postgres",
        model: str = "sightline-tiny",
        more: Words = (),
        program: str = "sightline",
        around: Mapping[str, str] = MappingProxyType({}),
        proxied: bool = False,
    ) -> None:
        self.folder, self.ledger, self._model, self._more = folder, ledger, model, tuple(more)
        self.program, self.around = program, around
        self.names = ("kafka", ledger, "s3")
        self.servers: dict[str, Any] = {}
        self._proxied, self._proxies = proxied, dict[str, Proxy]()
        self.workers: list[Worker] = []

    def __enter__(self) -> Cluster:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o755)  # PostgreSQL, started by root, runs as another user
        try:
            for name in self.names:
                self.servers[name] = services.start(name, self.folder / "servers")
                if self._proxied:
                    ports = self.servers[name]["ports"]
                    inside, outside = ports[3:] if name == "kafka" else (ports[0], 0)
                    self._proxies[name] = Proxy(inside, outside)
        except BaseException:
            self._stop_servers()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        for worker in self.workers:
            if worker.process is not None and worker.process.poll() is None:
                worker.process.send_signal(signal.SIGTERM)
        for worker in self.workers:
            if worker.process is not None:
                try:
                    worker.process.communicate(timeout=30)
                except subprocess.TimeoutExpired:
                    worker.process.kill()
                    worker.process.communicate()
        self._stop_servers()

    def _stop_servers(self) -> None:
        for name in reversed(self.names):
            if name in self._proxies:
                self._proxies[name].close()
            if name in self.servers:
                services.stop(name, self.folder / "servers")

    @property
    def flags(self) -> list[str]:
        """Where the servers are, and what the jobs are done with."""
        bucket, endpoint = self.servers["s3"]["bucket"], self._address("s3", "endpoint")
        return [
            *("--ledger", self.ledger, *self._database, "--partitions", str(self.partitions)),
            *("--kafka", self._address("kafka", "bootstrap"), "--model", self._model),
            *("--objects", "s3", "--s3-bucket", bucket, "--s3-endpoint", endpoint),
            *self._more,
        ]

    @property
    def _database(self) -> Words:
        if self.ledger != "postgres":
            return ()
        return ("--postgres", self._address("postgres", "url").replace(":sightline@", "@"))

    def _address(self, name: str, key: str) -> str:
        """Where workers find a server."""
        server, proxy = self.servers[name], self._proxies.get(name)
        address = str(server[key])
        return address if proxy is None else address.replace(f":{server['ports'][0]}", f":{proxy.port}")

    @property
    def environment(self) -> dict[str, str]:
        """What a worker finds around it; secrets among it."""
        kept = {name: value for name, value in os.environ.items() if name not in OURS}
        keys = {"AWS_ACCESS_KEY_ID": "access_key", "AWS_SECRET_ACCESS_KEY": "secret_key"}
        return {
            **kept,
            **self.around,
            **(
                {"PGPASSWORD": "sightline"}
                if self.ledger == "postgres"
                else {"MONGO_URI": self._address("mongo", "url")}
            ),
            **{name: self.servers["s3"][key] for name, key in keys.items()},
        }

    def run(self, *words: str, of: Words = ("--ledger", "--postgres", "--kafka", "--partitions")) -> str:
        """A command of an operator; what it printed."""
        flags = self.flags
        said = [word for name in of if name in flags for word in (name, flags[flags.index(name) + 1])]
        done = subprocess.run(
            [sys.executable, "-m", "sightline", *words, *said],
            env=self.environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def prepare(self) -> None:
        """Tables and topics."""
        self.run("migrate")
        self.run("topics", "create", "--replication", "1")

    def worker(self, *roles: str) -> Worker:
        """One more, at work."""
        return self._launched(roles).start()

    def _launched(self, roles: Words) -> Worker:
        made = Worker(self, roles, self.folder / f"worker-{len(self.workers)}-{roles[0]}")
        self.workers.append(made)
        return made.launch()

    def begin(self, roles: Sequence[Words] = ROLES) -> Worker:
        """Every worker; the one that answers."""
        api, *others = [self._launched(each) for each in roles]
        for worker in (api, *others):
            worker.start()
        api.until(lambda: api.get("/api/health")[0] == 200, 300)  # many processes begin at once
        return api

    @contextmanager
    def without(self, name: str, *, still: bool = False) -> Iterator[None]:
        """A server is away: killed as in a crash, then started again on what it has written; or it stands still."""
        stopped = family(self.servers[name]["pid"]) if still else []
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        if not still:
            services.stop(name, self.folder / "servers", kill=True)
        try:
            yield
        finally:
            for pid in stopped:
                os.kill(pid, signal.SIGCONT)
            if not still:
                self.servers[name] = services.start(name, self.folder / "servers")

    def cut(self, name: str) -> int:
        """Every connection of the workers to a server; how many there were."""
        return self._proxies[name].cut()

    def kill(self, name: str) -> None:
        """A server, as in a crash; and start it again on what it has written."""
        with self.without(name):
            pass


def family(pid: int) -> list[int]:
    """A process and all that it has started, the eldest first."""
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(each for child in listed for each in family(int(child)))]


class Embedded(Service):
    """`sightline serve`: everything on this machine, the reference."""


def files_of(api: Service, job_id: str) -> dict[str, str]:
    """Hash by path of all files of a result but those that tell when, or by what id, the job was made."""
    status, body = api.get(f"/api/v1/jobs/{job_id}")
    job = json.loads(body)
    assert (status, job["state"]) == (200, "ready"), job
    manifest = json.loads(api.get(f"/api/v1/jobs/{job_id}/results/run.json")[1])
    return {
        path: entry["sha256"] for path, entry in manifest["files"].items() if not path.startswith("csv-a/")
    }


def cut(source: Path, target: Path, frames: int) -> Path:
    """The first frames of a video, from its first packet on, as they are."""
    with av.open(str(source)) as whole, av.open(str(target), "w") as part:
        stream = whole.streams.video[0]
        copy = part.add_stream_from_template(stream)
        for packet in itertools.islice(
            (each for each in whole.demux(stream) if each.dts is not None), frames
        ):
            packet.stream = copy
            part.mux(packet)
    return target


def sent(api: Service, path: Path, **fields: str) -> str:
    """A video, uploaded; the id of its job."""
    status, answer = api.upload(path, **fields)
    assert status == 200, answer
    return str(uuid.UUID(answer["event_id"]))
