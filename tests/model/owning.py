"""What every worker does with its partition: wait for its name, claim, work, leave. And the calls they share."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import suppress
from functools import partial
from typing import Any

from sightline.errors import Corrupt, Fenced, NotFound, Unavailable
from sightline.ports import Commit, Position
from tests.model.world import World

Process = Generator[Any, Any, Any]


def own(world: World, member: int, take: Callable[[], Process], work: Callable[[Any], Process]) -> Process:
    """Own a partition whenever `Members` says so.

    Args:
        world: where it lives.
        member: under which name.
        take: claims; what it returns is held, and has the position as `at`.
        work: one step with what is held.
    """
    rules, members = world.rules, world.members
    held = lost_at = None
    while True:
        word = members.word(member)
        try:
            if rules.fenced_waits and (word is None or word == lost_at):
                if held is not None:
                    held, left = None, held
                    yield from leave(world, left.at)
                yield world.nothing
                continue
            held = held or (yield from take())
            yield from work(held)
        except Unavailable:
            held = None if rules.drop_memory else held
        except Fenced:
            held, lost_at = None, word
            members.report_fenced(member, word)


def leave(world: World, at: Position) -> Process:
    """Give a partition up cleanly: whoever claims it next need not suspect that a record ended this owner."""
    if world.rules.release:
        yield partial(world.release, at)
    if world.rows[at.stage, at.topic, at.partition].epoch == at.epoch:
        world.left.add((at.topic, at.partition))


def claim(world: World, stage: str, topic: str, partition: int) -> Process:
    """Position and identity of a topic that is read from now on."""
    identity = yield partial(world.identity, topic)
    return (yield partial(world.claim, stage, topic, partition, identity)), identity


def read(world: World, at: Position, offset: int, limit: int, identity: int) -> Process:
    """Entries of a claimed partition. Records that are gone are loud, unless another owner moved on meanwhile."""
    try:
        return (yield partial(world.read, at.topic, at.partition, offset, limit, identity))
    except Corrupt as gap:
        if world.rules.gap_asks_owner and not (yield partial(world.is_mine, at)):
            raise Fenced(f"{at.stage} on {at.topic}/{at.partition}") from gap
        raise


def commit(world: World, what: Commit) -> Process:
    """Position and whether the job is alive, asked within the commit or, where it is one insert, just before."""
    seen = (yield partial(world.is_alive, what.job_id)) if world.asks_first and what.job_id else None
    return (yield partial(world.commit, what, seen))


def row_of(world: World, job_id: str) -> Process:
    """The row of a job; None where it was removed."""
    try:
        return (yield partial(world.get, job_id))
    except NotFound:
        if not world.rules.gone_is_ended:
            raise
        return None


def ends(world: World, job_id: str, code: str) -> Process:
    """End one job; whoever was faster, or removed it, is right too."""
    with suppress(NotFound):
        yield partial(world.advance, job_id, "failed", code=code)
