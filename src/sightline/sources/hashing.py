"""Hashing: large sources below roots are read in a thread of their own, so that other jobs go on meanwhile."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from queue import SimpleQueue

from sightline.jobs.requests import SourceRef
from sightline.ports import Stat
from sightline.sources.stored import Places, stat_of

__all__ = ["Hashing"]

AT_ONCE = 64 * 2**20  # bytes that are read while everybody waits: a tenth of a second


class Hashing:
    """Sizes and hashes of sources, one after the other in the order in which they were asked for.

    Args:
        places: where they lie.
        at_once: bytes of a source that is read by whoever asks.
    """

    def __init__(self, places: Places, at_once: int = AT_ONCE) -> None:
        self._places, self._at_once = places, at_once
        self._queue: SimpleQueue[tuple[SourceRef, Future[Stat]]] = SimpleQueue()
        self._asked: dict[str, Future[Stat]] = {}
        # Nobody waits for it at the end: a hash that is half done is begun again by the next process.
        self._thread = threading.Thread(target=self._work, daemon=True, name="sightline-hashing")

    def ask(self, job_id: str, source: SourceRef) -> Stat | None:
        """Size and hash of a job's source; None while it is being read: ask again.

        Raises:
            InvalidVideo: `source_gone` or `source_changed` since it was accepted.
        """
        if not source.root or source.bytes <= self._at_once:
            return stat_of(self._places, source)
        future = self._asked.get(job_id)
        if future is None:
            future = self._asked[job_id] = Future()
            self._queue.put((source, future))
            if not self._thread.is_alive():
                self._thread.start()
            return None  # also where it is there already: what comes of a first call is not a matter of luck
        if not future.done():
            return None
        del self._asked[job_id]
        return future.result()

    def _work(self) -> None:
        while True:
            source, future = self._queue.get()
            try:
                future.set_result(stat_of(self._places, source))
            except BaseException as error:  # raised where it is asked for
                future.set_exception(error)
