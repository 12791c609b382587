"""Jobs that several processes share: topics, consumer groups and routes, as the pipeline files name them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce

from msgspec import UNSET

from sightline import pipeline
from sightline.events import Codecs, JobEvent, part_of
from sightline.jobs import requests
from sightline.jobs.recipe import Recipe, Route
from sightline.jobs.topology import Topology, partition_of
from sightline.pipeline import Pipeline, Resolved, consumer_of, topic_of
from sightline.ports import Job, Outgoing

__all__ = ["JOBS", "addressed", "consumer_groups", "shared_route", "shared_topology"]

JOBS = "outbox_events"
GROUPS = {"publish": "sightline-publish", "relay": "sightline-relay"}


def shared_topology(names: Sequence[str], partitions: int) -> Topology:
    """The topics of all jobs of some pipelines, each with so many partitions."""
    made = [
        Topology.of(_topics(pipeline.load(name)), partitions, jobs=JOBS, gather=partitions) for name in names
    ]
    return reduce(Topology.joined, made)


def consumer_groups(names: Sequence[str]) -> dict[str, str]:
    """Consumer group by stage and topic, and by role where no topic decides."""
    groups = dict(GROUPS)
    for name in names:
        found = pipeline.load(name)
        topics = {"jobs": JOBS, **_topics(found)}
        for reader in found.readers():
            stage, stream = reader.split(" ")
            if stream in topics:
                groups[f"{stage} {topics[stream]}"] = consumer_of(found, stage, stream)
    return groups


def shared_route(resolved: Resolved, recipe: Recipe, bucket: str, partitions: int) -> Route:
    """Where the records of a job travel.

    Args:
        resolved: its pipeline.
        recipe: what else is known of it.
        bucket: where an old client looks for its result.
        partitions: of each topic.
    """
    branches = {
        branch.name: tuple(group for group in branch.groups if group in recipe.class_ids)
        for branch in resolved.branches
    }
    branches = {name: groups for name, groups in branches.items() if groups}
    streams = [*(f"frames:{name}" for name in branches), *recipe.streams]
    return Route(
        topics={stream: resolved.topics[stream] for stream in streams},
        frame_partitions=partitions,
        partition=partition_of(recipe.job_id, partitions),
        prefix=recipe.route.prefix,
        branches=branches if len(branches) > 1 else UNSET,
        bucket=bucket,
    )


def addressed(partitions: int, codecs: Codecs) -> Callable[[Outgoing, Job], Outgoing]:
    """Makes the event of a job what everybody reads on the shared topic."""

    def made(event: Outgoing, job: Job) -> Outgoing:
        asked = requests.decode(job.request)
        value = codecs(JOBS).encode(
            JobEvent(
                job.job_id,
                job.video_id,
                asked.pipeline,
                asked.bucket,
                asked.source.key.removeprefix(f"{asked.bucket}/"),
                asked.media_type,
                job.created_at_us,
            )
        )
        return Outgoing(JOBS, partition_of(job.job_id, partitions), event.key, value, event.headers)

    return made


def _topics(found: Pipeline) -> dict[str, str]:
    """Topic by stream; without a tracker there are no tracks."""
    tracked = found.tracker.mode != "none"
    kinds = ("frames", "detections", *(("tracks", "totals") if tracked else ()))
    return {stream: topic_of(found, stream) for stream in found.streams() if part_of(stream)[0] in kinds}
