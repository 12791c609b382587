"""Pipelines: sampling, preprocessing, branches, groups, tracker and topics of a job, one TOML file each.

A file says what it means to say and leaves the rest open. `resolve` closes it for one job: a flag wins over the
model's card, the card over the file, the file over the command's default.
"""

from sightline.pipeline.dialects import codecs_for
from sightline.pipeline.file import (
    BUNDLED,
    Branch,
    Pipeline,
    Tracker,
    TwoWheelers,
    consumer_of,
    load,
    schema,
    topic_of,
)
from sightline.pipeline.groups import class_ids
from sightline.pipeline.replays import replay_of
from sightline.pipeline.resolve import (
    DEFAULT_MODEL,
    Card,
    Overrides,
    Resolved,
    ResolvedBranch,
    ResolvedTracker,
    TrackerOverrides,
    model_of,
    resolve,
)

__all__ = [
    "BUNDLED",
    "DEFAULT_MODEL",
    "Branch",
    "Card",
    "Overrides",
    "Pipeline",
    "Resolved",
    "ResolvedBranch",
    "ResolvedTracker",
    "Tracker",
    "TrackerOverrides",
    "TwoWheelers",
    "class_ids",
    "codecs_for",
    "consumer_of",
    "load",
    "model_of",
    "replay_of",
    "resolve",
    "schema",
    "topic_of",
]
