"""Uploads that go on where they were cut: tus 1.0 (https://tus.io/protocols/resumable-upload)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import wraps
from typing import Any, TypeVar

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from sightline.api.access import caller_of
from sightline.api.body import Gone, chunks_of, content_length, media_type_of
from sightline.api.documented import problems
from sightline.api.form import too_large, unsupported
from sightline.api.magic import HEAD, kind_of
from sightline.api.partial import KEPT_US, Kept, Partials, sweep
from sightline.api.problems import Problem, invalid
from sightline.api.sink import StoreSink
from sightline.api.v1.edge import Edge
from sightline.api.wanted import JOBS, Wanted, clean_name, is_id, wanted
from sightline.errors import NotFound, Rejected
from sightline.jobs import requests
from sightline.jobs.requests import BUCKET, SourceRef, index_key, input_key
from sightline.ports import Job

__all__ = ["metadata_of", "number_of", "router"]

VERSION = "1.0.0"
RESUMABLE = {"Tus-Resumable": VERSION, "Cache-Control": "no-store"}
ALGORITHMS = {"sha1": hashlib.sha1, "sha256": hashlib.sha256}
CAN = {
    "Tus-Version": VERSION,
    "Tus-Extension": "creation,creation-with-upload,termination,checksum,expiration",
    "Tus-Checksum-Algorithm": ",".join(ALGORITHMS),
}
BYTES = "application/offset+octet-stream"
PART = 32 * 2**20  # bytes that a kill costs at most
KNOWN = frozenset({"media_type", "pipeline", "name", "clock_start"})
METADATA = 8192
MOST_PARTS = 20_000
SWEEP_US = 3600 * 1_000_000
UPLOADS = "/api/v1/uploads"


def _header(name: str, schema: dict[str, Any], description: str, required: bool = False) -> dict[str, Any]:
    return {"name": name, "in": "header", "schema": schema, "description": description, "required": required}


TEXT, NUMBER = {"type": "string"}, {"type": "integer", "minimum": 0}
SAID = _header("Tus-Resumable", {"const": VERSION}, "Version of the protocol.", True)
LENGTH = _header("Upload-Length", NUMBER, "Bytes of the file.", True)
ABOUT = _header(
    "Upload-Metadata",
    TEXT,
    "Keys with base64 values, by commas: `filename`, `pipeline`, `name`, `clock_start`, `media_type`; others are ignored.",
)
OFFSET = _header("Upload-Offset", NUMBER, "Where the body begins.", True)
CHECKSUM = _header("Upload-Checksum", TEXT, "Algorithm and base64 digest of the body.")
BODY = {BYTES: {"schema": {"type": "string", "format": "binary"}}}
THERE = {
    name: {"schema": schema, "description": said}
    for name, schema, said in (
        ("Upload-Offset", NUMBER, "Bytes that are there."),
        ("Upload-Length", NUMBER, "Bytes of the file."),
        ("Upload-Expires", TEXT, "When it is forgotten if nothing comes."),
    )
}
WHERE = {
    "Location": {"schema": TEXT, "description": "Of the upload; in the answer to the last byte of the job."}
}


def router(edge: Edge) -> APIRouter:
    """Routes of uploads."""
    made = edge.router("uploads")
    tus = _Tus(edge)
    made.add_api_route("/uploads", tus.options, methods=["OPTIONS"], include_in_schema=False)
    made.add_api_route(
        "/uploads",
        tus.create,
        methods=["POST"],
        status_code=201,
        response_class=Response,
        operation_id="create_upload",
        summary="Begin an upload that can go on",
        responses={
            201: {"description": "Send its bytes to `Location`.", "headers": WHERE},
            **problems(408, 409, 412, 413, 415, 422, 429, 460, 507),
        },
        openapi_extra={
            "parameters": [SAID, LENGTH, ABOUT],
            "requestBody": {"required": False, "content": BODY},
        },
    )
    made.add_api_route(
        "/uploads/{upload_id}",
        tus.head,
        methods=["HEAD"],
        response_class=Response,
        operation_id="head_upload",
        summary="How much of an upload is there",
        responses={
            200: {"description": "Go on at `Upload-Offset`.", "headers": THERE, "content": {}},
            **problems(404, 409, 412, 415, 422, 507),
        },
        openapi_extra={"parameters": [SAID]},
    )
    made.add_api_route(
        "/uploads/{upload_id}",
        tus.patch,
        methods=["PATCH"],
        status_code=204,
        response_class=Response,
        operation_id="patch_upload",
        summary="Go on with an upload",
        responses={
            204: {"description": "They are on the disk.", "headers": THERE | WHERE},
            **problems(404, 408, 409, 412, 413, 415, 422, 429, 460, 507),
        },
        openapi_extra={
            "parameters": [SAID, OFFSET, CHECKSUM],
            "requestBody": {"required": True, "content": BODY},
        },
    )
    made.add_api_route(
        "/uploads/{upload_id}",
        tus.delete,
        methods=["DELETE"],
        status_code=204,
        response_class=Response,
        operation_id="delete_upload",
        summary="Give an upload up",
        responses=problems(404, 409, 412, 422),
        openapi_extra={"parameters": [SAID]},
    )
    return made


Endpoint = TypeVar("Endpoint", bound=Callable[..., Awaitable[Response]])


def resumable(endpoint: Endpoint) -> Endpoint:
    """Requests of another version are refused; every answer says ours."""

    @wraps(endpoint)
    async def asked(self: Any, request: Request, *args: Any, **given: Any) -> Response:
        try:
            if request.headers.get("tus-resumable") != VERSION:
                raise Problem(412, "tus_version", f"Tus-Resumable is to be {VERSION}.", headers=CAN)
            answer = await endpoint(self, request, *args, **given)
        except Problem as problem:
            problem.headers.update(RESUMABLE)
            raise
        answer.headers.update(RESUMABLE)
        return answer

    return asked  # type: ignore[return-value]


class _Tus:
    def __init__(self, edge: Edge) -> None:
        self._edge, self._partials = edge, Partials(edge.backend)
        self._writing: set[str] = set()
        self._swept_us = 0

    async def options(self) -> Response:
        """What of the protocol is known here."""
        most = {"Tus-Max-Size": str(self._edge.settings.max_bytes)}
        return Response(status_code=204, headers={**RESUMABLE, **CAN, **most})

    @resumable
    async def create(self, request: Request) -> Response:
        """Its bytes come in later requests, or in this one as well. A day after the last one it is forgotten."""
        settings = self._edge.settings
        length = number_of(request.headers.get("upload-length", ""), "Upload-Length")
        metadata = request.headers.get("upload-metadata", "")
        if length > settings.max_bytes:
            raise too_large(settings)
        if length == 0:
            raise invalid(("Upload-Length", "the file is empty"))
        self._asked(metadata)
        checksum, with_bytes = self._checksum(request), media_type_of(request) == BYTES
        await self._sweep()
        upload_id, owner = self._edge.backend.new_id(), caller_of(request).name
        await self._edge.intake.see_room(owner, upload_id, length)
        kept = await self._edge.pool.call(self._partials.create, upload_id, length, owner, metadata)
        if with_bytes:
            with self._alone(upload_id):
                kept, _ = await self._add(request, kept, checksum)
        return Response(
            status_code=201, headers={"Location": f"{UPLOADS}/{upload_id}", **self._headers(kept)}
        )

    @resumable
    async def head(self, request: Request, upload_id: str) -> Response:
        """Of one that is whole, and of which a job could not be made when the last byte came, a job is made now."""
        found = await self._find(request, upload_id)
        if isinstance(found, Kept) and found.complete:
            with self._alone(upload_id):
                async with self._edge.intake.slot(found.note.owner, upload_id, found.note.length):
                    found = await self._finish(found)
        if isinstance(found, Kept):
            return Response(headers={"Upload-Metadata": found.note.metadata, **self._headers(found)})
        size = str(requests.decode(found.request).source.bytes)
        return Response(headers={"Upload-Offset": size, "Upload-Length": size, **_job_at(found)})

    @resumable
    async def patch(self, request: Request, upload_id: str) -> Response:
        """An answer means that they are on the disk; after the last one `Location` is the job. What came of a body that was cut
        is kept, unless it has a checksum.
        """
        if media_type_of(request) != BYTES:
            raise Problem(415, "content_type", f"The body is to be {BYTES}.")
        offset = number_of(request.headers.get("upload-offset", ""), "Upload-Offset")
        checksum = self._checksum(request)
        await self._find(request, upload_id)
        with self._alone(upload_id):
            kept = await self._find(request, upload_id)
            if isinstance(kept, Job) or kept.note.offset != offset:
                raise Problem(409, "offset", "The upload is not there: ask with HEAD where it goes on.")
            kept, job = await self._add(request, kept, checksum)
        headers = self._headers(kept) | ({} if job is None else _job_at(job))
        return Response(status_code=204, headers=headers)

    @resumable
    async def delete(self, request: Request, upload_id: str) -> Response:
        """Nothing of it stays. One that is whole has become a job: remove that."""
        kept = await self._find(request, upload_id)
        if isinstance(kept, Job):
            raise unknown()
        with self._alone(upload_id):
            kept = await self._find(request, upload_id)
            if isinstance(kept, Kept):
                await self._edge.pool.call(self._partials.forget, kept)
        return Response(status_code=204)

    # --- what is there

    async def _find(self, request: Request, upload_id: str) -> Kept | Job:
        """An upload, or the job that it became: they have one id."""
        caller = caller_of(request)
        try:
            if not is_id(upload_id):
                raise unknown()
            kept = await self._edge.pool.call(self._partials.get, upload_id)
        except NotFound:
            job = await self._edge.found.look(caller, upload_id)
            if job is None:
                raise unknown() from None
            return job
        if caller.owner not in (None, kept.note.owner):
            raise unknown()
        return kept

    @contextmanager
    def _alone(self, upload_id: str) -> Iterator[None]:
        """While it lasts nobody else adds to an upload.

        Raises:
            Problem: 409: somebody does.
        """
        if upload_id in self._writing:
            raise Problem(409, "in_progress", "Another request is adding to this upload.")
        self._writing.add(upload_id)
        try:
            yield
        finally:
            self._writing.remove(upload_id)

    async def _sweep(self) -> None:
        """Now and then what was given up goes, when somebody begins."""
        backend, now_us = self._edge.backend, self._edge.backend.now_us()
        if now_us - self._swept_us > SWEEP_US:
            self._swept_us = now_us
            busy = frozenset(self._writing)
            await self._edge.pool.call(sweep, backend.notes, backend.objects, now_us, busy)

    def _headers(self, kept: Kept) -> dict[str, str]:
        expires = datetime.fromtimestamp((kept.note.at_us + KEPT_US) / 1e6, UTC)
        return {
            "Upload-Offset": str(kept.note.offset),
            "Upload-Length": str(kept.note.length),
            "Upload-Expires": format_datetime(expires, usegmt=True),
        }

    def _asked(self, metadata: str) -> tuple[Wanted, str]:
        """What is asked for, and the name of the file."""
        said = metadata_of(metadata)
        fields = {name: value for name, value in said.items() if name in KNOWN}
        return wanted(fields, {}, self._edge.settings, JOBS), clean_name(said.get("filename", ""))

    def _checksum(self, request: Request) -> tuple[Any, bytes] | None:
        """What hashes the body, and what is to come out.

        Raises:
            Problem: 400: nobody here knows the algorithm.
        """
        said = request.headers.get("upload-checksum")
        if said is None:
            return None
        name, _, text = said.partition(" ")
        try:
            made, digest = ALGORITHMS[name](usedforsecurity=False), base64.b64decode(text, validate=True)
        except (KeyError, binascii.Error):
            made, digest = None, b""
        if made is None or len(digest) != made.digest_size:
            known = ", ".join(ALGORITHMS)
            raise Problem(400, "checksum", f"A checksum is one of {known}, with its base64.")
        return made, digest

    # --- bytes

    async def _add(
        self, request: Request, kept: Kept, checksum: tuple[Any, bytes] | None
    ) -> tuple[Kept, Job | None]:
        """Take the body; after the last byte, make a job."""
        if kept.note.offset + (content_length(request) or 0) > kept.note.length:
            raise too_long()
        if kept.note.parts >= MOST_PARTS:
            raise Problem(413, "too_large", f"A file may come in {MOST_PARTS} pieces.")
        async with self._edge.intake.slot(kept.note.owner, kept.upload_id, kept.note.length):
            kept = await self._take(request, kept, checksum)
            return kept, await self._finish(kept) if kept.complete else None

    async def _take(self, request: Request, kept: Kept, checksum: tuple[Any, bytes] | None) -> Kept:
        sink: StoreSink | None = None
        size, backend, pool = 0, self._edge.backend, self._edge.pool
        try:
            async for chunk in chunks_of(request, self._edge.settings):
                if kept.note.offset + size + len(chunk) > kept.note.length:
                    raise too_long()
                if checksum is not None:
                    checksum[0].update(chunk)
                if sink is None:
                    key = await pool.call(self._partials.begin_part, kept)
                    sink, size = StoreSink(backend.objects, key, pool), 0
                await sink.write(chunk)
                size += len(chunk)
                if size >= PART and checksum is None:
                    kept = await pool.call(self._partials.count, kept, await sink.finish())
                    sink, size = None, 0
            if checksum is not None and not hmac.compare_digest(checksum[0].digest(), checksum[1]):
                raise Problem(460, "checksum", "The body is not what its checksum says.")
            if sink is not None:
                kept = await pool.call(self._partials.count, kept, await sink.finish())
        except BaseException as error:
            if sink is not None and checksum is None and _was_cut(error):
                await pool.call(self._partials.count, kept, await sink.finish())
            elif sink is not None:
                await sink.abort()
            raise
        return kept

    async def _finish(self, kept: Kept) -> Job:
        """A job of an upload that is whole. What is refused is forgotten; where something is away, asking again goes on."""
        edge, upload_id = self._edge, kept.upload_id
        try:
            async with edge.intake.claim(upload_id) as claim:
                job = await edge.intake.known(upload_id)
                if job is None:
                    asked, name = self._asked(kept.note.metadata)
                    kind = kind_of(await edge.pool.call(self._partials.head, kept, HEAD))
                    if kind is None or kind != asked.media_type:
                        raise unsupported()
                    key = input_key(BUCKET, upload_id)
                    await edge.pool.call(claim.add, key)
                    stat = await edge.pool.call(self._partials.join, kept, key)
                    source = SourceRef(
                        kind="images" if kind == "image" else "video",
                        name=name or upload_id,
                        key=key,
                        index_key=index_key(upload_id),
                        bytes=stat.size,
                        sha256=stat.sha256,
                    )
                    wish = requests.Request(
                        pipeline=asked.pipeline, source=source, media_type=asked.media_type
                    )
                    job, _ = await edge.intake.accept(
                        claim,
                        wish,
                        kept.note.owner,
                        name=asked.name,
                        clock_start=asked.clock_start,
                    )
        except (Rejected, Problem) as error:
            if not isinstance(error, Problem) or error.status in (415, 422) or error.code == "job_removed":
                await edge.pool.call(self._partials.forget, kept)
            raise
        await edge.pool.call(self._partials.forget, kept)
        return job


def number_of(text: str, name: str) -> int:
    """A number in a header.

    Raises:
        Problem: 400: it is none, or too large for any file.

    >>> number_of("12", "Upload-Offset")
    12
    """
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise Problem(400, "offset", f"{name} is to be a number of bytes.")
    return int(text)


def metadata_of(header: str) -> dict[str, str]:
    """Keys and texts of an `Upload-Metadata`.

    Raises:
        Problem: 400: it is none.

    >>> metadata_of("filename c3RyZWV0Lm1wNA==,flag")
    {'filename': 'street.mp4', 'flag': ''}
    """
    if len(header) > METADATA:
        raise Problem(400, "metadata", f"Upload-Metadata may have {METADATA} bytes.")
    found = {}
    for pair in header.split(",") if header.strip() else ():
        key, _, value = pair.strip().partition(" ")
        try:
            found[key] = base64.b64decode(value, validate=True).decode("utf-8", "replace")
        except binascii.Error:
            raise Problem(400, "metadata", "Upload-Metadata has values in base64.") from None
    return found


def too_long() -> Problem:
    """More bytes than were announced."""
    return Problem(413, "too_large", "That is more than Upload-Length said.")


def unknown() -> Problem:
    """No upload of that id, or another's."""
    return Problem(404, "not_found", "There is no upload of this id.")


def _was_cut(error: BaseException) -> bool:
    """Whether the sender is to blame for the end of a body, and not what it sent."""
    return isinstance(error, Gone) or (isinstance(error, Problem) and error.code == "too_slow")


def _job_at(job: Job) -> dict[str, str]:
    return {"Location": f"/api/v1/jobs/{job.job_id}"}
