"""Histories: what the processes of a schedule asked of the world, and what they were answered.

A history is all that they saw: records with their offsets, words that named owners, answers that got lost, the call at
which each of them died; and all that the world did, in its order. `tests.model.replay` plays it again on the product.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sightline.errors import SightlineError
from tests.model.members import Members
from tests.model.rules import Rules
from tests.model.schedules import Actor, Role, Schedule, Variant
from tests.model.values import Record
from tests.model.world import World

UNANSWERED: Any = object()  # whoever asked did not live to hear it
DIES = "dies"  # its own work ends it
WORD = "word"  # the look at `Members` with which each step begins
WITHOUT_OWNER = ("relay", "retention")  # processes of the runtime all the same


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
    """One process, from its start to its death or to the end of the schedule.

    Attributes:
        role, worker: which one, and the model's object behind it, if there is one.
        calls: in their order; the last one was not answered, unless the process stopped loudly.
        stopped: code of the error with which it stopped loudly, if it did.
    """

    role: str
    worker: Any
    calls: list[Call] = field(default_factory=list)
    stopped: str = ""


@dataclass(slots=True)
class Effect:
    """What the world did.

    Attributes:
        call: method and arguments; its answer is what the world gave, whoever heard it.
        written: what the log then held more: place and record.
    """

    call: Call
    written: list[tuple[str, int, Record]]


@dataclass(slots=True)
class History:
    """A schedule as its processes saw it, and as the world did."""

    seed: int
    variant: Variant
    world: World
    lives: list[Life]
    effects: list[Effect]


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
    """A schedule that is written down. It draws the same numbers as one that is not."""

    def __post_init__(self) -> None:
        self.lives: dict[int, Life] = {}
        self.effects: list[Effect] = []
        self._seen: dict[tuple[str, int], int] = {}
        self._changes = 0
        super().__post_init__()

    def roles(self) -> list[Role]:
        """See `Schedule`; asked for before the first process starts."""
        self.world.members = _HeardMembers(self._hear)
        return super().roles()

    # --- what the processes see

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
            made = _call_of(call)
            made.offset = getattr(actor.owner, "offset", None)
            life.calls.append(made)

    def stopped(self, actor: Actor, code: str) -> None:
        """See `Schedule`."""
        super().stopped(actor, code)
        life = self._life(actor)
        if life is not None:
            life.stopped = code

    def _life(self, actor: Actor) -> Life | None:
        if not actor.member and actor.role.name not in WITHOUT_OWNER:
            return None
        if actor.number not in self.lives:
            self.lives[actor.number] = Life(actor.role.name, actor.owner)
        return self.lives[actor.number]

    # --- what the world does

    def carry_out(self, call: Callable[[], Any]) -> Any:
        """See `Schedule`."""
        made = _call_of(call)
        try:
            made.answer = super().carry_out(call)
        except SightlineError as error:
            made.answer = error
            raise
        finally:
            self._happened(made)
        return made.answer

    def _happened(self, call: Call) -> None:
        if call.name == "make_again":
            self._seen = {place: n for place, n in self._seen.items() if place[0] != call.args[0]}
        changed, self._changes = self._changes != self.world.changes, self.world.changes
        self.effects.append(Effect(call, self._written() if changed else []))

    def _written(self) -> list[tuple[str, int, Record]]:
        written = []
        for place, log in self.world.history.items():
            written += [(*place, record) for record in log[self._seen.get(place, 0) :]]
            self._seen[place] = len(log)
        return written


def _call_of(call: Any) -> Call:
    name = getattr(getattr(call, "func", call), "__name__", DIES)
    return Call(name, (*getattr(call, "args", ()), *getattr(call, "keywords", {}).values()))


def recorded(seed: int, rules: Rules | None = None, variant: Variant = "plain") -> History:
    """The history of one schedule."""
    schedule = _Recorded(seed, rules or Rules(), variant)
    with _all_lives():
        world = schedule.run()
    return History(seed, variant, world, list(schedule.lives.values()), schedule.effects)


@contextmanager
def _all_lives() -> Iterator[None]:
    """All that is written down stays: to look for garbage in it again and again takes longer than to write it."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
