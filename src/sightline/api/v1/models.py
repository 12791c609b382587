"""JSON of `/api/v1`, in and out. Unknown keys are errors."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import ConfigDict, Field

from sightline.api.documented import JOB, Strict
from sightline.ports import JobState

__all__ = [
    "CancelBody",
    "CountsBody",
    "FramesBody",
    "GroupBody",
    "JobBody",
    "JobItem",
    "JobPage",
    "JobRequest",
    "LabelBody",
    "ObjectSource",
    "PatchBody",
    "PathSource",
    "ResultBody",
    "SourceBody",
    "StageBody",
    "WarningBody",
]

ITEM: dict[str, Any] = {
    "job_id": JOB,
    "name": "street.mp4",
    "state": "processing",
    "code": "",
    "reason": "",
    "pipeline": "traffic",
    "created_at": "2026-11-21T07:00:00.000000Z",
    "clock_start": "2026-11-21T08:00:00+01:00",
    "times": {"sent": "2026-11-21T07:00:00.001000Z", "processing": "2026-11-21T07:00:00.120000Z"},
    "parent_id": None,
    "source": {
        "name": "street.mp4",
        "kind": "video",
        "bytes": 1048576,
        "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "width": 1280,
        "height": 720,
        "frames": 250,
        "duration_us": 10000000,
        "codec": "h264",
    },
    "progress": {"feed": {"done": 250, "total": 250}, "detect": {"done": 128, "total": 250}},
    "result": None,
    "links": {"self": f"/api/v1/jobs/{JOB}", "events": f"/api/v1/jobs/{JOB}/events"},
}
WHOLE = {
    **ITEM,
    "child_id": None,
    "counts": None,
    "warnings": [],
    "groups": [
        {"name": "cars", "labels": [{"class_id": 2, "label": "car"}, {"class_id": 7, "label": "truck"}]}
    ],
    "tracked": True,
    "streams": ["detections:cars", "tracks:cars", "published:cars"],
    "sampled": 250,
    "media_start_us": 0,
}


class ObjectSource(Strict):
    """An object that is stored already."""

    bucket: str = Field("videos", max_length=63)
    object: str = Field(min_length=1, max_length=512)


class PathSource(Strict):
    """A file or folder of images below the folder that the service was started with for that."""

    path: str = Field(min_length=1, max_length=1024)


class JobRequest(Strict):
    """A job of something that is there already."""

    source: ObjectSource | PathSource
    pipeline: str = Field("traffic", max_length=64)
    media_type: Literal["video", "image"] = "video"
    name: str | None = Field(None, max_length=255, description="The source's where it is left out.")
    clock_start: str | None = Field(
        None, max_length=64, description="Time of frame 0 on the clock, RFC 3339."
    )

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {"source": {"bucket": "videos", "object": "street.mp4"}, "pipeline": "traffic"}
        },
    )


class StageBody(Strict):
    """How far a stage is, in sampled frames; `publish` in results."""

    done: int
    total: int


class SourceBody(Strict):
    """What is processed: its bytes as they were stored, and what was found when it was looked into."""

    name: str
    kind: Literal["video", "images"]
    bytes: int
    sha256: str = Field(description="Empty for a file of the server's own that was not read yet.")
    width: int | None = None
    height: int | None = None
    frames: int | None = None
    duration_us: int | None = None
    codec: str | None = None


class ResultBody(Strict):
    """The manifest of a job that is ready: `run.json`, which lists every file of the result."""

    bytes: int
    sha256: str


class JobItem(Strict):
    """A job in a list.

    `progress` has an entry for each stage of a job that was begun; `times` says when each state was reached.
    """

    job_id: str
    name: str
    state: JobState
    code: str = Field(description="Why it `failed` or was `cancelled`; empty otherwise.")
    reason: str
    pipeline: str
    created_at: datetime
    clock_start: str | None = Field(
        description="Time of frame 0 on the clock, RFC 3339; null where nobody said."
    )
    times: dict[JobState, datetime]
    parent_id: str | None = Field(description="The job that this one runs again.")
    source: SourceBody | None = Field(description="Null where the row of the job is damaged.")
    progress: dict[str, StageBody]
    result: ResultBody | None
    links: dict[str, str]

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": ITEM})


class FramesBody(Strict):
    """Frames of the source; `sampled` were looked at, and each of those is one of ok, failed, skipped."""

    total: int
    sampled: int
    ok: int
    failed: int
    skipped: int


class CountsBody(Strict):
    """What was counted."""

    frames: FramesBody


class WarningBody(Strict):
    """Something a user should know."""

    code: str
    detail: str


class LabelBody(Strict):
    """A class of the model: its number in boxes, and its word."""

    class_id: int
    label: str


class GroupBody(Strict):
    """Classes that are tracked together."""

    name: str
    labels: list[LabelBody]


class JobBody(JobItem):
    """A job. `counts` and `warnings` are there once it is ready; what it consists of once it was begun."""

    child_id: str | None = Field(description="The newest job that runs this one again.")
    counts: CountsBody | None
    warnings: list[WarningBody]
    groups: list[GroupBody] = Field(description="Empty before the job was begun.")
    tracked: bool = Field(description="Whether detections become tracks.")
    streams: list[str] = Field(description="Streams that `/segments/{stream}/{first}` knows.")
    sampled: int = Field(description="Frames that are looked at; 0 before the job was begun.")
    media_start_us: int = Field(
        description="What a player calls the time of the first frame; 0 too where the source has no times of its own."
    )

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": WHOLE})


class JobPage(Strict):
    """Some jobs, newest first; `next` is the cursor of those that follow, null at the end."""

    items: list[JobItem]
    next: str | None

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"items": [ITEM], "next": "n:1f"}}
    )


class PatchBody(Strict):
    """What of a job may be changed; what is left out stays."""

    name: str | None = Field(None, min_length=1, max_length=255)
    clock_start: str | None = Field(None, max_length=64, description="RFC 3339, or null for none.")

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"name": "north", "clock_start": "2026-11-21T08:00:00+01:00"}},
    )


class CancelBody(Strict):
    """Where a job stands after somebody asked to cancel it: whether it was cancelled, or had ended before."""

    job_id: str
    state: JobState
    cancelled: bool

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"job_id": JOB, "state": "cancelled", "cancelled": True}},
    )
