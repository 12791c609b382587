"""Limits of the HTTP edge. None of them changes a byte of a result."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any, Literal

__all__ = ["ApiSettings", "Role", "role_of"]

Role = Literal["api", "runner", "inference", "generator"]
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


def _roles() -> dict[int, Role]:
    return {8080: "api", 8002: "runner", 8003: "inference", 5001: "generator"}


@dataclass(frozen=True, kw_only=True)
class ApiSettings:
    """What a request may be.

    Attributes:
        max_bytes: of an uploaded file.
        uploads: at the same time.
        probes: looks into an upload at the same time.
        threads: for calls of ports.
        connections: at the same time.
        header_bytes, header_s: of the head of a request, and how long it may take to come.
        pipelined: requests that wait on a connection for the answer to the one before.
        taken_s: an answer of which nothing is taken for so long is cut; a megabyte of it lies in the system's own buffers.
        stall_s, stall_bytes: a body brings so many bytes in every so many seconds, or its end.
        linger_s, linger_bytes: what is still read of a request that was refused, so that its sender reads the answer.
        fields, field_bytes: of a form, beside its file.
        json_bytes: of a JSON body.
        retry_s: what `Retry-After` says.
        hosts: names that a request may be for, without ports, beside those of the loopback and, off it, plain addresses:
            no page of a stranger can have one for its name.
        origins: whole origins from whose pages a browser may change something, beside the service's own.
        buckets: the only ones that may be named; empty: any with a valid name.
        pipelines: those that may be asked for.
        roles: who answers on which port; a port that is not there is the API's.
        loopback: only this machine can reach the service; else requests need a token, whether there are any or not.
        no_auth: nobody is asked for a token.
        tokens_s: for how many seconds tokens are remembered: one that was made or removed counts then.
        open_metrics: `/metrics` needs no token.
        rate: requests a second of one token, or of one address without; 0: any.
        uploads_per_token: at the same time.
        quota: bytes that the uploads of one token may keep; None: any.
        stop_s: how long requests under way may go on when the server stops.
        service_name, kafka_broker: what system A's generator says of itself.
        listeners: to events of jobs, at the same time; each has a connection.
        watch_s: between two looks for what has happened.
        ping_s: a listener hears a comment where nothing has happened for so long.
    """

    max_bytes: int = 2 * 2**30
    uploads: int = 8
    probes: int = 4
    threads: int = 16
    connections: int = 512
    header_bytes: int = 32 * 1024
    header_s: float = 10.0
    pipelined: int = 32
    taken_s: float = 600.0
    stall_s: float = 30.0
    stall_bytes: int = 1024
    linger_s: float = 2.0
    linger_bytes: int = 64 * 2**20
    fields: int = 16
    field_bytes: int = 1024
    json_bytes: int = 64 * 1024
    retry_s: int = 5
    hosts: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    buckets: tuple[str, ...] = ()
    pipelines: tuple[str, ...] = ("detect", "traffic", "visdrone")
    roles: Mapping[int, Role] = field(default_factory=_roles)
    loopback: bool = True
    no_auth: bool = False
    tokens_s: float = 1.0
    open_metrics: bool = False
    rate: float = 1000.0
    uploads_per_token: int = 8
    quota: int | None = None
    stop_s: float = 10.0
    service_name: str = "data_generator"
    kafka_broker: str | None = None
    listeners: int = 256
    watch_s: float = 0.5
    ping_s: float = 15.0

    @property
    def allowed_hosts(self) -> frozenset[str]:
        """Every name that a request may be for, in lower case."""
        return frozenset(name.lower() for name in (*LOOPBACK, *self.hosts))


def role_of(scope: MutableMapping[str, Any], settings: ApiSettings) -> Role:
    """Who is asked by a request: its port says it."""
    port = (scope.get("server") or ("", None))[1]
    return "api" if port is None else settings.roles.get(port, "api")
