"""What one sequence scored, as sums that add up, by the product's own metrics (equal to TrackEval's)."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from functools import reduce
from operator import add
from typing import Any

import numpy as np
from benchmarks.counting.play import Played
from benchmarks.tracking.suites import Sequence

from sightline.evaluation import Boxes, evaluate, mot_challenge, plain
from sightline.evaluation import Sequence as Judged
from sightline.evaluation.hota import Hota
from sightline.evaluation.identity import Identity

__all__ = ["Figures", "Sums", "figures", "scored"]


@dataclass(frozen=True)
class Sums:
    """Sums of one sequence or of several.

    Attributes:
        hota: tp, fn, fp, association, location by alpha.
        identity: tp, fn, fp.
        counted, true: objects.
        off: sum of |counted - true| over the sequences.
        switches: of identity, by CLEAR.
    """

    hota: list[list[float]]
    identity: list[int]
    counted: int = 0
    true: int = 0
    off: int = 0
    switches: int = 0
    frames: int = 0
    names: list[str] = field(default_factory=list)

    def __add__(self, other: Sums) -> Sums:
        return Sums(
            (np.array(self.hota) + np.array(other.hota)).tolist(),
            [a + b for a, b in zip(self.identity, other.identity, strict=True)],
            self.counted + other.counted,
            self.true + other.true,
            self.off + other.off,
            self.switches + other.switches,
            self.frames + other.frames,
            self.names + other.names,
        )

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Figures:
    """HOTA and IDF1 in percent; sum |counted - true| / sum true; identity switches."""

    hota: float
    idf1: float
    count_error: float
    switches: int


def scored(sequence: Sequence, played: Played, people: bool) -> Sums:
    """Judge the tracks of one sequence; the count is of counted ids."""
    row = evaluate(
        [Judged(sequence.name, _truth(sequence), _prediction(played, people))],
        mot_challenge(sequence.benchmark) if sequence.distractors else plain,  # type: ignore[arg-type]
    ).combined
    hota = [getattr(row.hota, name).tolist() for name in ("tp", "fn", "fp", "association", "location")]
    counted, true = len(played.counted), len(sequence.true_ids())
    return Sums(
        hota,
        [row.identity.tp, row.identity.fn, row.identity.fp],
        counted,
        true,
        abs(counted - true),
        row.clear.switches,
        len(played.frames),
        [sequence.name],
    )


def figures(sums: list[Sums]) -> Figures:
    """Figures of all sequences together."""
    whole = reduce(add, sums)
    hota = Hota(*map(np.array, whole.hota)).hota
    return Figures(
        100 * hota, 100 * Identity(*whole.identity).idf1, whole.off / max(1, whole.true), whole.switches
    )


def _truth(sequence: Sequence) -> Boxes:
    frame, number, x, y, w, h, consider, kind = sequence.truth[:, :8].T
    return Boxes.of(frame - 1, number, np.column_stack([x, y, x + w, y + h]), kind, consider > 0)


def _prediction(played: Played, people: bool) -> Boxes:
    """Tracks as result files hold them, to hundredths; of people without boxes up to 100 px or wider than 1.6 heights."""
    tracks = played.tracks
    corner = np.round(tracks.xyxy[:, :2], 2)
    size = tracks.xyxy[:, 2:] - tracks.xyxy[:, :2]
    keep = (size.prod(1) > 100) & (size[:, 0] <= 1.6 * size[:, 1]) if people else np.ones(len(tracks), bool)
    return Boxes.of(tracks.seq, tracks.track_id, np.hstack([corner, corner + np.round(size, 2)]))[keep]
