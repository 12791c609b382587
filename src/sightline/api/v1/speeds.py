"""Speeds and directions of the objects of a job: JSON or CSV, made by the worker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from sightline.api.documented import get, problems
from sightline.api.problems import cleaned, invalid
from sightline.api.v1.asked import Asked
from sightline.api.v1.edge import Edge
from sightline.api.v1.filters import Classes, MinConfidence, MinHits, filter_of
from sightline.api.v1.result_models import FilterBody
from sightline.api.v1.shapes import shapes_of
from sightline.api.v1.speed_models import PlaneBody, SpeedsBody, SpeedsIn
from sightline.errors import InvalidFile
from sightline.formats.plane_json import read_plane
from sightline.ports import Job

__all__ = ["router"]

FORMS: Mapping[str, str] = {"text/csv": "csv"}
Form = Annotated[
    Literal["json", "csv"] | None,
    Query(description="Of the answer; without it what `Accept` asks for."),
]
DrawnOn = Annotated[
    int | None,
    Query(ge=0, le=2**53, description="Number of the sampled frame on whose picture headings are told."),
]


def router(edge: Edge, asked: Asked) -> APIRouter:
    """`/speeds`."""
    made = edge.router("counts")

    async def headings(
        request: Request,
        job_id: str,
        drawn_on: DrawnOn = None,
        objects: Annotated[bool, Query(description="Whether each object has a row of its own.")] = True,
        classes: Classes = None,
        min_confidence: MinConfidence = 0.0,
        min_hits: MinHits = None,
        format: Form = None,
    ) -> Response:
        """Headings, and those at the lines that were drawn for the job; metres are told by a plane, which is posted."""
        job = await asked.ready(request, job_id)
        which = filter_of(classes, min_confidence, min_hits)
        return await answer(request, job, which, format, frame=drawn_on, objects=objects)

    async def measured(request: Request, job_id: str, body: SpeedsIn, format: Form = None) -> Response:
        """Nothing is stored and nothing changes."""
        job = await asked.ready(request, job_id)
        drawn = None if body.lines is None else shapes_of(job, body.lines, None).text
        which = FilterBody(classes=body.classes, min_confidence=body.min_confidence, min_hits=body.min_hits)
        plane = None if body.plane is None else _text(body.plane)
        return await answer(
            request,
            job,
            which,
            format,
            geometry=drawn,
            plane=plane,
            frame=body.drawn_on,
            objects=body.objects,
        )

    async def answer(
        request: Request, job: Job, which: FilterBody, form: str | None, **more: Any
    ) -> Response:
        asking = {"geometry": None, "plane": None, "which": which.model_dump(), **more}
        return await asked.table(request, job, "speeds", FORMS, form, **asking)

    table = {
        200: {
            "model": SpeedsBody,
            "description": "The table, in the form that was asked for. CSV has a row an object; with lines of the body, a crossing.",
            "content": {kind: {} for kind in FORMS},
        }
    }
    documented: dict[str, Any] = {
        "response_model": None,
        "responses": table | problems(404, 409, 413, 415, 422, 429),
    }
    get(
        made,
        "/jobs/{job_id}/speeds",
        headings,
        operation_id="get_speeds",
        summary="Directions of objects: how many went where",
        **documented,
    )
    made.add_api_route(
        "/jobs/{job_id}/speeds",
        measured,
        methods=["POST"],
        operation_id="measure_speeds",
        summary="Directions, and speeds by four points of known distance, each with its error",
        **documented,
    )
    return made


def _text(plane: PlaneBody) -> str:
    """The text of a file that holds the plane.

    Raises:
        Problem: 422: its points are no plane.
    """
    text = msgspec.json.encode(plane.model_dump(exclude_none=True)).decode()
    try:
        read_plane(text, "body")
    except InvalidFile as error:
        raise invalid(("plane", cleaned(error.reason))) from error
    return text
