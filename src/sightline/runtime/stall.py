"""Stalls: which stage waits for a record that never came, and what is known of why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from sightline.errors import Corrupt
from sightline.jobs.recipe import Recipe
from sightline.jobs.topology import JOB_TOPIC
from sightline.ports import Store
from sightline.runtime.worker import FoldWorker

__all__ = ["Pausing", "stall"]


class Pausing(Protocol):
    """A worker that says why it reads no further."""

    @property
    def paused(self) -> str: ...  # noqa: D102


def stall(
    store: Store,
    recipe: Recipe,
    folds: Mapping[tuple[str, str, int], FoldWorker],
    others: Mapping[str, Pausing],
) -> Corrupt:
    """The error of a job in which no stage has anything to do though it has not ended.

    Args:
        store: log, ledger and jobs.
        recipe: of the job that stands still.
        folds: workers by stage and topic, in the order in which records pass them.
        others: workers that come before them, by their names and topics.
    """
    where = "publish waits for streams that are complete"
    streams = {topic: stream for stream, topic in recipe.route.topics.items()}
    begun = bool(store.get(recipe.job_id).facts)
    if not begun:
        where = "feed waits for the event of the job, which never came"
    for (stage, topic, _), fold in folds.items() if begun else ():
        stream = streams[topic]
        seq = fold.awaits(recipe.job_id, stream)
        if seq is not None:
            where = f"{stage} waits for seq {seq} of {stream}, which never came"
            break
    readers = {**others, **{f"{stage} {fold.topic}": fold for (stage, _, _), fold in folds.items()}}
    why = _pauses(readers) or _letters(store, recipe)
    return Corrupt(f"the run stands still: {where}{why}", code="stalled")


def _pauses(readers: Mapping[str, Pausing]) -> str:
    """The first reader that met a record which only a newer program reads."""
    for name, reader in readers.items():
        if reader.paused:
            stage, _, topic = name.partition(" ")
            return f"; {stage} could not read a record of {topic}: {reader.paused}"
    return ""


def _letters(store: Store, recipe: Recipe) -> str:
    """The first record that nobody could read, if there was one: most likely the missing one."""
    for topic in (JOB_TOPIC, *dict.fromkeys(recipe.route.topics.values())):
        letters = f"{topic}.dlq"
        for entry in store.read(letters, 0, store.head(letters, 0)[0], 1):
            said = dict(entry.headers)
            return f"; {said['x-dlq-stage']} could not read a record of {topic}: {said['x-dlq-message']}"
    return ""
