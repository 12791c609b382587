"""Pages of other origins: those that were named may read answers and send requests, nobody else's may."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sightline.api.problems import Problem, response_of
from sightline.api.settings import ApiSettings

__all__ = ["Cors", "Preflight"]

METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE"
ASKED = (
    "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, If-Range, Last-Event-ID, Range, "
    "Tus-Resumable, Upload-Checksum, Upload-Length, Upload-Metadata, Upload-Offset"
)
REMEMBERED_S = 600
EXPOSED = (
    "Accept-Ranges, Content-Disposition, Content-Range, ETag, Link, Location, Retry-After, WWW-Authenticate, "
    "Tus-Resumable, Tus-Version, Tus-Extension, Tus-Max-Size, Upload-Offset, Upload-Length, Upload-Expires"
)


class Cors:
    """Wraps an application: every answer to a page of a named origin, a refusal too, may be read by it."""

    def __init__(self, app: ASGIApp, settings: ApiSettings) -> None:
        self._app, self._origins = app, frozenset(settings.origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        if not self._origins or scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        origin = _origin(scope)
        named = origin.lower() in self._origins
        allowed = [
            (b"access-control-allow-origin", origin.encode("latin-1")),
            (b"access-control-expose-headers", EXPOSED.encode()),
        ]

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                extra = [(b"vary", b"Origin"), *(allowed if named else ())]
                message = {**message, "headers": [*message.get("headers", ()), *extra]}
            await send(message)

        await self._app(scope, receive, marked)


class Preflight:
    """Wraps an application: answers the question that a browser asks before a page's request."""

    def __init__(self, app: ASGIApp, settings: ApiSettings) -> None:
        self._app, self._settings = app, settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        headers = Headers(scope=scope)
        if (
            scope["type"] != "http"
            or scope["method"] != "OPTIONS"
            or "access-control-request-method" not in headers
        ):
            await self._app(scope, receive, send)
            return
        if _origin(scope).lower() in self._settings.origins:
            answer = Response(
                status_code=204,
                headers={
                    "Access-Control-Allow-Methods": METHODS,
                    "Access-Control-Allow-Headers": ASKED,
                    "Access-Control-Max-Age": str(REMEMBERED_S),
                },
            )
        else:
            refused = Problem(
                403,
                "origin",
                "Pages of this origin may not use the service; its setting origins lists those that may.",
            )
            answer = response_of(
                refused, scope.get("raw_path", b"").decode("latin-1"), self._settings.retry_s
            )
        await answer(scope, receive, send)


def _origin(scope: Scope) -> str:
    origins = Headers(scope=scope).getlist("origin")
    return origins[0] if len(origins) == 1 else ""
