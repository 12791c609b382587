"""What every `Outbox` must do. A backend's test class gives the fixture `relayed`: a store whose outputs wait."""

from sightline.ports import Commit, Job, Outgoing, Saved


def out(value: bytes, key: str = "j1") -> Outgoing:
    return Outgoing("out", 1, key, value, (("h", "v"),))


def fill(relayed, *records: Outgoing) -> None:
    relayed.create(Job("j1", "street", 0), records)


def given(relayed, owner: str, limit: int = 10) -> list[bytes]:
    return [queued.record.value for queued in relayed.pending(owner, limit)]


class OutboxSuite:
    def test_outputs_wait_in_the_order_of_their_commits(self, relayed):
        """Nothing leaves by itself; events of a job come first."""
        relayed.create(Job("j1", "street", 0), [out(b"0")])
        at = relayed.claim("track", "t", 0)
        at, _ = relayed.commit(Commit(at, 1, "j1", "a", Saved(1, b""), (out(b"1"), out(b"2"))))
        relayed.commit(Commit(at, 2, "j1", "a", Saved(2, b""), (out(b"3"),)))

        waiting = relayed.pending("a", 10)

        assert [queued.record for queued in waiting] == [out(b"0"), out(b"1"), out(b"2"), out(b"3")]
        assert all(isinstance(queued.queue_id, str) for queued in waiting)
        assert relayed.read("out", 1, 0, 10) == []
        assert given(relayed, "a", 2) == [b"0", b"1"]

    def test_what_was_sent_is_forgotten_and_the_rest_stays(self, relayed):
        """Marking is safe to repeat."""
        fill(relayed, out(b"0"), out(b"1"), out(b"2"))
        first, second, _ = (queued.queue_id for queued in relayed.pending("a", 10))

        relayed.sent([first, second])
        relayed.sent([second])

        assert given(relayed, "a") == [b"2"]

    def test_an_owner_gets_again_what_it_has_not_sent(self, relayed):
        """A relay whose log was down asks once more."""
        fill(relayed, out(b"0"), out(b"1"))

        assert given(relayed, "a") == given(relayed, "a") == [b"0", b"1"]

    def test_what_one_owner_holds_no_other_gets(self, relayed):
        """Nor anything behind it of the same key, which would overtake it; other keys go on."""
        fill(relayed, out(b"0"), out(b"1"), out(b"2", "j2"), out(b"3"))

        assert given(relayed, "a", 1) == [b"0"]
        assert given(relayed, "b") == [b"2"]
        assert given(relayed, "a") == [b"0", b"1", b"3"]

    def test_after_it_was_sent_others_go_on_with_the_key(self, relayed):
        """Order holds over owners."""
        fill(relayed, out(b"0"), out(b"1"))
        (held,) = relayed.pending("a", 1)
        assert given(relayed, "b") == []

        relayed.sent([held.queue_id])

        assert given(relayed, "b") == [b"1"]

    def test_what_an_owner_gives_back_is_for_others(self, relayed):
        """All of it, from the oldest on; who holds nothing gives nothing back."""
        fill(relayed, out(b"0"), out(b"1"), out(b"2", "j2"))
        assert given(relayed, "a", 2) == [b"0", b"1"]
        assert given(relayed, "b") == [b"2"]

        relayed.give_back("a")
        relayed.give_back("nobody")

        assert given(relayed, "c") == [b"0", b"1"]
        assert given(relayed, "b") == [b"2"]
