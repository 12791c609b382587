"""Checks beside the schedules: what no comparison of files shows.

What a cancelled job may still say, what is kept of jobs that ended, how far they are fed ahead, how large a state may be,
what an upgrade may tear.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

from sightline.adapters.sqlite.store import SqliteStore
from sightline.errors import Corrupt
from sightline.events import Totals
from sightline.jobs.recipe import known_of
from sightline.jobs.topology import JOB_TOPIC, frames_stream
from sightline.ports import TERMINAL, Commit, Stat
from sightline.runtime.worker import FoldWorker
from sightline.testing import AtCall, Faults, MemoryObjects, Scrambled
from tests.crash.jobs import SCENES, files_below
from tests.crash.schedules import Bench, difference
from tests.crash.world import PARTS, Crash, Life, Parts, Stalled
from tests.laws.scenes import CODEC, Chain, addressed, job, stream

SCENE = {scene.name: scene for scene in SCENES}
STATE_BYTES = 2_000  # of the tracker in these scenes, with whatever waits it would be many times that


# --- cancelled -----------------------------------------------------------------------------------------------------


class _Cancelling:
    """Cancels job b at the n-th commit of a stage, and from then on looks who still says something about it."""

    def __init__(self, store: SqliteStore, n: int) -> None:
        self._store, self._left = store, n
        self.said: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def append(self, records: Any) -> None:
        self._look(records)
        self._store.append(records)

    def commit(self, commit: Commit) -> Any:
        self._left -= 1
        if not self._left:
            self._store.advance("b", "cancelled")
        at, alive = self._store.commit(commit)
        if alive:
            self._look(commit.outputs)
        return at, alive

    def _look(self, records: Any) -> None:
        if self._left <= 0:
            # The feeder notices with its next commit: what it wrote before that nobody takes up.
            self.said += [r.topic for r in records if r.key == "b" and not r.topic.startswith("frames")]


def cancelled(bench: Bench, seed: int, parts: Parts = PARTS) -> str:
    """Job b is cancelled at some commit: nothing is said about it afterwards, and job a comes out as ever."""
    random = Random(seed)
    expected, calls = bench.plain(SCENE["pair"])
    total = sum(n for (name, when), n in calls.items() if name.endswith(".commit") and when == "after")
    seen: list[_Cancelling] = []
    n = 1 + random.randrange(total * 2 // 3)

    def log(store: SqliteStore) -> _Cancelling:
        seen.append(_Cancelling(store, n))
        return seen[0]

    with bench.place() as home:
        Life(SCENE["pair"], home, random, bench.files, parts, log=log).run()
        got = files_below(home / "run")
    if seen[0].said:
        return f"said about a cancelled job: {', '.join(sorted(set(seen[0].said)))}"
    return difference(
        {name: blob for name, blob in expected.items() if name.startswith("a/")},
        {name: blob for name, blob in got.items() if name.startswith("a/")},
    )


# --- what is kept of jobs that ended, how far one is fed ahead ------------------------------------------------------


class _Lingering(Life):
    """A process that works on after all jobs have ended, as a service does, until nobody finds anything to do."""

    kept: tuple[str, ...] = ()

    def _rounds(self, store: SqliteStore, steps: Any, ended: Callable[[], bool]) -> None:
        try:
            super()._rounds(store, steps, lambda: False)
        except Stalled:
            if not ended():
                raise
        heads = {
            at: store.head(at.topic, at.partition)
            for topic in (JOB_TOPIC, *self.topics(store))
            for at in store.positions(topic)
        }
        self.kept = tuple(
            f"{at.stage} at {at.low_water} of {at.topic}/{at.partition}, of which {first} to {end} are kept"
            for at, (first, end) in heads.items()
            if not first == end == at.low_water
        )

    def topics(self, store: SqliteStore) -> list[str]:
        """Of all jobs."""
        routes = [known_of(store.get(video.job_id)).route for video in self.scene.videos]
        return sorted({topic for route in routes for topic in route.topics.values()})


def let_go(bench: Bench, seed: int, parts: Parts = PARTS) -> str:
    """However jobs end, the log keeps nothing of them: every stage moves on to its end, and it is trimmed there."""
    with bench.place() as home:
        life = _Lingering(SCENE["many"], home, Random(seed), bench.files, parts)
        life.run()
    return "; ".join(life.kept)


class _Outstanding:
    """Adds up the frames that are on their way, of all jobs that have not ended."""

    def __init__(self, store: SqliteStore) -> None:
        self._store = store
        self._at: dict[str, dict[tuple[str, str], int]] = {}
        self.most = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def commit(self, commit: Commit) -> Any:
        answer = self._store.commit(commit)
        if commit.saved is not None:
            at = self._at.setdefault(commit.job_id, {})
            at[commit.at.stage, commit.stream] = commit.saved.next_seq
            if commit.at.stage == "feed":
                self.most = max(self.most, self._on_their_way())
        return answer

    def _on_their_way(self) -> int:
        if sum(map(_outstanding, self._at.values())) > self.most:
            self._at = {
                job_id: at for job_id, at in self._at.items() if self._store.get(job_id).state not in TERMINAL
            }
        return sum(map(_outstanding, self._at.values()))


def _outstanding(at: dict[tuple[str, str], int]) -> int:
    """Frames of a job that were fed and that not every group has tracked yet; its end counts as one."""
    tracked = [frames for (stage, _), frames in at.items() if stage == "track"]
    return at.get(("feed", frames_stream()), 0) - (min(tracked) if len(tracked) > 1 else 0)


def on_their_way(bench: Bench, seed: int, parts: Parts = PARTS) -> str:
    """Many jobs share one window, and one that is not released keeps its place: memory has a bound, however many there are."""
    seen: list[_Outstanding] = []
    random, scene, room, floor = Random(seed), SCENE["crowd"], 8, 2
    at_once = random.choice([2, 4, 16])
    sizes = {
        "window": room,
        "lanes": 1,
        "floor": floor,
        "at_once": at_once,
        "batch": 8,
        "plan": scene.tools(2).plan,
    }

    def feeder(**given: Any) -> Any:
        return parts.feeder(**given | sizes)

    def log(store: SqliteStore) -> _Outstanding:
        seen.append(_Outstanding(store))
        return seen[0]

    with bench.place() as home:
        Life(scene, home, random, bench.files, replace(parts, feeder=feeder), log=log).run()
    bound = room + (at_once - 1) * floor
    return f"{seen[0].most} frames on their way, not {bound}" if seen[0].most > bound else ""


# --- size of the state ---------------------------------------------------------------------------------------------


class _Measuring:
    def __init__(self, store: Any) -> None:
        self._store = store
        self.largest = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def commit(self, commit: Commit) -> Any:
        if commit.saved is not None:
            self.largest = max(self.largest, len(commit.saved.state))
        return self._store.commit(commit)


def state_size(bench: Bench, seed: int, parts: Parts = PARTS) -> str:
    """However many frames wait, the state is that of the stage alone."""
    seen: list[_Measuring] = []

    def log(store: SqliteStore) -> Scrambled:
        seen.append(_Measuring(store))
        return Scrambled(seen[0], seed)

    with bench.place() as home:
        Life(SCENE["segments"], home, Random(seed), bench.files, parts, log=log).run()
    return f"a state of {seen[0].largest} bytes" if seen[0].largest > STATE_BYTES else ""


# --- damaged put ---------------------------------------------------------------------------------------------------


class _Damaging:
    """An object store that keeps other bytes than it was given, once, and says that all is well."""

    def __init__(self, objects: Any, n: int) -> None:
        self._objects, self._left = objects, n

    def __getattr__(self, name: str) -> Any:
        return getattr(self._objects, name)

    def put_new(self, key: str, chunks: Any) -> Stat:
        whole = b"".join(chunks)
        self._left -= 1
        if self._left or key.endswith(".seg"):
            return self._objects.put_new(key, [whole])
        self._objects.put_new(key, [whole[:-1]])
        return self._objects.put_new(key.replace(".", "-whole."), [whole])


def damaged_put(bench: Bench, seed: int, parts: Parts = PARTS) -> str:
    """A store that loses a byte of a file: a loud stop, never a result."""
    n = 7 + seed % 10
    damaged = replace(parts, objects=lambda objects: parts.objects(_Damaging(objects, n)))
    with bench.place() as home:
        try:
            Life(SCENE["tracked"], home, Random(seed), bench.files, damaged).run()
        except Corrupt:
            return ""
        expected, _ = bench.plain(SCENE["tracked"])
        got = {name: blob for name, blob in files_below(home / "run").items() if "-whole" not in name}
        return difference(expected, got)


# --- upgrade -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class NextChain(Chain):
    """The same stage after an upgrade: it computes something else."""

    def process(self, batch: Any, state: int) -> Any:
        return super().process(batch, state + 1)


def upgrade(bench: Bench, seed: int, parts: Parts = PARTS) -> str:
    """The process ends at some call and a newer version goes on: every output follows from the one before it."""
    random = Random(seed)
    n, sizes = 1 + random.randrange(24), random.choice([1, 3])
    with bench.place() as home:
        store = SqliteStore(Path(home) / "store.sqlite", synchronous="NORMAL")
        store.create(job(), [])
        store.append(addressed(stream(20)))
        fault = AtCall("*", random.choice(["before", "after"]), n, _end)
        try:
            _drain(_chain(parts.store("stats", Faults(store, fault)), Chain(), sizes))
        except Crash:
            _drain(_chain(parts.store("stats", store), NextChain(), sizes))
        outputs = _outputs(store)
        store.close()
    return _torn(outputs, sizes)


def _end() -> None:
    raise Crash


def _drain(worker: FoldWorker) -> None:
    while worker.step():
        pass


def _chain(store: Any, stage: Chain, max_frames: int) -> FoldWorker:
    return FoldWorker(
        "stats",
        "in",
        0,
        lambda job, stream: stage,
        log=store,
        ledger=store,
        jobs=store,
        objects=MemoryObjects(),
        max_frames=max_frames,
    )


def _outputs(store: SqliteStore) -> list[int]:
    first: dict[int, int] = {}
    for entry in store.read("out", 0, 0, 10_000):
        record = CODEC.decode(entry.value)
        if isinstance(record, Totals):
            first.setdefault(record.seq, record.unique)
    return [first[seq] for seq in sorted(first)]


def _torn(outputs: list[int], size: int) -> str:
    """Whether the outputs are those of the old version up to some frame, and of the new one, going on from its state."""
    records = [record for record in stream(20) if isinstance(record, Totals)]
    for switch in range(len(records) + 1):
        state, expected = 1, []
        for seq, record in enumerate(records):
            upgraded = seq >= switch and (seq - switch) % size == 0
            state = ((state + upgraded) * 31 + record.unique) % 1_000_003
            expected.append(state)
        if expected == outputs:
            return ""
    return "outputs and state are of different versions"


CHECKS: dict[str, Callable[..., str]] = {
    "cancelled": cancelled,
    "let go": let_go,
    "on their way": on_their_way,
    "state size": state_size,
    "damaged put": damaged_put,
    "upgrade": upgrade,
}


def hunt(bench: Bench, kind: str, parts: Parts, point: str, scene: str, at_most: int) -> tuple[int, str]:
    """Schedules of a kind until one goes wrong: how many it took, and what was wrong; nothing after `at_most`."""
    for seed in range(at_most):
        check = CHECKS.get(kind)
        if check:
            found = check(bench, seed, parts)
        else:
            found = bench.run(seed, kind, SCENE.get(scene), parts, point).finding
        if found:
            return seed + 1, found
    return at_most, ""
