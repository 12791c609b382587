"""Publish: the committed segments of a finished job, joined by seq into the one result that every writer reads.

Reads   the segments that `collect` committed.
Gives   a `JobResult`: a pure function of those bytes and the job's settings.

Tracks of a `quality` job may be refined here, when everything has been seen, and people who ride a two-wheeler leave the
tracks of people; the raw tracks stay in the segments.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction

import numpy as np

from sightline.arrays import IntArray
from sightline.camera import IDENTITY, CameraPath, motion_of
from sightline.counts import JobCounts
from sightline.errors import Corrupt
from sightline.formats import anchors, camera_bin, segments
from sightline.formats.anchors import AnchorFile
from sightline.formats.segments import Segment
from sightline.stages.collect import SEGMENT
from sightline.types import FrameTable, GroupResult, JobResult, Origin, Outcome, TrackTable
from sightline.vision.camera_path import bounded, rested
from sightline.vision.counting import counted_groups, cumulative
from sightline.vision.looks import decode_look
from sightline.vision.reference import reference, score_counts
from sightline.vision.refine import RefineSettings, judge_and_refine, refine
from sightline.vision.riding import riders

__all__ = [
    "CAMERA_KEY",
    "Facts",
    "anchors_key",
    "published_anchors",
    "published_camera",
    "published_segments",
    "result_of",
]

CAMERA_KEY = "segments/camera.bin"
"""Path of the camera's path in a run folder; not there where it is not known to have moved."""

SWAYS = 0.01
"""Share of the picture's width. A camera that never goes farther stands still: it sways in the wind, and the edges of its
picture are those of what it sees."""

# How a frame comes out of which a record could not be read (`Native.salvage`).
INVALID: tuple[Outcome, str] = ("failed", "invalid")


@dataclass(frozen=True, slots=True)
class Facts:
    """What a result needs besides its segments.

    Attributes:
        video_id, job_id, created_at_us, rate, width, height, labels, min_hits, conf, first_frame: see `JobResult`.
        groups: class ids by group, in the pipeline's order.
        refine: None where tracks stay as the tracker gave them.
        evidence: refined tracks are judged by what they have shown.
        clock_start: see `JobResult`.
        camera_scale: pixels of the source that are one of a look in the tracks' segments; None where the camera's path is not
            told from these.
        two_wheelers: names of the groups of two-wheelers and of their riders; None where riders are people.
    """

    video_id: str
    job_id: str
    created_at_us: int
    rate: Fraction
    width: int
    height: int
    labels: tuple[str, ...]
    groups: Mapping[str, tuple[int, ...]]
    min_hits: int
    conf: float
    refine: RefineSettings | None
    clock_start: datetime | None = None
    first_frame: int | None = None
    two_wheelers: tuple[str, str] | None = None
    evidence: bool = False
    camera_scale: float | None = None


def result_of(
    facts: Facts, blobs: Iterable[tuple[str, Sequence[bytes]]], camera: CameraPath | None = None
) -> JobResult:
    """Join the segments of a job.

    Args:
        facts: about the job.
        blobs: each stream with its segments in order; without tracks streams the job has no tracker. Taken one by one:
            the bytes of one stream are in memory at a time.
        camera: where it looked, as far as that is known already; None: it stood still, or the segments tell.

    Raises:
        Corrupt: a segment is damaged, or streams disagree about their frames.
    """
    joined: dict[str, Segment] = {}
    frames: FrameTable | None = None
    for stream, parts in blobs:
        segment = segments.join([segments.decode(blob) for blob in parts], stream)
        frames = segment.frames if frames is None else _agreed(frames, segment.frames, stream)
        joined[stream] = replace(segment, frames=frames)  # all streams share one table
    if frames is None:
        raise Corrupt(f"job {facts.job_id} has no stream")
    if facts.camera_scale is not None:
        camera = _camera(facts, facts.camera_scale, frames, joined)
    found = {name: _group(facts, frames, name, ids, joined, camera) for name, ids in facts.groups.items()}
    groups = tuple(_without_riders(facts, frames, found).values())
    return JobResult(
        facts.video_id,
        facts.job_id,
        facts.created_at_us,
        frames,
        facts.rate,
        facts.width,
        facts.height,
        facts.labels,
        groups,
        facts.min_hits,
        facts.conf,
        facts.clock_start,
        facts.first_frame,
        camera,
    )


def _camera(
    facts: Facts, scale: float, frames: FrameTable, joined: Mapping[str, Segment]
) -> CameraPath | None:
    """Where the camera looked, as the tracks of the first group have it; None where it is not known to have moved.

    Groups of several detectors differ by what their boxes hid.
    """
    known = [joined[stream].camera for name in facts.groups if (stream := f"tracks:{name}") in joined]
    columns = next((camera for camera in known if camera is not None), None)
    if columns is None:
        return None
    told = [motion_of(row) for row in columns.motion]
    # Of a frame that failed nothing is seen: it stays where the one before was, and the next one says that it is lost.
    motions = [
        IDENTITY if motion is None and outcome != "ok" else motion
        for motion, outcome in zip(told, frames.outcome, strict=True)
    ]
    looks = {seq: decode_look(blob) for seq, blob in enumerate(columns.looks) if blob}
    size = facts.width, facts.height
    path = bounded(rested(motions, size), looks, scale, size)
    return path if path.farthest(*size) > SWAYS * facts.width else None


def published_segments(result: JobResult) -> dict[str, Iterator[bytes]]:
    """Published tracks as segments, by stream `published:<group>`, for readers of the run folder."""
    return {
        f"published:{group.name}": _segments(result.frames, group.tracks)
        for group in result.groups
        if group.tracks is not None
    }


def anchors_key(group: str) -> str:
    """Path of a group's anchors in a run folder.

    >>> anchors_key("cars")
    'segments/anchors-cars.bin'
    """
    return f"segments/anchors-{group}.bin"


def published_anchors(result: JobResult, counts: JobCounts) -> Iterator[tuple[str, Iterator[bytes]]]:
    """Where the counted objects of each tracked group stood: path and chunks of each file; see `formats.anchors`."""
    frames = result.frames
    for group in counted_groups(result, counts):
        if group is not None:
            file = AnchorFile(result.width, result.height, frames.frame, frames.pts_us, group)
            yield anchors_key(group.name), anchors.encode(file)


def published_camera(result: JobResult) -> Iterator[tuple[str, Iterable[bytes]]]:
    """Where a camera that moved looked, beside what lies on its ground; see `formats.camera_bin`."""
    tracked = any(group.tracks is not None for group in result.groups)
    if tracked and result.camera is not None and result.camera.moves:
        yield CAMERA_KEY, (camera_bin.encode(result.camera),)


def _segments(frames: FrameTable, tracks: TrackTable) -> Iterator[bytes]:
    for first in range(0, len(frames), SEGMENT):
        yield segments.encode(_cut(frames, tracks, first))


def _agreed(frames: FrameTable, table: FrameTable, stream: str) -> FrameTable:
    """The frames of all streams, once. A frame of which one stream has lost its record is `failed(invalid)`."""
    if not (np.array_equal(frames.frame, table.frame) and np.array_equal(frames.pts_us, table.pts_us)):
        raise Corrupt(f"stream {stream} and those before it disagree about their frames")
    if frames.outcome == table.outcome:
        return frames
    outcome, reason = list(frames.outcome), list(frames.reason)
    for seq, (mine, other) in enumerate(zip(frames.outcome, table.outcome, strict=True)):
        if mine == other or (mine, frames.reason[seq]) == INVALID:
            continue
        if (other, table.reason[seq]) != INVALID:
            raise Corrupt(f"stream {stream} and those before it disagree about their frames: seq {seq}")
        outcome[seq], reason[seq] = INVALID
    return FrameTable(frames.frame, frames.pts_us, tuple(outcome), tuple(reason))


def _group(
    facts: Facts,
    frames: FrameTable,
    name: str,
    class_ids: tuple[int, ...],
    joined: dict[str, Segment],
    camera: CameraPath | None,
) -> GroupResult:
    detections = _rows(joined.pop(f"detections:{name}"))
    if f"tracks:{name}" not in joined:
        return GroupResult(name, class_ids, detections)
    raw = _rows(joined.pop(f"tracks:{name}"))
    confirmed = raw[raw.origin != Origin.BIRTH]
    level = reference(score_counts(detections.confidence)) if facts.evidence else None
    tracks, verdicts = confirmed, None
    if f"published:{name}" in joined:
        tracks = _rows(joined.pop(f"published:{name}"))
    elif facts.refine is not None and level is not None:
        tracks, verdicts = judge_and_refine(frames, raw, facts.refine, level, camera)
    elif facts.refine is not None:
        tracks = refine(frames, raw, facts.refine, camera)
    unique = _unique(facts, frames, tracks, joined.get(f"totals:{name}"))
    raw_ids = len(np.union1d(confirmed.track_id, tracks.track_id))
    return GroupResult(name, class_ids, detections, tracks, raw_ids, unique, level=level, verdicts=verdicts)


def _without_riders(
    facts: Facts, frames: FrameTable, groups: dict[str, GroupResult]
) -> dict[str, GroupResult]:
    """The groups, where who rides a two-wheeler is no longer among the people.

    Published segments are without riders already, and whoever was not found riding then is not found now: the rule
    looks at one person at a time.
    """
    if facts.two_wheelers is None:
        return groups
    ridden, riding = (groups[name] for name in facts.two_wheelers)
    if ridden.tracks is None or riding.tracks is None:
        return groups
    found = riders(riding.tracks, ridden.tracks, facts.min_hits)
    rides = np.isin(riding.tracks.track_id, list(found))
    tracks = riding.tracks[~rides]
    unique = cumulative(frames, tracks, facts.min_hits)
    taken = riding.tracks[rides] if found else None
    left = replace(riding, tracks=tracks, unique=unique, riders=found, rider_tracks=taken)
    return groups | {riding.name: left}


def _unique(facts: Facts, frames: FrameTable, tracks: TrackTable, totals: Segment | None) -> IntArray:
    """Counted from the refined tracks, or as `stats` counted while the job ran."""
    lost = "invalid" in frames.reason  # then a total may be among what was lost
    if facts.refine is not None or totals is None or totals.unique is None or lost:
        return cumulative(frames, tracks, facts.min_hits)
    return totals.unique


def _rows(segment: Segment) -> TrackTable:
    if segment.rows is None:
        raise Corrupt(f"segment of kind {segment.kind} has no rows")
    return segment.rows


def _cut(frames: FrameTable, tracks: TrackTable, first: int) -> Segment:
    end = min(first + SEGMENT, len(frames))
    part = FrameTable(
        frames.frame[first:end], frames.pts_us[first:end], frames.outcome[first:end], frames.reason[first:end]
    )
    low, high = np.searchsorted(tracks.seq, [first, end])
    return Segment("tracks", first, part, tracks[int(low) : int(high)], None, None)
