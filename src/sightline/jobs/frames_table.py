"""Table `frames` of system A: a row for each sampled frame, which says where its pixels are.

Its own columns are what queries of system A name; ours identify the frame, for `frame_id` begins anew with each video.
"""

from __future__ import annotations

from collections.abc import Sequence

from sightline.events import Sampled
from sightline.events.dialect_a import frame_id
from sightline.events.times import clock
from sightline.jobs.recipe import Recipe
from sightline.ports import Row

__all__ = ["TABLE", "frame_rows"]

TABLE = "frames"


def frame_rows(recipe: Recipe, records: Sequence[Sampled], paths: Sequence[str]) -> tuple[Row, ...]:
    """Rows of some frames of a job.

    Args:
        recipe: of the job.
        records: of the frames.
        paths: where the pixels of each are.
    """
    return tuple(
        Row(
            TABLE,
            {"job_id": recipe.job_id, "seq": record.seq},
            {
                "frame_id": frame_id(record.frame),
                "video_id": recipe.video_id,
                "timestamp": clock(recipe.created_at_us + record.pts_us),
                "path": path,
                "frame": record.frame,
                "pts_us": record.pts_us,
            },
        )
        for record, path in zip(records, paths, strict=True)
    )
