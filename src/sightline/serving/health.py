"""Health and metrics of a worker that answers nobody else: text for people and probes, numbers for Prometheus."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from sightline.serving.lags import Lag

__all__ = ["STILL_S", "Health", "moves", "still"]

TIMEOUT_S = 10.0
STILL_S = 60.0


def moves(round_s: float, detect: Lag | None, awaits: Sequence[str]) -> bool:
    """Whether a worker does what is its own to do.

    A stage that waits for another one, as track for a frame that is not detected yet, or feed for room in its window, is
    not at fault, however long it lasts; nor is one that waits for a service. Else detect has by itself all that it needs.

    Args:
        round_s: seconds since its workers had their turn last.
        detect: how far detection is behind, of a process that owns frames to detect; else None.
        awaits: codes of the services that do not answer.
    """
    stands = detect is not None and detect.records > 0 and detect.still_s > STILL_S and not awaits
    return round_s <= STILL_S and not stands


def still(here_s: float, shared: Mapping[str, Lag] | None) -> float:
    """Seconds for which nothing has moved: in this process and, where others share the work, in any of them.

    Args:
        here_s: seconds for which nothing has moved in this process.
        shared: how far every stage is behind, wherever it is; None where nobody shares the work.
    """
    if shared is None:
        return here_s
    return min(here_s, min((lag.still_s for lag in shared.values() if lag.records), default=0.0))


class Health:
    """Answers `GET /`, `/health` and `/metrics` on a socket, in threads of its own.

    Args:
        listener: descriptor of a listening socket.
        name: that the text says.
        moving: whether the work goes on, or there is none.
        awaits: codes of the services that do not answer: a new start of this process would not mend that.
        registry: what is counted.
    """

    def __init__(
        self,
        listener: int,
        name: str,
        moving: Callable[[], bool],
        awaits: Callable[[], list[str]],
        registry: CollectorRegistry,
    ) -> None:
        class Handler(_Handler):
            service, is_moving, counted = name, staticmethod(moving), registry
            awaited = staticmethod(awaits)

        inherited = socket.socket(fileno=listener)
        self._server = ThreadingHTTPServer(inherited.getsockname()[:2], Handler, bind_and_activate=False)
        self._server.socket.close()
        self._server.socket = inherited
        threading.Thread(target=self._server.serve_forever, name="sightline-health", daemon=True).start()

    def close(self) -> None:
        """Answer nobody any more."""
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    service = ""
    is_moving: Callable[[], bool]
    awaited: Callable[[], list[str]]
    counted: CollectorRegistry
    timeout = TIMEOUT_S
    server_version = "sightline"
    sys_version = ""

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/metrics":
            self._answer(200, CONTENT_TYPE_LATEST, generate_latest(self.counted))
            return
        moving = self.is_moving()
        if path == "/":
            text = f"{self.service} is running!" if moving else f"{self.service} makes no progress"
            self._answer(200 if moving else 503, "text/plain; charset=utf-8", text.encode())
        elif path == "/health":
            said: dict[str, object] = {"status": "ok" if moving else "no progress"}
            if codes := self.awaited():
                said["awaits"] = codes
            self._answer(200 if moving else 503, "application/json", msgspec.json.encode(said))
        else:
            self._answer(404, "text/plain; charset=utf-8", b"there is /, /health and /metrics")

    def log_message(self, *args: Any) -> None:
        """Probes are no news."""

    def _answer(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
