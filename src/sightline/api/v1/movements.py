"""Turning movements, as traffic engineers hand them in: JSON, CSV or a spreadsheet, made by the worker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from sightline.api.documented import get, problems
from sightline.api.v1.asked import Asked
from sightline.api.v1.edge import Edge
from sightline.api.v1.filters import Classes, MinConfidence, MinHits, Names, check_bins, filter_of, words
from sightline.api.v1.movement_models import MovementsBody, MovementsIn
from sightline.api.v1.result_models import FilterBody
from sightline.api.v1.shapes import shapes_of
from sightline.formats.movement_table import HEAVY
from sightline.ports import Job

__all__ = ["router"]

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FORMS: Mapping[str, str] = {"text/csv": "csv", XLSX: "xlsx"}
Form = Annotated[
    Literal["json", "csv", "xlsx"] | None,
    Query(description="Of the answer; without it what `Accept` asks for."),
]


def router(edge: Edge, asked: Asked) -> APIRouter:
    """`/movements`."""
    made = edge.router("counts")

    async def movements(
        request: Request,
        job_id: str,
        bins: Annotated[str, Query(max_length=20, description="15m, 5m, 1h: on the clock.")] = "15m",
        lines: Names = None,
        heavy: Annotated[
            str | None,
            Query(max_length=4096, description=f"Labels of heavy vehicles, with commas; {', '.join(HEAVY)}."),
        ] = None,
        classes: Classes = None,
        min_confidence: MinConfidence = 0.0,
        min_hits: MinHits = None,
        format: Form = None,
    ) -> Response:
        """Between the lines that were drawn for the job."""
        job = await asked.ready(request, job_id)
        which, names, chosen = (
            filter_of(classes, min_confidence, min_hits),
            words("lines", lines),
            words("heavy", heavy),
        )
        heavies = list(HEAVY) if chosen is None else chosen
        return await answer(request, job, bins, which, heavies, format, names=names)

    async def recount(request: Request, job_id: str, body: MovementsIn, format: Form = None) -> Response:
        """Nothing is stored and nothing changes."""
        job = await asked.ready(request, job_id)
        drawn = None if body.lines is None else shapes_of(job, body.lines, None).text
        which = FilterBody(classes=body.classes, min_confidence=body.min_confidence, min_hits=body.min_hits)
        return await answer(request, job, body.bins, which, body.heavy, format, geometry=drawn)

    async def answer(
        request: Request,
        job: Job,
        bins: str,
        which: FilterBody,
        heavy: list[str],
        form: str | None,
        **more: Any,
    ) -> Response:
        check_bins(bins)
        asking = {"geometry": None, "bins": bins, "which": which.model_dump(), "heavy": heavy, **more}
        return await asked.table(request, job, "movements", FORMS, form, **asking)

    kinds: dict[str, Any] = {kind: {} for kind in FORMS}
    table = {
        200: {
            "model": MovementsBody,
            "description": "The table, in the form that was asked for.",
            "content": kinds,
        }
    }
    documented: dict[str, Any] = {
        "response_model": None,
        "responses": table | problems(404, 409, 413, 415, 422, 429),
    }
    get(
        made,
        "/jobs/{job_id}/movements",
        movements,
        operation_id="get_movements",
        summary="Turning movements by bins on the clock, with the peak hour",
        **documented,
    )
    made.add_api_route(
        "/jobs/{job_id}/movements",
        recount,
        methods=["POST"],
        operation_id="recount_movements",
        summary="Turning movements with other lines and filters",
        **documented,
    )
    return made
