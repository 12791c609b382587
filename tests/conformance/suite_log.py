"""What every `EventLog` must do. A backend's test class gives the fixture `log`."""

import threading

import pytest

from sightline.errors import Corrupt, TooLarge
from sightline.events import MAX_BYTES
from sightline.ports import EventLog, Outgoing


def record(value: bytes, partition: int = 0, topic: str = "t", key: str = "job") -> Outgoing:
    return Outgoing(topic, partition, key, value, (("traceparent", "00-1-2-00"),))


class EventLogSuite:
    def test_a_new_partition_is_empty(self, log: EventLog):
        """Nothing was written: nothing to read, offsets begin at 0."""
        assert log.head("t", 0) == (0, 0)
        assert log.read("t", 0, 0, 10, 0) == []

    def test_records_come_back_in_order_with_rising_offsets(self, log: EventLog):
        """Order holds within a partition, over several appends."""
        log.append([record(b"a"), record(b"b")])
        log.append([record(b"c")])

        entries = log.read("t", 0, 0, 10, 0)

        assert [(entry.offset, entry.value) for entry in entries] == [(0, b"a"), (1, b"b"), (2, b"c")]
        assert entries[0].key == "job"
        assert entries[0].headers == (("traceparent", "00-1-2-00"),)
        assert log.head("t", 0) == (0, 3)

    def test_partitions_and_topics_are_apart(self, log: EventLog):
        """One append may reach several partitions; each has its own offsets."""
        log.append([record(b"a", 0), record(b"b", 1), record(b"c", 0), record(b"d", 0, "other")])

        assert [entry.value for entry in log.read("t", 0, 0, 10, 0)] == [b"a", b"c"]
        assert [entry.value for entry in log.read("t", 1, 0, 10, 0)] == [b"b"]
        assert [entry.value for entry in log.read("other", 0, 0, 10, 0)] == [b"d"]

    @pytest.mark.parametrize("start", range(6))
    def test_reading_begins_anywhere_and_stops_at_the_limit(self, log: EventLog, start: int):
        """Any offset can be read from, also one inside a batch."""
        log.append([record(bytes([i])) for i in range(4)])
        log.append([record(bytes([i])) for i in range(4, 6)])

        entries = log.read("t", 0, start, 3, 0)

        assert [entry.offset for entry in entries] == list(range(start, min(start + 3, 6)))
        assert [entry.value for entry in entries] == [bytes([i]) for i in range(start, min(start + 3, 6))]

    def test_an_empty_append_does_nothing(self, log: EventLog):
        """No records, no batch."""
        log.append([])

        assert log.head("t", 0) == (0, 0)

    def test_any_bytes_and_keys_survive(self, log: EventLog):
        """Values are opaque, keys any text."""
        values = [b"", b"\x00\xff" * 3, "ü".encode(), bytes(70_000)]

        log.append([record(value, key="schlüssel") for value in values])

        entries = log.read("t", 0, 0, 10, 0)
        assert [entry.value for entry in entries] == values
        assert entries[0].key == "schlüssel"

    def test_an_offset_above_the_head_is_loud(self, log: EventLog):
        """A position from another log must not wait for ever."""
        log.append([record(b"a")])

        with pytest.raises(Corrupt):
            log.read("t", 0, 2, 10, 0)

    def test_trimmed_records_are_gone_and_offsets_stay(self, log: EventLog):
        """The log may forget below the mark, never above it."""
        log.append([record(b"a"), record(b"b")])
        log.append([record(b"c")])

        log.trim("t", 0, 2)
        log.trim("t", 0, 2)

        first, head = log.head("t", 0)
        assert 0 <= first <= 2
        assert head == 3
        assert [entry.value for entry in log.read("t", 0, 2, 10, 0)] == [b"c"]

    def test_reading_below_what_is_kept_is_loud(self, log: EventLog):
        """Records that are gone are an error, not an empty read."""
        log.append([record(b"a")])
        log.append([record(b"b")])
        log.trim("t", 0, 2)
        first, _ = log.head("t", 0)
        if first == 0:
            pytest.skip("this log kept everything, as it may")

        with pytest.raises(Corrupt):
            log.read("t", 0, first - 1, 10, 0)

    def test_offsets_go_on_after_everything_was_trimmed(self, log: EventLog):
        """An offset is never used twice."""
        log.append([record(b"a"), record(b"b")])
        log.trim("t", 0, 2)

        log.append([record(b"c")])

        assert [(entry.offset, entry.value) for entry in log.read("t", 0, 2, 10, 0)] == [(2, b"c")]

    def test_a_reader_wakes_up_when_a_record_arrives(self, log: EventLog):
        """Waiting ends with the first record, long before its limit."""
        found: list[bytes] = []
        reader = threading.Thread(
            target=lambda: found.extend(entry.value for entry in log.read("t", 0, 0, 10, 30))
        )
        reader.start()

        log.append([record(b"a")])

        reader.join(20)
        assert found == [b"a"]

    def test_too_large_a_record_is_refused_and_nothing_is_written(self, log: EventLog):
        """The whole append is refused."""
        with pytest.raises(TooLarge):
            log.append([record(b"a"), record(bytes(MAX_BYTES + 1))])

        assert log.head("t", 0) == (0, 0)

    def test_appends_of_many_threads_keep_their_own_order(self, log: EventLog):
        """Nothing is lost or doubled, and what one thread wrote keeps its order."""

        def write(name: int) -> None:
            for i in range(20):
                log.append([record(b"%d %d" % (name, i)), record(b"%d %d+" % (name, i))])

        threads = [threading.Thread(target=write, args=(n,)) for n in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        values = [entry.value.decode().split() for entry in log.read("t", 0, 0, 1000, 0)]
        assert len(values) == 120
        for n in range(3):
            mine = [what for name, what in values if name == str(n)]
            assert mine == [f"{i}{plus}" for i in range(20) for plus in ("", "+")]
