"""JSON of turning movements, in and out."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field

from sightline.api.documented import Strict
from sightline.api.v1.result_models import FILTER, LINE, UNPLACED, FilterBody, Lines, Name, UnplacedBody
from sightline.formats.movement_table import HEAVY

__all__ = ["MovementsBody", "MovementsIn"]

WAY: dict[str, Any] = {"from": "south", "to": "east"}
TOTAL: dict[str, Any] = {**WAY, "turn": "right", "count": 41, "heavy": 3, "heavy_share": 0.0732}
QUARTER: dict[str, Any] = {
    "start_s": 0.0,
    "end_s": 900.0,
    "start_time": "2026-11-21T08:00:00+01:00",
    "end_time": "2026-11-21T08:15:00+01:00",
    "covered_s": 900.0,
}
HOUR: dict[str, Any] = {
    **QUARTER,
    "end_s": 3600.0,
    "end_time": "2026-11-21T09:00:00+01:00",
    "covered_s": 3600.0,
}
ASKED: dict[str, Any] = {"lines": [LINE], "bins": "15m", "heavy": ["truck"]}
TABLE: dict[str, Any] = {
    "video_id": "street",
    "clock_start": "2026-11-21T08:00:00+01:00",
    "bins": "15m",
    "filter": FILTER,
    "heavy": list(HEAVY),
    "movements": [{**WAY, "turn": "right"}],
    "rows": [{**QUARTER, **WAY, "count": 12, "heavy": 1}],
    "totals": [TOTAL],
    "peak": {
        **HOUR,
        "count": 41,
        "factor": 0.854,
        "heavy": 3,
        "heavy_share": 0.0732,
        "by_movement": [TOTAL],
    },
    "incomplete": {"entered_only": 2, "left_only": 5},
    "unplaced": [UNPLACED],
}
Turn = Literal["left", "through", "right", "u-turn"]


class MovementsIn(FilterBody):
    """Which movements: at these lines, or where none are given at those of the job; `heavy` are labels."""

    lines: Lines | None = None
    bins: str = Field("15m", max_length=20, description="15m, 5m, 1h: on the clock.")
    heavy: list[Name] = Field(list(HEAVY), max_length=100)

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": ASKED})


class WayBody(Strict):
    """From one line, crossed inwards, to another, crossed outwards afterwards."""

    entered: str = Field(alias="from")
    left: str = Field(alias="to")


class MovementBody(WayBody):
    """A movement, and its turn as seen in the picture."""

    turn: Turn


class TotalBody(MovementBody):
    """How many objects made a movement, and of them heavy ones."""

    count: int
    heavy: int
    heavy_share: float | None


class SpanBody(Strict):
    """A span of time; `covered_s` is how much of it lies in the video."""

    start_s: float
    end_s: float
    start_time: str
    end_time: str
    covered_s: float


class MovementRow(SpanBody, WayBody):
    """A movement in a bin; as in the CSV table."""

    count: int
    heavy: int


class PeakBody(SpanBody):
    """The four quarter hours in a row with most; `factor` is `count` over four times the greatest of them (PHF)."""

    count: int
    factor: float
    heavy: int
    heavy_share: float | None
    by_movement: list[TotalBody]


class IncompleteBody(Strict):
    """Objects that were only seen to enter, or only to leave."""

    entered_only: int
    left_only: int


class MovementsBody(Strict):
    """The turning-movement table. `peak` is null where there are no four quarter hours in a row, or nothing moved."""

    video_id: str
    clock_start: str | None
    bins: str
    filter: FilterBody
    heavy: list[str]
    movements: list[MovementBody]
    rows: list[MovementRow]
    totals: list[TotalBody]
    peak: PeakBody | None
    incomplete: IncompleteBody
    unplaced: list[UnplacedBody]

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": TABLE})
