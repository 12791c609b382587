"""What the JSON forms of all dialects have in common: ranges of numbers, boxes, births, and the version."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal

import msgspec
import numpy as np

from sightline.camera import Motion
from sightline.errors import Misconfigured
from sightline.events.records import Detected, Sampled, Tracked
from sightline.types import Origin, TrackTable

__all__ = [
    "INLINE_BYTES",
    "MAX_BYTES",
    "NEWEST",
    "UNREADABLE",
    "VERSION",
    "Birth",
    "Box",
    "JobId",
    "MotionRow",
    "Natural",
    "OriginId",
    "Score",
    "Seq",
    "Version",
    "Versions",
    "Whole",
    "birth_rows",
    "births_of",
    "camera_of",
    "camera_row",
    "check_boxes",
    "check_version",
    "place_of",
]

VERSION: Literal[1] = 1
NEWEST: Literal[2] = (
    2  # what is said of the camera's motion; a record that says nothing of it is of version 1
)
Version = Literal[1]
Versions = Literal[1, 2]
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


# a, b, x, y; see `sightline.camera.Motion`.
MotionRow = tuple[float, float, float, float]
# The longest step of a corner that anybody believes, and the least scale, so that no number grows without end.
_FARTHEST, _LEAST, _MOST = 1e6, 1e-3, 1e3
_MAX_LOOK = 128 * 1024

_PLACE = ("row", "tick", "chunk", "first", "end", "first_tick", "end_tick")


class _Versioned(msgspec.Struct):
    """A record, by what it is called in any dialect."""

    v: int
    job_id: str = ""
    event_id: str = ""


_versions = msgspec.json.Decoder(_Versioned)


def check_version(value: bytes, newest: int = VERSION) -> None:
    """A form that only a newer program knows may be whole: it is not for this one to call it unreadable.

    Raises:
        Misconfigured: a newer program wrote it (code `newer_record`).
    """
    try:
        found = _versions.decode(value)
    except UNREADABLE:
        return
    if found.v > newest and (found.job_id or found.event_id):
        raise Misconfigured(
            f"a record of version {found.v}, this program reads {newest}: update it", code="newer_record"
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


def _motion_row(motion: Motion | None) -> MotionRow | None:
    return None if motion is None else (motion.a, motion.b, motion.x, motion.y)


def _motion_of(row: MotionRow | None) -> Motion | None:
    if row is None:
        return None
    a, b, x, y = row
    if not (_LEAST <= math.hypot(a, b) <= _MOST and abs(x) <= _FARTHEST and abs(y) <= _FARTHEST):
        raise ValueError(f"motion {row}")
    return Motion(a, b, x, y)


def _look_of(blob: bytes) -> bytes:
    if len(blob) > _MAX_LOOK:
        raise ValueError(f"a look of {len(blob)} bytes")
    return blob


def _as_it_is(value: Any) -> Any:
    return value


_CAMERA: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "before": (_as_it_is, _as_it_is),
    "with_look": (_as_it_is, _as_it_is),
    "motion": (_motion_row, _motion_of),
    "look": (_as_it_is, _look_of),
}


def camera_row(record: Sampled | Detected | Tracked) -> dict[str, Any]:
    """What a record says, or wants to know, of the camera's motion, as its form has it; and `v`.

    That is the lowest version whose form holds the record: older programs read what says nothing of a camera.
    """
    row = {name: to(getattr(record, name)) for name, (to, _) in _CAMERA.items() if hasattr(record, name)}
    return {"v": NEWEST if any(row.values()) else VERSION, **row}


def camera_of(wire: msgspec.Struct) -> dict[str, Any]:
    """The same of a form, as its record has it.

    Raises:
        ValueError: no camera moves so, or a look is larger than any is.
    """
    named = wire.__struct_fields__
    return {name: of(getattr(wire, name)) for name, (_, of) in _CAMERA.items() if name in named}


def place_of(frame: Any) -> dict[str, Any]:
    """Where a sampled frame is found and decoded, of its record or of its form."""
    return {name: getattr(frame, name) for name in _PLACE}
