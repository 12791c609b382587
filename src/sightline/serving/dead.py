"""The dead letters of a service, for its operator: on its data folder or its shared stores, whether it runs or not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

from sightline.runtime.resending import Post
from sightline.serving.backends import codecs_of, shared_parts, topology_of
from sightline.serving.config import now_us
from sightline.serving.folder import store_of
from sightline.settings import ServeOptions

__all__ = ["post_of"]


@contextmanager
def post_of(options: ServeOptions) -> Iterator[Post]:
    """The letters of a service, and what they are sent again with.

    Raises:
        NotFound: the data folder is none of a service.
        Misconfigured: no database or no brokers are named.
        Unavailable: one does not answer.
    """
    topology = topology_of(options)
    if options.ledger == "sqlite":
        with closing(store_of(options.data)) as store:
            yield Post(store, store, store, store.notes, topology, codecs_of(options), now_us())
        return
    with shared_parts(options, "sightline-dead") as (log, documents):
        yield Post(log, documents, documents, documents.notes, topology, codecs_of(options), now_us())
