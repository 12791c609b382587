"""What the service is and who asks it; and the cookie by which a browser says so with everything that it opens."""

from __future__ import annotations

from importlib.metadata import version
from typing import Literal

from fastapi import APIRouter
from pydantic import ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from sightline.api import tokens
from sightline.api.access import NOBODY, SESSION, are_tokens_asked, caller_of
from sightline.api.documented import Strict, get, problems
from sightline.api.problems import Problem
from sightline.api.tokens import Token
from sightline.api.v1.edge import Edge
from sightline.jobs.requests import FILES

__all__ = ["CallerBody", "ServiceBody", "SessionIn", "router"]

RELEASE = version("sightline")
DAY_US = 86_400_000_000
KEPT_US = 30 * DAY_US


class CallerBody(Strict):
    """Who asks: the name of its token, empty where nobody is asked for one, and what it may do."""

    name: str
    scope: Literal["read", "write", "admin"]


class ServiceBody(Strict):
    """What the service is. Where `caller` is null, nobody knows who asks, and the rest is not said."""

    tokens: bool = Field(description="Whether requests need a token.")
    caller: CallerBody | None
    version: str = ""
    model: str = Field(default="", description="That all jobs run; empty while the worker has not said it.")
    pipelines: list[str] = Field(default=[], description="That a job may name.")
    max_bytes: int = Field(default=0, description="Of a file that is sent.")
    paths: bool = Field(
        default=False, description="Whether the caller may make jobs of files of the server's own."
    )
    confinement: str = Field(default="", description="What confines the decoder of files that are sent.")

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "tokens": True,
                "caller": {"name": "anna", "scope": "write"},
                "version": RELEASE,
                "model": "yolox-nano",
                "pipelines": ["detect", "traffic", "visdrone"],
                "max_bytes": 2147483648,
                "paths": True,
                "confinement": "rlimits, seccomp, Landlock 4",
            }
        },
    )


class SessionIn(Strict):
    """A token, as `sightline tokens add` showed it."""

    token: str = Field(min_length=1, max_length=256)

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"token": "slt_..."}})


def router(edge: Edge) -> APIRouter:
    """Routes of the service as a whole."""
    made = edge.router("about")
    service = _Service(edge)
    get(
        made,
        "/service",
        service.show,
        operation_id="get_service",
        summary="What the service is, and who asks it",
        response_model=ServiceBody,
        responses=problems(),
    )
    made.add_api_route(
        "/session",
        service.enter,
        methods=["POST"],
        status_code=204,
        response_class=Response,
        operation_id="create_session",
        summary="Keep a token in a cookie",
        responses=problems(408, 413, 422),
    )
    made.add_api_route(
        "/session",
        service.leave,
        methods=["DELETE"],
        status_code=204,
        response_class=Response,
        operation_id="remove_session",
        summary="Forget the token of the cookie",
        responses=problems(),
    )
    return made


class _Service:
    def __init__(self, edge: Edge) -> None:
        self._edge = edge

    async def show(self, request: Request) -> ServiceBody:
        """Needs no token; without one it says only that one is needed."""
        caller, asked = caller_of(request), are_tokens_asked(request)
        if caller == NOBODY:
            return ServiceBody(tokens=asked, caller=None)
        settings, backend = self._edge.settings, self._edge.backend
        vitals = await self._edge.pool.call(backend.vitals)
        below = await self._edge.pool.call(backend.roots.has, FILES)
        return ServiceBody(
            tokens=asked,
            caller=CallerBody(name=caller.name, scope=caller.scope),
            version=RELEASE,
            model=vitals.model,
            pipelines=[*settings.pipelines],
            max_bytes=settings.max_bytes,
            paths=below and caller.scope != "read",
            confinement=vitals.confinement,
        )

    async def enter(self, request: Request, body: SessionIn) -> Response:
        """The cookie `sightline_session` then counts as the token wherever no `Authorization` is sent: in events, videos and
        downloads that a browser opens by itself. No script can read it, no other site can send it.
        """
        now_us = self._edge.backend.now_us()
        listed = await self._edge.pool.call(tokens.listed, self._edge.backend.notes)
        token = tokens.found(listed, body.token, now_us)
        if token is None:
            raise Problem(
                401,
                "unauthorized",
                "The token is wrong or has expired; sightline tokens list shows those that there are.",
                headers={"WWW-Authenticate": 'Bearer realm="sightline", error="invalid_token"'},
            )
        answer = Response(status_code=204, headers={"Cache-Control": "no-store"})
        answer.set_cookie(
            SESSION,
            body.token,
            _seconds(token, now_us),
            secure=_is_secure(request),
            httponly=True,
            samesite="strict",
        )
        return answer

    async def leave(self, request: Request) -> Response:
        """Repeating is harmless."""
        answer = Response(status_code=204, headers={"Cache-Control": "no-store"})
        answer.delete_cookie(SESSION, secure=_is_secure(request), httponly=True, samesite="strict")
        return answer


def _seconds(token: Token, now_us: int) -> int:
    """How long a browser keeps a token: a month at the most."""
    left_us = KEPT_US if token.expires_us is None else min(KEPT_US, token.expires_us - now_us)
    return left_us // 1_000_000


def _is_secure(request: Request) -> bool:
    """Whether the browser came by https. TLS ends before this process, so its origin says it; the guard has seen that."""
    return request.headers.get("origin", "").lower().startswith("https://")
