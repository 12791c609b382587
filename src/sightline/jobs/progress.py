"""How far each stage of a job is, from what is committed. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from sightline.events import part_of, stream_name
from sightline.jobs.recipe import Recipe
from sightline.jobs.topology import FOLDS, FoldStage, frames_stream
from sightline.ports import JobState

__all__ = ["Done", "progress_of"]

FEED, DETECT, PUBLISH = "feed", "detect", "publish"


class Done(NamedTuple):
    """Frames that a stage is done with, and how many there are; of `publish` results."""

    done: int
    total: int


def progress_of(recipe: Recipe, next_seq: Mapping[tuple[str, str], int], state: JobState) -> dict[str, Done]:
    """Each stage of a job in the order in which frames pass it.

    A stage is as far as the stream is in which it is least far. `detect` commits nothing of its own: it is as far as the
    first stage that reads it.

    Args:
        recipe: of the job.
        next_seq: see `Ledger.progress`.
        state: of the job.
    """
    frames = recipe.sampled

    def least(pairs: Iterable[tuple[str, str]]) -> Done:
        # The end of a stream is a record of its own, one behind the last frame.
        return Done(min([frames, *(next_seq.get(pair, 0) for pair in pairs)]), frames)

    folds = {
        fold.name: [(fold.name, name) for name in recipe.streams if _folds(fold, name, recipe)]
        for fold in FOLDS
    }
    detections = [name for name in recipe.streams if part_of(name)[0] == "detections"]
    detected = [max(next_seq.get((fold, name), 0) for fold in folds) for name in detections]
    published = int(state == "ready")
    return {
        FEED: least([(FEED, frames_stream())]),
        DETECT: Done(min([frames, *detected]), frames),
        **{name: least(pairs) for name, pairs in folds.items() if pairs},
        PUBLISH: Done(published, 1),
    }


def _folds(fold: FoldStage, stream: str, recipe: Recipe) -> bool:
    kind, group = part_of(stream)
    return kind in fold.reads and (fold.emits is None or stream_name(fold.emits, group) in recipe.streams)
