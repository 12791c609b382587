"""`runner_predictions`, for those who read it from MongoDB: a view of each job that was begun, or ended.

Nothing of ours reads it. The job's own document is the truth; each change of it is shown here, by who made it or by who comes
next. Frames come from records and results, which the ledger does not know: who publishes fills them in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import bson
from pymongo.errors import DuplicateKeyError

from sightline.adapters.mongo.errors import translated
from sightline.adapters.mongo.server import Document, Server
from sightline.events.times import moment
from sightline.ports import Job

__all__ = ["VIEW_BYTES", "Predictions", "frames_view", "job_view", "payload_of"]

VIEW_BYTES = 8 * 1024 * 1024
_SHOWN = ("processing", "predictable", "ready", "failed", "cancelled")


def payload_of(request: Mapping[str, Any]) -> Document:
    """What a job's document says of its source: bucket, key within it, and `video` or `image`.

    >>> payload_of({"bucket": "videos", "source": {"key": "videos/input/7.mp4"}})
    {'bucket': 'videos', 'object': 'input/7.mp4', 'media_type': 'video'}
    """
    source = request.get("source")
    key = str(source.get("key", "")) if isinstance(source, Mapping) else ""
    bucket = str(request.get("bucket", ""))
    return {
        "bucket": bucket,
        "object": key.removeprefix(f"{bucket}/") if bucket else key,
        "media_type": str(request.get("media_type", "video")),
    }


def job_view(job: Job) -> Document | None:
    """What the view shows of a job, frames left out; None of one that waits to be begun."""
    if job.state not in _SHOWN:
        return None
    ready, bucket = job.state == "ready", payload_of(job.request)["bucket"]
    total = job.facts.get("sampled")
    return {
        "event_id": job.job_id,
        "bucket": bucket,
        "status": job.state,
        "total_frames": total if isinstance(total, int) else 0,
        "ready_at": moment(job.times.get("ready", 0)) if ready else None,
        "output_s3": {"bucket": bucket, "object": f"detection/{job.job_id}.json"} if ready else None,
        "error_message": job.reason or None,
        "error_type": job.code or None,
    }


def frames_view(items: Iterable[Mapping[str, Any]], limit: int = VIEW_BYTES) -> Document:
    """`frame_results` and `prediction` of a job.

    Args:
        items: of each sampled frame one, in order, as `result.json` has them: `frame`, `objects`, and what else there is.
        limit: bytes of both together. Beyond it they are empty, and `truncated` is true.
    """
    listed: list[Document] = []
    size = 0
    for item in items:
        listed.append(dict(item))
        size += 2 * len(bson.encode(listed[-1]))  # it is there twice
        if size > limit:
            return {"frame_results": {}, "prediction": None, "truncated": True}
    results = {str(item["frame"]): item for item in listed}
    return {"frame_results": results, "prediction": listed, "truncated": False}


def received(progress: Mapping[tuple[str, str], int], streams: Sequence[str], total: int) -> int:
    """Frames with an outcome in every stream, from how far `collect` has come: its end is released as one more."""
    return min([total, *(progress.get(("collect", stream), 0) for stream in streams)]) if streams else 0


class Predictions:
    """The collection `runner_predictions`."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def show(self, job: Job, version: int) -> None:
        """Show a job as it is in a version of its document; what is shown of a newer one stays."""
        view = job_view(job)
        if view is None:
            return
        shown: Document = {**view, "version": version}
        of = {"_id": job.job_id}
        empty = {"received_frames": 0, "frame_results": {}, "prediction": None, "truncated": False}
        while True:
            if self._server.predictions.update_one(
                {**of, "version": {"$lt": version}}, {"$set": shown}
            ).matched_count:
                return
            with suppress(
                DuplicateKeyError
            ):  # it shows this version already, or one that somebody brought just now
                self._server.predictions.insert_one({**of, **empty, **shown})
                return
            if (
                self._server.predictions.find_one({**of, "version": {"$gte": version}}, {"_id": 1})
                is not None
            ):
                return

    def count(self, job_id: str, frames: int) -> None:
        """Say how many frames have an outcome; the number never falls. Of a job that is not shown: nothing happens."""
        with translated(self._server.name):
            self._server.predictions.update_one({"_id": job_id}, {"$max": {"received_frames": frames}})

    def fill(self, job_id: str, items: Iterable[Mapping[str, Any]], limit: int = VIEW_BYTES) -> None:
        """Fill in the frames of a job, see `frames_view`. Of a job that is not shown: nothing happens."""
        view = frames_view(items, limit)
        with translated(self._server.name):
            self._server.predictions.update_one({"_id": job_id}, {"$set": view})

    def remove(self, job_id: str) -> None:
        """No longer show a job."""
        self._server.predictions.delete_one({"_id": job_id})
