"""Crash schedules in process: a number decides jobs, order of steps, faults and when they come.

    python -m tests.crash.schedules [--count 10000] [--seed 0] [--processes 1] [--kind KIND]

Each schedule runs small jobs over the real SQLite file and folder, brings in its faults, starts again from what is on
disk until the result is in place, and compares every file with the undisturbed run. The number of a schedule that
goes wrong is printed: `--seed N --count 1` runs it again.
"""

from __future__ import annotations

import argparse
import errno
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random

import apsw

from sightline.adapters.sqlite.store import SqliteStore
from sightline.disk import Disk
from sightline.errors import Unavailable
from sightline.events import End, Native, Sampled
from sightline.jobs.topology import JOB_TOPIC
from sightline.ports import Outgoing
from sightline.testing import AtCall, Scrambled
from tests.crash.jobs import SCENES, Scene, files_below
from tests.crash.power import PowerDisk
from tests.crash.sqlite_files import Fault, SqliteFiles, nothing, sqlite_files
from tests.crash.world import PARTS, Crash, Life, Parts

CODEC = Native()
LIVES = 12
# Long jobs, and a crowd of them, are slow and show little more than few and short ones.
WEIGHTS = {"segments": 1, "one frame": 2, "no frame": 2, "crowd": 2}
KINDS = {
    "crash": 42,  # the process ends before or after a call
    "crash twice": 24,  # and again on its way back
    "power cut": 10,  # what was not flushed may be gone
    "outage": 7,  # calls fail, or work and their answers get lost; the process goes on
    "two owners": 5,  # the old process is not gone; perhaps one more crash
    "two stores": 4,  # another store on the same host comes and goes; perhaps a crash
    "disorder": 6,  # records come twice, the second time with other content, and shuffled; perhaps a crash
    "disk full": 6,  # from some write on, for some lives; then space is given back
}
FILLS = frozenset({"sqlite.write", "disk.make_folder", "disk.create", "disk.link", "disk.replace"})


@dataclass
class Outcome:
    """What became of a schedule.

    Attributes:
        fired: faults that came, as `role.method when`.
        lives: processes that it took.
        finding: what is wrong, empty if nothing.
    """

    seed: int
    scene: str
    kind: str
    fired: list[str] = field(default_factory=list)
    lives: int = 0
    finding: str = ""


class Bench:
    """A place to run schedules, and the undisturbed results.

    Args:
        home: folder for everything; on a memory disk it goes faster.
        files: SQLite's file layer.
    """

    def __init__(self, home: Path, files: SqliteFiles) -> None:
        self.home, self.files = home, files
        self._plain: dict[str, dict[str, bytes]] = {}
        self._calls: dict[str, Counter[tuple[str, str]]] = {}

    def plain(self, scene: Scene) -> tuple[dict[str, bytes], Counter[tuple[str, str]]]:
        """Files of the undisturbed run, and the calls that it made."""
        if scene.name not in self._plain:
            calls: Counter[tuple[str, str]] = Counter()
            with self.place() as home:
                Life(
                    scene, home, Random(0), self.files, fault=lambda name, when: calls.update([(name, when)])
                ).run()
                self._plain[scene.name] = files_below(home / "run")
            self._calls[scene.name] = calls
        return self._plain[scene.name], self._calls[scene.name]

    def run(
        self, seed: int, kind: str = "", scene: Scene | None = None, parts: Parts = PARTS, point: str = ""
    ) -> Outcome:
        """Run the schedule of a number, with faults of one kind, in one scene or at one call if they are named."""
        random = Random(seed)
        able = [each for each in SCENES if not point or point in {name for name, _ in self.plain(each)[1]}]
        scenes = [each for each in able for _ in range(WEIGHTS.get(each.name, 4))]
        chosen = random.choice(scenes)
        drawn = random.choices([*KINDS], [*KINDS.values()])[0]
        scene, kind = scene or chosen, kind or drawn
        expected, calls = self.plain(scene)
        outcome = Outcome(seed, scene.name, kind)
        with self.place() as home:
            try:
                _Schedule(self, scene, kind, parts, random, calls, home, point, outcome).run()
                outcome.finding = difference(expected, files_below(home / "run"))
            except Exception as error:
                outcome.finding = f"{type(error).__name__}: {error}"
        return outcome

    @contextmanager
    def place(self) -> Iterator[Path]:
        """A folder for one schedule."""
        with tempfile.TemporaryDirectory(dir=self.home) as folder:
            yield Path(folder)


@dataclass
class _Schedule:
    bench: Bench
    scene: Scene
    kind: str
    parts: Parts
    random: Random
    calls: Counter[tuple[str, str]]
    home: Path
    point: str
    outcome: Outcome

    def run(self) -> None:
        killed = False
        base = PowerDisk(self.home) if self.kind == "power cut" else Disk()
        for life, fault in enumerate(self._faults()):
            self.outcome.lives = life + 1
            power = Random(self.random.random()) if isinstance(base, PowerDisk) else None
            try:
                Life(
                    self.scene,
                    self.home,
                    Random(self.random.random()),
                    self.bench.files,
                    self.parts,
                    fault,
                    owners=2 if self.kind == "two owners" else 1,
                    neighbour=self.kind == "two stores",
                    retries=self.kind == "outage",
                    base=base,
                    log=self._disorder() if self.kind == "disorder" else lambda store: store,
                    killed=killed,
                ).run(power)
                return
            except (Crash, Unavailable) as end:
                killed = isinstance(end, Crash)
                if isinstance(end, Unavailable) and self.kind not in ("outage", "disk full"):
                    raise
                if isinstance(base, PowerDisk) and power is not None:
                    base.cut(power)
        raise TimeoutError(f"not done after {LIVES} lives")

    def _faults(self) -> Iterator[Fault]:
        """The fault of each life; none at last."""
        if self.kind == "outage":
            errors = [self._at(self._outage, dead=False) for _ in range(self.random.randint(1, 3))]
            yield lambda name, when: [error(name, when) for error in errors] and None
        elif self.kind == "disk full":
            yield from self._full()
        else:
            perhaps = self.random.randint(0, 1)
            crashes = {
                "crash twice": 2,
                "two owners": perhaps,
                "two stores": perhaps,
                "disorder": perhaps,
            }.get(self.kind, 1)
            for crash in range(crashes):
                yield self._at(lambda name: self._end, dead=True, early=crash > 0)
        for _ in range(LIVES):
            yield nothing

    def _disorder(self) -> Callable[[SqliteStore], Scrambled]:
        seed = self.random.randrange(2**32)
        return lambda store: Scrambled(store, seed, late)

    def _end(self) -> None:
        raise Crash

    def _at(self, act: Callable[[str], Callable[[], None]], *, dead: bool, early: bool = False) -> Fault:
        """A fault at some call; every method is as likely, however often it is called."""
        points = sorted(point for point in self.calls if self.point in ("", point[0]))
        name, when = self.random.choice(points)
        share = self.random.random() ** (3 if early else 1)  # a later life makes fewer calls
        n = 1 + int(share * self.calls[name, when])
        act_there = act(name)

        def acted() -> None:
            if not fault.fired or fault not in noted:
                noted.append(fault)
                self.outcome.fired.append(f"{name} {when}")
            act_there()

        noted: list[AtCall] = []
        fault = AtCall(name, when, n, acted, dead=dead)
        return fault

    def _outage(self, name: str) -> Callable[[], None]:
        def act() -> None:
            if name.startswith("sqlite"):
                raise apsw.FullError("outage")
            if name.startswith("disk"):
                raise OSError(errno.ENOSPC, "No space left on device")
            raise Unavailable(f"{name}: outage")

        return act

    def _full(self) -> Iterator[Fault]:
        total = sum(n for (name, when), n in self.calls.items() if name in FILLS and when == "before")
        for life in range(self.random.randint(1, 6)):
            left = [self.random.randrange(total) if life == 0 else self.random.randrange(40)]

            def fault(name: str, when: str, left: list[int] = left) -> None:
                if name in FILLS and when == "before":
                    left[0] -= 1
                    if left[0] < 0:
                        if left[0] == -1:
                            self.outcome.fired.append(f"{name} full")
                        self._outage(name)()

            yield fault


def late(record: Outgoing) -> Outgoing:
    """The same identity with other content: only the first record counts."""
    if record.topic.startswith(JOB_TOPIC):  # and its dead letters
        return record
    decoded = CODEC.decode(record.value)
    if isinstance(decoded, End | Sampled):
        return record
    value = CODEC.encode(replace(decoded, outcome="failed", reason="late"))
    return replace(record, value=value)


def difference(expected: dict[str, bytes], got: dict[str, bytes]) -> str:
    """What is missing, too much or different; empty if nothing is."""
    missing, extra = sorted(expected.keys() - got.keys()), sorted(got.keys() - expected.keys())
    other = sorted(name for name in expected.keys() & got.keys() if expected[name] != got[name])
    parts = {"missing": missing, "left over": extra, "different": other}
    return "; ".join(
        f"{what} {', '.join(names[:3])}{' ...' * (len(names) > 3)}" for what, names in parts.items() if names
    )


@contextmanager
def bench() -> Iterator[Bench]:
    """A place in memory where there is one."""
    memory = Path("/dev/shm")
    with (
        tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder,
        sqlite_files() as files,
    ):
        yield Bench(Path(folder), files)


def run_many(seeds: range, kind: str = "") -> list[Outcome]:
    """Run schedules one after the other."""
    with bench() as place:
        return [place.run(seed, kind) for seed in seeds]


def report(outcomes: list[Outcome], seconds: float) -> str:
    """Tables of what was run, which faults came and what was found."""
    kinds: dict[str, list[Outcome]] = {kind: [] for kind in KINDS}
    for outcome in outcomes:
        kinds[outcome.kind].append(outcome)
    lines = ["| kind | schedules | faults that came | lives | findings |", "|---|---:|---:|---:|---:|"]
    for kind, those in kinds.items():
        fired = sum(len(each.fired) for each in those)
        found = sum(bool(each.finding) for each in those)
        lines.append(f"| {kind} | {len(those)} | {fired} | {sum(each.lives for each in those)} | {found} |")
    points = Counter(point for each in outcomes for point in each.fired)
    fewest = ", ".join(f"{point} {n}" for point, n in points.most_common()[-3:])
    lines += [
        "",
        f"{len(outcomes)} schedules in {seconds:.0f} s; {len(points)} different fault points, fewest: {fewest}",
    ]
    for each in outcomes:
        if each.finding:
            lines.append(f"seed {each.seed}: {each.scene}, {each.kind}, {each.fired}: {each.finding}")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--kind", default="", choices=["", *KINDS])
    args = parser.parse_args()
    print(f"seeds {args.seed} to {args.seed + args.count - 1}", flush=True)
    began = time.perf_counter()
    seeds = range(args.seed, args.seed + args.count)
    pieces = [seeds[i : i + 50] for i in range(0, len(seeds), 50)]
    outcomes: list[Outcome] = []
    with ProcessPoolExecutor(args.processes) as pool:
        for done in pool.map(run_many, pieces, [args.kind] * len(pieces)):
            outcomes += done
            for each in done:
                if each.finding:
                    print(f"seed {each.seed}: {each.scene}, {each.kind}: {each.finding}", flush=True)
            if len(outcomes) % 500 == 0:
                print(
                    f"{len(outcomes)} done, {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True
                )
    print(report(outcomes, time.perf_counter() - began))
    return int(any(each.finding for each in outcomes))


if __name__ == "__main__":
    sys.exit(main())
