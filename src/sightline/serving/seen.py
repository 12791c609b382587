"""What the API process sees of the worker: how it is, and what it has counted; of one that is away what it said last."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace

import msgspec

from sightline.api.backend import Vitals
from sightline.api.reports import Family, Report, Sample
from sightline.errors import Unavailable
from sightline.serving.rpc import Client

__all__ = ["STILL_S", "Seen"]

STILL_S = 600.0  # work waits and nothing has moved: publishing hours of video is the longest single step


class Status(msgspec.Struct, frozen=True):
    """What the worker says of itself."""

    waiting: int
    still_s: float
    stage: str
    confinement: str
    confined: bool
    model: str
    awaits: tuple[str, ...] = ()


class Seen:
    """See the module; called by several threads.

    Args:
        worker: is asked.
        now: seconds of a clock that never falls.
    """

    def __init__(self, worker: Client, now: Callable[[], float] = time.monotonic) -> None:
        self._worker, self._now = worker, now
        self._heard = now()
        self._lock = threading.Lock()
        self._level = Vitals()
        self._report: Report | None = None

    def vitals(self) -> Vitals:
        """How the work is now; of a worker that is away, for how long it has been, and what it said last of confinement."""
        try:
            told = msgspec.convert(self._worker.ask("status"), Status)
        except Unavailable:
            away_s = self._now() - self._heard
            return replace(self._level, moving=False, stage="worker", still_s=away_s, awaits=())
        moving = told.waiting == 0 or told.still_s < STILL_S
        found = Vitals(
            moving,
            "" if moving else told.stage,
            0.0 if moving else told.still_s,
            told.confinement,
            told.confined,
            told.model,
            told.awaits,
        )
        with self._lock:
            self._level, self._heard = found, self._now()
        return found

    def reports(self) -> dict[str, Report]:
        """The last report of the worker, and whether it answers."""
        report, up = self._report, True
        try:
            report = msgspec.convert(self._worker.ask("metrics"), Report)
        except Unavailable:
            up = False
        with self._lock:
            self._report = report
        alive = Family(
            "sightline_worker_up",
            "gauge",
            "Whether the worker process answers.",
            [Sample("sightline_worker_up", {}, float(up))],
        )
        return {"worker alive": Report("", [alive])} | ({} if report is None else {"worker": report})
