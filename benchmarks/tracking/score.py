"""HOTA, IDF1 and the error of the unique count of our tracker, by TrackEval.

python -m benchmarks.tracking.score [--suites mot17,mot17@5] [--trackers ByteTrack,Quality,Online]
"""

from __future__ import annotations

import argparse
import contextlib
import io
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from benchmarks.tracking import adapter, suites

SUITES = "mot17,mot20,dance,kitti-car,kitti-pedestrian,mdmt,mot17@5,mot17~0.5,mdmt@5"
SHORTEST_S = 0.33  # shorter tracks do not count


class Figures(NamedTuple):
    """HOTA and IDF1 in percent; sum |counted - true| / sum true over the sequences."""

    hota: float
    idf1: float
    count_error: float


def result_lines(rows: list[tuple[Any, ...]], people: bool) -> list[str]:
    """MOT result lines; for people without boxes up to 100 px or wider than 1.6 heights, as ByteTrack's evaluation."""
    lines = []
    for frame, (ids, boxes, scores) in enumerate(rows, 1):
        for track_id, (x1, y1, x2, y2), score in zip(ids, boxes, scores, strict=True):
            w, h = x2 - x1, y2 - y1
            if not people or (w * h > 100 and w <= 1.6 * h):
                lines.append(f"{frame},{track_id},{x1:.2f},{y1:.2f},{w:.2f},{h:.2f},{score:.3f},-1,-1,-1\n")
    return lines


def figures(make: Callable[..., Any], suite: str, shared: Path | None = None) -> Figures:
    """Play every sequence of a suite with `make(parameters, fps)` and score the results together."""
    base = suites.base_of(suite)
    sequences = suites.load(suite, shared)
    off = true = 0
    with tempfile.TemporaryDirectory() as folder:
        for sequence in sequences:
            tracker, rows = make(suites.parameters(base, sequence.name), sequence.fps), []
            for frame in sequence.frames:
                rows.append(tracker.rows(tracker.step(tracker.prepare(*frame[:4])))[:3])
            lines = result_lines(rows, base in suites.PEOPLE)
            _write(Path(folder), sequence, lines)
            hits = Counter(line.split(",")[1] for line in lines)
            least = max(1, round(SHORTEST_S * sequence.fps))
            off += abs(sum(n >= least for n in hits.values()) - len(sequence.true_ids()))
            true += len(sequence.true_ids())
        hota, idf1 = _evaluate(Path(folder), sequences)
    return Figures(hota, idf1, off / true)


def _write(folder: Path, sequence: suites.Sequence, lines: list[str]) -> None:
    truth, result = folder / "truth" / sequence.name / "gt", folder / "results" / "ours" / "data"
    truth.mkdir(parents=True)
    result.mkdir(parents=True, exist_ok=True)
    np.savetxt(truth / "gt.txt", sequence.truth, delimiter=",", fmt="%g")
    (result / f"{sequence.name}.txt").write_text("".join(lines))


def _evaluate(folder: Path, sequences: list[suites.Sequence]) -> tuple[float, float]:
    import trackeval

    with contextlib.redirect_stdout(io.StringIO()):
        data = trackeval.datasets.MotChallenge2DBox(
            {
                "GT_FOLDER": f"{folder}/truth",
                "TRACKERS_FOLDER": f"{folder}/results",
                "OUTPUT_FOLDER": f"{folder}/out",
                "TRACKERS_TO_EVAL": ["ours"],
                "SKIP_SPLIT_FOL": True,
                "SEQ_INFO": {sequence.name: len(sequence.frames) for sequence in sequences},
                "BENCHMARK": sequences[0].benchmark,
                "DO_PREPROC": sequences[0].distractors,
                "PRINT_CONFIG": False,
            }
        )
        quiet = dict.fromkeys(
            (
                "PRINT_RESULTS",
                "PRINT_CONFIG",
                "TIME_PROGRESS",
                "OUTPUT_SUMMARY",
                "OUTPUT_DETAILED",
                "PLOT_CURVES",
            ),
            False,
        )
        evaluator = trackeval.Evaluator(quiet | {"BREAK_ON_ERROR": True, "LOG_ON_ERROR": None})
        metrics = [trackeval.metrics.HOTA(), trackeval.metrics.Identity({"PRINT_CONFIG": False})]
        result = evaluator.evaluate([data], metrics)[0]["MotChallenge2DBox"]["ours"]
    whole = result["COMBINED_SEQ"]["pedestrian"]
    return 100 * float(np.mean(whole["HOTA"]["HOTA"])), 100 * float(whole["Identity"]["IDF1"])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--suites", default=SUITES)
    parser.add_argument("--trackers", default="ByteTrack,Quality,Online")
    chosen = parser.parse_args()
    print(
        f"{'HOTA / IDF1 / count error':26s}" + "".join(f"{name:>24s}" for name in chosen.trackers.split(","))
    )
    for suite in chosen.suites.split(","):
        cells = [figures(getattr(adapter, name), suite) for name in chosen.trackers.split(",")]
        print(
            f"{suite:26s}"
            + "".join(f"{f'{c.hota:.2f} / {c.idf1:.2f} / {c.count_error:.3f}':>24s}" for c in cells)
        )


if __name__ == "__main__":
    main()
