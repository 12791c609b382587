"""What system B's clients send: a form with a file, or the name of an object that is there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.requests import Request

from sightline.api.access import caller_of
from sightline.api.backend import Backend, MediaType
from sightline.api.body import chunks_of, content_length, media_type_of, read_all
from sightline.api.claims import Claim
from sightline.api.form import Form, clean_name, read_form, too_large, unsupported
from sightline.api.intake import Intake
from sightline.api.magic import HEAD, kind_of
from sightline.api.multipart import boundary_of
from sightline.api.pool import Pool
from sightline.api.problems import Problem, invalid
from sightline.api.settings import ApiSettings
from sightline.api.sink import HashSink, Sink, StoreSink
from sightline.api.wanted import Wanted, conflict_of_key, id_of_key, wanted
from sightline.jobs import requests
from sightline.jobs.requests import SourceRef, index_key, input_key
from sightline.ports import Job, Stat

__all__ = ["Uploads"]

FORM = "multipart/form-data"
SLACK = 64 * 1024  # of a form around its file


class Uploads:
    """Takes requests for jobs in.

    Args:
        backend, settings: see there.
        pool: for calls of ports.
        intake: makes jobs of them.
    """

    def __init__(self, backend: Backend, settings: ApiSettings, pool: Pool, intake: Intake) -> None:
        self._backend, self._settings, self._pool = backend, settings, pool
        self._intake = intake

    async def upload(self, request: Request) -> str:
        """A form with a file; the id of its job.

        Raises:
            Problem: see `sightline.api.problems`.
        """
        boundary, owner = self._judged(request), caller_of(request).name
        async with self._intake.slot(owner):
            key = request.headers.get("idempotency-key")
            job_id = self._backend.new_id() if key is None else id_of_key(key, "upload_video", owner)
            if key is not None and (job := await self._intake.known(job_id)) is not None:
                return await self._same_upload(request, boundary, job)
            async with self._intake.claim(job_id) as claim:
                # It may have ended between the look and the lock.
                if key is not None and (job := await self._intake.known(job_id)) is not None:
                    return await self._same_upload(request, boundary, job)
                return await self._take(request, boundary, job_id, claim)

    async def request(self, request: Request) -> str:
        """JSON that names an object which is stored already; the id of its job.

        Raises:
            Problem: see `sightline.api.problems`.
        """
        fields, owner = await self._payload(request), caller_of(request).name
        asked = wanted(fields, request.query_params, self._settings)
        source_key = object_key(asked.bucket, fields.get("object", ""))
        key = request.headers.get("idempotency-key")
        job_id = self._backend.new_id() if key is None else id_of_key(key, "request", owner)
        if key is not None and (job := await self._intake.known(job_id)) is not None:
            return _same_request(job, asked, source_key)
        async with self._intake.claim(job_id) as claim:
            if key is not None and (job := await self._intake.known(job_id)) is not None:
                return _same_request(job, asked, source_key)
            kind, stat = await self._pool.call(self._stored, source_key)
            name = clean_name(fields["object"].rpartition("/")[2])
            return await self._accept(claim, job_id, owner, asked, kind, name, source_key, stat)

    # --- what both do

    async def _accept(
        self,
        claim: Claim,
        job_id: str,
        owner: str,
        asked: Wanted,
        kind: MediaType,
        name: str,
        key: str,
        stat: Stat,
    ) -> str:
        """A durable object becomes a job."""
        if kind != asked.media_type:
            raise unsupported()
        source = SourceRef(
            kind="images" if kind == "image" else "video",
            name=name or job_id,
            key=key,
            index_key=index_key(job_id),
            bytes=stat.size,
            sha256=stat.sha256,
        )
        request = requests.Request(
            pipeline=asked.pipeline, source=source, bucket=asked.bucket, media_type=asked.media_type
        )
        await self._intake.accept(claim, job_id, request, owner)
        return job_id

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
        return await self._accept(
            claim, job_id, caller_of(request).name, asked, form.kind, form.name, right, form.stat
        )

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
