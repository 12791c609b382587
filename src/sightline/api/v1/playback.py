"""How the source of a job can be played: as it is, or by a copy that is made when somebody asks."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter
from pydantic import ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from sightline.api.documented import JOB, Strict, get, problems
from sightline.api.problems import Problem, cleaned
from sightline.api.stored import Below, Stored
from sightline.api.v1.asked import SAME, Asked, file_name, source_of
from sightline.api.v1.edge import Edge
from sightline.api.v1.sniffed import HEAD, video_type
from sightline.errors import NotFound
from sightline.jobs.copies import copy_key, copy_of
from sightline.jobs.requests import SourceRef
from sightline.ports import Job, Stat

__all__ = ["CopyBody", "OriginalBody", "PlaybackBody", "router"]


class OriginalBody(Strict):
    """The source as it is. A player shows its first frame at `media_start_us`."""

    link: str
    type: str
    codec: str | None
    media_start_us: int


class CopyBody(Strict):
    """H.264 in MP4, whose frames have the times of the index of the job, from 0. `done` of `total` frames are behind it."""

    state: Literal["making", "ready", "failed"]
    done: int = 0
    total: int = 0
    how: Literal["remux", "encode"] | None = Field(
        description="The packets as they are in another container, or pictures encoded anew; null while it waits for its turn."
    )
    link: str
    bytes: int | None = Field(None, description="Of one that is ready.")
    media_start_us: Literal[0] = 0
    detail: str = Field("", description="Why it failed.")


class PlaybackBody(Strict):
    """What can be played. `original` is null where the source is no file, or is gone; `copy` before anybody asked for one."""

    original: OriginalBody | None
    copy_: CopyBody | None = Field(alias="copy")

    model_config = ConfigDict(
        extra="forbid",
        populate_by_name=True,
        json_schema_extra={
            "example": {
                "original": {
                    "link": f"/api/v1/jobs/{JOB}/video",
                    "type": "video/x-msvideo",
                    "codec": "mpeg4",
                    "media_start_us": 0,
                },
                "copy": {
                    "state": "making",
                    "done": 128,
                    "total": 250,
                    "how": "encode",
                    "link": f"/api/v1/jobs/{JOB}/copy.mp4",
                    "bytes": None,
                    "media_start_us": 0,
                    "detail": "",
                },
            }
        },
    )


def router(edge: Edge, asked: Asked) -> APIRouter:
    """The routes of playing."""
    made, playback = edge.router("results"), _Playback(edge, asked)
    get(
        made,
        "/jobs/{job_id}/playback",
        playback.show,
        operation_id="get_playback",
        summary="How the source of a job can be played",
        response_model=PlaybackBody,
        responses=problems(404),
    )
    made.add_api_route(
        "/jobs/{job_id}/playback",
        playback.make,
        methods=["POST"],
        status_code=202,
        operation_id="create_copy",
        summary="Make a copy of the source that every browser plays",
        response_model=PlaybackBody,
        responses=problems(404),
    )
    get(
        made,
        "/jobs/{job_id}/copy.mp4",
        playback.file,
        operation_id="get_copy",
        summary="The copy of the source",
        response_class=Response,
        responses={
            200: {"description": "The copy.", "content": {"video/mp4": {}}},
            206: {"description": "The part of it that `Range` names.", "content": {"video/mp4": {}}},
            **SAME,
            **problems(404, 412, 416),
        },
    )
    return made


class _Playback:
    def __init__(self, edge: Edge, asked: Asked) -> None:
        self._edge, self._asked, self._pool = edge, asked, edge.pool
        self._stored = Stored(edge.backend.objects, edge.pool)

    async def show(self, request: Request, job_id: str) -> PlaybackBody:
        """Whether a browser plays the original is its own business: `type` and `codec` say what it is."""
        job = await self._asked.job(request, job_id)
        return await self._body(job, source_of(job), await self._asked.whole("playback", job_id=job.job_id))

    async def make(self, request: Request, job_id: str) -> PlaybackBody:
        """One at a time, beside the jobs; ask again how far it is. Frames that cannot be decoded are not in it. Repeating begins
        one that failed, or that a service which was killed had begun, and changes nothing of one that is there.
        """
        job = await self._asked.job(request, job_id)
        source = source_of(job)
        if not await self._pool.call(self._is_there, source):
            raise Problem(404, "source_gone", "The source of this job was removed.")
        return await self._body(job, source, await self._asked.whole("make_copy", job_id=job.job_id))

    async def file(self, request: Request, job_id: str) -> Response:
        """With ranges, as a player asks. It never changes while its job is there."""
        job = await self._asked.job(request, job_id)
        kept = await self._pool.call(copy_of, self._edge.backend.notes, job.job_id)
        if kept is None:
            raise Problem(404, "no_copy", "There is no copy of this source yet: POST .../playback makes one.")
        name, stat = file_name(job, "copy.mp4"), Stat(kept.bytes, kept.sha256)
        return await self._stored.serve(
            request, copy_key(job.job_id), "video/mp4", name, stat, "private, no-cache"
        )

    async def _body(self, job: Job, source: SourceRef, said: Any) -> PlaybackBody:
        here = f"/api/v1/jobs/{job.job_id}"
        original = None
        head = None if source.kind == "images" else await self._pool.call(self._head, source)
        if head is not None and said["media_start_us"] is not None:
            kind, _ = video_type(head)
            found = job.request.get("found") or {}
            original = OriginalBody(
                link=f"{here}/video",
                type=kind,
                codec=found.get("codec"),
                media_start_us=said["media_start_us"],
            )
        copied = said["copy"]
        if copied is not None:
            copied = CopyBody(
                **{**copied, "detail": cleaned(copied.get("detail", ""))}, link=f"{here}/copy.mp4"
            )
        return PlaybackBody(original=original, copy=copied)

    def _head(self, source: SourceRef) -> bytes | None:
        backend = self._edge.backend
        where = Below(backend.roots, source.root) if source.root else backend.objects
        try:
            return b"".join(where.read(source.key, 0, HEAD))
        except NotFound:
            return None

    def _is_there(self, source: SourceRef) -> bool:
        if not (source.root and source.kind == "images"):
            return self._head(source) is not None
        try:
            self._edge.backend.roots.locate(source.root, source.key)
        except NotFound:
            return False
        return True
