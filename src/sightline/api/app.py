"""The application: which role answers on which port, and in which order a request is judged.

Observed (metrics, log) -> Secured (headers) -> Linger (reads on) -> Cors -> Guard (hosts, origins) -> Preflight -> Auth (tokens) -> role by port -> routes
"""

from __future__ import annotations

import logging
from functools import cache
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import ASGIApp, Receive, Scope, Send

from sightline.api.auth import Auth
from sightline.api.backend import Backend
from sightline.api.body import Gone
from sightline.api.cors import Cors, Preflight
from sightline.api.documented import get, joined
from sightline.api.guard import Guard, Secured
from sightline.api.health import Health
from sightline.api.intake import Intake
from sightline.api.linger import Linger
from sightline.api.metrics import Metrics
from sightline.api.observed import HttpMetrics, Observed
from sightline.api.page import PageFiles
from sightline.api.pool import Pool
from sightline.api.problems import Problem, invalid_of, problem_of, response_of
from sightline.api.settings import ApiSettings, Role, role_of
from sightline.api.system_a import SystemA
from sightline.api.system_b import SystemB
from sightline.api.v1 import openapi
from sightline.api.v1 import router as v1
from sightline.api.v1.edge import Edge
from sightline.errors import SightlineError

__all__ = ["build", "document_of"]

log = logging.getLogger("sightline.api")
METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")


def build(backend: Backend, settings: ApiSettings) -> ASGIApp:
    """The application over a backend. It is to be served by one loop."""
    health = Health(backend, Pool(2))  # its own threads: it answers while others wait for a slow store
    pool = Pool(settings.threads)
    intake = Intake(backend, settings, pool)
    metrics = Metrics(backend, Pool(1))
    roles: dict[Role, ASGIApp] = {
        "api": api_of(backend, settings, pool, intake, health, metrics),
        "runner": _application(settings, health.runner()),
        "inference": _application(settings, health.inference()),
        "generator": _application(
            settings, health.runner(), SystemA(backend, settings, pool, intake).router()
        ),
    }
    known = Auth(_ByPort(roles, settings), backend, settings)
    guarded = Guard(Preflight(known, settings), settings)
    secured = Secured(Linger(Cors(guarded, settings), settings))
    return Observed(secured, settings, HttpMetrics(metrics.http), backend.spanned)


def api_of(
    backend: Backend, settings: ApiSettings, pool: Pool, intake: Intake, health: Health, metrics: Metrics
) -> FastAPI:
    """The API's own role, whose OpenAPI document is `docs/reference/openapi.json`."""
    page = APIRouter(redirect_slashes=False)
    get(page, "/docs", openapi.Docs(pool).show, response_model=None, include_in_schema=False)
    old = SystemB(backend, settings, pool, intake).router()
    jobs = v1.router(Edge(backend, settings, pool, intake))
    return _application(settings, health.api(), old, page, PageFiles(pool).router(), jobs, metrics.router())


def document_of(backend: Backend, settings: ApiSettings) -> dict[str, Any]:
    """The OpenAPI document; nobody is asked for anything."""
    pool = Pool(1)
    health, metrics = Health(backend, pool), Metrics(backend, pool)
    return api_of(backend, settings, pool, Intake(backend, settings, pool), health, metrics).openapi()


class _ByPort:
    """One server with several sockets: the port says who was asked."""

    def __init__(self, roles: dict[Role, ASGIApp], settings: ApiSettings) -> None:
        self._roles, self._settings = roles, settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._roles[role_of(scope, self._settings)](scope, receive, send)


def _application(settings: ApiSettings, *routers: APIRouter) -> FastAPI:
    app = FastAPI(
        title="Sightline",
        docs_url=None,  # its pages load scripts from elsewhere
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    app.router.routes.extend(joined(*routers).routes)
    described = cache(lambda: openapi.document(app))
    app.openapi = described  # type: ignore[method-assign]

    def respond(request: Request, problem: Problem) -> Response:
        return response_of(problem, request.scope.get("raw_path", b"").decode("latin-1"), settings.retry_s)

    async def problem(request: Request, error: Exception) -> Response:
        assert isinstance(error, Problem)
        return respond(request, error)

    async def of_port(request: Request, error: Exception) -> Response:
        assert isinstance(error, SightlineError)
        found = problem_of(error)
        if found.status >= 500:
            log.warning("%s: %s (%s)", request.scope["method"], type(error).__name__, error.code)
        return respond(request, found)

    async def of_router(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        code = {404: "not_found", 405: "method"}.get(error.status_code, "http")
        headers = dict(error.headers or {})
        if error.status_code == 405:
            headers["Allow"] = _allowed(app, request.scope)
        return respond(request, Problem(error.status_code, code, error.detail, headers=headers))

    async def of_fields(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return respond(request, invalid_of(error.errors()[:20]))

    async def gone(request: Request, error: Exception) -> Response:
        return Response(status_code=400)  # nobody reads it

    async def bug(request: Request, error: Exception) -> Response:
        return respond(request, Problem(500, "bug", "This is an error of Sightline's own; it is in the log."))

    handlers = {
        Problem: problem,
        SightlineError: of_port,
        HTTPException: of_router,
        RequestValidationError: of_fields,
        Gone: gone,
        Exception: bug,
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)
    return app


def _allowed(app: FastAPI, scope: Scope) -> str:
    """Every method that a path knows: its routes have one each."""
    methods: set[str] = set()
    for method in METHODS:
        asked = {**scope, "method": method}
        if any(route.matches(asked)[0] is Match.FULL for route in app.routes):
            methods.add(method)
    return ", ".join(sorted(methods))
