"""The turning-movement table: movements by bins of time on the clock, the peak hour and its factor, the share of heavy vehicles.

A movement is counted in the bin in which its object left. The peak hour is four quarter hours that follow each other and in
which most objects left, all movements together; its factor (PHF) is that number over four times the one of the greatest
quarter hour. Both go by quarter hours, however long the bins of the table are.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from sightline.arrays import IntArray
from sightline.counts import Movement, Movements, Turn
from sightline.formats.count_bins import Bins, bins_of
from sightline.formats.counts_csv import timespec
from sightline.formats.timeline import Timeline
from sightline.formats.unplaced import unplaced

__all__ = ["HEAVY", "RULE", "MovementTable", "Peak", "Total", "plain", "table_of"]

HEAVY = ("truck", "bus")
"""Labels of heavy vehicles where nobody names others."""
RULE = (
    "An object's movement goes from the first line that it crossed inwards to the last one that it crossed outwards "
    "afterwards; it is counted in the bin in which it left.",
    "Turns are angles in the picture between the way in and the way out: through up to 45 degrees, u-turn from 150 on or "
    "over the same line.",
    "The peak hour is the four quarter hours in a row with most; its factor (PHF) is that number over four times the "
    "greatest of them.",
)
QUARTER_US = 900_000_000
QUARTERS = 4
SECOND = 1_000_000
Way = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Total:
    """A movement: from one line to another, and how many objects made it, of them heavy ones."""

    entered: str
    left: str
    turn: Turn
    count: int
    heavy: int


@dataclass(frozen=True, slots=True)
class Row:
    """A movement in a bin, microseconds on the timeline."""

    start_us: int
    end_us: int
    covered_us: int
    movement: Total


@dataclass(frozen=True, slots=True)
class Peak:
    """The hour with most movements.

    Attributes:
        start_us, end_us: on the timeline.
        covered_us: how much of it lies between the first frame and the end of the last one.
        count, heavy: of all movements.
        factor: `count` over four times the greatest quarter hour.
        movements: in the order of the table.
    """

    start_us: int
    end_us: int
    covered_us: int
    count: int
    heavy: int
    factor: float
    movements: tuple[Total, ...]


@dataclass(frozen=True, slots=True)
class MovementTable:
    """See the module.

    Attributes:
        bin_us: length of a bin.
        heavy: labels of heavy vehicles.
        rows: by bin, then movement; zeros too.
        totals: every movement that an object made, by the places of its lines.
        peak: None where fewer than four quarter hours follow each other, or nothing moved.
        entered_only, left_only: objects without a movement.
    """

    bin_us: int
    heavy: tuple[str, ...]
    rows: tuple[Row, ...]
    totals: tuple[Total, ...]
    peak: Peak | None
    entered_only: int
    left_only: int


@dataclass(frozen=True, slots=True, eq=False)
class _Numbers:
    """Objects and heavy ones of each movement in each bin, int64 (M, B) each."""

    ways: dict[Way, Turn]
    count: IntArray
    heavy: IntArray

    def of(self, bins: slice) -> tuple[Total, ...]:
        """Each movement in some bins."""
        counts, heavy = self.count[:, bins].sum(axis=1), self.heavy[:, bins].sum(axis=1)
        return tuple(
            Total(*way, turn, int(counts[at]), int(heavy[at]))
            for at, (way, turn) in enumerate(self.ways.items())
        )


def table_of(
    timeline: Timeline, found: Sequence[Movements], bin_us: int = QUARTER_US, heavy: Collection[str] = HEAVY
) -> MovementTable:
    """The table.

    Args:
        timeline: counted jobs.
        found: movements of each.
        bin_us: length of a bin.
        heavy: labels of heavy vehicles.
    """
    bins, quarters = bins_of(timeline, bin_us), bins_of(timeline, QUARTER_US)
    ways = _ways(timeline, found)
    numbers = _numbers(ways, bins, found, heavy)
    rows = [
        Row(*bin_, movement) for at, bin_ in enumerate(bins) for movement in numbers.of(slice(at, at + 1))
    ]
    return MovementTable(
        bin_us,
        tuple(heavy),
        tuple(rows),
        numbers.of(slice(None)),
        _peak(quarters, _numbers(ways, quarters, found, heavy)),
        sum(each.entered_only for each in found),
        sum(each.left_only for each in found),
    )


def plain(timeline: Timeline, table: MovementTable) -> dict[str, Any]:
    """A table as JSON values."""
    peak = table.peak
    return {
        "video_id": timeline.video_id,
        "clock_start": None if timeline.clock_start is None else timeline.clock_start.isoformat(),
        "heavy": list(table.heavy),
        "movements": [{"from": each.entered, "to": each.left, "turn": each.turn} for each in table.totals],
        "rows": [
            _span(timeline, row.start_us, row.end_us, row.covered_us, table.bin_us)
            | {
                "from": row.movement.entered,
                "to": row.movement.left,
                "count": row.movement.count,
                "heavy": row.movement.heavy,
            }
            for row in table.rows
        ],
        "totals": list(map(_total, table.totals)),
        "peak": None
        if peak is None
        else _span(timeline, peak.start_us, peak.end_us, peak.covered_us, QUARTER_US)
        | {
            "count": peak.count,
            "factor": peak.factor,
            "heavy": peak.heavy,
            "heavy_share": share(peak.heavy, peak.count),
            "by_movement": list(map(_total, peak.movements)),
        },
        "incomplete": {"entered_only": table.entered_only, "left_only": table.left_only},
        "unplaced": [asdict(span) for span in unplaced(timeline)],
    }


def share(part: int, whole: int) -> float | None:
    """A part of a whole; None of nothing.

    >>> share(1, 3), share(0, 0)
    (0.3333, None)
    """
    return round(part / whole, 4) if whole else None


def _total(total: Total) -> dict[str, Any]:
    return {
        "from": total.entered,
        "to": total.left,
        "turn": total.turn,
        "count": total.count,
        "heavy": total.heavy,
        "heavy_share": share(total.heavy, total.count),
    }


def _span(timeline: Timeline, start_us: int, end_us: int, covered_us: int, bin_us: int) -> dict[str, Any]:
    return {
        "start_s": start_us / SECOND,
        "end_s": end_us / SECOND,
        "start_time": timeline.time(start_us, timespec(bin_us)),
        "end_time": timeline.time(end_us, timespec(bin_us)),
        "covered_s": covered_us / SECOND,
    }


def _ways(timeline: Timeline, found: Sequence[Movements]) -> dict[Way, Turn]:
    """Movements that an object made, in the order of the lines."""
    place = {
        name: at
        for at, name in enumerate(
            dict.fromkeys(line.name for job in timeline.jobs for line in job.counts.lines)
        )
    }
    made: dict[Way, Turn] = {}
    for movement in (movement for each in found for movement in each.found):
        made.setdefault((movement.entered, movement.left), movement.turn)
    return dict(sorted(made.items(), key=lambda way: [place[name] for name in way[0]]))


def _numbers(
    ways: dict[Way, Turn], bins: Bins, found: Sequence[Movements], heavy: Collection[str]
) -> _Numbers:
    rows = {way: at for at, way in enumerate(ways)}
    numbers = _Numbers(ways, *np.zeros((2, len(ways), len(bins.begins)), np.int64))
    for places, movements in zip(bins.places, found, strict=True):
        at = places.tolist()
        movement: Movement
        for movement in movements.found:
            cell = rows[movement.entered, movement.left], at[movement.left_seq]
            numbers.count[cell] += 1
            numbers.heavy[cell] += movement.label in heavy
    return numbers


def _peak(quarters: Bins, numbers: _Numbers) -> Peak | None:
    total, best, most = numbers.count.sum(axis=0), -1, 0
    for first in range(len(total) - QUARTERS + 1):
        in_a_row = (
            quarters.begins[first + QUARTERS - 1] - quarters.begins[first] == (QUARTERS - 1) * QUARTER_US
        )
        hour = int(total[first : first + QUARTERS].sum())
        if in_a_row and hour > most:
            best, most = first, hour
    if best < 0:
        return None
    hour_of = slice(best, best + QUARTERS)
    begin = int(quarters.begins[best])
    return Peak(
        begin,
        begin + QUARTERS * QUARTER_US,
        int(quarters.covered[hour_of].sum()),
        most,
        int(numbers.heavy[:, hour_of].sum()),
        round(most / (QUARTERS * int(total[hour_of].max())), 3),
        numbers.of(hour_of),
    )
