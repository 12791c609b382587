"""What is refused before anybody looks at a request, and the headers that every answer has."""

from __future__ import annotations

from ipaddress import ip_address

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sightline.api.problems import Problem, response_of
from sightline.api.settings import ApiSettings

__all__ = ["Guard", "Secured", "host_of", "is_address"]

CHANGES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
EVERY: tuple[tuple[bytes, bytes], ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'self'"),
    (b"referrer-policy", b"no-referrer"),
)


class Secured:
    """Wraps an application: every answer tells browsers to trust nothing."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = [*message.get("headers", ())]
                known = {name.lower() for name, _ in own}
                message = {**message, "headers": own + [each for each in EVERY if each[0] not in known]}
            await send(message)

        await self._app(scope, receive, marked)


class Guard:
    """Wraps an application: other hosts, other origins and packed bodies do not come through."""

    def __init__(self, app: ASGIApp, settings: ApiSettings) -> None:
        self._app, self._settings = app, settings
        self._hosts = settings.allowed_hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse."""
        refused = self._refused(scope) if scope["type"] == "http" else None
        if refused is None:
            await self._app(scope, receive, send)
        else:
            path = scope.get("raw_path", b"").decode("latin-1")
            await response_of(refused, path, self._settings.retry_s)(scope, receive, send)

    def _refused(self, scope: Scope) -> Problem | None:
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        if len(hosts) != 1:
            return Problem(400, "host", "A request names one host.")
        if not self._is_known(host_of(hosts[0])):
            return Problem(
                403,
                "host",
                "This service is not known by that name; its setting hosts lists those that it has.",
            )
        if scope["method"] in CHANGES and not self._own(headers.getlist("origin"), hosts[0]):
            return Problem(403, "origin", "Pages of another origin may change nothing here.")
        if headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
            return Problem(415, "content_encoding", "Bodies are taken as they are, not packed.")
        return None

    def _is_known(self, name: str) -> bool:
        return name in self._hosts or (not self._settings.loopback and is_address(name))

    def _own(self, origins: list[str], host: str) -> bool:
        """Whether a browser's page may change something: it is our own, or a named one; others send no origin."""
        mine = {f"http://{host}".lower(), f"https://{host}".lower(), *self._settings.origins}
        return all(origin.lower() in mine for origin in origins)


def host_of(header: str) -> str:
    """The name in a `Host`, without its port.

    >>> host_of("[::1]:8080"), host_of("LOCALHOST:8080"), host_of("evil:80:localhost")
    ('[::1]', 'localhost', '')
    """
    name, colon, port = header.strip().lower().rpartition(":")
    if not colon or header.endswith("]"):
        return header.strip().lower()
    inside = name.startswith("[") and name.endswith("]")
    return name if port.isdigit() and (inside or ":" not in name) else ""


def is_address(name: str) -> bool:
    """Whether it is a number and no name.

    >>> is_address("192.168.1.5"), is_address("[fd00::1]"), is_address("127.0.0.1.evil.example")
    (True, True, False)
    """
    try:
        ip_address(name.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True
