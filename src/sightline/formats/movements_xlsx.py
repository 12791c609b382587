"""The turning-movement table as a spreadsheet, for who hands it in: one sheet of numbers, one that says what they are.

Equal tables have equal bytes: no clock reaches the file. Names are written as text, whatever they begin with, so that none
becomes a formula or a link.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sightline.counts import Line
from sightline.formats.movement_table import RULE, MovementTable, Total, share
from sightline.formats.timeline import Timeline
from sightline.formats.unplaced import unplaced

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.workbook import Workbook
    from xlsxwriter.worksheet import Worksheet

__all__ = ["encode"]

NO_CLOCK = datetime(1980, 1, 1)  # of no time zone, as spreadsheets have none
TEXT = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
MOVEMENT = ("from", "to", "turn", "count", "heavy", "heavy share")
SPAN = ("begin", "end", "covered, s")


def encode(
    timeline: Timeline, table: MovementTable, lines: Sequence[Line], which: Mapping[str, Any]
) -> bytes:
    """The file.

    Args:
        timeline: of the table.
        table: its numbers.
        lines: at which they were counted.
        which: the filter, fields of a `Filter`.
    """
    from xlsxwriter.workbook import Workbook  # late: nothing else needs it

    made = io.BytesIO()
    book = Workbook(made, {"in_memory": True, "constant_memory": False, **TEXT})
    book.set_properties({"title": f"Turning movements of {timeline.video_id}", "created": NO_CLOCK})
    _Numbers(book, timeline).write(table)
    _about(book, _said(timeline, table, lines, which))
    book.close()
    return made.getvalue()


class _Numbers:
    """The sheet of numbers: totals, the peak hour, then a row a bin and movement."""

    def __init__(self, book: Workbook, timeline: Timeline) -> None:
        self._sheet: Worksheet = book.add_worksheet("Movements")
        self._start = timeline.clock_start
        self._head: Format = book.add_format({"bold": True, "bottom": 1})
        self._share: Format = book.add_format({"num_format": "0.0%"})
        self._factor: Format = book.add_format({"num_format": "0.000"})
        clock = "[hh]:mm:ss" if self._start is None else "yyyy-mm-dd hh:mm:ss"
        self._time: Format = book.add_format({"num_format": clock})
        self._row = 0

    def write(self, table: MovementTable) -> None:
        """All of it."""
        self._sheet.set_column(0, 8, 20)
        self._line(["Totals"], self._head)
        self._line(MOVEMENT, self._head)
        self._totals(table.totals)
        self._skip()
        self._line(["Peak hour"], self._head)
        peak = table.peak
        if peak is None:
            self._line(["none: fewer than four quarter hours in a row, or no movement"])
        else:
            self._line([*SPAN, "count", "heavy", "heavy share", "peak hour factor"], self._head)
            column = self._span(peak.start_us, peak.end_us, peak.covered_us)
            self._sheet.write_number(self._row, column, peak.count)
            self._sheet.write_number(self._row, column + 1, peak.heavy)
            self._part(column + 2, peak.heavy, peak.count)
            self._sheet.write_number(self._row, column + 3, peak.factor, self._factor)
            self._row += 1
            self._line(MOVEMENT, self._head)
            self._totals(peak.movements)
        self._skip()
        self._line([*SPAN, *MOVEMENT], self._head)
        for row in table.rows:
            self._movement(row.movement, self._span(row.start_us, row.end_us, row.covered_us))

    def _totals(self, totals: Sequence[Total]) -> None:
        for total in totals:
            self._movement(total, 0)
        count, heavy = sum(each.count for each in totals), sum(each.heavy for each in totals)
        self._sheet.write_string(self._row, 0, "all")
        self._numbers(3, count, heavy)

    def _movement(self, total: Total, column: int) -> None:
        for at, word in enumerate((total.entered, total.left, total.turn)):
            self._sheet.write_string(self._row, column + at, word)
        self._numbers(column + 3, total.count, total.heavy)

    def _numbers(self, column: int, count: int, heavy: int) -> None:
        self._sheet.write_number(self._row, column, count)
        self._sheet.write_number(self._row, column + 1, heavy)
        self._part(column + 2, heavy, count)
        self._row += 1

    def _part(self, column: int, part: int, whole: int) -> None:
        found = share(part, whole)
        if found is not None:
            self._sheet.write_number(self._row, column, found, self._share)

    def _span(self, start_us: int, end_us: int, covered_us: int) -> int:
        """Begin, end and how much is covered; the column behind them."""
        for column, time_us in enumerate((start_us, end_us)):
            since = timedelta(microseconds=time_us)
            if self._start is None:
                self._sheet.write_number(self._row, column, since / timedelta(days=1), self._time)
            else:
                local = self._start.replace(tzinfo=None) + since
                self._sheet.write_datetime(self._row, column, local, self._time)
        self._sheet.write_number(self._row, 2, covered_us / 1_000_000)
        return len(SPAN)

    def _line(self, words: Sequence[str], style: Format | None = None) -> None:
        for column, word in enumerate(words):
            self._sheet.write_string(self._row, column, word, style)
        self._row += 1

    def _skip(self) -> None:
        self._row += 1


def _said(
    timeline: Timeline, table: MovementTable, lines: Sequence[Line], which: Mapping[str, Any]
) -> Iterable[tuple[str, str]]:
    """What the numbers are, as names and words."""
    start = timeline.clock_start
    yield "video", timeline.video_id
    yield (
        "clock",
        "of the video: nobody said when it began" if start is None else f"begins at {start.isoformat()}",
    )
    yield from (("rule", sentence) for sentence in RULE)
    yield "heavy vehicles", ", ".join(table.heavy) or "none were named"
    yield "classes", ", ".join(which.get("classes", ())) or "all"
    yield "least confidence", f"{which.get('min_confidence', 0.0):g}"
    hits = which.get("min_hits")
    yield "least hits", "by the counting rule" if hits is None else str(hits)
    yield "entered only", str(table.entered_only)
    yield "left only", str(table.left_only)
    for span in unplaced(timeline):
        yield (
            "not looked for",
            f"{', '.join(span.names)}: from frame {span.frame} ({span.start_s:g} s) to {span.end_s:g} s nobody knows where the camera looked",
        )
    for line in lines:
        inwards, outwards = line.directions
        ends = " to ".join(f"{x:g}, {y:g}" for x, y in (line.a, line.b))
        yield "line", f"{line.name}: {ends} ({line.unit}); in: {inwards}, out: {outwards}"


def _about(book: Workbook, said: Iterable[tuple[str, str]]) -> None:
    sheet = book.add_worksheet("About")
    sheet.set_column(0, 0, 20)
    sheet.set_column(1, 1, 120)
    for row, pair in enumerate(said):
        for column, word in enumerate(pair):
            sheet.write_string(row, column, word)
