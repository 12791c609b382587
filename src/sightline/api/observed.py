"""Every request is counted, timed and said in a line of the log: its route, never its address with what that holds."""

from __future__ import annotations

import logging
import time

from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sightline.api.access import caller_of
from sightline.api.auth import OPEN
from sightline.api.settings import ApiSettings, role_of
from sightline.logs import FACTS

__all__ = ["HttpMetrics", "Observed"]

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
UNKNOWN = "unknown"
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600)

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
    """Wraps an application."""

    def __init__(self, app: ASGIApp, settings: ApiSettings, metrics: HttpMetrics) -> None:
        self._app, self._settings, self._metrics = app, settings, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 0

        async def heard(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, heard)
        finally:
            self._say(scope, status, time.perf_counter() - began)

    def _say(self, scope: Scope, status: int, seconds: float) -> None:
        port = role_of(scope, self._settings)
        method = scope["method"] if scope["method"] in METHODS else "other"
        route = getattr(scope.get("route"), "path", UNKNOWN)
        self._metrics.requests.labels(port, method, route, str(status)).inc()
        self._metrics.seconds.labels(port, method, route).observe(seconds)
        watching = status < 400 and scope["path"] in OPEN.get(port, ())
        log.log(
            logging.DEBUG if watching else logging.INFO,
            "request",
            extra={
                FACTS: {
                    "port": port,
                    "method": method,
                    "route": route,
                    "status": status,
                    "ms": round(seconds * 1000, 1),
                    "caller": caller_of(HTTPConnection(scope)).name,
                }
            },
        )
