"""The window: how many frames of which job may be on their way, and which job is next; the feeder's rules as arithmetic."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

__all__ = [
    "BATCH",
    "FEED_AT_ONCE",
    "FLOOR",
    "MAX_WINDOW",
    "SHORT",
    "WINDOW",
    "next_job",
    "room_of",
    "share_of",
]

MAX_WINDOW = 8192  # outstanding frames of all jobs of a partition, however many lanes there are
WINDOW = 512  # the same, however few
FLOOR = 256  # outstanding frames of one job at the least: two releases of the slowest stage, or it would wait for ever
FEED_AT_ONCE = 16  # jobs that are fed at the same time; the rest queue
BATCH = 64  # records per append
SHORT = 1000  # frames


class Queued(Protocol):
    """A job that waits to be fed."""

    @property
    def frames(self) -> int: ...


def room_of(longest_chunk: int, lanes: int, window: int = WINDOW) -> int:
    """Outstanding frames of all jobs: two chunks for each lane, or lanes would wait for a long chunk's window.

    >>> room_of(50, 4), room_of(250, 8), room_of(250, 64)
    (512, 4000, 8192)
    """
    return max(window, min(2 * lanes * longest_chunk, MAX_WINDOW))


def share_of(room: int, jobs: int, others: int, floor: int = FLOOR) -> int:
    """Outstanding frames of one job: its share, or what those that were there before it have left of the window.

    Args:
        room: of all jobs.
        jobs: that are fed, this one among them.
        others: outstanding frames of the other ones.
        floor: see `FLOOR`.

    >>> share_of(8192, 1, 0), share_of(8192, 4, 6000), share_of(8192, 4, 7000), share_of(8192, 16, 8192)
    (8192, 2048, 1192, 256)
    """
    return max(min(room // jobs, room - others), floor)


def next_job(queue: Mapping[str, Queued], admitted: int) -> str:
    """The oldest job of the queue; each fourth time the oldest short one, so that long ones cannot block the way.

    Args:
        queue: job ids, the oldest first; not empty.
        admitted: how many jobs were taken from it, this one among them.
    """
    short = (job_id for job_id, job in queue.items() if job.frames < SHORT)
    oldest = next(iter(queue))
    return oldest if admitted % 4 else next(short, oldest)
