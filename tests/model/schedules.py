"""The scheduler: one micro-step at a time, of a process chosen by a seeded die.

A port call takes two micro-steps: it has its effect, then the caller learns of it. A process may be killed before
the effect, between the two (the answer is lost) or after. Of a killed process a zombie may live on beside its
successor, as after SIGSTOP: it sleeps, wakes up and goes on with what it held.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from random import Random
from typing import Any, Literal

from sightline.errors import Fenced, SightlineError, Unavailable
from sightline.ports import TERMINAL
from tests.model import actors, producers
from tests.model.checks import findings
from tests.model.rules import Rules
from tests.model.worker import Collect, FoldWorker, Stats, Track
from tests.model.world import CALM, Chaos, Job, World

Variant = Literal["plain", "noise", "upgrade"]
VARIANTS: tuple[Variant, ...] = ("plain", "noise", "upgrade")
JOBS = (Job("long", 11), Job("short", 6))

STORM = 5_000  # micro-steps during which faults happen, at the most
REST = 600  # micro-steps without any change after which the world is at rest
STALL = 3_000  # the same, while a job has not ended
IDLE = 12  # longest wait of a reader for the first record, in micro-steps
EVERYTHING = frozenset(name for name in dir(World) if not name.startswith("_"))
LOG_WRITES = frozenset({"append"})  # a broker that can be read but takes nothing, as with a full disk
_NOTHING: Any = object()


@dataclass
class Role:
    """A place that is always filled: when its process dies another one starts.

    Attributes:
        make: a new process, as a generator and the object behind it, if that says when to spare it.
        pause: longest sleep between two calls, in micro-steps.
    """

    name: str
    make: Callable[[], Any]
    pause: int = 0


@dataclass
class Actor:
    """A running process."""

    role: Role
    process: Any
    owner: Any = None
    call: Any = None
    answer: Any = _NOTHING
    zombie: bool = False
    asleep_until: int = 0

    @property
    def spared(self) -> bool:
        """Whether chance must leave it alone."""
        return getattr(self.owner, "spared", False)


@dataclass
class Schedule:
    """One run of the world.

    Attributes:
        seed: decides everything, together with the rules and the variant.
        variant: `plain`; `noise`: looking at a frame twice gives other low bits; `upgrade`: the tracker's function
            changes, its process is replaced, what was committed stays.
    """

    seed: int
    rules: Rules = field(default_factory=Rules)
    variant: Variant = "plain"
    chaos: Chaos = field(default_factory=Chaos)

    def __post_init__(self) -> None:
        self.rng = Random(f"{self.seed}")
        self.world = World(self.rules, self.chaos, self.rng, relayed=self.rng.random() < 0.5)
        self.world.noisy = self.variant == "noise"
        self.stormy = self.chaos != CALM
        self.storm_ends = self.rng.randrange(STORM // 5, STORM) if self.stormy else 0
        self.upgrade_at = self.rng.randrange(100, 1_200) if self.variant == "upgrade" else -1
        self.outage, self.out_of_reach = range(0), EVERYTHING
        if self.stormy and self.rng.random() < 0.5:
            start = self.rng.randrange(1_500)
            self.outage = range(start, start + self.rng.randrange(50, 400))
            self.out_of_reach = self.rng.choice([EVERYTHING, LOG_WRITES])
        self.actors: list[Actor] = []
        for role in self.roles():
            self.start(role)
        if self.stormy and self.rng.random() < 0.4:
            job_id = self.rng.choice(JOBS).job_id
            role = Role("user", lambda: (actors.cancel(self.world, job_id), None))
            self.start(role, asleep_until=self.rng.randrange(3_000))

    def roles(self) -> list[Role]:
        """Every process of the service; the clients first."""
        world = self.world

        def worker(stage: Callable[[], Any], topic: str) -> Callable[[], Any]:
            return lambda: (FoldWorker(world, stage(), topic).run(), None)

        def detect(partition: int) -> Callable[[], Any]:
            def make() -> Any:
                owner = producers.Detect(world, partition)
                return owner.run(), owner

            return make

        clients = [
            Role(f"upload {job.job_id}", lambda j=job: (actors.upload(world, j), None)) for job in JOBS
        ]
        return [
            *clients,
            Role("feed", lambda: (producers.Feed(world).run(), None)),
            *(Role(f"detect {p}", detect(p)) for p in range(producers.FRAME_PARTITIONS)),
            Role("track", worker(lambda: Track(world.tracker_version), "detections")),
            Role("stats", worker(Stats, "tracks")),
            Role("collect tracks", worker(Collect, "tracks")),
            Role("collect totals", worker(Collect, "totals")),
            Role("publish", lambda: (actors.publish(world, tuple(j.job_id for j in JOBS)), None), 10),
            Role("retention", lambda: (actors.retention(world), None), 40),
            *([Role("relay", lambda: (actors.relay(world), None))] if world.relayed else []),
            *([Role("broker", lambda: (actors.broker(world), None), 40)] if self.stormy else []),
        ]

    def run(self) -> World:
        """Until nothing changes any more."""
        world, changed_at, changes = self.world, 0, -1
        while world.clock - changed_at < (REST if self.ended() else STALL):
            world.clock += 1
            if world.clock == self.upgrade_at:
                self.upgrade()
            awake = [actor for actor in self.actors if actor.asleep_until <= world.clock]
            if awake:
                self.micro_step(self.rng.choice(awake))
            if world.changes != changes:
                changed_at, changes = world.clock, world.changes
        return world

    def ended(self) -> bool:
        """Whether every job has come to its end, and nothing is left to be read."""
        states = [job.state for job in self.world.jobs.values()]
        return len(states) == len(JOBS) and TERMINAL.issuperset(states) and not self.world.lagging()

    def storm(self) -> bool:
        """Whether faults may still happen."""
        return self.world.clock < self.storm_ends

    def micro_step(self, actor: Actor) -> None:
        """An effect, or an answer, or death."""
        if self.storm() and not actor.spared and self.rng.random() < self.chaos.kill:
            self.kill(actor)
        elif actor.answer is _NOTHING:
            actor.answer = self.effect(actor.call)
        else:
            self.deliver(actor)

    def effect(self, call: Callable[[], Any]) -> Any:
        """Carry a call out; what it returns, or the error that the caller will see."""
        lost = self.storm() and self.rng.random() < self.chaos.lost
        name = getattr(call, "func", call).__name__
        unreachable = self.storm() and self.world.clock in self.outage and name in self.out_of_reach
        if unreachable or (lost and self.rng.random() < 0.5):
            return Unavailable("no effect")
        try:
            answer = call()
        except SightlineError as error:
            return error
        return Unavailable("answer lost") if lost else answer

    def deliver(self, actor: Actor) -> None:
        """Bring the answer back; the process goes on to its next call."""
        answer, actor.answer = actor.answer, _NOTHING
        if answer == [] or actor.role.pause:  # who finds nothing waits
            actor.asleep_until = self.world.clock + self.rng.randrange(actor.role.pause or IDLE)
        if isinstance(answer, Fenced) and actor.zombie:
            self.actors.remove(actor)  # it holds no lease: it does not claim again
            return
        self.go_on(actor, answer)

    def go_on(self, actor: Actor, answer: Any = None) -> None:
        """Run a process to its next call, or to its end."""
        try:
            raised = isinstance(answer, SightlineError)
            actor.call = actor.process.throw(answer) if raised else actor.process.send(answer)
        except StopIteration:
            self.actors.remove(actor)
            return
        except SightlineError as error:
            self.world.broken.append(f"{actor.role.name} stopped loudly: {type(error).__name__}")
            self.actors.remove(actor)
            return
        if isinstance(actor.call, producers.Dies):
            self.die(actor)

    def kill(self, actor: Actor) -> None:
        """A process dies; perhaps it only seems to."""
        roles = [other.role for other in self.actors if other.zombie]
        if not actor.zombie and actor.role not in roles and self.rng.random() < self.chaos.zombie:
            actor.zombie = True
            actor.asleep_until = self.world.clock + self.rng.randrange(300)
            self.start(actor.role)
        else:
            self.die(actor)

    def die(self, actor: Actor) -> None:
        """All that the process held is gone; a zombie has no successor."""
        self.actors.remove(actor)
        if not actor.zombie:
            self.start(actor.role)

    def start(self, role: Role, asleep_until: int = 0) -> None:
        """A new process."""
        process, owner = role.make()
        actor = Actor(role, process, owner, asleep_until=asleep_until)
        self.actors.append(actor)
        self.go_on(actor)

    def upgrade(self) -> None:
        """New code for the tracker: whoever starts from now on computes something else."""
        self.world.tracker_version += 1
        for actor in [actor for actor in self.actors if actor.role.name == "track" and not actor.zombie]:
            self.kill(actor)


@cache
def calm_world() -> World:
    """The world when nothing goes wrong."""
    return Schedule(0, chaos=CALM).run()


def run(seed: int, rules: Rules, variant: Variant) -> list[str]:
    """What goes wrong in one schedule."""
    world = Schedule(seed, rules, variant).run()
    return findings(world, calm_world() if variant == "plain" else None)
