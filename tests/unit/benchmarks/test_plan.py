"""The plan of docs/scale.md: arithmetic over what was measured, and the page says what it gives."""

import json

import pytest
from benchmarks.scale.constants import CONSTANTS
from benchmarks.scale.page import PAGE, written
from benchmarks.scale.plan import COMMAND, Demand, Given, least_commits, plan, tables
from benchmarks.scale.plots import IMAGES, RUNS, draw, table

MEASURED = {
    "bytes": {
        "streams": 12,
        "records_a_frame": {"frames": 1, "detections": 3, "tracks": 3, "totals": 3},
        "record_bytes": {"frames": 200, "detections": 300, "tracks": 400, "totals": 100},
        "log_bytes_a_frame": 2600,
        "outbox_records_a_frame": 6,
        "states_a_job": 10,
        "segment_frames": 128,
        "segment_bytes_a_frame": 1000,
        "other_objects_a_job": 9,
        "other_bytes_a_frame": 500,
        "source_bytes_a_frame": 2000,
    },
    "cpu": {"decode_ms": 4, "detect_ms": {"m": 24}, "stages_ms": 1.4},
    "postgres": {"commits_8": 2000, "outbox_records": 5000},
}
HUNDRED = Demand("100 frames a second", 8640, 1000)


def test_a_hundred_frames_a_second_need_so_much():
    """Each line by hand: 28 ms a frame, lanes busy seven tenths of the time."""
    found = plan(HUNDRED, MEASURED, Given(model="m", gpu_ms=7))

    assert found["frames a second"] == 100
    assert found["lanes on CPUs, a core each"] == 4
    assert found["or GPUs, and cores that decode beside them"] == 1
    assert found["cores of all other stages"] == 1
    assert found["records into Kafka, MB/s"] == pytest.approx(0.26)
    assert found["records out of Kafka, MB/s"] == pytest.approx(0.1 * (0.2 + 1.8 + 2.4 + 0.3))
    assert found["outbox records a second"] == 600
    assert found["objects put a day, millions"] == pytest.approx(8640 * (8 * 12 + 10) / 1e6)
    assert found["the same, segments of a stream as one, millions"] == pytest.approx(8640 * 22 / 1e6)
    assert found["results a day, TB"] == pytest.approx(8.64e6 * 1500 / 1e12)


def test_frames_that_are_passed_over_are_decoded_and_stored_all_the_same():
    """Of each fifth frame: 4 ms five times, and the whole source."""
    given = Given(model="m")
    every, fifth = (plan(Demand("", 86_400, 1000, stride), MEASURED, given) for stride in (1, 5))

    assert every["lanes on CPUs, a core each"] == 40
    assert fifth["lanes on CPUs, a core each"] == 63
    assert fifth["sources a day, TB"] == pytest.approx(5 * every["sources a day, TB"])


def test_prices_are_those_that_were_given():
    """Nothing is charged that has no price."""
    free = Given(model="m", tb_month=0, per_1000_puts=0, vcpu_hour=0, gpu_hour=0)

    prices = {line: each for line, each in plan(HUNDRED, MEASURED, free).items() if "price" in line}

    assert prices
    assert set(prices.values()) == {0}


def test_the_least_commits_are_those_of_full_batches():
    """Of one group: 1 of feed in 64 frames, 1 each of detect, track and stats in 32, 3 of collect in 128."""
    assert 128 * least_commits(1) == 2 + 4 + 4 + 4 + 3


def test_the_page_holds_what_the_constants_give():
    """`python -m benchmarks.scale.plan --write` was run after the last change of either."""
    page = PAGE.read_text()

    assert written(page, COMMAND, tables(json.loads(CONSTANTS.read_text()), Given())) == page


def test_the_page_and_the_plots_hold_what_the_runs_gave():
    """`python -m benchmarks.scale.plots` wrote all of them."""
    page, runs = PAGE.read_text(), json.loads(RUNS.read_text())

    assert written(page, "benchmarks.scale.plots", table(runs)) == page
    for name, text in draw(runs).items():
        assert (IMAGES / f"scale-{name}.svg").read_text() == text


def test_a_page_without_a_place_for_the_tables_is_refused():
    """Nothing is put anywhere else."""
    with pytest.raises(ValueError, match="has no"):
        written("# A page", "a.command", "text")
