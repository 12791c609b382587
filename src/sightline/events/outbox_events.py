"""Job events as the Microservices Video Detection System has them, on the topic `outbox_events` of all jobs."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import msgspec

from sightline.errors import Rejected
from sightline.events.codec import nobody
from sightline.events.records import Contexts, JobContext, JobEvent, Record
from sightline.events.times import moment, since_epoch
from sightline.events.wire import MAX_BYTES, UNREADABLE, VERSION, JobId, Version, check_version

__all__ = ["FORM", "OutboxEvents"]


class _Payload(msgspec.Struct, forbid_unknown_fields=True):
    bucket: str
    object: str
    media_type: Literal["video", "image"]


class _Event(msgspec.Struct, forbid_unknown_fields=True):
    id: JobId = msgspec.field(name="_id")
    payload: _Payload
    created_at: str
    v: Version
    job_id: JobId
    video_id: str
    pipeline: str


class _ForeignPayload(msgspec.Struct):
    bucket: str
    object: str
    media_type: Literal["video", "image"] = "video"


class _ForeignEvent(msgspec.Struct):
    id: JobId = msgspec.field(name="_id")
    payload: _ForeignPayload
    created_at: str
    v: Any = msgspec.UNSET


FORM: type[msgspec.Struct] = _Event


class OutboxEvents:
    """Codec of job events, and of nothing else.

    >>> OutboxEvents().decode_job(OutboxEvents().encode(JobEvent("j", "street", "detect"))).pipeline
    'detect'
    """

    max_bytes: ClassVar[int] = MAX_BYTES

    def __init__(self) -> None:
        self._encoder = msgspec.json.Encoder()
        self._ours, self._foreign = msgspec.json.Decoder(_Event), msgspec.json.Decoder(_ForeignEvent)

    def encode(self, record: Record | JobEvent, about: JobContext | None = None) -> bytes:
        """See `Codec`.

        Raises:
            ValueError: it is no job event.
        """
        if not isinstance(record, JobEvent):
            raise ValueError(f"a record of {record.stream} on the topic of job events")
        payload: Any = _Payload(record.bucket, record.object, record.media_type)  # type: ignore[arg-type]
        created_at = moment(record.created_at_us)
        ours = (VERSION, record.job_id, record.video_id, record.pipeline)
        return self._encoder.encode(_Event(record.job_id, payload, created_at, *ours))

    def decode_job(self, value: bytes) -> JobEvent:
        """See `Codec`."""
        try:
            try:
                event = self._ours.decode(value)
            except msgspec.ValidationError:
                foreign = self._foreign.decode(value)
                if foreign.v is not msgspec.UNSET:
                    raise
                return _event(foreign)
            if event.id != event.job_id:
                raise ValueError(f"_id {event.id!r} of job {event.job_id!r}")
            return _event(event, event.video_id, event.pipeline)
        except UNREADABLE as error:
            check_version(value)
            raise Rejected(f"not a job event: {error}", code="invalid_record") from error

    def decode(self, value: bytes, about: Contexts = nobody, key: str = "") -> Record:
        """See `Codec`: there are none here."""
        raise Rejected("a job event is no record of a frame", code="invalid_record")

    def salvage(self, value: bytes, about: Contexts = nobody, key: str = "") -> Record | None:
        """See `Codec`: nothing is named here."""
        return None


def _event(event: _Event | _ForeignEvent, video_id: str = "", pipeline: str = "") -> JobEvent:
    source = event.payload
    created = since_epoch(event.created_at)
    return JobEvent(event.id, video_id, pipeline, source.bucket, source.object, source.media_type, created)
