"""What the dialects of older systems have in common.

A record of theirs names no stream: it is that of the topic. One of ours (`v` is there) says all that the native form says,
beside the fields that old consumers read, and is held to it: a misspelt field is refused. One of another program (*foreign*)
has the documented fields alone, whatever else it carries is passed over, and what it leaves out is known of its job: seq
and time of a frame, the class of a label. Such a program writes no end.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import msgspec
import numpy as np

from sightline.arrays import IntArray
from sightline.errors import Rejected
from sightline.events.codec import nobody
from sightline.events.records import (
    Contexts,
    Detected,
    End,
    JobContext,
    JobEvent,
    Record,
    Sampled,
    Tracked,
    part_of,
)
from sightline.events.wire import MAX_BYTES, UNREADABLE, VERSION, check_version

__all__ = ["Dialect", "ForeignFrame", "Forms", "FrameRecord", "label_of"]

FrameRecord = Sampled | Detected | Tracked


class _ForeignHead(Protocol):
    """What a foreign record must name: its frame, and its job if the key on the log does not."""

    job_id: str


Ours = TypeVar("Ours", bound=msgspec.Struct)
Foreign = TypeVar("Foreign", bound=_ForeignHead)


@dataclass(frozen=True)
class Forms(Generic[Ours, Foreign]):
    """The forms of one kind of record.

    Attributes:
        record: the kind.
        ours: a frame's record as we write it.
        end: the end of a stream: kind, frames, version and job.
        head: what remains of one of ours whose content is unusable.
        foreign, foreign_head: the same of another program; None where nobody else writes that kind.
        max_bytes: of a record of ours.
        newest: version of ours that is read.
    """

    record: type[FrameRecord]
    ours: type[Ours]
    end: type[msgspec.Struct]
    head: type[msgspec.Struct]
    foreign: type[Foreign] | None = None
    foreign_head: type[_ForeignHead] | None = None
    max_bytes: int = MAX_BYTES
    newest: int = VERSION


class _Look(msgspec.Struct):
    """Whose record it is, and whether it is an end."""

    v: Any = msgspec.UNSET
    kind: Any = msgspec.UNSET


_looks = msgspec.json.Decoder(_Look)


@dataclass(frozen=True, slots=True)
class ForeignFrame:
    """A frame that a foreign record speaks of, by what is known of its job."""

    about: JobContext
    group: str
    seq: int
    frame: int
    pts_us: int

    def class_of(self, label: str) -> int:
        """Class of a label, the first one where several classes have it.

        Raises:
            ValueError: the model does not know it.
        """
        labels = self.about.labels
        if label not in labels:
            raise ValueError(
                f"label {label!r}; the model of job {self.about.job_id} knows {', '.join(labels)}"
            )
        return labels.index(label)

    def kept(self, class_id: Sequence[int]) -> IntArray:
        """Rows whose class is of the stream's group; others are not kept, as by our own detector."""
        wanted = self.about.class_ids.get(self.group, class_id)
        return np.array([row for row, number in enumerate(class_id) if number in wanted], np.int64)


def label_of(about: JobContext, class_id: int) -> str:
    """Label of a class of a job's model.

    Raises:
        ValueError: it has none.
    """
    if class_id >= len(about.labels):
        raise ValueError(
            f"class {class_id} of job {about.job_id}, whose model has {len(about.labels)} labels"
        )
    return about.labels[class_id]


class Dialect(ABC, Generic[Ours, Foreign]):
    """Records of one topic in the form of an older system.

    Args:
        stream: of the topic, `frames:<branch>`, `detections:<group>` or `tracks:<group>`.
        forms: of its kind.
    """

    def __init__(self, stream: str, forms: Forms[Ours, Foreign]) -> None:
        self._stream, (self._kind, self._group) = stream, part_of(stream)
        self.max_bytes, self._newest = forms.max_bytes, forms.newest
        self._record, self._end = forms.record, forms.end
        self._encoder = msgspec.json.Encoder()
        self._ours = msgspec.json.Decoder(forms.ours)
        self._ends = msgspec.json.Decoder(forms.end)
        self._heads = msgspec.json.Decoder(forms.head)
        self._foreign = None if forms.foreign is None else msgspec.json.Decoder(forms.foreign)
        self._foreign_heads = None if forms.foreign_head is None else msgspec.json.Decoder(forms.foreign_head)

    @abstractmethod
    def _to_wire(self, record: Any, about: JobContext) -> Ours:
        """The form of a frame's record."""

    @abstractmethod
    def _from_wire(self, wire: Ours) -> Record:
        """The record; ValueError where its fields disagree."""

    @abstractmethod
    def _frame_of(self, head: Any, about: JobContext) -> int:
        """Number of the frame that a foreign record names; ValueError where it is none of the job's."""

    @abstractmethod
    def _from_foreign(self, wire: Foreign, frame: ForeignFrame) -> Record:
        """A foreign record; ValueError where its values are not what they should be."""

    # --- Codec

    def encode(self, record: Record | JobEvent, about: JobContext | None = None) -> bytes:
        """See `Codec`; `about` may be left out for an end.

        Raises:
            ValueError: the record does not belong on this topic, or nothing is said about its job.
        """
        if isinstance(record, JobEvent):
            raise ValueError(f"a job event on the topic of {self._stream}")
        kind, _ = part_of(record.stream)
        # One record of a frame goes to the topic of every branch: there the branch is the topic's.
        if kind != self._kind or (kind != "frames" and record.stream != self._stream):
            raise ValueError(f"a record of {record.stream} on the topic of {self._stream}")
        if isinstance(record, End):
            return self._encoder.encode(self._end("eof", record.seq, VERSION, record.job_id))
        if about is None or not isinstance(record, self._record):
            raise ValueError(f"{type(record).__name__} on the topic of {self._stream}, about {about}")
        return self._encoder.encode(self._to_wire(record, about))

    def decode(self, value: bytes, about: Contexts = nobody, key: str = "") -> Record:
        """See `Codec`."""
        try:
            return self._from_wire(self._ours.decode(value))
        except UNREADABLE as error:
            why: Exception = error
        look = _look(value)
        if look is not None and look.v is msgspec.UNSET:
            return self._decode_foreign(value, about, key)
        if look is not None and look.kind == "eof":
            try:
                wire: Any = self._ends.decode(value)
                return End(wire.job_id, self._stream, wire.frames)
            except UNREADABLE as error:
                why = error
        check_version(value, self._newest)
        raise Rejected(f"not a record: {why}", code="invalid_record") from why

    def decode_job(self, value: bytes) -> JobEvent:
        """See `Codec`: there are none here."""
        raise Rejected(f"a record of {self._stream} is no job event", code="invalid_record")

    def salvage(self, value: bytes, about: Contexts = nobody, key: str = "") -> Record | None:
        """See `Codec`."""
        look = _look(value)
        if look is None:
            return None
        if look.v is msgspec.UNSET:
            return self._salvage_foreign(value, about, key)
        try:
            return self._from_head(self._heads.decode(value))
        except UNREADABLE:
            return None

    # ---

    def _decode_foreign(self, value: bytes, about: Contexts, key: str) -> Record:
        if self._foreign is None:
            said = "names no version, and where a frame is decoded is known to feed alone"
            raise Rejected(f"a record of {self._stream} {said}", code="invalid_record")
        try:
            wire = self._foreign.decode(value)
        except UNREADABLE as error:
            raise Rejected(f"not a record: {error}", code="invalid_record") from error
        job = _job_of(wire.job_id or key, about)
        try:
            return self._from_foreign(wire, self._foreign_frame(wire, job))
        except ValueError as error:
            raise Rejected(f"not a record: {error}", code="invalid_record") from error

    def _salvage_foreign(self, value: bytes, about: Contexts, key: str) -> Record | None:
        if self._foreign_heads is None:
            return None
        try:
            head = self._foreign_heads.decode(value)
        except UNREADABLE:
            return None
        try:
            job = _job_of(head.job_id or key, about)
            frame = self._foreign_frame(head, job)
        except (Rejected, ValueError):
            return None
        at = (job.job_id, self._stream, frame.seq, frame.frame, frame.pts_us)
        made = Tracked if self._record is Tracked else Detected
        return made(*at, "failed", "invalid", foreign=True)

    def _foreign_frame(self, head: Any, job: JobContext) -> ForeignFrame:
        """The frame that a foreign record speaks of.

        Raises:
            ValueError: it is none that the job samples.
        """
        number = self._frame_of(head, job)
        found = None if job.timeline is None else job.timeline.find(number)
        if found is None:
            raise ValueError(f"frame {number} is none that job {job.job_id} samples")
        return ForeignFrame(job, self._group, found[0], number, found[1])

    def _from_head(self, head: Any) -> Record | None:
        if (
            not VERSION <= head.v <= self._newest
            or not head.job_id
            or head.kind not in ("", "eof", self._kind)
        ):
            return None
        if head.kind == "eof":
            return None if head.frames is None else End(head.job_id, self._stream, head.frames)
        # Frame numbers rise from 0: one that lies below its seq has lost it.
        if None in (head.seq, head.frame, head.pts_us) or head.frame < head.seq:
            return None
        at = (head.job_id, self._stream, head.seq, head.frame, head.pts_us)
        return self._record(*at, "failed", "invalid")


def _look(value: bytes) -> _Look | None:
    try:
        return _looks.decode(value)
    except UNREADABLE:
        return None


def _job_of(job_id: str, about: Contexts) -> JobContext:
    """The job that a foreign record names.

    Raises:
        Rejected: it names none, or none of that name runs (code `unknown_job`).
    """
    job = about(job_id) if job_id else None
    if job is None:
        said = f"no job {job_id!r} runs" if job_id else "it names no job, and its key neither"
        raise Rejected(f"a record of another program: {said}", code="unknown_job")
    return job
