"""How routes are written down for the OpenAPI document: a GET with its HEAD, and the errors that each may answer with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict

__all__ = ["JOB", "FieldBody", "ProblemBody", "Strict", "get", "joined", "problems"]

JOB = "3f0d1f0e-8f43-4c83-9f0e-5b1d1d8a6f5e"
"""The job of all examples."""
SAID = {
    400: "The request is malformed.",
    401: "A token is needed.",
    403: "The right to do this is missing.",
    404: "There is nothing of this id.",
    405: "The path knows other methods.",
    408: "The request came too slowly.",
    409: "Something else is under way, or was; `code` says what.",
    412: "The thing is not the one that was meant.",
    413: "It is too large.",
    415: "It is of a kind that is not read here.",
    416: "There are no such bytes.",
    422: "A field is wrong; `errors` names it.",
    429: "Too much at a time; `Retry-After` says when to repeat.",
    460: "The checksum is not that of the body.",
    503: "A part of the service is not available; `Retry-After` says when to repeat.",
    507: "No room is left.",
}
ALWAYS = (400, 401, 403, 429, 503)


class Strict(BaseModel):
    """A JSON object of which every key is known."""

    model_config = ConfigDict(extra="forbid")


class FieldBody(Strict):
    """A field that is wrong."""

    field: str
    detail: str


class ProblemBody(Strict):
    """What went wrong (RFC 9457). `code` is a word that never changes; the troubleshooting page has an entry for each."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    errors: list[FieldBody] = []

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "type": "/docs/troubleshooting#not_found",
                "title": "Not Found",
                "status": 404,
                "detail": "There is no job of this id.",
                "instance": f"/api/v1/jobs/{JOB}",
                "code": "not_found",
            }
        },
    )


def joined(*routers: APIRouter) -> APIRouter:
    """One router of the routes of some, as they are: `include_router` makes each of them anew, which takes as long again."""
    whole = APIRouter(redirect_slashes=False)
    for router in routers:
        whole.routes.extend(router.routes)
    return whole


def get(router: APIRouter, path: str, endpoint: Callable[..., Any], **documented: Any) -> None:
    """Register a GET with its HEAD, which is documented once: HEAD is the same without a body.

    Args:
        router: where to.
        path, endpoint: see `APIRouter.add_api_route`; an endpoint whose body does not end looks at `request.method`.
        documented: `operation_id`, `summary`, `responses` and so on.
    """
    router.add_api_route(path, endpoint, methods=["GET"], **documented)
    hidden = {**documented, "include_in_schema": False}
    router.add_api_route(path, endpoint, methods=["HEAD"], **hidden)


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """`responses` of a route: the errors that it may answer with, beside those of every route."""
    return {
        status: {"model": ProblemBody, "description": SAID[status]} for status in sorted({*ALWAYS, *statuses})
    }
