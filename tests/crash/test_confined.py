"""A confined decoder that ends costs one attempt at the place where it stood; results are the same bytes.

The readers are those of uploads, and in the runs they stand where `track` reads its own files: behind `Tools.reader`.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from importlib import resources
from itertools import count
from pathlib import Path

import numpy as np
import pytest

import sightline as sl
from sightline.adapters.confined import reader as confined_reader
from sightline.adapters.confined.messages import Left
from sightline.adapters.confined.process import Child
from sightline.adapters.confined.reader import ConfinedReader
from sightline.adapters.confined.rlimits import Limits
from sightline.adapters.video.reader import VideoReader
from sightline.app import tools
from sightline.errors import Unavailable
from sightline.types import ImageSpec
from sightline.vision.sampling import chunks
from tests import media
from tests.confining import assert_same_index, everything, needs, open_confined
from tests.crash.jobs import files_below
from tests.crash.killing import CLOCKS
from tests.crash.schedules import difference

SPEC = ImageSpec(64, 48, "rgb")
GROUP = 12  # frames of a group of pictures
PATIENCE_S = 60.0
STREET = Path(str(resources.files("sightline") / "demo" / "street.mp4"))


@pytest.fixture(autouse=True)
def _confined():
    needs("rlimits", "seccomp")


@pytest.fixture
def clip(tmp_path):
    """60 frames in groups of 12."""
    return media.video(tmp_path / "clip.mp4", 60, gop=GROUP, options={"x264-params": "scenecut=0:keyint=12"})


def ends_at(monkeypatch, *lethal: int, times: int = 10**9, by: int = signal.SIGKILL) -> list[int]:
    """Children that end where they would decode a frame, the first `times` times; the rows that they were at then."""
    ended: list[int] = []

    class Lethal(Child):
        def frames(self, asked, waits, images=()):
            for answer, picture in super().frames(asked, waits, images):
                if any(asked.first <= row <= answer.row for row in lethal) and len(ended) < times:
                    ended.append(answer.row)
                    os.kill(self.pid, by)
                    raise self._ended(Left())
                yield answer, picture

    monkeypatch.setattr(confined_reader, "Child", Lethal)
    return ended


def outcomes(reader, at_least: int = 8) -> list[tuple[str, str]]:
    index, found = reader.index(), []
    for chunk in chunks(index, at_least):
        rows = list(range(chunk.first, chunk.end))
        for at in range(0, len(rows), 32):  # as lanes are handed them
            mine = rows[at : at + 32]
            read = reader.read(
                chunk, mine, index.tick[mine].tolist(), lambda: np.zeros(SPEC.shape(), np.uint8)
            )
            found += [(frame.outcome, frame.reason) for frame in read]
    reader.close()
    return found


@pytest.mark.parametrize("kills", [1, 2])
def test_a_child_that_is_killed_costs_an_attempt_and_no_frame(kills, clip, monkeypatch):
    """The next one goes on at the frame where the last one ended."""
    ended = ends_at(monkeypatch, 17, times=kills)
    reader = ConfinedReader(clip, SPEC)

    assert everything(reader, SPEC) == everything(VideoReader(clip, SPEC), SPEC)
    assert ended == [17] * kills
    reader.close()


def test_a_frame_in_between_makes_attempts_new(clip, monkeypatch):
    """Three kills at three places are bad luck, not a lethal frame."""
    counted = dict.fromkeys(range(60), 0)

    class Once(Child):
        def frames(self, asked, waits, images=()):
            for answer, picture in super().frames(asked, waits, images):
                counted[answer.row] += 1
                if answer.row % 6 == 3 and counted[answer.row] == 1:
                    os.kill(self.pid, signal.SIGKILL)
                    raise self._ended(Left())
                yield answer, picture

    monkeypatch.setattr(confined_reader, "Child", Once)
    reader = ConfinedReader(clip, SPEC)

    assert everything(reader, SPEC) == everything(VideoReader(clip, SPEC), SPEC)
    reader.close()


def test_killed_at_any_moment_the_pixels_are_the_same(clip):
    """By somebody else, while it decodes: after each frame that comes, at most twice in a row."""
    expected = everything(VideoReader(clip, SPEC), SPEC)
    reader, calls = ConfinedReader(clip, SPEC), count()
    index, found = reader.index(), []

    def buffer():
        if next(calls) % 7 == 3 and reader.child is not None:
            os.kill(reader.child, signal.SIGKILL)
        return np.zeros(SPEC.shape(), np.uint8)

    for chunk in chunks(index, 8):
        rows = range(chunk.first, chunk.end)
        for frame in reader.read(chunk, rows, index.tick[list(rows)].tolist(), buffer):
            pixels = b"" if frame.buffer is None else frame.buffer.tobytes()
            found.append((frame.row, frame.outcome, frame.reason, pixels))

    assert found == expected
    reader.close()


@pytest.mark.parametrize("at_least", [1, 8, 30, 60])
def test_a_lethal_frame_costs_the_rest_of_its_group_however_chunks_are_cut(at_least, clip, monkeypatch):
    """Three children, then it is given up and reading goes on behind it: what is lost follows from the file."""
    ended = ends_at(monkeypatch, 29)

    found = outcomes(ConfinedReader(clip, SPEC), at_least)

    lost = range(29, 36)
    assert found == [("failed", "crashed") if row in lost else ("ok", "") for row in range(60)]
    assert ended == [29] * 3


def test_frames_before_a_lethal_one_can_be_read_again(clip, monkeypatch):
    """A lane that gave frames back reads them once more: what was whole is whole again."""
    ends_at(monkeypatch, 29)
    reader = ConfinedReader(clip, SPEC)

    first, second = everything(reader, SPEC), everything(reader, SPEC)

    assert first == second
    assert [row for row, outcome, _, _ in first if outcome == "failed"] == list(range(29, 36))
    reader.close()


def test_two_lethal_groups_are_two_times_three_children(clip, monkeypatch):
    """And what lies between them is whole."""
    ended = ends_at(monkeypatch, 5, 47)

    found = outcomes(ConfinedReader(clip, SPEC), 30)

    lost = {*range(5, 12), 47}
    assert found == [("failed", "crashed") if row in lost else ("ok", "") for row in range(60)]
    assert ended == [5] * 3 + [47] * 3


def test_what_takes_too_long_is_over_a_limit(tmp_path):
    """On the clock, whatever the child does meanwhile; frames are `failed`, the reader goes on."""
    clip = media.video(tmp_path / "short.mp4", 20)
    index = VideoReader(clip, SPEC).index()

    found = outcomes(ConfinedReader(clip, SPEC, index=index, confined=Limits(frame_s=-9)))

    assert found == [("failed", "limit")] * 20


def test_too_much_processor_time_is_a_limit_and_no_crash(clip, monkeypatch):
    """SIGXCPU is what the kernel sends then."""
    ends_at(monkeypatch, 57, by=signal.SIGXCPU)

    assert outcomes(ConfinedReader(clip, SPEC))[57:] == [("failed", "limit")] * 3


def test_an_index_survives_two_children(clip, monkeypatch):
    """Killed before they answer; the third one does."""
    started = []

    class Short(Child):
        def index(self, most, within_s, images=()):
            started.append(self.pid)
            if len(started) < 3:
                os.kill(self.pid, signal.SIGKILL)
            return super().index(most, within_s, images)

    monkeypatch.setattr(confined_reader, "Child", Short)
    reader = ConfinedReader(clip, SPEC)

    assert_same_index(reader.index(), VideoReader(clip, SPEC).index())
    assert len(set(started)) == 3
    reader.close()


def test_a_child_that_cannot_start_is_an_outage(clip, monkeypatch):
    """The machine is full: it is no attempt on the source."""
    monkeypatch.setattr(sys, "executable", "/nothing/here")

    with pytest.raises(Unavailable, match="cannot be started"):
        ConfinedReader(clip, SPEC).index()


def is_there(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def is_gone(pid: int) -> bool:
    until = time.monotonic() + PATIENCE_S
    while is_there(pid) and time.monotonic() < until:
        time.sleep(0.02)
    return not is_there(pid)


PARENT = """
import sys, time
from pathlib import Path
from sightline.adapters.confined.reader import ConfinedReader
from sightline.types import ImageSpec
reader = ConfinedReader(Path(sys.argv[1]), ImageSpec(64, 48))
reader.index()
print(reader.child, flush=True)
time.sleep(600)
"""


def test_children_end_with_their_process(clip):
    """However that ends, and whatever they are at: nothing is left that would decode for nobody."""
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(clip)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    os.kill(child, signal.SIGSTOP)  # so that it cannot see by itself that nobody listens

    parent.kill()
    parent.communicate()

    assert is_gone(child)


def test_a_child_outlives_the_thread_that_asked_for_it(clip):
    """The kernel ends children with the thread that started them; lanes come and go."""
    reader = ConfinedReader(clip, SPEC)
    thread = threading.Thread(target=reader.index)
    thread.start()
    thread.join()
    time.sleep(0.3)

    assert reader.child is not None
    assert is_there(reader.child)
    assert "Threads:\t1\n" in Path(f"/proc/{reader.child}/status").read_text()
    reader.close()
    assert reader.child is None


def test_a_child_goes_first_where_memory_runs_out(clip):
    """The kernel is told, so that it does not choose the process that holds the results."""
    reader = ConfinedReader(clip, SPEC)
    reader.index()

    assert Path(f"/proc/{reader.child}/oom_score_adj").read_text() == "1000\n"
    reader.close()


def test_a_reader_that_is_forgotten_leaves_no_process(clip):
    """Nor a descriptor."""
    before = len(os.listdir("/proc/self/fd"))
    reader = ConfinedReader(clip, SPEC)
    reader.index()
    child = reader.child
    assert child is not None

    del reader

    assert is_gone(child)
    assert len(os.listdir("/proc/self/fd")) == before


# --- whole runs


def folder_of(run) -> dict[str, bytes]:
    return {name: content for name, content in files_below(run.path).items() if name not in CLOCKS}


def tracked(out: Path):
    options = {"model": "sightline-tiny", "precision": "f32", "workers": 2, "end": "2s"}
    return folder_of(sl.track(STREET, out=out, **options))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    return tracked(tmp_path_factory.mktemp("own") / "out")


@pytest.fixture
def readers(monkeypatch):
    """The readers of a run, which are confined ones."""
    opened: list[ConfinedReader] = []

    def confined(*arguments):
        opened.append(open_confined(*arguments))
        return opened[-1]

    monkeypatch.setattr(tools, "open_reader", confined)
    return opened


def test_a_run_by_confined_decoders_is_the_same_run(undisturbed, readers, tmp_path):
    """Every byte of its folder."""
    assert difference(undisturbed, tracked(tmp_path / "out")) == ""
    assert readers


def test_a_run_whose_decoders_are_killed_is_the_same_run(undisturbed, readers, tmp_path):
    """Twice each, by somebody else, at any moment, while lanes wait for them; a third time might be one too many."""
    done, killed = threading.Event(), []

    def kill():
        while not done.wait(0.5):
            for number, reader in enumerate(list(readers)):
                child = reader.child
                if child is not None and killed.count(number) < 2:
                    killed.append(number)
                    os.kill(child, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        found = tracked(tmp_path / "out")
    finally:
        done.set()
        killer.join()

    assert difference(undisturbed, found) == ""
    assert killed


def test_lost_frames_are_failed_in_the_run_and_the_run_goes_on(readers, tmp_path, clip, monkeypatch):
    """Exit by exit the same as for a damaged file: counted, never forgotten."""
    ends_at(monkeypatch, 29)

    run = sl.track(clip, out=tmp_path / "out", model="sightline-tiny", precision="f32", workers=1)

    frames = run.result.frames
    lost = [row for row, reason in enumerate(frames.reason) if reason == "crashed"]
    assert lost == list(range(29, 36))
    assert [frames.outcome[row] for row in range(60)] == [
        "failed" if row in lost else "ok" for row in range(60)
    ]
