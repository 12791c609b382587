"""The clock of a run: it may be said late, or otherwise, and changes no track."""

import json
from pathlib import Path

import pytest

import sightline as sl
from sightline.app.track import track
from sightline.settings import TrackOptions
from tests.unit.scene import LABELS, images, see

SEVEN, EIGHT = "2024-05-17T07:03:20+02:00", "2024-05-17T08:00:00+02:00"
STOP: list[int] = []


def see_until_stopped(frames):
    """A detector that ends its process, as far as a test can, with the frame at which it was told to."""
    if STOP and STOP.pop() == 0:
        raise KeyboardInterrupt
    return see(frames)


@pytest.fixture(scope="module")
def road(tmp_path_factory):
    return images(tmp_path_factory.mktemp("source") / "road", 40)


def report_of(source, out, **options):
    settings = TrackOptions.model_validate({"out": out, "fps": 25, "workers": 1, **options})
    return track([source], settings, function=see_until_stopped, labels=LABELS)[0]


def files(folder: Path) -> dict[str, bytes]:
    """What is there, but for what may differ from run to run."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name not in ("timing.json", "log.ndjson")
    }


def test_a_finished_run_stays_as_it_is_and_says_how_to_count_on_another_clock(road, tmp_path):
    """The run is the same one: its key does not hold the start time."""
    report_of(road, tmp_path, start_time=SEVEN)
    before = files(tmp_path / "road")

    report = report_of(road, tmp_path, start_time=EIGHT)

    assert report.state == "finished"
    (detail,) = (detail for code, detail in report.warnings if code == "not_written")
    assert SEVEN in detail
    assert f"sightline count --start-time {EIGHT}" in detail
    assert files(tmp_path / "road") == before
    for same in (report_of(road, tmp_path, start_time=SEVEN), report_of(road, tmp_path)):
        assert "not_written" not in dict(same.warnings)


def test_an_interrupted_run_ends_on_the_clock_that_was_said_last(road, tmp_path):
    """Every file is that of a run that was never interrupted."""
    STOP[:] = [0]
    with pytest.raises(KeyboardInterrupt):
        report_of(road, tmp_path / "a", start_time=SEVEN)
    STOP.clear()
    assert (tmp_path / "a" / "road" / ".partial" / "begun.json").exists()

    report = report_of(road, tmp_path / "a", start_time=EIGHT)
    undisturbed = report_of(road, tmp_path / "b", start_time=EIGHT)

    assert (report.state, report.warnings) == ("done", undisturbed.warnings)
    assert json.loads((report.path / "timing.json").read_bytes())["starts"] == 2
    assert files(tmp_path / "a" / "road") == files(tmp_path / "b" / "road")


def test_no_file_of_a_run_without_a_start_time_shows_a_date(road, tmp_path):
    """But for the tables of system A, whose form has one."""
    report = report_of(road, tmp_path, formats=["mot", "csv", "json-b", "ndjson"])

    assert [name for name, content in files(report.path).items() if b"1970" in content] == []
    assert sl.load(report.path).result.clock_start is None
