"""Pictures: a frame, or some seconds as a clip, plain or with what was found."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.requests import Request
from starlette.responses import Response

from sightline.api.documented import get, problems
from sightline.api.problems import invalid
from sightline.api.v1.asked import SAME, Asked, file_name, source_of, tag_of
from sightline.api.v1.edge import Edge
from sightline.api.v1.records import LATEST_S, Start, span_us
from sightline.ports import Job

__all__ = ["router"]

CACHE = "private, max-age=3600"
Frame = Annotated[int, Path(ge=0, le=2**53, description="Number of the frame in the source, from 0.")]
Annotated_ = Annotated[bool, Query(description="With boxes, ids and trails; needs a job that is ready.")]
Width = Annotated[int | None, Query(ge=16, le=8192, description="Pixels that it may be wide.")]
End = Annotated[
    float, Query(ge=0, le=LATEST_S, allow_inf_nan=False, description="Seconds, exclusive; at most 60 later.")
]


def router(edge: Edge, asked: Asked) -> APIRouter:
    """`/frames/{frame}.jpg` and `/clip.mp4`."""
    made = edge.router("results")

    async def frame(
        request: Request, job_id: str, frame: Frame, annotated: Annotated_ = False, width: Width = None
    ) -> Response:
        """The very frame, whatever key frames lie around; the picture that `sightline frame` makes of it."""
        job = await found(request, job_id, annotated)
        etag = _tag(job, annotated, frame, width)
        return await asked.answer(
            request, job, "frame", etag=etag, cache=CACHE, frame=frame, annotated=annotated, width=width
        )

    async def clip(
        request: Request, job_id: str, end: End, start: Start = 0.0, annotated: Annotated_ = False
    ) -> Response:
        """Frames have the distances of the source; the first one is at 0, `Sightline-Begins-Us` says where that was."""
        job = await found(request, job_id, annotated)
        start_us, end_us = span_us(start, end)
        if start_us == end_us:
            raise invalid(("end", "it is start"))
        etag, name = _tag(job, annotated, start_us, end_us), file_name(job, "clip.mp4")
        span = {"start_us": start_us, "end_us": end_us, "annotated": annotated}
        return await asked.answer(request, job, "clip", etag=etag, cache=CACHE, name=name, **span)

    async def found(request: Request, job_id: str, annotated: bool) -> Job:
        job = await (asked.ready if annotated else asked.job)(request, job_id)
        source_of(job)
        return job

    get(
        made,
        "/jobs/{job_id}/frames/{frame}.jpg",
        frame,
        operation_id="get_frame",
        summary="One frame as a picture",
        response_class=Response,
        responses={200: {"description": "A picture.", "content": {"image/jpeg": {}}}}
        | SAME
        | problems(404, 409, 422, 429),
    )
    get(
        made,
        "/jobs/{job_id}/clip.mp4",
        clip,
        operation_id="get_clip",
        summary="Some seconds as a video",
        response_class=Response,
        responses={200: {"description": "A video.", "content": {"video/mp4": {}}}}
        | SAME
        | problems(404, 409, 413, 422, 429),
    )
    return made


def _tag(job: Job, annotated: bool, *what: object) -> str:
    """Of a picture: it follows from the source, and of what was found from the result."""
    source = source_of(job)
    filmed = (source.sha256, source.root, source.key, source.times) if source.root else (source.sha256,)
    drawn = (job.result.get("sha256"), job.clock_start, job.video_id) if annotated else ()
    return tag_of("picture", *filmed, *what, *drawn)
