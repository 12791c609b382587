"""`/metrics`: what this process and the others of the service have counted, for Prometheus."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping

from fastapi import APIRouter
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response

from sightline.api.backend import Backend
from sightline.api.look import WATCHER_S, Look
from sightline.api.pool import Pool
from sightline.api.reports import Reports, report_of
from sightline.errors import SightlineError
from sightline.ports import STATES, JobState

__all__ = ["Metrics"]

log = logging.getLogger("sightline.api")


class Metrics:
    """See the module.

    Args:
        backend: see there.
        pool: for calls of ports.

    Attributes:
        http: what is counted of requests, in a registry of its own: the library's has whatever anybody registers.
    """

    def __init__(self, backend: Backend, pool: Pool) -> None:
        self._backend, self._pool = backend, pool
        self._counts = Look(lambda: backend.store.counts().by_state, 0.0)
        self.http = CollectorRegistry()
        self._reports = Reports()
        self._registry = CollectorRegistry()
        self._jobs = _Jobs()
        ProcessCollector(registry=self._registry)
        for each in (self._jobs, self._reports):
            self._registry.register(each)

    def router(self) -> APIRouter:
        """Its one route."""
        router = APIRouter(redirect_slashes=False)
        router.add_api_route(
            "/metrics", self.show, methods=["GET", "HEAD"], response_model=None, include_in_schema=False
        )
        return router

    async def show(self, request: Request) -> Response:
        """`GET /metrics`."""
        try:
            counts: Mapping[JobState, int] | None = await self._counts.now(WATCHER_S)
        except SightlineError as error:
            log.warning("metrics without jobs: %s", error.code)
            counts = None
        text = await self._pool.call(self._told, counts)
        return Response(text, headers={"Content-Type": CONTENT_TYPE_LATEST})

    def _told(self, counts: Mapping[JobState, int] | None) -> bytes:
        self._jobs.counts = counts
        reports = {"http": report_of("", self.http), **self._backend.reports()}
        for role, report in reports.items():
            self._reports.put(role, report)
        return generate_latest(self._registry)


class _Jobs(Collector):
    """How many jobs there are by state, those without any too; nothing where the store did not say."""

    counts: Mapping[JobState, int] | None = None

    def describe(self) -> list[Metric]:
        """Nothing is asked before it is wanted."""
        return []

    def collect(self) -> Iterator[Metric]:
        """The one gauge."""
        if self.counts is not None:
            made = GaugeMetricFamily("sightline_jobs", "Jobs by where they stand.", labels=["state"])
            for state in STATES:
                made.add_metric([state], self.counts.get(state, 0))
            yield made
