"""Several runs counted together, on the clock, and where their counts go."""

import csv
import json
import shutil
from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest

import sightline as sl
from sightline.errors import Misconfigured, NotFound
from sightline.runs.recount import count_run, count_runs
from sightline.runs.verify import verify

LINE = sl.Line("middle", (0.5, 1.0), (0.5, 0.0))
SEVEN = "2024-05-17T07:03:20+02:00"
QUARTER = 900_000_000


def lines(runs):
    """The same line for every run."""
    return [([LINE], ()) for _ in runs]


@pytest.fixture
def camera(finished, tmp_path):
    """Makes a run of a camera: a copy of the finished one under another name, perhaps with a start time."""

    def make(name: str, start: str | None = None, folder: str = "track") -> Path:
        path = Path(shutil.copytree(finished.path, tmp_path / folder / name))
        run = json.loads((path / "run.json").read_bytes())
        run |= {"video_id": name, "clock_start": start}
        (path / "run.json").write_text(json.dumps(run))
        return path

    return make


def rows(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


def unique(found: list[dict[str, str]]) -> Counter:
    """Objects by video and begin of the bin."""
    counted: Counter = Counter()
    for row in found:
        if row["kind"] == "unique":
            counted[row["video_id"], row["start_time"]] += int(row["count"])
    return counted


def test_a_start_time_is_said_afterwards(finished, tmp_path):
    """Bins of a quarter of an hour begin at quarters of the hour; the run knows no time and stays as it is."""
    before = (finished.path / "run.json").read_bytes()

    (recount,) = count_run(
        finished.path, [LINE], bin_us=QUARTER, start_time=datetime.fromisoformat(SEVEN), out=tmp_path / "o"
    )

    counts, (event,) = rows(tmp_path / "o" / "counts.csv"), rows(tmp_path / "o" / "events.csv")
    assert {(row["start_time"], row["end_time"], row["covered_s"]) for row in counts} == {
        ("2024-05-17T07:00:00+02:00", "2024-05-17T07:15:00+02:00", "5.600000")
    }
    assert event["time"].startswith("2024-05-17T07:03:2")
    assert recount.timeline.clock_start == datetime.fromisoformat(SEVEN)
    assert (finished.path / "run.json").read_bytes() == before


def test_the_start_time_of_a_run_is_its_clock(camera):
    """Unless another one is said."""
    run = sl.load(camera("a", SEVEN))

    own, other = run.count(bins="15m"), run.count(bins="15m", start_time="2024-05-17T09:20:00+02:00")

    assert own.timeline.time(own.bins[0].start_us, "seconds") == "2024-05-17T07:00:00+02:00"
    assert other.timeline.time(other.bins[0].start_us, "seconds") == "2024-05-17T09:15:00+02:00"
    with pytest.raises(Misconfigured, match=r"start_time = '2024-05-17': should be a time with its offset"):
        run.count(start_time="2024-05-17")


@pytest.mark.parametrize("cameras", [1, 3])
def test_the_files_are_the_same_for_one_run_and_for_many(camera, tmp_path, cameras):
    """One table of counts and one of events, with a column that says which video."""
    names = ["north", "south", "west"][:cameras]
    paths = [camera(name) for name in names]

    found = count_runs(paths, lines, out=tmp_path / "o")

    assert sorted(path.name for path in (tmp_path / "o").iterdir()) == ["counts.csv", "events.csv"]
    assert unique(rows(tmp_path / "o" / "counts.csv")) == {(name, "00:00:00.000000"): 3 for name in names}
    events = rows(tmp_path / "o" / "events.csv")
    assert [(row["video_id"], row["event"]) for row in events] == [(name, "1") for name in names]
    assert [each.timeline.video_id for each in found] == names


def test_a_name_that_ends_in_csv_is_a_file_of_counts(camera, tmp_path):
    """Whatever its case, in a folder that is made."""
    for name in ("x.csv", "new/y.CSV"):
        (recount,) = count_run(camera(name[-5:-4]), out=tmp_path / name)

        assert recount.files == (tmp_path / name,)
        assert unique(rows(tmp_path / name)).total() == 3


def test_a_name_that_ends_in_json_is_a_file_of_counts(camera, tmp_path):
    """The rows of `counts.csv`, zeros too."""
    count_runs([camera("a", SEVEN), camera("b")], lines, bin_us=QUARTER, out=tmp_path / "x.json")

    runs = json.loads((tmp_path / "x.json").read_bytes())["runs"]

    assert [(run["video_id"], run["clock_start"], run["events"]) for run in runs] == [
        ("a", SEVEN, 1), ("b", None, 1),
    ]  # fmt: skip
    assert [run["counts"][0]["start_time"] for run in runs] == ["2024-05-17T07:00:00+02:00", "00:00:00"]
    assert all(min(row["count"] for row in run["counts"]) == 0 for run in runs)


def test_nothing_is_written_into_a_run(run_copy, tmp_path):
    """Its files are listed with their hashes: one more would be a difference."""
    for out in (run_copy, run_copy / "x.csv", run_copy / "mot" / "mine", run_copy / "a" / "b.json"):
        with pytest.raises(Misconfigured, match="stays as it is; choose another out="):
            count_run(run_copy, out=out)
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(Misconfigured, match="a folder has this name"):
        count_run(run_copy, out=tmp_path / "folder.csv")

    assert verify(run_copy)[0].problems == ()


def test_runs_of_one_name_are_told_apart_by_their_folders(camera, tmp_path):
    """As sources of one name are."""
    paths = [camera("street", folder=folder) for folder in ("monday", "tuesday")]

    count_runs(paths, lines, out=tmp_path / "x.csv")

    assert {row["video_id"] for row in rows(tmp_path / "x.csv")} == {"monday_street", "tuesday_street"}


def test_a_run_that_is_named_twice_is_refused(camera):
    """Its objects would count twice."""
    path = camera("a")

    for twice in ([path, path], [path, path.parent]):
        with pytest.raises(Misconfigured, match="named twice"):
            count_runs(twice, lines)
    with pytest.raises(Misconfigured, match="no run: name the folder"):
        count_runs([], lines)
    with pytest.raises(NotFound):
        count_runs([path, path.parent / "none"], lines)


def test_start_times_are_one_for_all_or_one_for_each(camera):
    """Another number of them is a mistake."""
    paths = [camera(name) for name in "abc"]
    times = [datetime.fromisoformat(SEVEN).replace(hour=hour) for hour in (7, 8, 9)]

    def clocks(given):
        found = count_runs(paths, lines, start_times=given)
        return [each.timeline.clock_start for each in found]

    assert clocks(times[:1]) == times[:1] * 3
    assert clocks(times) == times
    with pytest.raises(Misconfigured, match="3 runs and 2 times start_time="):
        clocks(times[:2])


def test_joined_files_are_one_count_on_one_axis(camera, tmp_path):
    """Files of a recorder, the second one 20 minutes later; events say whose they are."""
    first, second = camera("cam-0700", SEVEN), camera("cam-0720", "2024-05-17T07:23:20+02:00")

    (recount,) = count_runs([first, second], lines, bin_us=QUARTER, join=True, out=tmp_path / "o")

    assert unique(rows(tmp_path / "o" / "counts.csv")) == {
        ("cam-0700..cam-0720", "2024-05-17T07:00:00+02:00"): 3,
        ("cam-0700..cam-0720", "2024-05-17T07:15:00+02:00"): 3,
    }
    events = rows(tmp_path / "o" / "events.csv")
    assert [(row["video_id"], row["event"], row["time"][:16]) for row in events] == [
        ("cam-0700", "1", "2024-05-17T07:03"),
        ("cam-0720", "2", "2024-05-17T07:23"),
    ]
    assert events[0]["pts_s"] == events[1]["pts_s"]
    assert len(recount.events) == 2
    assert repr(recount).startswith("Recount(cam-0700..cam-0720: unique car 4")


@pytest.mark.parametrize("name", ["x.txt", "x.parquet", "X.XLSX"])
def test_a_file_of_another_kind_is_refused(camera, tmp_path, name):
    """Better than a folder of that name."""
    with pytest.raises(Misconfigured, match=r"counts are written as \.csv or \.json, or into a folder"):
        count_runs([camera("a")], lines, out=tmp_path / name)


def test_files_that_one_command_gave_one_start_time_lie_behind_each_other(camera):
    """`track` gives it to every file; two files of a camera cannot begin at once. 10 comes after 9."""
    paths = [camera(f"part{number}", SEVEN) for number in (8, 9, 10)]

    (recount,) = count_runs([paths[0].parent], lines, join=True)

    assert recount.timeline.video_id == "part8..part10"
    assert [job.start_us for job in recount.timeline.jobs] == [0, 5_600_000, 11_200_000]


def test_a_start_time_for_joined_files_is_that_of_the_first(camera):
    """The others keep theirs, where they have one of their own."""
    paths = [camera("a", "2024-05-17T06:00:00+02:00"), camera("b"), camera("c", "2024-05-17T07:04:00+02:00")]

    recount = sl.count_joined(paths, [LINE], bins="15m", start_time=SEVEN)

    assert [job.start_us for job in recount.timeline.jobs] == [0, 5_600_000, 40_000_000]
    assert recount.timeline.clock_start == datetime.fromisoformat(SEVEN)


def test_joined_in_python_takes_runs_and_folders(camera, tmp_path):
    """The folder of a command stands for its runs, a file for the counts."""
    paths = [camera("a"), camera("b")]

    for runs in (paths, [sl.load(path) for path in paths], [str(paths[0].parent)]):
        recount = sl.count_joined(runs, lines=[LINE], out=str(tmp_path / "x.csv"))
        assert sum(row.count for row in recount.bins if row.kind == "unique") == 6
    assert {row["video_id"] for row in rows(tmp_path / "x.csv")} == {"a..b"}
