"""What every part of `/api/v1` works with."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from sightline.api.backend import Backend
from sightline.api.body import read_all
from sightline.api.intake import Intake
from sightline.api.jobs import Found
from sightline.api.pool import Pool
from sightline.api.settings import ApiSettings

__all__ = ["PREFIX", "Edge"]

PREFIX = "/api/v1"


@dataclass(frozen=True)
class Edge:
    """See the module.

    Attributes:
        backend, settings: see there.
        pool: for calls of ports.
        intake: makes jobs.
    """

    backend: Backend
    settings: ApiSettings
    pool: Pool
    intake: Intake

    @cached_property
    def found(self) -> Found:
        """Looks jobs up."""
        return Found(self.backend, self.pool)

    def router(self, tag: str) -> APIRouter:
        """An empty router below `/api/v1`, whose JSON bodies come neither too slowly nor too large."""
        settings = self.settings

        class Route(APIRoute):
            def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
                handle = super().get_route_handler()
                if self.body_field is None:
                    return handle

                async def bounded(request: Request) -> Response:
                    request._body = await read_all(
                        request, settings
                    )  # where Starlette keeps one that was read
                    return await handle(request)

                return bounded

        return APIRouter(prefix=PREFIX, redirect_slashes=False, route_class=Route, tags=[tag])
