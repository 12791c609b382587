"""Bugs planted in the members over consumer groups: each makes the test that is named beside it fail."""

from pathlib import Path

import pytest

from sightline.adapters.kafka.members import KafkaMembers
from sightline.ports import Owned
from tests.conformance import test_kafka_members as members
from tests.conformance.kafka import until

SOON_S = 20.0  # what a group does takes a second or two


@pytest.fixture(scope="module")
def bootstrap(server):
    return server("kafka")["bootstrap"]


def revoked_kept(patch):
    """what the group takes away is kept"""
    patch.setattr(
        KafkaMembers, "_unnamed", lambda self, role, parts: role.consumer.incremental_unassign(parts)
    )


def session_not_asked(patch):
    """who stood still for a session goes on by what it knew"""
    patch.setattr(KafkaMembers, "owned", lambda self: self._owned)


def rejoins_as_owner(patch):
    """who asks to be named anew goes on meanwhile"""

    def rejoin(self, role):
        role.consumer.unsubscribe()
        self._subscribe(role)

    patch.setattr(KafkaMembers, "_rejoin", rejoin)


def all_named(patch):
    """partitions that the pipeline does not know are named too"""
    plain = KafkaMembers._named

    def named(self, role, parts):
        plain(self, role, parts)
        self._owned = self._owned | {Owned(role.name, part.topic, part.partition) for part in parts}

    patch.setattr(KafkaMembers, "_named", named)


PLANTED = [
    (revoked_kept, members.test_who_joins_later_takes_a_share_and_the_rest_stays),
    (
        session_not_asked,
        members.test_who_was_not_heard_of_for_a_session_owns_nothing_until_it_is_named_anew,
    ),
    (rejoins_as_owner, members.test_a_role_named_anew_was_unnamed_meanwhile),
    (all_named, members.test_partitions_that_the_pipeline_does_not_know_are_not_named),
]


@pytest.mark.parametrize(("bug", "test"), PLANTED, ids=lambda one: one.__name__)
def test_a_planted_bug_is_found(bootstrap, bug, test):
    """With it the test fails; without it passes, which it does in its own place."""
    group = members.Group(bootstrap)
    with pytest.MonkeyPatch.context() as patch:
        bug(patch)
        patch.setattr(members, "until", lambda holds: until(holds, SOON_S))
        try:
            with pytest.raises(AssertionError):
                test(group)
        finally:
            group.close()


def test_the_docs_name_each_bug():
    """With the test that finds it."""
    page = (Path(__file__).parents[2] / "docs" / "reliability.md").read_text()
    for bug, test in PLANTED:
        assert f"| {bug.__doc__} | `{test.__name__}` |" in page
