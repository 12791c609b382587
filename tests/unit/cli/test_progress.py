"""Progress: one line on a terminal, else a log line every ten seconds."""

import io
import json

from hypothesis import given
from hypothesis import strategies as st

from sightline.cli.logs import open_log
from sightline.cli.progress import LiveLine, LogLines, clock, line
from sightline.telemetry import Finished, Progress, Started


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def run(listener, now, steps, job="street"):
    """Frames done, one step a second."""
    for done in steps:
        listener.emit(Progress("detect", job, done, 1500))
        now.now += 1


def test_the_line_says_stage_frames_speed_and_what_is_left():
    """As the reference shows it."""
    assert line(Progress("detect", "street", 512, 1500), 43) == "detect 512/1500 · 43 fps · 0:23 left"
    assert line(Progress("detect", "street", 512, 0), 43) == "detect 512 · 43 fps"
    assert line(Progress("detect", "street", 0, 1500), 0) == "detect 0/1500"
    assert line(Progress("detect", "street", 1, 10), 0.5) == "detect 1/10 · 0.5 fps · 0:18 left"


@given(st.integers(0, 10**6))
def test_a_length_of_time_reads_back(seconds):
    """Minutes and seconds have two digits behind a colon."""
    parts = [int(part) for part in clock(seconds).split(":")]

    value = 0
    for part in parts:
        value = value * 60 + part
    assert value == seconds
    assert all(part < 60 for part in parts[1:])


def test_a_terminal_gets_one_line_that_is_redrawn():
    """Nothing scrolls; at the end the line is empty."""
    stream, now = io.StringIO(), Clock()
    live = LiveLine(stream, now)

    live.emit(Started("street", 1500))
    run(live, now, [0, 43, 86])
    live.emit(Finished("street", "done", 1500, 0))

    assert "\n" not in stream.getvalue()
    drawn = stream.getvalue().split("\r\x1b[K")
    assert drawn == [
        "",
        "detect 0/1500",
        "detect 43/1500 · 43 fps · 0:34 left",
        "detect 86/1500 · 43 fps · 0:33 left",
        "",
    ]


def test_the_speed_is_that_of_this_start():
    """Frames of an earlier, interrupted start took no time of this one."""
    stream, now = io.StringIO(), Clock()
    live = LiveLine(stream, now)

    run(live, now, [1000, 1010])

    assert stream.getvalue().endswith("detect 1010/1500 · 10 fps · 0:49 left")


def test_several_jobs_are_told_apart():
    """The line names the one it speaks of."""
    stream, now = io.StringIO(), Clock()
    live = LiveLine(stream, now)

    live.emit(Started("a", 1500))
    live.emit(Started("b", 1500))
    run(live, now, [5], job="b")

    assert stream.getvalue().endswith("b  detect 5/1500")


def test_a_terminal_is_not_flooded():
    """At most ten lines a second."""
    stream, now = io.StringIO(), Clock()
    live = LiveLine(stream, now)

    for done in range(100):
        live.emit(Progress("detect", "street", done, 1500))
        now.now += 0.01

    assert stream.getvalue().count("\r") <= 11


def test_without_a_terminal_there_is_a_log_line_every_ten_seconds():
    """JSON, with the same facts."""
    stream, now = io.StringIO(), Clock()
    lines = LogLines(open_log(stream), now)

    run(lines, now, range(0, 3500, 100))

    written = [json.loads(text) for text in stream.getvalue().splitlines()]
    assert [each["done"] for each in written] == [1000, 2000, 3000]
    assert list(written[0]) == ["time", "level", "event", "stage", "video_id", "done", "total", "fps"]
    assert (written[0]["event"], written[0]["fps"]) == ("progress", 100.0)
