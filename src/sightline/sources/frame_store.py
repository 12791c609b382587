"""Copies of frames as system A keeps them, for programs that open the path of a frame: `{video_id}_{frame_id}.jpg`.

A copy is there before any record names it. Jobs of videos of one name share the names, as in system A: the newest wins.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path

from sightline.adapters.images.jpeg import encode
from sightline.disk import disk_errors, make_folder, write_whole
from sightline.errors import NotFound, Unavailable
from sightline.events import Sampled
from sightline.events.dialect_a import frame_id
from sightline.jobs.recipe import Recipe
from sightline.jobs.requests import SourceRef
from sightline.jobs.rows import is_there
from sightline.ports import Jobs, Note, Notes
from sightline.sources.stored import Places
from sightline.sources.whole_frames import QUALITY, WholeFrames
from sightline.stages.feed import Plan

__all__ = ["FrameStore"]

NOTE = "frame_store"
_FOREIGN = re.compile(r"[^A-Za-z0-9._-]")
_LONGEST = 200
log = logging.getLogger("sightline.sources")


class FrameStore:
    """Writes and removes the copies; used by any thread.

    Args:
        folder: where they go.
        places: where sources lie.
        notes: remember which copies a job has.
    """

    def __init__(self, folder: Path, places: Places, notes: Notes) -> None:
        self._folder, self._notes, self._frames = folder, notes, WholeFrames(places)
        self._lock = threading.Lock()  # what is removed is not written meanwhile
        self._asked: tuple[object, ...] = ()  # job and seqs of the last call, and what it found
        self._found: list[tuple[str, str]] = []

    def keep(
        self, recipe: Recipe, source: SourceRef, plan: Plan, records: Sequence[Sampled]
    ) -> list[tuple[str, str]]:
        """Copy some frames; path of each, and why it could not be decoded: such a one has a path and no file.

        Asked for the same frames once more, it copies nothing.

        Raises:
            InvalidVideo: the source is gone, or is another one now.
            Unavailable: the disk is full.
        """
        with self._lock:
            asked = (recipe.job_id, *(record.seq for record in records))
            if self._asked != asked:
                self._remember(recipe, int(plan.index.frame[-1]))
                self._found = self._kept(recipe, source, plan, records)
                self._asked = asked
            return self._found

    def _kept(
        self, recipe: Recipe, source: SourceRef, plan: Plan, records: Sequence[Sampled]
    ) -> list[tuple[str, str]]:
        make_folder(self._folder)
        found = []
        for record, picture, reason in self._frames.read(recipe, source, plan, records):
            path = self._path(recipe.video_id, record.frame)
            if picture is not None:
                write_whole(path, [encode(picture, QUALITY)])
            found.append((str(path), reason))
        return found

    def tidy(self, jobs: Jobs, removed: Iterable[str] | None = None) -> None:
        """Remove the copies of jobs that were removed.

        Args:
            jobs: the rows.
            removed: those that may be meant; None: whichever have copies.
        """
        try:
            with self._lock:
                self._tidied(jobs, removed)
        except Unavailable as error:  # the next call tries again
            log.warning("copies of frames are not removed now: %s (%s)", error.message, error.code)

    def _tidied(self, jobs: Jobs, removed: Iterable[str] | None) -> None:
        known = dict(self._noted())
        for job_id in known.keys() if removed is None else known.keys() & {*removed}:
            if is_there(jobs, job_id):
                continue
            self._frames.close(job_id)
            self._asked = ()
            name, last = known[job_id].value["name"], known[job_id].value["last"]
            others = [each for each, note in known.items() if note.value["name"] == name and each != job_id]
            if not any(is_there(jobs, each) for each in others):
                with disk_errors(self._folder.name):
                    for frame in range(last + 1):
                        self._path(name, frame).unlink(missing_ok=True)
            self._notes.delete(NOTE, job_id, known[job_id].revision)

    def close(self) -> None:
        """Release every source."""
        with self._lock:
            self._frames.close_all()

    def _path(self, video_id: str, frame: int) -> Path:
        return self._folder / f"{_safe(video_id)}_{frame_id(frame)}.jpg"

    def _remember(self, recipe: Recipe, last: int) -> None:
        try:
            self._notes.get(NOTE, recipe.job_id)
        except NotFound:
            self._notes.put(NOTE, recipe.job_id, {"name": _safe(recipe.video_id), "last": last}, 0)

    def _noted(self) -> Iterable[tuple[str, Note]]:
        after = ""
        while page := self._notes.list(NOTE, after):
            yield from page
            after = page[-1][0]


def _safe(video_id: str) -> str:
    """A name as a part of a file's name: those of uploads are any text."""
    return _FOREIGN.sub("_", video_id)[:_LONGEST].lstrip(".") or "_"
