"""What lies in the folder below which jobs may name files of the server's own."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import ConfigDict, Field
from starlette.requests import Request

from sightline.api.access import caller_of
from sightline.api.documented import Strict, get, problems
from sightline.api.problems import Problem
from sightline.api.v1.edge import Edge
from sightline.jobs.requests import FILES

__all__ = ["PathBody", "PathsBody", "router"]

PATH = Annotated[
    str,
    Query(max_length=1024, description="Of a folder, as `path` of its entry says it; empty: the topmost."),
]


class PathBody(Strict):
    """A folder, a video, or a folder that holds images. `path` is what a job names it by."""

    name: str
    path: str
    kind: Literal["folder", "video", "images"]
    bytes: int | None = Field(description="Of a video.")


class PathsBody(Strict):
    """What lies in a folder: folders first, then videos, by name. `cut`: there is more than is listed."""

    path: str
    items: list[PathBody]
    cut: bool

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "path": "north",
                "items": [
                    {"name": "2026-11-21", "path": "north/2026-11-21", "kind": "images", "bytes": None},
                    {"name": "street.mp4", "path": "north/street.mp4", "kind": "video", "bytes": 1048576},
                ],
                "cut": False,
            }
        },
    )


def router(edge: Edge) -> APIRouter:
    """The route of paths."""
    made = edge.router("jobs")
    get(
        made,
        "/paths",
        _Paths(edge).list,
        operation_id="list_paths",
        summary="Look for a source among the files of the server's own",
        response_model=PathsBody,
        responses=problems(404, 422),
    )
    return made


class _Paths:
    def __init__(self, edge: Edge) -> None:
        self._edge = edge

    async def list(self, request: Request, path: PATH = "") -> PathsBody:
        """A job of one is made by `POST /jobs` with `{"source": {"path"}}`; who may not make any sees none."""
        if caller_of(request).scope == "read":
            raise Problem(
                403, "forbidden", "This token may only read; making jobs needs one with the scope write."
            )
        roots, pool = self._edge.backend.roots, self._edge.pool
        if not await pool.call(roots.has, FILES):
            raise Problem(
                404,
                "no_folder",
                "This service has no folder of files of its own: its setting files names one.",
            )
        found = await pool.call(roots.list, FILES, path.strip("/"))
        items = [PathBody(name=e.name, path=e.path, kind=e.kind, bytes=e.bytes) for e in found.entries]
        return PathsBody(path=found.path, items=items, cut=found.cut)
