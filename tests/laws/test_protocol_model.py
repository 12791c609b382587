"""The protocol survives every schedule of the model, and needs each of its rules (docs/decisions/002-protocol.md).

Seeds are part of each message: `python -m tests.model` runs more of them.
"""

from itertools import product

import pytest

from tests.model.checks import findings
from tests.model.rules import NAMES, WITHOUT, Rules
from tests.model.schedules import VARIANTS, Schedule, Variant, calm_world, run

SCHEDULES = 60
SEARCH = 600  # schedules tried until one goes wrong without a rule; it takes one to a few dozen


def first_harm(
    rules: Rules, variants: tuple[Variant, ...], schedules: int
) -> tuple[int, Variant, list[str]] | None:
    """The first schedule that goes wrong: its seed, its variant and what was found."""
    for seed, variant in product(range(schedules), variants):
        if found := run(seed, rules, variant):
            return seed, variant, found
    return None


def test_the_undisturbed_world_publishes_every_job_that_can_be():
    """Without faults every job ends, those that have no source or no model by themselves, and nothing is found."""
    world = calm_world()

    assert {job.job_id: job.code for job in world.jobs.values() if job.state == "failed"} == {
        "unreadable": "unreadable",
        "refused": "model",
    }
    assert {job.state for job in world.jobs.values() if not job.trouble} == {"ready"}
    assert findings(world, world) == []


@pytest.mark.parametrize("variant", VARIANTS)
def test_with_all_rules_no_schedule_does_harm(variant):
    """Kills, zombies, outages, repeated and shuffled records, an upgrade in between: the result stands."""
    assert first_harm(Rules(), (variant,), SCHEDULES) is None


@pytest.mark.parametrize("name", NAMES)
def test_without_one_rule_a_schedule_goes_wrong(name):
    """No rule is decoration."""
    harm = first_harm(Rules().without(name), VARIANTS, SEARCH)

    assert harm is not None, f"{WITHOUT[name]}: no harm in {SEARCH} schedules of each variant"


def test_determinism_hides_torn_state():
    """Outputs ahead of the state harm nobody until the code changes between crash and replay."""
    rules = Rules().without("outputs_with_state")

    assert first_harm(rules, ("plain",), SCHEDULES) is None
    assert first_harm(rules, ("upgrade",), SCHEDULES) is not None


def test_a_frame_that_looks_the_same_twice_hides_who_won():
    """The last record may win for as long as it says what the first one said."""
    rules = Rules().without("first_wins")

    assert first_harm(rules, ("plain",), SCHEDULES) is None
    assert first_harm(rules, ("noise",), SCHEDULES) is not None


def test_a_seed_decides_everything():
    """A schedule can be played again, record by record."""
    first, second = (Schedule(7, variant="upgrade").run() for _ in range(2))

    assert (first.clock, first.history, first.rows) == (second.clock, second.history, second.rows)
    assert first.history != Schedule(8, variant="upgrade").run().history
