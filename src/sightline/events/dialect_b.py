"""Dialect `b`: records as the Microservices Video Detection System has them.

`event_id` is the job, `frame_id` the frame of the source, a number. A task says where the picture is found, or brings it
along as JPEG (base64). A result has objects by falling `conf`, with boxes truncated to integers; `xyxy` beside each is exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import msgspec
import numpy as np

from sightline.events.dialect import Dialect, ForeignFrame, Forms, label_of
from sightline.events.records import Detected, JobContext, Record, Sampled, part_of
from sightline.events.wire import (
    INLINE_BYTES,
    VERSION,
    Box,
    JobId,
    Natural,
    Score,
    Seq,
    Version,
    Whole,
    check_boxes,
    place_of,
)
from sightline.types import Detections

__all__ = ["FORMS_B", "DialectB"]


class _Strict(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    pass


class _Task(_Strict):
    job_id: JobId = msgspec.field(name="event_id")
    frame: Natural = msgspec.field(name="frame_id")
    bucket: str
    media_type: Literal["frame"]
    v: Version
    kind: Literal["frames"]
    seq: Seq
    pts_us: Whole
    chunk: Natural
    row: Natural
    tick: Whole
    first: Natural
    end: Natural
    first_tick: Whole | None = None
    end_tick: Whole | None = None
    outcome: Literal["ok", "failed", "skipped"] = "ok"
    reason: str = ""
    path: str = ""
    frame_data: bytes = b""


class _Object(_Strict):
    label: str = msgspec.field(name="class")
    box: tuple[int, int, int, int]
    conf: Score
    xyxy: Box
    class_id: Natural


class _Prediction(_Strict):
    frame: Natural
    objects: list[_Object]


class _Result(_Strict):
    job_id: JobId = msgspec.field(name="event_id")
    frame: Natural = msgspec.field(name="frame_id")
    bucket: str
    prediction: _Prediction
    v: Version
    kind: Literal["detections"]
    seq: Seq
    pts_us: Whole
    outcome: Literal["ok", "failed", "skipped"] = "ok"
    reason: str = ""
    order: list[Natural] = []


class _End(_Strict):
    kind: Literal["eof"]
    frames: Seq
    v: Version
    job_id: JobId = msgspec.field(name="event_id")


class _Head(msgspec.Struct):
    v: int
    job_id: str = msgspec.field(name="event_id")
    kind: str
    frames: Seq | None = None
    seq: Seq | None = None
    frame: Natural | None = msgspec.field(name="frame_id", default=None)
    pts_us: Whole | None = None


class _ForeignHead(msgspec.Struct):
    frame: Natural = msgspec.field(name="frame_id")
    job_id: str = msgspec.field(name="event_id", default="")


class _ForeignObject(msgspec.Struct):
    label: str = msgspec.field(name="class")
    box: Box
    conf: Score


class _ForeignPrediction(msgspec.Struct):
    objects: list[_ForeignObject]
    frame: Natural | None = None


class _ForeignResult(_ForeignHead, kw_only=True):
    prediction: _ForeignPrediction


FORMS_B: dict[str, Forms[Any, Any]] = {
    "frames": Forms(Sampled, _Task, _End, _Head, max_bytes=INLINE_BYTES),
    "detections": Forms(Detected, _Result, _End, _Head, _ForeignResult, _ForeignHead),
}


class DialectB(Dialect[Any, Any]):
    """Codec of a topic of tasks or results; system B has no tracks.

    Args:
        stream: of the topic, `frames:<branch>` or `detections:<group>`.

    >>> from sightline.events import End
    >>> DialectB("frames:main").encode(End("j", "frames:main", 7))
    b'{"kind":"eof","frames":7,"v":1,"event_id":"j"}'
    """

    def __init__(self, stream: str) -> None:
        super().__init__(stream, FORMS_B[part_of(stream)[0]])

    def _to_wire(self, record: Sampled | Detected, about: JobContext) -> _Task | _Result:
        head: dict[str, Any] = {
            "job_id": record.job_id,
            "frame": record.frame,
            "bucket": about.bucket,
            "v": VERSION,
            "kind": self._kind,
            "seq": record.seq,
            "pts_us": record.pts_us,
            "outcome": record.outcome,
            "reason": record.reason,
        }
        if isinstance(record, Sampled):
            return _Task(
                **head, media_type="frame", frame_data=record.frame_data, path=record.path, **place_of(record)
            )
        found, order = _falling(record.detections)
        return _Result(**head, prediction=_Prediction(record.frame, _objects(found, about)), order=order)

    def _from_wire(self, wire: _Task | _Result) -> Record:
        if wire.frame < wire.seq:
            raise ValueError(f"frame_id {wire.frame} of seq {wire.seq}: frame numbers rise from 0")
        head = (wire.job_id, self._stream, wire.seq, wire.frame, wire.pts_us, wire.outcome, wire.reason)
        if isinstance(wire, _Task):
            return Sampled(*head, frame_data=wire.frame_data, path=wire.path, **place_of(wire))
        _check_frame(wire.frame, wire.prediction.frame)
        rows = wire.prediction.objects
        found = _detections(rows, [row.xyxy for row in rows], [row.class_id for row in rows])
        for row in rows:
            if row.box != _truncated(row.xyxy):
                raise ValueError(f"box {row.box} of xyxy {row.xyxy}")
        return Detected(*head, detections=_in_order(found, wire.order))

    def _frame_of(self, head: _ForeignHead, about: JobContext) -> int:
        return head.frame

    def _from_foreign(self, wire: _ForeignResult, frame: ForeignFrame) -> Record:
        _check_frame(wire.frame, wire.prediction.frame)
        rows = wire.prediction.objects
        class_id = [frame.class_of(row.label) for row in rows]
        found = _detections(rows, [row.box for row in rows], class_id)[frame.kept(class_id)]
        at = (frame.about.job_id, self._stream, frame.seq, frame.frame, frame.pts_us)
        return Detected(*at, detections=found, foreign=True)


def _check_frame(frame: int, predicted: int | None) -> None:
    if predicted is not None and predicted != frame:
        raise ValueError(f"frame_id {frame} with the prediction of frame {predicted}")


def _truncated(xyxy: Box) -> tuple[int, int, int, int]:
    """A box as old readers have it.

    >>> _truncated((-0.5, 1.9, 20.0, 30.5))
    (0, 1, 20, 30)
    """
    x1, y1, x2, y2 = map(int, xyxy)
    return x1, y1, x2, y2


def _falling(found: Detections) -> tuple[Detections, list[int]]:
    """Detections by falling confidence, and where each has stood; no places where each stands there still."""
    order = np.argsort(-found.confidence, kind="stable")
    if (order[1:] > order[:-1]).all():
        return found, []
    return found[order], order.tolist()


def _in_order(found: Detections, order: Sequence[int]) -> Detections:
    """Detections as they have stood.

    Raises:
        ValueError: `order` does not say it.
    """
    if not order:
        return found
    if sorted(order) != list(range(len(found))):
        raise ValueError(f"order {list(order)} of {len(found)} objects")
    return found[np.argsort(order)]


def _objects(found: Detections, about: JobContext) -> list[_Object]:
    columns = (found.class_id.tolist(), found.xyxy.tolist(), found.confidence.tolist())
    return [
        _Object(label_of(about, c), _truncated(box), score, box, c)
        for c, box, score in zip(*columns, strict=True)
    ]


def _detections(
    rows: Sequence[_Object | _ForeignObject], boxes: list[Box], class_id: list[int]
) -> Detections:
    check_boxes(boxes)
    return Detections(boxes, [row.conf for row in rows], class_id)
