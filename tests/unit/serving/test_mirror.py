"""System A's CSV files where its users look for them: copies that a crash, a full disk or a removed job do not confuse."""

import itertools

import msgspec
import pytest

from sightline.errors import Unavailable
from sightline.formats import run_folder
from sightline.jobs import recipe as recipes
from sightline.ports import Job, Stat
from sightline.serving.mirror import Mirror
from sightline.testing import Faults, MemoryObjects, MemoryStore, scripted_recipe

A, B, C = (f"00000000-0000-4000-8000-00000000000{n}" for n in "123")
NAMES = ["car_detections.csv", "car_tracks.csv", "people_detections.csv", "people_tracks.csv", "stats.csv"]


class World:
    def __init__(self, folder):
        ticks = itertools.count(1)
        self.store, self.objects = MemoryStore(clock=lambda: next(ticks)), MemoryObjects()
        self.folder, self.stats = folder / "debug_output", None

    def mirror(self, **ports):
        using = {"jobs": self.store, "objects": self.objects, **ports}
        return Mirror(self.folder, self.stats, **using)

    def rendered(self, job_id, formats=("mot", "csv-a")):
        """A job whose files are written, and which is not yet `ready`."""
        prefix = f"sightline/jobs/{job_id}/"
        recipe = msgspec.structs.replace(scripted_recipe(job_id, 3, prefix=prefix), formats=formats)
        self.store.create(Job(job_id, "v", 0), [])
        self.store.advance(job_id, "processing", facts=recipes.encode(recipe))
        self.store.advance(job_id, "predictable")
        listed = {"tracks.csv": b"t", **({f"csv-a/{name}": f"{name} {job_id}".encode() for name in NAMES})}
        for path, blob in listed.items():
            self.objects.put_new(prefix + path, [blob])
        files = run_folder.files_of({path: Stat.of([blob]) for path, blob in listed.items()})
        self.objects.put_new(prefix + "run.json", [run_json(job_id, files)])
        return {"key": prefix + "run.json", "bytes": 1, "sha256": "0"}

    def ready(self, job_id, **options):
        self.store.advance(job_id, "ready", result=self.rendered(job_id, **options))

    def copied(self):
        """Folders of jobs, whole ones only."""
        found = [path for path in self.folder.iterdir() if path.is_dir()]
        assert all(sorted(each.name for each in path.iterdir()) == NAMES for path in found)
        return sorted(path.name for path in found)

    def flat(self):
        """Whose the flat files are: of one job, all five."""
        paths = [self.folder / name for name in NAMES[:4]] + [self.stats or self.folder / "stats.csv"]
        found = {path.read_text() for path in paths if path.exists()}
        assert len(found) in (0, 5)
        words = {text.split()[1] for text in found}
        assert len(words) <= 1
        return words.pop() if words else None


def run_json(job_id, files):
    return run_folder.encode(
        run_folder.RunFile(
            run_key="k",
            job_id=job_id,
            video_id="v",
            clock_start=None,
            versions={},
            pipeline="p",
            settings={},
            model=run_folder.Model("m", "0", ()),
            engine=run_folder.Engine("e", "1", "fp32", (1, 1)),
            source=run_folder.Source("v", 1, "0", "video", "h264", 1, 1, 0, 0, 1, "25", False, None, ()),
            frames=run_folder.Frames(0, 0, 0, 0, 0, {}, ()),
            warnings=(),
            files=files,
        )
    )


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


def test_files_are_there_when_the_job_is_ready_and_not_before(world):
    """Its own folder, and the flat names."""
    mirror, result = world.mirror(), world.rendered(A)
    mirror.publishing(A)
    mirror.step()
    before = world.folder.exists()
    world.store.advance(A, "ready", result=result)

    assert mirror.step()
    assert not before
    assert (world.copied(), world.flat()) == ([A], A)
    assert (world.folder / A / "stats.csv").read_text() == f"stats.csv {A}"


def test_flat_names_are_those_of_the_newest_finished_job(world):
    """Newest by its end, whichever was begun first."""
    mirror, late = world.mirror(), world.rendered(A)
    world.ready(B)
    mirror.publishing(B)
    mirror.step()
    world.store.advance(A, "ready", result=late)
    mirror.publishing(A)
    mirror.step()

    assert (world.copied(), world.flat()) == ([A, B], A)


@pytest.mark.parametrize("state", ["failed", "cancelled"])
def test_of_a_job_that_ended_otherwise_nothing_is_seen(world, state):
    """Its files had been written."""
    mirror = world.mirror()
    world.rendered(A)
    mirror.publishing(A)
    world.store.advance(A, state)

    assert mirror.step()
    assert not world.folder.exists()


def test_jobs_without_such_files_leave_the_folder_alone(world):
    """A traffic job that ends later does not take the flat names."""
    world.ready(A)
    world.ready(B, formats=("mot",))
    mirror = world.mirror()
    mirror.step()
    mirror.publishing(B)
    mirror.step()

    assert (world.copied(), world.flat()) == ([A], A)


@pytest.mark.parametrize("at", range(7))
def test_a_crash_between_ready_and_any_write_is_made_good_at_the_next_start(world, at):
    """Whatever was copied by then; the flat names are the newest job's."""
    world.ready(A)
    world.mirror().step()
    world.ready(B)

    class Dead(BaseException):
        pass

    left = [at]

    def dies(name, when):
        if name == "read" and when == "before":
            left[0] -= 1
            if left[0] < 0:
                raise Dead

    mirror = world.mirror(objects=Faults(world.objects, dies))
    if at < 6:
        with pytest.raises(Dead):
            mirror.step()
    else:
        mirror.step()
        (world.folder / "car_tracks.csv").unlink()  # power went while flat files were written
        (world.folder / ".newest").write_text(A)
    again = world.mirror()

    assert again.step()
    assert (world.copied(), world.flat()) == ([A, B], B)


def test_a_full_disk_is_waited_for(world):
    """The copy is made when there is room."""
    world.ready(A)
    full = [True]

    def refuses(name, when):
        if name == "read" and when == "before" and full[0]:
            raise Unavailable("the disk is full", code="disk_full")

    mirror = world.mirror(objects=Faults(world.objects, refuses))
    first = mirror.step()
    full[0] = False

    assert (first, mirror.step()) == (False, True)
    assert world.copied() == [A]


def test_copies_of_a_removed_job_go_too(world):
    """The flat names are the newest of those that are left; of none when there is none."""
    for job_id in (A, B, C):
        world.ready(job_id)
    mirror = world.mirror()
    mirror.step()
    (world.folder / "notes").mkdir()
    (world.folder / "notes" / "mine.txt").write_text("x")
    world.store.remove(C)
    mirror.tidy([C, "another"])
    after = [sorted(path.name for path in world.folder.iterdir() if path.is_dir()), world.flat()]
    for job_id in (A, B):
        world.store.remove(job_id)
    mirror.tidy([A, B, C])

    assert after == [[A, B, "notes"], B]
    assert world.flat() is None
    assert [path.name for path in world.folder.iterdir()] == ["notes"]


def test_copies_of_a_job_that_was_removed_while_nobody_looked_go_at_the_next_start(world):
    """Flat names too; folders of somebody else stay."""
    world.ready(A)
    world.mirror().step()
    (world.folder / "notes").mkdir()
    world.store.remove(A)

    world.mirror().step()

    assert [path.name for path in world.folder.iterdir()] == ["notes"]


def test_csv_path_moves_the_flat_statistics(world, tmp_path):
    """The other four stay where they are."""
    world.stats = tmp_path / "elsewhere" / "numbers.csv"
    world.ready(A)

    world.mirror().step()

    assert world.flat() == A
    assert not (world.folder / "stats.csv").exists()


def test_a_damaged_manifest_keeps_nobody_from_the_others(world):
    """It is said, and the rest is copied."""
    world.ready(A)
    world.ready(B)
    world.objects.delete(f"sightline/jobs/{A}/run.json")
    world.objects.put_new(f"sightline/jobs/{A}/run.json", [b"{"])

    assert world.mirror().step()
    assert (world.copied(), world.flat()) == ([B], B)
