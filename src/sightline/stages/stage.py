"""What a stage is: a pure fold over the records of one stream of one job.

`process(batch, state)` sees no offsets, clocks, retries or databases; time arrives as `pts_us` in the records. The
laws: `process(a + b)` equals `process(a)` then `process(b)`; `decode(encode(state))` equals the state; every record
has its answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from sightline.events import Record

__all__ = ["Blob", "Output", "Stage"]

S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Blob:
    """Bytes for the object store under a deterministic key."""

    key: str
    value: bytes


@dataclass(frozen=True, slots=True)
class Output(Generic[S]):
    """New state, records for the log and blobs for the object store."""

    state: S
    records: tuple[Record, ...] = ()
    blobs: tuple[Blob, ...] = ()


class Stage(Protocol[S]):
    """A fold over one stream.

    Attributes:
        name: of the stage, key of positions and states.
        release: frames are released in whole multiples of this many, but for the last ones.
        completes: whether the end of the stream is the end of the job's wait for it.
    """

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def release(self) -> int: ...  # noqa: D102

    @property
    def completes(self) -> bool: ...  # noqa: D102

    def initial(self) -> S:
        """State before the first record."""

    def process(self, batch: Sequence[Record], state: S) -> Output[S]:
        """Fold records in `seq` order, without gaps; an `End` comes last."""

    def encode(self, state: S) -> bytes:
        """State as bytes: versioned, canonical, never pickled."""

    def decode(self, blob: bytes) -> S:
        """State from bytes.

        Raises:
            Corrupt: the bytes are damaged, or no state.
            Misconfigured: another release or other settings wrote them.
        """
