"""The dead letters of a service, for its operator: on its data folder or its shared stores, whether it runs or not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sightline.runtime.resending import Post
from sightline.serving.backends import codecs_of, topology_of
from sightline.serving.config import now_us
from sightline.serving.operator import store_at
from sightline.settings import ServeOptions

__all__ = ["post_of"]


@contextmanager
def post_of(options: ServeOptions) -> Iterator[Post]:
    """The letters of a service, and what they are sent again with; errors as of `store_at`."""
    with store_at(options, "sightline-dead") as store:
        yield Post(store, store, store, store.notes, topology_of(options), codecs_of(options), now_us())
