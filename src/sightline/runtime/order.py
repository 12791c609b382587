"""Order: records of one stream arrive repeated and out of order; they are released once, by `seq`.

What waits for its turn is memory, not state: after a crash it is read again from the low-water mark.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sightline.events import Detected, End, JobContext, Record, Tracked
from sightline.jobs.recipe import Recipe
from sightline.stages.stage import Stage

__all__ = ["Fold", "Waiting"]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A record and where the log holds it."""

    offset: int
    record: Record


@dataclass(slots=True)
class Fold:
    """One stream of one job: `state` and `next_seq` are committed, `waiting` never is.

    Attributes:
        recipe: of the job.
        stage: what folds it.
        state: after all records below `next_seq`.
        next_seq: the first seq not yet released.
        finished: the end was released; whatever still comes is a repetition.
        duplicates: records dropped because an earlier one had their identity.
    """

    recipe: Recipe
    stage: Stage[Any]
    state: Any
    next_seq: int = 0
    finished: bool = False
    waiting: dict[int, Waiting] = field(default_factory=dict)
    duplicates: int = 0
    _frontier: int = -1

    def add(self, offset: int, record: Record) -> bool:
        """Keep the first record of a seq whose turn is still to come, drop any other; whether it was kept."""
        if self.finished or record.seq < self.next_seq or record.seq in self.waiting:
            self.duplicates += 1
            return False
        self.waiting[record.seq] = Waiting(offset, record)
        return True

    def ends(self, offset: int, record: Record) -> None:
        """The end of a stream in which a foreign program writes, which says none: the recipe knows it.

        It waits where that program's newest record lies: whoever reads again after a crash meets that record, and by it
        the end.
        """
        if not self.finished:
            n = self.recipe.sampled
            self.waiting[n] = Waiting(offset, End(record.job_id, record.stream, n))

    def fails(self, offset: int, record: Record, about: JobContext) -> None:
        """Frames that are known to have failed, of a stream in which a foreign program writes: it may pass them over.

        Those whose turn may come with that program's newest record; they wait where it lies, as the end does. Whatever it says
        of them itself does not count.
        """
        timeline = about.timeline
        if self.finished or timeline is None or not isinstance(record, Detected | Tracked):
            return
        for seq in timeline.failed_around(self.next_seq, record.seq):
            at = (record.job_id, record.stream, seq, int(timeline.frame[seq]), int(timeline.pts_us[seq]))
            failed = type(record)(*at, "failed", timeline.failed[seq], foreign=True)
            self.waiting[seq] = Waiting(offset, failed)

    def awaits(self) -> int:
        """The lowest seq that has not come yet."""
        seq = self.next_seq
        while seq in self.waiting:
            seq += 1
        return seq

    def take_due(self, at_most: int) -> list[Record]:
        """Take records whose turn it is, in `seq` order: `at_most`, or one release of the stage if that is more."""
        self._frontier = max(self._frontier, self.next_seq)
        while self._frontier in self.waiting:
            self._frontier += 1
        n = self._frontier - self.next_seq
        if n == 0:
            return []
        release = self.stage.release
        if not isinstance(self.waiting[self._frontier - 1].record, End):
            n -= n % release
        n = min(n, max(at_most - at_most % release, release))
        due = [self.waiting.pop(seq).record for seq in range(self.next_seq, self.next_seq + n)]
        self.next_seq += n
        if due and isinstance(due[-1], End):
            self.finished = True
            self.waiting.clear()
        return due
