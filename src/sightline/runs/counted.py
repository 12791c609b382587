"""What was counted in finished runs, as users and files get it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sightline.counts import Event, JobCounts
from sightline.formats.count_bins import BinCount
from sightline.formats.timeline import Filmed, Timeline
from sightline.interop import data_frame
from sightline.runs.shown import bin_columns, event_columns, listed, series, table

if TYPE_CHECKING:
    import pandas

__all__ = ["Recount"]


@dataclass(frozen=True, repr=False)
class Recount:
    """Counts of one run, or of consecutive runs of one camera.

    Attributes:
        timeline: what was counted, on its axis of time.
        bins: rows of `counts.csv`.
        files: written files; those of several runs hold all of them.
    """

    timeline: Timeline
    bins: tuple[BinCount, ...]
    files: tuple[Path, ...] = ()

    @property
    def result(self) -> Filmed:
        """What was counted, without its boxes: name, clock, frames, labels, groups; the first one where several are joined."""
        return self.timeline.jobs[0].result

    @property
    def counts(self) -> JobCounts:
        """Its counts, with its lines and zones."""
        return self.timeline.jobs[0].counts

    @property
    def events(self) -> tuple[Event, ...]:
        """What crossed lines, entered and left zones, run after run."""
        return tuple(event for job in self.timeline.jobs for event in job.counts.events)

    def to_pandas(self) -> pandas.DataFrame:
        """The rows of `counts.csv`, times in microseconds; needs pandas.

        Raises:
            Misconfigured: pandas is not installed.
        """
        return data_frame(bin_columns(self.timeline.video_id, self.bins))

    def events_to_pandas(self) -> pandas.DataFrame:
        """The rows of `events.csv`, times in microseconds of their video; needs pandas.

        Raises:
            Misconfigured: pandas is not installed.
        """
        return data_frame(event_columns([(job.result, job.counts.events) for job in self.timeline.jobs]))

    def __repr__(self) -> str:
        totals = {" ".join(filter(None, key)): count for key, count in series(self.bins).items()}
        return f"Recount({self.timeline.video_id}: {listed(totals)})"

    def _repr_html_(self) -> str:
        """Totals over all bins as a table, for notebooks."""
        rows = [(*key, count) for key, count in series(self.bins).items()]
        caption = f"{self.timeline.video_id}: counts in all; to_pandas() has them by bins"
        return table(caption, ["kind", "name", "direction", "label", "count"], rows)
