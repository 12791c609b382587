"""What every `Outbox` must do. A backend's test class gives the fixture `relayed`: a store whose outputs wait."""

from sightline.ports import Commit, Job, Outgoing, Saved


def out(value: bytes) -> Outgoing:
    return Outgoing("out", 1, "j1", value, (("h", "v"),))


class OutboxSuite:
    def test_outputs_wait_in_the_order_of_their_commits(self, relayed):
        """Nothing leaves by itself; events of a job come first."""
        relayed.create(Job("j1", "street", 0, "key", {}, ()), [out(b"0")])
        at = relayed.claim("track", "t", 0)
        at, _ = relayed.commit(Commit(at, 1, "j1", "a", Saved(1, b""), (out(b"1"), out(b"2"))))
        relayed.commit(Commit(at, 2, "j1", "a", Saved(2, b""), (out(b"3"),)))

        waiting = relayed.pending(10)

        assert [queued.record for queued in waiting] == [out(b"0"), out(b"1"), out(b"2"), out(b"3")]
        assert relayed.read("out", 1, 0, 10, 0) == []
        assert [queued.record.value for queued in relayed.pending(2)] == [b"0", b"1"]

    def test_what_was_sent_is_forgotten_and_the_rest_stays(self, relayed):
        """Marking is safe to repeat."""
        relayed.create(Job("j1", "street", 0, "key", {}, ()), [out(b"0"), out(b"1"), out(b"2")])
        first, second, _ = (queued.queue_id for queued in relayed.pending(10))

        relayed.sent([first, second])
        relayed.sent([second])

        assert [queued.record.value for queued in relayed.pending(10)] == [b"2"]
