"""What travels on the log: one record per sampled frame and stream, and one at the end of each stream.

`(job_id, stream, seq)` is the identity of a record; nothing else de-duplicates. A stream is named `kind:part`:
`frames:<branch>`, `detections:<group>`, `tracks:<group>`, `totals:<group>`. `Native` is the JSON form (UTF-8, `"v": 1`);
the dialects of older systems are codecs of the same internal records.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import msgspec
import numpy as np

from sightline.errors import Rejected
from sightline.types import Detections, Origin, Outcome, Tracks, TrackTable

__all__ = [
    "Detected",
    "End",
    "JobEvent",
    "Native",
    "Record",
    "Sampled",
    "Totals",
    "Tracked",
    "part_of",
    "stream_name",
]

VERSION = 1
MAX_BYTES = 512 * 1024
Kind = Literal["frames", "detections", "tracks", "totals"]


def stream_name(kind: Kind, part: str) -> str:
    """Name of a stream.

    >>> stream_name("tracks", "cars")
    'tracks:cars'
    """
    return f"{kind}:{part}"


def part_of(stream: str) -> tuple[str, str]:
    """Kind and branch or group of a stream.

    >>> part_of("tracks:cars")
    ('tracks', 'cars')
    """
    kind, _, part = stream.partition(":")
    return kind, part


@dataclass(frozen=True, slots=True)
class _Frame:
    """What the records of one sampled frame have in common.

    Attributes:
        job_id, stream, seq: identity; seq is dense from 0 over the sampled frames of a job.
        frame: number in the source, from 0.
        pts_us: presentation time, microseconds.
        outcome, reason: `ok`, or why there is nothing to see.
    """

    job_id: str
    stream: str
    seq: int
    frame: int
    pts_us: int
    outcome: Outcome = "ok"
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Sampled(_Frame):
    """A frame to be looked at: where it can be decoded, never its pixels.

    Attributes:
        row: row of the source's index.
        tick: pts in ticks of the stream's time base.
        chunk: number of the chunk; `first`, `end` are its rows, `first_tick`, `end_tick` its bounds in ticks.
    """

    row: int = 0
    tick: int = 0
    chunk: int = 0
    first: int = 0
    end: int = 0
    first_tick: int | None = None
    end_tick: int | None = None


@dataclass(frozen=True, slots=True)
class Detected(_Frame):
    """What a detector found in a frame, of one group, in source pixels."""

    detections: Detections = field(default_factory=Detections.empty)


@dataclass(frozen=True, slots=True)
class Tracked(_Frame):
    """The confirmed tracks of one group in a frame.

    Attributes:
        tracks: matched in this frame.
        births: the unconfirmed first boxes of tracks confirmed in this frame, with the `seq` in which they were seen.
    """

    tracks: Tracks = field(default_factory=Tracks.empty)
    births: TrackTable = field(default_factory=TrackTable.empty)


@dataclass(frozen=True, slots=True)
class Totals(_Frame):
    """Running totals of one group: unique objects counted so far, and ids given so far."""

    unique: int = 0
    raw_ids: int = 0


@dataclass(frozen=True, slots=True)
class End:
    """The end of a stream: `seq` is the number of sampled frames. It may overtake frames."""

    job_id: str
    stream: str
    seq: int


@dataclass(frozen=True, slots=True)
class JobEvent:
    """A job was accepted: what `feed` waits for."""

    job_id: str


Record = Sampled | Detected | Tracked | Totals | End
_FRAMES: dict[str, type[Sampled | Detected | Tracked | Totals]] = {
    "frames": Sampled,
    "detections": Detected,
    "tracks": Tracked,
    "totals": Totals,
}


# Every number must fit into an int64 column, or it would end the stage that makes one of it.
_Whole = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
_OriginId = Annotated[int, msgspec.Meta(ge=0, le=3)]


class _Head(msgspec.Struct, omit_defaults=True):
    """What a frame is called by: the part of a record that `salvage` needs, in the form in which `encode` writes it."""

    v: int
    kind: str
    job_id: str
    stream: str
    seq: int
    frame: _Whole = 0
    pts_us: _Whole = 0


class _Wire(_Head, omit_defaults=True):
    outcome: Literal["ok", "failed", "skipped"] = "ok"
    reason: str = ""
    row: _Whole = 0
    tick: _Whole = 0
    chunk: _Whole = 0
    first: _Whole = 0
    end: _Whole = 0
    first_tick: _Whole | None = None
    end_tick: _Whole | None = None
    xyxy: list[tuple[float, float, float, float]] = []
    confidence: list[float] = []
    class_id: list[_Whole] = []
    track_id: list[_Whole] = []
    origin: list[_OriginId] = []
    births: list[tuple[_Whole, _Whole, _Whole, float, float, float, float, float]] = []
    unique: _Whole = 0
    raw_ids: _Whole = 0


class _JobWire(msgspec.Struct):
    v: int
    job_id: str


class Native:
    """Our own JSON form.

    >>> blob = Native().encode(End("j", "tracks:cars", 7))
    >>> blob
    b'{"v":1,"kind":"eof","job_id":"j","stream":"tracks:cars","seq":7}'
    >>> Native().decode(blob)
    End(job_id='j', stream='tracks:cars', seq=7)
    """

    def __init__(self) -> None:
        self._encoder = msgspec.json.Encoder()
        self._decoder = msgspec.json.Decoder(_Wire)
        self._heads = msgspec.json.Decoder(_Head)
        self._jobs = msgspec.json.Decoder(_JobWire)

    def encode(self, record: Record | JobEvent) -> bytes:
        """Canonical bytes of a record."""
        if isinstance(record, JobEvent):
            return self._encoder.encode(_JobWire(VERSION, record.job_id))
        return self._encoder.encode(_to_wire(record))

    def decode_job(self, value: bytes) -> JobEvent:
        """A job event.

        Raises:
            Rejected: not one.
        """
        try:
            wire = self._jobs.decode(value)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise Rejected(f"not a job event: {error}", code="invalid_record") from error
        if wire.v != VERSION or not wire.job_id:
            raise Rejected(f"not a job event: version {wire.v}, job {wire.job_id!r}", code="invalid_record")
        return JobEvent(wire.job_id)

    def decode(self, value: bytes) -> Record:
        """A record.

        Raises:
            Rejected: not JSON, another version, a field missing or out of its range.
        """
        try:
            wire = self._decoder.decode(value)
            return _from_wire(wire)
        except (msgspec.MsgspecError, UnicodeDecodeError, ValueError, RecursionError) as error:
            raise Rejected(f"not a record: {error}", code="invalid_record") from error

    def salvage(self, value: bytes) -> Record | None:
        """A `failed(invalid)` frame of a record whose content is unusable but whose identity is not; else None.

        The end of a stream is salvaged as itself: all of it is identity.
        """
        try:
            head = self._heads.decode(value)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None
        kind, part = part_of(head.stream)
        if not (head.v == VERSION and head.job_id and 0 <= head.seq < 2**53 and kind in _FRAMES and part):
            return None
        if head.kind == "eof":
            return End(head.job_id, head.stream, head.seq)
        # Frame numbers and times rise from 0: a later frame that has neither has lost them, and is not to be guessed.
        if head.frame < head.seq or (head.seq and not head.pts_us):
            return None
        return _FRAMES[kind](head.job_id, head.stream, head.seq, head.frame, head.pts_us, "failed", "invalid")


def _to_wire(record: Record) -> _Wire:
    if isinstance(record, End):
        return _Wire(VERSION, "eof", record.job_id, record.stream, record.seq)
    wire = _Wire(
        VERSION,
        part_of(record.stream)[0],
        record.job_id,
        record.stream,
        record.seq,
        record.frame,
        record.pts_us,
        record.outcome,
        record.reason,
    )
    match record:
        case Sampled():
            wire.row, wire.tick, wire.chunk = record.row, record.tick, record.chunk
            wire.first, wire.end = record.first, record.end
            wire.first_tick, wire.end_tick = record.first_tick, record.end_tick
        case Detected(detections=found):
            wire.xyxy, wire.confidence = found.xyxy.tolist(), found.confidence.tolist()
            wire.class_id = found.class_id.tolist()
        case Tracked(tracks=tracks, births=births):
            wire.xyxy, wire.confidence = tracks.xyxy.tolist(), tracks.confidence.tolist()
            wire.class_id, wire.track_id = tracks.class_id.tolist(), tracks.track_id.tolist()
            wire.origin = tracks.origin.tolist()
            wire.births = _birth_rows(births)
        case Totals():
            wire.unique, wire.raw_ids = record.unique, record.raw_ids
    return wire


def _birth_rows(births: TrackTable) -> list[tuple[int, int, int, float, float, float, float, float]]:
    columns = (births.seq, births.track_id, births.class_id, *births.xyxy.T, births.confidence)
    return list(zip(*(column.tolist() for column in columns), strict=True)) if len(births) else []


def _births(rows: list[tuple[int, int, int, float, float, float, float, float]]) -> TrackTable:
    if not rows:
        return TrackTable.empty()
    seq, track_id, class_id, x1, y1, x2, y2, confidence = zip(*rows, strict=True)
    xyxy = np.column_stack([x1, y1, x2, y2])
    columns: tuple[Any, ...] = (seq, track_id, class_id, xyxy, confidence, np.full(len(rows), Origin.BIRTH))
    return TrackTable(*columns)


def _from_wire(wire: _Wire) -> Record:
    if wire.v != VERSION:
        raise ValueError(f"version {wire.v}, this program reads {VERSION}")
    if not 0 <= wire.seq < 2**53 or not wire.job_id:
        raise ValueError(f"seq {wire.seq} of job {wire.job_id!r}")
    if wire.kind == "eof":
        return End(wire.job_id, wire.stream, wire.seq)
    head: dict[str, Any] = {
        "job_id": wire.job_id,
        "stream": wire.stream,
        "seq": wire.seq,
        "frame": wire.frame,
        "pts_us": wire.pts_us,
        "outcome": wire.outcome,
        "reason": wire.reason,
    }
    kind, part = part_of(wire.stream)
    if kind != wire.kind or not part:
        raise ValueError(f"kind {wire.kind!r} on stream {wire.stream!r}")
    match wire.kind:
        case "frames":
            return Sampled(
                **head,
                row=wire.row,
                tick=wire.tick,
                chunk=wire.chunk,
                first=wire.first,
                end=wire.end,
                first_tick=wire.first_tick,
                end_tick=wire.end_tick,
            )
        case "detections":
            _check_boxes(wire)
            found: tuple[Any, ...] = (wire.xyxy, wire.confidence, wire.class_id)
            return Detected(**head, detections=Detections(*found))
        case "tracks":
            _check_boxes(wire)
            columns: tuple[Any, ...] = (wire.xyxy, wire.confidence, wire.class_id, wire.track_id, wire.origin)
            return Tracked(**head, tracks=Tracks(*columns), births=_births(wire.births))
        case "totals":
            return Totals(**head, unique=wire.unique, raw_ids=wire.raw_ids)
    raise ValueError(f"kind {wire.kind!r}")


def _check_boxes(wire: _Wire) -> None:
    for x1, y1, x2, y2 in wire.xyxy:
        if not (x2 >= x1 and y2 >= y1 and math.isfinite(x1 + y1 + x2 + y2)):
            raise ValueError(f"box {(x1, y1, x2, y2)}")
    if wire.confidence and not (min(wire.confidence) > 0 and max(wire.confidence) <= 1):
        raise ValueError("confidence outside (0, 1]")
