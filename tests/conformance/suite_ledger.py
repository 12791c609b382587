"""What every `Ledger` must do. A backend's test class gives the fixture `store`: ledger, jobs and log in one."""

from dataclasses import replace

import pytest

from sightline.errors import Fenced
from sightline.ports import Commit, Job, Outgoing, Saved

OUT = Outgoing("out", 0, "j1", b"result")


def fold(at, low_water=5, **changes) -> Commit:
    return replace(Commit(at, low_water, "j1", "a", Saved(3, b"\x00state"), (OUT,)), **changes)


class LedgerSuite:
    @pytest.fixture(autouse=True)
    def _job(self, store):
        store.create(Job("j1", "street", 0, "key", {}, ("a", "b")), [])

    def test_a_first_claim_begins_at_zero(self, store):
        """Epoch 1, nothing released."""
        at = store.claim("track", "t", 0)

        assert (at.stage, at.topic, at.partition, at.epoch, at.commit_no, at.low_water) == (
            "track",
            "t",
            0,
            1,
            0,
            0,
        )
        assert store.load("track", "j1", "a") is None

    def test_state_outputs_and_position_appear_together(self, store):
        """One commit writes all three."""
        at = store.claim("track", "t", 0)

        after, alive = store.commit(fold(at))

        assert alive
        assert (after.commit_no, after.low_water) == (1, 5)
        assert store.load("track", "j1", "a") == Saved(3, b"\x00state")
        assert [entry.value for entry in store.read("out", 0, 0, 10, 0)] == [b"result"]
        assert store.progress("j1") == {("track", "a"): 3}
        assert list(store.positions("t")) == [after]

    def test_a_new_owner_goes_on_where_the_last_commit_stood(self, store):
        """Claiming raises the epoch and keeps the rest."""
        at, _ = store.commit(fold(store.claim("track", "t", 0)))

        new = store.claim("track", "t", 0)

        assert new == replace(at, epoch=at.epoch + 1)

    def test_an_owner_that_never_moved_leaves_the_position_stuck(self, store):
        """The next one knows that something at the low water may end the process."""
        first = store.claim("track", "t", 0)
        assert not first.stuck
        second = store.claim("track", "t", 0)
        assert second.stuck

        store.commit(fold(second))

        assert not store.claim("track", "t", 0).stuck

    def test_attempts_are_counted_until_the_low_water_moves(self, store):
        """Over all owners: a record that ends the process is known after three."""
        at = store.claim("detect", "t", 0)
        at, _ = store.commit(Commit(at, 0, attempt=True))
        at = store.claim("detect", "t", 0)
        at, _ = store.commit(Commit(at, 0, attempt=True))
        assert (at.attempts, at.low_water) == (2, 0)
        assert store.claim("detect", "t", 0).attempts == 2

        at = store.claim("detect", "t", 0)
        at, _ = store.commit(Commit(at, 1))

        assert at.attempts == 0
        assert store.claim("detect", "t", 0).attempts == 0

    def test_an_old_owner_is_fenced_and_writes_nothing(self, store):
        """After another claim the first owner's commit has no effect."""
        old = store.claim("track", "t", 0)
        new = store.claim("track", "t", 0)

        with pytest.raises(Fenced):
            store.commit(fold(old))

        assert store.load("track", "j1", "a") is None
        assert store.read("out", 0, 0, 10, 0) == []
        store.commit(fold(new))

    def test_the_same_position_commits_once(self, store):
        """The commit number is compared even where the low water stands still."""
        at = store.claim("track", "t", 0)
        store.commit(fold(at, low_water=0))

        with pytest.raises(Fenced):
            store.commit(fold(at, low_water=0, saved=Saved(9, b"other")))

        assert store.load("track", "j1", "a") == Saved(3, b"\x00state")
        assert len(store.read("out", 0, 0, 10, 0)) == 1

    def test_stages_and_partitions_do_not_disturb_each_other(self, store):
        """Positions and states are told apart by all their names."""
        first = store.claim("track", "t", 0)
        store.claim("stats", "t", 0)
        store.claim("track", "t", 1)

        store.commit(fold(first))

        assert store.load("stats", "j1", "a") is None
        assert store.load("track", "j1", "b") is None
        assert [(p.stage, p.partition, p.low_water) for p in store.positions("t")] == [
            ("stats", 0, 0),
            ("track", 0, 5),
            ("track", 1, 0),
        ]

    def test_a_position_may_move_alone(self, store):
        """Stateless stages commit no state."""
        at = store.claim("detect", "t", 0)

        after, alive = store.commit(Commit(at, 7))

        assert alive
        assert after.low_water == 7
        assert store.progress("j1") == {}

    @pytest.mark.parametrize("end", ["failed", "cancelled", "ready"])
    def test_of_a_dead_job_only_the_position_moves(self, store, end):
        """Outputs of a job that ended are dropped, and the stage goes on."""
        at = store.claim("track", "t", 0)
        store.advance("j1", end)

        after, alive = store.commit(fold(at, complete=True))

        assert not alive
        assert after.low_water == 5
        assert store.load("track", "j1", "a") is None
        assert store.read("out", 0, 0, 10, 0) == []
        assert store.get("j1").state == end

    def test_an_unknown_job_is_a_dead_job(self, store):
        """A record of a deleted job does no harm."""
        at = store.claim("track", "t", 0)

        _, alive = store.commit(fold(at, job_id="nobody"))

        assert not alive

    def test_the_last_complete_stream_makes_the_job_predictable(self, store):
        """In that very commit, and not before."""
        at = store.claim("collect", "t", 0)
        at, _ = store.commit(fold(at, stream="b", complete=True))
        assert store.get("j1").state == "new"

        at, _ = store.commit(fold(at, stream="b", complete=True))
        assert store.get("j1").state == "new"

        store.commit(fold(at, stream="a", complete=True))
        assert store.get("j1").state == "predictable"

    def test_any_state_bytes_survive(self, store):
        """Empty, large and binary states are states."""
        at = store.claim("track", "t", 0)
        for blob in (b"", bytes(range(256)) * 4000):
            at, _ = store.commit(fold(at, saved=Saved(1, blob)))

            assert store.load("track", "j1", "a") == Saved(1, blob)
