"""Who names the owners: a consumer group, or a supervisor, as the processes feel it.

One process of a role is the true owner. What the others have heard is late: who was killed and lives on, or was
relieved, may believe for a while that it still owns its partition.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING

from tests.model.rules import Rules
from tests.model.world import World

if TYPE_CHECKING:
    from tests.model.schedules import Actor

HAND_OVER = 0.004  # per micro-step, while faults happen
LATE = 200  # micro-steps until the last member has heard
SETTLED = 1_000  # micro-steps after the last fault: from here on nobody may fence anybody


class Group:
    """Names members, and hands partitions from one to another.

    Args:
        rules, world, rng: of the schedule.
        start: a further process of the role of an actor.
    """

    def __init__(self, rules: Rules, world: World, rng: Random, start: Callable[[Actor], Actor]) -> None:
        self.rules, self.world, self.rng, self.start = rules, world, rng, start
        self.agenda: list[tuple[int, int, bool]] = []
        self.fences: dict[int, int] = {}

    def busy(self) -> bool:
        """Whether a word is on its way, or somebody waits for one."""
        return bool(self.agenda or self.world.members.fenced)

    def tick(self, actors: list[Actor], *, storm: bool) -> None:
        """Deliver the words that are due, name anew who was fenced by a stale owner; in a storm, move partitions."""
        due = [item for item in self.agenda if item[0] <= self.world.clock]
        for item in due:
            self.agenda.remove(item)
            _, member, named = item
            (self.world.members.name if named else self.world.members.unname)(member)
        if self.world.members.fenced and self.rules.named_anew and self.world.clock % 20 == 0:
            for actor in actors:
                if actor.member in self.world.members.fenced and not actor.zombie:
                    self.world.members.name(actor.member)
        if storm and self.rng.random() < HAND_OVER:
            owners = [actor for actor in actors if actor.member and not actor.zombie and not actor.spared]
            self.hand_over(self.rng.choice(owners), actors)

    def hand_over(self, owner: Actor, actors: list[Actor]) -> None:
        """Relieve an owner: cleanly, so that it may release, or so that two believe they own the partition."""
        others = [other for other in actors if other.role is owner.role and other is not owner]
        other = others[0] if others else self.start(owner)
        owner.zombie, other.zombie = True, False
        self.agenda = [item for item in self.agenda if item[1] not in (owner.member, other.member)]
        clean = self.rng.random() < 0.5
        first, second = self.world.clock, self.world.clock + self.rng.randrange(1, LATE)
        self.agenda += [(first, owner.member, False), (second, other.member, True)]
        if not clean:
            self.agenda[-2:] = [(first, other.member, True), (second, owner.member, False)]

    def outlived(self, actor: Actor) -> None:
        """A process that was taken for dead lives on: it hears late that it owns nothing any more."""
        self.agenda = [item for item in self.agenda if item[1] != actor.member]
        self.agenda.append((actor.asleep_until + self.rng.randrange(LATE), actor.member, False))

    def died(self, actor: Actor) -> None:
        """A process is gone."""
        self.agenda = [item for item in self.agenda if item[1] != actor.member]
        self.world.members.unname(actor.member)

    def fenced_in_calm(self, actor: Actor) -> None:
        """Once may be a late word; twice, two owners fence each other."""
        self.fences[actor.member] = self.fences.get(actor.member, 0) + 1
        if self.fences[actor.member] == 2:
            self.world.broken.append("owners fence each other though nothing happens")
