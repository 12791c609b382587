"""JSON of results and counts, in and out."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from sightline.api.documented import JOB, Strict

__all__ = [
    "AuditBinRow",
    "AuditBody",
    "AuditRow",
    "CountBody",
    "CountRow",
    "Digest",
    "EventBody",
    "FileBody",
    "FilterBody",
    "FormatBody",
    "GeometryBody",
    "GeometryIn",
    "LineBody",
    "OccupancyBody",
    "RecountBody",
    "ResultsBody",
    "UnplacedBody",
    "VerdictIn",
    "ZoneBody",
]

POINTS = 200
SHAPES = 100

Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Whole = Annotated[int, Field(strict=True)]
Point = Annotated[list[Number], Field(min_length=2, max_length=2)]
Name = Annotated[str, Field(min_length=1, max_length=100)]
Digest = Annotated[str, Field(pattern="^[0-9a-f]{32}$")]
DrawnOn = Annotated[
    Whole | None,
    Field(
        ge=0,
        le=2**53,
        description="Number in the source of the sampled frame that it was drawn on, which counts where the camera moves; without it "
        "the first one.",
    ),
]

LINE = {"name": "north", "a": [0.1, 0.5], "b": [0.9, 0.5], "in": "northbound", "out": "southbound"}
ZONE = {"name": "yard", "points": [[0, 0], [1, 0], [1, 1]]}
EVENT: dict[str, Any] = {
    "id": "0f4c1a5e0b7c4f3d9a6e2b8d1c5f7a90",
    "shape": "9d2f6c0e1b7a4835a1c4e0d7b6f29831",
    "kind": "line",
    "name": "north",
    "direction": "northbound",
    "group": "cars",
    "label": "car",
    "track_id": 12,
    "frame": 418,
    "pts_us": 16720000,
    "time": "2026-11-21T08:00:16.720000+01:00",
    "x": 611.25,
    "y": 360.0,
}
FILTER: dict[str, Any] = {"classes": ["car"], "min_confidence": 0.4, "min_hits": None}
OCCUPANCY: dict[str, Any] = {
    "name": "yard",
    "peak": 4,
    "peak_frame": 912,
    "peak_pts_us": 36480000,
    "entered": 21,
    "left": 19,
}
UNPLACED: dict[str, Any] = {
    "video_id": "street",
    "names": ["yard"],
    "frame": 1500,
    "start_s": 60.0,
    "end_s": 62.4,
}
ROW: dict[str, Any] = {
    "start_s": 0.0,
    "end_s": 900.0,
    "start_time": "2026-11-21T08:00:00+01:00",
    "end_time": "2026-11-21T08:15:00+01:00",
    "covered_s": 600.0,
    "kind": "line",
    "name": "north",
    "direction": "northbound",
    "group": "cars",
    "label": "car",
    "count": 37,
}


def _example(value: dict[str, Any]) -> ConfigDict:
    return ConfigDict(extra="forbid", json_schema_extra={"example": value})


# --- files


class FileBody(Strict):
    """A file of the result, as it was published; `format` is null for what every result has."""

    path: str
    format: str | None
    bytes: int
    sha256: str
    type: str
    use: str
    link: str


class FormatBody(Strict):
    """A format: the files of it that were published, and where to get all of it. What was not published is made when it is asked for."""

    format: str
    use: str
    files: list[str]
    link: str


class ResultsBody(Strict):
    """What there is to download."""

    files: list[FileBody]
    formats: list[FormatBody]

    model_config = _example(
        {
            "files": [
                {
                    "path": "tracks.csv",
                    "format": "csv",
                    "bytes": 18734,
                    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                    "type": "text/csv; charset=utf-8",
                    "use": "a row a box, for spreadsheets and pandas",
                    "link": f"/api/v1/jobs/{JOB}/results/tracks.csv",
                }
            ],
            "formats": [
                {
                    "format": "coco",
                    "use": "results for COCO tools",
                    "files": [],
                    "link": f"/api/v1/jobs/{JOB}/results/coco",
                }
            ],
        }
    )


# --- lines and zones


class LineBody(Strict):
    """A segment that objects cross; `in` and `out` name the directions: in is to the right of a to b, as seen on the screen."""

    name: Name
    a: Point
    b: Point
    unit: Literal["norm", "px"] = "norm"
    inwards: Name = Field("in", alias="in")
    outwards: Name = Field("out", alias="out")
    frame: DrawnOn = None

    model_config = _example(LINE)


class ZoneBody(Strict):
    """A polygon that objects enter and leave."""

    name: Name
    points: list[Point] = Field(min_length=3, max_length=POINTS)
    unit: Literal["norm", "px"] = "norm"
    frame: DrawnOn = None

    model_config = _example(ZONE)


Lines = Annotated[list[LineBody], Field(max_length=SHAPES)]
Zones = Annotated[list[ZoneBody], Field(max_length=SHAPES)]


class GeometryIn(Strict):
    """Lines and zones in place of those that are there; `from` copies another job's.

    `revision` is the one that was read, 0 where there was nothing; `If-Match` says the same.
    """

    lines: Lines | None = None
    zones: Zones | None = None
    from_job: str | None = Field(None, alias="from", max_length=64)
    revision: Whole | None = Field(None, ge=0, le=2**53)

    model_config = _example({"lines": [LINE], "zones": [ZONE], "revision": 0})


class GeometryBody(Strict):
    """Lines and zones of a job, in 0..1 of its picture. `revision` is 0 where nobody has drawn any."""

    lines: list[dict[str, Any]]
    zones: list[dict[str, Any]]
    revision: int

    model_config = _example({"lines": [LINE], "zones": [ZONE], "revision": 7})


# --- counts


class FilterBody(Strict):
    """Which objects count: of these labels or groups; matched in `min_hits` frames with at least `min_confidence`."""

    classes: list[Name] = Field([], max_length=100)
    min_confidence: Number = Field(0.0, ge=0, le=1)
    min_hits: Whole | None = Field(None, ge=1, le=100_000)


class RecountBody(FilterBody):
    """What to count: these lines and zones, or where neither is given those of the job."""

    lines: Lines | None = None
    zones: Zones | None = None
    bins: str | None = Field(None, max_length=20, description="15m, 30s, 1h; without it one bin.")

    model_config = _example({"lines": [LINE], "bins": "15m", "classes": ["car"], "min_confidence": 0.4})


class CountRow(Strict):
    """One number; as in `counts.csv`. `unique`: objects counted first in this bin."""

    start_s: float
    end_s: float
    start_time: str
    end_time: str
    covered_s: float
    kind: Literal["unique", "line", "zone_enter", "zone_exit"]
    name: str
    direction: str
    group: str
    label: str
    count: int


class EventBody(Strict):
    """An object crossed a line, or entered or left a zone: who, when, and where on the picture, in pixels."""

    id: str
    shape: str
    kind: Literal["line", "zone_enter", "zone_exit"]
    name: str
    direction: str
    group: str
    label: str
    track_id: int
    frame: int
    pts_us: int
    time: str
    x: float
    y: float


class OccupancyBody(Strict):
    """How full a zone was: the most objects at once, the first frame with so many (null: nobody was inside), and visits.

    Where a track ends inside, its object is no longer there, but nobody saw it leave: it is not in `left`.
    """

    name: str
    peak: int
    peak_frame: int | None
    peak_pts_us: int | None
    entered: int
    left: int


class UnplacedBody(Strict):
    """Where the camera could not be followed, and nothing was looked for at some lines and zones: from a frame on, and how long."""

    video_id: str
    names: list[str]
    frame: int
    start_s: float
    end_s: float


class CountBody(Strict):
    """Counts with their evidence. `events` is how many there are."""

    video_id: str
    clock_start: str | None
    events: int
    counts: list[CountRow]
    bins: str | None
    filter: FilterBody
    unplaced: list[UnplacedBody]
    occupancy: list[OccupancyBody] = Field(description="One for each zone, in the order of the zones.")
    evidence: list[EventBody]

    model_config = _example(
        {
            "video_id": "street",
            "clock_start": "2026-11-21T08:00:00+01:00",
            "events": 1,
            "counts": [ROW],
            "bins": "15m",
            "filter": FILTER,
            "unplaced": [UNPLACED],
            "occupancy": [OCCUPANCY],
            "evidence": [EVENT],
        }
    )


# --- verdicts


class VerdictIn(Strict):
    """What somebody says of an event: `accept` or `reject` it, `withdraw` what was said, or add one that is `missed`.

    `event` is its id. A missed one has none: it says where (`name`, `direction`), who (`label`) and when (`frame`).
    """

    verdict: Literal["accept", "reject", "withdraw", "missed"]
    event: Digest | None = None
    kind: Literal["line", "zone_enter", "zone_exit"] = "line"
    name: Name | None = None
    direction: str = Field("", max_length=100)
    label: Name | None = None
    frame: Whole | None = Field(None, ge=0, le=2**53)
    x: Number | None = None
    y: Number | None = None

    model_config = _example({"verdict": "reject", "event": EVENT["id"]})


class AuditRow(Strict):
    """A series of counts, raw and verified: `verified` = raw - rejected + missed, `error` = (raw - verified) / verified."""

    kind: str
    name: str
    direction: str
    group: str
    label: str
    raw: int
    accepted: int
    rejected: int
    missed: int
    open: int
    verified: int
    error: float | None


class AuditBinRow(AuditRow):
    """The same in a bin of time."""

    start_s: float
    end_s: float
    start_time: str
    end_time: str


class AuditBody(Strict):
    """Events at the lines and zones of a job, and what people said of them.

    `stale`: verdicts on events that are no longer there, as a line was moved; they count nothing.
    """

    revision: int
    events: list[dict[str, Any]]
    missed: list[dict[str, Any]]
    stale: list[dict[str, Any]]
    counts: list[AuditRow]
    by_bin: list[AuditBinRow] = Field(
        description="By bins where `bins` asks for them: series with an event in the bin."
    )

    model_config = _example(
        {
            "revision": 7,
            "events": [{**EVENT, "said": "accepted", "by": "anna", "at": "2026-11-22T10:00:00Z"}],
            "missed": [],
            "stale": [],
            "counts": [
                {
                    "kind": "line",
                    "name": "north",
                    "direction": "northbound",
                    "group": "cars",
                    "label": "car",
                    "raw": 1,
                    "accepted": 1,
                    "rejected": 0,
                    "missed": 0,
                    "open": 0,
                    "verified": 1,
                    "error": 0.0,
                }
            ],
            "by_bin": [],
        }
    )
