"""JSON of speeds and directions, in and out."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from sightline.api.documented import Strict
from sightline.api.v1.result_models import (
    FILTER,
    LINE,
    UNPLACED,
    DrawnOn,
    FilterBody,
    Lines,
    Number,
    Point,
    UnplacedBody,
)
from sightline.formats.speed_table import DIRECTIONS
from sightline.speeds import ERROR_PX

__all__ = ["PlaneBody", "SpeedsBody", "SpeedsIn"]

Four = Annotated[list[Point], Field(min_length=4, max_length=4)]
Metres = Annotated[Number, Field(gt=0)]
PLANE: dict[str, Any] = {
    "points": [[128, 265], [1152, 257], [1152, 443], [128, 451]],
    "unit": "px",
    "sides": [58, 10.5, 58, 10.5],
}
ROSE = dict(zip(DIRECTIONS, (0, 0, 14, 0, 0, 0, 17, 1), strict=True))
ROW: dict[str, Any] = {
    "group": "cars",
    "objects": 37,
    "measured": 30,
    "median_kmh": 48.26,
    "lower_kmh": 44.0,
    "upper_kmh": 53.1,
    "error_kmh": 1.2,
    "rose": ROSE,
}
AT: dict[str, Any] = {"group": "cars", "track_id": 12, "label": "car"}
SPEED: dict[str, Any] = {"heading": 88.4, "speed_kmh": 51.9, "error_kmh": 1.4}
OBJECT: dict[str, Any] = {
    **AT,
    "first_frame": 410,
    "last_frame": 497,
    "start_s": 16.4,
    "end_s": 19.88,
    "start_time": "2026-11-21T08:00:16.400000+01:00",
    "end_time": "2026-11-21T08:00:19.880000+01:00",
    **SPEED,
    "straightness": 0.998,
    "metres": 49.7,
}
CROSSING: dict[str, Any] = {
    "name": "north",
    "direction": "northbound",
    **AT,
    "frame": 418,
    "pts_s": 16.72,
    "time": "2026-11-21T08:00:16.720000+01:00",
    **SPEED,
}


def _example(value: dict[str, Any]) -> ConfigDict:
    return ConfigDict(extra="forbid", json_schema_extra={"example": value})


class PlaneBody(Strict):
    """Four points of the ground in the picture, one after the other, and where they are in metres, or how far apart.

    `sides` are the lengths from each point to the next; `diagonal`, from the first to the third, is needed where they are no
    rectangle. `error_px` is how far each coordinate may be off.
    """

    points: Four
    unit: Literal["norm", "px"] = "norm"
    metres: Four | None = None
    sides: Annotated[list[Metres], Field(min_length=4, max_length=4)] | None = None
    diagonal: Metres | None = None
    frame: DrawnOn = None
    error_px: Annotated[Number, Field(ge=0, le=1000)] = ERROR_PX

    model_config = _example(PLANE)


class SpeedsIn(FilterBody):
    """What to measure by, and at which lines: without any those of the job; `drawn_on` is the frame that headings are told on."""

    plane: PlaneBody | None = None
    lines: Lines | None = None
    drawn_on: DrawnOn = None
    objects: bool = Field(True, description="Whether each object and each crossing has a row of its own.")

    model_config = _example({"plane": PLANE, "lines": [LINE], "objects": True})


class SpeedRow(Strict):
    """Half of the speeds of a group lie from `lower_kmh` to `upper_kmh`; `error_kmh` is the median of their errors."""

    group: str
    objects: int
    measured: int
    median_kmh: float | None
    lower_kmh: float | None
    upper_kmh: float | None
    error_kmh: float | None
    rose: dict[str, int] = Field(description="How many went where, in the picture.")


class LineSpeedRow(SpeedRow):
    """The same of those that crossed a line one way."""

    name: str
    direction: str


class SpeedBody(Strict):
    """Of an object: `heading` in degrees clockwise from the top of the picture, `error_kmh` twice the standard error; null: unknown."""

    group: str
    track_id: int
    label: str
    heading: float | None
    speed_kmh: float | None
    error_kmh: float | None


class WayBody(SpeedBody):
    """The whole way of an object."""

    first_frame: int
    last_frame: int
    start_s: float
    end_s: float
    start_time: str
    end_time: str
    straightness: float | None
    metres: float | None


class PassageBody(SpeedBody):
    """The moment in which an object crossed a line."""

    name: str
    direction: str
    frame: int
    pts_s: float
    time: str


class SpeedsBody(Strict):
    """Headings and speeds."""

    video_id: str
    clock_start: str | None
    filter: FilterBody
    groups: list[SpeedRow]
    lines: list[LineSpeedRow]
    objects: list[WayBody]
    crossings: list[PassageBody]
    unplaced: list[UnplacedBody]

    model_config = _example(
        {
            "video_id": "street",
            "clock_start": "2026-11-21T08:00:00+01:00",
            "filter": FILTER,
            "groups": [ROW],
            "lines": [{"name": "north", "direction": "northbound", **ROW}],
            "objects": [OBJECT],
            "crossings": [CROSSING],
            "unplaced": [UNPLACED],
        }
    )
