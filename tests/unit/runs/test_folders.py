"""Run folders: the right one, held by one process, whole or visibly unfinished."""

import json

import pytest

from sightline.errors import Misconfigured
from sightline.runs.folders import Folder
from sightline.runs.roots import choose_root
from tests.unit.runs.commands import command


def finished(path, key):
    path.mkdir(parents=True)
    (path / "run.json").write_text(json.dumps({"run_key": key}))
    return path


def test_without_runs_the_first_name_is_taken(tmp_path):
    """`runs/track`, then `track2`."""
    assert choose_root(None, tmp_path / "runs", "track", command(v="k")) == tmp_path / "runs" / "track"

    finished(tmp_path / "runs" / "track" / "v", "other")
    assert choose_root(None, tmp_path / "runs", "track", command(v="k")) == tmp_path / "runs" / "track2"


def test_the_newest_run_of_the_same_keys_is_taken_up_again(tmp_path):
    """Whether it was finished or only begun."""
    finished(tmp_path / "track" / "v", "k")
    (tmp_path / "track2" / "v").mkdir(parents=True)
    Folder(tmp_path / "track2" / "v").begin("k")
    finished(tmp_path / "track3" / "v", "other")

    assert choose_root(None, tmp_path, "track", command(v="k")) == tmp_path / "track2"


def test_out_is_taken_as_it_is(tmp_path):
    """The user decides."""
    assert choose_root(tmp_path / "x", tmp_path, "track", command(v="k")) == tmp_path / "x"


def test_a_folder_says_what_is_in_it(tmp_path):
    """New, unfinished, finished, or another run: an error that says what to do."""
    folder = Folder(tmp_path / "v")
    assert folder.state("k", overwrite=False) == "new"

    folder.lock()
    folder.begin("k")
    assert folder.state("k", overwrite=False) == "unfinished"

    finished(tmp_path / "w", "k")
    assert Folder(tmp_path / "w").state("k", overwrite=False) == "finished"
    assert Folder(tmp_path / "w").state("other", overwrite=True) == "new"
    with pytest.raises(Misconfigured, match="overwrite="):
        Folder(tmp_path / "w").state("other", overwrite=False)


def test_what_no_run_left_is_never_cleared(tmp_path):
    """`--overwrite` replaces a run, not a folder that happens to have its name; a half cleared run is still one."""
    (tmp_path / "v").mkdir()
    (tmp_path / "v" / "thesis.txt").write_text("mine")
    for overwrite in (False, True):
        with pytest.raises(Misconfigured, match="no run left"):
            Folder(tmp_path / "v").state("k", overwrite=overwrite)

    run = Folder(finished(tmp_path / "w", "k"))
    for name in ("timing.json", "tracks.csv"):
        (run.path / name).write_text("")
    (run.path / "run.json").unlink()
    assert run.state("k", overwrite=True) == "new"


def test_two_processes_never_work_in_one_folder(tmp_path):
    """The second is told; after the first let go it may."""
    first, second = Folder(tmp_path / "v"), Folder(tmp_path / "v")
    first.lock()
    with pytest.raises(Misconfigured, match="another sightline"):
        second.lock()

    first.unlock()

    second.lock()
    second.unlock()
    assert list((tmp_path / "v").iterdir()) == []


def test_publishing_moves_everything_and_is_safe_to_repeat(tmp_path):
    """`run.json` appears last; a crash in between is mended by doing it again."""
    folder = Folder(tmp_path / "v")
    folder.lock()
    folder.begin("k")
    built = folder.partial / "results"
    (built / "mot").mkdir(parents=True)
    for name in ("run.json", "a.csv", "mot/cars.txt"):
        (built / name).write_text(name)

    folder.publish(["a.csv"], built, keep=True)
    assert folder.state("k", overwrite=False) == "unfinished"
    folder.publish(["run.json", "a.csv", "mot/cars.txt"], built, keep=False)
    folder.unlock()

    assert {
        path.relative_to(folder.path).as_posix() for path in folder.path.rglob("*") if path.is_file()
    } == {
        "run.json",
        "a.csv",
        "mot/cars.txt",
    }


def test_clearing_removes_run_json_first(tmp_path):
    """What is left of an overwritten run is never taken for a whole one."""
    folder = Folder(finished(tmp_path / "v", "k"))
    (folder.path / "mot").mkdir()

    folder.clear()

    assert list(folder.path.iterdir()) == []


def test_an_unwritable_place_is_a_clear_error(tmp_path):
    """A file where the folder should be: exit code 2, with a way out."""
    (tmp_path / "file").write_text("")

    with pytest.raises(Misconfigured, match="out="):
        Folder(tmp_path / "file" / "v").lock()


def test_what_another_process_does_between_two_looks_is_no_other_run(tmp_path, monkeypatch):
    """Begun behind the look at `begun.json`, before the look at the rest: the same run, not another one."""
    folder = Folder(tmp_path / "v")
    folder.path.mkdir()
    looks = []

    def nobodys(self):
        looks.append(Folder(self.path).begin("k"))
        return False

    monkeypatch.setattr(Folder, "_is_nobodys", nobodys)

    assert folder.state("k", overwrite=False) == "unfinished"
    assert looks == [1]


def test_what_another_version_left_unfinished_is_begun_anew(tmp_path):
    """Its store has another form; a finished run of another version stays what it is."""
    folder = Folder(tmp_path / "v")
    folder.lock()
    folder.begin("k")
    (folder.partial / "begun.json").write_text('{"v": 1, "run_key": "k", "starts": 3}')
    assert folder.state("k", overwrite=False) == "new"

    (folder.path / "run.json").write_text('{"v": 1, "run_key": "k"}')

    assert folder.state("k", overwrite=False) == "finished"
    folder.unlock()


@pytest.mark.parametrize("where", ["v", "v/run.json/", "v/.partial/begun.json/", "deep"])
def test_what_cannot_be_a_run_folder_is_an_error_of_ours(tmp_path, where):
    """A file where a folder should be, a folder where a note should be, a note that is no note."""
    place = tmp_path / ("v/.partial/begun.json" if where == "deep" else where)
    place.parent.mkdir(parents=True, exist_ok=True)
    if where.endswith("/"):
        place.mkdir()
    else:
        place.write_text("[" * 100_000)

    with pytest.raises(Misconfigured, match="choose another out="):
        Folder(tmp_path / "v").state("k", overwrite=False)
