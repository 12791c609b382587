"""Uploads: the bytes are durable first, then one transaction makes them a job.

    note -> object -> probe, index -> job row and event -> note away

A crash or an error at any arrow leaves a job with its object, or a note that says what to delete (`claims.reap`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from starlette.requests import Request

from sightline.api.backend import Backend, MediaType
from sightline.api.body import chunks_of, content_length, media_type_of, read_all
from sightline.api.claims import Claim
from sightline.api.form import Form, clean_name, read_form, too_large, unsupported
from sightline.api.magic import HEAD, kind_of
from sightline.api.multipart import boundary_of
from sightline.api.pool import Pool
from sightline.api.problems import Problem, invalid
from sightline.api.settings import ApiSettings
from sightline.api.sink import HashSink, Sink, StoreSink
from sightline.api.wanted import Wanted, conflict_of_key, id_of_key, wanted
from sightline.errors import NotFound
from sightline.jobs import requests
from sightline.jobs.requests import SourceRef, event_of, index_key, input_key
from sightline.ports import Job, Stat

__all__ = ["Uploads"]

FORM = "multipart/form-data"
SLACK = 64 * 1024  # of a form around its file


class Uploads:
    """Takes requests for jobs in.

    Args:
        backend, settings: see there.
        pool: for calls of ports.
    """

    def __init__(self, backend: Backend, settings: ApiSettings, pool: Pool) -> None:
        self._backend, self._settings, self._pool = backend, settings, pool
        self._probes = Pool(settings.probes)
        self._running = 0

    async def upload(self, request: Request) -> str:
        """A form with a file; the id of its job.

        Raises:
            Problem: see `sightline.api.problems`.
        """
        boundary = self._judged(request)
        async with self._slot():
            key = request.headers.get("idempotency-key")
            job_id = self._backend.new_id() if key is None else id_of_key(key, "upload_video")
            if key is not None and (job := await self._known(job_id)) is not None:
                return await self._same_upload(request, boundary, job)
            async with self._claim(job_id) as claim:
                # It may have ended between the look and the lock.
                if key is not None and (job := await self._known(job_id)) is not None:
                    return await self._same_upload(request, boundary, job)
                return await self._take(request, boundary, job_id, claim)

    async def request(self, request: Request) -> str:
        """JSON that names an object which is stored already; the id of its job.

        Raises:
            Problem: see `sightline.api.problems`.
        """
        fields = await self._payload(request)
        asked = wanted(fields, request.query_params, self._settings)
        source_key = object_key(asked.bucket, fields.get("object", ""))
        key = request.headers.get("idempotency-key")
        job_id = self._backend.new_id() if key is None else id_of_key(key, "request")
        if key is not None and (job := await self._known(job_id)) is not None:
            return _same_request(job, asked, source_key)
        async with self._claim(job_id) as claim:
            if key is not None and (job := await self._known(job_id)) is not None:
                return _same_request(job, asked, source_key)
            kind, stat = await self._pool.call(self._stored, source_key)
            name = clean_name(fields["object"].rpartition("/")[2])
            return await self._accept(claim, job_id, asked, kind, name, source_key, stat)

    # --- what both do

    async def _accept(
        self, claim: Claim, job_id: str, asked: Wanted, kind: MediaType, name: str, key: str, stat: Stat
    ) -> str:
        """A durable object becomes a job."""
        if kind != asked.media_type:
            raise unsupported()
        name = name or job_id
        index = index_key(job_id)
        await self._pool.call(claim.add, index)
        await self._probes.call(self._backend.probe, key, name, kind, index)
        source = SourceRef(
            kind="images" if kind == "image" else "video",
            name=name,
            key=key,
            index_key=index,
            bytes=stat.size,
            sha256=stat.sha256,
        )
        request = requests.Request(
            pipeline=asked.pipeline, source=source, bucket=asked.bucket, media_type=asked.media_type
        )
        # `sent`: the event is in the log with the row, no relay has to bring it there.
        job = Job(job_id, name, self._backend.now_us(), state="sent", request=requests.encode(request))
        if not await self._pool.call(self._backend.store.create, job, [event_of(job)]):
            raise Problem(409, "job_removed", "The job of this Idempotency-Key was removed.")
        return job_id

    async def _known(self, job_id: str) -> Job | None:
        try:
            return await self._pool.call(self._backend.store.get, job_id)
        except NotFound:
            return None

    @asynccontextmanager
    async def _claim(self, job_id: str) -> AsyncIterator[Claim]:
        claim = Claim(self._backend, job_id)
        await self._pool.call(claim.open)
        try:
            yield claim
        finally:
            await self._pool.call(claim.close)

    @asynccontextmanager
    async def _slot(self) -> AsyncIterator[None]:
        if self._running >= self._settings.uploads:
            raise Problem(429, "busy", "Too many uploads are under way; repeat the request later.")
        self._running += 1
        try:
            yield
        finally:
            self._running -= 1

    # --- forms

    def _judged(self, request: Request) -> bytes:
        """The boundary of the form, once the head says nothing that rules it out."""
        media_type = media_type_of(request)
        if not media_type:
            raise invalid(("file", "there is none"))
        if media_type != FORM:
            raise Problem(415, "content_type", f"The body is to be {FORM}.")
        boundary = boundary_of(request.headers["content-type"])
        if (content_length(request) or 0) > self._settings.max_bytes + SLACK:
            raise too_large(self._settings)
        early = {name: value for name, value in request.query_params.items() if name != "file"}
        wanted({}, early, self._settings)
        return boundary

    async def _take(self, request: Request, boundary: bytes, job_id: str, claim: Claim) -> str:
        key = ""

        async def open_sink(fields: Mapping[str, str]) -> Sink:
            nonlocal key
            key = input_key(wanted(fields, request.query_params, self._settings).bucket, job_id)
            await self._pool.call(claim.add, key)
            return StoreSink(self._backend.objects, key, self._pool)

        form = await self._read(request, boundary, open_sink)
        asked = wanted(form.fields, request.query_params, self._settings)
        if form.kind != asked.media_type:
            raise unsupported()
        if key != (right := input_key(asked.bucket, job_id)):  # the bucket was named behind the file
            await self._pool.call(self._move, claim, key, right)
        return await self._accept(claim, job_id, asked, form.kind, form.name, right, form.stat)

    async def _same_upload(self, request: Request, boundary: bytes, job: Job) -> str:
        """The id again, if this is the request that it was given for. The file is read for its hash only."""

        async def open_sink(fields: Mapping[str, str]) -> Sink:
            return HashSink()

        form = await self._read(request, boundary, open_sink)
        asked = wanted(form.fields, request.query_params, self._settings)
        was = requests.decode(job.request)
        same = (was.bucket, was.media_type, was.pipeline) == (asked.bucket, asked.media_type, asked.pipeline)
        if not same or was.source.sha256 != form.stat.sha256:
            raise conflict_of_key()
        return job.job_id

    async def _read(self, request: Request, boundary: bytes, open_sink: Any) -> Form:
        return await read_form(chunks_of(request, self._settings), boundary, self._settings, open_sink)

    def _move(self, claim: Claim, key: str, right: str) -> None:
        claim.add(right)
        self._backend.objects.put_new(right, self._backend.objects.read(key))
        self._backend.objects.delete(key)

    # --- references

    async def _payload(self, request: Request) -> dict[str, str]:
        media_type = media_type_of(request)
        if not media_type:
            raise invalid(("body", "there is no JSON"))
        if media_type != "application/json":
            raise Problem(415, "content_type", "The body is to be application/json.")
        fields = _json_fields(await read_all(request, self._settings))
        if not fields.get("object"):
            raise invalid(("object", "it is missing"))
        return fields

    def _stored(self, key: str) -> tuple[MediaType, Stat]:
        objects = self._backend.objects
        try:
            kind = kind_of(b"".join(objects.read(key, 0, HEAD)))
        except ValueError:  # no store can have that key
            raise unknown_object() from None
        if kind is None:
            raise unsupported()
        return kind, objects.stat(key)


def object_key(bucket: str, name: str) -> str:
    """Key of an object that an old client names.

    Raises:
        Problem: 404: no object can have that name.
    """
    parts = name.split("/")
    long = len(name) > 512 or any(len(part.encode("utf-8", "replace")) > 255 for part in parts)
    if long or not name.isprintable() or {"", ".", ".."} & {*parts}:
        raise unknown_object()
    return f"{bucket}/{name}"


def unknown_object() -> Problem:
    """An object that is not there."""
    return Problem(404, "not_found", "There is no such object.")


def _json_fields(blob: bytes) -> dict[str, str]:
    """The text fields of a JSON object; others are nobody's."""
    try:
        found = msgspec.json.decode(blob)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise invalid(("body", "it is no JSON")) from None
    if not isinstance(found, dict):
        raise invalid(("body", "it is no JSON object"))
    known = {name: found[name] for name in ("bucket", "object", "media_type", "pipeline") if name in found}
    wrong = [(name, "it is no text") for name, value in known.items() if not isinstance(value, str)]
    if wrong:
        raise invalid(*wrong)
    return known


def _same_request(job: Job, asked: Wanted, key: str) -> str:
    was = requests.decode(job.request)
    mine = (asked.bucket, asked.media_type, asked.pipeline, key)
    if (was.bucket, was.media_type, was.pipeline, was.source.key) != mine:
        raise conflict_of_key()
    return job.job_id
