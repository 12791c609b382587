"""Every request is counted, timed and said in a line of the log: its route, never its address with what that holds."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sightline.api.access import caller_of
from sightline.api.auth import OPEN
from sightline.api.settings import ApiSettings, role_of
from sightline.logs import FACTS

__all__ = ["HttpMetrics", "Observed"]

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
UNKNOWN = "unknown"
GONE = 499  # as other servers call it: whoever asked left before there was an answer
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600)

Spanned = Callable[[Mapping[str, Any], str, int, int], None]

log = logging.getLogger("sightline.api.requests")


class HttpMetrics:
    """What is counted of requests."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.requests = Counter(
            "sightline_http_requests_total",
            "Requests that were answered.",
            ["port", "method", "route", "status"],
            registry=registry,
        )
        self.seconds = Histogram(
            "sightline_http_request_duration_seconds",
            "From the first byte of a request to the last one of its answer.",
            ["port", "method", "route"],
            buckets=SECONDS,
            registry=registry,
        )


class Observed:
    """Wraps an application.

    Args:
        app, settings, metrics: see there.
        spanned: see `Backend`.
    """

    def __init__(
        self, app: ASGIApp, settings: ApiSettings, metrics: HttpMetrics, spanned: Spanned | None = None
    ) -> None:
        self._app, self._settings, self._metrics, self._spanned = app, settings, metrics, spanned

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, since, status, code = time.perf_counter(), time.time_ns(), 0, ""

        async def heard(message: Message) -> None:
            nonlocal status, code
            if message["type"] == "http.response.start":
                status = message["status"]
            elif status >= 400 and not code:
                code = _code_of(message.get("body", b""))
            await send(message)

        try:
            await self._app(scope, receive, heard)
        finally:
            seconds = time.perf_counter() - began
            facts = self._facts(scope, status or GONE, seconds)
            self._say(scope, facts, seconds, code)
            if self._spanned is not None:
                parent = Headers(scope=scope).get("traceparent", "")
                self._spanned(facts, parent, since, since + int(seconds * 1e9))

    def _facts(self, scope: Scope, status: int, seconds: float) -> dict[str, Any]:
        return {
            "port": role_of(scope, self._settings),
            "method": scope["method"] if scope["method"] in METHODS else "other",
            "route": getattr(scope.get("route"), "path", UNKNOWN),
            "status": status,
            "ms": round(seconds * 1000, 1),
            "caller": caller_of(HTTPConnection(scope)).name,
        }

    def _say(self, scope: Scope, facts: dict[str, Any], seconds: float, code: str) -> None:
        place = facts["port"], facts["method"], facts["route"]
        self._metrics.requests.labels(*place, str(facts["status"])).inc()
        self._metrics.seconds.labels(*place).observe(seconds)
        watching = facts["status"] < 400 and scope["path"] in OPEN.get(facts["port"], ())
        log.log(
            logging.DEBUG if watching else logging.INFO,
            "request",
            extra={FACTS: facts | ({"code": code} if code else {})},
        )


def _code_of(body: bytes) -> str:
    """The code of a problem; empty where a body is none."""
    try:
        return msgspec.json.decode(body, type=_Coded).code
    except msgspec.MsgspecError:
        return ""


class _Coded(msgspec.Struct):
    code: str = ""
