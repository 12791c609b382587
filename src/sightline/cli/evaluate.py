"""`sightline eval`."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from sightline.cli.command import command
from sightline.cli.console import Console
from sightline.cli.words import value
from sightline.errors import Misconfigured
from sightline.settings.words import frame_rate

if TYPE_CHECKING:
    from sightline.evaluation import Report, Row
    from sightline.scoring.score import Benchmark

__all__ = ["evaluate"]

SHOWN = ("HOTA", "DetA", "AssA", "MOTA", "IDF1", "IDSW", "FP", "FN", "true", "counted", "count_error")


GT = Annotated[
    str,
    Parameter(
        help="Ground truth: a file, a folder of sequences, or the root of MOT17, VisDrone or KITTI.",
        show_default=False,
    ),
]
PRED = Annotated[
    str,
    Parameter(
        help="Tracks: a file, or a folder with SEQUENCE.txt, such as one that track wrote.",
        show_default=False,
    ),
]
VISDRONE = Annotated[
    bool, Parameter(help="Rules of VisDrone, cars and people.", negative="", show_default=False)
]
BENCHMARK = Annotated[
    Literal["plain", "mot17", "mot20", "visdrone", "kitti"],
    Parameter(help="Whose rules say what is judged. [default: plain]", show_default=False),
]
SEQUENCE = Annotated[
    list[str] | None,
    Parameter(
        help="Sequence to judge; repeat it for several. [default: all]", negative=(), show_default=False
    ),
]
FPS = Annotated[str, Parameter(help="Frames per second of the sequences. [default: 30]", show_default=False)]
FIRST_FRAME = Annotated[
    int | None,
    Parameter(help="Number of the first frame in the files. [default: the format's]", show_default=False),
]
PRED_FIRST_FRAME = Annotated[
    int | None,
    Parameter(help="The same of the tracks alone. [default: --first-frame]", show_default=False),
]
MOT_ORIGIN = Annotated[
    Literal["0", "1"],
    Parameter(help="Number of the first pixel in MOT text. [default: 0]", show_default=False),
]
CLASSES = Annotated[
    list[str] | None,
    Parameter(
        help="Label to judge, any case; repeat it for several. [default: all]",
        negative=(),
        show_default=False,
    ),
]
GROUP = Annotated[
    str | None,
    Parameter(
        help="Group of a run to judge, e.g. cars: --pred may be its folder. [default: the only one]",
        show_default=False,
    ),
]


@command()
def evaluate(
    console: Console,
    *,
    gt: GT,
    pred: PRED,
    visdrone: VISDRONE = False,
    benchmark: BENCHMARK = "plain",
    sequence: SEQUENCE = None,
    fps: FPS = "30",
    first_frame: FIRST_FRAME = None,
    pred_first_frame: PRED_FIRST_FRAME = None,
    mot_origin: MOT_ORIGIN = "0",
    classes: CLASSES = None,
    group: GROUP = None,
) -> None:
    """Score tracks against ground truth: HOTA, CLEAR, IDF1 and the error of the count."""
    from sightline.scoring.score import Scoring, score

    rules: Benchmark = "visdrone" if visdrone else benchmark
    if visdrone and benchmark not in ("plain", "visdrone"):
        raise Misconfigured(f"--visdrone and --benchmark {benchmark} are two rules; give one", code="usage")
    how = Scoring(
        rules,
        tuple(sequence or ()),
        Fraction(value("--fps", fps, frame_rate)),
        first_frame,
        pred_first_frame,
        float(mot_origin),
        tuple(word for words in classes or () for word in words.split(",")),
        group,
    )
    reports = score(Path(gt), Path(pred), how, console.warning)
    if console.json:
        console.object({"groups": {group: _object(report) for group, report in reports.items()}})
        return
    rows = [row for group, report in reports.items() for row in _rows(group, report)]
    console.rows(("sequence", *SHOWN), rows)


def _object(report: Report) -> dict[str, Any]:
    return {
        "sequences": {row.name: row.figures() for row in report.rows},
        "combined": report.combined.figures(),
    }


def _rows(group: str, report: Report) -> list[tuple[Any, ...]]:
    prefix = "" if group == "all" else f"{group} "
    return [_row(prefix, row) for row in (*report.rows, report.combined)]


def _row(prefix: str, row: Row) -> tuple[Any, ...]:
    """Shares in percent with two decimals, as benchmarks print them; numbers as they are."""
    figures = row.figures()
    shown = [figures[name] for name in SHOWN]
    return (prefix + row.name, *(_share(number) if isinstance(number, float) else number for number in shown))


def _share(share: float) -> str:
    return f"{100 * share:.2f}"
