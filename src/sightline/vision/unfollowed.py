"""Boxes that became no object, told by what held them back: a pure function of a finished job.

A threshold that suits one network misjudges another, and a count of 0 looks like an empty road. What is said here has the
figures and the flag; nothing is decided.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple, Self

import numpy as np

from sightline.arrays import FloatArray
from sightline.types import Caveat, GroupResult, JobResult, Origin, TrackTable
from sightline.vision.reference import NEW

__all__ = ["Start", "unfollowed"]

# Of the boxes of a group that count as objects, how many may lie in no track before that is worth a word: false boxes are
# far fewer where thresholds suit the network (0.07 on the demo clip), and it is half or more where they do not.
UNFOLLOWED = 1 / 3


class Start(NamedTuple):
    """What a box needs to start a track.

    Attributes:
        confidence: the higher of the tracker's two thresholds.
        flag: its name.
    """

    confidence: float
    flag: str

    @classmethod
    def scaled(cls, level: float) -> Self:
        """What a box needs where thresholds are scaled to the video, of which sure boxes score `level`."""
        least = NEW * level
        return cls(least, f"the {least:.2f} of a sure box in this video")

    @classmethod
    def of(cls, high: float, new: float) -> Self:
        """A box that starts a track is a high one, and reaches `new`."""
        if high > new:
            return cls(high, f"--tracker.track-high-thresh {high:g}")
        return cls(new, f"--tracker.new-track-thresh {new:g}")


def unfollowed(result: JobResult, conf: float, start: Start | None, stride: int = 1) -> Iterator[Caveat]:
    """Say where boxes are missing, or are there and none, or few, of them became objects.

    Args:
        result: of a finished job.
        conf: lowest confidence that the detector was asked for.
        start: what a box needs to start a track; None without a tracker.
        stride: every so many frames were sampled.

    Yields:
        `nothing_found` where no group has a box that counts as an object; `no_tracks_started` or `few_tracks` for each
        group with boxes enough for an object.
    """
    scores = np.concatenate([group.detections.confidence for group in result.groups])
    if not (scores >= result.conf).any():
        yield Caveat("nothing_found", _nothing(result, conf, scores))
    if start is not None:
        for group in result.groups:
            own = start if group.level is None else Start.scaled(group.level)
            yield from _of_group(result, group, own, stride)


def _nothing(result: JobResult, conf: float, scores: FloatArray) -> str:
    names = " and ".join(group.name for group in result.groups)
    frames = "1 frame" if len(result.frames) == 1 else f"{len(result.frames)} frames"
    said = f"{names}: no box from {result.conf:g} up in {frames}"
    if len(scores):
        return f"{said}; of {len(scores)} from --conf {conf:g} up the best has {_below(scores.max())}"
    if result.first_frame is not None:  # a text of detections: no model was asked
        return said
    asked = "" if result.conf == conf else f", nor from --conf {conf:g} up"
    return f"{said}{asked}; a lower --conf shows whether the model sees anything"


def _of_group(result: JobResult, group: GroupResult, start: Start, stride: int) -> Iterator[Caveat]:
    confidence = group.detections.confidence
    boxes = int((confidence >= result.conf).sum())
    if group.tracks is None or group.unique is None or boxes < result.min_hits:
        return
    above, flag = int((confidence >= start.confidence).sum()), start.flag
    said = f"{group.name}: {boxes} boxes from {result.conf:g} up"
    looked = f"; --vid-stride {stride} looks at one frame in {stride}" if stride > 1 else ""
    if not above:
        yield Caveat(
            "no_tracks_started", f"{said}, none reached {flag}; the best has {_below(confidence.max())}"
        )
        return
    followed = (group.tracks, *(() if group.rider_tracks is None else (group.rider_tracks,)))
    lost = boxes - sum(_hits(tracks, result.conf) for tracks in followed)
    if not group.unique[-1] and group.rider_tracks is None:
        yield Caveat(
            "few_tracks",
            f"{said}, {above} reached {flag}, none was followed for the {result.min_hits} frames of an object"
            f"{looked}",
        )
    elif lost <= UNFOLLOWED * boxes or lost < result.min_hits:
        return
    elif boxes - above >= lost / 2:
        yield Caveat(
            "few_tracks",
            f"{said}, {lost} of them in no track: it takes {flag} to start one, {above} reached it",
        )
    else:
        yield Caveat(
            "few_tracks",
            f"{said}, {lost} of them in no track, though {above} reached {flag}: what is seen once, or moves far from "
            f"one frame to the next, is not followed{looked}",
        )


def _hits(tracks: TrackTable, conf: float) -> int:
    """Boxes that count as objects and that the tracker matched."""
    return int(((tracks.origin <= Origin.LOW) & (tracks.confidence >= conf)).sum())


def _below(confidence: float) -> str:
    """A confidence to three decimals, never rounded up: one that did not reach a threshold must not look as if it had.

    >>> _below(0.69999), _below(0.64)
    ('0.699', '0.64')
    """
    return f"{math.floor(float(confidence) * 1000 + 1e-6) / 1000:g}"
