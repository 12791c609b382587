"""The routes of system A's generator: paths, keys and texts as its documents and its source have them."""

from __future__ import annotations

import re
import sys
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from sightline.api.access import caller_of
from sightline.api.backend import Backend
from sightline.api.intake import Intake
from sightline.api.paths import ANYTHING
from sightline.api.pool import Pool
from sightline.api.settings import ApiSettings
from sightline.api.system_b import BOTH, answer
from sightline.api.wanted import conflict_of_key
from sightline.errors import Rejected
from sightline.jobs import requests
from sightline.jobs.requests import DATASET, Folder, Located, SourceRef, index_key
from sightline.ports import Job

__all__ = ["SystemA"]

PIPELINE = "visdrone"
EXPECTED = ["annotations", "sequences"]
SAMPLE = 5  # names of sequences that are shown
NO_ROOT = "DATASET_ROOT_DIR environment variable is not set."
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,254}")


class SystemA:
    """See the module.

    Args:
        backend, settings: see there.
        pool: for calls of ports.
        intake: makes jobs.
    """

    def __init__(self, backend: Backend, settings: ApiSettings, pool: Pool, intake: Intake) -> None:
        self._backend, self._settings, self._pool, self._intake = backend, settings, pool, intake
        self._alive = Pool(2)  # its own threads: it answers while others wait for a slow store

    def router(self) -> APIRouter:
        """Every route."""
        router = APIRouter(redirect_slashes=False)
        routes: list[tuple[str, Any, list[str]]] = [
            ("/", self.running, BOTH),
            ("/status", self.status, BOTH),
            ("/data_status", self.data_status, BOTH),
            (f"/start/{{name:{ANYTHING}}}", self.start, ["POST"]),
        ]
        for path, endpoint, methods in routes:
            router.add_api_route(path, endpoint, methods=methods, response_model=None)
        return router

    async def running(self, request: Request) -> Response:
        """`GET /`: a sentence, while work that waits goes on."""
        name = self._settings.service_name
        if await self._alive.call(self._backend.moving):
            return PlainTextResponse(f"{name} is running!")
        return PlainTextResponse(
            f"{name} makes no progress.", 503, {"Retry-After": str(self._settings.retry_s)}
        )

    async def status(self, request: Request) -> Response:
        """`GET /status`."""
        folder = await self._pool.call(self._backend.roots.look, DATASET)
        return answer(
            {
                "service_name": self._settings.service_name,
                "python_version": sys.version,
                "kafka_broker_env": self._settings.kafka_broker,
                "dataset_path_configured": folder is not None,
                "dataset_path_exists": folder is not None and folder.exists,
            }
        )

    async def data_status(self, request: Request) -> Response:
        """`GET /data_status`."""
        folder = await self._pool.call(self._backend.roots.look, DATASET)
        if folder is None:
            nothing = {"dataset_path": None, "path_exists": False, "contents": None}
            return answer({"error": NO_ROOT, **nothing, "expected_subdirs_found": False}, 400)
        return answer(_described(folder))

    # --- start

    async def start(self, request: Request, name: str) -> Response:
        """`POST /start/{name}`: a job of the pipeline `visdrone`, answered as soon as it is durable."""
        if not _NAME.fullmatch(name):
            return _no_source(name)
        key, owner = request.headers.get("idempotency-key"), caller_of(request).name
        async with self._intake.once(key, "start", owner) as turn:
            if isinstance(turn, Job):
                return _same(turn, name)
            try:
                located = await self._pool.call(self._backend.roots.sequence, name)
                asked = _request(turn.job_id, name, located)
                job, _ = await self._intake.accept(turn, asked, owner)
            except Rejected:  # whatever it is, it is no folder and no video for this system
                return _no_source(name)
        return _sent(job)


def _request(job_id: str, name: str, located: Located) -> requests.Request:
    source = SourceRef(
        kind=located.kind, name=name, key=located.key, index_key=index_key(job_id), root=located.root
    )
    return requests.Request(pipeline=PIPELINE, source=source)


def _same(job: Job, name: str) -> Response:
    """The first answer again, if this is the request that it was given for."""
    was = requests.decode(job.request)
    if (was.pipeline, was.source.root, was.source.name) != (PIPELINE, DATASET, name):
        raise conflict_of_key()
    return _sent(job)


def _sent(job: Job) -> Response:
    """No frame of an accepted job can be lost, so all of them are sent."""
    request = requests.decode(job.request)
    frames = request.found.frames if request.found else 0
    status = f"Sent {frames} frames from {request.source.name}."
    return answer({"status": status, "event_id": job.job_id, "video_id": job.video_id, "frames": frames})


def _no_source(name: str) -> Response:
    text = name.encode(errors="replace").decode()
    return answer({"error": f"{text} is not a valid folder or video file."}, 400)


def _described(folder: Folder) -> dict[str, Any]:
    found: dict[str, Any] = {"dataset_path": folder.path, "path_exists": folder.exists}
    if folder.names is None:
        nothing = {"expected_subdirs_found": False, "all_expected_subdirs_found": False}
        return {**found, "contents": None, "is_directory": False, **nothing}
    there = [name for name in EXPECTED if name in folder.parts]
    found |= {
        "is_directory": True,
        "contents": folder.names,
        "expected_subdirs_checked": EXPECTED,
        "expected_subdirs_found": there,
        "all_expected_subdirs_found": there == EXPECTED,
        "sequences_subdir_exists": "sequences" in there,
    }
    if "sequences" in there:
        found["sequences_subdir_contents_count"] = len(folder.sequences)
        found["sequences_subdir_contents_sample"] = folder.sequences[:SAMPLE]
    return found
