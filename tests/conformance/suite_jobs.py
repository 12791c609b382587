"""What every `Jobs` must do. A backend's test class gives the fixture `store`: jobs and log, outputs unrelayed."""

import threading
from dataclasses import replace

import pytest

from sightline.errors import NotFound
from sightline.ports import Job, Outgoing


def job(job_id: str = "j1", **changes: object) -> Job:
    made = Job(job_id, "street", 0, "key", {"a": [1, 2.5, "ü"], "b": {"c": None}}, ("tracks:cars",))
    return replace(made, **changes)  # type: ignore[arg-type]


EVENT = Outgoing("jobs", 0, "j1", b"created")


class JobsSuite:
    def test_a_job_comes_back_as_it_was_stored(self, store):
        """Every field survives, settings too."""
        stored = job(partition=3, parent_id="p", created_at_us=1_700_000_000_000_001)

        assert store.create(stored, [EVENT])

        assert store.get("j1") == stored

    def test_row_and_event_appear_together(self, store):
        """The event of a new job is in the log."""
        store.create(job(), [EVENT])

        assert [entry.value for entry in store.read("jobs", 0, 0, 10, 0)] == [b"created"]

    def test_a_second_job_of_the_same_id_changes_nothing(self, store):
        """Creating is safe to repeat."""
        store.create(job(), [EVENT])

        assert not store.create(job(video_id="other"), [EVENT])

        assert store.get("j1").video_id == "street"
        assert len(store.read("jobs", 0, 0, 10, 0)) == 1

    def test_an_unknown_job_is_not_found(self, store):
        """A named error, not None."""
        with pytest.raises(NotFound):
            store.get("nobody")
        with pytest.raises(NotFound):
            store.advance("nobody", "sent")

    def test_states_move_forward_only(self, store):
        """A step back, or the same step again, moves nothing."""
        store.create(job(), [])

        assert store.advance("j1", "processing")
        assert not store.advance("j1", "processing")
        assert not store.advance("j1", "sent")
        assert store.advance("j1", "predictable")

        assert store.get("j1").state == "predictable"

    @pytest.mark.parametrize("terminal", ["ready", "failed", "cancelled"])
    def test_nothing_leaves_a_terminal_state(self, store, terminal):
        """Terminal states are final."""
        store.create(job(), [])
        store.advance("j1", terminal, code="c", reason="r", result={"x": 1})

        assert not any(store.advance("j1", to) for to in ("processing", "ready", "failed", "cancelled"))

        kept = store.get("j1")
        assert (kept.state, kept.code, kept.reason, kept.result) == (terminal, "c", "r", {"x": 1})

    def test_of_many_who_end_a_job_one_wins(self, store):
        """Cancel, finish, fail raced: the answer says who won, and that is what stands."""
        for i in range(20):
            name = f"r{i}"
            store.create(job(name), [])
            won: list[str] = []

            def end(to, name=name, won=won):
                if store.advance(name, to, reason=to):
                    won.append(to)

            threads = [threading.Thread(target=end, args=(to,)) for to in ("ready", "failed", "cancelled")]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

            assert won == [store.get(name).state] == [store.get(name).reason]

    def test_jobs_are_listed_in_the_order_of_their_creation(self, store):
        """Pages follow each other; states filter."""
        for name in ("c", "a", "b"):
            store.create(job(name), [])
        store.advance("a", "failed")

        assert [found.job_id for found in store.list()] == ["c", "a", "b"]
        assert [found.job_id for found in store.list(limit=1, after="c")] == ["a"]
        assert [found.job_id for found in store.list(["new"])] == ["c", "b"]
