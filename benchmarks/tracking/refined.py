"""What refinement gains: HOTA, IDF1 (TrackEval), error of the unique count, and its time a frame.

    python -m benchmarks.tracking.refined [--suites mot17,mot17@5]

Every suite is played with the default tracker; its raw tracks are scored as given out, refined, and refined with
smoothing. Only tracks of a third of a second count, by the product's own rule.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
from benchmarks.tracking import suites
from benchmarks.tracking.adapter import Adapter, Online
from benchmarks.tracking.score import Figures, _evaluate, _write, result_lines

from sightline.types import Detections, FrameTable, Origin, TrackTable
from sightline.vision.bytetrack import initial, step
from sightline.vision.camera_path import CameraPath
from sightline.vision.counting import count_tracks, hits_limit
from sightline.vision.refine import RefineSettings, refine

SUITES = "mot17,mot20,dance,kitti-car,kitti-pedestrian,mdmt,mot17@5,mot17~0.5,mdmt@5"
WAYS: dict[str, RefineSettings | None] = {
    "online": None,
    "refined": RefineSettings(),
    "smoothed": RefineSettings(smooth=True),
}


def play(
    suite: str, sequence: suites.Sequence, adapter: type[Adapter] = Online
) -> tuple[FrameTable, TrackTable]:
    """Frames and raw tracks, births included, of one sequence."""
    base = suites.base_of(suite)
    settings = adapter(suites.parameters(base, sequence.name), sequence.fps).settings
    state, parts = initial(settings), []
    for seq, (frame, camera) in enumerate(zip(sequence.frames, sequence.felt(), strict=True)):
        detections = Detections(frame.boxes, frame.scores, frame.classes)
        state, tracks, births = step(settings, state, detections, frame.pts_us, seq, camera)
        now = np.full(len(tracks), seq)
        parts += [(now, tracks), (births.seq, births)]
    columns = [
        np.concatenate([getattr(part, name) for _, part in parts])
        for name in ("track_id", "class_id", "xyxy", "confidence", "origin")
    ]
    n = len(sequence.frames)
    pts = [frame.pts_us for frame in sequence.frames]
    frames = FrameTable(np.arange(n), np.array(pts), ("ok",) * n, ("",) * n)
    return frames, TrackTable(np.concatenate([seq for seq, _ in parts]), *columns).sorted()


def published(
    frames: FrameTable, raw: TrackTable, settings: RefineSettings | None, path: CameraPath | None = None
) -> TrackTable:
    """Refined tracks, or those given out while the job ran."""
    return raw[raw.origin != Origin.BIRTH] if settings is None else refine(frames, raw, settings, path)


def figures(
    suite: str,
    settings: RefineSettings | None,
    shared: Path | None = None,
    adapter: type[Adapter] = Online,
) -> Figures:
    """Play a suite, refine, and score all sequences together."""
    sequences, people = suites.load(suite, shared), suites.base_of(suite) in suites.PEOPLE
    off = true = 0
    with tempfile.TemporaryDirectory() as folder:
        for sequence in sequences:
            frames, raw = play(suite, sequence, adapter)
            tracks = published(frames, raw, settings, sequence.path())
            _write(Path(folder), sequence, result_lines(list(_by_frame(frames, tracks)), people))
            counted = count_tracks(frames, tracks, hits_limit(Fraction(sequence.fps))).counted.sum()
            off += abs(int(counted) - len(sequence.true_ids()))
            true += len(sequence.true_ids())
        hota, idf1 = _evaluate(Path(folder), sequences)
    return Figures(hota, idf1, off / true)


def _by_frame(frames: FrameTable, tracks: TrackTable) -> Iterator[tuple]:
    cuts = np.searchsorted(tracks.seq, np.arange(len(frames) + 1))
    for first, end in pairwise(cuts):
        yield tracks.track_id[first:end], tracks.xyxy[first:end], tracks.confidence[first:end]


def microseconds(suite: str, settings: RefineSettings, repeat: int = 3) -> float:
    """Time of refining per frame, the fastest of some runs."""
    played = [(*play(suite, sequence), sequence.path()) for sequence in suites.load(suite)]
    best = np.inf
    for _ in range(repeat):
        start = time.perf_counter()
        for frames, raw, path in played:
            refine(frames, raw, settings, path)
        best = min(best, time.perf_counter() - start)
    return 1e6 * best / sum(len(frames) for frames, _, _ in played)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--suites", default=SUITES)
    chosen = parser.parse_args()
    print(f"{'HOTA / IDF1 / count error':26s}" + "".join(f"{name:>24s}" for name in WAYS) + f"{'us':>10s}")
    for suite in chosen.suites.split(","):
        cells = [figures(suite, settings) for settings in WAYS.values()]
        print(
            f"{suite:26s}"
            + "".join(f"{f'{c.hota:.2f} / {c.idf1:.2f} / {c.count_error:.3f}':>24s}" for c in cells)
            + f"{microseconds(suite, RefineSettings()):10.0f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
