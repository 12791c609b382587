"""The native form: one JSON object a record, `"v": 1` (2 where it says anything of the camera's motion), told apart by `kind`.

Every field that a kind needs is required, every other one is unknown: a misspelt field is an error and not a 0. Left out
may be what has a natural absence: `frame` and `pts_us` of the first frame, `outcome` where it is `ok`, an empty `reason`,
the columns of a frame without boxes, `first_tick` and `end_tick` of a chunk without bounds, and what is said of the camera's
motion where nobody asked for it or nothing is known. A form with other fields is another version.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import msgspec

from sightline.errors import Rejected
from sightline.events.records import (
    Contexts,
    Detected,
    End,
    JobContext,
    JobEvent,
    Record,
    Sampled,
    Totals,
    Tracked,
    part_of,
)
from sightline.events.wire import (
    MAX_BYTES,
    NEWEST,
    UNREADABLE,
    VERSION,
    Birth,
    Box,
    JobId,
    MotionRow,
    Natural,
    OriginId,
    Seq,
    Versions,
    Whole,
    birth_rows,
    births_of,
    camera_of,
    camera_row,
    check_boxes,
    check_version,
    place_of,
)
from sightline.types import Detections, Tracks

__all__ = ["FORMS", "Native", "completed"]

_FRAMES: dict[str, type[Sampled | Detected | Tracked | Totals]] = {
    "frames": Sampled,
    "detections": Detected,
    "tracks": Tracked,
    "totals": Totals,
}


class _Named(msgspec.Struct, tag_field="kind", forbid_unknown_fields=True, omit_defaults=True):
    v: Versions
    job_id: JobId
    stream: str
    seq: Seq


class _End(_Named, tag="eof"):
    pass


class _Frame(_Named):
    frame: Natural = 0
    pts_us: Whole = 0
    outcome: Literal["ok", "failed", "skipped"] = "ok"
    reason: str = ""


class _Sampled(_Frame, tag="frames", kw_only=True):
    row: Natural
    tick: Whole
    chunk: Natural
    first: Natural
    end: Natural
    first_tick: Whole | None = None
    end_tick: Whole | None = None
    before: tuple[Natural, Whole] | None = None
    with_look: bool = False
    motion: MotionRow | None = None


class _Boxes(_Frame, kw_only=True):
    xyxy: list[Box] = []
    confidence: list[float] = []
    class_id: list[Natural] = []


class _Detected(_Boxes, tag="detections", kw_only=True):
    motion: MotionRow | None = None
    look: bytes = b""


class _Tracked(_Boxes, tag="tracks", kw_only=True):
    track_id: list[Natural] = []
    origin: list[OriginId] = []
    births: list[Birth] = []
    motion: MotionRow | None = None
    look: bytes = b""


class _Totals(_Frame, tag="totals", kw_only=True):
    unique: Natural
    raw_ids: Natural


_Wire = _End | _Sampled | _Detected | _Tracked | _Totals


class _Head(msgspec.Struct):
    """What a frame is called by: the part of a record that `salvage` needs."""

    v: int
    kind: str
    job_id: str
    stream: str
    seq: int
    frame: Whole = 0
    pts_us: Whole = 0


class _JobWire(msgspec.Struct):
    v: int
    job_id: str


# By kind of stream; `jobs` are job events.
FORMS: dict[str, tuple[type[msgspec.Struct], ...]] = {
    "jobs": (_JobWire,),
    "frames": (_Sampled, _End),
    "detections": (_Detected, _End),
    "tracks": (_Tracked, _End),
    "totals": (_Totals, _End),
}


class Native:
    """Our own JSON form.

    >>> blob = Native().encode(End("j", "tracks:cars", 7))
    >>> blob
    b'{"v":1,"kind":"eof","job_id":"j","stream":"tracks:cars","seq":7}'
    >>> Native().decode(blob)
    End(job_id='j', stream='tracks:cars', seq=7)
    """

    max_bytes: ClassVar[int] = MAX_BYTES

    def __init__(self) -> None:
        self._encoder = msgspec.json.Encoder()
        self._decoder = msgspec.json.Decoder(_Wire)
        self._heads = msgspec.json.Decoder(_Head)
        self._jobs = msgspec.json.Decoder(_JobWire)

    def encode(self, record: Record | JobEvent, about: JobContext | None = None) -> bytes:
        """See `Codec`."""
        if isinstance(record, JobEvent):
            return self._encoder.encode(_JobWire(VERSION, record.job_id))
        wire = _to_wire(record)
        kind = type(wire).__struct_config__.tag
        # The tag is written first; the form has had it behind the version since its first record.
        v, rest = b'"v":%d' % wire.v, self._encoder.encode(wire)
        return b'{%s,"kind":"%s"' % (v, str(kind).encode()) + rest.partition(v)[2]

    def decode_job(self, value: bytes) -> JobEvent:
        """See `Codec`."""
        try:
            wire = self._jobs.decode(value)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            check_version(value)
            raise Rejected(f"not a job event: {error}", code="invalid_record") from error
        check_version(value)
        if wire.v != VERSION or not wire.job_id:
            raise Rejected(f"not a job event: version {wire.v}, job {wire.job_id!r}", code="invalid_record")
        return JobEvent(wire.job_id)

    def decode(self, value: bytes, about: Contexts | None = None, key: str = "") -> Record:
        """See `Codec`."""
        try:
            return _from_wire(self._decoder.decode(value))
        except UNREADABLE as error:
            check_version(value, NEWEST)
            raise Rejected(f"not a record: {error}", code="invalid_record") from error

    def salvage(self, value: bytes, about: Contexts | None = None, key: str = "") -> Record | None:
        """See `Codec`; the end of a stream is salvaged as itself: all of it is identity."""
        try:
            head = self._heads.decode(value)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None
        kind, part = part_of(head.stream)
        if not (
            VERSION <= head.v <= NEWEST and head.job_id and 0 <= head.seq < 2**53 and kind in _FRAMES and part
        ):
            return None
        if head.kind == "eof":
            return End(head.job_id, head.stream, head.seq)
        # Frame numbers and times rise from 0: a later frame that has neither has lost them, and is not to be guessed.
        if head.frame < head.seq or (head.seq and not head.pts_us):
            return None
        return _FRAMES[kind](head.job_id, head.stream, head.seq, head.frame, head.pts_us, "failed", "invalid")


def completed(value: bytes) -> bytes:
    """A record as the first release wrote it, with what that left out where it was 0; any other value as it is.

    Such a record may be told from a damaged one only by where it lies: in a file of that release.
    """
    left_out = {"frames": ("row", "tick", "chunk", "first", "end"), "totals": ("unique", "raw_ids")}
    try:
        fields = msgspec.json.decode(value, type=dict[str, Any])
        missing = dict.fromkeys(left_out.get(fields.get("kind", ""), ()), 0)
        if missing.keys() <= fields.keys():
            return value
        return Native().encode(Native().decode(msgspec.json.encode(missing | fields)))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, TypeError, Rejected):
        return value


def _to_wire(record: Record) -> _Wire:
    if isinstance(record, End):
        return _End(VERSION, record.job_id, record.stream, record.seq)
    head: dict[str, Any] = {
        "v": VERSION,
        "job_id": record.job_id,
        "stream": record.stream,
        "seq": record.seq,
        "frame": record.frame,
        "pts_us": record.pts_us,
        "outcome": record.outcome,
        "reason": record.reason,
    }
    if not isinstance(record, Totals):
        head |= camera_row(record)
    match record:
        case Sampled():
            return _Sampled(**head, **place_of(record))
        case Detected(detections=found):
            return _Detected(**head, **_columns(found))
        case Tracked(tracks=tracks, births=births):
            columns = _columns(tracks) | {
                "track_id": tracks.track_id.tolist(),
                "origin": tracks.origin.tolist(),
            }
            return _Tracked(**head, **columns, births=birth_rows(births))
        case Totals():
            return _Totals(**head, unique=record.unique, raw_ids=record.raw_ids)


def _columns(found: Detections | Tracks) -> dict[str, Any]:
    return {
        "xyxy": found.xyxy.tolist(),
        "confidence": found.confidence.tolist(),
        "class_id": found.class_id.tolist(),
    }


def _from_wire(wire: _Wire) -> Record:
    kind, part = part_of(wire.stream)
    if isinstance(wire, _End):
        return End(wire.job_id, wire.stream, wire.seq)
    if kind != type(wire).__struct_config__.tag or not part:
        raise ValueError(f"kind {type(wire).__struct_config__.tag!r} on stream {wire.stream!r}")
    if wire.frame < wire.seq:
        raise ValueError(f"frame {wire.frame} of seq {wire.seq}: frame numbers rise from 0")
    head: dict[str, Any] = {
        "job_id": wire.job_id,
        "stream": wire.stream,
        "seq": wire.seq,
        "frame": wire.frame,
        "pts_us": wire.pts_us,
        "outcome": wire.outcome,
        "reason": wire.reason,
        **camera_of(wire),
    }
    match wire:
        case _Sampled():
            return Sampled(**head, **place_of(wire))
        case _Totals():
            return Totals(**head, unique=wire.unique, raw_ids=wire.raw_ids)
    _check_boxes(wire)
    columns: tuple[Any, ...] = (wire.xyxy, wire.confidence, wire.class_id)
    if isinstance(wire, _Detected):
        return Detected(**head, detections=Detections(*columns))
    columns += (wire.track_id, wire.origin)
    return Tracked(**head, tracks=Tracks(*columns), births=births_of(wire.births))


def _check_boxes(wire: _Boxes) -> None:
    check_boxes(wire.xyxy)
    if wire.confidence and not (min(wire.confidence) > 0 and max(wire.confidence) <= 1):
        raise ValueError("confidence outside (0, 1]")
