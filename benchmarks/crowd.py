"""A crowd of jobs in one process: whether all end, in which order, what stays in memory, and whether bytes are as if alone.

    python -m benchmarks.crowd [--jobs 1000] [--lanes 4] [--every 25] [--seed 1]
    python -m benchmarks.crowd --finished 10000

All jobs wait before the first one is begun, one store and one folder of objects on the disk, one host. Most have up to 40
frames, some up to 2,000; pictures and detections come from a script and cost next to nothing. One source cannot be read, one
model is refused, one job is cancelled while it is worked on, the event of one is garbage under its key, and one more event
is garbage that names nothing. The process before was idle and was killed, twice.

It fails where one of these does not hold:

`ends`     each job ends as it should.
`ended`, `delay` are printed alone: how many jobs that were queued later ended before a job, and how many places later than
           it was queued a short job ends.
`careful`  no frame is begun alone: whoever was killed while idle had begun none.
`begun`    no job of fewer than 1,000 frames is begun after one that was queued later. A longer one is passed by at most one
           in four of those that are begun before it: each fourth place is for the oldest short one.
`served`   while a job is worked on, from its beginning until its last frame is collected, the jobs that were queued later,
           begun later and ended before it have at most 30 times its own share: 16 take turns, so each of the 15 others may
           have as much, and twice that for what is on its way. A share is a job's frames, a slice of 32 for what it costs to
           begin and end it, and for the one that waits 256 frames that a stage reads of all jobs at once.
`memory`   RSS after all jobs is at most 10 % and 4 MiB over that after a tenth of them; what workers hold is bounded.
`log`      while the host is busy no more than a quarter of all records that were written is kept.
`bytes`    each k-th job has the files that it has alone, and so has the one whose event was garbage.

Fewer than 500 jobs are too few for `memory` and `log`.

`--finished` queues so many jobs of one to three frames, a hundred at a time, and looks at memory and log alone.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import apsw
from tests.hosting import Work, rendered, run_job

from sightline.adapters.files.objects import FolderObjects
from sightline.adapters.sqlite.store import SqliteStore
from sightline.disk import Disk
from sightline.errors import InvalidVideo, Misconfigured
from sightline.events import JobEvent, Native
from sightline.jobs.derived import plan_of
from sightline.jobs.recipe import Recipe, job_of
from sightline.jobs.topology import JOB_TOPIC, Topology
from sightline.ports import STATES, TERMINAL, Job, Outgoing, Which
from sightline.runtime.chunk_queue import SLICE, ChunkQueue, Task
from sightline.runtime.crew import PARTS
from sightline.runtime.feed import SHORT
from sightline.runtime.host import Host, Tools, World
from sightline.runtime.worker import OVER
from sightline.testing import ScriptedDetector, ScriptedReader, scripted_recipe
from sightline.types import Detections
from sightline.vision.bytetrack import TrackerSettings

MIB = 2**20
AT_ONCE = 16
IN_QUEUES = 256  # frames: a stage reads so many of all jobs at once
GARBAGE = b"garbage"
SPREAD = (
    (0.8, 1, 40),
    (0.92, 41, 300),
    (0.97, 301, 999),
    (1.0, 1000, 2000),
)  # up to this share, frames from, to
FOUND = [
    Detections([[9 * n, 10, 9 * n + 40, 30], [300, n, 320, n + 50]], [0.9, 0.8], [0, 1]) for n in range(50)
]


class Quick(Disk):
    """Flushes nothing: thousands of small files would measure the disk."""

    def sync(self, file: Any) -> None:
        file.flush()

    def sync_folder(self, folder: Path) -> None:
        pass


class Reader(ScriptedReader):
    """Does not remember what it read."""

    def read(self, *args: Any) -> Iterator[Any]:
        for decoded in super().read(*args):
            self.decoded.clear()
            yield decoded


class Refusing(ScriptedDetector):
    """A model that does not fit."""

    def slot(self) -> Any:
        raise Misconfigured("tiny.onnx: another head", code="model_head")


class Counting(ChunkQueue):
    """Counts frames that are to be begun alone."""

    careful = 0

    def put(self, task: Task) -> bool:
        self.careful += task.careful
        return super().put(task)


@dataclass
class Wrong:
    """Which jobs something is wrong with."""

    unreadable: str = ""
    refused: str = ""
    cancelled: str = ""
    garbage: str = ""

    def end(self, job_id: str) -> tuple[str, str]:
        """State and code that a job should end with."""
        ends = {
            self.unreadable: ("failed", "not_video"),
            self.refused: ("failed", "model_head"),
            self.cancelled: ("cancelled", ""),
        }
        return ends.get(job_id, ("ready", ""))


@dataclass
class Sample:
    """What is held after so many jobs."""

    ended: int
    seconds: float
    cpu: float
    rss: float
    held: dict[str, int]
    objects: int
    records: int
    file: float


def script(number: int) -> Detections:
    return FOUND[number % len(FOUND)]


def tools(wrong: Wrong) -> Tools:
    fine, refusing = ScriptedDetector(script), Refusing(script)

    def plan(recipe: Recipe) -> Any:
        if recipe.job_id == wrong.unreadable:
            raise InvalidVideo(recipe.video_id, reason="not a video", code="not_video")
        return plan_of(recipe, ScriptedReader(recipe.sampled).index())

    return Tools(
        plan,
        lambda recipe: Reader(recipe.sampled),
        lambda recipe: refusing if recipe.job_id == wrong.refused else fine,
        rendered,
    )


def recipe_for(number: int, frames: int) -> Recipe:
    job_id = f"j{number:05}"
    return scripted_recipe(job_id, frames, tracker=TrackerSettings(), prefix=f"{job_id}/", formats=("csv",))


def mixed(jobs: int, seed: int) -> list[Recipe]:
    """Recipes of jobs of mixed length, in the order in which they are queued."""
    random = Random(seed)
    recipes = []
    for number in range(jobs):
        at = random.random()
        low, high = next((low, high) for share, low, high in SPREAD if at < share)
        recipes.append(recipe_for(number, random.randint(low, high)))
    return recipes


def queue(store: SqliteStore, recipe: Recipe, *, garbage: bool = False) -> None:
    event = GARBAGE if garbage else Native().encode(JobEvent(recipe.job_id))
    store.create(job_of(recipe), [Outgoing(JOB_TOPIC, 0, recipe.job_id, event)])


# --- one process ---------------------------------------------------------------------------------------------------


@dataclass
class Room:
    """A store, objects and a host over them, in a folder."""

    folder: Path
    recipe: Recipe
    wrong: Wrong
    lanes: int
    samples: list[Sample] = field(default_factory=list)
    most: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        ticks = count(1)  # a clock that only orders: no two events at the same time
        self.path = self.folder / "store.sqlite"
        self.store = SqliteStore(self.path, synchronous="NORMAL", clock=lambda: next(ticks))
        self.objects = FolderObjects(self.folder / "files", disk=Quick())
        self.queue = Counting()
        self.began = time.perf_counter()

    def host(self, *, alone: bool = True) -> Host:
        """A host whose world was begun by a process that was killed."""
        route = self.recipe.route
        self.world = World(
            self.store, self.objects, Topology.of(route.topics, route.frame_partitions), killed=True
        )
        parts = replace(PARTS, queue=lambda **given: self.queue)
        host = Host(tools(self.wrong), self.lanes, parts=parts, alone=alone)
        host.add(self.world)
        return host

    def idle_start(self) -> None:
        """A process that finds nothing to do and is killed: nobody releases what it has claimed."""
        for step in self.host().steps():
            step()

    def ended(self) -> int:
        counts = self.store.counts().by_state
        return sum(n for state, n in counts.items() if state in TERMINAL)

    def sample(self, host: Host, ended: int) -> None:
        crew = host._crews[id(self.world)]
        gc.collect()
        self.samples.append(
            Sample(
                ended,
                time.perf_counter() - self.began,
                time.process_time(),
                rss(),
                held_by(host, crew, self.queue),
                len(gc.get_objects()),
                sum(records(self.path).values()),
                self.path.stat().st_size / MIB,
            )
        )

    def look(self, host: Host) -> None:
        """The most that was held at any look, but for jobs that wait to be begun."""
        kept = records(self.path)
        kept[JOB_TOPIC] = 0
        seen = held_by(host, host._crews[id(self.world)], self.queue) | {"records": sum(kept.values())}
        self.most = {name: max(n, self.most.get(name, 0)) for name, n in seen.items()}


def rss() -> float:
    """MiB that this process holds."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


def records(path: Path) -> dict[str, int]:
    """Records that the log keeps, by topic."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        return dict(connection.execute("SELECT topic, sum(n) FROM log GROUP BY topic").fetchall())
    finally:
        connection.close()


def written(path: Path) -> int:
    """Records that were ever written."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        return int(connection.execute("SELECT sum(next) FROM head").get)
    finally:
        connection.close()


def held_by(host: Host, crew: Any, waiting: ChunkQueue) -> dict[str, int]:
    """How many things the workers remember; a look from beside, so a number may be one off."""
    feeder = crew.feeders[0]._held
    folds = [fold._held for fold in crew.folds.values() if fold._held]
    return {
        "queued": len(feeder.queue) if feeder else 0,
        "active": len(feeder.active) if feeder else 0,
        "folds": sum(len(held.folds) for held in folds),
        "waiting": sum(len(fold.waiting) for held in folds for fold in list(held.folds.values())),
        "over": max((len(held.over) for held in folds), default=0),
        "unfinished": sum(len(held.unfinished) for held in list(crew.roles[0]._held.values())),
        "chunks": len(waiting._jobs) + len(waiting._careful),
        "lanes": sum(len(lane._jobs) + len(lane._readers) + len(lane._taken) for lane in host._lanes),
    }


def run(room: Room, host: Host, marks: Sequence[int], jobs: int, tick: Callable[[], bool]) -> None:
    """Until so many jobs have ended; looks and samples meanwhile."""
    left = list(marks)

    def each() -> bool:
        ended = room.ended()
        room.look(host)
        while left and ended >= left[0]:
            room.sample(host, ended)
            left.pop(0)
        return tick()

    host.run(lambda: room.ended() >= jobs, each)
    for _ in left[:1]:
        room.sample(host, room.ended())
    host.remove(room.world)


# --- what is looked at ---------------------------------------------------------------------------------------------


def jobs_of(store: SqliteStore) -> list[Job]:
    """All, in the order in which they were queued."""
    which, cursor, found = Which(states=STATES, oldest_first=True), "", list[Job]()
    while True:
        page = store.list(which, limit=500, after=cursor)
        found += page.jobs
        cursor = page.cursor
        if not cursor:
            return found


def ends_well(jobs: Sequence[Job], wrong: Wrong) -> bool:
    ends = Counter((job.state, job.code) for job in jobs)
    print("ends:   ", ", ".join(f"{n} {state} {code}".strip() for (state, code), n in ends.items()))
    others = [
        (job.job_id, job.state, job.code) for job in jobs if (job.state, job.code) != wrong.end(job.job_id)
    ]
    for other in others[:5]:
        print("  not as it should:", *other)
    return not others


def later_before(keys: Sequence[int]) -> list[int]:
    """For each place, how many of the places behind it have a smaller key."""
    return [sum(1 for other in keys[place + 1 :] if other < key) for place, key in enumerate(keys)]


def fair_begin(jobs: Sequence[Job]) -> bool:
    """See `begun` above."""
    begun = [job for job in jobs if "processing" in job.times]
    keys = [job.times["processing"] for job in begun]
    before = {key: place for place, key in enumerate(sorted(keys))}
    passed = later_before(keys)
    short = [n for n, job in zip(passed, begun, strict=True) if frames_of(job) < SHORT]
    long = [
        (n, before[key]) for n, key, job in zip(passed, keys, begun, strict=True) if frames_of(job) >= SHORT
    ]
    share = max((n / max(1, place) for n, place in long), default=0.0)
    print(
        f"begun:   {len(short)} short jobs, passed by {max(short, default=0)} at most; {len(long)} long ones, "
        f"passed by {max((n for n, _ in long), default=0)} at most, {share:.3f} of those begun before"
    )
    return not any(short) and all(n <= place / 4 + 1 for n, place in long)


def fair_end(jobs: Sequence[Job]) -> bool:
    """See `served` above; and what nobody promises: who is published before whom, and how much sooner than in a row."""
    done = [job for job in jobs if "predictable" in job.times]
    _say_overtaken(done)
    worst = 0.0
    for place, job in enumerate(done):
        since, until = job.times["processing"], job.times["predictable"]
        served = sum(
            frames_of(other) + SLICE
            for other in done[place + 1 :]
            if since < other.times["processing"] and other.times["predictable"] < until
        )
        worst = max(worst, served / (frames_of(job) + SLICE + IN_QUEUES))
    limit = 2 * (AT_ONCE - 1)
    print(
        f"served:  later jobs got at most {worst:.1f} times a job's own share while it was worked on (limit {limit})"
    )
    return worst <= limit


def frames_of(job: Job) -> int:
    return int(job.request["recipe"]["sampled"])


def _say_overtaken(done: Sequence[Job]) -> None:
    passed = later_before([job.times["ready"] for job in done])
    for name, wanted in (("short", lambda n: n < SHORT), ("long", lambda n: n >= SHORT)):
        mine = [n for n, job in zip(passed, done, strict=True) if wanted(frames_of(job))]
        if mine:
            print(
                f"ended:   {len(mine)} {name} jobs; later jobs that ended before one: median "
                f"{statistics.median(mine):.0f}, {quantile(mine, 0.95):.0f} of 95 %, most {max(mine)}"
            )
    order = {job.job_id: place for place, job in enumerate(sorted(done, key=lambda job: job.times["ready"]))}
    delays = [order[job.job_id] - place for place, job in enumerate(done) if frames_of(job) < SHORT]
    print(
        f"delay:   a short job ends {statistics.median(delays):+.0f} places from where it was queued (median), "
        f"{quantile(delays, 0.95):+.0f} (95 %), {max(delays):+d} at most"
    )


def quantile(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def flat(room: Room, bounds: Mapping[str, int]) -> bool:
    """See `memory` and `log` above."""
    print(
        "\n| jobs ended | s | jobs/s since | CPU ms a job since | RSS MiB | objects | records kept | store MiB | held |"
    )
    print("|---:|---:|---:|---:|---:|---:|---:|---:|---|")
    before = Sample(0, 0.0, 0.0, 0.0, {}, 0, 0, 0.0)
    for sample in room.samples:
        since = max(1, sample.ended - before.ended)
        speed, cpu = since / (sample.seconds - before.seconds), 1000 * (sample.cpu - before.cpu) / since
        held = ", ".join(f"{name} {n}" for name, n in sample.held.items() if n)
        print(
            f"| {sample.ended} | {sample.seconds:.1f} | {speed:.1f} | {cpu:.0f} | {sample.rss:.1f} | {sample.objects} | "
            f"{sample.records} | {sample.file:.1f} | {held} |"
        )
        before = sample
    ever, first, last = written(room.path), room.samples[0].rss, room.samples[-1].rss
    print("\nmost at any look: " + ", ".join(f"{name} {n}" for name, n in room.most.items()))
    print(f"records: {ever} written, {room.most['records']} kept at most beside the events of jobs that wait")
    kept = room.most["records"] <= ever / 4
    small = last <= first * 1.1 + 4
    bounded = all(room.most[name] <= bound for name, bound in bounds.items())
    print(
        f"memory:  {first:.1f} MiB, then {last:.1f}: {'flat' if small and bounded else 'GROWS'}; "
        f"log {'trimmed' if kept else 'NOT TRIMMED'}"
    )
    return kept and small and bounded


def files(objects: Path, job_id: str) -> dict[str, bytes]:
    root = objects / job_id
    return {
        f"{job_id}/{path.relative_to(root)}": path.read_bytes() for path in root.rglob("*") if path.is_file()
    }


def as_alone(room: Room, recipes: Sequence[Recipe]) -> bool:
    """See `bytes` above."""
    others = []
    for recipe in recipes:
        frames = recipe.sampled
        work = Work(recipe, ScriptedDetector(script), lambda frames=frames: Reader(frames))
        run_job(work)
        if not work.objects.contents() or work.objects.contents() != files(
            room.folder / "files", recipe.job_id
        ):
            others.append(recipe.job_id)
    print(f"bytes:   {len(recipes) - len(others)} of {len(recipes)} jobs have the files that they have alone")
    return not others


# --- the two benchmarks --------------------------------------------------------------------------------------------


def crowd(folder: Path, jobs: int, lanes: int, every: int, seed: int) -> bool:
    recipes = mixed(jobs, seed)
    longest = sorted(recipes, key=lambda recipe: -recipe.sampled)
    wrong = Wrong(
        recipes[jobs // 3].job_id, recipes[jobs // 4].job_id, longest[0].job_id, recipes[jobs // 5].job_id
    )
    room = Room(folder, recipes[0], wrong, lanes)
    for _ in range(2):
        room.idle_start()
    for number, recipe in enumerate(recipes):
        queue(room.store, recipe, garbage=recipe.job_id == wrong.garbage)
        if number == jobs // 2:
            room.store.append([Outgoing(JOB_TOPIC, 0, "?", GARBAGE)])

    def cancel() -> bool:
        job = room.store.get(wrong.cancelled)
        return job.state == "processing" and room.store.advance(wrong.cancelled, "cancelled")

    host = room.host()
    room.began = time.perf_counter()
    run(room, host, [jobs // 10, jobs // 4, jobs // 2, jobs], jobs, cancel)
    wall = time.perf_counter() - room.began
    frames = sum(recipe.sampled for recipe in recipes)
    print(
        f"{jobs} jobs, {frames} frames, {lanes} lanes: {wall:.1f} s, {jobs / wall:.1f} jobs/s, {frames / wall:.0f} frames/s"
    )
    done = jobs_of(room.store)
    held = [
        ends_well(done, wrong),
        _not_careful(room),
        fair_begin(done),
        fair_end(done),
        flat(room, {"active": AT_ONCE, "over": OVER + 1, "lanes": lanes * (64 + 2 + 2 * SLICE)}),
    ]
    fine = [recipe for recipe in recipes if wrong.end(recipe.job_id)[0] == "ready"]
    picked = [recipe for recipe in fine if recipe.job_id == wrong.garbage or fine.index(recipe) % every == 0]
    held.append(as_alone(room, picked))
    room.store.close()
    return all(held)


def _not_careful(room: Room) -> bool:
    print(f"careful: {room.queue.careful} frames begun alone after two idle starts that were killed")
    return room.queue.careful == 0


def finished(folder: Path, jobs: int, lanes: int) -> bool:
    room = Room(folder, recipe_for(0, 1), Wrong(), lanes)
    given = count()

    def more() -> bool:
        brought = False
        while (number := next(given)) < jobs:
            queue(room.store, recipe_for(number, 1 + number % 3))
            brought = True
            if number % 100 == 99:
                break
        return brought

    def tick() -> bool:
        counts = room.store.counts().by_state
        return counts.get("new", 0) < 100 and more()

    more()
    host = room.host(alone=False)
    run(room, host, [jobs // 10 * tenth for tenth in (1, 2, 5, 10)], jobs, tick)
    done = flat(room, {"active": AT_ONCE, "over": OVER + 1, "queued": 300})
    states = room.store.counts().by_state
    print("ends:   ", states)
    room.store.close()
    return done and states.get("ready") == jobs


def main() -> int:
    """Print the figures; 1 where a limit is passed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--jobs", type=int, default=1000)
    parser.add_argument("--lanes", type=int, default=4)
    parser.add_argument(
        "--every", type=int, default=25, help="one job in so many is compared with itself alone"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--finished", type=int, default=0, help="tiny jobs; memory and log alone")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        if asked.finished:
            passed = finished(Path(name), asked.finished, asked.lanes)
        else:
            passed = crowd(Path(name), asked.jobs, asked.lanes, asked.every, asked.seed)
    print("within the limits" if passed else "over a limit")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
