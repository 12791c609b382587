"""A job's row as JSON. Synchronous, for the pool."""

from __future__ import annotations

import hashlib
import logging
from datetime import UTC, datetime
from typing import Any

from sightline.api.backend import Backend
from sightline.api.v1.models import (
    CountsBody,
    FramesBody,
    GroupBody,
    JobBody,
    JobItem,
    LabelBody,
    ResultBody,
    SourceBody,
    StageBody,
    WarningBody,
)
from sightline.errors import Corrupt, Misconfigured, NotFound, phrase
from sightline.formats.run_folder import RunFile, decode_run
from sightline.jobs import recipe as recipes
from sightline.jobs import requests
from sightline.jobs.edits import edited
from sightline.jobs.files import stored_streams
from sightline.jobs.progress import progress_of
from sightline.jobs.recipe import Recipe
from sightline.jobs.requests import Request
from sightline.ports import Job, Which

__all__ = ["Views", "etag_of", "links_of", "result_of"]

REMEMBERED = 256
log = logging.getLogger("sightline.api")
LINKS = ("events", "results", "video", "geometry", "verdicts")


class Views:
    """Makes JSON of jobs.

    Args:
        backend: see there.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._summaries: dict[str, tuple[CountsBody, list[WarningBody]]] = {}

    def item(self, job: Job) -> JobItem:
        """A job in a list; one whose changes cannot be read is called as it was, and harms no other."""
        try:
            job = edited(self._backend.notes, job)
        except Corrupt as error:
            log.warning("%s: %s (%s)", job.job_id, error.message, error.code)
        return JobItem(**self._item(job))

    def whole(self, job: Job) -> JobBody:
        """A job with all that is known of it."""
        job = edited(self._backend.notes, job)
        children = self._backend.store.list(Which(parent_id=job.job_id), limit=1).jobs
        counts, warnings = self.summary(job) or (None, [])
        return JobBody(
            **self._item(job),
            child_id=children[0].job_id if children else None,
            counts=counts,
            warnings=warnings,
            **_parts(_recipe(job)),
        )

    def progress(self, job: Job) -> dict[str, StageBody]:
        """How far each stage of a job is; empty before it was begun."""
        recipe = _recipe(job)
        if recipe is None:
            return {}
        done = progress_of(recipe, self._backend.store.progress(job.job_id), job.state)
        return {name: StageBody(done=each.done, total=each.total) for name, each in done.items()}

    def summary(self, job: Job) -> tuple[CountsBody | None, list[WarningBody]] | None:
        """What the manifest of a job says; None before there is one. Manifests never change.

        One that is damaged is a warning.
        """
        key = job.result.get("key")
        if key is None:
            return None
        if key not in self._summaries:
            try:
                manifest = decode_run(b"".join(self._backend.objects.read(key)))
            except NotFound:  # the job is being removed
                return None
            except Corrupt as error:
                return None, [WarningBody(code=error.code, detail=str(error))]
            while len(self._summaries) >= REMEMBERED:
                self._summaries.pop(next(iter(self._summaries)), None)
            self._summaries[key] = _summary(manifest)
        return self._summaries[key]

    def _item(self, job: Job) -> dict[str, Any]:
        request = _request(job)
        return {
            "job_id": job.job_id,
            "name": job.video_id,
            "state": job.state,
            "code": job.code,
            "reason": phrase(job.reason),
            "pipeline": "" if request is None else request.pipeline,
            "created_at": _time(job.created_at_us),
            "clock_start": job.clock_start,
            "times": {state: _time(at) for state, at in job.times.items()},
            "parent_id": job.parent_id,
            "source": None if request is None else _source(request),
            "progress": self.progress(job),
            "result": result_of(job),
            "links": links_of(job),
        }


def links_of(job: Job) -> dict[str, str]:
    """Where to go on from a job."""
    here = f"/api/v1/jobs/{job.job_id}"
    return {"self": here, **{name: f"{here}/{name}" for name in LINKS}}


def etag_of(body: bytes) -> str:
    """The tag of a representation."""
    return f'"{hashlib.sha256(body).hexdigest()}"'


def _time(us: int) -> datetime:
    return datetime.fromtimestamp(us // 1_000_000, UTC).replace(microsecond=us % 1_000_000)


def _request(job: Job) -> Request | None:
    try:
        return requests.decode(job.request)
    except (Corrupt, Misconfigured):  # the row says so by its state, once somebody works on it
        return None


def _recipe(job: Job) -> Recipe | None:
    """What was found of a job; None before it was begun."""
    try:
        return recipes.decode(job.facts) if job.facts else None
    except (Corrupt, Misconfigured):  # whoever works on it ends it
        return None


def _parts(recipe: Recipe | None) -> dict[str, Any]:
    """What a job consists of."""
    if recipe is None:
        return {"groups": [], "tracked": False, "streams": [], "sampled": 0, "media_start_us": 0}
    labels = recipe.model.labels
    groups = [
        GroupBody(name=name, labels=[LabelBody(class_id=number, label=labels[number]) for number in numbers])
        for name, numbers in recipe.class_ids.items()
    ]
    return {
        "groups": groups,
        "tracked": recipe.tracked,
        "streams": list(stored_streams(recipe)),
        "sampled": recipe.sampled,
        "media_start_us": recipe.source.media_start_us,
    }


def _source(request: Request) -> SourceBody:
    source, found = request.source, request.found
    seen: dict[str, Any] = {}
    if found is not None:
        seen = {
            "width": found.width,
            "height": found.height,
            "frames": found.frames,
            "duration_us": found.duration_us,
            "codec": found.codec,
        }
    return SourceBody(name=source.name, kind=source.kind, bytes=source.bytes, sha256=source.sha256, **seen)


def result_of(job: Job) -> ResultBody | None:
    """The manifest of a job that is ready."""
    if job.state != "ready" or "sha256" not in job.result:
        return None
    return ResultBody(bytes=job.result["bytes"], sha256=job.result["sha256"])


def _summary(manifest: RunFile) -> tuple[CountsBody, list[WarningBody]]:
    frames = manifest.frames
    counted = FramesBody(
        total=frames.total,
        sampled=frames.sampled,
        ok=frames.ok,
        failed=frames.failed,
        skipped=frames.skipped,
    )
    warned = [WarningBody(code=each.code, detail=each.detail) for each in manifest.warnings]
    return CountsBody(frames=counted), warned
