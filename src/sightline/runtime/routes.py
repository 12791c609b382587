"""Routes: on which topic and partition a record of a job travels.

The job's recipe says it. Frames are spread over partitions by chunk, from the job's own one on (one partition where they must
be detected in order), everything else gathers on the job's own partition.
"""

from __future__ import annotations

from sightline.events import Codec, Codecs, End, JobContext, Record, Sampled, Timeline
from sightline.jobs.recipe import Recipe, decode
from sightline.jobs.topology import frames_partition
from sightline.ports import Job, Outgoing

__all__ = ["context_of", "outgoing", "recipe_of"]


def recipe_of(job: Job) -> Recipe:
    """What the job's row says of it.

    Raises:
        Corrupt: it holds no recipe.
        Misconfigured: a newer release wrote it.
    """
    return decode(job.facts)


def context_of(recipe: Recipe, timeline: Timeline | None = None) -> JobContext:
    """What records of a job repeat of it.

    Args:
        recipe: of the job.
        timeline: of its frames, for records of foreign programs.
    """
    return JobContext(
        recipe.job_id,
        recipe.video_id,
        recipe.created_at_us,
        recipe.model.labels,
        recipe.settings.stride,
        recipe.sampled,
        recipe.route.bucket or "",
        recipe.route.partition,
        recipe.class_ids,
        timeline,
    )


def outgoing(recipe: Recipe, record: Record, codecs: Codecs, *, chunk: int | None = None) -> Outgoing:
    """A record, addressed, in the dialect of its topic; `chunk` places the end of a frames stream."""
    if isinstance(record, Sampled):
        chunk = record.chunk
    route = recipe.route
    partition = route.partition
    if chunk is not None:
        partition = frames_partition(chunk, partition, route.frame_partitions)
    topic = route.topics[record.stream]
    return Outgoing(topic, partition, recipe.job_id, _encoded(codecs(topic), record, context_of(recipe)))


def _encoded(codec: Codec, record: Record, about: JobContext) -> bytes:
    """A record as its topic takes it: what is too large for it is a frame that failed, the same one each time."""
    value = codec.encode(record, about)
    if len(value) <= codec.max_bytes or isinstance(record, End):
        return value
    at = (record.job_id, record.stream, record.seq, record.frame, record.pts_us)
    return codec.encode(type(record)(*at, "failed", "too_large"), about)
