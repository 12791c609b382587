"""Runs held open between two questions, so that a line that moves is counted at once: a few, and not too large."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from sightline.runs.filtered import Hits, hits_of
from sightline.runs.opened import OpenRun, open_run
from sightline.runs.place import Place

__all__ = ["Held", "HeldRuns"]


@dataclass(eq=False)
class Held:
    """A run that is open, and what was read of it since.

    Attributes:
        run: see there.
    """

    run: OpenRun
    _hits: tuple[Hits, ...] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def hits(self) -> tuple[Hits, ...]:
        """How sure its objects were, read once; see `filtered.hits_of`."""
        with self._lock:
            if self._hits is None:
                self._hits = hits_of(self.run)
            return self._hits

    @property
    def nbytes(self) -> int:
        """What it takes: mapped files, of which memory holds what was looked at lately, and hits."""
        columns = [
            getattr(group.anchors, name) for group in self.run.tracked for name in group.anchors.__slots__
        ]
        return sum(int(column.nbytes) for column in columns) + sum(hits.nbytes for hits in self._hits or ())


class HeldRuns:
    """The runs that were asked for lately, by job; safe to call from several threads.

    Args:
        most: so many are held.
        most_bytes: and so large they may be together; the last one is held however large.
    """

    def __init__(self, most: int = 8, most_bytes: int = 2**30) -> None:
        self._most, self._most_bytes = most, most_bytes
        self._lock = threading.Lock()
        self._held: OrderedDict[tuple[str, str], Held] = OrderedDict()

    def open(self, job_id: str, version: str, place: Callable[[], Place]) -> Held:
        """A run, opened if it is not.

        Args:
            job_id: whose.
            version: hash of its `run.json`.
            place: where it lies.
        """
        with self._lock:
            key = job_id, version
            if key not in self._held:
                self._held[key] = Held(open_run(place()))
            self._held.move_to_end(key)
            while len(self._held) > 1 and (len(self._held) > self._most or self.nbytes > self._most_bytes):
                self._held.popitem(last=False)
            return self._held[key]

    @property
    def nbytes(self) -> int:
        """What all of them take."""
        return sum(held.nbytes for held in self._held.values())

    def jobs(self) -> set[str]:
        """Whose runs are held."""
        with self._lock:
            return {job_id for job_id, _ in self._held}

    def drop(self, jobs: Collection[str]) -> None:
        """Let go of the runs of jobs that are no longer there."""
        with self._lock:
            for key in [key for key in self._held if key[0] in jobs]:
                del self._held[key]
