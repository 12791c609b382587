"""A finished run at a glance: objects in view over time, how many there were, where frames were lost and where none came.

A filter narrows it as it narrows counts, so that its unique objects are those of a recount. An object is in view in every
frame in which it has a box, from its first one on, also before it was seen often enough to count.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sightline.arrays import IntArray
from sightline.counts import Anchors, TrackCounts
from sightline.formats.count_bins import group_labels
from sightline.runs.filtered import Filter
from sightline.runs.opened import Frames, OpenRun, Video
from sightline.vision.counting import hits_limit

__all__ = ["GAP_STEPS", "gaps", "lost", "overview"]

GAP_STEPS = 3
"""Usual steps between two frames; where the next one comes later than that, there is a gap."""


@dataclass(frozen=True, slots=True, eq=False)
class _Axis:
    """Sampled frames laid in bins of one length."""

    frames: Frames
    begin_us: int
    end_us: int
    bin_us: int

    @classmethod
    def of(cls, video: Video, bins: int) -> _Axis:
        """At most so many bins, of at least a microsecond, from the first frame to the end of the last one."""
        pts_us = video.frames.pts_us
        begin, end = int(pts_us[0]), int(pts_us[-1]) + round(1_000_000 / video.rate)
        return cls(video.frames, begin, end, max(1, -(-(end - begin) // bins)))

    def most(self, visible: IntArray) -> list[int]:
        """The most at once in each bin; 0 where no frame lies in it."""
        most = np.zeros(-(-(self.end_us - self.begin_us) // self.bin_us), np.int64)
        np.maximum.at(most, (self.frames.pts_us - self.begin_us) // self.bin_us, visible)
        return most.tolist()

    def peak(self, visible: IntArray) -> dict[str, int | None]:
        """The most at once, and the first frame that has them; null where there are none."""
        seq = int(visible.argmax())
        if not visible[seq]:
            return {"peak": 0, "peak_frame": None, "peak_pts_us": None}
        frame, pts_us = self.frames.frame[seq], self.frames.pts_us[seq]
        return {"peak": int(visible[seq]), "peak_frame": int(frame), "peak_pts_us": int(pts_us)}


def overview(run: OpenRun, groups: Sequence[TrackCounts | None], which: Filter, bins: int) -> dict[str, Any]:
    """The whole of it, JSON values only.

    Args:
        run: which is open.
        groups: its counts, or what a filter has left of them.
        which: the filter.
        bins: at most so many.
    """
    axis, labels = _Axis.of(run.video, bins), run.video.labels
    by_group, by_class = [], []
    counted = every = 0
    for group, of, tracked in zip(run.video.groups, groups, run.tracked, strict=True):
        assert of is not None  # a run that is open has tracks in every group
        names = group_labels(run.video, group, of)
        visible = _visible(run.video, of, tracked.anchors, names)
        total = visible.sum(axis=0)
        unique = int(np.count_nonzero(of.counted))
        by_group.append(
            {"group": group.name, "in_view": axis.most(total), "unique": unique, **axis.peak(total)}
        )
        voted = [labels[number] for number in of.class_id[of.counted].tolist()]
        by_class += [
            {"group": group.name, "label": name, "unique": voted.count(name), **axis.peak(row)}
            for name, row in zip(names, visible, strict=True)
        ]
        counted, every = counted + unique, every + len(of)
    rate = run.video.rate
    return {
        "bin_us": axis.bin_us,
        "begin_us": axis.begin_us,
        "duration_us": axis.end_us - axis.begin_us,
        "groups": by_group,
        "classes": by_class,
        "tracks": {"counted": counted, "all": every},
        "lost": lost(run.video.frames, run.manifest["frames"]["not_ok"], axis.end_us),
        "gaps": gaps(run.video.frames.pts_us),
        "rule": {
            "min_hits": which.min_hits or hits_limit(rate),
            "rate": f"{rate.numerator}/{rate.denominator}",
        },
    }


def lost(frames: Frames, not_ok: Sequence[Mapping[str, Any]], end_us: int) -> list[dict[str, Any]]:
    """Sampled frames that were not looked at: ranges of those that follow each other and have one reason.

    Args:
        frames: the sampled ones.
        not_ok: `frame`, `outcome` and `reason` of each, rising.
        end_us: where the last frame ends.
    """
    ends = np.append(frames.pts_us[1:], end_us)
    found: list[dict[str, Any]] = []
    before = -2
    for each in not_ok:
        seq = int(np.searchsorted(frames.frame, each["frame"]))
        why = {"outcome": each["outcome"], "reason": each["reason"]}
        if seq != before + 1 or not why.items() <= found[-1].items():
            found.append({"first_frame": each["frame"], "start_us": int(frames.pts_us[seq]), **why})
        found[-1] |= {"last_frame": each["frame"], "end_us": int(ends[seq])}
        before = seq
    return found


def gaps(pts_us: IntArray) -> list[dict[str, int]]:
    """Where two frames that follow each other are more than three usual (median) steps apart."""
    steps = np.diff(pts_us)
    if not len(steps):
        return []
    wide = np.flatnonzero(steps > GAP_STEPS * np.median(steps))
    return [{"start_us": int(pts_us[at]), "end_us": int(pts_us[at + 1])} for at in wide]


def _visible(video: Video, counts: TrackCounts, anchors: Anchors, names: Sequence[str]) -> IntArray:
    """Objects of each label in view in each frame, int64 (labels, F)."""
    place = np.array([names.index(label) if label in names else 0 for label in video.labels], np.int64)
    total = len(video.frames.frame)
    row = np.where(counts.counted, place[counts.class_id] * total, -1)
    at = np.repeat(row, np.diff(anchors.first))
    kept = at >= 0
    cells = at[kept] + anchors.seq[kept]
    return np.bincount(cells, minlength=len(names) * total).reshape(len(names), total)
