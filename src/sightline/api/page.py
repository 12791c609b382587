"""The page: files of the package, read once; nothing in them depends on who asks, so nobody is asked for a token."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from sightline.api.documented import get
from sightline.api.pool import Pool
from sightline.api.problems import Problem
from sightline.api.stored import is_known

__all__ = ["PageFiles", "is_page"]

TYPES = {
    "css": "text/css; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "jpg": "image/jpeg",
    "js": "text/javascript; charset=utf-8",
    "mp4": "video/mp4",
    "svg": "image/svg+xml",
}
DEMO = "demo.mp4"
POLICY = (
    "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)


@dataclass(frozen=True, slots=True)
class _File:
    body: bytes
    kind: str
    etag: str


class PageFiles:
    """See the module.

    Args:
        pool: in whose threads the files are read.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._files: dict[str, _File] = {}

    def router(self) -> APIRouter:
        """`/`, `/jobs/ID` and the files of both."""
        made = APIRouter(redirect_slashes=False)
        get(made, "/", self.home, response_model=None, include_in_schema=False)
        get(made, "/jobs/{job_id}", self.job, response_model=None, include_in_schema=False)
        get(made, "/page/{name:path}", self.file, response_model=None, include_in_schema=False)
        return made

    async def home(self, request: Request) -> Response:
        """`GET /`."""
        return await self._answer(request, "index.html")

    async def job(self, request: Request, job_id: str) -> Response:
        """`GET /jobs/ID`: the page asks for the job by itself, and says so where there is none."""
        return await self._answer(request, "job.html")

    async def file(self, request: Request, name: str) -> Response:
        """`GET /page/NAME`."""
        return await self._answer(request, name)

    async def _answer(self, request: Request, name: str) -> Response:
        if not self._files:
            self._files = await self._pool.call(_read)
        found = self._files.get(name)
        if found is None:
            raise Problem(404, "not_found", "The page has no such file.")
        # Each icon on the page is a use of one file, and would be a question of its own.
        cache = "max-age=300" if found.kind == TYPES["svg"] else "no-cache"
        headers = {"ETag": found.etag, "Cache-Control": cache, "Content-Security-Policy": POLICY}
        if is_known(request.headers.get("if-none-match", ""), found.etag):
            return Response(status_code=304, headers=headers)
        return Response(found.body, headers=headers, media_type=found.kind)


def is_page(path: str) -> bool:
    """Whether a path is one of the page's own.

    >>> is_page("/"), is_page("/jobs/3f0d"), is_page("/jobs/3f0d/result.json"), is_page("/page/js/ui.js")
    (True, True, False, True)
    """
    first, _, rest = path[1:].partition("/")
    return path == "/" or first == "page" or (first == "jobs" and rest != "" and "/" not in rest)


def _read() -> dict[str, _File]:
    root = resources.files("sightline")
    found = dict(_below(root / "page", ""))
    return found | {DEMO: _file(DEMO, (root / "demo" / "street.mp4").read_bytes())}


def _below(folder: Traversable, prefix: str) -> Iterator[tuple[str, _File]]:
    for each in folder.iterdir():
        name = prefix + each.name
        if each.is_dir():
            yield from _below(each, f"{name}/")
        elif name.rpartition(".")[2] in TYPES:
            yield name, _file(name, each.read_bytes())


def _file(name: str, body: bytes) -> _File:
    return _File(body, TYPES[name.rpartition(".")[2]], f'"{hashlib.sha256(body).hexdigest()[:32]}"')
