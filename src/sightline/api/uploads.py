"""What clients send: a form with a file, a file as it is, or the name of an object that is there."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping

import msgspec
from starlette.requests import Request

from sightline.api.access import Caller, caller_of
from sightline.api.backend import Backend, MediaType
from sightline.api.body import chunks_of, content_length, media_type_of, read_all
from sightline.api.claims import Claim
from sightline.api.form import Form, OpenSink, read_form, read_raw, too_large, unsupported
from sightline.api.intake import Intake
from sightline.api.magic import HEAD, kind_of
from sightline.api.multipart import boundary_of, name_of
from sightline.api.pool import Pool
from sightline.api.problems import Problem, invalid
from sightline.api.settings import ApiSettings
from sightline.api.sink import HashSink, Sink, StoreSink
from sightline.api.wanted import REQUEST, Wanted, Way, clean_name, conflict_of_key, wanted
from sightline.errors import NotFound
from sightline.jobs import requests
from sightline.jobs.requests import SourceRef, index_key, input_key
from sightline.ports import Job, Stat

__all__ = ["Uploads"]

FORM = "multipart/form-data"
_OF_A_JOB = re.compile(r"(?:input|detection)/([^/]+)\.(?:mp4|json)")
SLACK = 64 * 1024  # of a form around its file
Body = Callable[[OpenSink], Awaitable[Form]]
"""Reads the body of a request into a sink."""


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

    async def upload(self, request: Request, way: Way) -> Job:
        """A file in the body, as a form or raw; its job.

        Raises:
            Problem: see `sightline.api.problems`.
        """
        body, owner = self._judged(request, way), caller_of(request).name
        once = self._intake.once(_key(request), way.route, owner)
        async with self._intake.slot(owner), once as turn:
            if isinstance(turn, Job):
                return await self._same_upload(request, way, body, turn)
            return await self._take(request, way, body, turn)

    async def request(self, request: Request) -> Job:
        """JSON that names an object which is stored already; its job.

        Raises:
            Problem: see `sightline.api.problems`.
        """
        fields = await self._payload(request)
        asked = wanted(fields, request.query_params, self._settings, REQUEST)
        return await self.refer(request, REQUEST, asked, fields.get("object", ""))

    async def refer(self, request: Request, way: Way, asked: Wanted, name: str) -> Job:
        """An object of the bucket that is asked for; its job.

        Raises:
            Problem: see `sightline.api.problems`.
        """
        source_key, owner = object_key(asked.bucket, name), caller_of(request).name
        if not await self._sees(caller_of(request), name):
            raise NotFound(f"no object {source_key}")  # as the store says it
        async with self._intake.once(_key(request), way.route, owner) as turn:
            if isinstance(turn, Job):
                return _same_request(turn, asked, source_key)
            kind, stat = await self._pool.call(self._stored, source_key)
            called = clean_name(name.rpartition("/")[2])
            return await self._accept(turn, owner, asked, kind, called, source_key, stat)

    async def below(self, request: Request, way: Way, asked: Wanted, root: str, path: str) -> Job:
        """Something below a folder of this machine; its job.

        Raises:
            Problem: see `sightline.api.problems`.
        """
        owner = caller_of(request).name
        async with self._intake.once(_key(request), way.route, owner) as turn:
            if isinstance(turn, Job):
                return _same_request(turn, asked, path, root)
            located = await self._pool.call(self._backend.roots.locate, root, path)
            source = SourceRef(
                kind=located.kind,
                name=clean_name(path.rpartition("/")[2]) or turn.job_id,
                key=located.key,
                index_key=index_key(turn.job_id),
                root=located.root,
            )
            wish = requests.Request(pipeline=asked.pipeline, source=source, media_type=asked.media_type)
            job, _ = await self._intake.accept(
                turn, wish, owner, name=asked.name, clock_start=asked.clock_start
            )
            return job

    # --- what both do

    async def _accept(
        self,
        claim: Claim,
        owner: str,
        asked: Wanted,
        kind: MediaType,
        name: str,
        key: str,
        stat: Stat,
    ) -> Job:
        """A durable object becomes a job."""
        if kind != asked.media_type:
            raise unsupported()
        source = SourceRef(
            kind="images" if kind == "image" else "video",
            name=name or claim.job_id,
            key=key,
            index_key=index_key(claim.job_id),
            bytes=stat.size,
            sha256=stat.sha256,
        )
        request = requests.Request(
            pipeline=asked.pipeline, source=source, bucket=asked.bucket, media_type=asked.media_type
        )
        job, _ = await self._intake.accept(
            claim, request, owner, name=asked.name, clock_start=asked.clock_start
        )
        return job

    # --- bodies

    def _judged(self, request: Request, way: Way) -> Body:
        """How the body is read, once the head says nothing that rules it out."""
        media_type, settings = media_type_of(request), self._settings
        if media_type == FORM:
            boundary = boundary_of(request.headers["content-type"])
        elif way.raw and is_raw(media_type):
            boundary = None
        elif not media_type and not way.raw:
            raise invalid(("file", "there is none"))
        else:
            raw = ", video/*, image/* or application/octet-stream" if way.raw else ""
            raise Problem(415, "content_type", f"The body is to be {FORM}{raw}.")
        if (content_length(request) or 0) > settings.max_bytes + SLACK:
            raise too_large(settings)
        early = {name: value for name, value in request.query_params.items() if name != "file"}
        wanted({}, early, settings, way)

        def body(open_sink: OpenSink) -> Awaitable[Form]:
            chunks = chunks_of(request, settings)
            if boundary is not None:
                return read_form(chunks, boundary, settings, open_sink)
            name = name_of(request.headers.get("content-disposition", ""))
            return read_raw(chunks, name, settings, open_sink)

        return body

    async def _take(self, request: Request, way: Way, body: Body, claim: Claim) -> Job:
        key = ""

        def asked_by(fields: Mapping[str, str]) -> Wanted:
            return wanted(fields, request.query_params, self._settings, way)

        async def open_sink(fields: Mapping[str, str]) -> Sink:
            nonlocal key
            key = input_key(asked_by(fields).bucket, claim.job_id)
            await self._pool.call(claim.add, key)
            return StoreSink(self._backend.objects, key, self._pool)

        form = await body(open_sink)
        asked = asked_by(form.fields)
        if form.kind != asked.media_type:
            raise unsupported()
        if key != (right := input_key(asked.bucket, claim.job_id)):  # the bucket was named behind the file
            await self._pool.call(self._move, claim, key, right)
        return await self._accept(
            claim, caller_of(request).name, asked, form.kind, form.name, right, form.stat
        )

    async def _same_upload(self, request: Request, way: Way, body: Body, job: Job) -> Job:
        """The job again, if this is the request that it was made for. The file is read for its hash only."""

        async def open_sink(fields: Mapping[str, str]) -> Sink:
            return HashSink()

        form = await body(open_sink)
        asked = wanted(form.fields, request.query_params, self._settings, way)
        if not _same(job, asked) or requests.decode(job.request).source.sha256 != form.stat.sha256:
            raise conflict_of_key()
        return job

    def _move(self, claim: Claim, key: str, right: str) -> None:
        claim.add(right)
        self._backend.objects.put_new(right, self._backend.objects.read(key))
        self._backend.objects.delete(key)

    # --- references

    async def _sees(self, caller: Caller, name: str) -> bool:
        """Whether an object may be named: uploads and results belong to their jobs, and what is another's is not there."""
        match = _OF_A_JOB.fullmatch(name)
        if match is None or caller.owner is None:
            return True
        job = await self._intake.known(match[1])
        return job is not None and caller.sees(job)

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


def is_raw(media_type: str) -> bool:
    """Whether a body of this type is a file as it is.

    >>> is_raw("video/mp4"), is_raw("application/octet-stream"), is_raw("text/plain")
    (True, True, False)
    """
    return media_type.startswith(("video/", "image/")) or media_type == "application/octet-stream"


def _key(request: Request) -> str | None:
    return request.headers.get("idempotency-key")


def _same_request(job: Job, asked: Wanted, key: str, root: str = "") -> Job:
    source = requests.decode(job.request).source
    if not _same(job, asked) or (source.key, source.root) != (key, root):
        raise conflict_of_key()
    return job


def _same(job: Job, asked: Wanted) -> bool:
    """Whether a job is what is asked for now; its source is seen to by the caller."""
    was = requests.decode(job.request)
    said = (was.bucket, was.media_type, was.pipeline, job.clock_start)
    named = not asked.name or asked.name == job.video_id
    return named and said == (asked.bucket, asked.media_type, asked.pipeline, asked.clock_start)
