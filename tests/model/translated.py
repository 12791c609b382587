"""The values of the model as those of the product: jobs with a recipe, native records, stages, commits.

What a model record says of its frame travels as the `reason` of a native one, so that nothing gets lost on the way.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np

from sightline import ports
from sightline.errors import Corrupt
from sightline.events import Detected, End, JobEvent, Native, Totals, Tracked, native, part_of
from sightline.events import Record as Told
from sightline.jobs.recipe import Recipe, Route, encode
from sightline.jobs.topology import BRANCH, frames_stream
from sightline.ports import Position
from sightline.runtime.routes import outgoing
from sightline.stages.feed import Plan
from sightline.stages.stage import Blob, Output
from sightline.testing import ScriptedReader, scripted_recipe
from sightline.types import Chunk
from sightline.vision.bytetrack import TrackerSettings
from tests.model.producers import CHUNK, FRAME_PARTITIONS
from tests.model.schedules import JOBS
from tests.model.values import END, GARBAGE, STREAMS, Entry, Job, Outgoing, Record
from tests.model.worker import OUTPUT

FRAMES = "frames:m"  # the model's name of the stream
KINDS = {"detections": Detected, "tracks": Tracked, "totals": Totals}
TOPICS = {frames_stream(): "frames"} | {stream: part_of(stream)[0] for stream in STREAMS}
CODEC = Native()


def stream_of(stream: str) -> str:
    """The product's name of a stream."""
    return frames_stream() if stream == FRAMES else stream


@cache
def recipe_of(job_id: str) -> Recipe:
    """What is to be done for one of the model's jobs."""
    frames = next(job.frames for job in JOBS if job.job_id == job_id)
    route = Route(topics=TOPICS, frame_partitions=FRAME_PARTITIONS)
    return scripted_recipe(job_id, frames, tracker=TrackerSettings(), route=route)


@cache
def plan_of(job_id: str) -> Plan:
    """Each frame of a job, and the chunks in which they can be decoded."""
    frames = recipe_of(job_id).sampled
    cuts = [*range(0, frames, CHUNK), frames]
    chunks = [Chunk(i, first, end, first, end) for i, (first, end) in enumerate(pairwise(cuts))]
    return Plan(ScriptedReader(frames).index(), np.arange(frames), chunks)


@cache
def _facts(job_id: str) -> dict[str, Any]:
    return encode(recipe_of(job_id))


def job_of(job: Job) -> ports.Job:
    """The row of a job that `feed` has begun with."""
    return ports.Job(job.job_id, job.job_id, 0, job.state, job.code, facts=_facts(job.job_id))


@cache
def told(record: Record) -> Told:
    """A record as stages see it."""
    stream = stream_of(record.stream)
    if record.body == END:
        return End(record.job_id, stream, record.seq)
    if stream == frames_stream():
        return plan_of(record.job_id).records(record.job_id, BRANCH, record.seq, 1)[0]
    kind = KINDS[part_of(stream)[0]]
    outcome = "ok" if record.body[0] == "ok" else "failed"
    return kind(record.job_id, stream, record.seq, record.seq, record.seq, outcome, json.dumps(record.body))


def heard(record: Told) -> Record:
    """The other way round."""
    if isinstance(record, End):
        return Record(record.job_id, record.stream, record.seq, END)
    assert isinstance(record, Detected | Tracked | Totals)
    return Record(record.job_id, record.stream, record.seq, tuple(json.loads(record.reason)))


@cache
def sent(out: Outgoing) -> ports.Outgoing:
    """A record on its way."""
    record = out.record
    if out.topic.startswith("jobs"):
        value = b"{" if record.body == GARBAGE else CODEC.encode(JobEvent(record.job_id))
        return ports.Outgoing(out.topic, out.partition, record.job_id, value)
    if out.topic.endswith(".dlq"):
        return ports.Outgoing(out.topic, out.partition, record.job_id, CODEC.encode(told(record)))
    recipe = recipe_of(record.job_id)
    chunk = None
    if stream_of(record.stream) == frames_stream():
        chunk = plan_of(record.job_id).chunk_of(record.seq)
    return outgoing(recipe, told(record), native, chunk=chunk)


@cache
def outline(out: ports.Outgoing) -> tuple[Any, ...]:
    """What is compared of a record that was sent: all of it, but only whose it is and how it came out of detections."""
    place = out.topic, out.partition, out.key
    if out.topic != "detections":
        return (*place, out.value)
    record = CODEC.decode(out.value)
    outcome = END if isinstance(record, End) else getattr(record, "outcome", "")
    return (*place, record.stream, record.seq, outcome)


def logged(topic: str, entry: Entry) -> ports.Entry:
    """A record as the log holds it."""
    out = sent(Outgoing(topic, 0, entry.record))
    return ports.Entry(entry.offset, out.key, out.value)


def saved_of(saved: ports.Saved | None) -> ports.Saved | None:
    """A committed state."""
    if saved is None or isinstance(saved.state, bytes):
        return saved
    return ports.Saved(saved.next_seq, state_of(saved.state))


def state_of(state: Any) -> bytes:
    """State of a fold as bytes: none once the fold is finished."""
    return b"" if state is None else repr(state).encode()


def commit_of(commit: ports.Commit) -> ports.Commit:
    """A commit of the model, as its mirror must make it."""
    return replace(
        commit,
        stream=stream_of(commit.stream),
        saved=saved_of(commit.saved),
        outputs=tuple(sent(out) for out in commit.outputs),
    )


@dataclass(frozen=True)
class Staged:
    """A stage of the model as a stage of the product."""

    of: Any
    completes: bool

    @property
    def name(self) -> str:
        """See `Stage`."""
        return str(self.of.name)

    @property
    def release(self) -> int:
        """See `Stage`."""
        return int(self.of.release)

    def initial(self) -> Any:
        """See `Stage`."""
        return 0

    def process(self, batch: Sequence[Told], state: Any) -> Output[Any]:
        """See `Stage`."""
        records = [heard(record) for record in batch]
        state, bodies, blobs = self.of.process(records, state)
        said = [self._said(record, body) for record, body in zip(records, bodies, strict=False)]
        return Output(state, tuple(said), tuple(blob_of(*blob) for blob in blobs))

    def _said(self, record: Record, body: Any) -> Told:
        stream = f"{OUTPUT[self.name]}:{part_of(record.stream)[1]}"
        return told(replace(record, stream=stream, body=body))

    def encode(self, state: Any) -> bytes:
        """See `Stage`."""
        return state_of(state)

    def decode(self, blob: bytes) -> Any:
        """See `Stage`."""
        try:
            return json.loads(blob)
        except ValueError as error:
            raise Corrupt(f"no state: {blob!r}") from error


def blob_of(key: str, value: Any) -> Blob:
    """A column segment."""
    return Blob(key, repr(value).encode())


def owned_by(at: Position, *, mine: bool) -> Position:
    """A position as its ledger knows it, with a higher epoch where another owner has claimed it."""
    return at if mine else replace(at, epoch=at.epoch + 1)
