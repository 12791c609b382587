"""The services of docker-compose.yaml without a container engine: each command, with its variables, as a process here.

What only containers have is put in its place: names of hosts become this machine, ports inside become those that are published,
paths inside become folders. Everything else is what compose's own loader says.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.servers import services
from tests.servers.programs import Compose
from tests.serving.service import OURS, PATIENCE_S

__all__ = ["FILE", "Native", "load", "ports_of"]

FILE = Path(__file__).parents[2] / "docker-compose.yaml"
ROOT = FILE.parent
IMAGE = "sightline:latest"
AGAIN = 5
# Hosts of the servers, by what is said of them, and the server that is started in their place.
HOSTS = {
    r"(redpanda|kafka):\d+": ("kafka", "bootstrap"),
    r"mongodb://.*": ("mongo", "url"),
    r"minio:\d+": ("seaweed", "endpoint"),
    "minioadmin": ("seaweed", "access_key"),
}


def load(*profiles: str) -> dict[str, dict[str, Any]]:
    """Services of these profiles, as compose sees them."""
    return dict(Compose().load(FILE, *profiles)["services"])


def variables_of_image() -> dict[str, str]:
    """What the image says of itself, but for where its programs and its user's home are."""
    (said,) = re.findall(r"^ENV ((?:.*\\\n)*.*)$", (ROOT / "Dockerfile").read_text(), re.M)
    found = dict(pair.split("=", 1) for pair in said.replace("\\\n", " ").split())
    return {name: value for name, value in found.items() if name not in ("PATH", "HOME")}


def ports_of(service: Mapping[str, Any]) -> dict[int, int]:
    """Published port by the port inside."""
    return {each["target"]: int(each["published"]) for each in service.get("ports") or ()}


class Native:
    """A profile that runs here; real servers take the places of those it names.

    Args:
        profile: `system-a` or `system-b`.
        folder: of everything.
    """

    def __init__(self, profile: str, folder: Path) -> None:
        self.services, self.folder = load(profile), folder
        self._names = ("kafka", "postgres") if profile == "system-a" else ("kafka", "mongo", "seaweed")
        self.servers: dict[str, Any] = {}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self._ports = {name: ports_of(service) for name, service in self.services.items()}

    def __enter__(self) -> Native:
        self.folder.chmod(0o755)
        try:
            for name in self._names:
                self.servers[name] = services.start(name, self.folder / "servers")
        except BaseException:
            self._stop_servers()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
        self._stop_servers()

    def _stop_servers(self) -> None:
        for name in reversed(self._names):
            if name in self.servers:
                services.stop(name, self.folder / "servers")

    @property
    def ours(self) -> dict[str, dict[str, Any]]:
        """Services of our image."""
        return {name: each for name, each in self.services.items() if each["image"] == IMAGE}

    def place(self, name: str, path: str) -> Path:
        """Where a path inside a container is: volumes are shared by name, what was not mounted is the container's own."""
        for mount in self.services[name].get("volumes") or ():
            target = Path(mount["target"])
            if Path(path) == target or target in Path(path).parents:
                return self.folder / "volumes" / Path(mount["source"]).name / Path(path).relative_to(target)
        return self.folder / name / path.strip("/")

    def environment(self, name: str) -> dict[str, str]:
        """Variables of a service, its own and those of the image, with this machine's names."""
        of_service = self.services[name].get("environment") or {}
        said = {**variables_of_image(), **{key: str(value) for key, value in of_service.items()}}
        said = {key: self._here(name, value) for key, value in said.items()}
        if "POSTGRES_HOST" in said:
            said["POSTGRES_HOST"] = "127.0.0.1"
            said["POSTGRES_PORT"] = str(self.servers["postgres"]["ports"][0])
        kept = {key: value for key, value in os.environ.items() if key not in OURS | {"HOME"}}
        return {**kept, "HOME": str(self.folder / name), **said}

    def _here(self, name: str, value: str) -> str:
        if value.startswith("/"):
            at = self.place(name, value)
            (at.parent if at.suffix else at).mkdir(parents=True, exist_ok=True)
            return str(at)
        for pattern, (server, key) in HOSTS.items():
            if re.fullmatch(pattern, value):
                return str(self.servers[server][key]).removeprefix("http://")
        return value

    def port(self, name: str, inside: int) -> int:
        """Where a port of a container is: that which is published, or any that is free."""
        return self._ports[name].setdefault(inside, *services.free_ports(1))

    def command(self, name: str) -> list[str]:
        """What a container would run, with ports of this machine."""
        words = list(self.services[name]["command"])
        for i, word in enumerate(words):
            if word.endswith("-port"):
                words[i + 1] = str(self.port(name, int(words[i + 1])))
        return words

    def run(self, name: str) -> str:
        """A service that ends by itself, to its end, again where compose would; what it printed last."""
        service = self.services[name]
        (text,) = service["command"]
        text = text.replace("sightline ", f"{shlex.quote(sys.executable)} -m sightline ")
        for inside, at in ((9333, 2), (8888, 6)) if "seaweed" in self.servers else ():
            text = text.replace(f"minio:{inside}", self._seaweed(at))
        for _ in range(AGAIN if service["restart"] == "on-failure" else 1):
            done = subprocess.run(
                [*service["entrypoint"], text],
                env=self.environment(name),
                cwd=self.folder,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            if done.returncode == 0:
                return done.stdout
        raise AssertionError(f"{name}: {done.stdout}")

    def _seaweed(self, at: int) -> str:
        """Address of a part of SeaweedFS, with its second port as its own programs name it."""
        port, grpc = self.servers["seaweed"]["ports"][at : at + 2]
        return f"127.0.0.1:{port}.{grpc}"

    def start(self, name: str) -> None:
        """A service, and leave it at work."""
        log = (self.folder / f"{name}.log").open("ab")
        (self.folder / name).mkdir(exist_ok=True)
        self._mount(name)
        with log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-m", "sightline", *self.command(name)],
                stdout=log,
                stderr=log,
                env=self.environment(name),
                cwd=self.folder / name,
            )

    def _mount(self, name: str) -> None:
        """Volumes where a container sees them: also below a folder that is its own."""
        for mount in self.services[name].get("volumes") or ():
            here = self.folder / name / mount["target"].strip("/")
            there = self.place(name, mount["target"])
            if mount["type"] == "volume" and there != here and not here.exists():
                there.mkdir(parents=True, exist_ok=True)
                here.parent.mkdir(parents=True, exist_ok=True)
                here.symlink_to(there)

    def healthy(self, name: str) -> None:
        """Wait until its own health check says so."""
        _, program, *words = self.services[name]["healthcheck"]["test"]
        assert program == "python"
        words = [
            re.sub(r"(?<=127\.0\.0\.1:)\d+", lambda at: str(self.port(name, int(at[0]))), word)
            for word in words
        ]
        end = time.monotonic() + 2 * PATIENCE_S
        while subprocess.run([sys.executable, *words], capture_output=True).returncode:
            assert self.processes[name].poll() is None, (self.folder / f"{name}.log").read_text()[-3000:]
            assert time.monotonic() < end, f"{name} was never healthy"
            time.sleep(0.5)
