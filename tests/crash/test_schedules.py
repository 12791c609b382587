"""In process: faults at every call, everything opened again, every byte as if nothing had happened.

The long form is `make chaos`; a schedule that goes wrong is run again by its number:
`python -m tests.crash.schedules --seed N --count 1`.
"""

import json
from random import Random

import pytest

from sightline.testing import AtCall
from tests.crash.checks import CHECKS, SCENE
from tests.crash.jobs import WRONG, Scene
from tests.crash.schedules import KINDS, bench
from tests.crash.world import Crash, Life

EACH = 30


@pytest.fixture(scope="module")
def place():
    with bench() as place:
        yield place


# A process that ends does not close its files.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_comes_between_the_result_is_the_same(place, kind):
    """Crashes, outages, power cuts, disorder, zombies, neighbours, full disks: the files of the undisturbed run."""
    outcomes = [place.run(seed, kind) for seed in range(EACH)]

    found = [f"seed {each.seed}: {each.fired}: {each.finding}" for each in outcomes if each.finding]
    assert found == []
    assert kind == "disorder" or sum(len(each.fired) for each in outcomes) >= EACH // 3


@pytest.mark.parametrize("check", CHECKS)
def test_what_no_comparison_of_files_shows_holds_too(place, check):
    """Of cancelled jobs nothing is said; states stay small; damage is loud; versions never mix."""
    found = [(seed, CHECKS[check](place, seed)) for seed in range(15)]

    assert [each for each in found if each[1]] == []


@pytest.mark.parametrize("name", ["many", "crowd"])
def test_each_of_many_jobs_ends_as_if_it_were_alone(place, name):
    """Its files are those of a store of its own; what cannot be done ends with its code and leaves no file."""
    files, _ = place.plain(SCENE[name])
    ends = {job["job_id"]: (job["state"], job["code"]) for job in json.loads(files["run.json"])["jobs"]}

    for video in SCENE[name].videos:
        mine = {path: blob for path, blob in files.items() if path.startswith(video.prefix)}
        if video.wrong:
            assert ends.get(video.job_id) == (
                None if video.wrong == "cancelled" else ("failed", WRONG[video.wrong])
            )
            assert mine == {}
        else:
            alone, _ = place.plain(Scene(f"{name} {video.job_id}", (video,)))
            assert ends[video.job_id] == ("ready", "")
            assert mine == {path: blob for path, blob in alone.items() if path != "run.json"}


def test_a_schedule_is_the_same_each_time(place):
    """Its number says everything."""
    first, again = place.run(7, "crash twice"), place.run(7, "crash twice")

    assert (first.scene, first.fired, first.lives) == (again.scene, again.fired, again.lives)


def test_a_crash_leaves_what_a_kill_leaves(place):
    """Nothing is tidied by the way out: half-written files stay, the write-ahead log is not copied back."""
    fault = AtCall("disk.link", "before", 3, end)

    with place.place() as home:
        with pytest.raises(Crash):
            Life(SCENE["tracked"], home, Random(1), place.files, fault=fault).run()
        left = {path.name for path in (home / "run").rglob("*")}

    assert "store.sqlite-wal" in left
    assert any(name.endswith(".part") for name in left)


def end() -> None:
    raise Crash
