"""Verdicts: people say of each event whether it was right, and add those that are missing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from sightline.api.access import caller_of
from sightline.api.documented import get, problems
from sightline.api.problems import Problem, invalid
from sightline.api.v1.asked import Asked, recipe_of
from sightline.api.v1.edge import Edge
from sightline.api.v1.filters import Bins, check_bins
from sightline.api.v1.result_models import AuditBody, VerdictIn
from sightline.api.v1.shapes import size_of
from sightline.errors import Conflict
from sightline.formats.evidence_json import Said, Verdict, missed_id, shape_digest
from sightline.jobs.audits import geometry_of, say, verdicts_of, withdraw
from sightline.ports import Job

__all__ = ["router"]

SAID: Mapping[str, Said] = {"accept": "accepted", "reject": "rejected", "missed": "missed"}
MOST = 20_000  # verdicts of a job


def router(edge: Edge, asked: Asked) -> APIRouter:
    """`/verdicts`."""
    made, notes = edge.router("counts"), edge.backend.notes

    async def read(request: Request, job_id: str, bins: Bins = None) -> Response:
        """Every event at the lines and zones of the job, what was said of it, and counts raw and verified."""
        job = await asked.ready(request, job_id)
        check_bins(bins)
        return await asked.answer(request, job, "audit", **({} if bins is None else {"bins": bins}))

    async def judge(request: Request, job_id: str, body: VerdictIn) -> Response:
        """The answer is the whole audit, with this verdict in it. The last verdict on an event holds."""
        job = await asked.ready(request, job_id)
        if body.verdict == "missed":
            event = await edge.pool.call(_missed, edge, job, body)
        else:
            event = await known(job, body)
        try:
            if body.verdict == "withdraw":
                await edge.pool.call(withdraw, notes, job.job_id, event["id"])
            else:
                by, at = caller_of(request).name, _time(edge.backend.now_us())
                stored = {
                    name: value for name, value in event.items() if name not in ("said", "by", "at", "id")
                }
                verdict = Verdict(said=SAID[body.verdict], event=stored, by=by, at=at)
                await edge.pool.call(say, notes, job.job_id, event["id"], verdict)
        except Conflict:
            raise Problem(409, "conflict", "Somebody else said something of it just now.") from None
        await edge.found.kept(job.job_id)
        return await asked.answer(request, job, "audit")

    async def known(job: Job, body: VerdictIn) -> dict[str, Any]:
        """The event that a verdict is about."""
        if body.event is None:
            raise invalid(("event", "it is missing"))
        audit = await asked.whole("audit", job_id=job.job_id)
        lists = ("events", "missed", "stale") if body.verdict == "withdraw" else ("events",)
        for each in (event for name in lists for event in audit[name]):
            if each["id"] == body.event:
                return dict(each)
        raise Problem(404, "no_event", "There is no such event at the lines and zones as they are drawn now.")

    audit: dict[int | str, dict[str, Any]] = {200: {"model": AuditBody, "description": "The audit."}}
    get(
        made,
        "/jobs/{job_id}/verdicts",
        read,
        operation_id="get_verdicts",
        summary="Events, what people said of them, and counts raw and verified",
        response_model=None,
        responses=audit | problems(404, 409, 422, 429),
    )
    made.add_api_route(
        "/jobs/{job_id}/verdicts",
        judge,
        methods=["POST"],
        operation_id="judge",
        summary="Accept or reject an event, add a missed one, or take that back",
        response_model=None,
        responses=audit | problems(404, 409, 413, 415, 422, 429),
    )
    return made


def _missed(edge: Edge, job: Job, body: VerdictIn) -> dict[str, Any]:
    """An event that somebody adds, as evidence has them.

    Raises:
        Problem: 422: there is no such line, direction, label or frame.
    """
    recipe, drawn = recipe_of(job), geometry_of(edge.backend.notes, job.job_id)
    if len(verdicts_of(edge.backend.notes, job.job_id)) >= MOST:
        raise Problem(413, "too_large", f"A job may have {MOST} verdicts.")
    shapes = drawn.lines if body.kind == "line" else drawn.zones
    shape = next((each for each in shapes if each.name == body.name), None)
    if shape is None:
        raise invalid(("name", f"there is no such {'line' if body.kind == 'line' else 'zone'}"))
    words = getattr(shape, "directions", ("",))
    if body.direction not in words:
        raise invalid(("direction", f"it is one of {', '.join(words)}" if any(words) else "a zone has none"))
    group = next((each.name for each in recipe.settings.groups if body.label in each.labels), None)
    if group is None:
        labels = ", ".join(label for each in recipe.settings.groups for label in each.labels)
        raise invalid(("label", f"it is one of {labels}"))
    if body.frame is None or body.frame >= recipe.source.frames:
        raise invalid(("frame", f"it is 0 to {recipe.source.frames - 1}"))
    event = {
        "shape": shape_digest(shape, size_of(job)),
        "kind": body.kind,
        "name": body.name,
        "direction": body.direction,
        "group": group,
        "label": body.label,
        "frame": body.frame,
        "x": body.x,
        "y": body.y,
    }
    return {"id": missed_id(event), **event}


def _time(now_us: int) -> str:
    return datetime.fromtimestamp(now_us / 1e6, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
