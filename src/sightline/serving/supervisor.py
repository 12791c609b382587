"""The supervisor: it holds the data folder and the ports, and keeps an API process and a worker process running."""

from __future__ import annotations

import errno
import os
import signal
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from sightline.api import tokens
from sightline.app.service_tools import check_models
from sightline.disk import make_folder, write_whole
from sightline.errors import Misconfigured, setting
from sightline.machine import default_workers
from sightline.ports import Notes
from sightline.serving.addresses import check
from sightline.serving.backends import prepare
from sightline.serving.children import Child
from sightline.serving.config import PORTS, ROLES, Port, ServeConfig
from sightline.serving.folder import hold, require_whole
from sightline.serving.tracing import check_installed
from sightline.settings import ServeOptions

__all__ = ["serve"]

LOOK_S = 0.1
PATIENCE_S = 20.0
WORKER, API = "sightline.serving.worker", "sightline.serving.api"
# With which role a port is open; a worker elsewhere says how it is on its health port.
PORT_OF: Mapping[Port, str] = {
    "api": "api",
    "generator": "generator",
    "runner": "feed",
    "inference": "detect",
}
Say = Callable[[str, Mapping[str, object]], None]


def serve(options: ServeOptions, say: Say, roles: Sequence[str] = ROLES) -> None:
    """Serve until SIGTERM or SIGINT.

    Args:
        options: of the service. A port of 0 takes a free one.
        say: hears what happens: an event's name and its facts.
        roles: what this service does of the work; other services over the same stores do the rest.

    Raises:
        Misconfigured: the folder is another service's or cannot be written, an address or a port cannot be used, tokens
            are needed and there are none, an extra is missing, or there is no model.
        ServiceMisconfigured: a database, broker or object store refuses us, or has not been prepared.
        Unavailable: the disk is full, or a service does not answer.
        Corrupt: the store in it is damaged.
    """
    check_installed(options)
    check(options)
    data = options.data
    _apart(options)
    make_folder(data)
    with ExitStack() as rest:
        hold(data, rest)
        require_whole(data)
        family, address = resolved(options.host)
        loopback = ip_address(address).is_loopback
        sockets = {
            name: _bound(f"{name}_port", family, address, getattr(options, f"{name}_port"), rest)
            for name in PORTS
            if PORT_OF[name] in roles and {"api", "generator"} & set(roles)
        }
        health = None
        if options.health_port is not None:
            health = _bound("health_port", family, address, options.health_port, rest)
        runtime = Path(rest.enter_context(TemporaryDirectory(prefix="sightline-")))
        config = ServeConfig(
            data=str(data.resolve()),
            supervisor=os.getpid(),
            runtime=str(runtime),
            workers=options.workers or default_workers(),
            sockets={name: each.fileno() for name, each in sockets.items()},
            ports={name: each.getsockname()[1] for name, each in sockets.items()},
            loopback=loopback,
            settings=options.model_dump(mode="json"),
            roles=tuple(roles),
            health=None if health is None else health.fileno(),
        )
        if {"api", "generator", "feed", "detect"} & set(roles):
            check_models(config.options)
        prepare(config, lambda notes: _check_access(notes, options, loopback))
        file = runtime / "config.json"
        write_whole(file, [msgspec.json.encode(config)])
        children = [Child(WORKER, file, () if config.health is None else (config.health,))]
        if config.answers:
            children.append(Child(API, file, tuple(config.sockets.values())))
        more = {} if health is None else {"health": health.getsockname()[1]}
        _tend(children, config, say, more)


def _tend(children: Sequence[Child], config: ServeConfig, say: Say, more: Mapping[str, object]) -> None:
    over: list[int] = []
    before = {
        number: signal.signal(number, lambda signum, _: over.append(signum))
        for number in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        for child in children:
            child.start()
        to_all = config.serve.no_auth and not config.loopback
        ports = {str(name): number for name, number in config.ports.items()}
        facts = {"data": config.data, "host": config.serve.host, "open": to_all, **ports, **more}
        say("serving", facts if config.roles == ROLES else {**facts, "roles": list(config.roles)})
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


def _apart(options: ServeOptions) -> None:
    """See that nothing is written where jobs may name files: whoever may send jobs could read what belongs to others.

    Raises:
        Misconfigured: a folder lies in the other.
    """
    files = options.files
    for name in ("data", "csv_path", "frame_store"):
        path = getattr(options, name)
        if files is not None and path is not None and path.resolve().is_relative_to(files.resolve()):
            raise Misconfigured(
                f"{setting(name, str(path))} lies below {setting('files', str(files))}, where jobs may name any file: "
                "choose another folder for one of them",
                code="usage",
            )


def _check_access(notes: Notes, options: ServeOptions, loopback: bool) -> None:
    """See that strangers are asked for a token, before anybody can reach the service.

    Raises:
        Misconfigured: there is none that they could have.
    """
    if loopback or options.no_auth or tokens.listed(notes):
        return
    raise Misconfigured(
        f"{setting('host', options.host)} lets others reach the service, and there is no token yet: make one with "
        f"sightline tokens add NAME {setting('scope', 'admin')} {setting('data', options.data)}, then start again "
        f"(or say {setting('no_auth')}: anybody may do anything but clean up)",
        code="no_tokens",
    )


def resolved(host: str) -> tuple[socket.AddressFamily, str]:
    """Family and number of an address to listen at.

    Raises:
        Misconfigured: it is none.
    """
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise Misconfigured(
            f"{setting('host', host)}: no address of this machine: {error}", code="host"
        ) from error
    family, _, _, _, place = min(
        found, key=lambda each: each[0] != socket.AF_INET
    )  # of `localhost` the old one
    return family, str(place[0])


def _bound(
    name: str, family: socket.AddressFamily, address: str, number: int, rest: ExitStack
) -> socket.socket:
    """A listening socket.

    Raises:
        Misconfigured: the port is taken, or may not be used, or the address is not this machine's.
    """
    made = rest.enter_context(socket.socket(family, socket.SOCK_STREAM))
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((address, number))
        made.listen(1024)
    except OSError as error:
        if error.errno == errno.EADDRNOTAVAIL:
            raise Misconfigured(
                f"{setting('host', address)}: no address of this machine", code="host"
            ) from error
        said = setting(name)
        raise Misconfigured(
            f"port {number} cannot be used ({error}): choose another with {said}", code="port"
        ) from error
    made.set_inheritable(True)
    return made
