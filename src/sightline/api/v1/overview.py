"""A job at a glance: the worker looks, over the run that it holds open."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import ConfigDict
from starlette.requests import Request
from starlette.responses import Response

from sightline.api.documented import Strict, get, problems
from sightline.api.v1.asked import SAME, Asked, tag_of
from sightline.api.v1.edge import Edge
from sightline.api.v1.filters import Classes, MinConfidence, MinHits, filter_of
from sightline.api.v1.result_models import FILTER, FilterBody

__all__ = ["router"]

SEEN = {"unique": 2, "peak": 2, "peak_frame": 41, "peak_pts_us": 1_640_000}
EXAMPLE: dict[str, Any] = {
    "bin_us": 5_000_000,
    "begin_us": 0,
    "duration_us": 10_000_000,
    "groups": [{"group": "cars", "in_view": [2, 1], **SEEN}],
    "classes": [{"group": "cars", "label": "car", **SEEN}],
    "tracks": {"counted": 2, "all": 3},
    "lost": [
        {
            "first_frame": 100,
            "last_frame": 104,
            "start_us": 4_000_000,
            "end_us": 4_200_000,
            "outcome": "failed",
            "reason": "decode",
        }
    ],
    "gaps": [{"start_us": 7_000_000, "end_us": 8_500_000}],
    "rule": {"min_hits": 8, "rate": "25/1"},
    "filter": FILTER,
}


class SeenBody(Strict):
    """How many objects were counted, the most at once, and the first frame with so many; null where there are none."""

    unique: int
    peak: int
    peak_frame: int | None
    peak_pts_us: int | None


class GroupSeenBody(SeenBody):
    """A group; `in_view` has the most objects at once of each bin, 0 where it has no frame."""

    group: str
    in_view: list[int]


class ClassSeenBody(SeenBody):
    """Objects of a group whose label by vote is this one."""

    group: str
    label: str


class TracksBody(Strict):
    """Published tracks, and how many of them count."""

    counted: int
    all: int


class LostBody(Strict):
    """Sampled frames that follow each other and were not looked at, for one reason; `end_us` is exclusive."""

    first_frame: int
    last_frame: int
    start_us: int
    end_us: int
    outcome: str
    reason: str


class GapBody(Strict):
    """Two frames that are more than three usual steps apart, in presentation time."""

    start_us: int
    end_us: int


class RuleBody(Strict):
    """Hits that an object needs, and sampled frames per second as a fraction."""

    min_hits: int
    rate: str


class OverviewBody(Strict):
    """Objects in view over time, and what is missing. Bin n begins at `begin_us` + n * `bin_us`."""

    bin_us: int
    begin_us: int
    duration_us: int
    groups: list[GroupSeenBody]
    classes: list[ClassSeenBody]
    tracks: TracksBody
    lost: list[LostBody]
    gaps: list[GapBody]
    rule: RuleBody
    filter: FilterBody

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": EXAMPLE})


def router(edge: Edge, asked: Asked) -> APIRouter:
    """`/overview`."""
    made = edge.router("counts")

    async def overview(
        request: Request,
        job_id: str,
        bins: Annotated[int, Query(ge=1, le=5000, description="At most so many bins of one length.")] = 600,
        classes: Classes = None,
        min_confidence: MinConfidence = 0.0,
        min_hits: MinHits = None,
    ) -> Response:
        """With the filter of `/counts`: `unique` is what that counts."""
        job = await asked.ready(request, job_id)
        which = filter_of(classes, min_confidence, min_hits).model_dump()
        etag = tag_of("overview", job.result.get("sha256"), bins, which)
        return await asked.answer(request, job, "overview", etag=etag, bins=bins, which=which)

    get(
        made,
        "/jobs/{job_id}/overview",
        overview,
        operation_id="get_overview",
        summary="Objects in view over time, lost frames and gaps",
        response_model=None,
        responses={200: {"model": OverviewBody, "description": "The overview."}, **SAME}
        | problems(404, 409, 422, 429),
    )
    return made
