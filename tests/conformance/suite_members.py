"""What every `Members` must do. A backend's test class gives the fixture `members`, of a process that is alone.

Switch `MANY`: several processes share the work; then the class has the methods `member(name)`, which makes one of them,
and `hand(what, to)`, which moves a partition to the process of that name. Switch `HANDED`: somebody can say who gets which
partition, so there is such a method; in a group that shares out by itself there is none.
"""

import time

import pytest

from sightline.ports import Members, Owned

FRAMES = {"frames": 3, "jobs": 1}
ALL = {Owned("detect", "frames", number) for number in range(3)} | {Owned("detect", "jobs", 0)}


def until(holds) -> None:
    """Groups take their time."""
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.005)


class MembersSuite:
    MANY = False
    HANDED = True

    @pytest.fixture
    def several(self):
        if not self.MANY:
            pytest.skip("one process does all the work here")
        return self.member("one"), self.member("two")

    def member(self, name: str) -> Members:
        raise NotImplementedError("a backend that shares the work makes its processes here")

    def hand(self, what: Owned, to: str) -> None:
        raise NotImplementedError("a backend that shares the work moves partitions here")

    def test_who_takes_part_in_nothing_owns_nothing(self, members: Members):
        """Nor is there anything to leave."""
        assert members.owned() == frozenset()
        members.leave()
        assert members.reports() == {}

    def test_who_is_alone_owns_every_partition(self, members: Members):
        """Of each topic that its role reads."""
        members.join("detect", FRAMES)

        until(lambda: members.owned() == ALL)

    def test_joining_again_changes_nothing(self, members: Members):
        """A start that is repeated is harmless."""
        members.join("detect", FRAMES)
        members.join("detect", FRAMES)

        until(lambda: members.owned() == ALL)

    def test_who_gives_up_a_role_is_named_anew(self, members: Members):
        """For who was fenced by a stale owner; its other roles stay."""
        members.join("detect", FRAMES)
        members.join("track", {"found": 1})
        track = Owned("track", "found", 0)
        until(lambda: members.owned() == ALL | {track})

        members.rejoin("detect")

        assert track in members.owned()
        until(lambda: members.owned() == ALL | {track})

    def test_roles_are_apart(self, members: Members):
        """Two roles that read a topic own it each for itself."""
        members.join("track", {"found": 1})
        members.join("collect", {"found": 1})

        until(lambda: members.owned() == {Owned("track", "found", 0), Owned("collect", "found", 0)})

    def test_a_report_takes_the_place_of_the_one_before(self, members: Members):
        """By the name of the process; it is a copy."""
        members.join("detect", FRAMES)
        assert members.reports() == {}
        counters = {"frames": 1, "fenced": 0}
        members.report(counters)
        counters["frames"] = 99
        until(lambda: [*members.reports().values()] == [{"frames": 1, "fenced": 0}])

        members.report({"frames": 2})

        until(lambda: [*members.reports().values()] == [{"frames": 2}])

    def test_who_has_left_owns_and_reports_nothing(self, members: Members):
        """Until it joins again, and reports anew."""
        members.join("detect", FRAMES)
        members.report({"frames": 1})
        members.leave()
        members.leave()
        assert members.owned() == frozenset()
        assert members.reports() == {}

        members.join("track", {"found": 1})

        until(lambda: members.owned() == {Owned("track", "found", 0)})
        assert members.reports() == {}

    def test_of_several_each_partition_has_one_owner(self, several):
        """And every one has one."""
        one, two = several
        for each in (one, two):
            each.join("detect", FRAMES)

        until(lambda: one.owned() | two.owned() == ALL and not one.owned() & two.owned())

    def test_a_partition_moves_from_one_to_another(self, several):
        """Whoever loses it learns so by asking."""
        if not self.HANDED:
            pytest.skip("this group shares out by itself")
        one, two = several
        for each in (one, two):
            each.join("detect", FRAMES)
        for what in ALL:
            self.hand(what, "one")
        until(lambda: one.owned() == ALL)

        self.hand(Owned("detect", "frames", 1), "two")

        until(lambda: two.owned() == {Owned("detect", "frames", 1)})
        until(lambda: one.owned() == ALL - two.owned())

    def test_those_that_stay_take_over_from_one_that_leaves(self, several):
        """Its reports go with it, theirs stay."""
        one, two = several
        for each in (one, two):
            each.join("detect", FRAMES)
            each.report({"frames": 5})
        until(lambda: len(two.reports()) == 2)

        one.leave()

        until(lambda: two.owned() == ALL)
        until(lambda: len(two.reports()) == 1)
        assert one.owned() == frozenset()
