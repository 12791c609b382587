"""The routes of system B: paths, keys, their order and texts as its documents have them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import msgspec
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from sightline.api import described
from sightline.api.access import ANYBODY, caller_of
from sightline.api.backend import Backend
from sightline.api.documented import get
from sightline.api.intake import Intake
from sightline.api.jobs import Found
from sightline.api.operations import PAGE, Operations
from sightline.api.paths import ANYTHING
from sightline.api.pool import Pool
from sightline.api.problems import Problem, invalid
from sightline.api.settings import ApiSettings
from sightline.api.stored import Stored, is_known
from sightline.api.texts import code_of, language_of, text_of
from sightline.api.uploads import Uploads
from sightline.api.wanted import UPLOAD_VIDEO, bucket_errors
from sightline.errors import Corrupt, Misconfigured, NotFound, Unavailable
from sightline.jobs import requests
from sightline.jobs.requests import BUCKET, detection_key
from sightline.jobs.upgrades import latest
from sightline.ports import Job

__all__ = ["SystemB", "answer"]

MOST = 1000
FRAMES = "frames"  # system B's bucket for frames; nothing is written there, its clients read its name
BOTH = ["GET", "HEAD"]


def answer(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON answer."""
    return Response(msgspec.json.encode(value), status, headers, "application/json")


class SystemB:
    """See the module.

    Args:
        backend, settings: see there.
        pool: for calls of ports.
        intake: makes jobs.
    """

    def __init__(self, backend: Backend, settings: ApiSettings, pool: Pool, intake: Intake) -> None:
        self._backend, self._settings, self._pool = backend, settings, pool
        self._uploads = Uploads(backend, settings, pool, intake)
        self._stored = Stored(backend.objects, pool)
        self._found = Found(backend, pool)
        self._operations = Operations(backend, pool)

    def router(self) -> APIRouter:
        """Every route; those that only the diagrams of system B write are not documented again."""
        router = APIRouter(redirect_slashes=False)
        change: list[tuple[str, Any, str, described.Operation]] = [
            ("/upload_video", self.upload, "POST", described.UPLOAD),
            ("/request", self.request, "POST", described.REQUEST),
            ("/cleanup/all", self.cleanup, "DELETE", described.CLEANUP),
        ]
        look: list[tuple[str, Any, described.Operation]] = [
            ("/status/all", self.status, described.STATUS),
            (f"/result_video/{{event_id:{ANYTHING}}}", self.result, described.RESULT),
        ]
        for path, endpoint, method, said in change:
            router.add_api_route(f"/api{path}", endpoint, methods=[method], response_model=None, **said)
            router.add_api_route(
                path, endpoint, methods=[method], response_model=None, include_in_schema=False
            )
        for path, endpoint, said in look:
            get(router, f"/api{path}", endpoint, response_model=None, **said)
            get(router, path, endpoint, response_model=None, include_in_schema=False)
        get(
            router,
            "/jobs/{event_id}/result.json",
            self.download,
            response_model=None,
            include_in_schema=False,
        )
        return router

    async def upload(self, request: Request) -> Response:
        """`POST /api/upload_video`."""
        job = await self._uploads.upload(request, UPLOAD_VIDEO)
        return answer({"status": "ok", "event_id": job.job_id})

    async def request(self, request: Request) -> Response:
        """`POST /api/request`."""
        job = await self._uploads.request(request)
        return answer({"status": "ok", "event_id": job.job_id})

    # --- status

    async def status(self, request: Request) -> Response:
        """`GET /api/status/all`: all jobs, newest first, or a page of them."""
        language = _language(request)
        if {"limit", "cursor"} & {*request.query_params}:
            return await self._status_page(request, language)
        return await self._operations.whole(caller_of(request), language)

    async def _status_page(self, request: Request, language: str) -> Response:
        caller = caller_of(request)
        page = await self._operations.page(caller, request.query_params.get("cursor", ""), _limit(request))
        counts = await self._pool.call(self._backend.store.counts, caller.owner)
        body = {
            "operations": await self._pool.call(self._operations.operations, page.jobs, language),
            "total": sum(counts.by_state.values()),
            "next": page.cursor,
        }
        return answer(body, headers={"Vary": "Accept-Language"})

    # --- results

    async def result(self, request: Request, event_id: str) -> Response:
        """`GET /api/result_video/{event_id}`; of a job that an upgrade has ended, where its successor is."""
        job = await self._found.look(caller_of(request), event_id)
        if job is None:
            return unknown()
        job = await self._pool.call(latest, self._backend.store, job)
        headers = {"Vary": "Accept-Language"}
        if job.state != "ready":
            return answer(_not_ready(job, event_id, _language(request)), headers=headers)
        headers["ETag"] = etag = f'"{job.result.get("sha256", job.job_id)}"'
        if is_known(request.headers.get("if-none-match", ""), etag):
            return Response(status_code=304, headers=headers)
        head = b'{"status":"ready","event_id":"%s","prediction":' % event_id.encode()
        if request.method == "HEAD":
            return Response(headers=headers, media_type="application/json")
        try:
            body = await self._stored.body(_detection(job), head=head, tail=b"}")
        except NotFound:
            return await self._gone(request, event_id)
        return StreamingResponse(body, headers=headers, media_type="application/json")

    async def download(self, request: Request, event_id: str) -> Response:
        """The stored array itself, as a file."""
        job = await self._found.look(caller_of(request), event_id)
        if job is None:
            return unknown()
        job = await self._pool.call(latest, self._backend.store, job)
        if job.state != "ready":
            return unknown()
        try:
            return await self._stored.serve(
                request, _detection(job), "application/json", f"{job.job_id}.json"
            )
        except NotFound:
            return await self._gone(request, event_id)

    async def _gone(self, request: Request, event_id: str) -> Response:
        """An object that is not there: its job was removed meanwhile, or something is broken."""
        if await self._found.look(caller_of(request), event_id) is None:
            return unknown()
        raise Unavailable(f"job {event_id} is ready, its result is not there", code="result_missing")

    # --- cleanup

    async def cleanup(self, request: Request) -> Response:
        """`DELETE /api/cleanup/all`: stops and removes all jobs, or those of one bucket."""
        if caller_of(request).scope != "admin":
            raise Problem(403, "forbidden", "Removing everything needs a token with the scope admin.")
        bucket = request.query_params.get("bucket")
        if bucket is not None and (errors := bucket_errors(bucket, self._settings)):
            raise invalid(*errors)
        jobs = predictions = objects = 0
        failed: list[str] = []
        async for job in self._all(bucket):
            try:
                purged = await self._pool.call(self._backend.cancel_and_purge, job.job_id)
            except (Corrupt, Misconfigured) as error:  # one broken job does not keep the others
                failed.append(f"{job.job_id}: {error.code}")
                continue
            jobs, objects = jobs + purged.jobs, objects + purged.objects
            predictions += purged.jobs if job.facts else 0
        results = {
            "mongodb": {"outbox_deleted": jobs, "runner_predictions_deleted": predictions},
            "minio": {
                "objects_deleted": objects,
                "buckets_cleaned": [bucket or BUCKET, FRAMES],
                "errors": failed,
            },
        }
        return answer({"status": "ok", "message": "Cleanup completed", "results": results})

    async def _all(self, bucket: str | None) -> AsyncIterator[Job]:
        cursor = ""
        while True:
            page = await self._operations.page(ANYBODY, cursor, PAGE)
            for job in page.jobs:
                if bucket is None or _bucket(job) == bucket:
                    yield job
            cursor = page.cursor
            if not cursor:
                return


def unknown() -> Response:
    """What system B says of an id that it does not know, whatever its shape."""
    return answer({"detail": "Event not found."}, 404)


def _language(request: Request) -> str:
    return language_of(request.headers.get("accept-language", ""))


def _limit(request: Request) -> int:
    text = request.query_params.get("limit", str(PAGE))
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0
    if not 1 <= number <= MOST:
        raise invalid(("limit", f"it is a number from 1 to {MOST}"))
    return number


def _not_ready(job: Job, event_id: str, language: str) -> dict[str, Any]:
    body: dict[str, Any] = {
        "status": code_of(job.state),
        "event_id": event_id,
        "message": text_of(job.state, language),
        "ready": False,
    }
    if job.state in ("failed", "cancelled"):
        body["code"] = job.code or job.state
    return body


def _bucket(job: Job) -> str:
    try:
        return requests.decode(job.request).bucket
    except (Corrupt, Misconfigured):
        return BUCKET


def _detection(job: Job) -> str:
    return detection_key(_bucket(job), job.job_id)
