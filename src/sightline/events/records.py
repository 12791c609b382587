"""Records as stages see them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from sightline.arrays import IntArray
from sightline.camera import Motion
from sightline.types import Detections, Outcome, Tracks, TrackTable

__all__ = [
    "Contexts",
    "Detected",
    "End",
    "JobContext",
    "JobEvent",
    "Record",
    "Sampled",
    "Timeline",
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
        path: where programs of others find the picture; empty: nowhere. `frame_data`: the picture itself, a JPEG, or nothing.
            Only dialects that promise them have them.
        before: row and tick of the sampled frame before it in the chunk, from which the camera's motion is told; None: it is
            not told from this chunk.
        with_look: whether what is found in it goes with a small picture of it (`sightline.vision.looks`).
        motion: of the camera since the sampled frame before, pixels of the source; None where it is not known from the start.
        chunk: number of the chunk; `first`, `end` are its rows, `first_tick`, `end_tick` its bounds in ticks.
    """

    row: int = 0
    tick: int = 0
    chunk: int = 0
    first: int = 0
    end: int = 0
    first_tick: int | None = None
    end_tick: int | None = None
    path: str = ""
    frame_data: bytes = b""
    before: tuple[int, int] | None = None
    with_look: bool = False
    motion: Motion | None = None


@dataclass(frozen=True, slots=True)
class Detected(_Frame):
    """What a detector found in a frame, of one group, in source pixels.

    Attributes:
        detections: of the group.
        motion: of the camera since the sampled frame before, pixels of the source; None where it is not known (here).
        look: the frame as a small picture, `encode_look`, for whoever can tell more; empty where nobody needs to.
        foreign: a program wrote it that knows nothing of ends: of its stream no `End` may come.
    """

    detections: Detections = field(default_factory=Detections.empty)
    foreign: bool = False
    motion: Motion | None = None
    look: bytes = b""


@dataclass(frozen=True, slots=True)
class Tracked(_Frame):
    """The confirmed tracks of one group in a frame.

    Attributes:
        tracks: matched in this frame.
        births: the unconfirmed first boxes of tracks confirmed in this frame, with the `seq` in which they were seen.
        motion: of the camera since the sampled frame before, pixels of the source; None where it is not known.
        look: see `Detected`; of some frames, so that they can be laid on each other.
        foreign: see `Detected`.
    """

    tracks: Tracks = field(default_factory=Tracks.empty)
    births: TrackTable = field(default_factory=TrackTable.empty)
    foreign: bool = False
    motion: Motion | None = None
    look: bytes = b""


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
    """A job was accepted: what `feed` waits for, by its id; the rest is for programs of others.

    Attributes:
        job_id: of the job.
        video_id, pipeline: see `Job`.
        bucket, object, media_type: where the source lies and what it is, as system B says it.
        created_at_us: see `Job`.
    """

    job_id: str
    video_id: str = ""
    pipeline: str = ""
    bucket: str = ""
    object: str = ""
    media_type: str = "video"
    created_at_us: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Timeline:
    """Every sampled frame of a job; row i is seq i.

    Attributes:
        frame: int64 (F,), number in the source, from 0, rising.
        pts_us: int64 (F,), presentation time, microseconds.
        failed: why, by seq, rising: frames of which it is known from the start that there is nothing to see.
    """

    frame: IntArray
    pts_us: IntArray
    failed: Mapping[int, str] = field(default_factory=dict)
    _failed: tuple[int, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_failed", tuple(self.failed))

    def failed_around(self, first: int, seq: int) -> Iterator[int]:
        """Seqs that failed: those from `first` to `seq`, and those right behind it, up to one that did not.

        >>> timeline = Timeline(np.arange(9), np.arange(9) * 40_000, dict.fromkeys((0, 2, 5, 6, 8), "undecodable"))
        >>> [*timeline.failed_around(1, 4)]
        [2, 5, 6]
        """
        for at in range(bisect_left(self._failed, first), len(self._failed)):
            if self._failed[at] == seq + 1:
                seq += 1
            elif self._failed[at] > seq:
                return
            yield self._failed[at]

    def find(self, frame: int) -> tuple[int, int] | None:
        """Seq and presentation time of a frame of the source; None where it is not sampled.

        >>> timeline = Timeline(np.array([0, 5, 10]), np.array([0, 200_000, 400_000]))
        >>> timeline.find(5), timeline.find(6), timeline.find(15)
        ((1, 200000), None, None)
        """
        seq = int(np.searchsorted(self.frame, frame))
        if seq == len(self.frame) or self.frame[seq] != frame:
            return None
        return seq, int(self.pts_us[seq])


@dataclass(frozen=True, slots=True)
class JobContext:
    """What records of a job repeat of it, for dialects that say it in each.

    Attributes:
        job_id, video_id, created_at_us: see `Job`.
        labels: of the model, by class id.
        stride: every so many frames are sampled.
        sampled: number of sampled frames.
        bucket: where an old client looks for the result.
        partition: where everything but its frames gathers.
        class_ids: classes by group, for records of foreign programs: they may name labels of other groups.
        timeline: seq and time of its frames, for the same; None where nobody reads any.
    """

    job_id: str
    video_id: str
    created_at_us: int
    labels: tuple[str, ...]
    stride: int
    sampled: int
    bucket: str = ""
    partition: int = 0
    class_ids: Mapping[str, tuple[int, ...]] = field(default_factory=dict, compare=False)
    timeline: Timeline | None = field(default=None, compare=False)


Record = Sampled | Detected | Tracked | Totals | End

# By job id; None of a job that does not run.
Contexts = Callable[[str], JobContext | None]
