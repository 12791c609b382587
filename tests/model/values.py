"""What the processes of the model pass around, and how much of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sightline.ports import JobState

GROUPS = ("cars", "people")
KINDS = ("detections", "tracks", "totals")
STREAMS = tuple(f"{kind}:{group}" for kind in KINDS for group in GROUPS)
ORDER: tuple[JobState, ...] = ("new", "sent", "processing", "predictable", "ready")
END = "end"
GARBAGE = "garbage"  # a job event that nobody can read
DAMAGED = "damaged"  # a state that nobody can decode


@dataclass(frozen=True, slots=True)
class Record:
    """One record; `(job_id, stream, seq)` is its identity, `body` is END or what it says about the frame."""

    job_id: str
    stream: str
    seq: int
    body: Any = None


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A record on its way to the log."""

    topic: str
    partition: int
    record: Record


@dataclass(frozen=True, slots=True)
class Entry:
    """A record as the log holds it."""

    offset: int
    record: Record


@dataclass(frozen=True, slots=True)
class Job:
    """A job row; `result` is the pointer: key and bytes of the published object.

    Attributes:
        job_id, frames: its name, and how many frames it has.
        trouble: `source` where the source cannot be read, `model` where the model is refused.
        state, code, result: where it stands.
    """

    job_id: str
    frames: int
    trouble: str = ""
    state: JobState = "new"
    code: str = ""
    result: Any = None


@dataclass(frozen=True, slots=True)
class Chaos:
    """How unkind the world is. Probabilities: kill, lost per micro-step; zombie per kill; the others per call.

    Attributes:
        kill: the process dies; half of its successors find a `zombie` still alive.
        lost: the call raises `Unavailable`, having had its effect or not.
        duplicate, shuffle: the broker writes a record again later, or a batch in another order.
        cut: a put stores half an object and does not say so.
    """

    kill: float = 0.02
    zombie: float = 0.5
    lost: float = 0.01
    duplicate: float = 0.1
    shuffle: float = 0.2
    cut: float = 0.2


CALM = Chaos(0, 0, 0, 0, 0, 0)
SEGMENT = 3  # rows of a column segment
WINDOW = 8  # frames on their way, shared by the jobs that are active
FLOOR = 2 * SEGMENT  # frames of one job that may always be on their way
MAX_ACTIVE = 3  # jobs that are fed at a time
ON_THEIR_WAY = (
    WINDOW + (MAX_ACTIVE - 1) * FLOOR
)  # the first job may have filled the window while it was alone
GRACE = 1_500  # micro-steps after which nobody writes for a removed job any more


@dataclass(slots=True)
class Tombstone:
    """What stays of a removed job: its name, when it was removed, and whether the grace is over."""

    removed_at: int
    purged: bool = False
