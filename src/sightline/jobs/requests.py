"""Requests: what somebody asked for, as a job's row holds it before anybody has looked at the source."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from sightline.events import JobEvent, Native
from sightline.jobs.rows import read
from sightline.jobs.topology import JOB_TOPIC
from sightline.ports import Job, Outgoing

__all__ = [
    "BUCKET",
    "DATASET",
    "FILES",
    "Entry",
    "Folder",
    "Found",
    "Listing",
    "Located",
    "Replay",
    "Request",
    "SourceRef",
    "decode",
    "detection_key",
    "encode",
    "event_of",
    "index_key",
    "input_key",
    "job_prefix",
    "own_bytes",
]

VERSION: Literal[1] = 1
BUCKET = "videos"
DATASET, FILES = "dataset", "files"  # names of roots


class SourceRef(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A source in the object store, or one that lies below a root: a folder of the server's that its operator has named.

    Attributes:
        kind: a video; images: one of them in the object store, a folder of them below a root.
        name: what its user calls it; text, never a path.
        key: of its bytes; below a root a path from there.
        index_key: of its index, made when it was accepted.
        bytes: of its content.
        sha256: of its content as it was stored; empty below a root, where it is read when the job begins.
        root: below which it lies; empty: the object store.
        times: digest of names, sizes and times of its files when it was accepted; empty in the object store, where
            nothing ever changes.
    """

    kind: Literal["video", "images"]
    name: str
    key: str
    index_key: str
    bytes: int = 0
    sha256: str = ""
    root: str = ""
    times: str = ""


class Located(msgspec.Struct, frozen=True):
    """Something that lies below a root: what it is, and its path from there."""

    kind: Literal["video", "images"]
    root: str
    key: str


class Found(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was found in a source when it was accepted: frames of the container, size of the picture, length, codec."""

    frames: int
    width: int
    height: int
    duration_us: int
    codec: str


class Replay(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a job runs its parent again, on what that has stored.

    Attributes:
        stage: the first that runs again: `detect` takes the frames that the parent sampled, `track` its detections.
        tracker: settings of the tracker; None: the parent's.
        refine: whether finished tracks are improved; None: as the parent's were.
    """

    stage: Literal["detect", "track"]
    tracker: dict[str, Any] | None = None
    refine: bool | None = None


class Request(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A job as it was asked for.

    Attributes:
        pipeline: its name.
        source: what is to be processed.
        bucket: where an old client looks for the result.
        media_type: as an old client said it.
        found: in the source; None before it was looked into.
        origin: the job whose upload the source is, where that is another one; see `sightline.jobs.shared`.
        replay: of the job's parent; not there: everything runs, from the source.
    """

    v: Literal[1] = VERSION
    pipeline: str
    source: SourceRef
    bucket: str = BUCKET
    media_type: Literal["video", "image"] = "video"
    found: Found | None = None
    origin: str = ""
    replay: Replay | UnsetType = UNSET


class Folder(msgspec.Struct, frozen=True):
    """A root as it is now.

    Attributes:
        path: as it was configured.
        exists: whether something lies there.
        names: of what lies in it, sorted; None where it is no folder that can be listed.
        parts: folders beside the sequences of a dataset, sorted, `sequences` included.
        sequences: their names, sorted.
    """

    path: str
    exists: bool
    names: list[str] | None = None
    parts: list[str] = []
    sequences: list[str] = []


class Entry(msgspec.Struct, frozen=True):
    """Something in a folder below a root: its name, its path from the root, and the bytes of a video."""

    name: str
    path: str
    kind: Literal["folder", "video", "images"]
    bytes: int | None


class Listing(msgspec.Struct, frozen=True):
    """A folder below a root, by its path from there; `cut`: it holds more than is said."""

    path: str
    entries: list[Entry]
    cut: bool


def input_key(bucket: str, job_id: str) -> str:
    """Key of an upload, whatever its container."""
    return f"{bucket}/input/{job_id}.mp4"


def detection_key(bucket: str, job_id: str) -> str:
    """Key of the result that an old client reads."""
    return f"{bucket}/detection/{job_id}.json"


def job_prefix(job_id: str) -> str:
    """Prefix of everything else of a job."""
    return f"sightline/jobs/{job_id}/"


def index_key(job_id: str) -> str:
    """Key of the index of a job's source; two jobs may have one source, and each has an index of its own."""
    return f"{job_prefix(job_id)}index.bin"


def own_bytes(job_id: str, request: Request) -> int:
    """Size of the file that is stored for this job alone; 0 where it only names one that is somebody else's."""
    return request.source.bytes if request.source.key == input_key(request.bucket, job_id) else 0


def encode(request: Request) -> dict[str, Any]:
    """JSON values, as a job's row holds them."""
    built: dict[str, Any] = msgspec.to_builtins(request)
    return built


def decode(values: Mapping[str, Any]) -> Request:
    """The request in a job's row.

    Raises:
        Misconfigured: a newer release wrote it.
        Corrupt: it is none.
    """
    return read(values, Request, VERSION, "request")


def event_of(job: Job) -> Outgoing:
    """The event that a new job's row is stored with."""
    return Outgoing(JOB_TOPIC, 0, job.job_id, Native().encode(JobEvent(job.job_id)))
