"""Refinement: tracks of a whole job in, better tracks out, once every frame has been seen.

1. Judge: which tracks are objects (`sightline.vision.evidence`); where thresholds are fixed, those that the tracker has
   confirmed, with the unconfirmed first box of each.
2. Link: a track that ends and one that begins shortly after, where it would have gone on, become one
   (`sightline.vision.linking`).
3. Smooth (off unless asked for): noise of the boxes is taken out (`sightline.vision.smoothing`).
4. Fill: short gaps of a track are bridged by straight lines (`sightline.vision.filling`).

Where the camera moved and it is known how, links, smoothing and filling take place on the ground
(`sightline.vision.stabilised`); rows that were measured keep their boxes.

`Origin` says of every row how it came about. Only rows that the tracker matched are counted; a birth or a filled gap
never is. A pure function: equal tables give equal tables. Whoever keeps results keeps `REFINE_VERSION` with them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from sightline.errors import Misconfigured
from sightline.types import FrameTable, Origin, TrackTable
from sightline.verdicts import Verdicts
from sightline.vision.camera_path import CameraPath
from sightline.vision.evidence import judged
from sightline.vision.filling import filled
from sightline.vision.linking import chains, joined
from sightline.vision.smoothing import smoothed
from sightline.vision.stabilised import in_frames, on_ground, unbroken

__all__ = ["REFINE_VERSION", "RefineSettings", "judge_and_refine", "refine"]

REFINE_VERSION = 4


@dataclass(frozen=True, slots=True)
class RefineSettings:
    """How far refinement goes.

    Attributes:
        link_s: longest gap in seconds between the end of a track and its continuation under another id; 0: never
            link. Longer: fewer splits, more wrong merges.
        fill_s: longest gap in seconds within a track that is filled; 0: never fill.
        smooth: take the noise out of the boxes. Better for people seen from the side, worse for small objects seen
            from above.
    """

    link_s: float = 2.0
    fill_s: float = 1.55
    smooth: bool = False

    def __post_init__(self) -> None:
        for name, value in (("link_s", self.link_s), ("fill_s", self.fill_s)):
            if not (math.isfinite(value) and 0 <= value <= 60):
                raise Misconfigured(f"refine.{name} is {value}: give seconds from 0 to 60")


def refine(
    frames: FrameTable, tracks: TrackTable, settings: RefineSettings, path: CameraPath | None = None
) -> TrackTable:
    """Refine the tracks of one group.

    Args:
        frames: the sampled frames of the job; their times decide, not their numbers.
        tracks: as the tracker gave them, unconfirmed boxes included; a track has at most one row a frame.
        settings: see there.
        path: where the camera looked in each frame; None where nobody knows, or it stood still.

    Returns:
        A table sorted by `seq`, then `track_id`. Ids of linked tracks are those of their first part; no id is new.

    Raises:
        ValueError: a row of a frame that does not exist, or two rows of a track in one frame.
    """
    by_track = _confirmed(_by_track(frames, tracks))
    if not len(by_track):
        return by_track
    path = unbroken(path)
    if settings.link_s > 0:
        links = chains(frames.pts_us, on_ground(path, by_track), round(settings.link_s * 1e6))
        by_track = joined(by_track, links)
    return _finished(frames, by_track, settings, path)


def judge_and_refine(
    frames: FrameTable,
    tracks: TrackTable,
    settings: RefineSettings,
    level: float,
    path: CameraPath | None = None,
) -> tuple[TrackTable, Verdicts]:
    """As `refine`, of a tracker that gave every candidate: only objects stay; and why each track is one, or is none.

    Args:
        frames, tracks, settings, path: see `refine`.
        level: the reference of the video's confidences (`sightline.vision.reference`).
    """
    by_track = _by_track(frames, tracks)
    path = unbroken(path)
    objects, verdicts = judged(frames, by_track, level, round(settings.link_s * 1e6), path)
    return _finished(frames, objects, settings, path), verdicts


def _finished(
    frames: FrameTable, by_track: TrackTable, settings: RefineSettings, path: CameraPath | None
) -> TrackTable:
    """The rows, smoothed and filled, sorted by `seq`, then `track_id`."""
    if not len(by_track):
        return by_track
    ground = on_ground(path, by_track)
    if settings.smooth:
        ground = smoothed(frames.pts_us, ground)
        by_track = in_frames(path, ground)
    if settings.fill_s > 0:
        new = filled(frames, ground, round(settings.fill_s * 1e6))[len(ground) :]
        by_track = TrackTable.concatenate((by_track, in_frames(path, new)))
    return by_track.sorted()


def _by_track(frames: FrameTable, tracks: TrackTable) -> TrackTable:
    """Rows by track, then seq.

    Raises:
        ValueError: as `refine`.
    """
    by_track = tracks[np.lexsort((tracks.seq, tracks.track_id))]
    if len(by_track):
        _check(frames, by_track)
    return by_track


def _confirmed(by_track: TrackTable) -> TrackTable:
    """Without tracks that were never confirmed."""
    return by_track[np.isin(by_track.track_id, by_track.track_id[by_track.origin != Origin.BIRTH])]


def _check(frames: FrameTable, by_track: TrackTable) -> None:
    if by_track.seq.min() < 0 or by_track.seq.max() >= len(frames):
        raise ValueError(
            f"tracks have seq {by_track.seq.min()} to {by_track.seq.max()} of {len(frames)} frames"
        )
    same = (np.diff(by_track.track_id) == 0) & (np.diff(by_track.seq) == 0)
    if same.any():
        row = int(np.argmax(same))
        raise ValueError(f"track {by_track.track_id[row]} has two rows in seq {by_track.seq[row]}")
