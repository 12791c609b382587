"""The turning-movement table: a morning at a junction, counted on paper."""

import io
import time
import zipfile
from dataclasses import replace
from datetime import datetime
from fractions import Fraction
from xml.etree import ElementTree

import numpy as np
import pytest

from sightline.counts import JobCounts, Line, Movement, Movements, Unplaced
from sightline.formats import movements_csv, movements_xlsx
from sightline.formats.movement_table import QUARTER_US, plain, table_of
from sightline.formats.timeline import Timeline, alone
from sightline.types import FrameTable
from tests.unit.formats.counted import job

LINES = (
    Line("south", (0.6, 0.9), (0.4, 0.9)),
    Line("north", (0.4, 0.1), (0.6, 0.1)),
    Line("=1+1", (0, 0), (0, 1)),
)
CLOCK = "2026-11-21T07:00:00+01:00"
MINUTE = 60


def filmed(minutes=90, clock=CLOCK, lines=LINES) -> Timeline:
    """A frame a second from 07:00 on."""
    pts_us = np.arange(minutes * MINUTE) * 1_000_000
    frames = FrameTable(np.arange(len(pts_us)), pts_us, ("ok",) * len(pts_us), ("",) * len(pts_us))
    start = None if clock is None else datetime.fromisoformat(clock)
    made = replace(job(clock_start=start), frames=frames, rate=Fraction(1))
    return alone(made, JobCounts((), lines, (), ()))


def moved(minute, entered="south", left="north", turn="through", label="car", times=1):
    at = minute * MINUTE
    return [Movement("cars", number, label, entered, left, turn, at - 1, at) for number in range(times)]


# Quarter hours of 07:00 to 08:30: 1, 4, 5, 8, 3, 0 movements.
MORNING = [
    *moved(5),
    *moved(15, times=4),
    *moved(40, times=4),
    *moved(44, "south", "south", "u-turn", "bus"),
    *moved(45, times=6),
    *moved(59, label="truck", times=2),
    *moved(60, "north", "south", times=3),
]
FOUND = Movements(tuple(MORNING), entered_only=2, left_only=1)


def tabled(found=FOUND, bin_us=QUARTER_US, timeline=None, **options):
    timeline = timeline or filmed()
    return plain(timeline, table_of(timeline, [found], bin_us, **options))


def test_movements_are_those_that_were_made_in_the_order_of_the_lines():
    """South comes before north, as it was drawn so."""
    assert tabled()["movements"] == [
        {"from": "south", "to": "south", "turn": "u-turn"},
        {"from": "south", "to": "north", "turn": "through"},
        {"from": "north", "to": "south", "turn": "through"},
    ]


def test_a_movement_is_counted_in_the_quarter_hour_in_which_its_object_left():
    """On the clock; every bin has every movement."""
    rows = tabled()["rows"]

    assert len(rows) == 6 * 3
    straight = [
        (row["start_time"][11:16], row["count"], row["heavy"]) for row in rows if row["to"] == "north"
    ]
    assert straight == [
        ("07:00", 1, 0), ("07:15", 4, 0), ("07:30", 4, 0), ("07:45", 8, 2), ("08:00", 0, 0), ("08:15", 0, 0),
    ]  # fmt: skip
    assert rows[0] == {
        "start_s": 0.0,
        "end_s": 900.0,
        "start_time": "2026-11-21T07:00:00+01:00",
        "end_time": "2026-11-21T07:15:00+01:00",
        "covered_s": 900.0,
        "from": "south",
        "to": "south",
        "count": 0,
        "heavy": 0,
    }


def test_the_peak_hour_is_four_quarter_hours_with_most():
    """07:15 to 08:15 has 4 + 5 + 8 + 3 = 20; 20 / (4 x 8) = 0.625. Three of them are heavy."""
    peak = tabled()["peak"]

    assert (peak["start_time"][11:16], peak["end_time"][11:16]) == ("07:15", "08:15")
    assert (peak["count"], peak["factor"], peak["heavy"], peak["heavy_share"]) == (20, 0.625, 3, 0.15)
    assert peak["covered_s"] == 3600.0
    assert [(each["count"], each["heavy"]) for each in peak["by_movement"]] == [(1, 1), (16, 2), (3, 0)]


def test_the_peak_hour_goes_by_quarter_hours_whatever_the_bins_are():
    """Five minutes, or an hour."""
    peak = tabled()["peak"]

    assert tabled(bin_us=300_000_000)["peak"] == peak
    assert tabled(bin_us=4 * QUARTER_US)["peak"] == peak
    assert len(tabled(bin_us=300_000_000)["rows"]) == 18 * 3


def test_of_equal_hours_the_first_one_is_the_peak():
    """Nothing else tells them apart."""
    assert tabled(Movements(tuple(moved(50))))["peak"]["start_time"][11:16] == "07:00"


@pytest.mark.parametrize(
    ("minutes", "clock", "there"), [(46, CLOCK, True), (45, CLOCK, False), (46, None, True)]
)
def test_an_hour_has_four_quarter_hours(minutes, clock, there):
    """The last one may be covered in part, which is said; with three there is none."""
    peak = tabled(Movements(tuple(moved(5))), timeline=filmed(minutes, clock))["peak"]

    assert (peak is not None) == there
    assert peak is None or peak["covered_s"] == 46 * 60


def test_nothing_moved():
    """No row, no peak; the incomplete ones are told."""
    found = tabled(Movements((), 4, 3))

    assert (found["movements"], found["rows"], found["totals"], found["peak"]) == ([], [], [], None)
    assert found["incomplete"] == {"entered_only": 4, "left_only": 3}


def test_where_the_camera_could_not_be_followed_nothing_was_looked_for():
    """Which lines, from when to when."""
    (one,) = filmed().jobs
    lost = replace(one, counts=replace(one.counts, unplaced=(Unplaced(("south", "north"), 60, 90),)))
    timeline = replace(filmed(), jobs=(lost,))
    found, about = tabled(timeline=timeline), dict(cells(sheet_of(timeline=timeline), 2))

    assert "south, north: from frame 60 (60 s) to 90 s" in about["not looked for"]
    assert tabled()["unplaced"] == []
    assert found["unplaced"] == [
        {"video_id": "street", "names": ("south", "north"), "frame": 60, "start_s": 60.0, "end_s": 90.0}
    ]


def test_totals_have_the_share_of_heavy_vehicles():
    """2 of 17 through movements are trucks, the bus turned; other labels may be heavy."""
    totals = tabled()["totals"]

    assert [(each["count"], each["heavy"], each["heavy_share"]) for each in totals] == [
        (1, 1, 1.0), (17, 2, 0.1176), (3, 0, 0.0),
    ]  # fmt: skip
    assert [each["heavy"] for each in tabled(heavy=["bus"])["totals"]] == [1, 0, 0]


def test_a_clock_that_begins_within_a_quarter_hour():
    """07:10: the first bin is covered for five minutes, and has what left before 07:15."""
    rows = tabled(Movements(tuple(moved(4) + moved(5))), timeline=filmed(clock="2026-11-21T07:10:00+01:00"))[
        "rows"
    ]

    assert [(row["start_s"], row["covered_s"], row["count"]) for row in rows[:2]] == [
        (-600.0, 300.0, 1),
        (300.0, 900.0, 1),
    ]


def test_the_csv_has_the_rows():
    """A name that needs quotes has them."""
    found = Movements(tuple(moved(5, "south", "=1+1", "left", "bus")))
    timeline = filmed(46, None)
    ((path, chunks),) = movements_csv.files([(timeline, table_of(timeline, [found]))])

    lines = b"".join(chunks).decode().splitlines()
    assert path == "movements.csv"
    assert lines[:2] == [
        "video_id,start_s,end_s,start_time,end_time,covered_s,from,to,turn,count,heavy",
        "street,0.000000,900.000000,00:00:00,00:15:00,900.000000,south,=1+1,left,1,1",
    ]
    assert len(lines) == 5


# --- the spreadsheet

SPACE = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def sheet_of(found=FOUND, timeline=None, which=None):
    timeline = timeline or filmed()
    return movements_xlsx.encode(timeline, table_of(timeline, [found]), LINES, which or {})


def cells(blob, number):
    """Rows of a sheet: texts as they are, numbers as numbers; a formula would be a fault."""
    with zipfile.ZipFile(io.BytesIO(blob)) as packed:
        texts = [
            "".join(part.itertext()) for part in ElementTree.fromstring(packed.read("xl/sharedStrings.xml"))
        ]
        sheet = ElementTree.fromstring(packed.read(f"xl/worksheets/sheet{number}.xml"))
    assert not [*sheet.iter(f"{SPACE}f")]
    return [
        [texts[int(cell[0].text)] if cell.get("t") == "s" else float(cell[0].text) for cell in row]
        for row in sheet.iter(f"{SPACE}row")
    ]


def test_the_sheet_has_totals_the_peak_hour_and_the_rows():
    """Share and factor as numbers, times as times."""
    rows = cells(sheet_of(), 1)

    assert rows[:6] == [
        ["Totals"],
        ["from", "to", "turn", "count", "heavy", "heavy share"],
        ["south", "south", "u-turn", 1.0, 1.0, 1.0],
        ["south", "north", "through", 17.0, 2.0, 0.1176],
        ["north", "south", "through", 3.0, 0.0, 0.0],
        ["all", 21.0, 3.0, 0.1429],
    ]
    assert rows[6] == ["Peak hour"]
    begin, end, covered, *figures = rows[8]
    assert (covered, figures) == (3600.0, [20.0, 3.0, 0.15, 0.625])
    assert (end - begin) * 24 == pytest.approx(1)
    assert begin % 1 * 24 == pytest.approx(7.25)
    assert rows[14][:4] == ["begin", "end", "covered, s", "from"]
    assert len(rows) == 15 + 6 * 3


def test_the_other_sheet_says_what_the_numbers_are():
    """Video, clock, rule, filter, lines."""
    said = cells(sheet_of(which={"classes": ["car", "bus"], "min_confidence": 0.4, "min_hits": 12}), 2)
    first = dict(reversed(said))

    assert (first["video"], first["clock"]) == ("street", f"begins at {CLOCK}")
    assert (first["classes"], first["least confidence"], first["least hits"]) == ("car, bus", "0.4", "12")
    assert (first["heavy vehicles"], first["entered only"], first["left only"]) == ("truck, bus", "2", "1")
    assert first["line"] == "south: 0.6, 0.9 to 0.4, 0.9 (norm); in: in, out: out"
    assert any("inwards" in value for name, value in said if name == "rule")


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@a", "http://a.example", "{=1}", "12"])
def test_no_name_becomes_a_formula_a_link_or_a_number(name):
    """It is the text that somebody typed."""
    lines = (LINES[0], Line(name, (0, 0), (0, 1)))
    blob = sheet_of(Movements(tuple(moved(5, "south", name, "left"))), filmed(lines=lines))

    assert cells(blob, 1)[2][:2] == ["south", name]
    with zipfile.ZipFile(io.BytesIO(blob)) as packed:
        assert not [each for each in packed.namelist() if "rels" in each and "sheet" in each]


def test_equal_tables_have_equal_bytes(monkeypatch):
    """Whenever they are made."""
    first = sheet_of()
    monkeypatch.setattr(time, "time", lambda: 2_000_000_000.0)
    time.sleep(1.1)

    assert sheet_of() == first


def test_without_a_clock_times_are_those_of_the_video():
    """The second quarter hour begins after a quarter of an hour."""
    rows = cells(sheet_of(Movements(tuple(moved(5))), filmed(46, None)), 1)

    assert [row[0] * 96 for row in rows[-4:]] == pytest.approx([0, 1, 2, 3])
