"""Who asks is asked for a token, before anybody looks at what is asked."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from functools import partial

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from sightline.api import tokens
from sightline.api.access import ANYBODY, NOBODY, SESSION, Caller
from sightline.api.backend import Backend
from sightline.api.limiter import Limiter
from sightline.api.look import WATCHER_S, Look
from sightline.api.page import is_page
from sightline.api.problems import Problem, problem_of, response_of
from sightline.api.settings import ApiSettings, role_of
from sightline.api.tokens import Token
from sightline.errors import SightlineError, Unavailable

__all__ = ["Auth"]

READS = frozenset({"GET", "HEAD"})
# A question that is too long for an address: what is counted again is not kept.
ASKS = re.compile(r"/api/v1/jobs/[^/]+/counts")
# Whoever watches a service has no token, and learns nothing but whether it lives.
OPEN: Mapping[str, frozenset[str]] = {
    "api": frozenset({"/health", "/ready", "/api", "/api/", "/api/health"}),
    "runner": frozenset({"/health"}),
    "inference": frozenset({"/health", "/data", "/api/data"}),
    "generator": frozenset({"/", "/health"}),
}
# Asked by whoever has no token yet, or a wrong one; what is said depends on who it is.
ENTRANCE: Mapping[str, frozenset[str]] = {
    "/api/v1/service": READS,
    "/api/v1/session": frozenset({"POST", "DELETE"}),
}
UNKNOWN = Caller("", "write")
"""Who asks without a token where tokens are not asked for, though others may reach the service or there are some."""


class Auth:
    """Wraps an application: says who asks, or refuses.

    Args:
        app: see there.
        backend: its notes hold the tokens.
        settings: see there.
    """

    def __init__(self, app: ASGIApp, backend: Backend, settings: ApiSettings) -> None:
        self._app, self._backend, self._settings = app, backend, settings
        self._limiter = Limiter(settings.rate, time.monotonic)
        self._tokens = Look(lambda: tokens.listed(backend.notes), settings.tokens_s)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse."""
        if scope["type"] != "http" or self._is_open(scope):
            scope["sightline.caller"] = NOBODY
            await self._app(scope, receive, send)
            return
        entrance = self._is_entrance(scope)
        try:
            caller = await self._caller(scope, entrance)
            if not entrance:
                self._judge(caller, scope)
        except Problem as problem:
            refused = problem
        except SightlineError as error:
            refused = problem_of(error)
        else:
            scope["sightline.caller"] = caller
            # Answers that go on for long look whether whoever hears them still may.
            scope["sightline.holds"] = partial(self._holds, scope, caller)
            await self._app(scope, receive, send)
            return
        path = scope.get("raw_path", b"").decode("latin-1")
        await response_of(refused, path, self._settings.retry_s)(scope, receive, send)

    def _is_open(self, scope: Scope) -> bool:
        role = role_of(scope, self._settings)
        open_paths = OPEN.get(role, frozenset())
        metrics = self._settings.open_metrics and self._is_metrics(scope)
        page = role == "api" and is_page(scope["path"])
        return scope["method"] in READS and (scope["path"] in open_paths or metrics or page)

    def _is_metrics(self, scope: Scope) -> bool:
        return role_of(scope, self._settings) == "api" and scope["path"] == "/metrics"

    def _is_entrance(self, scope: Scope) -> bool:
        role = role_of(scope, self._settings)
        return role == "api" and scope["method"] in ENTRANCE.get(scope["path"], ())

    async def _caller(self, scope: Scope, entrance: bool) -> Caller:
        caller = self._found(scope, await self._known(scope))
        peer = f"peer {(scope.get('client') or ('',))[0]}"
        self._limit(f"token {caller.name}" if caller is not None and caller.name else peer)
        if caller is None and entrance:
            return NOBODY
        if caller is None:
            raise _unauthorized(any(_given(scope)))
        return caller

    def _found(self, scope: Scope, known: Sequence[Token]) -> Caller | None:
        """Who asks; None where a token is needed, and none that holds was given."""
        written, kept = _given(scope)
        loopback, needed = self._settings.loopback, not self._settings.no_auth
        asked = needed and (bool(known) or not loopback)
        scope["sightline.tokens"] = asked
        token = tokens.found(known, kept or _text(written), self._backend.now_us())
        if token is None and not asked and not (known and written):
            return ANYBODY if loopback and not known else UNKNOWN
        return None if token is None else Caller(token.name, token.scope)

    async def _holds(self, scope: Scope, caller: Caller) -> bool:
        """Whether who is still being answered would be let in now, as the same."""
        try:
            known: Sequence[Token] = await self._tokens.now()
        except SightlineError:  # while nobody can look, what was seen last holds
            known = self._tokens.last or ()
        return self._found(scope, known) == caller

    def _judge(self, caller: Caller, scope: Scope) -> None:
        asks = scope["method"] == "POST" and ASKS.fullmatch(scope["path"]) is not None
        if caller.scope == "read" and scope["method"] not in READS and not asks:
            raise Problem(
                403,
                "forbidden",
                "This token may only read; changes need one with the scope write.",
                headers={
                    "WWW-Authenticate": 'Bearer realm="sightline", error="insufficient_scope", scope="write"'
                },
            )

    def _limit(self, who: str) -> None:
        wait_s = self._limiter.wait_s(who)
        if wait_s:
            raise Problem(
                429,
                "rate",
                f"More than {self._settings.rate:g} requests a second; repeat the request later.",
                headers={"Retry-After": str(wait_s)},
            )

    async def _known(self, scope: Scope) -> Sequence[Token]:
        """Every token, as it was a second ago at the most; who only watches goes by those that were seen last, while nobody can look."""
        if not self._is_metrics(scope):
            return await self._tokens.now()
        try:
            return await self._tokens.now(WATCHER_S)
        except Unavailable:
            if self._tokens.last is None:
                raise
            return self._tokens.last


def _given(scope: Scope) -> tuple[Sequence[str], str]:
    """Every `Authorization`, and the token of a session where there is none.

    A page that sends a token of its own means that one, and a cookie that is none any more locks nobody out.
    """
    written = Headers(scope=scope).getlist("authorization")
    return written, "" if written else HTTPConnection(scope).cookies.get(SESSION, "")


def _text(written: Sequence[str]) -> str:
    """The token of an `Authorization`; empty where there is none, or several."""
    kind, _, text = written[0].partition(" ") if len(written) == 1 else ("", "", "")
    return text.strip() if kind.lower() == "bearer" else ""


def _unauthorized(given: bool) -> Problem:
    said = ', error="invalid_token"' if given else ""
    return Problem(
        401,
        "unauthorized",
        "The token is wrong or has expired; sightline tokens list shows those that there are."
        if given
        else "A token is needed: Authorization: Bearer TOKEN. Its operator makes one with sightline tokens add.",
        headers={"WWW-Authenticate": f'Bearer realm="sightline"{said}'},
    )
