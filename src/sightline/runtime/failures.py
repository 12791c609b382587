"""Failures: what an error means for the record, the job, the stage and the process.

`TABLE` is the policy, docs/reliability.md shows it, and a test holds both together. What concerns one job ends that job
with a code; everybody else goes on.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sightline.errors import (
    Corrupt,
    InvalidVideo,
    Misconfigured,
    NotFound,
    Rejected,
    ServiceMisconfigured,
    SightlineError,
    TooLarge,
)
from sightline.ports import Job, Jobs

__all__ = ["NEWER_RECORD", "STATE_VERSION", "TABLE", "JobEnded", "Row", "end_job", "error_of", "of_job"]

NEWER_RECORD = "newer_record"
STATE_VERSION = "state_version"
# Errors that a job may meet, but that are not its own: a newer program wrote it, the store itself is damaged, or this
# machine lacks what another one has. `ServiceMisconfigured` is none of its own either.
_OF_ALL = frozenset(
    {
        NEWER_RECORD,
        STATE_VERSION,
        "damaged",
        "log_gap",
        "other_log",
        "put_damaged",
        "file_version",
        "file_system",
        "missing_extra",
        "missing_encoder",
        "confinement",
    }
)


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of error and what follows from it."""

    error: str
    record: str
    job: str
    stage: str
    process: str


TABLE = (
    Row("a frame that does not decode", "`failed(reason)`", "goes on", "goes on", "goes on"),
    Row("a record that cannot be read, but names its frame", "`failed(invalid)`, dead letter", "goes on", "goes on", "goes on"),
    Row("a record or a job event that cannot be read and names nothing", "dead letter", "waits for it: `stalled`", "goes on", "goes on; `track`: ends"),
    Row("an answer of another program for a job that does not run (`unknown_job`)", "dead letter", "goes on without it", "goes on", "goes on"),
    Row("a record over the limit of its topic", "`failed(too_large)`", "goes on", "goes on", "goes on"),
    Row("a frame that ended its process again and again", "`failed(crashed)`, dead letter", "goes on", "goes on", "starts again"),
    Row("a frame that ended its confined decoder three times, or took too long or too much memory", "`failed(crashed)`, `failed(limit)`", "goes on", "goes on", "goes on; the decoder starts again"),
    Row("a record of a newer version", "kept", "waits", "pauses the partition", "goes on; `track`: `stalled`"),
    Row("`Rejected`, `Misconfigured`, `Corrupt` of one job: source, plan, model, state, segment, result", "given up", "`failed(code)`", "goes on", "goes on; `track`: ends with that error"),
    Row("a state of another version (`state_version`)", "kept", "waits", "stops", "ends"),
    Row("a library, an encoder or a confinement that this machine lacks (`missing_extra`, `missing_encoder`, `confinement`)", "kept", "waits", "stops", "ends; repeat when it is there"),
    Row("`ServiceMisconfigured`: a database, a broker or an object store refuses us, or is set up wrongly", "kept", "waits", "stops", "ends; repeat when it is mended"),
    Row("`Retryable`: a dependency, a disk, an engine", "kept", "waits", "pauses", "goes on; `track`: ends, code 5"),
    Row("`Fenced`", "read again by the owner", "goes on there", "drops its memory, waits to be named anew", "goes on"),
    Row("`Corrupt` of the log or the ledger (`damaged`, `log_gap`, `other_log`, `put_damaged`)", "kept", "waits", "stops", "ends"),
    Row("anything else", "kept", "waits", "stops", "ends"),
)  # fmt: skip


class JobEnded(Exception):
    """The job at work has just been ended; the error is its cause."""


@contextmanager
def of_job(jobs: Jobs, job_id: str) -> Iterator[None]:
    """Work that concerns one job only.

    Raises:
        JobEnded: it went wrong, and the job is `failed` with the code and the text of the error.
    """
    try:
        yield
    except (Rejected, Misconfigured, Corrupt) as error:
        if isinstance(error, ServiceMisconfigured) or error.code in _OF_ALL:
            raise
        end_job(jobs, job_id, error)
        raise JobEnded(job_id) from error


def end_job(jobs: Jobs, job_id: str, error: SightlineError) -> None:
    """End a job with an error. One that was removed, or has ended otherwise, has its end already.

    Its reason is the message as it was raised: whoever shows it asks `error_of`, for settings are data in it.
    """
    reason = error.reason if isinstance(error, InvalidVideo) and error.frame is None else error.message
    try:
        jobs.advance(job_id, "failed", code=error.code, reason=reason)
    except NotFound:
        return


_CLASSES: dict[str, type[SightlineError]] = {
    **dict.fromkeys(("corrupt",), Corrupt),
    **dict.fromkeys(
        (
            "misconfigured", "model", "model_card", "model_head", "model_missing",
            "model_labels", "imgsz", "precision", "device", "engine", "detector_function", "usage",
        ),
        Misconfigured,
    ),
    "not_found": NotFound,
    "too_large": TooLarge,
    "rejected": Rejected,
    "invalid_file": Rejected,
}  # fmt: skip


def error_of(job: Job) -> SightlineError:
    """The error that a failed job ended with, from its code and reason; of the class that says what to do about it."""
    kind = _CLASSES.get(job.code)
    if kind is None:
        return InvalidVideo(job.video_id, reason=job.reason, code=job.code)
    return kind(job.reason, code=job.code)
