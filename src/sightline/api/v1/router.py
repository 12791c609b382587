"""Which parts `/api/v1` has. Each is a function from the edge to its routes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fastapi import APIRouter

from sightline.api.documented import joined
from sightline.api.v1 import changes, events, jobs, openapi, paths, replays, results, service, tus
from sightline.api.v1.edge import Edge

__all__ = ["router"]

PARTS: Sequence[Callable[[Edge], APIRouter]] = (
    jobs.router,
    changes.router,
    replays.router,
    events.router,
    tus.router,
    results.router,
    paths.router,
    service.router,
    openapi.router,
)


def router(edge: Edge) -> APIRouter:
    """Every route of `/api/v1`."""
    return joined(*(part(edge) for part in PARTS))
