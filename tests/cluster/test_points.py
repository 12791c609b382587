"""Processes of a cluster that die before, in and after durable steps, in short; by hand: `python -m tests.cluster.points`."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.cluster.points import POINTS, rounds, run
from tests.servers.programs import Missing

SOME = [
    "upload.create.in",
    "feed.append.in",
    "track.commit.in",
    "relay.sent.before",
    "publish.advance.after",
]


@pytest.mark.timeout(1200)  # a dozen processes and servers come up, and some again
def test_whatever_dies_within_a_step_the_result_is_that_of_one_machine():
    """Once each: released by every stage, sent, ready, and no object written a second time."""
    with TemporaryDirectory(prefix="points-") as folder:
        try:
            wrong = [text for reached in run(Path(folder), [SOME]) for text in reached.wrong]
        except Missing as lack:
            if os.environ.get("CI"):
                pytest.fail(f"CI must have it: {lack}")
            pytest.skip(f"needs servers: {lack}")
    assert not wrong


def test_each_point_is_in_one_round():
    """And no round has two of one role, which would hide one behind the other."""
    plan = [*rounds()]

    assert sorted(point for some in plan for point in some) == sorted(POINTS)
    assert all(len({point.partition(".")[0] for point in some}) == len(some) for some in plan)
