"""Bugs planted on purpose: each is found, and only by them the schedules go wrong."""

import pytest

from tests.crash.checks import hunt
from tests.crash.mutants import MUTANTS
from tests.crash.schedules import bench
from tests.crash.world import PARTS

AT_MOST = (
    120  # schedules; two dozen are enough for all but one: a feeder must die when all that it fed is released
)

pytestmark = pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")


@pytest.fixture(scope="module")
def place():
    with bench() as place:
        yield place


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_planted_bug_is_found(place, mutant):
    """A schedule goes red with it, and the same schedules are green without."""
    took, found = hunt(place, mutant.kind, mutant.parts, mutant.point, mutant.scene, AT_MOST)

    assert found, f"{mutant.does}: nothing in {took} schedules"
    print(f"| {mutant.name} | {mutant.does} | {mutant.kind} | {took} | {found[:90]} |")
    assert hunt(place, mutant.kind, PARTS, mutant.point, mutant.scene, took)[1] == ""
