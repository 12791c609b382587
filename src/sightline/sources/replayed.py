"""Replayed: what decides the result of a job that runs another one again, from that one's recipe."""

from __future__ import annotations

from fractions import Fraction

import msgspec
from msgspec import UNSET

from sightline.errors import Misconfigured
from sightline.events import part_of
from sightline.jobs.recipe import Recipe, Route, keyed
from sightline.jobs.requests import Replay
from sightline.jobs.topology import FRAME_PARTITIONS, topics_of
from sightline.pipeline import Resolved
from sightline.sources.identify import Span, refine_facts, riding_facts, tracker_facts

__all__ = ["as_sampled", "span_of", "timed_as", "tracked_again", "undetected"]


def tracked_again(parent: Recipe, replay: Replay, resolved: Resolved) -> Recipe:
    """The recipe of a job that takes the detections of another one and is this program's from there on.

    Args:
        parent: of the other one.
        replay: what is asked for.
        resolved: its pipeline as it is now: whose topics are read.

    Raises:
        Misconfigured: the pipeline has no group of that name any more.
    """
    gone = parent.class_ids.keys() - resolved.groups.keys()
    if gone:
        raise Misconfigured(
            f"pipeline {resolved.name} has no group {', '.join(sorted(gone))} any more: retry the job"
        )
    was = parent.settings
    tracker = was.tracker if replay.tracker is None else replay.tracker
    refine = was.refine is not None if replay.refine is None else replay.refine
    riding = was.two_wheelers
    settings = msgspec.structs.replace(
        was,
        tracker=None if tracker is None else tracker_facts(tracker),
        refine=refine_facts() if refine else None,
        two_wheelers=riding if riding is UNSET else riding_facts(riding.group, riding.riders),
    )
    topics = topics_of(parent.class_ids, tracked=settings.tracker is not None)
    route = Route(topics=topics, frame_partitions=FRAME_PARTITIONS)
    return keyed(msgspec.structs.replace(parent, settings=settings, route=route))


def undetected(recipe: Recipe, parent: Recipe) -> Recipe:
    """The same without frames: what would be found in them is what was found for another job."""
    was = recipe.route
    topics = {stream: topic for stream, topic in was.topics.items() if part_of(stream)[0] != "frames"}
    route = msgspec.structs.replace(was, topics=topics, branches=UNSET, stored=parent.route.prefix)
    return timed_as(msgspec.structs.replace(recipe, route=route), parent)


def timed_as(recipe: Recipe, parent: Recipe) -> Recipe:
    """The same with the time stamps of another job in its records: who reads both sees the same frames."""
    return msgspec.structs.replace(recipe, created_at_us=parent.created_at_us)


def as_sampled(parent: Recipe, resolved: Resolved) -> Resolved:
    """A pipeline that samples as it did for another job."""
    was = parent.settings
    return resolved.model_copy(update={"stride": was.stride, "preprocess": was.preprocess})


def span_of(parent: Recipe) -> Span:
    """The part of the source that another job sampled."""
    was = parent.settings
    return Span(was.start_us, was.end_us, None if was.fps is None else Fraction(was.fps))
