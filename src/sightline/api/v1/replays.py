"""A job run again from a stage on, on what it has stored."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter
from msgspec import UNSET
from pydantic import ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from sightline.api.access import caller_of
from sightline.api.documented import Strict, problems
from sightline.api.problems import Problem, cleaned, invalid
from sightline.api.v1.changes import AGAIN, KEY, answer, unknown
from sightline.api.v1.edge import Edge
from sightline.api.v1.models import JobBody
from sightline.api.v1.views import Views
from sightline.api.wanted import conflict_of_key
from sightline.errors import Misconfigured, NotFound
from sightline.jobs import replays, requests
from sightline.pipeline import TrackerOverrides, replay_of
from sightline.ports import Job

__all__ = ["router"]

EXAMPLE: dict[str, Any] = {"from": "track", "tracker": {"track_buffer": 60}}


class TrackerChanges(Strict):
    """Settings of the tracker; what is left out stays as the job has it."""

    mode: Literal["bytetrack", "quality"] | None = None
    track_high_thresh: float | None = Field(default=None, ge=0, le=1)
    track_low_thresh: float | None = Field(default=None, ge=0, le=1)
    new_track_thresh: float | None = Field(default=None, ge=0, le=1)
    match_thresh: float | None = Field(default=None, gt=0, le=1)
    track_buffer: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    fuse_score: bool | None = None
    evidence: bool | None = None


class ReplayRequest(Strict):
    """Where a job is run again from: `track` takes its stored detections, `detect` the frames that it sampled.

    Settings can be changed from `track` on.
    """

    stage: Literal["detect", "track"] = Field(alias="from")
    tracker: TrackerChanges = TrackerChanges()
    refine: bool | None = Field(None, description="Whether finished tracks are improved.")

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": EXAMPLE})


def router(edge: Edge) -> APIRouter:
    """The route that replays a job."""
    made = edge.router("jobs")
    made.add_api_route(
        "/jobs/{job_id}/replay",
        _Replays(edge).replay,
        methods=["POST"],
        status_code=201,
        operation_id="replay_job",
        summary="Run a job again from a stage on",
        response_model=JobBody,
        responses=AGAIN | problems(404, 408, 409, 413, 422, 507),
    )
    return made


class _Replays:
    def __init__(self, edge: Edge) -> None:
        self._edge, self._views = edge, Views(edge.backend)

    async def replay(
        self, request: Request, job_id: str, body: ReplayRequest, idempotency_key: KEY = None
    ) -> Response:
        """A new job on what this one has stored; both results stay. From `track` on its video is not opened.

        What is said of the tracker changes, the rest is as it was; 409 where what it would begin with is not stored.
        """
        caller = caller_of(request)
        job = await self._edge.found.job(caller, job_id)
        async with self._edge.intake.once(idempotency_key, f"replay {job_id}", caller.name) as turn:
            if isinstance(turn, Job):
                child = _same(turn, body)
            else:
                child = await self._edge.pool.call(self._made, job, turn.job_id, body)
        return await answer(self._edge, self._views, child, 201)

    def _made(self, job: Job, child_id: str, body: ReplayRequest) -> Job:
        backend = self._edge.backend
        changes = TrackerOverrides(**body.tracker.model_dump())
        try:
            there = replays.begin(
                job,
                child_id,
                body.stage,
                lambda recipe: replay_of(recipe, body.stage, changes, body.refine),
                jobs=backend.store,
                ledger=backend.store,
                objects=backend.objects,
                notes=backend.notes,
                now_us=backend.now_us(),
            )
        except NotFound:
            raise unknown() from None
        except Misconfigured as error:
            if error.code in (replays.NOT_ENDED, replays.NOTHING_STORED):
                raise Problem(409, error.code, cleaned(str(error))) from None
            raise invalid(("body", cleaned(str(error)))) from None
        if not there:
            raise Problem(409, "job_removed", "The job of this Idempotency-Key was removed.")
        return backend.store.get(child_id)


def _same(job: Job, body: ReplayRequest) -> Job:
    """The job again, if this is the request that it was made for."""
    was, said = requests.decode(job.request).replay, body.tracker.model_dump(exclude_none=True)
    if was is UNSET or was.stage != body.stage or body.refine not in (None, was.refine):
        raise conflict_of_key()
    tracker = was.tracker or {}
    changes = bool(said) or body.refine is not None
    if changes != bool(tracker) or any(tracker[name] != value for name, value in said.items()):
        raise conflict_of_key()
    return job
