"""One process alone, and a group that a test moves about, keep the contract of `Members`."""

import pytest

from sightline.adapters.members import StaticMembers
from sightline.ports import Owned
from sightline.testing import ScriptedGroup
from tests.conformance.suite_members import MembersSuite


class TestStaticMembers(MembersSuite):
    @pytest.fixture
    def members(self):
        return StaticMembers("serve")


class TestScriptedMembers(MembersSuite):
    MANY = True

    @pytest.fixture(autouse=True)
    def _group(self):
        self.group = ScriptedGroup()

    @pytest.fixture
    def members(self):
        return self.group.member("alone")

    def member(self, name):
        return self.group.member(name)

    def hand(self, what, to):
        self.group.hand(what, to)

    def test_a_partition_may_belong_to_nobody_for_a_while(self, members):
        """As while a group is rearranged."""
        members.join("detect", {"frames": 1})

        self.group.hand(Owned("detect", "frames", 0), None)

        assert members.owned() == frozenset()

    def test_nobody_gets_what_it_does_not_read(self, members):
        """A mistake of the test."""
        members.join("detect", {"frames": 1})

        for what in (Owned("detect", "frames", 1), Owned("track", "frames", 0)):
            with pytest.raises(ValueError, match="does not read"):
                self.group.hand(what, "alone")


def test_the_process_of_a_service_has_its_name_in_reports():
    """One line of its health."""
    members = StaticMembers("serve")
    members.join("detect", {"frames": 1})
    members.report({"frames": 7})

    assert members.reports() == {"serve": {"frames": 7}}
