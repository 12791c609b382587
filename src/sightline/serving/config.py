"""What the processes of a service need to know of each other."""

from __future__ import annotations

import os
import time
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import msgspec

from sightline.errors import Misconfigured
from sightline.jobs.requests import DATASET, FILES
from sightline.settings import DetectOptions, ServeOptions

__all__ = ["PORTS", "ROLES", "Port", "ServeConfig", "now_us"]

Port = Literal["api", "runner", "inference", "generator"]
PORTS: dict[Port, int] = {"api": 8080, "runner": 8002, "inference": 8003, "generator": 5001}


# What processes of a service may do; the first two answer HTTP.
ROLES = ("api", "generator", "feed", "detect", "track", "stats", "collect", "relay", "publish")


class ServeConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, dict=True):
    """Settings of a service, resolved.

    Attributes:
        data: folder that holds everything.
        supervisor: its process.
        runtime: folder of this start, for sockets; short, for their names are limited.
        workers: threads that decode and detect.
        sockets: descriptors of the listening sockets that the API process inherits, by port.
        ports: numbers of the ports.
        loopback: only this machine can reach them.
        settings: what `ServeOptions` says of everything else, as JSON.
        roles: what this service does of the work; everything, where it shares it with nobody.
        health: descriptor of the socket for the worker's health and metrics; None where there is none.
    """

    data: str
    supervisor: int
    runtime: str
    workers: int
    sockets: dict[Port, int]
    ports: dict[Port, int]
    loopback: bool
    settings: dict[str, Any]
    roles: tuple[str, ...] = ROLES
    health: int | None = None

    @cached_property
    def serve(self) -> ServeOptions:
        """Settings of the service."""
        return ServeOptions.model_validate(self.settings)

    @property
    def roots(self) -> dict[str, str]:
        """Folders below which sources may be named, by name."""
        named = {DATASET: self.serve.dataset, FILES: self.serve.files}
        return {name: os.path.abspath(folder) for name, folder in named.items() if folder is not None}

    @property
    def options(self) -> DetectOptions:
        """Settings of every job."""
        names = ("model", "engine", "device", "precision", "batch")
        return DetectOptions.model_validate({name: getattr(self.serve, name) for name in names})

    @property
    def store(self) -> Path:
        """The SQLite file."""
        return Path(self.data) / "store.sqlite"

    @property
    def answers(self) -> bool:
        """Whether somebody is answered over HTTP here."""
        return "api" in self.roles or "generator" in self.roles

    @property
    def scratch(self) -> Path:
        """The folder for what the worker makes before it is sent; empty where no worker runs."""
        return Path(self.data) / "scratch"

    @property
    def worker_socket(self) -> Path:
        """Where the worker process is asked."""
        return Path(self.runtime) / "worker.sock"

    @classmethod
    def read(cls, path: Path) -> ServeConfig:
        """The settings in a file that the supervisor wrote.

        Raises:
            Misconfigured: it is none.
        """
        try:
            return msgspec.json.decode(path.read_bytes(), type=cls)
        except (OSError, msgspec.MsgspecError) as error:
            raise Misconfigured(f"{path}: not the settings of a service: {error}") from error


def now_us() -> int:
    """Microseconds since 1970."""
    return time.time_ns() // 1000
