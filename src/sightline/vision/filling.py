"""Gaps: where a track is missing for a moment, its box moves on a straight line."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sightline.arrays import IntArray
from sightline.types import FrameTable, Origin, TrackTable

__all__ = ["filled"]


def filled(frames: FrameTable, by_track: TrackTable, longest_us: int) -> TrackTable:
    """The rows with gaps filled: origin `INTERPOLATED`, box and confidence linear in time, class of the row before.

    A frame that failed or was skipped stays empty: nobody saw it.

    Args:
        frames: the sampled frames.
        by_track: rows sorted by `track_id`, then `seq`.
        longest_us: gaps are filled where the rows around them are at most so far apart.

    Returns:
        The rows given, then the new ones.
    """
    seen = np.array([outcome == "ok" for outcome in frames.outcome])
    before = np.flatnonzero(_gaps(frames.pts_us, by_track, longest_us))
    missing = by_track.seq[before + 1] - by_track.seq[before] - 1
    before = before.repeat(missing)
    seq = by_track.seq[before] + 1 + np.arange(len(before)) - (missing.cumsum() - missing).repeat(missing)
    before, seq = before[seen[seq]], seq[seen[seq]]
    pts_us = frames.pts_us
    start, end = pts_us[by_track.seq[before]], pts_us[by_track.seq[before + 1]]
    part = (pts_us[seq] - start) / (end - start)
    box, confidence = by_track.xyxy, by_track.confidence
    return TrackTable(
        np.concatenate((by_track.seq, seq)),
        np.concatenate((by_track.track_id, by_track.track_id[before])),
        np.concatenate((by_track.class_id, by_track.class_id[before])),
        np.concatenate((box, box[before] + (box[before + 1] - box[before]) * part[:, None])),
        np.concatenate(
            (confidence, confidence[before] + (confidence[before + 1] - confidence[before]) * part)
        ),
        np.concatenate((by_track.origin, np.full(len(seq), Origin.INTERPOLATED, np.uint8))),
    )


def _gaps(pts_us: IntArray, by_track: TrackTable, longest_us: int) -> NDArray[np.bool_]:
    """Which rows have a gap behind them that is to be filled; one fewer than there are rows."""
    same = np.diff(by_track.track_id) == 0
    apart = np.diff(pts_us[by_track.seq])
    gap: NDArray[np.bool_] = same & (np.diff(by_track.seq) > 1) & (apart <= longest_us)
    return gap
