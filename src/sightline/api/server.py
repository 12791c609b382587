"""The server: an application over sockets that somebody else has opened, until a signal ends it."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from sightline.api.protocol import limited
from sightline.api.settings import ApiSettings

__all__ = ["serve", "server_of"]


class _Server(uvicorn.Server):
    """Ends by returning. Uvicorn raises the signal that ended it once more, and the process would die of it."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        with super().capture_signals():
            try:
                yield
            finally:
                self._captured_signals.clear()


def server_of(app: ASGIApp, settings: ApiSettings) -> uvicorn.Server:
    """A server that is not yet started."""

    async def told(scope: Scope, receive: Receive, send: Send) -> None:
        # Answers that would go on for ever look whether the server still does.
        scope["sightline.stopping"] = lambda: server.should_exit
        await app(scope, receive, send)

    config = uvicorn.Config(
        told,
        http=limited(settings),
        ws="none",
        lifespan="off",
        loop="asyncio",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # anybody can write X-Forwarded-For
        timeout_keep_alive=5,
        timeout_graceful_shutdown=max(1, round(settings.stop_s)),
    )
    server = _Server(config)
    return server


def serve(app: ASGIApp, sockets: Sequence[socket.socket], settings: ApiSettings) -> None:
    """Answer until SIGTERM or SIGINT: then no new connection is taken, and requests under way may end.

    Args:
        app: see `sightline.api.app.build`.
        sockets: bound; the port of each chooses the role.
        settings: see there.
    """
    server = server_of(app, settings)
    server.run(sockets=[*sockets])
