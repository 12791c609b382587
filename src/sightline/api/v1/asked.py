"""Questions to the worker, passed on as answers over HTTP: the API decodes nothing, draws nothing and counts nothing."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from sightline.api.access import caller_of
from sightline.api.pool import Pool
from sightline.api.problems import Problem, cleaned
from sightline.api.stored import is_known
from sightline.api.v1.accepts import preferred
from sightline.api.v1.edge import Edge
from sightline.errors import Corrupt, Misconfigured, NotFound
from sightline.jobs import recipe as recipes
from sightline.jobs import requests
from sightline.jobs.edits import edited
from sightline.jobs.recipe import Recipe
from sightline.jobs.requests import SourceRef
from sightline.ports import TERMINAL, Job

__all__ = ["SAME", "Asked", "file_name", "not_ready", "recipe_of", "source_of", "tag_of", "type_of"]

RELEASE = version("sightline")
WAITING = 32  # requests that wait for the worker at the same time
TYPES = {
    ".csv": "text/csv; charset=utf-8",
    ".json": "application/json",
    ".ndjson": "application/x-ndjson",
    ".txt": "text/plain; charset=utf-8",
    ".yaml": "text/plain; charset=utf-8",
    ".mp4": "video/mp4",
    ".zip": "application/zip",
    ".parquet": "application/vnd.apache.parquet",
}
SAME: dict[int | str, dict[str, Any]] = {304: {"description": "It is as the client has it."}}
"""`responses` of what has an ETag."""
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


class Asked:
    """Asks, and answers.

    Args:
        edge: see there.
    """

    def __init__(self, edge: Edge) -> None:
        self._edge = edge
        self._pool = Pool(edge.settings.threads)  # its own: an answer that takes long holds up no job
        self._waiting = 0

    async def job(self, request: Request, job_id: str) -> Job:
        """The job that a request is about, as it is called and timed now.

        Raises:
            Problem: 404.
        """
        job = await self._edge.found.job(caller_of(request), job_id)
        return await self._edge.pool.call(edited, self._edge.backend.notes, job)

    async def ready(self, request: Request, job_id: str) -> Job:
        """The same of a job that has its results.

        Raises:
            Problem: 404; 409: it has none.
        """
        job = await self.job(request, job_id)
        if job.state != "ready":
            raise not_ready(job)
        return job

    async def answer(
        self,
        request: Request,
        job: Job,
        call: str,
        *,
        etag: str = "",
        cache: str = "no-cache",
        name: str = "",
        **arguments: Any,
    ) -> Response:
        """What the worker says.

        Args:
            request: which is answered.
            job: that it is about.
            call: name of the question.
            etag: of the answer, where it follows from the question.
            cache: what `Cache-Control` says.
            name: what the answer is called where it is saved; empty: nothing is said, or what the worker calls it.
            arguments: of the question.

        Raises:
            Problem: the worker refuses; 429: too many wait for it.
        """
        headers = {"Cache-Control": cache, "Accept-Ranges": "none"}
        if etag:
            headers["ETag"] = etag
            if is_known(request.headers.get("if-none-match", ""), etag):
                return Response(status_code=304, headers=headers)
        head, chunks = await self.ask(call, job_id=job.job_id, **arguments)
        path = str(head.get("path", ""))
        if name or path:
            headers["Content-Disposition"] = f'attachment; filename="{name or file_name(job, path)}"'
        if "bytes" in head:
            headers["Content-Length"] = str(head["bytes"])
        if "begins_us" in head:
            headers["Sightline-Begins-Us"] = str(head["begins_us"])
        kind = head["type"] or type_of(path)
        if request.method == "HEAD":
            await self._close(chunks)
            return Response(headers=headers, media_type=kind)
        return StreamingResponse(self._pool.each(chunks), headers=headers, media_type=kind)

    async def table(
        self,
        request: Request,
        job: Job,
        call: str,
        kinds: Mapping[str, str],
        form: str | None,
        **arguments: Any,
    ) -> Response:
        """What the worker says, in the form that is wanted: `form`, else what `Accept` prefers of `kinds`, else JSON.

        Args:
            request, job, arguments: see `answer`.
            call: name of the question, and of the file that the answer is saved as.
            kinds: forms by content type, but for JSON.
            form: that was named; None where none was.

        Raises:
            Problem: see `answer`.
        """
        wanted = form or kinds.get(preferred(request, tuple(kinds)), "json")
        name = "" if wanted == "json" else file_name(job, f"{call}.{wanted}")
        response = await self.answer(request, job, call, name=name, form=wanted, **arguments)
        response.headers["Vary"] = "Accept"
        return response

    async def whole(self, call: str, **arguments: Any) -> Any:
        """A small JSON answer, read."""
        _, chunks = await self.ask(call, **arguments)
        return await self._pool.call(lambda: msgspec.json.decode(b"".join(chunks)))

    async def ask(self, call: str, **arguments: Any) -> tuple[Mapping[str, Any], Iterator[bytes]]:
        """Head and bytes of an answer; see `Backend.stream`.

        Raises:
            Problem: the worker refuses; 429: too many wait for it.
        """
        if self._waiting >= WAITING:
            raise Problem(429, "busy", "Too many requests wait for the worker; repeat the request later.")
        self._waiting += 1
        try:
            return await self._pool.call(lambda: self._edge.backend.stream(call, **arguments))
        except NotFound as error:
            raise Problem(404, error.code, cleaned(str(error))) from error
        except Misconfigured as error:
            raise Problem(422, error.code, cleaned(str(error))) from error
        finally:
            self._waiting -= 1

    async def _close(self, chunks: Iterator[bytes]) -> None:
        close = getattr(chunks, "close", None)
        if close is not None:
            await self._pool.call(close)


def not_ready(job: Job) -> Problem:
    """A job that has no results, or none yet."""
    if job.state in TERMINAL:
        return Problem(
            409, "not_ready", f"The job is {job.state} ({job.code or 'no code'}): it has no results."
        )
    return Problem(409, "not_ready", f"The job is {job.state}: its results are there when it is ready.")


def recipe_of(job: Job) -> Recipe:
    """What was found of a job.

    Raises:
        Problem: 409: nothing yet.
    """
    if not job.facts:
        raise not_ready(job)
    return recipes.decode(job.facts)


def source_of(job: Job) -> SourceRef:
    """The source of a job.

    Raises:
        Problem: 404: it was given none that is stored.
    """
    try:
        return requests.decode(job.request).source
    except Corrupt:
        raise Problem(404, "not_found", "The source of this job is not stored here.") from None


def tag_of(*parts: object) -> str:
    """The ETag of an answer that follows from these, and from this release.

    It is no hash of what is sent, and says so: that of a stored file is its sha256 alone, which clients compare.
    """
    text = "\0".join(map(str, (RELEASE, *parts)))
    return f'"made-{hashlib.sha256(text.encode()).hexdigest()}"'


def file_name(job: Job, path: str) -> str:
    """What a file of a job is called where it is saved: plain ASCII, whatever people call the job.

    >>> file_name(Job("1", "straße 1.mp4", 0), "mot/cars/a.txt")
    'stra-e-1-mot-cars-a.txt'
    """
    stem = _UNSAFE.sub("-", job.video_id.rpartition(".")[0] or job.video_id).strip(".-")[:60]
    return f"{stem or job.job_id}-{_UNSAFE.sub('-', path)}"


def type_of(path: str) -> str:
    """Content type of a file of ours by its ending.

    >>> type_of("tracks.ndjson"), type_of("segments/tracks-cars/000000000128.seg")
    ('application/x-ndjson', 'application/octet-stream')
    """
    _, dot, ending = path.rpartition(".")
    return TYPES.get(dot + ending, "application/octet-stream")
