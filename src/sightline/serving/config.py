"""What the processes of a service need to know of each other."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Literal

import msgspec

from sightline.errors import Misconfigured
from sightline.settings import DetectOptions

__all__ = ["LOOPBACK", "PORTS", "Port", "ServeConfig", "now_us"]

LOOPBACK = "127.0.0.1"

Port = Literal["api", "runner", "inference", "generator"]
PORTS: dict[Port, int] = {"api": 8080, "runner": 8002, "inference": 8003, "generator": 5001}


class ServeConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of a service, resolved.

    Attributes:
        data: folder that holds everything.
        supervisor: its process.
        runtime: folder of this start, for sockets; short, for their names are limited.
        model, precision: of all jobs; None: the pipeline's.
        workers: threads that decode and detect.
        sockets: descriptors of the listening sockets that the API process inherits, by port.
        ports: numbers of the ports.
        roots: folders below which sources may be named, by name.
        fps: images per second of folders of images, a fraction as text; None: the times of their names, else 30.
        service_name, kafka_broker: what system A's generator says of itself.
    """

    data: str
    supervisor: int
    runtime: str
    model: str | None
    precision: str
    workers: int
    sockets: dict[Port, int]
    ports: dict[Port, int]
    roots: dict[str, str] = {}
    fps: str | None = None
    service_name: str = "data_generator"
    kafka_broker: str | None = None

    @property
    def options(self) -> DetectOptions:
        """Settings of every job."""
        return DetectOptions.model_validate({"model": self.model, "precision": self.precision})

    @property
    def store(self) -> Path:
        """The SQLite file."""
        return Path(self.data) / "store.sqlite"

    @property
    def objects(self) -> Path:
        """The folder of objects."""
        return Path(self.data) / "objects"

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
