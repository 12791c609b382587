"""Progress: one line on a terminal, else a log line every ten seconds."""

import io
import json
import os
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.logs import open_log
from sightline.progress.lines import LiveLine, LogLines, bar, clock, line
from sightline.progress.overview import View
from sightline.telemetry import Finished, Planned, Progress, Started

BAR = re.compile(r"[━─]+  ")


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def run(listener, now, steps, job="street", stage="track", total=1500):
    """Frames done, one step a second."""
    for done in steps:
        listener.emit(Progress(stage, job, done, total))
        now.now += 1


def shown(stream):
    """What the line showed, drawing after drawing, without bars."""
    return [BAR.sub("", text) for text in stream.getvalue().split("\r\x1b[K")]


@pytest.fixture
def live():
    """A line on a terminal, its stream and its clock."""
    stream, now = io.StringIO(), Clock()
    return LiveLine(stream, now), stream, now


def view(**changes):
    values = {"names": ("street",), "number": 1, "jobs": 1, "doing": "", "done": 512, "total": 1500}
    return View(**values | {"fps": 43.0, "left_s": 23.0} | changes)


def test_the_line_names_the_video_and_says_frames_speed_and_what_is_left():
    """As the reference shows it."""
    assert line(view()) == "street  ━━━━━━━━────────────────  512 of 1,500 · 43 fps · 0:23 left"
    assert line(view(total=0, left_s=None)) == "street  512 · 43 fps"
    assert BAR.sub("", line(view(done=0, fps=0.0, left_s=None))) == "street  0 of 1,500"
    assert line(view(fps=0.5)).endswith("512 of 1,500 · 0.5 fps · 0:23 left")
    assert line(view(doing="drawing")).endswith("  drawing 512 of 1,500 · 43 fps · 0:23 left")
    assert line(view(doing="writing", done=1500)).endswith("  writing results")


@given(
    st.lists(
        st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=99), min_size=1, max_size=4
    ),
    st.integers(1, 250),
    st.integers(0, 10**6),
)
def test_the_line_always_fits_the_terminal(names, columns, done):
    """A line that wraps could not be redrawn."""
    text = line(view(names=tuple(names), number=3, jobs=12, done=done, total=10**6), columns)

    assert len(text) < columns or columns == 1


def test_a_long_name_is_cut_and_the_figures_stay():
    """The bar gave way before."""
    text = line(view(names=("a" * 90,), number=2, jobs=3), 60)

    assert text.startswith("2 of 3  aaa")
    assert text.endswith("...  512 of 1,500 · 43 fps · 0:23 left")


@given(st.integers(0, 100), st.integers(1, 60), st.booleans())
def test_a_bar_has_its_cells(percent, cells, fine):
    """From empty to full."""
    drawn = bar(percent / 100, cells, fine=fine)

    assert len(drawn) == cells
    assert drawn.isascii() != fine
    assert (drawn == bar(1, cells, fine=fine)) == (percent == 100)


@given(st.integers(0, 10**6))
def test_a_length_of_time_reads_back(seconds):
    """Minutes and seconds have two digits behind a colon."""
    parts = [int(part) for part in clock(seconds).split(":")]

    value = 0
    for part in parts:
        value = value * 60 + part
    assert value == seconds
    assert all(part < 60 for part in parts[1:])


def test_a_terminal_gets_one_line_that_is_redrawn(live):
    """Nothing scrolls; at the end the line is empty."""
    line, stream, now = live

    line.emit(Planned(1, 1500))
    line.emit(Started("street", 1500))
    run(line, now, [0, 43, 86])
    line.emit(Finished("street", "done", 1500, 0))

    assert "\n" not in stream.getvalue()
    assert shown(stream) == [
        "",
        "street  0 of 1,500",
        "street  43 of 1,500 · 43 fps · 0:34 left",
        "street  86 of 1,500 · 43 fps · 0:33 left",
        "",
    ]


def test_a_run_that_goes_on_says_where_and_the_speed_is_that_of_this_start(live):
    """Frames of an earlier, interrupted start took no time of this one."""
    line, stream, now = live

    line.emit(Started("street", 1500, 1000))
    run(line, now, [1000, 1010])

    assert shown(stream) == [
        "",
        "street: goes on at frame 1,000 of 1,500\n",
        "street  1,000 of 1,500",
        "street  1,010 of 1,500 · 10 fps · 0:49 left",
    ]


def test_videos_at_the_same_time_share_one_line(live):
    """Frames, speed and time left are of all; none is painted over by another."""
    line, stream, now = live

    line.emit(Planned(3, 3000))
    line.emit(Started("a", 1000))
    line.emit(Started("b", 1000))
    run(line, now, [0], job="a", total=1000)
    run(line, now, [10], job="b", total=1000)
    run(line, now, [30], job="a", total=1000)

    assert shown(stream)[-1] == "2 of 3  a, b  40 of 3,000 · 20 fps · 2:28 left"


def test_the_next_video_counts_the_ended_ones_in(live):
    """One that was finished before took no time, one that failed is over."""
    line, stream, now = live

    line.emit(Planned(3, 3000))
    line.emit(Finished("a", "finished", 1000, 0))
    line.emit(Started("b", 1000))
    run(line, now, [0, 100], job="b", total=1000)
    line.emit(Finished("b", "failed", 0, 0))
    line.emit(Started("c", 1000))
    run(line, now, [0], job="c", total=1000)

    assert shown(stream)[-1] == "3 of 3  c  2,000 of 3,000 · 50 fps · 0:20 left"


def test_a_source_that_cannot_be_read_does_not_hide_how_many_frames_there_are(live):
    """It never began: it has no frames, which is not the same as frames that nobody counted."""
    line, stream, now = live

    line.emit(Planned(3, 2000))
    line.emit(Started("a", 1000))
    line.emit(Finished("b", "failed", 0, 0))
    run(line, now, [0, 100], job="a", total=1000)

    assert shown(stream)[-1] == "2 of 3  a  100 of 2,000 · 100 fps · 0:19 left"


def test_drawing_has_a_speed_of_its_own(live):
    """And between the last frame and the first that is drawn results are written."""
    line, stream, now = live

    line.emit(Started("street", 100))
    run(line, now, [0, 50, 100], total=100)
    run(line, now, [0], stage="render", total=100)
    run(line, now, [100], total=100)
    run(line, now, [10], stage="render", total=100)

    assert shown(stream)[3:] == [
        "street  writing results",
        "street  drawing 0 of 100",
        "street  drawing 10 of 100 · 5.0 fps · 0:18 left",
    ]


def test_a_video_that_is_drawn_beside_one_that_is_looked_at_does_not_take_the_line(live):
    """It stays with what takes longest."""
    line, stream, now = live

    line.emit(Planned(2, 200))
    line.emit(Started("a", 100))
    line.emit(Started("b", 100))
    run(line, now, [0, 100], job="a", total=100)
    run(line, now, [25], job="a", stage="render", total=100)

    assert shown(stream)[-1] == "2 of 2  a, b  100 of 200 · 50 fps · 0:02 left"


def test_a_terminal_is_not_flooded(live):
    """At most ten lines a second."""
    line, stream, now = live

    for done in range(100):
        line.emit(Progress("track", "street", done, 1500))
        now.now += 0.01

    assert stream.getvalue().count("\r") <= 11


def test_a_terminal_without_utf_8_gets_ascii():
    """No escapes, no question marks."""
    raw = io.BytesIO()
    stream, now = io.TextIOWrapper(raw, "ascii"), Clock()

    run(LiveLine(stream, now), now, [0, 43])

    assert "####" not in raw.getvalue().decode()
    assert raw.getvalue().decode().endswith("43 of 1,500 - 43 fps - 0:34 left")


def test_the_line_is_as_wide_as_its_terminal():
    """The one that it is written to."""
    import fcntl
    import struct
    import termios

    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 40, 0, 0))
    now = Clock()
    with os.fdopen(theirs, "w", encoding="utf-8") as terminal:
        run(LiveLine(terminal, now), now, [750])
        drawn = os.read(ours, 4096).decode()
    os.close(ours)

    assert drawn == "\r\x1b[Kstreet  ━━━━━━━━─────────  750 of 1,500"


def test_without_a_terminal_there_is_a_log_line_every_ten_seconds():
    """JSON, with the same facts."""
    stream, now = io.StringIO(), Clock()
    lines = LogLines(open_log(stream), now)

    lines.emit(Started("street", 1500))
    run(lines, now, range(0, 3500, 100))

    written = [json.loads(text) for text in stream.getvalue().splitlines()]
    assert [each["done"] for each in written] == [1000, 2000, 3000]
    assert list(written[0]) == ["time", "level", "event", "stage", "video_id", "done", "total", "fps"]
    assert (written[0]["event"], written[0]["fps"]) == ("progress", 100.0)


def test_without_a_terminal_drawing_is_what_is_logged_while_it_lasts():
    """That all frames were looked at is no news then."""
    stream, now = io.StringIO(), Clock()
    lines = LogLines(open_log(stream), now)

    for done in range(0, 100, 10):
        run(lines, now, [done], stage="render", total=100)
        run(lines, now, [100], total=100)

    stages = {json.loads(text)["stage"] for text in stream.getvalue().splitlines()}
    assert stages == {"render"}


def test_without_a_terminal_a_run_that_goes_on_says_where_too():
    """At once, once."""
    stream = io.StringIO()

    LogLines(open_log(stream), Clock()).emit(Started("street", 1394, 237))

    [written] = [json.loads(text) for text in stream.getvalue().splitlines()]
    assert {name: written[name] for name in ("event", "video_id", "done", "total")} == {
        "event": "resumed",
        "video_id": "street",
        "done": 237,
        "total": 1394,
    }
