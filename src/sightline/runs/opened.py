"""Finished runs held open: counted and measured as often as somebody asks, from the anchors in their folder.

Anchors are mapped into memory, so that an hour is there at once and takes little of it. A run of a release that wrote no
anchors is read as a whole once, and keeps those of its tracks in memory: the counts are the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction
from typing import Any

import numpy as np

from sightline.arrays import IntArray
from sightline.counts import CountedGroup, JobCounts, Line, Zone
from sightline.disk import mapped
from sightline.errors import Corrupt, Misconfigured, NotFound
from sightline.formats import anchors
from sightline.formats.anchors import AnchorFile
from sightline.runs.load import camera_of, facts_in, load_result, read_run_json
from sightline.runs.place import Place
from sightline.speeds import JobSpeeds, Plane
from sightline.stages.publish import Facts, anchors_key
from sightline.vision.counting import count_groups, counted_groups
from sightline.vision.ground import Ground
from sightline.vision.speeds import speeds_of

__all__ = ["Frames", "Group", "OpenRun", "Video", "open_run"]


@dataclass(frozen=True, slots=True, eq=False)
class Frames:
    """The sampled frames: number in the source and presentation time, int64 (F,) each."""

    frame: IntArray
    pts_us: IntArray


@dataclass(frozen=True, slots=True)
class Group:
    """A group and its classes."""

    name: str
    class_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Video:
    """What counts need to know of a run; see `timeline.Filmed`."""

    video_id: str
    clock_start: datetime | None
    rate: Fraction
    frames: Frames
    labels: tuple[str, ...]
    groups: tuple[Group, ...]

    def named(self, video_id: str, clock_start: datetime | None) -> Video:
        """The same under another name, on another clock."""
        return replace(self, video_id=video_id, clock_start=clock_start)


@dataclass(frozen=True, slots=True, eq=False)
class OpenRun:
    """A finished run of which any lines, zones and speeds can be had at once.

    Attributes:
        place: of the run.
        manifest: its `run.json`.
        video: its frames and groups.
        size: width and height of the picture, pixels.
        tracked: counts of each group and where its objects stood.
        ground: of a camera that moves; None: it stands still.
    """

    place: Place
    manifest: Mapping[str, Any]
    video: Video
    size: tuple[int, int]
    tracked: tuple[CountedGroup, ...]
    ground: Ground | None = None

    def count(self, lines: Sequence[Line] = (), zones: Sequence[Zone] = ()) -> JobCounts:
        """Count the run's published tracks, as `vision.counting.count_job` does.

        Raises:
            Misconfigured: see there.
        """
        pts_us, labels = self.video.frames.pts_us, self.video.labels
        return count_groups(self.tracked, pts_us, self.size, labels, tuple(lines), tuple(zones), self.ground)

    def speeds(
        self, plane: Plane | None = None, lines: Sequence[Line] = (), frame: int | None = None
    ) -> JobSpeeds:
        """Headings and speeds of its counted objects, as `vision.speeds.speeds_of` tells them.

        Raises:
            Misconfigured: see there, and `count`.
        """
        counts, (pts_us, labels) = self.count(lines), (self.video.frames.pts_us, self.video.labels)
        found = speeds_of(self.tracked, pts_us, self.size, labels, plane, self.ground, counts.events, frame)
        return replace(found, unplaced=(*found.unplaced, *counts.unplaced))


def open_run(place: Place) -> OpenRun:
    """Open a finished run.

    Raises:
        NotFound: no finished run is here.
        Corrupt: anchors, the path of its camera or, in a run without anchors, a segment is missing or damaged.
        InvalidFile: `run.json` cannot be read.
        Misconfigured: it has no tracks.
    """
    run = read_run_json(place)
    facts = facts_in(place, run)
    if run["settings"]["tracker"] is None:
        raise Misconfigured(f"{place.name}: this run has no tracks; use sightline track", code="no_tracks")
    keys = [anchors_key(name) for name in facts.groups]
    if all(key in run["files"] for key in keys):
        frames, tracked = _anchored(place, facts, run)
    else:
        frames, tracked = _loaded(place)
    groups = tuple(Group(*each) for each in facts.groups.items())
    video = Video(facts.video_id, facts.clock_start, facts.rate, frames, facts.labels, groups)
    ground = Ground.of(camera_of(place, run), frames.frame)
    return OpenRun(place, run, video, (facts.width, facts.height), tracked, ground)


def _anchored(place: Place, facts: Facts, run: Mapping[str, Any]) -> tuple[Frames, tuple[CountedGroup, ...]]:
    """Frames and groups from mapped anchors."""
    try:
        files = list(_files(place, facts))
    except NotFound as error:
        raise Corrupt(f"{place.name}: {error}; the run folder is incomplete") from error
    frame, pts_us = files[0].frame, files[0].pts_us
    for name, file in zip(facts.groups, files, strict=True):
        same = np.array_equal(file.frame, frame) and np.array_equal(file.pts_us, pts_us)
        picture = (file.width, file.height) == (facts.width, facts.height)
        labelled = file.group.counts.class_id.max(initial=-1) < len(facts.labels)
        if not (same and picture and labelled and len(frame) == run["frames"]["sampled"]):
            raise Corrupt(f"{place.name}: {anchors_key(name)} is of another video; restore it from a copy")
    return Frames(frame, pts_us), tuple(file.group for file in files)


def _files(place: Place, facts: Facts) -> Iterator[AnchorFile]:
    for name in facts.groups:
        key = anchors_key(name)
        with place.open_local(key) as path:
            yield anchors.decode(mapped(path), name, key)


def _loaded(place: Place) -> tuple[Frames, tuple[CountedGroup, ...]]:
    """Frames and groups from all segments of a run without anchors."""
    result, _ = load_result(place)
    tracked = tuple(group for group in counted_groups(result) if group is not None)
    return Frames(result.frames.frame, result.frames.pts_us), tracked
