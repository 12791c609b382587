"""The seam for the dialects of a log: each topic has one, and its codec."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from sightline.events.native import Native
from sightline.events.records import Contexts, JobContext, JobEvent, Record

__all__ = ["Codec", "Codecs", "native", "nobody"]


def nobody(job_id: str) -> JobContext | None:
    """No job is known."""
    return None


class Codec(Protocol):
    """Records of one dialect. Encoding what was decoded gives the same bytes.

    Attributes:
        max_bytes: of a record that its topic takes.
    """

    @property
    def max_bytes(self) -> int: ...  # noqa: D102

    def encode(self, record: Record | JobEvent, about: JobContext | None = None) -> bytes:
        """Canonical bytes of a record; `about` is its job, for what repeats it."""

    def decode(self, value: bytes, about: Contexts = nobody, key: str = "") -> Record:
        """A record; of a job that `about` is asked for where it does not say everything itself.

        Args:
            value: of the record.
            about: what is known of the jobs that run.
            key: of the record on the log; it names the job of one that does not.

        Raises:
            Rejected: it is none, or a field is missing, unknown or out of its range; code `unknown_job`: it needs to know
                of a job, and none of its name runs.
            Misconfigured: a newer program wrote it (code `newer_record`); it is not to be passed over.
        """

    def decode_job(self, value: bytes) -> JobEvent:
        """A job event.

        Raises:
            Rejected: not one.
            Misconfigured: a newer program wrote it (code `newer_record`).
        """

    def salvage(self, value: bytes, about: Contexts = nobody, key: str = "") -> Record | None:
        """A `failed(invalid)` frame of a record whose content is unusable but whose identity is not; else None."""


# By topic, for the dialect of a record must be known before its job is.
Codecs = Callable[[str], Codec]
_NATIVE = Native()


def native(topic: str) -> Codec:
    """Every topic in the native dialect."""
    return _NATIVE
