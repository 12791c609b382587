"""What the JSON forms of all dialects have in common: ranges of numbers, boxes, births, and the version."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
import numpy as np

from sightline.errors import Misconfigured
from sightline.types import Origin, TrackTable

__all__ = [
    "INLINE_BYTES",
    "MAX_BYTES",
    "UNREADABLE",
    "VERSION",
    "Birth",
    "Box",
    "JobId",
    "Natural",
    "OriginId",
    "Score",
    "Seq",
    "Version",
    "Whole",
    "birth_rows",
    "births_of",
    "check_boxes",
    "check_version",
    "place_of",
]

VERSION: Literal[1] = 1
Version = Literal[1]
MAX_BYTES = 512 * 1024  # of a record
INLINE_BYTES = (
    1024 * 1024 - 64 * 1024
)  # of one that may bring a picture along; brokers stop at 1 MiB with what is around it
# What decoding raises for bytes that are not of the form.
UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, ValueError, RecursionError)

# Every number must fit into an int64 column, or it would end the stage that makes one of it.
Whole = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
Natural = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Seq = Annotated[int, msgspec.Meta(ge=0, lt=2**53)]
OriginId = Annotated[int, msgspec.Meta(ge=0, le=3)]
JobId = Annotated[str, msgspec.Meta(min_length=1)]
Score = Annotated[float, msgspec.Meta(gt=0, le=1)]
Box = tuple[float, float, float, float]
Birth = tuple[Natural, Natural, Natural, float, float, float, float, float]


_PLACE = ("row", "tick", "chunk", "first", "end", "first_tick", "end_tick")


class _Versioned(msgspec.Struct):
    """A record, by what it is called in any dialect."""

    v: int
    job_id: str = ""
    event_id: str = ""


_versions = msgspec.json.Decoder(_Versioned)


def check_version(value: bytes) -> None:
    """A form that only a newer program knows may be whole: it is not for this one to call it unreadable.

    Raises:
        Misconfigured: a newer program wrote it (code `newer_record`).
    """
    try:
        found = _versions.decode(value)
    except UNREADABLE:
        return
    if found.v > VERSION and (found.job_id or found.event_id):
        raise Misconfigured(
            f"a record of version {found.v}, this program reads {VERSION}: update it", code="newer_record"
        )


def check_boxes(boxes: Sequence[Box]) -> None:
    """Corners in their order, all of them finite.

    Raises:
        ValueError: a box is none.
    """
    for x1, y1, x2, y2 in boxes:
        if not (x2 >= x1 and y2 >= y1 and math.isfinite(x1 + y1 + x2 + y2)):
            raise ValueError(f"box {(x1, y1, x2, y2)}")


def birth_rows(births: TrackTable) -> list[Birth]:
    """Births as rows of seq, track, class, corners, confidence."""
    columns = (births.seq, births.track_id, births.class_id, *births.xyxy.T, births.confidence)
    return list(zip(*(column.tolist() for column in columns), strict=True)) if len(births) else []


def births_of(rows: Sequence[Birth]) -> TrackTable:
    """The table of `birth_rows`."""
    if not rows:
        return TrackTable.empty()
    seq, track_id, class_id, x1, y1, x2, y2, confidence = zip(*rows, strict=True)
    xyxy = np.column_stack([x1, y1, x2, y2])
    columns: tuple[Any, ...] = (seq, track_id, class_id, xyxy, confidence, np.full(len(rows), Origin.BIRTH))
    return TrackTable(*columns)


def place_of(frame: Any) -> dict[str, Any]:
    """Where a sampled frame is found and decoded, of its record or of its form."""
    return {name: getattr(frame, name) for name in _PLACE}
