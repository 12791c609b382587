"""What a run holds: boxes of tracks frame by frame, as arrays. Here: how far each object came.

python examples/ways_of_tracks.py [VIDEO]
"""

import sys
from collections import defaultdict
from importlib import resources

import numpy as np

import sightline as sl

VIDEO = resources.files("sightline") / "demo" / "street.mp4"


def main(video: str) -> None:
    """The five objects that came furthest."""
    run = sl.track(video, model="sightline-tiny", out="runs/ways_of_tracks", end="5s")
    feet: defaultdict[tuple[str, int], list[np.ndarray]] = defaultdict(list)
    for _, groups in run.frames():
        for group, tracks in groups.items():
            for track_id, (x1, _, x2, y2) in zip(tracks.track_id.tolist(), tracks.xyxy, strict=True):
                feet[group, track_id].append(np.array([(x1 + x2) / 2, y2]))
    ways = {track: float(np.linalg.norm(points[-1] - points[0])) for track, points in feet.items()}
    for (group, track_id), pixels in sorted(ways.items(), key=lambda way: -way[1])[:5]:
        print(f"{group} {track_id}: {pixels:.0f} px in {len(feet[group, track_id])} frames")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else str(VIDEO))
