"""What every `EventLog` must do. A backend's test class gives the fixture `log`.

Switches say what a backend need not promise. `TRIM`: what may be forgotten is forgotten. `DENSE`: offsets of a
partition rise by one, from 0.
"""

import threading

import pytest

from sightline.errors import Corrupt, TooLarge
from sightline.events import MAX_BYTES
from sightline.ports import EventLog, Outgoing


def record(value: bytes, partition: int = 0, topic: str = "t", key: str = "job") -> Outgoing:
    return Outgoing(topic, partition, key, value, (("traceparent", "00-1-2-00"),))


def offsets(log: EventLog, partition: int = 0, topic: str = "t") -> list[int]:
    """All that are kept, read in small steps as a reader does."""
    at, head = log.head(topic, partition)
    found: list[int] = []
    while at < head and (entries := log.read(topic, partition, at, 2)):
        found += [entry.offset for entry in entries]
        at = entries[-1].offset + 1
    return found


class EventLogSuite:
    TRIM = True
    DENSE = True

    def test_a_new_partition_is_empty(self, log: EventLog):
        """Nothing was written: nothing to read, offsets begin at 0."""
        assert log.head("t", 0) == (0, 0)
        assert log.read("t", 0, 0, 10) == []

    def test_records_come_back_in_order_with_rising_offsets(self, log: EventLog):
        """Order holds within a partition, over several appends."""
        log.append([record(b"a"), record(b"b")])
        log.append([record(b"c")])

        entries = log.read("t", 0, 0, 10)

        assert [entry.value for entry in entries] == [b"a", b"b", b"c"]
        rising = [entry.offset for entry in entries]
        assert rising == sorted(set(rising))
        assert rising == [0, 1, 2] or not self.DENSE
        assert entries[0].key == "job"
        assert entries[0].headers == (("traceparent", "00-1-2-00"),)
        assert log.head("t", 0) == (0, rising[-1] + 1)

    def test_partitions_and_topics_are_apart(self, log: EventLog):
        """One append may reach several partitions; each has its own offsets."""
        log.append([record(b"a", 0), record(b"b", 1), record(b"c", 0), record(b"d", 0, "other")])

        assert [entry.value for entry in log.read("t", 0, 0, 10)] == [b"a", b"c"]
        assert [entry.value for entry in log.read("t", 1, 0, 10)] == [b"b"]
        assert [entry.value for entry in log.read("other", 0, 0, 10)] == [b"d"]

    @pytest.mark.parametrize("limit", [1, 3, 10])
    def test_reading_begins_anywhere_and_stops_at_the_limit(self, log: EventLog, limit: int):
        """Any offset up to the head, also one inside a batch or in a hole, is served from the next entry on."""
        log.append([record(bytes([i])) for i in range(4)])
        log.append([record(bytes([i])) for i in range(4, 6)])
        kept, head = log.head("t", 0)
        entries = log.read("t", 0, kept, 10)

        for start in range(kept, head + 1):
            due = [entry for entry in entries if entry.offset >= start]
            assert log.read("t", 0, start, limit) == due[:limit]

        assert [entry.value for entry in entries] == [bytes([i]) for i in range(6)]

    def test_a_reader_goes_on_behind_the_last_entry(self, log: EventLog):
        """By its offset, not by how many there were: nothing is missed or read twice."""
        log.append([record(b"a"), record(b"b"), record(b"c")])
        log.append([record(b"d"), record(b"e")])

        assert offsets(log) == [entry.offset for entry in log.read("t", 0, 0, 10)]
        assert len(offsets(log)) == 5

    def test_an_empty_append_does_nothing(self, log: EventLog):
        """No records, no batch."""
        log.append([])

        assert log.head("t", 0) == (0, 0)

    def test_any_bytes_and_keys_survive(self, log: EventLog):
        """Values are opaque, keys any text."""
        values = [b"", b"\x00\xff" * 3, "ü".encode(), bytes(70_000)]

        log.append([record(value, key="schlüssel") for value in values])

        entries = log.read("t", 0, 0, 10)
        assert [entry.value for entry in entries] == values
        assert entries[0].key == "schlüssel"

    def test_an_offset_above_the_head_is_loud(self, log: EventLog):
        """A position from another log must not wait for ever."""
        log.append([record(b"a")])

        with pytest.raises(Corrupt) as gap:
            log.read("t", 0, log.head("t", 0)[1] + 1, 10)

        assert gap.value.code == "log_gap"

    def test_trimmed_records_are_gone_and_offsets_stay(self, log: EventLog):
        """The log may forget below the mark, never above it."""
        log.append([record(b"a"), record(b"b")])
        mark = log.head("t", 0)[1]
        log.append([record(b"c")])
        head = log.head("t", 0)[1]

        log.trim("t", 0, mark)
        log.trim("t", 0, mark)

        first = log.head("t", 0)[0]
        assert (first == mark) if self.TRIM else (0 <= first <= mark)
        assert log.head("t", 0)[1] == head
        assert [entry.value for entry in log.read("t", 0, mark, 10)] == [b"c"]

    def test_reading_below_what_is_kept_is_loud(self, log: EventLog):
        """Records that are gone are an error, not an empty read."""
        if not self.TRIM:
            pytest.skip("this log keeps everything, as it may")
        log.append([record(b"a")])
        log.append([record(b"b")])
        log.trim("t", 0, log.head("t", 0)[1])

        with pytest.raises(Corrupt) as gap:
            log.read("t", 0, log.head("t", 0)[0] - 1, 10)

        assert gap.value.code == "log_gap"

    def test_offsets_go_on_after_everything_was_trimmed(self, log: EventLog):
        """An offset is never used twice."""
        log.append([record(b"a"), record(b"b")])
        head = log.head("t", 0)[1]
        log.trim("t", 0, head)

        log.append([record(b"c")])

        (entry,) = log.read("t", 0, head, 10)
        assert (entry.offset, entry.value) == (log.head("t", 0)[1] - 1, b"c")
        assert entry.offset >= head

    def test_waiting_begins_with_a_number_above_zero(self, log: EventLog):
        """Nobody needs to know where it stands before the first call."""
        assert log.wait(0, 0.0) > 0
        assert log.wait(0, 30) > 0

    def test_waiting_in_vain_ends_with_the_same_number(self, log: EventLog):
        """At the limit, where nobody appends anything."""
        seen = log.wait(0, 0.0)

        assert log.wait(seen, 0.01) == seen

    def test_what_was_appended_since_is_seen_at_once(self, log: EventLog):
        """On any topic, also while nobody waited."""
        seen = log.wait(0, 0.0)
        log.append([record(b"a", topic="other")])

        assert log.wait(seen, 30) > seen

    def test_all_who_wait_wake_up_when_a_record_arrives(self, log: EventLog):
        """Long before their limit, and the record can be read then."""
        seen, found = log.wait(0, 0.0), []

        def wait() -> None:
            assert log.wait(seen, 30) > seen
            found.extend(entry.value for entry in log.read("t", 0, 0, 10))

        readers = [threading.Thread(target=wait) for _ in range(3)]
        for reader in readers:
            reader.start()

        log.append([record(b"a")])

        for reader in readers:
            reader.join(20)
        assert found == [b"a"] * 3

    def test_a_topic_has_one_identity(self, log: EventLog):
        """Before anything was written as after, and after all of it was trimmed."""
        name = log.identity("t")
        assert name
        log.append([record(b"a")])
        log.trim("t", 0, log.head("t", 0)[1])

        assert log.identity("t") == name

    def test_a_topic_made_again_has_another_identity(self, log: EventLog, another: EventLog):
        """A position says to which it belongs."""
        assert another.identity("t") != log.identity("t")

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

        values = [entry.value.decode().split() for entry in log.read("t", 0, 0, 1000)]
        assert len(values) == 120
        for n in range(3):
            mine = [what for name, what in values if name == str(n)]
            assert mine == [f"{i}{plus}" for i in range(20) for plus in ("", "+")]
