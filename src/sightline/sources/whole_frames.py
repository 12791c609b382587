"""Whole frames of jobs' sources, for programs of others that look at pictures: our own detector has them scaled."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from itertools import groupby

import numpy as np

from sightline.arrays import ByteArray
from sightline.events import Sampled
from sightline.jobs.recipe import Recipe
from sightline.jobs.requests import SourceRef
from sightline.ports import FrameReader
from sightline.sources.stored import Places, open_pictures
from sightline.stages.feed import Plan

__all__ = ["QUALITY", "WholeFrames", "pictures"]

QUALITY = 95  # of a JPEG, as in both founding systems
READERS = 4  # open at once


def pictures(
    reader: FrameReader, buffer: ByteArray, plan: Plan, records: Sequence[Sampled]
) -> Iterator[tuple[Sampled, ByteArray | None, str]]:
    """Each record, in order, with its picture; or with None, and why there is nothing to see.

    Args:
        reader: of the source.
        buffer: what a picture is written to: it is good until the next one is asked for.
        plan: of the job.
        records: of frames, rising.
    """
    for number, group in groupby(records, key=lambda record: record.chunk):
        mine = list(group)
        wanted = [record for record in mine if record.outcome == "ok"]
        rows, ticks = [record.row for record in wanted], [record.tick for record in wanted]
        decoded = reader.read(plan.chunks[number], rows, ticks, lambda: buffer) if wanted else iter(())
        for record in mine:
            if record.outcome != "ok":
                yield record, None, record.reason
                continue
            found = next(decoded)
            yield record, found.buffer, found.reason if found.buffer is None else ""


class WholeFrames:
    """Decodes them, in the size of the source; used by one thread at a time.

    Args:
        places: where sources lie.
        prepared: pictures are prepared for a detector as the pipeline of the job says.
    """

    def __init__(self, places: Places, *, prepared: bool = False) -> None:
        self._places, self._prepared = places, prepared
        self._readers: OrderedDict[str, FrameReader] = OrderedDict()

    def read(
        self, recipe: Recipe, source: SourceRef, plan: Plan, records: Sequence[Sampled]
    ) -> Iterator[tuple[Sampled, ByteArray | None, str]]:
        """See `pictures`; a picture is uint8 (height, width, 3), RGB.

        Raises:
            InvalidVideo: the source is gone, or is another one now.
        """
        buffer = np.empty((recipe.source.height, recipe.source.width, 3), np.uint8)
        yield from pictures(self._reader(recipe, source), buffer, plan, records)
        if records and records[-1].seq == len(plan.rows) - 1:
            self.close(recipe.job_id)

    def close(self, job_id: str) -> None:
        """Release the source of a job, if it is open."""
        reader = self._readers.pop(job_id, None)
        if reader is not None:
            reader.close()

    def close_all(self) -> None:
        """Release every source."""
        for job_id in list(self._readers):
            self.close(job_id)

    def _reader(self, recipe: Recipe, source: SourceRef) -> FrameReader:
        if recipe.job_id not in self._readers:
            preprocess = recipe.settings.preprocess if self._prepared else "none"
            self._readers[recipe.job_id] = open_pictures(
                self._places, source, recipe.source.sha256, preprocess
            )
        self._readers.move_to_end(recipe.job_id)
        while len(self._readers) > READERS:
            self.close(next(iter(self._readers)))
        return self._readers[recipe.job_id]
