"""The supervisor: it holds the data folder and the ports, and keeps an API process and a worker process running."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from sightline.adapters.files.objects import FolderObjects
from sightline.adapters.sqlite.store import SqliteStore
from sightline.app.service_tools import check_models
from sightline.disk import make_folder, try_lock, write_whole
from sightline.errors import Misconfigured, setting
from sightline.serving.children import Child
from sightline.serving.config import LOOPBACK, Port, ServeConfig

__all__ = ["serve"]

LOCK = ".lock"
LOOK_S = 0.1
PATIENCE_S = 20.0
WORKER, API = "sightline.serving.worker", "sightline.serving.api"
Say = Callable[[str, Mapping[str, object]], None]


def serve(
    data: Path,
    ports: Mapping[Port, int],
    *,
    model: str | None,
    precision: str,
    workers: int,
    say: Say,
    roots: Mapping[str, str] = {},
    fps: str | None = None,
    service_name: str = "data_generator",
    kafka_broker: str | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT.

    Args:
        data: folder of everything; made where it is missing.
        ports: number of each port; 0 takes a free one.
        model, precision: of all jobs; None: the pipeline's.
        workers: threads that decode and detect.
        say: hears what happens: an event's name and its facts.
        roots: folders below which sources may be named, by name.
        fps: images per second of folders of images; None: the times of their names, else 30.
        service_name, kafka_broker: what system A's generator says of itself.

    Raises:
        Misconfigured: the folder is another service's or cannot be written, a port is taken, or there is no model.
        Unavailable: the disk is full.
        Corrupt: the store in it is damaged.
    """
    make_folder(data)
    with ExitStack() as rest:
        _hold(data, rest)
        sockets = {name: _bound(name, number, rest) for name, number in ports.items()}
        runtime = Path(rest.enter_context(TemporaryDirectory(prefix="sightline-")))
        config = ServeConfig(
            data=str(data.resolve()),
            supervisor=os.getpid(),
            runtime=str(runtime),
            model=model,
            precision=precision,
            workers=workers,
            sockets={name: each.fileno() for name, each in sockets.items()},
            ports={name: each.getsockname()[1] for name, each in sockets.items()},
            roots={name: os.path.abspath(folder) for name, folder in roots.items()},
            fps=fps,
            service_name=service_name,
            kafka_broker=kafka_broker,
        )
        check_models(config.options)
        FolderObjects(config.objects).sweep()  # nobody is writing yet
        SqliteStore(config.store).close()  # made, or brought up to this release, before two processes open it
        file = runtime / "config.json"
        write_whole(file, [msgspec.json.encode(config)])
        _tend([Child(WORKER, file), Child(API, file, tuple(config.sockets.values()))], config, say)


def _tend(children: Sequence[Child], config: ServeConfig, say: Say) -> None:
    over: list[int] = []
    before = {
        number: signal.signal(number, lambda signum, _: over.append(signum))
        for number in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        for child in children:
            child.start()
        say("serving", {"data": config.data, **{str(name): number for name, number in config.ports.items()}})
        while not over:
            for child in children:
                code = child.tend()
                if code is not None:
                    say("died", {"process": child.name, "code": code})
            time.sleep(LOOK_S)
        say("stopping", {})
    finally:
        for child in reversed(children):  # first who takes new work
            child.stop(PATIENCE_S)
        for number, handler in before.items():
            signal.signal(number, handler)


def _hold(data: Path, rest: ExitStack) -> None:
    """Hold the data folder for as long as this process lives.

    Raises:
        Misconfigured: another service holds it, or it cannot be written.
    """
    try:
        handle = os.open(data / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Misconfigured(
            f"{data}: cannot be written: {error.strerror}; choose another {setting('data')}",
            code="unwritable",
        ) from error
    rest.callback(os.close, handle)
    if not try_lock(handle, data / LOCK):
        raise Misconfigured(
            f"{data}: another sightline serve works in this folder; choose another {setting('data')}",
            code="locked",
        )


def _bound(name: Port, number: int, rest: ExitStack) -> socket.socket:
    """A listening socket on this machine alone.

    Raises:
        Misconfigured: the port is taken, or may not be used.
    """
    made = rest.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((LOOPBACK, number))
        made.listen(1024)
    except (OSError, OverflowError) as error:
        said = setting(f"{name}_port")
        raise Misconfigured(
            f"port {number} cannot be used ({error}): choose another with {said}", code="port"
        ) from error
    made.set_inheritable(True)
    return made
