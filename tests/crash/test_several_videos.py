"""Several videos in one command: whatever had not even begun, the same command goes on in the same folder."""

import json
import shutil
import threading
import time

import pytest

from sightline.app import several, tools
from sightline.app.track import track
from sightline.errors import Corrupt, InvalidVideo, Misconfigured, SightlineError, Unavailable
from sightline.runs.folders import Folder
from sightline.runs.roots import begin_root, choose_root
from sightline.settings import TrackOptions
from sightline.telemetry import Progress, Started
from sightline.types import Detections
from tests.crash.jobs import files_below
from tests.crash.killing import CLOCKS
from tests.media import video
from tests.unit.runs.commands import command as whose


class Interrupts:
    """Ends the command when the n-th video starts."""

    def __init__(self, n: int) -> None:
        self._left = n

    def emit(self, event: object) -> None:
        if isinstance(event, Started):
            self._left -= 1
            if not self._left:
                raise KeyboardInterrupt


@pytest.fixture
def videos(tmp_path):
    return [video(tmp_path / f"{name}.mp4", 6 + i) for i, name in enumerate("abc")]


def command(videos, project, hook=None):
    options = TrackOptions(project=project, workers=1, chunk_frames=2)
    more = {} if hook is None else {"hook": hook}
    return track(
        videos, options, function=lambda pictures: [Detections.empty()], labels=["car", "person"], **more
    )


def result(project):
    return {name: blob for name, blob in files_below(project).items() if name.split("/")[-1] not in CLOCKS}


@pytest.mark.parametrize("n", [1, 2, 3])
def test_a_command_of_three_videos_goes_on_where_it_stood(videos, tmp_path, n):
    """In the folder that it chose then, with what was finished left as it is, and nothing else beside it."""
    command(videos, tmp_path / "plain")

    with pytest.raises(KeyboardInterrupt):
        command(videos, tmp_path / "runs", Interrupts(n))
    reports = command(videos, tmp_path / "runs")

    assert [report.state for report in reports] == ["finished"] * (n - 1) + ["done"] * (4 - n)
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["track"]
    assert result(tmp_path / "runs") == result(tmp_path / "plain")


def test_another_command_gets_another_folder(videos, tmp_path):
    """Also where it names some of the same videos, and where the first one is still unfinished."""
    with pytest.raises(KeyboardInterrupt):
        command(videos, tmp_path / "runs", Interrupts(2))

    command(videos[:1], tmp_path / "runs")

    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == ["track", "track2"]


def test_a_kill_before_anything_was_noted_leaves_the_name_free(videos, tmp_path):
    """The folder was made, the note in it was half written."""
    (tmp_path / "runs" / "track").mkdir(parents=True)
    (tmp_path / "runs" / "track" / "..command.json.part").write_bytes(b'{"v"')

    command(videos, tmp_path / "runs")

    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["track"]


def test_a_folder_in_which_another_run_took_a_place_is_left_alone(videos, tmp_path):
    """Another command, pointed at it with `--out` and `--overwrite`: it is nobody's to go on with."""
    command(videos, tmp_path / "runs")
    other = TrackOptions(out=tmp_path / "runs" / "track", conf=0.4, overwrite=True, workers=1)
    track(videos[:1], other, function=lambda pictures: [Detections.empty()], labels=["car", "person"])

    command(videos, tmp_path / "runs")

    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == ["track", "track2"]


def test_a_command_that_was_slower_chooses_again(tmp_path):
    """Both saw the same free name: the note is one command's, whole, and the other one is told."""
    mine, other = whose(a="1"), whose(b="2")
    root = choose_root(None, tmp_path / "runs", "track", mine)
    assert choose_root(None, tmp_path / "runs", "track", other) == root

    assert begin_root(root, mine)

    assert not begin_root(root, other)
    assert begin_root(root, mine)
    assert choose_root(None, tmp_path / "runs", "track", mine) == root
    assert choose_root(None, tmp_path / "runs", "track", other).name == "track2"
    assert [path.name for path in root.iterdir()] == [".command.json"]


def test_a_damaged_note_is_written_again(tmp_path):
    """The folders of the videos say whose it is."""
    (tmp_path / ".command.json").write_bytes(b'{"v"')

    assert begin_root(tmp_path, whose(a="1"))
    assert not begin_root(tmp_path, whose(b="2"))


def test_what_another_process_works_on_is_left_to_it(videos, tmp_path):
    """Else two commands of the same videos stop each other, and nobody does any."""
    root = tmp_path / "runs" / "track"
    with pytest.raises(KeyboardInterrupt):
        command(videos, tmp_path / "runs", Interrupts(1))
    held = Folder(root / "b")
    held.lock()

    reports = command(videos, tmp_path / "runs")
    held.unlock()
    again = command(videos, tmp_path / "runs")

    assert [(report.state, report.error and report.error.code) for report in reports] == [
        ("done", None),
        ("failed", "locked"),
        ("done", None),
    ]
    assert [report.state for report in again] == ["finished", "done", "finished"]
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["track"]


def test_commands_that_begin_at_the_same_time_get_a_folder_each(tmp_path):
    """`for video in *.mp4; do sightline track $video & done`."""
    for turn in range(20):
        gate, names = threading.Barrier(4), []

        def begin(number, gate=gate, names=names, project=tmp_path / f"{turn}"):
            keys = whose(v=str(number))
            gate.wait()
            while not begin_root(root := choose_root(None, project, "track", keys), keys):
                pass
            names.append(root.name)

        commands = [threading.Thread(target=begin, args=(number,)) for number in range(4)]
        for each in commands:
            each.start()
        for each in commands:
            each.join()

        assert sorted(names) == ["track", "track2", "track3", "track4"]


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("lost", ["store", "segment"])
def test_a_damaged_run_does_not_stop_the_others(videos, tmp_path, lost, workers):
    """It is named, with what to do; the other videos are done, however often the command is repeated."""
    out = tmp_path / "out"
    track(videos[:1], TrackOptions(out=out, keep=True), function=see, labels=["car", "person"])
    if lost == "store":
        (out / "a" / "run.json").unlink()
        (out / "a" / ".partial" / "store.sqlite").write_bytes(b"no database" * 1000)
    else:
        next(out.rglob("*.seg")).unlink()

    options = TrackOptions(out=out, workers=workers)
    reports = track(videos, options, function=see, labels=["car", "person"])

    assert [report.state for report in reports] == ["failed", "done", "done"]
    assert str(out / "a") in str(reports[0].error)
    assert "remove this folder" in str(reports[0].error)


def see(pictures):
    return [Detections.empty()]


class Ticks:
    """Counts reports of progress once something went wrong; the command that never ends is ended."""

    def __init__(self) -> None:
        self.wrong, self.told, self._left = threading.Event(), threading.Event(), 2000

    def emit(self, event: object) -> None:
        if isinstance(event, Progress) and self.wrong.is_set():
            self._left -= 1
            if self._left < 1996:
                self.told.set()
            if not self._left:
                raise AssertionError("the command goes round and round")


@pytest.mark.parametrize(
    "error",
    [
        Misconfigured("no", code="model_head"),
        Unavailable("full", code="disk_full"),
        Corrupt("bad", code="damaged"),
    ],
    ids=lambda error: error.code,
)
def test_a_video_that_goes_wrong_in_one_lane_ends_though_another_lane_holds_frames_of_it(tmp_path, error):
    """The other lane is at a frame until everybody has heard of the end, and has pictures in flight then."""
    ticks, count, lock = Ticks(), iter(range(1000)), threading.Lock()

    def look(pictures):
        with lock:
            number = next(count)
        if number == 40:
            ticks.wrong.set()
            raise error
        if ticks.wrong.is_set():
            ticks.told.wait()
        return [Detections.empty()]

    source = video(tmp_path / "a.mp4", 100)
    options = TrackOptions(out=tmp_path / "out", workers=2, chunk_frames=16)

    assert (
        _code(lambda: track([source], options, hook=ticks, function=look, labels=["car", "person"]))
        == error.code
    )


def _code(command):
    """Of the error that ended the command, or is its one report."""
    try:
        [report] = command()
    except SightlineError as error:
        return error.code
    return report.error.code


def test_a_video_and_its_copy_are_two_videos(videos, tmp_path):
    """Same bytes, same settings: both are done, with the same tracks."""
    copy = shutil.copy(videos[0], tmp_path / "copy.mp4")
    options = TrackOptions(model="sightline-tiny", precision="f32", out=tmp_path / "out", workers=2)

    reports = track([videos[0], copy, videos[1]], options)

    assert [(report.state, report.error) for report in reports] == [("done", None)] * 3
    assert [json.loads((report.path / "run.json").read_bytes())["video_id"] for report in reports] == [
        "a",
        "copy",
        "b",
    ]


def test_a_video_that_is_begun_when_nobody_has_worked_for_long_is_done(videos, tmp_path, monkeypatch):
    """One is put in place for so long that all threads have given up; the other one beside it has failed meanwhile."""
    ending, end, opened = threading.Event(), several.end, tools.open_reader

    def slowly(begun):
        if begun.single.recipe.video_id == "a":
            ending.set()
            while any("(loop)" in thread.name for thread in threading.enumerate()):
                time.sleep(0.01)
        return end(begun)

    def reader(source, *more):
        if source.video_id == "b":
            ending.wait()
            raise InvalidVideo("b", reason="it was changed", code="source_changed")
        return opened(source, *more)

    monkeypatch.setattr(several, "end", slowly)
    monkeypatch.setattr(tools, "open_reader", reader)
    options = TrackOptions(model="sightline-tiny", precision="f32", out=tmp_path / "out", workers=2)

    reports = track(videos, options)

    assert [(report.state, report.error and report.error.code) for report in reports] == [
        ("done", None),
        ("failed", "source_changed"),
        ("done", None),
    ]
