"""Reports: what a command has to say about each of its sources."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from sightline.errors import SightlineError, Words, as_keyword

__all__ = ["Report"]


@dataclass(frozen=True)
class Report:
    """What became of one source.

    Attributes:
        video_id: name of the source.
        state: `done` now, `finished` before, `failed`.
        path: run folder; None where there is none.
        counts: unique objects by label, or by group where a label has none of its own.
        groups: unique objects by group; detections by group where nothing was tracked.
        tracked: whether `groups` counts objects, not detections.
        frames: sampled frames; `failed_frames` of them could not be decoded.
        fps: sampled frames a second, over all starts; 0 where nothing was done.
        video: annotated video, where one was made.
        warnings: (code, detail).
        error: why it failed.
        draw_s: seconds that the annotated video took, 0 where none was made.
    """

    video_id: str
    state: Literal["done", "finished", "failed"]
    path: Path | None = None
    counts: dict[str, int] = field(default_factory=dict)
    groups: dict[str, int] = field(default_factory=dict)
    tracked: bool = True
    frames: int = 0
    failed_frames: int = 0
    fps: float = 0.0
    video: Path | None = None
    warnings: tuple[tuple[str, str], ...] = ()
    error: SightlineError | None = None
    draw_s: float = 0.0

    def to_json(self, words: Words = as_keyword) -> dict[str, Any]:
        """JSON values only; `words` says settings that an error names."""
        made: dict[str, Any] = {
            "video_id": self.video_id,
            "state": self.state,
            "path": None if self.path is None else str(self.path),
            "counts": self.counts,
            "groups": self.groups,
            "frames": self.frames,
            "failed_frames": self.failed_frames,
            "fps": round(self.fps, 1),
            "warnings": [{"code": code, "detail": detail} for code, detail in self.warnings],
        }
        if self.video is not None:
            made["video"] = str(self.video)
            made["draw_s"] = round(self.draw_s, 1)
        if self.error is not None:
            made["error"] = {"code": self.error.code, "detail": self.error.phrased(words)}
        return made
