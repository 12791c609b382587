"""Stored detections as the records of another job: what `feed` writes of a replay, where else `detect` would."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from msgspec import UNSET

from sightline.camera import Motion, motion_of
from sightline.errors import Corrupt, NotFound
from sightline.events import Detected, End, Sampled, part_of, stream_name
from sightline.formats import segments
from sightline.formats.segments import Segment
from sightline.jobs.recipe import Recipe
from sightline.ports import ObjectStore
from sightline.stages.collect import SEGMENT, segment_key
from sightline.types import Detections

__all__ = ["StoredDetections"]


class StoredDetections:
    """The detections that a job takes from the segments of another one; a segment of each stream is held.

    Args:
        objects: where they lie.
        recipe: of the job.
    """

    def __init__(self, objects: ObjectStore, recipe: Recipe) -> None:
        self._objects, self._prefix = objects, str(recipe.route.stored)
        self._streams = [stream for stream in recipe.streams if part_of(stream)[0] == "detections"]
        self._camera_known = recipe.settings.camera is not UNSET
        self._held: dict[str, tuple[str, Segment]] = {}

    def records(self, frames: Sequence[Sampled | End]) -> Iterator[Detected | End]:
        """What was found in some frames, of each stream.

        Raises:
            NotFound: a segment was removed (`records_gone`).
            Corrupt: one is damaged, or holds other frames.
        """
        for frame in frames:
            for stream in self._streams:
                yield (
                    End(frame.job_id, stream, frame.seq)
                    if isinstance(frame, End)
                    else self._detected(frame, stream)
                )

    def _detected(self, frame: Sampled, stream: str) -> Detected:
        key, segment = self._segment(stream, frame.seq)
        at, table, rows = frame.seq - segment.first_seq, segment.frames, segment.rows
        known = at < len(table) and (table.frame[at], table.pts_us[at]) == (frame.frame, frame.pts_us)
        if rows is None or not known:
            raise Corrupt(f"{key}: frame {frame.frame} is not the one that is stored as seq {frame.seq}")
        first, end = np.searchsorted(rows.seq, [frame.seq, frame.seq + 1])
        found = rows[int(first) : int(end)]
        motion, look = self._camera(stream, frame.seq)
        return Detected(
            frame.job_id,
            stream,
            frame.seq,
            frame.frame,
            frame.pts_us,
            table.outcome[at],
            table.reason[at],
            Detections(found.xyxy, found.confidence, found.class_id),
            motion=motion,
            look=look,
        )

    def _camera(self, stream: str, seq: int) -> tuple[Motion | None, bytes]:
        """What the tracks of the other job know of the camera; of one that followed none, nothing is asked."""
        if not self._camera_known:
            return None, b""
        _, segment = self._segment(stream_name("tracks", part_of(stream)[1]), seq)
        camera, at = segment.camera, seq - segment.first_seq
        return (None, b"") if camera is None else (motion_of(camera.motion[at]), camera.looks[at])

    def _segment(self, stream: str, seq: int) -> tuple[str, Segment]:
        key = segment_key(self._prefix, stream, seq - seq % SEGMENT)
        held = self._held.get(stream)
        if held is None or held[0] != key:
            try:
                blob = b"".join(self._objects.read(key))
            except NotFound as error:
                raise NotFound(
                    f"{key}: the stored detections were removed meanwhile: retry the job", code="records_gone"
                ) from error
            held = self._held[stream] = key, segments.decode(blob, key)
        return held
