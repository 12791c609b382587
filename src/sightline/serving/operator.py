"""What an operator does on the stores of a service: on its data folder or its shared stores, whether it runs or not."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from sightline.adapters.joined import JoinedStore
from sightline.app.shared import addressed
from sightline.errors import Words
from sightline.jobs import replays
from sightline.jobs.recipe import Recipe
from sightline.jobs.replays import Stage
from sightline.jobs.requests import Replay, index_key
from sightline.jobs.shared import UPLOAD
from sightline.ports import Notes, ObjectStore, Store
from sightline.runs.verify import Verdict, verify_job
from sightline.serving.backends import codecs_of, objects_of, shared_parts
from sightline.serving.config import now_us
from sightline.serving.folder import store_of
from sightline.settings import ServeOptions

__all__ = ["Noted", "replay", "store_at", "verify"]


class Noted(Store, Protocol):
    """A store with the notes beside it."""

    @property
    def notes(self) -> Notes:
        """What is noted of jobs."""


@contextmanager
def store_at(options: ServeOptions, client: str) -> Iterator[Noted]:
    """The store of a service.

    Args:
        options: of the service.
        client: how brokers call who asks.

    Raises:
        NotFound: the data folder is none of a service.
        Misconfigured: no database or no brokers are named.
        Unavailable: one does not answer.
    """
    if options.ledger == "sqlite":
        with closing(store_of(options.data)) as store:
            yield store
        return
    with shared_parts(options, client) as (log, documents):
        yield JoinedStore(log, documents, addressed(options.partitions, codecs_of(options)))


def replay(options: ServeOptions, job_id: str, stage: Stage, asked: Callable[[Recipe], Replay]) -> str:
    """Make a job that replays another one; its id. See `jobs.replays.begin`.

    Raises:
        NotFound: there is no such job.
        Misconfigured: nothing is stored that it could begin with, or `asked` refuses.
    """
    child_id = str(uuid.uuid4())
    with store_at(options, "sightline-replay") as store, _objects(options) as objects:
        notes, now = store.notes, now_us()
        job = store.get(job_id)
        claim = notes.put(UPLOAD, child_id, {"keys": [index_key(child_id)], "began_us": now})
        try:
            replays.begin(
                job,
                child_id,
                stage,
                asked,
                jobs=store,
                ledger=store,
                objects=objects,
                notes=notes,
                now_us=now,
            )
        finally:
            notes.delete(UPLOAD, child_id, claim)
    return child_id


def verify(options: ServeOptions, job_id: str, words: Words) -> Verdict:
    """Check the result of a job.

    Raises:
        NotFound: there is no such job, or it has no result.
    """
    with store_at(options, "sightline-verify") as store, _objects(options) as objects:
        return verify_job(objects, store.get(job_id), words)


@contextmanager
def _objects(options: ServeOptions) -> Iterator[ObjectStore]:
    """The objects of a service; nothing is kept of them here."""
    with ExitStack() as rest:
        cache = Path(rest.enter_context(TemporaryDirectory())) if options.objects == "s3" else options.data
        yield objects_of(options, cache, "operator")
