"""Counts on the clock, and counted again with other lines: the worker counts, from what the run has left."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from sightline.api.documented import get, problems
from sightline.api.problems import invalid
from sightline.api.v1.asked import Asked, file_name
from sightline.api.v1.edge import Edge
from sightline.api.v1.result_models import CountBody, FilterBody, RecountBody
from sightline.api.v1.shapes import shapes_of
from sightline.errors import Misconfigured
from sightline.formats.count_bins import parse_bins
from sightline.ports import Job

__all__ = ["router"]

WORDS = 100
Table = Literal["counts", "events"]
Bins = Annotated[
    str | None, Query(max_length=20, description="15m, 30s, 1h: on the clock; without it one bin for all.")
]
Tables = Annotated[Table, Query(description="Which table, where `Accept` asks for `text/csv`.")]
Evidence = Annotated[
    bool, Query(description="Whether every event is listed; false while a line is dragged, which is quicker.")
]
ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Counts with their evidence; `text/csv` where `Accept` asks for it.",
        "content": {"text/csv": {}},
    }
}


def router(edge: Edge, asked: Asked) -> APIRouter:
    """`/counts`."""
    made = edge.router("counts")

    async def counts(
        request: Request,
        job_id: str,
        bins: Bins = None,
        lines: Annotated[
            str | None, Query(max_length=4096, description="Names of lines and zones, with commas; all.")
        ] = None,
        classes: Annotated[
            str | None, Query(max_length=4096, description="Labels or groups, with commas; all.")
        ] = None,
        min_confidence: Annotated[float, Query(ge=0, le=1, allow_inf_nan=False)] = 0.0,
        min_hits: Annotated[int | None, Query(ge=1, le=100_000)] = None,
        table: Tables = "counts",
        evidence: Evidence = True,
    ) -> Response:
        """At the lines and zones that were drawn for the job; unique objects where there are none."""
        job = await asked.ready(request, job_id)
        chosen, names = _words("classes", classes), _words("lines", lines)
        which = FilterBody(classes=chosen or [], min_confidence=min_confidence, min_hits=min_hits)
        return await answer(request, job, bins, which, table, names=names, with_evidence=evidence)

    async def recount(
        request: Request, job_id: str, body: RecountBody, table: Tables = "counts", evidence: Evidence = True
    ) -> Response:
        """Nothing is stored and nothing changes: as often as a line moves."""
        job = await asked.ready(request, job_id)
        drawn = None
        if body.lines is not None or body.zones is not None:
            drawn = shapes_of(job, body.lines, body.zones).text
        which = FilterBody(classes=body.classes, min_confidence=body.min_confidence, min_hits=body.min_hits)
        return await answer(request, job, body.bins, which, table, geometry=drawn, with_evidence=evidence)

    async def answer(
        request: Request, job: Job, bins: str | None, which: FilterBody, table: Table, **more: Any
    ) -> Response:
        _check(bins)
        wanted = table if _wants_csv(request) else "json"
        name = "" if wanted == "json" else file_name(job, f"{wanted}.csv")
        asking = {"geometry": None, "bins": bins, "which": which.model_dump(), "table": wanted, **more}
        response = await asked.answer(request, job, "count", name=name, **asking)
        response.headers["Vary"] = "Accept"
        return response

    documented: dict[str, Any] = {
        "response_model": None,
        "responses": {200: {**ANSWERS[200], "model": CountBody}} | problems(404, 409, 413, 415, 422, 429),
    }
    get(
        made,
        "/jobs/{job_id}/counts",
        counts,
        operation_id="get_counts",
        summary="Counts by bins on the clock",
        **documented,
    )
    made.add_api_route(
        "/jobs/{job_id}/counts",
        recount,
        methods=["POST"],
        operation_id="recount",
        summary="Count again, with other lines, zones and filters",
        **documented,
    )
    return made


def _check(bins: str | None) -> None:
    try:
        if bins is not None:
            parse_bins(bins)
    except Misconfigured as error:
        raise invalid(("bins", str(error))) from error


def _words(field: str, text: str | None) -> list[str] | None:
    """Words with commas between them; None where nothing was said.

    Raises:
        Problem: 422: too many, or one that is too long.
    """
    if text is None:
        return None
    words = [word.strip() for word in text.split(",") if word.strip()]
    if len(words) > WORDS or max(map(len, words), default=0) > WORDS:
        raise invalid((field, f"{WORDS} words of {WORDS} characters are allowed"))
    return words


def _wants_csv(request: Request) -> bool:
    """Whether `text/csv` is asked for, and no more than JSON is."""
    weights = {"text/csv": 0.0, "application/json": 0.0}
    for item in request.headers.get("accept", "").split(",")[:20]:
        kind, *parameters = (part.strip().lower() for part in item.split(";"))
        weight = next((part.removeprefix("q=") for part in parameters if part.startswith("q=")), "1")
        if kind in weights:
            weights[kind] = float(weight) if weight.replace(".", "", 1).isdecimal() else 0.0
    return weights["text/csv"] > weights["application/json"]
