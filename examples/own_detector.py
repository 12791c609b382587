"""A detector of your own: any function from frames to boxes is tracked, counted and written like a network.

python examples/own_detector.py [VIDEO]
"""

import sys
from importlib import resources

import numpy as np

import sightline as sl

VIDEO = resources.files("sightline") / "demo" / "street.mp4"


class Moving:
    """What differs from the picture before: one box around it, as sure as much of the box has changed."""

    def __init__(self) -> None:
        self.before: np.ndarray | None = None

    def __call__(self, frames: list[np.ndarray]) -> list[sl.Detections]:
        """Frames are uint8 (height, width, 3) in RGB; boxes are x1, y1, x2, y2 in their pixels."""
        return [self.one(frame) for frame in frames]

    def one(self, frame: np.ndarray) -> sl.Detections:
        """Boxes of one frame."""
        grey = frame.mean(axis=2)
        changed = np.zeros(grey.shape, bool) if self.before is None else np.abs(grey - self.before) > 40
        self.before = grey
        rows, columns = np.nonzero(changed)
        if len(rows) < 20:
            return sl.Detections.empty()
        box = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        return sl.Detections(xyxy=[box], confidence=[0.9], class_id=[0])


def main(video: str) -> None:
    """Track for three seconds and say what came of it."""
    run = sl.track(
        video, detector=Moving(), labels=["moving"], out="runs/own_detector", end="3s", overwrite=True
    )
    print(run)
    boxes = sum(len(tracks) for _, groups in run.frames() for tracks in groups.values())
    print(f"{boxes} boxes of tracks in {len(run.result.frames)} frames")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else str(VIDEO))
