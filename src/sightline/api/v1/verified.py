"""Whether a result is whole: the worker counts its frames again and compares every file with its hash."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import ConfigDict
from starlette.requests import Request
from starlette.responses import Response

from sightline.api.documented import JOB, Strict, get, problems
from sightline.api.v1.asked import Asked
from sightline.api.v1.edge import Edge

__all__ = ["router"]


class VerifiedBody(Strict):
    """What was checked, and what is wrong; a result without problems is whole."""

    job_id: str
    frames: int
    files: int
    problems: list[str]

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"job_id": JOB, "frames": 250, "files": 31, "problems": []}},
    )


def router(edge: Edge, asked: Asked) -> APIRouter:
    """The route that checks a result."""
    made, verified = edge.router("results"), _Verified(asked)
    get(
        made,
        "/jobs/{job_id}/verify",
        verified.verify,
        operation_id="verify_job",
        summary="Check the account of the frames and the hash of every file of a result",
        response_model=VerifiedBody,
        responses=problems(404, 409, 429),
    )
    return made


class _Verified:
    def __init__(self, asked: Asked) -> None:
        self._asked = asked

    async def verify(self, request: Request, job_id: str) -> Response:
        """Everything is read anew for each question, which takes as long as that does; one is answered at a time."""
        job = await self._asked.ready(request, job_id)
        return await self._asked.answer(request, job, "verify")
