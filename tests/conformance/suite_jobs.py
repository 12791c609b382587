"""What every `Jobs` must do. A backend's test class gives the fixtures `store`, jobs and log, outputs unrelayed, and
`clocked(clock)`, which makes one with a clock.
"""

import threading
from dataclasses import replace

import pytest

from sightline.errors import Misconfigured, NotFound
from sightline.ports import Commit, Job, Outgoing, Saved, Which


def job(job_id: str = "j1", **changes: object) -> Job:
    made = Job(job_id, "street", 0, request={"a": [1, 2.5, "ü"], "b": {"c": None}})
    return replace(made, **changes)  # type: ignore[arg-type]


EVENT = Outgoing("jobs", 0, "j1", b"created")


def ids(page) -> list[str]:
    return [found.job_id for found in page.jobs]


def walk(store, which: Which, limit: int):
    """The ids of each page in turn."""
    page = store.list(which, limit=limit)
    yield ids(page)
    while page.cursor:
        page = store.list(which, limit=limit, after=page.cursor)
        yield ids(page)


class JobsSuite:
    def test_a_job_comes_back_as_it_was_stored(self, store):
        """Every field survives; when it came is the store's to say."""
        stored = job(
            parent_id="p",
            created_at_us=1_700_000_000_000_001,
            request={"pipeline": "visdrone", "overrides": {"conf": 0.1}, "media_type": "video"},
            owner="anna",
            clock_start="2024-05-17T07:03:20+02:00",
            times={"ready": 99},
        )

        assert store.create(stored, [EVENT])

        assert store.get("j1") == replace(stored, times={"new": 0})

    def test_row_and_event_appear_together(self, store):
        """The event of a new job is in the log."""
        store.create(job(), [EVENT])

        assert [entry.value for entry in store.read("jobs", 0, 0, 10)] == [b"created"]

    def test_a_second_job_of_the_same_id_changes_nothing(self, store):
        """Creating is safe to repeat."""
        store.create(job(), [EVENT])

        assert not store.create(job(video_id="other"), [EVENT])

        assert store.get("j1").video_id == "street"
        assert len(store.read("jobs", 0, 0, 10)) == 1

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

    def test_facts_are_written_with_the_move_to_processing(self, store):
        """By whoever makes it; who comes second has written nothing."""
        store.create(job(), [])

        assert store.advance("j1", "processing", facts={"frames": 7, "names": ["ü", None]})
        assert not store.advance("j1", "processing", facts={"frames": 8})
        store.advance("j1", "failed", code="c")

        assert store.get("j1").facts == {"frames": 7, "names": ["ü", None]}

    @pytest.mark.parametrize("to", ["sent", "predictable", "ready", "failed", "cancelled"])
    def test_facts_belong_to_no_other_move(self, store, to):
        """A mistake of the caller, and nothing happens."""
        store.create(job(), [])

        with pytest.raises(ValueError, match="processing"):
            store.advance("j1", to, facts={})

        assert store.get("j1").state == "new"

    def test_of_many_who_write_facts_one_wins(self, store):
        """The others learn it, and read what stands."""
        store.create(job(), [])
        won: list[int] = []

        def feed(number: int) -> None:
            if store.advance("j1", "processing", facts={"by": number}):
                won.append(number)

        threads = [threading.Thread(target=feed, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert won == [store.get("j1").facts["by"]]

    def test_times_tell_when_each_state_was_reached(self, clocked):
        """By the store's clock, also of a state that a commit brings; a move that is none leaves no trace."""
        ticks = iter(range(100, 200))
        store = clocked(lambda: next(ticks))
        store.create(job(), [])
        store.advance("j1", "processing", facts={"streams": ["tracks:cars"]})
        store.advance("j1", "sent")
        at = store.claim("collect", "t", 0)
        store.commit(Commit(at, 1, "j1", "tracks:cars", Saved(1, b""), complete=True))
        store.advance("j1", "ready")

        times = store.get("j1").times

        assert list(times) == ["new", "processing", "predictable", "ready"]
        assert times["new"] == 100
        assert sorted(set(times.values())) == list(times.values())

    def test_the_newest_jobs_come_first(self, store):
        """And the oldest for workers, who ask for it."""
        for name in ("c", "a", "b"):
            store.create(job(name), [])

        assert ids(store.list()) == ["b", "a", "c"]
        assert ids(store.list(Which(oldest_first=True))) == ["c", "a", "b"]

    @pytest.mark.parametrize(
        ("which", "found"),
        [
            (Which(), "edcba"),
            (Which(states=("failed",)), "db"),
            (Which(states=("failed", "new")), "edcba"),
            (Which(states=("new", "new", "ready")), "eca"),
            (Which(states=("ready",)), ""),
            (Which(owner="anna"), "db"),
            (Which(owner=""), "eca"),
            (Which(owner="anna", states=("new",)), ""),
            (Which(video_id="v1"), "ba"),
            (Which(video_id="v1", owner="anna"), "b"),
            (Which(video_id="v1", owner="anna", parent_id="p"), ""),
            (Which(parent_id="p"), "c"),
            (Which(parent_id="p", states=("failed",)), ""),
            (Which(parent_id="p", video_id="v2", states=("new",)), "c"),
        ],
        ids=str,
    )
    @pytest.mark.parametrize("oldest_first", [False, True])
    @pytest.mark.parametrize("limit", [1, 2, 50])
    def test_a_filter_holds_on_every_page(self, store, which, found, oldest_first, limit):
        """What is left out is any; pages follow each other and end with an empty cursor."""
        for name, video, owner, parent in [
            ("a", "v1", "", None),
            ("b", "v1", "anna", None),
            ("c", "v2", "", "p"),
            ("d", "v2", "anna", None),
            ("e", "v3", "", None),
        ]:
            store.create(job(name, video_id=video, owner=owner, parent_id=parent), [])
        store.advance("b", "failed")
        store.advance("d", "failed")

        pages = list(walk(store, replace(which, oldest_first=oldest_first), limit))

        expected = found[::-1] if oldest_first else found
        assert "".join(name for page in pages for name in page) == expected
        assert all(len(page) == limit for page in pages[:-1])
        assert pages[-1] or not expected

    @pytest.mark.parametrize("oldest_first", [False, True])
    def test_a_cursor_outlives_the_job_at_which_it_was_taken(self, store, oldest_first):
        """It names a place: the next page goes on there, and does not start over."""
        for name in "abcdef":
            store.create(job(name), [])
            store.advance(name, "failed")
        which = Which(oldest_first=oldest_first)
        first = store.list(which, limit=3)

        for gone in (ids(first)[-1], ids(first)[0]):
            assert store.remove(gone)

        assert ids(store.list(which, limit=3, after=first.cursor)) == list("def" if oldest_first else "cba")

    def test_a_place_is_not_given_to_another_job(self, store):
        """The newest job is removed and a new one comes: whoever read so far in order of creation finds it."""
        for name in "ab":
            store.create(job(name), [])
            store.advance(name, "failed")
        store.create(job("c"), [])
        which = Which(oldest_first=True)
        page = store.list(which, limit=2)
        assert store.advance("c", "failed")
        assert store.remove("c")
        assert store.remove("b")

        store.create(job("d"), [])

        assert ids(store.list(which, after=page.cursor)) == ["d"]

    def test_jobs_that_come_and_move_meanwhile_disturb_no_page(self, store):
        """Newest first: what is new lies before the cursor."""
        for name in "abcd":
            store.create(job(name), [])
        page = store.list(limit=2)
        store.create(job("e"), [])
        store.advance("b", "failed")

        assert ids(store.list(limit=2, after=page.cursor)) == ["b", "a"]

    @pytest.mark.parametrize("text", ["deleted", "j1", " ", "-1", "0x1", "9" * 40, "jj", "１"])
    def test_what_is_no_cursor_is_refused(self, store, text):
        """By name, and never a page from somewhere else."""
        store.create(job(), [])

        with pytest.raises(Misconfigured) as refused:
            store.list(after=text)

        assert refused.value.code == "cursor"

    def test_jobs_are_counted_by_state_and_owner(self, store):
        """States without a job are left out; who has none has none."""
        assert dict(store.counts().by_state) == {}
        for name, owner in (("a", ""), ("b", "anna"), ("c", "anna"), ("d", "bert")):
            store.create(job(name, owner=owner), [])
        store.advance("b", "processing")
        store.advance("d", "failed")
        store.remove("d")

        assert dict(store.counts().by_state) == {"new": 2, "processing": 1}
        assert dict(store.counts("anna").by_state) == {"new": 1, "processing": 1}
        assert dict(store.counts("").by_state) == {"new": 1}
        assert dict(store.counts("bert").by_state) == {}
        assert dict(store.counts("nobody").by_state) == {}

    def test_the_revision_rises_with_every_change_of_any_job(self, store):
        """And with nothing else: whoever shows jobs asks for it."""
        seen = [store.counts().revision]

        def changed() -> bool:
            seen.append(store.counts("anyone").revision)
            return seen[-1] > seen[-2]

        store.create(job(), [])
        assert changed()
        store.create(job(), [])
        assert not changed()
        store.advance("j1", "processing", facts={"streams": ["tracks:cars"]})
        assert changed()
        store.advance("j1", "processing")
        assert not changed()
        at = store.claim("collect", "t", 0)
        at, _ = store.commit(Commit(at, 1, "j1", "other", Saved(1, b"")))
        assert not changed()
        store.commit(Commit(at, 2, "j1", "tracks:cars", Saved(1, b""), complete=True))
        assert changed()
        store.advance("j1", "ready", result={"x": 1})
        assert changed()
        store.remove("j1")
        assert changed()
        assert not store.remove("j1")
        assert not changed()

    def test_a_job_that_was_removed_is_as_if_it_had_never_been(self, store):
        """Its states and completions are gone with it; commits of a late stage are dropped, as of any dead job."""
        store.create(job(), [])
        at = store.claim("collect", "t", 0)
        at, _ = store.commit(Commit(at, 1, "j1", "tracks:cars", Saved(1, b"x"), complete=True))
        store.advance("j1", "ready")

        assert store.remove("j1")

        with pytest.raises(NotFound):
            store.get("j1")
        with pytest.raises(NotFound):
            store.advance("j1", "failed")
        assert ids(store.list()) == []
        assert store.load("collect", "j1", "tracks:cars") is None
        assert store.progress("j1") == {}
        assert not store.commit(Commit(at, 2, "j1", "tracks:cars", Saved(2, b"y")))[1]
        assert store.load("collect", "j1", "tracks:cars") is None

    def test_an_id_is_never_given_again(self, store):
        """A late record must not find another job under its name; and its events do not appear."""
        store.create(job(), [])
        store.advance("j1", "cancelled")
        store.remove("j1")

        assert not store.create(job(video_id="other"), [EVENT])

        assert store.read("jobs", 0, 0, 10) == []

    @pytest.mark.parametrize("state", ["new", "sent", "processing", "predictable"])
    def test_a_job_that_has_not_ended_stays(self, store, state):
        """Cancel it first."""
        store.create(job(), [])
        store.advance("j1", state)

        assert not store.remove("j1")
        assert not store.remove("nobody")

        assert store.get("j1").state == state
