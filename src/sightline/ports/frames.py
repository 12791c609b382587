"""Frames of a source, decoded for a detector."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from sightline.types import ByteArray, Chunk, Outcome, SourceIndex

__all__ = ["Decoded", "FrameReader"]


@dataclass(frozen=True, slots=True)
class Decoded:
    """One frame that was asked for.

    Attributes:
        row: of the index.
        outcome: `ok`, or `failed`.
        reason: why it failed; for an `ok` frame empty, or a remark that belongs into the result, e.g. `size_change`.
        buffer: filled only where the outcome is `ok`.
    """

    row: int
    outcome: Outcome
    reason: str = ""
    buffer: ByteArray | None = None


class FrameReader(Protocol):
    """Frames of one source, scaled for a detector. Used by one thread at a time; keeps its file open in between."""

    def index(self) -> SourceIndex:
        """Find every frame without decoding. The same bytes give the same index.

        Raises:
            NotFound: no such file or folder.
            InvalidVideo: empty, no video stream, not a container, no frame.
        """

    def read(
        self, chunk: Chunk, rows: Sequence[int], ticks: Sequence[int], buffer: Callable[[], ByteArray]
    ) -> Iterator[Decoded]:
        """The frames `rows` (rising, inside `chunk`; `ticks` are their pts) in that order, each exactly once.

        `buffer()` is called once for each frame that decodes, just before it is written: uint8 of
        `ImageSpec.shape()`. What does not decode comes as `failed` with a reason and asks for no buffer. Reading
        a chunk alone gives the same pixels as reading from the start. The caller may stop early.

        Raises:
            NotFound, Unavailable: the source is gone or cannot be reached; no frame is lost, read again.
        """

    def close(self) -> None:
        """Release the file. Repeating is harmless."""
