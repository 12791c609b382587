"""The run folder: the process ends before or after any of its file calls, and the same command is given again."""

import os
from pathlib import Path

import pytest

from sightline.disk import Disk, write_whole
from sightline.errors import Unavailable
from sightline.runs.folders import Folder
from sightline.testing import AtCall, Faults, Recorded
from tests.crash.jobs import files_below
from tests.crash.world import Crash

# A process that ends does not close its files.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")

MINE = b'{"run_key": "mine"}'
RESULT = {"run.json": MINE, "a.csv": b"a", "mot/cars.txt": b"cars"}


def end() -> None:
    raise Crash


def command(path: Path, disk: Disk, *, overwrite: bool = False) -> None:
    """What a command does with its folder; its work is a few files, some of them perhaps there already."""
    folder = Folder(path, disk)
    path.mkdir(exist_ok=True)
    state = folder.state("mine", overwrite=overwrite)
    if state == "finished":
        folder.drop_partial()
        return
    if state == "new":
        folder.clear()
    folder.begin("mine")
    built = folder.partial / "files"
    # Once all files are made the job has ended: they are not made again, whether moved or not.
    if not (folder.partial / "ended").exists():
        for name, value in RESULT.items():
            (built / name).parent.mkdir(parents=True, exist_ok=True)
            write_whole(built / name, [value], disk)
        write_whole(folder.partial / "ended", [], disk)
    folder.publish(RESULT, built, keep=False)


def calls(path: Path, **options: bool) -> int:
    counted = []
    command(path, Faults(Disk(), lambda name, when: counted.append(name)), **options)
    return len(counted) // 2


def begun_by(path: Path, key: bytes) -> None:
    """A finished run with kept parts."""
    (path / ".partial").mkdir(parents=True)
    (path / ".partial" / "begun.json").write_bytes(b'{"run_key": "%s", "starts": 1}' % key)
    (path / ".partial" / "ended").write_bytes(b"")
    (path / "run.json").write_bytes(b'{"run_key": "%s"}' % key)
    (path / "old.csv").write_bytes(b"old")
    (path / "timing.json").write_bytes(b"old")


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_run_that_ends_at_any_file_call_is_gone_on_with(tmp_path, when):
    """From the first folder that is made to the last file that is dropped."""
    total = calls(tmp_path / "plain")

    for n in range(1, total + 1):
        path = tmp_path / f"{n}"
        with pytest.raises(Crash):
            command(path, Faults(Disk(), AtCall("*", when, n, end)))
        command(path, Disk())

        assert files_below(path) == RESULT, f"call {n}"


@pytest.mark.parametrize("key", [b"mine", b"other"])
def test_overwriting_that_ends_at_any_file_call_leaves_no_mixture(tmp_path, key):
    """Given again, also without --overwrite where the folder is ours by then, it ends with the new run alone."""
    begun_by(tmp_path / "plain", key)
    total = calls(tmp_path / "plain", overwrite=True)

    for n in range(1, total + 1):
        path = tmp_path / f"{n}"
        begun_by(path, key)
        with pytest.raises(Crash):
            command(path, Faults(Disk(), AtCall("*", "before", n, end)), overwrite=True)
        untouched = not files_below(path).keys().isdisjoint(("old.csv", "timing.json"))
        command(path, Disk(), overwrite=untouched)

        assert files_below(path) == RESULT, f"call {n}"


def test_half_cleared_kept_parts_are_not_taken_for_a_run(tmp_path):
    """Else a run whose files were just removed would be called complete."""
    begun_by(tmp_path / "v", b"mine")
    disk = Faults(Disk(), AtCall("remove", "after", 2, end))

    with pytest.raises(Crash):
        Folder(tmp_path / "v", disk).clear()

    assert Folder(tmp_path / "v").key() is None


@pytest.mark.parametrize("method", ["make_folder", "create", "sync", "replace", "remove", "sync_folder"])
def test_what_the_disk_says_is_an_error_of_ours(tmp_path, method):
    """Full, or broken: the command says so and can be repeated."""

    def full() -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(Unavailable) as error:
        command(tmp_path / "v", Faults(Disk(), AtCall(method, "before", 1, full, dead=False)))
    command(tmp_path / "v", Disk())

    assert error.value.code == "disk_full"
    assert files_below(tmp_path / "v") == RESULT


def test_who_let_go_was_not_killed(tmp_path):
    """The lock's file stays behind where a process did not end by itself."""
    first, second, third = (Folder(tmp_path / "v") for _ in range(3))

    first.lock()
    first.unlock()
    second.lock()
    os.close(second._lock)  # what the system does for a process that was killed
    third.lock()

    assert (first.killed, second.killed, third.killed) == (False, False, True)
    third.unlock()


def test_every_name_is_given_to_flushed_bytes_and_flushed_before_run_json(tmp_path):
    """The order that a power cut asks for, seen in the calls: write, flush, name, flush of the folder, `run.json` last."""
    disk = Recorded(Disk())

    command(tmp_path / "v", disk)

    flushed, unflushed_folders, moved = set(), set(), []
    for name, args in disk.calls:
        if name == "create":
            flushed.discard(args[0])
        elif name == "sync":
            flushed.add(Path(args[0].name))
        elif name == "replace":
            source, target = args
            assert source.is_dir() or source in flushed or source in moved or target.is_dir(), source
            if target.name == "run.json" and target.parent == tmp_path / "v":
                assert unflushed_folders == set()
            moved.append(target)
            unflushed_folders.add(target.parent)
        elif name == "sync_folder":
            unflushed_folders.discard(args[0])
    assert moved[-1] == tmp_path / "v" / "run.json"
    assert unflushed_folders == set()
