"""Records as stages see them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from sightline.types import Detections, Outcome, Tracks, TrackTable

__all__ = [
    "Detected",
    "End",
    "JobEvent",
    "Record",
    "Sampled",
    "Totals",
    "Tracked",
    "part_of",
    "stream_name",
]

Kind = Literal["frames", "detections", "tracks", "totals"]


def stream_name(kind: Kind, part: str) -> str:
    """Name of a stream.

    >>> stream_name("tracks", "cars")
    'tracks:cars'
    """
    return f"{kind}:{part}"


def part_of(stream: str) -> tuple[str, str]:
    """Kind and branch or group of a stream.

    >>> part_of("tracks:cars")
    ('tracks', 'cars')
    """
    kind, _, part = stream.partition(":")
    return kind, part


@dataclass(frozen=True, slots=True)
class _Frame:
    """What the records of one sampled frame have in common.

    Attributes:
        job_id, stream, seq: identity; seq is dense from 0 over the sampled frames of a job.
        frame: number in the source, from 0.
        pts_us: presentation time, microseconds.
        outcome, reason: `ok`, or why there is nothing to see.
    """

    job_id: str
    stream: str
    seq: int
    frame: int
    pts_us: int
    outcome: Outcome = "ok"
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Sampled(_Frame):
    """A sampled frame: where it can be decoded, never its pixels.

    Attributes:
        row: row of the source's index.
        tick: pts in ticks of the stream's time base.
        chunk: number of the chunk; `first`, `end` are its rows, `first_tick`, `end_tick` its bounds in ticks.
    """

    row: int = 0
    tick: int = 0
    chunk: int = 0
    first: int = 0
    end: int = 0
    first_tick: int | None = None
    end_tick: int | None = None


@dataclass(frozen=True, slots=True)
class Detected(_Frame):
    """What a detector found in a frame, of one group, in source pixels."""

    detections: Detections = field(default_factory=Detections.empty)


@dataclass(frozen=True, slots=True)
class Tracked(_Frame):
    """The confirmed tracks of one group in a frame.

    Attributes:
        tracks: matched in this frame.
        births: the unconfirmed first boxes of tracks confirmed in this frame, with the `seq` in which they were seen.
    """

    tracks: Tracks = field(default_factory=Tracks.empty)
    births: TrackTable = field(default_factory=TrackTable.empty)


@dataclass(frozen=True, slots=True)
class Totals(_Frame):
    """Running totals of one group: unique objects counted so far, and ids given so far."""

    unique: int = 0
    raw_ids: int = 0


@dataclass(frozen=True, slots=True)
class End:
    """The end of a stream: `seq` is the number of sampled frames. It may overtake frames."""

    job_id: str
    stream: str
    seq: int


@dataclass(frozen=True, slots=True)
class JobEvent:
    """A job was accepted: what `feed` waits for."""

    job_id: str


Record = Sampled | Detected | Tracked | Totals | End
