"""Job rows: whether there is one; and values in rows and notes: JSON that carries its version, read by this release and later ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from sightline.errors import Corrupt, Misconfigured, NotFound
from sightline.ports import Jobs

__all__ = ["is_there", "read"]

Value = TypeVar("Value")


def is_there(jobs: Jobs, job_id: str) -> bool:
    """Whether there is a job."""
    try:
        jobs.get(job_id)
    except NotFound:
        return False
    return True


def read(values: Any, kind: type[Value], version: int, what: str) -> Value:
    """A value that a row or a note holds.

    Args:
        values: of the row, or the note's.
        kind: of the value.
        version: the newest that this release knows.
        what: it is, for messages.

    Raises:
        Misconfigured: a newer release wrote it.
        Corrupt: it is none.
    """
    written = values.get("v") if isinstance(values, Mapping) else None
    if isinstance(written, int) and written > version:
        raise Misconfigured(
            f"{what} of version {written}, this Sightline knows {version}; use the newer Sightline",
            code="file_version",
        )
    try:
        return msgspec.convert(values, kind)
    except msgspec.ValidationError as error:
        raise Corrupt(f"{what} cannot be read: {error}") from error
