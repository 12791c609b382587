"""Speeds and headings of finished runs, from the places that their objects have stored; no inference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sightline.counts import Line
from sightline.disk import make_folder, read_text, write_whole
from sightline.errors import Misconfigured
from sightline.formats import speeds_csv, speeds_json
from sightline.formats.plane_json import read_plane
from sightline.formats.speed_table import (
    DIRECTIONS,
    Measured,
    SpeedRow,
    by_group,
    by_line,
    passage_fields,
    way_fields,
)
from sightline.interop import data_frame
from sightline.runs.count_files import check_place
from sightline.runs.opened import OpenRun, open_run
from sightline.runs.place import in_folder
from sightline.runs.recount import ShapesOf, drawn_in, run_folders, run_names
from sightline.runs.shown import table
from sightline.speeds import Passage, Plane, Way

if TYPE_CHECKING:
    import pandas

__all__ = ["Speeds", "measure", "measure_runs", "plane_of", "rose_text", "speed_text"]


@dataclass(frozen=True, repr=False)
class Speeds:
    """Headings and speeds of one run.

    Attributes:
        measured: the run, and what is known of its ways.
        files: written files; those of several runs hold all of them.
    """

    measured: Measured
    files: tuple[Path, ...] = ()

    @property
    def ways(self) -> tuple[Way, ...]:
        """Of all counted objects."""
        return self.measured.speeds.ways

    @property
    def crossings(self) -> tuple[Passage, ...]:
        """Of lines, with the speeds there."""
        return self.measured.speeds.passages

    @property
    def groups(self) -> list[SpeedRow]:
        """Median speed and heading rose of each group."""
        return by_group(self.measured)

    @property
    def lines(self) -> list[SpeedRow]:
        """The same of those that crossed each line, by direction."""
        return by_line(self.measured)

    def to_pandas(self) -> pandas.DataFrame:
        """The rows of `speeds.csv`; needs pandas.

        Raises:
            Misconfigured: pandas is not installed.
        """
        rows = [way_fields(self.measured, way) for way in self.ways]
        return data_frame(self._columns(speeds_csv.COLUMNS, rows))

    def crossings_to_pandas(self) -> pandas.DataFrame:
        """The rows of `crossings.csv`; needs pandas.

        Raises:
            Misconfigured: pandas is not installed.
        """
        rows = [passage_fields(self.measured, passage) for passage in self.crossings]
        return data_frame(self._columns(speeds_csv.CROSSING_COLUMNS, rows))

    def _columns(self, names: Sequence[str], rows: Sequence[dict[str, Any]]) -> dict[str, list[Any]]:
        named = [{"video_id": self.measured.video.video_id} | row for row in rows]
        return {name: [row[name] for row in named] for name in names}

    def __repr__(self) -> str:
        texts = [f"{row.group} {speed_text(row)}" for row in self.groups]
        return f"Speeds({self.measured.video.video_id}: {', '.join(texts)})"

    def _repr_html_(self) -> str:
        """Groups as a table, for notebooks."""
        rows = [
            (f"{row.line} {row.direction} {row.group}".strip(), row.objects, speed_text(row), rose_text(row))
            for row in (*self.groups, *self.lines)
        ]
        caption = f"{self.measured.video.video_id}: speeds; to_pandas() has them by objects"
        return table(caption, ["group", "objects", "speed", "headings"], rows)


def speed_text(row: SpeedRow) -> str:
    """The median speed, for people.

    >>> speed_text(SpeedRow("", "", "cars", 9, 8, 48.26, 44.0, 53.1, 1.2, (0,) * 8))
    '48.3 km/h'
    """
    return "no speed" if row.median_kmh is None else f"{row.median_kmh:.1f} km/h"


def rose_text(row: SpeedRow) -> str:
    """The directions that there are, for people.

    >>> rose_text(SpeedRow("", "", "cars", 9, 0, None, None, None, None, (4, 0, 1, 0, 0, 0, 0, 0)))
    'up 4, right 1'
    """
    return ", ".join(f"{name} {count:,}" for name, count in zip(DIRECTIONS, row.rose, strict=True) if count)


def plane_of(path: Path) -> Plane:
    """The plane of a JSON file.

    Raises:
        NotFound: no such file.
        InvalidFile: it holds no plane.
    """
    return read_plane(read_text(path), str(path))


def measure_runs(
    paths: Sequence[Path],
    plane: Plane | None = None,
    shapes: ShapesOf = lambda runs: [((), ())] * len(runs),
    *,
    frame: int | None = None,
    out: Path | None = None,
) -> list[Speeds]:
    """Headings and speeds of the counted objects of runs. They stay as they are.

    Args:
        paths: run folders, or folders of whole commands.
        plane: what tells metres, the same for all; None: there are headings only.
        shapes: lines at which speeds are asked for.
        frame: number of the frame on whose picture headings are told, and the plane lies where it says none; None: the first
            sampled one. Where the camera stands still, all are alike.
        out: a file that ends in `.csv`, for objects or, with lines, for crossings, or in `.json` for all.

    Returns:
        One for each run.

    Raises:
        NotFound: no finished run is there.
        Misconfigured: a run is named twice or has no tracks, a line of which no part lies on the picture, a plane or line that
            was drawn on a frame that was not sampled, or another kind of file.
        Unavailable: `out` cannot be written.
    """
    runs = [open_run(in_folder(folder)) for folder in run_folders(paths)]
    names = run_names(runs)
    drawn = [lines for lines, _ in drawn_in(runs, names, shapes)]
    measured = [
        Measured(run.video.named(name, run.video.clock_start), run.speeds(plane, lines, frame), tuple(lines))
        for run, name, lines in zip(runs, names, drawn, strict=True)
    ]
    files = () if out is None else (_written(out, measured),)
    return [Speeds(each, files) for each in measured]


def measure(
    run: OpenRun,
    plane: Plane | None = None,
    lines: Sequence[Line] = (),
    *,
    frame: int | None = None,
    out: Path | None = None,
) -> Speeds:
    """The same of one run that is open; see `measure_runs`."""
    measured = Measured(run.video, run.speeds(plane, lines, frame), tuple(lines))
    return Speeds(measured, () if out is None else (_written(out, [measured]),))


def _written(out: Path, measured: Sequence[Measured]) -> Path:
    """Write one file.

    Raises:
        Misconfigured: another kind of file, it would lie in a run folder, or a folder has its name.
        Unavailable: it cannot be written.
    """
    kind = out.suffix.lower()
    if kind not in (".csv", ".json"):
        raise Misconfigured(f"{out}: speeds are written as .csv or .json", code="usage")
    check_place(out, one_file=True)
    make_folder(out.parent)
    ((_, chunks),) = (speeds_json.files if kind == ".json" else speeds_csv.files)(measured)
    write_whole(out, chunks)
    return out
