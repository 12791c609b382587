"""Jobs in MongoDB: one document each, in the collection `outbox`.

`number` rises in the order in which jobs become visible and is never used twice, so that it names a place between jobs for ever: a
cursor. It is one more than the highest that is there, and unique; a job that was removed leaves its number in `gone`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from pymongo.errors import DuplicateKeyError

from sightline.adapters.job_rows import cursor_of, json_of, place_of
from sightline.adapters.mongo.documents import advance_in, document_of, find_job, job_of
from sightline.adapters.mongo.errors import translated
from sightline.adapters.mongo.follow import Follow
from sightline.adapters.mongo.outbox import MongoOutbox
from sightline.adapters.mongo.server import Document, Server, insert_new, nonce
from sightline.errors import NotFound
from sightline.ports import (
    ALL_JOBS,
    STATES,
    TERMINAL,
    Counts,
    Job,
    JobState,
    Outgoing,
    Page,
    Which,
    check_facts,
)

__all__ = ["MongoJobs"]


class MongoJobs(MongoOutbox):
    """`Jobs` beside the outbox.

    Args:
        server: of the database.
        clock: microseconds since 1970, for `Job.times`.
    """

    def __init__(self, server: Server, *, clock: Callable[[], int]) -> None:
        super().__init__(server, Follow(server, clock))
        self._clock = clock

    def create(self, job: Job, events: Sequence[Outgoing]) -> bool:
        """See `Jobs`."""
        with translated(self._server.name):
            if self._server.gone.find_one({"_id": job.job_id}) is not None:
                return False
            order, written = self._server.next("order"), nonce()
            now = self._clock()
            while True:
                document = {**document_of(job, self._last() + 1, order, now, events), "nonce": written}
                if insert_new(self._server.jobs, document):
                    break
                if self._server.jobs.find_one({"_id": job.job_id}, {"_id": 1}) is not None:
                    return False
            if not self._stays(job.job_id, written):
                return False
            self._follow.told(job.job_id)
            return True

    def get(self, job_id: str) -> Job:
        """See `Jobs`."""
        with translated(self._server.name):
            found = find_job(self._server, job_id)
            if found is None:
                raise NotFound(f"no job {job_id}")
            return job_of(found)

    def list(self, which: Which = ALL_JOBS, *, limit: int = 50, after: str = "") -> Page:
        """See `Jobs`."""
        place = place_of(after, which)
        above, order = ("$gt", 1) if which.oldest_first else ("$lt", -1)
        names = [name for name in ("owner", "video_id", "parent_id") if getattr(which, name) is not None]
        asked: Document = {name: getattr(which, name) for name in names}
        if which.states:
            asked["state"] = {"$in": sorted(set(which.states))}
        with translated(self._server.name):
            self._follow.all()
            query = {**asked, "number": {above: place}}
            found = list(self._server.jobs.find(query, {"records": 0}).sort("number", order).limit(limit + 1))
            jobs = tuple(job_of(document) for document in found[:limit])
        return Page(jobs, cursor_of(found[limit - 1]["number"]) if len(found) > limit else "")

    def advance(
        self,
        job_id: str,
        to: JobState,
        *,
        code: str = "",
        reason: str = "",
        result: Mapping[str, Any] | None = None,
        facts: Mapping[str, Any] | None = None,
    ) -> bool:
        """See `Jobs`."""
        check_facts(facts, to)
        changes: Document = {"code": code, "reason": reason}
        if result is not None:
            changes["result"] = json_of(result)
        if facts is not None:
            changes |= {"facts": json_of(facts), "streams": list(facts.get("streams", ()))}
        with translated(self._server.name):
            if advance_in(self._server, job_id, to, self._clock(), **changes) is None:
                return False
            self._follow.told(job_id)
            return True

    def counts(self, owner: str | None = None) -> Counts:
        """See `Jobs`."""
        asked: Document = {"state": {"$in": list(STATES)}} | ({} if owner is None else {"owner": owner})
        stages = [{"$match": asked}, {"$group": {"_id": "$state", "n": {"$sum": 1}}}]
        with translated(self._server.name):
            self._follow.all()
            revision = self._server.count("revision")
            found = {row["_id"]: int(row["n"]) for row in self._server.jobs.aggregate(stages)}
        return Counts({state: found[state] for state in STATES if state in found}, revision)

    def remove(self, job_id: str) -> bool:
        """See `Jobs`."""
        with translated(self._server.name):
            kept = find_job(self._server, job_id)
            if kept is None or kept["state"] not in TERMINAL:
                return False
            with suppress(DuplicateKeyError):  # somebody else removes it, or died at it
                self._server.gone.insert_one({"_id": job_id, "number": kept["number"], "unfinished": True})
            return self._follow.removed(job_id)

    def _last(self) -> int:
        """The highest number that a job has or had: `gone` is asked last, as who removes a job writes there first."""
        newest = [("number", -1)]
        there = self._server.jobs.find_one({"number": {"$gt": 0}}, {"number": 1}, sort=newest)
        gone = self._server.gone.find_one({}, {"number": 1}, sort=newest)
        return max(int(found["number"]) if found else 0 for found in (there, gone))

    def _stays(self, job_id: str, written: str) -> bool:
        """Whether a new job may stay: others may have been made and removed between two looks of ours.

        One of this id: then this one goes. One of its number: then it gets another, above all that pages have passed.
        """
        mine = {"_id": job_id, "nonce": written}
        if self._server.gone.find_one({"_id": job_id}) is not None:
            self._server.jobs.delete_one(mine)
            return False
        while True:
            kept = self._server.jobs.find_one(mine, {"number": 1})
            if kept is None or self._server.gone.find_one({"number": kept["number"]}) is None:
                return True
            try:
                self._server.jobs.update_one(mine, {"$set": {"number": self._last() + 1}})
            except DuplicateKeyError:
                continue
