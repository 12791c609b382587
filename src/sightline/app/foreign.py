"""What programs of the founding systems find of a job's frames: rows of a table, paths, copies, pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from sightline.adapters.images.jpeg import encode
from sightline.events import Codecs, Sampled
from sightline.jobs.frames_table import frame_rows
from sightline.jobs.recipe import Recipe
from sightline.jobs.requests import SourceRef
from sightline.jobs.topology import frames_streams
from sightline.ports import Row
from sightline.runtime.feed import all_whole
from sightline.runtime.routes import context_of
from sightline.sources.frame_store import FrameStore
from sightline.sources.stored import Places
from sightline.sources.whole_frames import QUALITY, WholeFrames
from sightline.stages.feed import Plan

__all__ = ["ForeignFrames"]


class ForeignFrames:
    """Says it for a feeder; see `Feeder`.

    Args:
        places: where sources lie.
        source: of a job.
        dialect: of a job's topics.
        shared: others may read these topics.
        codecs: dialects by topic.
        frame_store: copies frames for programs of system A; None: they open the source itself.
        inline_frames: tasks of system B's detector bring their pictures along.
    """

    def __init__(
        self,
        places: Places,
        source: Callable[[Recipe], SourceRef],
        dialect: Callable[[Recipe], str],
        *,
        shared: bool,
        codecs: Codecs,
        frame_store: FrameStore | None,
        inline_frames: bool,
    ) -> None:
        self._places, self._source, self._dialect = places, source, dialect
        self._shared, self._codecs, self._frame_store = shared, codecs, frame_store
        self._looks = WholeFrames(places)
        self._inline = WholeFrames(places, prepared=True) if inline_frames else None

    def rows(self, recipe: Recipe, plan: Plan, records: Sequence[Sampled]) -> Sequence[Row]:
        """Rows of system A's table `frames`, for jobs of its dialect; where frames are copied, of copies that are there.

        Raises:
            InvalidVideo: the source is gone, or is another one now.
            Unavailable: a copy cannot be written.
        """
        if not records or self._dialect(recipe) != "a":
            return ()
        return frame_rows(recipe, records, [path for path, _ in self._paths(recipe, plan, records)])

    def named(self, recipe: Recipe, plan: Plan, records: Sequence[Sampled]) -> Sequence[Sampled]:
        """Records with the paths of their frames, for programs that read the topics of the founding systems; or with pictures.

        Where frames are copied or sent along, one that could not be is `failed`: nobody finds anything there.

        Raises:
            InvalidVideo: see `rows`.
        """
        if not records or not self._is_foreign(recipe):
            return records
        named = [
            replace(record, path=path, outcome="failed" if reason else record.outcome, reason=reason)
            for record, (path, reason) in zip(records, self._paths(recipe, plan, records), strict=True)
        ]
        if self._inline is None or self._dialect(recipe) != "b":
            return named
        return list(self._pictured(self._inline, recipe, plan, named))

    def broken(self, recipe: Recipe, plan: Plan, records: Sequence[Sampled]) -> Sequence[str]:
        """Why there is nothing to see in some frames, empty where there is; of jobs whose topics nobody else reads nothing is said.

        Raises:
            InvalidVideo: see `rows`.
        """
        if not self._is_foreign(recipe):
            return all_whole(recipe, plan, records)
        source = self._source(recipe)
        reasons = [reason for _, _, reason in self._looks.read(recipe, source, plan, records)]
        self._looks.close(recipe.job_id)
        return reasons

    def close(self) -> None:
        """Release every source."""
        for frames in (self._looks, self._inline):
            if frames is not None:
                frames.close_all()

    def _is_foreign(self, recipe: Recipe) -> bool:
        """Whether programs of the founding systems may look at the frames of a job."""
        return self._shared and self._dialect(recipe) != "native"

    def _pictured(
        self, frames: WholeFrames, recipe: Recipe, plan: Plan, records: Sequence[Sampled]
    ) -> Iterator[Sampled]:
        """Records with their pictures, as JPEG; one that the topic does not take has failed."""
        codec, about = self._codecs(recipe.route.topics[frames_streams(recipe)[0]]), context_of(recipe)
        for record, picture, reason in frames.read(recipe, self._source(recipe), plan, records):
            if picture is None:
                yield replace(record, outcome="failed", reason=reason)
                continue
            full = replace(record, frame_data=encode(picture, QUALITY))
            fits = len(codec.encode(full, about)) <= codec.max_bytes
            yield full if fits else replace(record, outcome="failed", reason="too_large")

    def _paths(self, recipe: Recipe, plan: Plan, records: Sequence[Sampled]) -> Sequence[tuple[str, str]]:
        """Path of each frame, and why there is nothing to see."""
        source = self._source(recipe)
        if self._frame_store is not None and self._dialect(recipe) == "a":
            return self._frame_store.keep(recipe, source, plan, records)
        return [
            (self._places.name_of(source, plan.index, each.row, each.chunk), each.reason) for each in records
        ]
