"""Results of a job: its files in every format, the source itself, segments while it runs, and all that is asked of it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from starlette.requests import Request
from starlette.responses import Response

from sightline.api.documented import get, joined, problems
from sightline.api.pool import Pool
from sightline.api.problems import Problem
from sightline.api.stored import Below, Stored
from sightline.api.v1 import (
    counts,
    geometry,
    movements,
    overview,
    pictures,
    playback,
    records,
    speeds,
    verdicts,
    verified,
)
from sightline.api.v1.asked import SAME, Asked, file_name, not_ready, recipe_of, source_of, tag_of, type_of
from sightline.api.v1.edge import Edge
from sightline.api.v1.manifests import FORMATS, OTHERS, Manifests, folder_of, format_of
from sightline.api.v1.result_models import FileBody, FormatBody, ResultsBody
from sightline.api.v1.sniffed import HEAD, video_type
from sightline.errors import NotFound
from sightline.jobs.files import CAMERA_BIN, SEGMENT_FRAMES, segment_path, stored_streams
from sightline.ports import TERMINAL, Stat

__all__ = ["router"]

FOR_EVER = "private, max-age=31536000, immutable"
FILE: dict[int | str, dict[str, Any]] = {
    200: {"description": "The file.", "content": {"*/*": {}}},
    206: {"description": "The part of it that `Range` names.", "content": {"*/*": {}}},
    **SAME,
}
COLUMNS: dict[int | str, dict[str, Any]] = {
    200: {"description": "The columns.", "content": {"application/octet-stream": {}}}
}
MOVED: dict[int | str, dict[str, Any]] = {
    204: {"description": "It is not known to have moved."},
    206: {"description": "The part of them that `Range` names.", "content": {"application/octet-stream": {}}},
    **SAME,
}


def router(edge: Edge) -> APIRouter:
    """Every route of the results of a job."""
    asked, made = Asked(edge), edge.router("results")
    results = _Results(edge, asked)
    get(
        made,
        "/jobs/{job_id}/results",
        results.list,
        operation_id="list_results",
        summary="Files of a result, and formats that can be had of it",
        response_model=ResultsBody,
        responses=problems(404, 409),
    )
    get(
        made,
        "/jobs/{job_id}/results/{name:path}",
        results.file,
        operation_id="get_result",
        summary="A file of a result, or a whole format, several files as a ZIP",
        response_class=Response,
        responses=FILE | problems(404, 409, 412, 413, 416, 422, 429),
    )
    get(
        made,
        "/jobs/{job_id}/video",
        results.video,
        operation_id="get_video",
        summary="The source as it was uploaded",
        response_class=Response,
        responses=FILE | problems(404, 412, 416),
    )
    get(
        made,
        "/jobs/{job_id}/index",
        results.index,
        operation_id="get_index",
        summary="Every frame of the source as columns, also while the job runs",
        response_class=Response,
        responses=COLUMNS | SAME | problems(404, 409, 429),
    )
    get(
        made,
        "/jobs/{job_id}/camera",
        results.camera,
        operation_id="get_camera",
        summary="Where the camera looked in each sampled frame, as columns",
        response_class=Response,
        responses=COLUMNS | MOVED | problems(404, 409, 412, 416),
    )
    get(
        made,
        "/jobs/{job_id}/segments/{stream}/{first}",
        results.segment,
        operation_id="get_segment",
        summary="128 frames of a stream as columns, also while the job runs",
        response_class=Response,
        responses=FILE | problems(404, 409, 412, 416, 422),
    )
    parts = (verified, records, counts, movements, speeds, overview, geometry, verdicts, pictures, playback)
    return joined(made, *(part.router(edge, asked) for part in parts))


class _Results:
    def __init__(self, edge: Edge, asked: Asked) -> None:
        self._edge, self._asked = edge, asked
        self._stored = Stored(edge.backend.objects, edge.pool)
        self._manifests = Manifests(edge.backend, edge.pool)
        self._pool: Pool = edge.pool

    async def list(self, request: Request, job_id: str) -> ResultsBody:
        """Segments have a route of their own and are left out."""
        job = await self._asked.ready(request, job_id)
        listed = await self._manifests.files(job)
        base = f"/api/v1/jobs/{job.job_id}/results/"
        files = [
            FileBody(
                path=path,
                format=format_of(path),
                bytes=stat.size,
                sha256=stat.sha256,
                type=type_of(path),
                use=_use(path),
                link=base + path,
            )
            for path, stat in listed.items()
        ]
        formats = [
            FormatBody(
                format=name,
                use=each.use,
                files=[file.path for file in files if file.format == name],
                link=base + name,
            )
            for name, each in FORMATS.items()
        ]
        return ResultsBody(files=files, formats=formats)

    async def file(
        self,
        request: Request,
        job_id: str,
        name: str,
        seen_from: Annotated[
            int | None,
            Query(
                ge=0,
                le=2**53,
                description="Number of a sampled frame on whose picture boxes are given, where the objects stood on the ground; "
                "without those of frames from which nothing leads there. Of the formats csv, mot, ndjson and parquet. It matters "
                "where the camera moves.",
            ),
        ] = None,
    ) -> Response:
        """A published file comes from the store, with ranges; what was not published is made now, without."""
        job = await self._asked.ready(request, job_id)
        listed = await self._manifests.files(job)
        paths = [name] if name in listed else [path for path in listed if format_of(path) == name]
        if len(paths) == 1 and seen_from is None:
            (path,) = paths
            key = folder_of(job) + path
            saved = file_name(job, path)
            return await self._stored.serve(request, key, type_of(path), saved, listed[path])
        if name not in FORMATS:
            raise Problem(
                404, "not_found", f"The result has no such file, and no such format: {', '.join(FORMATS)}."
            )
        etag = tag_of("export", job.result.get("sha256"), job.clock_start, name, seen_from)
        if name == "video" and seen_from is None:
            saved = file_name(job, "annotated.mp4")
            span: dict[str, Any] = {"start_us": 0, "end_us": None, "annotated": True}
            return await self._asked.answer(request, job, "clip", etag=etag, name=saved, **span)
        return await self._asked.answer(request, job, "export", etag=etag, target=name, frame=seen_from)

    async def video(self, request: Request, job_id: str) -> Response:
        """With ranges, as a player asks. It is sent as a download: a player does not mind, and a page never is one."""
        job = await self._asked.job(request, job_id)
        source, backend = source_of(job), self._edge.backend
        if source.root and source.kind == "images":
            raise Problem(
                404, "no_video_file", "The source of this job is a folder of images: ask for a clip."
            )
        where = Below(backend.roots, source.root) if source.root else backend.objects
        try:
            head = await self._pool.call(lambda: b"".join(where.read(source.key, 0, HEAD)))
        except NotFound:
            raise Problem(404, "source_gone", "The source of this job was removed.") from None
        kind, ending = video_type(head)
        saved, stat = file_name(job, f"source.{ending}"), Stat(source.bytes, source.sha256 or source.times)
        return await Stored(where, self._pool).serve(
            request, source.key, kind, saved, stat, "private, no-cache"
        )

    async def index(self, request: Request, job_id: str) -> Response:
        """When each frame is shown, its number, which are sampled, which are known to be undecodable; it never changes.

        Little endian: `SLFRAMES`, u4 1, u4 0, i8 N, i8 `media_start_us`, i8 duration in microseconds; then columns of N:
        i8 presentation times in microseconds from the first frame, i8 numbers, i4 seq or -1, u1 failed.
        """
        job = await self._asked.job(request, job_id)
        etag = tag_of("index", job.job_id, recipe_of(job).run_key)
        return await self._asked.answer(request, job, "index", etag=etag, cache=FOR_EVER)

    async def camera(self, request: Request, job_id: str) -> Response:
        """Nothing where it stood still, or nobody knows; by it lines and zones are laid on frames that they were not drawn on.

        Little endian: `SLCAMERA`, u2 1, u2 0, u4 0, i8 F; then F times f8 a, b, x, y, where the ground is in each sampled frame:
        a point x0, y0 of the first frame of the stretch is at a x0 - b y0 + x, b x0 + a y0 + y, in pixels; F times i8 stretch: what
        has another number has no ground in common; u4 CRC-32 of all that.
        """
        job = await self._asked.ready(request, job_id)
        stat = await self._manifests.camera(job)
        if stat is None:
            return Response(status_code=204, headers={"Cache-Control": "no-cache"})
        key, name = folder_of(job) + CAMERA_BIN, file_name(job, "camera.bin")
        return await self._stored.serve(request, key, "application/octet-stream", name, stat)

    async def segment(
        self,
        request: Request,
        job_id: str,
        stream: str,
        first: Annotated[int, Path(ge=0, le=2**53, description="Seq of its first frame, a multiple of 128.")],
    ) -> Response:
        """A segment never changes. One that is not there yet is 409 while the job runs."""
        job = await self._asked.job(request, job_id)
        recipe = recipe_of(job)
        if stream not in stored_streams(recipe) or first % SEGMENT_FRAMES or first >= recipe.sampled:
            raise Problem(
                404, "not_found", f"There is no such segment; streams: {', '.join(stored_streams(recipe))}."
            )
        path = segment_path(stream, first)
        try:
            return await self._stored.serve(
                request,
                recipe.route.prefix + path,
                "application/octet-stream",
                file_name(job, path),
                cache=FOR_EVER,
            )
        except NotFound:
            if job.state in TERMINAL:
                raise Problem(404, "not_found", "The job ended before it had this segment.") from None
            raise not_ready(job) from None


def _use(path: str) -> str:
    name = format_of(path)
    return OTHERS.get(path, "") if name is None else FORMATS[name].use
