"""The document of a job in `outbox`: row and events in one, so that one insert creates both.

Others read `_id`, `status` (`new` until its events are sent, then `sent`), `payload` and `created_at`. The other fields are ours:
`made`, `result` and `facts` are JSON as text, as their keys may be any. `version` rises with each change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sightline.adapters.job_rows import job_of_row, json_of, made_of
from sightline.adapters.mongo.predictions import payload_of
from sightline.adapters.mongo.records import packed, queued_fields
from sightline.adapters.mongo.server import Document, Server
from sightline.errors import NotFound
from sightline.events.times import moment
from sightline.ports import STATES, TERMINAL, Job, JobState, Outgoing, is_forward

__all__ = ["advance_in", "document_of", "find_job", "is_alive", "job_of"]


def document_of(job: Job, number: int, order: int, now_us: int, events: Sequence[Outgoing]) -> Document:
    """A new job with its events.

    Args:
        job: to be stored.
        number: its place among all jobs.
        order: of its events among all records.
        now_us: when it came.
        events: that wait with it.

    Raises:
        TooLarge: an event is larger than any log takes.
    """
    times: Mapping[JobState, int] = {job.state: now_us}
    records = {"records": packed(events)} if events else {}
    return {
        "_id": job.job_id,
        "status": "new" if events else "sent",
        "payload": payload_of(job.request),
        "created_at": moment(job.created_at_us),
        "number": number,
        "order": order,
        "version": 1,
        "untold": True,
        "state": job.state,
        "code": job.code,
        "reason": job.reason,
        "made": made_of(replace(job, times={})),
        "result": json_of(job.result),
        "facts": json_of(job.facts),
        "streams": list(job.streams),
        "done": [],
        "times": times,
        "owner": job.owner,
        "video_id": job.video_id,
        "parent_id": job.parent_id,
        **queued_fields(events),
        **records,
    }


def job_of(document: Document) -> Job:
    """The job of a document.

    Raises:
        msgspec.DecodeError: the document is damaged.
    """
    times = {state: document["times"][state] for state in STATES if state in document["times"]}
    texts = (document["made"], document["state"], document["code"], document["reason"])
    return job_of_row(times, *texts, document["result"], document["facts"])


def find_job(server: Server, job_id: str) -> Document | None:
    """The document of a job of ours; None where there is none, or it is one of the system before."""
    found = server.jobs.find_one({"_id": job_id}, {"records": 0})
    return found if found is not None and "made" in found else None


def is_alive(server: Server, job_id: str) -> bool:
    """Whether a job is there and has not ended."""
    found = server.jobs.find_one({"_id": job_id}, {"state": 1})
    return found is not None and found.get("state", "ready") not in TERMINAL


def advance_in(server: Server, job_id: str, to: JobState, now_us: int, **changes: Any) -> Document | None:
    """Move a job forward by compare-and-set on its version; the document as it was, None where the move is not forward.

    Args:
        server: where it is.
        job_id: whose.
        to: the new state.
        now_us: when it is reached.
        changes: of other fields of the document.

    Raises:
        NotFound: no such job.
    """
    while True:
        kept = find_job(server, job_id)
        if kept is None:
            raise NotFound(f"no job {job_id}")
        if not is_forward(kept["state"], to):
            return None
        new = {
            "state": to,
            "times": {**kept["times"], to: now_us},
            "untold": True,
            "version": kept["version"] + 1,
        }
        of = {"_id": job_id, "version": kept["version"]}
        if server.jobs.update_one(of, {"$set": {**changes, **new}}).matched_count:
            return kept
