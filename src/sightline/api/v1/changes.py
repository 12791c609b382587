"""What changes jobs: create, rename, cancel, run again, remove."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Header
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from sightline.api.access import caller_of
from sightline.api.body import media_type_of, read_all
from sightline.api.documented import problems
from sightline.api.problems import Problem, invalid, invalid_of
from sightline.api.stored import is_known
from sightline.api.uploads import Uploads
from sightline.api.v1.edge import Edge
from sightline.api.v1.models import CancelBody, JobBody, JobRequest, ObjectSource, PatchBody, PathSource
from sightline.api.v1.views import Views, etag_of
from sightline.api.wanted import CLOCK, JOBS, clean_name, clock_of, is_id, wanted
from sightline.errors import NotFound
from sightline.jobs.again import joined, parted
from sightline.jobs.edits import Edits, edit, edited
from sightline.jobs.purge import removed_of
from sightline.jobs.requests import FILES
from sightline.ports import TERMINAL, Job, JobState

__all__ = ["AGAIN", "KEY", "answer", "router", "unknown"]

KEY = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        description="A request that is repeated with the same key makes no second job.",
    ),
]
IF_MATCH = Annotated[str | None, Header(alias="If-Match", description="The ETag of the job that is meant.")]
REFERENCE = replace(JOBS, fields=(*JOBS.fields, "bucket"), raw=False)
FIELDS: dict[str, Any] = {
    "pipeline": {"type": "string", "description": "`traffic` where it is left out."},
    "name": {"type": "string", "description": "Of the job; the file's where it is left out."},
    "clock_start": {
        "type": "string",
        "format": "date-time",
        "description": "Time of frame 0 on the clock, RFC 3339.",
    },
    "media_type": {"enum": ["video", "image"], "description": "`video` where it is left out."},
}
BINARY = {"type": "string", "format": "binary"}
BODIES: dict[str, Any] = {
    "parameters": [
        {"name": name, "in": "query", "schema": schema, "description": "As in the form."}
        for name, schema in FIELDS.items()
    ],
    "requestBody": {
        "required": True,
        "description": "A form with the file, the file as it is, or JSON that names an object which is stored or a path of the server's own.",
        "content": {
            "multipart/form-data": {
                "schema": {"type": "object", "required": ["file"], "properties": {"file": BINARY, **FIELDS}}
            },
            "application/octet-stream": {"schema": BINARY},
            "video/mp4": {"schema": BINARY},
            "application/json": {"schema": {"$ref": "#/components/schemas/JobRequest"}},
        },
    },
}


WHERE = {"Location": {"schema": {"type": "string"}, "description": "Of the job."}}
MADE: dict[int | str, dict[str, Any]] = {202: {"description": "It became a job.", "headers": WHERE}}
AGAIN: dict[int | str, dict[str, Any]] = {201: {"description": "The new job.", "headers": WHERE}}


def router(edge: Edge) -> APIRouter:
    """Routes that change jobs."""
    made = edge.router("jobs")
    changes = _Changes(edge)
    made.add_api_route(
        "/jobs",
        changes.create,
        methods=["POST"],
        status_code=202,
        operation_id="create_job",
        summary="Make a job of a video",
        response_model=JobBody,
        responses=MADE | problems(404, 408, 409, 413, 415, 422, 429, 507),
        openapi_extra=BODIES,
    )
    made.add_api_route(
        "/jobs/{job_id}",
        changes.patch,
        methods=["PATCH"],
        operation_id="patch_job",
        summary="Rename a job, or set its clock",
        response_model=JobBody,
        responses=problems(404, 408, 409, 412, 413, 422),
    )
    made.add_api_route(
        "/jobs/{job_id}/cancel",
        changes.cancel,
        methods=["POST"],
        status_code=202,
        operation_id="cancel_job",
        summary="Cancel a job",
        response_model=CancelBody,
        responses=problems(404, 422),
    )
    made.add_api_route(
        "/jobs/{job_id}/retry",
        changes.retry,
        methods=["POST"],
        status_code=201,
        operation_id="retry_job",
        summary="Run a job again",
        response_model=JobBody,
        responses=AGAIN | problems(404, 409, 415, 422, 507),
    )
    made.add_api_route(
        "/jobs/{job_id}",
        changes.remove,
        methods=["DELETE"],
        status_code=204,
        response_class=Response,
        operation_id="remove_job",
        summary="Remove a job",
        responses=problems(404, 409, 422),
    )
    return made


class _Changes:
    def __init__(self, edge: Edge) -> None:
        self._edge, self._views = edge, Views(edge.backend)
        self._uploads = Uploads(edge.backend, edge.settings, edge.pool, edge.intake)

    async def create(self, request: Request, idempotency_key: KEY = None) -> Response:
        """A job of a video, or with `media_type=image` of a JPEG or PNG. Its source was looked into: it has frames.

        An answer means that it is on the disk and will end, whatever dies meanwhile. `Location` is where it is.
        """
        if media_type_of(request) == "application/json":
            job = await self._refer(request)
        else:
            job = await self._uploads.upload(request, JOBS)
        return await self._answer(job, 202)

    async def patch(
        self, request: Request, job_id: str, body: PatchBody, if_match: IF_MATCH = None
    ) -> Response:
        """What was published stays as it is; what is counted or exported later follows. `clock_start` null is none."""
        job = await self._edge.found.job(caller_of(request), job_id)
        await self._edge.pool.call(self._edit, job, _edits(body), if_match)
        await self._edge.found.kept(job_id)
        return await self._answer(job, 200)

    async def cancel(self, request: Request, job_id: str) -> Response:
        """Whoever is first wins: a job that had ended before stays as it is, and the answer says so. Repeating is harmless."""
        job = await self._edge.found.job(caller_of(request), job_id)
        state = await self._edge.pool.call(self._cancelled, job)
        body = CancelBody(job_id=job_id, state=state, cancelled=state == "cancelled")
        return Response(body.model_dump_json(), 202, media_type="application/json")

    async def retry(self, request: Request, job_id: str, idempotency_key: KEY = None) -> Response:
        """A new job of the same source, pipeline, name and clock; both results stay. The source goes with the last of them."""
        caller = caller_of(request)
        job = await self._edge.found.job(caller, job_id)
        if job.state not in TERMINAL:
            raise Problem(409, "not_ended", "The job has not ended yet; cancel it first, or wait.")
        intake, backend = self._edge.intake, self._edge.backend
        async with intake.once(idempotency_key, f"retry {job_id}", caller.name) as turn:
            if isinstance(turn, Job):
                return await self._answer(turn, 201)
            child_id = turn.job_id
            try:
                asked = await self._edge.pool.call(joined, job, child_id, backend.store, backend.notes)
            except NotFound:
                raise unknown() from None
            now = await self._edge.pool.call(edited, backend.notes, job)
            try:
                child, _ = await intake.accept(
                    turn,
                    asked,
                    job.owner,
                    name=now.video_id,
                    parent_id=job_id,
                    clock_start=now.clock_start,
                )
            except BaseException:
                await self._edge.pool.call(parted, asked, child_id, backend.store, backend.notes)
                raise
        return await self._answer(child, 201)

    async def remove(self, request: Request, job_id: str) -> Response:
        """Cancels it where it runs, and deletes all that was written for it. Repeated it says the same for ten minutes."""
        caller = caller_of(request)
        if await self._edge.found.look(caller, job_id) is None:
            owner = None
            if is_id(job_id):
                owner = await self._edge.pool.call(removed_of, self._edge.backend.notes, job_id)
            if owner is None or caller.owner not in (None, owner):
                raise unknown()
        await self._edge.pool.call(self._edge.backend.cancel_and_purge, job_id)
        return Response(status_code=204)

    # --- what they do, off the loop

    async def _answer(self, job: Job, status: int) -> Response:
        return await answer(self._edge, self._views, job, status)

    async def _refer(self, request: Request) -> Job:
        try:
            asked = JobRequest.model_validate_json(await read_all(request, self._edge.settings))
        except ValidationError as error:
            raise invalid_of(
                [{**each, "loc": ("body", *each["loc"])} for each in error.errors()[:20]]
            ) from None
        fields = {"pipeline": asked.pipeline, "media_type": asked.media_type}
        fields |= {"bucket": asked.source.bucket} if isinstance(asked.source, ObjectSource) else {}
        fields |= {} if asked.name is None else {"name": asked.name}
        fields |= {} if asked.clock_start is None else {"clock_start": asked.clock_start}
        said = wanted(fields, request.query_params, self._edge.settings, REFERENCE)
        if isinstance(asked.source, PathSource):
            return await self._uploads.below(request, JOBS, said, FILES, asked.source.path)
        return await self._uploads.refer(request, JOBS, said, asked.source.object)

    def _edit(self, job: Job, edits: Edits, if_match: str | None) -> None:
        def check() -> None:
            if if_match is None:
                return
            etag = etag_of(self._views.whole(job).model_dump_json().encode())
            if not is_known(if_match, etag):
                raise Problem(412, "changed", "The job is not as it was when you looked; look again.")

        backend = self._edge.backend
        edit(backend.notes, job.job_id, edits, check)

    def _cancelled(self, job: Job) -> JobState:
        store = self._edge.backend.store
        try:
            store.advance(job.job_id, "cancelled", reason="it was cancelled")
            return store.get(job.job_id).state
        except NotFound:
            raise unknown() from None


async def answer(edge: Edge, views: Views, job: Job, status: int) -> Response:
    """A job as it is now; where it is, unless the status is 200."""
    body = (await edge.pool.call(views.whole, job)).model_dump_json().encode()
    headers = {"Location": f"/api/v1/jobs/{job.job_id}", "ETag": etag_of(body)}
    if status == 200:
        del headers["Location"]
    return Response(body, status, headers, "application/json")


def unknown() -> Problem:
    """No job of that id; see `Found`."""
    return Problem(404, "not_found", "There is no job of this id.")


def _edits(body: PatchBody) -> Edits:
    """What is to be changed.

    Raises:
        Problem: 422: it is no name or no time.
    """
    errors, changes = [], {}
    if "name" in body.model_fields_set:
        changes["name"] = clean_name(body.name or "")
        errors += [] if changes["name"] else [("body.name", "it is empty")]
    if "clock_start" in body.model_fields_set:
        clock = clock_of(body.clock_start)
        changes["clock_start"] = clock or ""
        errors += [] if clock or body.clock_start is None else [("body.clock_start", CLOCK)]
    if errors:
        raise invalid(*errors)
    return Edits(**changes)
