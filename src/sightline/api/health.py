"""Who is alive: the routes of system B's three services, and our own `/health` and `/ready`."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from sightline.api import described
from sightline.api.backend import Backend, Vitals
from sightline.api.documented import get
from sightline.api.look import Look
from sightline.api.pool import Pool
from sightline.api.system_b import BOTH, answer
from sightline.errors import NotFound, SightlineError

__all__ = ["Health"]

READY = "sightline/ready"  # a key that nobody writes
PATIENCE_S = 3.0  # for a store: a probe waits for five


class Health:
    """See the module.

    Args:
        backend: see there.
        pool: for calls of ports.
    """

    def __init__(self, backend: Backend, pool: Pool) -> None:
        self._backend, self._pool = backend, pool
        self._looks: dict[str, Look[object]] = {
            "jobs": Look(backend.store.counts, 0.0),
            "notes": Look(lambda: backend.notes.list("upload", limit=1), 0.0),
            "objects": Look(lambda: next(backend.objects.read(READY, 0, 1), None), 0.0),
        }

    def api(self) -> APIRouter:
        """Of the API's own port."""
        router = APIRouter(redirect_slashes=False)
        for path in ("/api", "/api/"):
            get(router, path, self.checkout, response_model=None, include_in_schema=False)
        get(router, "/api/health", self.checkout, response_model=None, **described.CHECKOUT)
        get(router, "/health", self.whole, response_model=None, **described.HEALTH)
        get(router, "/ready", self.ready, response_model=None, **described.READY)
        return router

    def runner(self) -> APIRouter:
        """Of system B's runner."""
        router = APIRouter(redirect_slashes=False)
        router.add_api_route("/health", self.plain, methods=BOTH, response_model=None)
        return router

    def inference(self) -> APIRouter:
        """Of system B's inference."""
        router = APIRouter(redirect_slashes=False)
        for path in ("/health", "/data", "/api/data"):
            router.add_api_route(path, self.detector, methods=BOTH, response_model=None)
        return router

    async def checkout(self, request: Request) -> Response:
        """`{"status":"ok","service":"api_checkout"}`."""
        missing = await self._missing()
        return answer(
            {"status": "unavailable" if missing else "ok", "service": "api_checkout"}, _status(missing)
        )

    async def whole(self, request: Request) -> Response:
        """Our own: while work that waits goes on; else which stage stands still, and for how long."""
        vitals = await self._pool.call(self._backend.vitals)
        more = _more(vitals)
        if vitals.moving:
            return answer({"status": "ok", **more})
        still = {"stage": vitals.stage, "still_s": round(vitals.still_s)}
        return answer({"status": "stalled", **still, **more}, 503)

    async def plain(self, request: Request) -> Response:
        """`{"status":"ok"}`, while work that waits goes on."""
        moving = await self._pool.call(self._backend.moving)
        return answer({"status": "ok" if moving else "stalled"}, 200 if moving else 503)

    async def detector(self, request: Request) -> Response:
        """`{"status":"ok","service":"inference"}`."""
        moving = await self._pool.call(self._backend.moving)
        return answer(
            {"status": "ok" if moving else "stalled", "service": "inference"}, 200 if moving else 503
        )

    async def ready(self, request: Request) -> Response:
        """Whether requests can be served, and if not, what is missing."""
        missing = await self._missing()
        more = _more(await self._pool.call(self._backend.vitals))
        if missing:
            return answer({"status": "unavailable", "missing": missing, **more}, 503, {"Retry-After": "5"})
        return answer({"status": "ready", **more})

    async def _missing(self) -> list[str]:
        missing = [] if await self._pool.call(self._backend.moving) else ["worker"]
        found = await asyncio.gather(*(_is_there(look) for look in self._looks.values()))
        return missing + [name for name, there in zip(self._looks, found, strict=True) if not there]


async def _is_there(look: Look[object]) -> bool:
    """Whether a store answers in time."""
    try:
        await look.now(PATIENCE_S)
    except NotFound:
        return True
    except SightlineError:
        return False
    return True


def _more(vitals: Vitals) -> dict[str, object]:
    """What confines uploads, and which services the work waits for, if any."""
    awaits = {"awaits": [*vitals.awaits]} if vitals.awaits else {}
    return {"confinement": vitals.confinement, **awaits}


def _status(missing: list[str]) -> int:
    return 503 if missing else 200
