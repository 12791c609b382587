"""What every `Ledger` must do. A backend's test class gives the fixture `store`: ledger, jobs and log in one.

Switches say what a backend need not promise. `ALIVE_INSIDE`: that the job is alive is checked in the transaction of the
commit, not at a moment during the call. `PREDICTABLE_INSIDE`: the commit of the last stream moves the job in its own
transaction, so that two that end at the same time make it predictable once. `TABLES`: rows of a commit are kept; then
the class has a method `rows(store, table)`, which gives them as `{key: values}` of sorted items.
"""

import threading
from dataclasses import replace

import pytest

from sightline.errors import Corrupt, Fenced
from sightline.ports import Commit, Job, Outgoing, Row, Saved

OUT = Outgoing("out", 0, "j1", b"result")
FRAME = Row(
    "frames",
    {"job_id": "j1", "seq": 0},
    {
        "frame_id": "frame_00004",
        "video_id": "street",
        "timestamp": "2026-05-17T12:00:00.283333+00:00",
        "path": "a.png",
        "frame": 4,
        "pts_us": 33_333,
    },
)


def fold(at, low_water=5, **changes) -> Commit:
    return replace(Commit(at, low_water, "j1", "a", Saved(3, b"\x00state"), (OUT,)), **changes)


class LedgerSuite:
    ALIVE_INSIDE = True
    PREDICTABLE_INSIDE = True
    TABLES = False

    def rows(self, store, table: str) -> dict:
        raise NotImplementedError(f"a ledger that keeps {table} shows it here")

    @pytest.fixture(autouse=True)
    def _job(self, store):
        store.create(Job("j1", "street", 0, facts={"streams": ["a", "b"]}), [])

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

    def test_a_first_claim_begins_where_the_log_does(self, store):
        """What retention forgot before this stage came is not waited for; a later claim keeps what was reached."""
        assert store.claim("track", "t", 0, 7).low_water == 7
        assert not store.claim("track", "u", 0, 7).stuck

        at, _ = store.commit(Commit(store.claim("track", "t", 0, 9), 11))

        assert store.claim("track", "t", 0, 20).low_water == at.low_water == 11

    def test_a_position_belongs_to_the_log_of_its_first_claim(self, store):
        """A topic that was removed and made again is a loud stop; who does not say which log asks nothing."""
        store.claim("track", "t", 0, 0, "first")
        store.claim("stats", "t", 0, 0, "second")

        with pytest.raises(Corrupt) as other:
            store.claim("track", "t", 0, 0, "second")

        assert other.value.code == "other_log"
        assert store.claim("track", "t", 0, 0, "first").epoch == 2
        assert store.claim("track", "t", 0).epoch == 3

    def test_a_position_from_before_logs_had_names_takes_the_first_one(self, store):
        """And keeps it."""
        at, _ = store.commit(Commit(store.claim("track", "t", 0), 5))

        assert store.claim("track", "t", 0, 0, "first").low_water == at.low_water
        with pytest.raises(Corrupt):
            store.claim("track", "t", 0, 0, "second")

    def test_a_refused_claim_changes_nothing(self, store):
        """The owner of before is not fenced by it."""
        at = store.claim("track", "t", 0, 0, "first")
        with pytest.raises(Corrupt):
            store.claim("track", "t", 0, 0, "second")

        store.commit(Commit(at, 1))

    def test_state_outputs_and_position_appear_together(self, store):
        """One commit writes all three."""
        at = store.claim("track", "t", 0)

        after, alive = store.commit(fold(at))

        assert alive
        assert (after.commit_no, after.low_water) == (1, 5)
        assert store.load("track", "j1", "a") == Saved(3, b"\x00state")
        assert [entry.value for entry in store.read("out", 0, 0, 10)] == [b"result"]
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

    def test_an_owner_that_gives_its_partition_up_leaves_no_suspicion(self, store):
        """Nothing had been begun; what was counted before stays counted."""
        at = store.claim("detect", "t", 0)
        at, _ = store.commit(Commit(at, 0, attempt=1))
        store.release(at)

        again = store.claim("detect", "t", 0)

        assert not again.stuck
        assert (again.attempts, again.epoch, again.low_water) == (1, 2, 0)
        assert store.claim("detect", "t", 0).stuck

    def test_a_fenced_owner_has_nothing_to_give_up(self, store):
        """Whoever took the partition since may still be ended by the record there."""
        old = store.claim("detect", "t", 0)
        store.claim("detect", "t", 0)

        store.release(old)

        assert store.claim("detect", "t", 0).stuck

    def test_what_was_released_can_be_released_again(self, store):
        """Repeating is harmless, also where nobody claimed."""
        at = store.claim("detect", "t", 0)
        store.release(at)
        store.release(at)
        store.release(replace(at, partition=9))

        assert [position.partition for position in store.positions("t")] == [0]
        assert not store.claim("detect", "t", 0).stuck

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
        assert store.read("out", 0, 0, 10) == []
        store.commit(fold(new))

    def test_the_same_position_commits_once(self, store):
        """The commit number is compared even where the low water stands still."""
        at = store.claim("track", "t", 0)
        store.commit(fold(at, low_water=0))

        with pytest.raises(Fenced):
            store.commit(fold(at, low_water=0, saved=Saved(9, b"other")))

        assert store.load("track", "j1", "a") == Saved(3, b"\x00state")
        assert len(store.read("out", 0, 0, 10)) == 1

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
        assert store.read("out", 0, 0, 10) == []
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

    def test_of_two_last_streams_one_makes_the_job_predictable(self, store):
        """Two stages that end at the same time do not leave it to each other."""
        if not self.PREDICTABLE_INSIDE:
            pytest.skip("this ledger derives it when jobs are listed")
        for i in range(10):
            name = f"r{i}"
            store.create(Job(name, "street", 0, facts={"streams": ["a", "b"]}), [])
            held = {stream: store.claim(f"collect {i}", stream, 0) for stream in ("a", "b")}

            def end(stream, name=name, held=held):
                store.commit(fold(held[stream], job_id=name, stream=stream, complete=True))

            threads = [threading.Thread(target=end, args=(stream,)) for stream in held]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

            assert store.get(name).state == "predictable"

    def test_of_an_end_and_a_commit_at_once_nothing_is_torn(self, store):
        """Either the commit was first and its state is there, or the job had ended and it is not."""
        if not self.ALIVE_INSIDE:
            pytest.skip("this ledger looks before it writes")
        for i in range(20):
            name = f"r{i}"
            store.create(Job(name, "street", 0, facts={"streams": ["a"]}), [])
            at, alive = store.claim("track", name, 0), []
            ending = threading.Thread(target=store.advance, args=(name, "cancelled"))
            ending.start()

            alive.append(store.commit(fold(at, job_id=name))[1])

            ending.join()
            assert (store.load("track", name, "a") is not None) == alive[0]

    def test_rows_of_tables_are_kept_or_dropped_with_the_commit(self, store):
        """Of a key that is there already the first values stay; of a dead job nothing is written."""
        at = store.claim("collect", "t", 0)
        at, _ = store.commit(fold(at, rows=(FRAME,)))
        other = replace(FRAME, values={**FRAME.values, "path": "b.png"})
        at, _ = store.commit(fold(at, rows=(other, Row("unknown", {"x": 1}, {}))))
        store.advance("j1", "failed")
        store.commit(fold(at, rows=(replace(FRAME, key={"job_id": "j1", "seq": 1}),)))

        if self.TABLES:
            key, values = sorted(FRAME.key.items()), sorted(FRAME.values.items())
            assert self.rows(store, "frames") == {tuple(key): tuple(values)}

    def test_any_state_bytes_survive(self, store):
        """Empty, large and binary states are states."""
        at = store.claim("track", "t", 0)
        for blob in (b"", bytes(range(256)) * 4000):
            at, _ = store.commit(fold(at, saved=Saved(1, blob)))

            assert store.load("track", "j1", "a") == Saved(1, blob)
