"""Routes: on which topic and partition a record of a job travels.

Stored in the job when it is created: `settings["topics"]` by stream. Frames are spread over partitions by chunk
(`settings["frame_partitions"]` of them, one where they must be looked at in order), everything else gathers on the
job's own partition.
"""

from __future__ import annotations

from sightline.events import MAX_BYTES, Codec, Codecs, End, Record, Sampled
from sightline.ports import Job, Outgoing

__all__ = ["FRAME_PARTITIONS", "JOB_TOPIC", "outgoing", "topic_of"]

JOB_TOPIC = "jobs"
FRAME_PARTITIONS = 8


def topic_of(job: Job, stream: str) -> str:
    """Topic of a stream of a job."""
    return str(job.settings["topics"][stream])


def outgoing(job: Job, record: Record, codecs: Codecs, *, chunk: int | None = None) -> Outgoing:
    """A record, addressed, in the dialect of its topic; `chunk` places the end of a frames stream."""
    if isinstance(record, Sampled):
        chunk = record.chunk
    spread = int(job.settings.get("frame_partitions", FRAME_PARTITIONS))
    partition = job.partition if chunk is None else chunk % spread
    topic = topic_of(job, record.stream)
    return Outgoing(topic, partition, job.job_id, _encoded(codecs(topic), record))


def _encoded(codec: Codec, record: Record) -> bytes:
    """A record as the log takes it: what is too large for it is a frame that failed, the same one each time."""
    value = codec.encode(record)
    if len(value) <= MAX_BYTES or isinstance(record, End):
        return value
    at = (record.job_id, record.stream, record.seq, record.frame, record.pts_us)
    return codec.encode(type(record)(*at, "failed", "too_large"))
