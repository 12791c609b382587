"""What the API works over: ports, and three functions that others fill."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from sightline.jobs.purge import Purged
from sightline.ports import Notes, ObjectStore, Store

__all__ = ["Backend", "MediaType", "Probed", "Purged"]

MediaType = Literal["video", "image"]


@dataclass(frozen=True)
class Probed:
    """What was found in a source whose index was stored."""

    frames: int
    width: int
    height: int
    duration_us: int
    codec: str


def _always() -> bool:
    return True


@dataclass(frozen=True)
class Backend:
    """See the module. Everything is synchronous and safe to call from several threads.

    Attributes:
        store: jobs, log and ledger.
        objects: uploads and results.
        notes: uploads under way.
        probe: looks into a stored object, in a confined process, and stores its index: key, name for people, media
            type, key of the index. Raises `InvalidVideo` or `Unavailable`; may take seconds.
        now_us: microseconds since 1970-01-01 UTC.
        new_id: UUID4 text.
        cancel_and_purge: stops a job and removes it with all its objects; see `sightline.jobs.purge`.
        moving: whether work that waits goes on; health is red where it does not.
    """

    store: Store
    objects: ObjectStore
    notes: Notes
    probe: Callable[[str, str, MediaType, str], Probed]
    now_us: Callable[[], int]
    new_id: Callable[[], str]
    cancel_and_purge: Callable[[str], Purged]
    moving: Callable[[], bool] = _always
