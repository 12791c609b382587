"""The scheduler: one micro-step at a time, of a process chosen by a seeded die.

A port call takes two micro-steps: it has its effect, then the caller learns of it. A process may be killed before
the effect, between the two (the answer is lost) or after. Of a killed process a zombie may live on beside its
successor, as after SIGSTOP: it sleeps, wakes up and goes on with what it held.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, partial
from random import Random
from typing import Any, Literal

from sightline.errors import Fenced, SightlineError, Unavailable
from sightline.ports import TERMINAL
from tests.model import actors, producers
from tests.model.checks import findings
from tests.model.group import SETTLED, Group
from tests.model.rules import Rules
from tests.model.values import CALM, KINDS, Chaos, Job
from tests.model.worker import Collect, FoldWorker, Stats, Track
from tests.model.world import World

Variant = Literal["plain", "noise", "upgrade"]
VARIANTS: tuple[Variant, ...] = ("plain", "noise", "upgrade")
JOBS = (
    Job("long", 11),
    Job("unreadable", 4, "source"),
    Job("short", 8),
    Job("refused", 4, "model"),
    Job("clip", 6),
    Job("spot", 5),
)
READ_BY_OWNERS = ("frames", "detections", "tracks", "totals")

STORM = 5_000  # micro-steps during which faults happen, at the most
REST = 600  # micro-steps without any change after which the world is at rest
STALL = (
    3_000  # the same after the storm, while a job has not ended: in it nobody may get any further for long
)
IDLE = 12  # longest wait of a reader for the first record, in micro-steps
EVERYTHING = frozenset(name for name in dir(World) if not name.startswith("_"))
LOG_WRITES = frozenset({"append"})  # a broker that can be read but takes nothing, as with a full disk
_NOTHING: Any = object()


@dataclass
class Role:
    """A place that is always filled: when its process dies another one starts.

    Attributes:
        make: a new process of a member, as a generator and the object behind it, if it has one.
        pause: longest sleep between two calls, in micro-steps.
        owned: whether it works only while `Members` names it.
    """

    name: str
    make: Callable[[int], Any]
    pause: int = 0
    owned: bool = False


@dataclass(slots=True)
class Actor:
    """A running process.

    Attributes:
        number: of the process, and of the member that it is.
        member: 0 where its role has no owner.
        zombie: another one has taken its place.
    """

    role: Role
    process: Any
    number: int = 0
    member: int = 0
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
        relayed, asks_first = self.rng.random() < 0.5, self.rng.random() < 0.5
        self.world = World(self.rules, self.chaos, self.rng, relayed=relayed, asks_first=asks_first)
        self.group = Group(self.rules, self.world, self.rng, self.stand_by)
        self.processes = 0
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
        self.rot_at = self.remade_at = -1
        if self.stormy:
            self.world.mishaps = 1
            self.disturb()

    def disturb(self) -> None:
        """What users, operators, disks and strangers do, now and then."""
        rng, world = self.rng, self.world
        job_id = rng.choice(JOBS).job_id
        if rng.random() < 0.4:
            role = Role("cancel", lambda _: (actors.cancel(world, job_id), None))
            self.start(role, asleep_until=rng.randrange(3_000))
        if rng.random() < 0.3:
            self.start(Role("remove", lambda _: (actors.remove(world, job_id), None), 20))
        if rng.random() < 0.2:
            self.start(Role("stranger", lambda _: (actors.stranger(world), None)))
        if rng.random() < 0.1:
            self.rot_at = rng.randrange(3_000)
        elif rng.random() < 0.05:
            self.remade_at = rng.randrange(200, 2_500)

    def roles(self) -> list[Role]:
        """Every process of the service; the clients first."""
        world = self.world

        def owned(name: str, make: Callable[[int], Any]) -> Role:
            return Role(name, lambda member: ((worker := make(member)).run(), worker), owned=True)

        def fold(name: str, stage: Callable[[], Any], topic: str) -> Role:
            return owned(name, lambda member: FoldWorker(world, member, stage(), topic))

        def detect(partition: int) -> Role:
            return owned(f"detect {partition}", lambda member: producers.Detect(world, member, partition))

        def plain(name: str, make: Callable[[], Any], pause: int = 0) -> Role:
            return Role(name, lambda _: (make(), None), pause)

        return [
            *(plain(f"upload {job.job_id}", lambda j=job: actors.upload(world, j)) for job in JOBS),
            owned("feed", lambda member: producers.Feed(world, member)),
            *(detect(p) for p in range(producers.FRAME_PARTITIONS)),
            fold("track", lambda: Track(world.tracker_version), "detections"),
            fold("stats", Stats, "tracks"),
            *(fold(f"collect {kind}", Collect, kind) for kind in KINDS),
            plain("publish", lambda: actors.publish(world, tuple(j.job_id for j in JOBS)), 10),
            plain("retention", lambda: actors.retention(world), 40),
            plain("reaper", lambda: actors.reaper(world), 40),
            *([plain("relay", lambda: actors.relay(world))] if world.relayed else []),
            *([plain("broker", lambda: actors.broker(world), 40)] if self.stormy else []),
        ]

    def run(self) -> World:
        """Until nothing changes any more."""
        world, changed_at, changes = self.world, 0, -1
        while world.clock - changed_at < REST or (
            world.clock - max(changed_at, self.storm_ends) < STALL and not self.ended()
        ):
            world.clock += 1
            self.happen()
            now = world.clock
            awake = [actor for actor in self.actors if actor.asleep_until <= now]
            if awake:
                self.micro_step(self.rng.choice(awake))
            if world.changes != changes:
                changed_at, changes = world.clock, world.changes
        return world

    def happen(self) -> None:
        """What no process does."""
        if self.world.clock == self.upgrade_at:
            self.upgrade()
        if self.world.clock == self.rot_at:
            self.carry_out(self.world.rot)
        if self.world.clock == self.remade_at:
            self.carry_out(partial(self.world.make_again, self.rng.choice(READ_BY_OWNERS)))
        storm = self.storm()
        if storm or self.group.busy():
            self.group.tick(self.actors, storm=storm)

    def ended(self) -> bool:
        """Whether every job has come to its end, and nothing is left to be read or to be purged."""
        world = self.world
        known = len(world.jobs) + len(world.removed - set(world.jobs))
        alive = [job for job in world.jobs.values() if job.state not in TERMINAL]
        return known == len(JOBS) and not alive and not world.lagging() and not world.unpurged()

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
            answer = self.carry_out(call)
        except SightlineError as error:
            return error
        return Unavailable("answer lost") if lost else answer

    def carry_out(self, call: Callable[[], Any]) -> Any:
        """The effect itself."""
        return call()

    def deliver(self, actor: Actor) -> None:
        """Bring the answer back; the process goes on to its next call."""
        answer, actor.answer = actor.answer, _NOTHING
        if answer == [] or actor.role.pause:  # who finds nothing waits
            actor.asleep_until = self.world.clock + self.rng.randrange(actor.role.pause or IDLE)
        if isinstance(answer, Fenced) and self.world.clock > max(self.storm_ends, self.remade_at) + SETTLED:
            self.group.fenced_in_calm(actor)
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
            self.stopped(actor, error.code)
            return
        self.called(actor, actor.call)
        if isinstance(actor.call, producers.Dies):
            self.die(actor)

    def called(self, actor: Actor, call: Any) -> None:
        """A process is about to make a call: nobody listens here."""

    def stopped(self, actor: Actor, code: str) -> None:
        """A process ended with an error that it did not expect."""
        self.world.broken.append(f"{actor.role.name} stopped loudly: {code}")
        self.actors.remove(actor)

    def kill(self, actor: Actor) -> None:
        """A process dies; perhaps it only seems to."""
        roles = [other.role for other in self.actors if other.zombie]
        if not actor.zombie and actor.role not in roles and self.rng.random() < self.chaos.zombie:
            actor.zombie = True
            actor.asleep_until = self.world.clock + self.rng.randrange(300)
            self.group.outlived(actor)
            self.start(actor.role)
        else:
            self.die(actor)

    def die(self, actor: Actor) -> None:
        """All that the process held is gone; a zombie has no successor."""
        self.actors.remove(actor)
        self.group.died(actor)
        if not actor.zombie:
            self.start(actor.role)

    def start(self, role: Role, asleep_until: int = 0, *, named: bool = True) -> Actor:
        """A new process, named at once where its role has an owner."""
        self.processes += 1
        process, owner = role.make(self.processes)
        number = self.processes
        actor = Actor(role, process, number, number if role.owned else 0, owner, asleep_until=asleep_until)
        self.actors.append(actor)
        if role.owned and named:
            self.world.members.name(actor.member)
        self.go_on(actor)
        return actor

    def stand_by(self, owner: Actor) -> Actor:
        """A further process of a role, that owns nothing yet."""
        actor = self.start(owner.role, named=False)
        actor.zombie = True
        return actor

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
