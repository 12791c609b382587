"""Histories: what each owner of a schedule asked of the world, and what it was answered.

A history is all that the owners saw: records with their offsets, words that named them, answers that got lost, the
call at which they died. `tests.model.replay` gives the same to the workers of `sightline.runtime`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.model.members import Members
from tests.model.rules import Rules
from tests.model.schedules import Actor, Role, Schedule, Variant
from tests.model.values import CALM, Chaos
from tests.model.world import World

UNANSWERED: Any = object()  # whoever asked did not live to hear it
DIES = "dies"  # its own work ends it
WORD = "word"  # the look at `Members` with which each step begins


@dataclass(slots=True)
class Call:
    """A call of a process.

    Attributes:
        name, args: of the method.
        answer: what it heard: a value, an error, or nothing any more.
        offset: of the frame that it is at, if it is at one.
    """

    name: str
    args: tuple[Any, ...] = ()
    answer: Any = UNANSWERED
    offset: int | None = None


@dataclass(slots=True)
class Life:
    """One process that may own something, from its start to its death or to the end of the schedule.

    Attributes:
        role, worker: which one, and the model's object behind it.
        calls: in their order; the last one was not answered, unless the process stopped loudly.
        stopped: code of the error with which it stopped loudly, if it did.
    """

    role: str
    worker: Any
    calls: list[Call] = field(default_factory=list)
    stopped: str = ""


@dataclass(slots=True)
class History:
    """A schedule as its owners saw it."""

    seed: int
    variant: Variant
    world: World
    lives: list[Life]


class _HeardMembers(Members):
    """`Members` that write down who was told what."""

    def __init__(self, hear: Callable[[int, int | None], None]) -> None:
        super().__init__()
        self._hear = hear

    def word(self, member: int) -> int | None:
        """See `Members`."""
        word = self.words.get(member)
        self._hear(member, word)
        return word


class _Recorded(Schedule):
    """A schedule that writes down what its owners see. It draws the same numbers as one that does not."""

    def __post_init__(self) -> None:
        self.lives: dict[int, Life] = {}
        super().__post_init__()

    def roles(self) -> list[Role]:
        """See `Schedule`; called before the first process starts."""
        self.world.members = _HeardMembers(self._hear)
        return super().roles()

    def _hear(self, member: int, word: int | None) -> None:
        self.lives[member].calls.append(Call(WORD, (), word))

    def go_on(self, actor: Actor, answer: Any = None) -> None:
        """See `Schedule`."""
        life = self._life(actor)
        if life is not None and life.calls and life.calls[-1].answer is UNANSWERED:
            life.calls[-1].answer = answer
        super().go_on(actor, answer)

    def called(self, actor: Actor, call: Any) -> None:
        """See `Schedule`."""
        life = self._life(actor)
        if life is not None:
            name = getattr(getattr(call, "func", call), "__name__", DIES)
            args = getattr(call, "args", ()), getattr(call, "keywords", {})
            at = getattr(actor.owner, "offset", None)
            life.calls.append(Call(name, (*args[0], *args[1].values()), offset=at))

    def stopped(self, actor: Actor, code: str) -> None:
        """See `Schedule`."""
        super().stopped(actor, code)
        life = self._life(actor)
        if life is not None:
            life.stopped = code

    def _life(self, actor: Actor) -> Life | None:
        if not actor.member:
            return None
        return self.lives.setdefault(actor.member, Life(actor.role.name, actor.owner))


def recorded(
    seed: int, rules: Rules | None = None, variant: Variant = "plain", *, calm: bool = False
) -> History:
    """The history of one schedule."""
    schedule = _Recorded(seed, rules or Rules(), variant, CALM if calm else Chaos())
    world = schedule.run()
    return History(seed, variant, world, list(schedule.lives.values()))
