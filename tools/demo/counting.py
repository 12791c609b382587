"""How many objects the product's tracker counts in a clip."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sightline.types import Detections
from sightline.vision.bytetrack import TrackerSettings, initial, step

from .judge import Found

__all__ = ["counted"]


def counted(found: Sequence[Found], high: float, new: float, fps: float, at_least: float) -> int:
    """Tracks of one group that are given out in `at_least` frames or more; one detection list per frame."""
    settings = TrackerSettings(track_high_thresh=high, new_track_thresh=new)
    state, hits = initial(settings), Counter[int]()
    for seq, some in enumerate(found):
        detections = Detections(some.boxes.astype(float), some.confidence.astype(float), some.class_ids)
        state, tracks, births = step(settings, state, detections, round(seq * 1e6 / fps), seq)
        hits.update(int(i) for part in (tracks, births) for i in part.track_id)
    return sum(hit >= at_least for hit in hits.values())
