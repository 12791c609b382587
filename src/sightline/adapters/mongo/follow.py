"""What follows from a document that was written: done by who wrote it, or, if that one died, by who comes next.

A change of a job (`untold`) is shown in `runner_predictions` and raises the revision. A commit that ends a stream (`open`) notes it
in the job, and makes the job predictable. A job that was removed (`unfinished`) leaves nothing. Each may be done twice, and by
several at once.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from sightline.adapters.mongo.commits import counting
from sightline.adapters.mongo.documents import advance_in, find_job, job_of
from sightline.adapters.mongo.predictions import Predictions
from sightline.adapters.mongo.server import Document, Server
from sightline.errors import NotFound
from sightline.ports import TERMINAL

__all__ = ["Follow"]


class Follow:
    """See the module.

    Args:
        server: of the database.
        clock: microseconds since 1970, for the time at which a job becomes predictable.
    """

    def __init__(self, server: Server, clock: Callable[[], int]) -> None:
        self._server, self._clock = server, clock
        self.predictions = Predictions(server)

    def all(self) -> None:
        """Do what others have left."""
        self._complete({"open": True})
        for document in self._server.gone.find({"unfinished": True}):
            self.removed(document["_id"])
        for document in self._server.jobs.find({"untold": True}, {"_id": 1}):
            self.told(document["_id"])

    def of_place(self, place: str) -> None:
        """Do what the owners of a partition before have left."""
        self._complete({"open": True, "place": place})

    def told(self, job_id: str) -> None:
        """Show a change of a job."""
        kept = find_job(self._server, job_id)
        if kept is None:
            return
        self.predictions.show(job_of(kept), kept["version"])
        self.changed()
        self._server.jobs.update_one({"_id": job_id, "version": kept["version"]}, {"$unset": {"untold": ""}})

    def changed(self) -> None:
        """Raise the revision."""
        self._server.counters.update_one({"_id": "revision"}, {"$inc": {"n": 1}})

    def committed(self) -> None:
        """Say that records wait."""
        self._server.counters.update_one({"_id": "news"}, {"$inc": {"n": 1}})

    def completed(self, commit: Document) -> None:
        """Note the end of a stream; the last one of the job makes it predictable."""
        job_id = commit["job"]
        alive = {"_id": job_id, "state": {"$nin": sorted(TERMINAL)}}
        self._server.jobs.update_one(alive, {"$addToSet": {"done": commit["stream"]}})
        kept = find_job(self._server, job_id)
        ended = kept is not None and kept["streams"] and set(kept["done"]).issuperset(kept["streams"])
        with suppress(NotFound):  # removed meanwhile: nothing follows
            if ended and advance_in(self._server, job_id, "predictable", self._clock(), code="", reason=""):
                self.told(job_id)
        self._server.commits.update_one({"_id": commit["_id"]}, {"$unset": {"open": ""}})

    def removed(self, job_id: str) -> bool:
        """Remove all of a job whose id is in `gone`; whether it was still there."""
        was_there = self._server.jobs.delete_one({"_id": job_id}).deleted_count == 1
        self.predictions.remove(job_id)
        self._server.folds.delete_many({"job": job_id})
        self._server.parts.delete_many({"job": job_id, "kind": "state"})
        self.changed()
        self._server.gone.update_one({"_id": job_id}, {"$unset": {"unfinished": ""}})
        return was_there

    def _complete(self, asked: Document) -> None:
        written = list(self._server.commits.find(asked, {"records": 0}).sort("order", 1))
        for document in counting(self._server, written):
            self.completed(document)
