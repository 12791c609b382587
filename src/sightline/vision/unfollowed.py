"""Boxes that became no object, told by what held them back: a pure function of a finished job.

A threshold that suits one network misjudges another, and a count of 0 looks like an empty road. What is said here has the
figures and the flag; nothing is decided.
"""

from __future__ import annotations

from collections.abc import Iterator

from sightline.types import Caveat, GroupResult, JobResult, Origin

__all__ = ["unfollowed"]

# Of the boxes of a group that count as objects, how many may lie in no track before that is worth a word: false boxes are
# far fewer where thresholds suit the network (0.07 on the demo clip), and it is half or more where they do not.
UNFOLLOWED = 1 / 3


def unfollowed(result: JobResult, conf: float, new_track_thresh: float | None) -> Iterator[Caveat]:
    """Say where boxes are missing, or are there and none, or few, of them became objects.

    Args:
        result: of a finished job.
        conf: lowest confidence that the detector was asked for.
        new_track_thresh: confidence from which a box starts a track; None without a tracker.

    Yields:
        `nothing_found` where no group has a box; `no_tracks_started` or `few_tracks` for each group with boxes enough for
        an object.
    """
    if not any(len(group.detections) for group in result.groups):
        names = " and ".join(group.name for group in result.groups)
        yield Caveat(
            "nothing_found",
            f"{names}: no box from --conf {conf:g} up in {len(result.frames)} frames; a lower --conf shows whether the "
            "model sees anything",
        )
    if new_track_thresh is not None:
        for group in result.groups:
            yield from _of_group(result, group, conf, new_track_thresh)


def _of_group(
    result: JobResult, group: GroupResult, conf: float, new_track_thresh: float
) -> Iterator[Caveat]:
    confidence = group.detections.confidence
    floor = result.conf if (confidence >= result.conf).any() else conf
    boxes = int((confidence >= floor).sum())
    if group.tracks is None or group.unique is None or boxes < result.min_hits:
        return
    above = int((confidence >= new_track_thresh).sum())
    said = f"{group.name}: {boxes} boxes from {floor:g} up"
    flag = f"--tracker.new-track-thresh {new_track_thresh:g}"
    if not above:
        yield Caveat("no_tracks_started", f"{said}, none reached {flag}; the best has {confidence.max():.2f}")
        return
    hit = group.tracks.origin <= Origin.LOW
    lost = boxes - int((group.tracks.confidence[hit] >= floor).sum())
    if not group.unique[-1]:
        yield Caveat(
            "few_tracks",
            f"{said}, {above} reached {flag}, none was followed for the {result.min_hits} frames of an object",
        )
    elif lost > UNFOLLOWED * boxes and lost >= result.min_hits and boxes - above >= lost / 2:
        yield Caveat(
            "few_tracks",
            f"{said}, {lost} of them in no track: it takes {flag} to start one, {above} reached it",
        )
