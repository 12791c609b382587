"""What is said when something is wrong: `application/problem+json` (RFC 9457), with a code that never changes.

No stack, no path of this machine: of an error only what blames the request is repeated.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import msgspec
from starlette.responses import Response

from sightline.errors import (
    Conflict,
    InvalidVideo,
    Misconfigured,
    NotFound,
    Rejected,
    SightlineError,
    TooLarge,
    Unavailable,
)

__all__ = [
    "RETRY",
    "FieldError",
    "Problem",
    "body_of",
    "cleaned",
    "invalid",
    "invalid_of",
    "problem_of",
    "response_of",
]

JSON = "application/problem+json"
TITLES = {460: "Checksum Mismatch"}  # of tus, in no list of HTTP's
RETRY = frozenset({409, 429, 503, 507})
# What a probe says of bytes that are of no kind that is read here.
UNSUPPORTED = frozenset({"unsupported", "container", "media_type"})
_PATH = re.compile(r"(?<![\w.])/(?:[\w.+-]+/)+[\w.+-]*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")

FieldError = tuple[str, str]
"""A field, and what is wrong with it."""


class Problem(Exception):
    """An answer that is not what was asked for.

    Attributes:
        status: of HTTP.
        code: a short word for machines; docs/troubleshooting.md has an entry for each.
        detail: a sentence for people.
        errors: fields that are wrong.
        headers: beside those of every answer.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail = status, code, detail
        self.errors, self.headers = tuple(errors), dict(headers or {})


def invalid(*errors: FieldError) -> Problem:
    """A request whose fields are wrong."""
    return Problem(422, "invalid", "; ".join(f"{field}: {said}" for field, said in errors), errors=errors)


def invalid_of(errors: Iterable[Mapping[str, Any]]) -> Problem:
    """A request whose fields pydantic found wrong: `query.limit`, `body.name`."""
    return invalid(
        *((".".join(map(str, each["loc"]))[:128], cleaned(str(each["msg"]))[:200]) for each in errors)
    )


def problem_of(error: SightlineError) -> Problem:
    """The answer to an error of a port or a probe."""
    if isinstance(error, TooLarge):
        return Problem(413, error.code, cleaned(str(error)))
    if isinstance(error, NotFound):
        return Problem(404, error.code, "There is nothing of that name.")
    if isinstance(error, Rejected):
        said = error.reason if isinstance(error, InvalidVideo) else str(error)
        return Problem(415 if error.code in UNSUPPORTED else 422, error.code, cleaned(said))
    if isinstance(error, Conflict):
        return Problem(409, error.code, "Somebody else changed it at the same time; look at it again.")
    if isinstance(error, Misconfigured) and error.code == "cursor":
        return Problem(400, error.code, "This is no cursor: begin with the first page.")
    if isinstance(error, Misconfigured) and error.code == "no_label":
        return Problem(422, error.code, cleaned(str(error)))
    if isinstance(error, Unavailable) and error.code == "disk_full":
        return Problem(507, error.code, "No room is left; repeat the request later.")
    return Problem(503, error.code, "A part of the service is not available; repeat the request later.")


def response_of(problem: Problem, path: str, retry_s: int) -> Response:
    """The answer as it is sent; `path` is the request's, still encoded."""
    headers = dict(problem.headers)
    if problem.status in RETRY:
        headers.setdefault("Retry-After", str(retry_s))
    return Response(body_of(problem, path), problem.status, headers, JSON)


def body_of(problem: Problem, path: str = "") -> bytes:
    """The JSON of an answer."""
    body: dict[str, Any] = {
        "type": f"/docs/troubleshooting#{problem.code}",
        "title": TITLES.get(problem.status) or HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
        "instance": path[:200],
        "code": problem.code,
    }
    if problem.errors:
        body["errors"] = [{"field": field, "detail": said} for field, said in problem.errors]
    return msgspec.json.encode(body)


def cleaned(text: str) -> str:
    """A message without paths of this machine and without control characters, 500 characters at most."""
    return _PATH.sub("…", _CONTROL.sub(" ", text))[:500]
