"""Jobs as rows of a table, and places between them: what stores of tables have in common.

`made` is what never changes of a job, as JSON; what changes has columns of its own. Jobs are numbered, no number is used
twice, and a cursor names one: a place between jobs for ever.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec

from sightline.errors import Misconfigured
from sightline.ports import Job, JobState, Which

__all__ = ["cursor_of", "job_of_row", "json_of", "made_of", "place_of"]

_NEWEST = 2**63 - 1
_CURSOR = re.compile(r"n:([0-9a-f]{1,15})")


def json_of(value: Any) -> str:
    """JSON as text."""
    return msgspec.json.encode(value).decode()


def made_of(job: Job) -> str:
    """What never changes of a job."""
    return json_of(replace(job, state="new", code="", reason="", result={}, facts={}, times={}))


def job_of_row(
    times: Mapping[JobState, int], made: str, state: JobState, code: str, reason: str, result: str, facts: str
) -> Job:
    """The job of a row.

    Raises:
        msgspec.DecodeError: the row is damaged.
    """
    decode = msgspec.json.decode
    job = decode(made, type=Job)
    return replace(
        job, state=state, code=code, reason=reason, result=decode(result), facts=decode(facts), times=times
    )


def cursor_of(number: int) -> str:
    """The cursor of the place behind a job.

    >>> place_of(cursor_of(300), Which())
    300
    """
    return f"n:{number:x}"


def place_of(cursor: str, which: Which) -> int:
    """The number that a cursor names; without one, that before the first page.

    Raises:
        Misconfigured: it is no cursor (code `cursor`).
    """
    if not cursor:
        return 0 if which.oldest_first else _NEWEST
    found = _CURSOR.fullmatch(cursor)
    if found is None:
        raise Misconfigured(f"{cursor!r} is no cursor: begin with the first page", code="cursor")
    return int(found[1], 16)
