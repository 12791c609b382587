"""Dialect `a`: records as kafka-ml-ucu has them.

`frame_id` is a string and begins anew with each video, `timestamp` is the time of the frame on the job's clock, `bbox` holds
fractions. Ours ride beside them: version, job, seq, frame, time and outcome, and what each kind needs.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from sightline.events.dialect import Dialect, ForeignFrame, Forms, FrameRecord, label_of
from sightline.events.records import Detected, JobContext, Record, Sampled, Tracked, part_of
from sightline.events.times import clock
from sightline.events.wire import (
    NEWEST,
    Birth,
    Box,
    JobId,
    MotionRow,
    Natural,
    OriginId,
    Score,
    Seq,
    Version,
    Versions,
    Whole,
    birth_rows,
    births_of,
    camera_of,
    camera_row,
    check_boxes,
    place_of,
)
from sightline.types import Detections, Origin, Tracks

__all__ = ["FORMS_A", "DialectA", "frame_id"]

_FRAME_ID = re.compile(r"frame_(\d{5,19})", re.ASCII)


def frame_id(frame: int) -> str:
    """A frame of the source, from 0, as system A names it.

    >>> frame_id(7)
    'frame_00007'
    """
    return f"frame_{frame:05d}"


def _number(name: str) -> int:
    """The frame of a `frame_id`; ValueError where it is none."""
    found = _FRAME_ID.fullmatch(name)
    if found is None or frame_id(int(found[1])) != name:
        raise ValueError(f"frame_id {name!r}, expected one such as {frame_id(7)!r}")
    return int(found[1])


class _Strict(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    pass


class _Frame(_Strict):
    frame_id: str
    video_id: str
    timestamp: str
    v: Versions
    job_id: JobId
    seq: Seq
    frame: Natural
    pts_us: Whole
    outcome: Literal["ok", "failed", "skipped"] = "ok"
    reason: str = ""


class _Sampled(_Frame, kw_only=True):
    path: str = ""
    chunk: Natural
    row: Natural
    tick: Whole
    first: Natural
    end: Natural
    first_tick: Whole | None = None
    end_tick: Whole | None = None
    before: tuple[Natural, Whole] | None = None
    with_look: bool = False
    motion: MotionRow | None = None


class _Detection(_Strict):
    label: str
    confidence: Score
    bbox: Box
    class_id: Natural


class _Detected(_Frame, kw_only=True):
    detections: list[_Detection]
    motion: MotionRow | None = None
    look: bytes = b""


class _Track(_Strict):
    track_id: Natural
    class_id: Natural
    label: str
    bbox: Box
    confidence: Score


class _Tracked(_Frame, kw_only=True):
    tracks: list[_Track]
    origin: list[OriginId] = []
    births: list[Birth] = []
    motion: MotionRow | None = None
    look: bytes = b""


class _End(_Strict):
    kind: Literal["eof"]
    frames: Seq
    v: Version
    job_id: JobId


class _Head(msgspec.Struct):
    v: int
    job_id: str
    kind: str = ""
    frames: Seq | None = None
    seq: Seq | None = None
    frame: Natural | None = None
    pts_us: Whole | None = None


class _ForeignHead(msgspec.Struct):
    frame_id: str
    job_id: str = ""
    video_id: str = ""


class _ForeignDetection(msgspec.Struct):
    label: str
    confidence: Score
    bbox: Box


class _ForeignDetected(_ForeignHead, kw_only=True):
    detections: list[_ForeignDetection]


class _ForeignTrack(msgspec.Struct):
    track_id: Natural
    bbox: Box
    confidence: Score
    label: str = ""
    class_id: Natural = 0


class _ForeignTracked(_ForeignHead, kw_only=True):
    tracks: list[_ForeignTrack]


FORMS_A: dict[str, Forms[Any, Any]] = {
    "frames": Forms(Sampled, _Sampled, _End, _Head, newest=NEWEST),
    "detections": Forms(Detected, _Detected, _End, _Head, _ForeignDetected, _ForeignHead, newest=NEWEST),
    "tracks": Forms(Tracked, _Tracked, _End, _Head, _ForeignTracked, _ForeignHead, newest=NEWEST),
}


class DialectA(Dialect[Any, Any]):
    """Codec of a topic of frames, detections or tracks.

    Args:
        stream: of the topic.

    >>> from sightline.events import End
    >>> codec = DialectA("detections:cars")
    >>> codec.encode(End("j", "detections:cars", 7))
    b'{"kind":"eof","frames":7,"v":1,"job_id":"j"}'
    """

    def __init__(self, stream: str) -> None:
        super().__init__(stream, FORMS_A[part_of(stream)[0]])

    def _to_wire(self, record: FrameRecord, about: JobContext) -> _Frame:
        head: dict[str, Any] = {
            "frame_id": frame_id(record.frame),
            "video_id": about.video_id,
            "timestamp": clock(about.created_at_us + record.pts_us),
            "job_id": record.job_id,
            "seq": record.seq,
            "frame": record.frame,
            "pts_us": record.pts_us,
            "outcome": record.outcome,
            "reason": record.reason,
            **camera_row(record),
        }
        match record:
            case Sampled():
                return _Sampled(**head, path=record.path, **place_of(record))
            case Detected(detections=found):
                return _Detected(**head, detections=_detection_rows(found, about))
            case Tracked(tracks=tracks, births=births):
                rows, origin = _track_rows(tracks, about), tracks.origin.tolist()
                return _Tracked(**head, tracks=rows, origin=origin, births=birth_rows(births))

    def _from_wire(self, wire: _Frame) -> Record:
        if wire.frame_id != frame_id(wire.frame) or wire.frame < wire.seq:
            raise ValueError(f"frame_id {wire.frame_id!r} of frame {wire.frame}, seq {wire.seq}")
        head: dict[str, Any] = {
            "job_id": wire.job_id,
            "stream": self._stream,
            "seq": wire.seq,
            "frame": wire.frame,
            "pts_us": wire.pts_us,
            "outcome": wire.outcome,
            "reason": wire.reason,
            **camera_of(wire),
        }
        match wire:
            case _Detected(detections=found):
                return Detected(**head, detections=_detections(found, [each.class_id for each in found]))
            case _Tracked(tracks=rows, origin=origin, births=births):
                tracks = _tracks(rows, [each.class_id for each in rows], origin)
                return Tracked(**head, tracks=tracks, births=births_of(births))
            case _Sampled(path=path):
                return Sampled(**head, path=path, **place_of(wire))
        raise TypeError(f"not a form of dialect a: {type(wire).__name__}")

    def _frame_of(self, head: _ForeignHead, about: JobContext) -> int:
        if head.video_id and head.video_id != about.video_id:
            raise ValueError(f"video {head.video_id!r}, that of job {about.job_id} is {about.video_id!r}")
        return _number(head.frame_id)

    def _from_foreign(self, wire: _ForeignDetected | _ForeignTracked, frame: ForeignFrame) -> Record:
        head = (frame.about.job_id, self._stream, frame.seq, frame.frame, frame.pts_us)
        if isinstance(wire, _ForeignDetected):
            class_id = [frame.class_of(each.label) for each in wire.detections]
            kept = frame.kept(class_id)
            return Detected(*head, detections=_detections(wire.detections, class_id)[kept], foreign=True)
        class_id = [_class_of(each, frame) for each in wire.tracks]
        tracks = _tracks(wire.tracks, class_id, [Origin.HIGH] * len(class_id))[frame.kept(class_id)]
        return Tracked(*head, tracks=tracks, foreign=True)


def _detection_rows(found: Detections, about: JobContext) -> list[_Detection]:
    columns = (found.class_id.tolist(), found.confidence.tolist(), found.xyxy.tolist())
    return [_Detection(label_of(about, c), score, box, c) for c, score, box in zip(*columns, strict=True)]


def _track_rows(tracks: Tracks, about: JobContext) -> list[_Track]:
    columns = (tracks.track_id, tracks.class_id, tracks.xyxy, tracks.confidence)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return [_Track(number, c, label_of(about, c), box, score) for number, c, box, score in rows]


def _detections(rows: Sequence[_Detection | _ForeignDetection], class_id: list[int]) -> Detections:
    boxes = [each.bbox for each in rows]
    check_boxes(boxes)
    return Detections(boxes, [each.confidence for each in rows], class_id)


def _tracks(rows: Sequence[_Track | _ForeignTrack], class_id: list[int], origin: Sequence[int]) -> Tracks:
    boxes = [each.bbox for each in rows]
    check_boxes(boxes)
    columns: tuple[Any, ...] = (
        boxes,
        [each.confidence for each in rows],
        class_id,
        [each.track_id for each in rows],
        origin,
    )
    return Tracks(*columns)


def _class_of(track: _ForeignTrack, frame: ForeignFrame) -> int:
    """Class of a foreign track: that of its label, where it has one."""
    if track.label:
        return frame.class_of(track.label)
    label_of(frame.about, track.class_id)
    return track.class_id
