"""What only Kafka does to a log: foreign transactions, topics made again, brokers that die, other readers."""

import random
import threading
import time

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from sightline.adapters.kafka import reading
from sightline.adapters.kafka.asking import Look
from sightline.adapters.kafka.log import KafkaLog
from sightline.adapters.kafka.reading import _Pump, _Reader
from sightline.errors import Corrupt, Misconfigured, TooLarge, Unavailable
from sightline.ports import Outgoing
from tests.conformance.kafka import connection, make, remove, unique, until
from tests.servers import services


@pytest.fixture(scope="module")
def bootstrap(server):
    return server("kafka")["bootstrap"]


@pytest.fixture
def log(bootstrap):
    log = KafkaLog(connection(bootstrap))
    yield log
    log.close()


@pytest.fixture
def topic(bootstrap):
    name = unique()
    make(bootstrap, {name: 2})
    return name


def record(topic, value, partition=0, key="job"):
    return Outgoing(topic, partition, key, value, (("traceparent", "00-1-2-00"),))


class TestStrangers:
    def test_marks_of_foreign_transactions_are_holes(self, bootstrap, log, topic):
        """Reading goes on over them, also where they are the last; what was aborted was never there."""
        stranger = Producer({"bootstrap.servers": bootstrap, "transactional.id": unique("tx")})
        stranger.init_transactions(30)
        log.append([record(topic, b"0")])
        for values, end in (((b"1", b"2"), "commit"), ((b"no",), "abort"), ((b"3",), "commit")):
            stranger.begin_transaction()
            for value in values:
                stranger.produce(topic, value, partition=0)
            stranger.flush(30)  # what is aborted is on the topic, too
            stranger.commit_transaction(30) if end == "commit" else stranger.abort_transaction(30)

        behind_marks = log.read(topic, 0, 0, 100)
        tail = log.read(topic, 0, behind_marks[-1].offset + 1, 100)
        log.append([record(topic, b"4")])

        assert [entry.value for entry in behind_marks] == [b"0", b"1", b"2", b"3"]
        assert tail == []
        offsets = [entry.offset for entry in behind_marks]
        assert log.head(topic, 0)[1] > offsets[-1] + 2
        (last,) = log.read(topic, 0, offsets[-1] + 1, 100)
        assert last.value == b"4"
        for start in range(last.offset + 1):
            due = [entry for entry in (*behind_marks, last) if entry.offset >= start]
            assert log.read(topic, 0, start, 100) == due

    def test_what_lies_behind_an_open_transaction_is_not_read_yet(self, bootstrap, log, topic):
        """It may still be aborted, and order holds; nobody waits for it in a read."""
        stranger = Producer({"bootstrap.servers": bootstrap, "transactional.id": unique("tx")})
        stranger.init_transactions(30)
        stranger.begin_transaction()
        stranger.produce(topic, b"open", partition=0)
        stranger.flush(30)
        log.append([record(topic, b"behind"), record(topic, b"elsewhere", 1)])
        assert log.read(topic, 0, 0, 10) == []
        assert len(log.read(topic, 1, 0, 10)) == 1  # so the client has fetched what it may

        assert log.read(topic, 0, 0, 10) == []
        assert log.head(topic, 0) == (0, 0)
        seen = log.wait(0, 0.0)

        stranger.commit_transaction(30)

        assert log.wait(seen, 30) > seen
        until(lambda: [entry.value for entry in log.read(topic, 0, 0, 10)] == [b"open", b"behind"])

    def test_any_consumer_reads_what_we_wrote(self, bootstrap, log, topic):
        """Key, headers and value, in the partition that was named."""
        log.append([record(topic, b'{"v":1}', 1, "schlüssel")])
        consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": unique("group")})
        consumer.assign([TopicPartition(topic, 1, 0)])

        message = consumer.poll(30)

        assert (message.key(), message.value()) == ("schlüssel".encode(), b'{"v":1}')
        assert message.headers() == [("traceparent", b"00-1-2-00")]
        assert (message.partition(), message.offset()) == (1, 0)
        consumer.close()

    def test_records_without_key_value_or_text_are_read(self, bootstrap, log, topic):
        """Who wrote them knew nothing of us."""
        stranger = Producer({"bootstrap.servers": bootstrap})
        stranger.produce(topic, None, partition=0)
        stranger.produce(topic, b"v", b"\xff", 0, headers=[("raw", b"\xfe"), ("none", None)])
        stranger.flush(30)

        first, second = log.read(topic, 0, 0, 10)

        assert (first.key, first.value, first.headers) == ("", b"", ())
        assert (second.key, second.headers) == ("\\xff", (("raw", "\\xfe"), ("none", "")))

    def test_a_record_of_another_process_wakes_who_waits(self, bootstrap, log, topic):
        """Where its partition has been read."""
        assert log.read(topic, 1, 0, 10) == []
        seen = log.wait(0, 0.0)
        other = KafkaLog(connection(bootstrap))
        other.append([record(topic, b"theirs", 1)])
        other.close()

        assert log.wait(seen, 30) > seen
        assert [entry.value for entry in log.read(topic, 1, 0, 10)] == [b"theirs"]


class TestReading:
    def test_two_stages_read_one_partition_at_two_places(self, log, topic):
        """Neither sends the other back: each goes on without a seek."""
        log.append([record(topic, b"%d" % i) for i in range(60)])
        looks = counted(log._reading._asker, "look")
        at = {"track": 0, "collect": 30}

        values = {name: [] for name in at}
        for _ in range(6):
            for name in at:
                entries = log.read(topic, 0, at[name], 5)
                values[name] += [int(entry.value) for entry in entries]
                at[name] = entries[-1].offset + 1

        assert values == {"track": list(range(30)), "collect": list(range(30, 60))}
        assert len(looks) == 2

    def test_what_comes_of_the_place_before_is_dropped(self):
        """A seek is an order to the thread of the consumer: until it is carried out, records are those of before."""
        consumer = ScriptedConsumer()
        pump = _Pump(consumer, threading.Condition(), lambda error: None, lambda: None)
        before, after = (_Reader(("t", 0), at, Look(0, 100, "id")) for at in (50, 10))
        pump.seek(before)
        until(lambda: consumer.assigned == [50])
        consumer.bring(50)
        until(lambda: before.to == 51)

        with consumer.busy:
            consumer.bring(51)
            until(lambda: not consumer._waiting)  # the thread has it in hand
            pump.seek(after)
        until(lambda: consumer.assigned == [50, 10])
        consumer.bring(10)
        until(lambda: after.to == 11)

        assert [entry.offset for entry in after.entries] == [10]
        pump.close()

    def test_after_an_append_of_its_own_a_log_asks_where_the_partition_ends(self, log, topic):
        """So a read sees what this process wrote, however late the client brings it; else it asks once a second."""
        log.append([record(topic, b"a")])
        log.read(topic, 0, 0, 10)
        looks = counted(log._reading._asker, "looks")
        log.read(topic, 0, 1, 10)
        log.read(topic, 0, 1, 10)
        assert looks == []

        log.append([record(topic, b"b"), record(topic, b"c")])
        entries = log.read(topic, 0, 1, 10)

        assert [entry.value for entry in entries] == [b"b", b"c"]
        assert looks == [([(topic, 0)],)]

    @pytest.mark.parametrize("seed", range(3))
    def test_seeks_miss_nothing(self, log, topic, seed):
        """Wherever reading went before: what the consumer still held of another place is dropped."""
        log.append([record(topic, b"%d" % i) for i in range(200)])
        dice = random.Random(seed)

        for _ in range(25):
            start, limit = dice.randrange(200), dice.choice((1, 3, 50))
            found = [int(entry.value) for entry in log.read(topic, 0, start, limit)]
            assert found == list(range(start, min(200, start + limit)))

    @pytest.mark.parametrize("bound", ["HOLD_RECORDS", "HOLD_BYTES"])
    def test_what_nobody_fetches_stays_at_the_broker(self, log, topic, bound, monkeypatch):
        """A full buffer pauses its partition; whoever reads on gets everything, once and in order."""
        monkeypatch.setattr(reading, bound, 50)
        monkeypatch.setattr(reading, "TAKE", 20)
        written = [b"%d" % i for i in range(2_000)]
        for i in range(0, 2_000, 100):
            log.append([record(topic, value) for value in written[i : i + 100]])

        found, at = [], 0
        while len(found) < 2_000:
            entries = log.read(topic, 0, at, 30)
            (reader,) = [pump.readers[topic, 0] for pump in log._reading._pumps]
            assert len(reader.entries) <= 75
            found += [entry.value for entry in entries]
            at = entries[-1].offset + 1

        assert found == written

    def test_many_threads_read_many_places(self, log, topic):
        """Each finds what is there."""
        log.append([record(topic, b"%d" % i, i % 2) for i in range(100)])
        wrong = []

        def read(partition, start):
            for _ in range(5):
                found = [int(entry.value) for entry in log.read(topic, partition, start, 10)]
                if found != [2 * i + partition for i in range(start, start + 10)]:
                    wrong.append((partition, start, found))

        threads = [threading.Thread(target=read, args=(n % 2, n)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert wrong == []

    def test_many_partitions_are_read_by_one_client(self, log, bootstrap):
        """Threads and connections do not grow with them."""
        name = unique()
        make(bootstrap, {name: 20})
        log.read(name, 0, 0, 10)
        before = threading.active_count()

        for partition in range(20):
            assert log.read(name, partition, 0, 10) == []

        assert threading.active_count() == before
        assert len(log._reading._pumps) == 1


class ScriptedConsumer:
    """Brings the offsets of t/0 that a test says; `busy` holds its thread up in the middle of a poll."""

    def __init__(self):
        self.busy, self.assigned, self._waiting = threading.Lock(), [], []

    def bring(self, offset):
        self._waiting.append(Brought(offset))

    def poll(self, timeout):
        time.sleep(0.001)
        found = self._waiting.pop(0) if self._waiting else None
        with self.busy:
            return found

    def consume(self, count, timeout):
        return []

    def incremental_assign(self, places):
        self.assigned += [place.offset for place in places]

    def incremental_unassign(self, places):
        pass

    def list_topics(self, topic, timeout):
        pass

    def close(self):
        pass


class Brought:
    def __init__(self, offset):
        self._offset = offset

    topic = staticmethod(lambda: "t")
    partition = staticmethod(lambda: 0)
    error = key = value = headers = staticmethod(lambda: None)

    def offset(self):
        return self._offset


def _begins(log, name):
    """Whether a topic that was just made has its leaders."""
    try:
        return log.head(name, 0) == (0, 0)
    except Unavailable:
        return False


def counted(thing, name):
    """Calls of a method from now on."""
    calls, method = [], getattr(thing, name)

    def call(*args):
        calls.append(args)
        return method(*args)

    setattr(thing, name, call)
    return calls


class TestMadeAgain:
    def test_a_reader_stops_loudly_though_the_new_topic_has_its_offset(
        self, bootstrap, log, topic, monkeypatch
    ):
        """The client itself would go on without a word."""
        log.append([record(topic, b"%d" % i) for i in range(10)])
        identity, entries = log.identity(topic), log.read(topic, 0, 0, 10)
        remove(bootstrap, topic)
        make(bootstrap, {topic: 2})
        log.append([record(topic, b"new %d" % i) for i in range(30)])
        monkeypatch.setattr(reading, "LOOK_S", 0.0)

        with pytest.raises(Corrupt) as gap:
            log.read(topic, 0, entries[-1].offset + 1, 10)

        assert gap.value.code == "log_gap"
        assert log.identity(topic) != identity

    def test_a_shorter_one_is_a_gap_too(self, bootstrap, log, topic):
        """Also for who opens it at an old position."""
        log.append([record(topic, b"a"), record(topic, b"b")])
        remove(bootstrap, topic)
        make(bootstrap, {topic: 2})

        with pytest.raises(Corrupt) as gap:
            log.read(topic, 0, 2, 10)

        assert gap.value.code == "log_gap"

    def test_a_topic_that_was_removed_is_named(self, bootstrap, log, topic, monkeypatch):
        """It is never made by being used, and the error says how it is made."""
        log.append([record(topic, b"a")])
        log.read(topic, 0, 0, 10)
        remove(bootstrap, topic)
        monkeypatch.setattr(reading, "LOOK_S", 0.0)
        monkeypatch.setattr(log._sender, "_delivery_s", 1)

        for use in (
            lambda: log.read(topic, 0, 1, 10),
            lambda: log.head(topic, 0),
            lambda: log.identity(topic),
        ):
            with pytest.raises(Misconfigured, match=f"{topic}.*`topics create`") as missing:
                use()
            assert missing.value.code == "no_topic"


class TestRefusals:
    @pytest.mark.parametrize("place", [("never-made", 0), (None, 2), (None, -1)])
    def test_what_nobody_made_is_named(self, log, topic, place):
        """A topic or a partition, before anything is written."""
        name, partition = place[0] or topic, place[1]
        with pytest.raises(Misconfigured, match=r"`topics create`") as missing:
            log.append([record(topic, b"a"), record(name, b"b", partition)])

        assert missing.value.code == "no_topic"
        assert log.head(topic, 0) == (0, 0)

    def test_too_large_a_head_is_refused(self, log, topic):
        """Key and headers travel with the value."""
        with pytest.raises(TooLarge):
            log.append([record(topic, b"a"), record(topic, b"b", key="k" * 70_000)])

        assert log.head(topic, 0) == (0, 0)

    def test_a_topic_that_takes_less_than_we_may_write_is_a_setting(self, bootstrap, log):
        """It is no fault of the record."""
        name = unique()
        admin = AdminClient({"bootstrap.servers": bootstrap})
        admin.create_topics([NewTopic(name, 1, 1, config={"max.message.bytes": "1000"})])[name].result(30)
        until(lambda: _begins(log, name))

        with pytest.raises(Misconfigured, match=r"max\.message\.bytes"):
            log.append([record(name, random.Random(1).randbytes(5_000))])

    def test_a_broker_that_does_not_answer_is_an_outage(self):
        """Whatever is asked for, within the time of a request."""
        (port,) = services.free_ports(1)
        log = KafkaLog(connection(f"127.0.0.1:{port}", request_s=0.5), delivery_s=0.5)

        for use in (
            lambda: log.append([record("t", b"a")]),
            lambda: log.read("t", 0, 0, 10),
            lambda: log.head("t", 0),
            lambda: log.identity("t"),
        ):
            with pytest.raises(Unavailable, match=f"127.0.0.1:{port}"):
                use()
        log.close()

    def test_a_host_that_nobody_knows_is_a_setting(self):
        """As long as no broker was ever reached."""
        log = KafkaLog(connection("nowhere.invalid:9092", request_s=2))

        with pytest.raises(Misconfigured, match=r"nowhere\.invalid") as unknown:
            log.head("t", 0)

        assert unknown.value.code == "kafka_host"
        log.close()

    @pytest.mark.parametrize("user", [("sightline", "s3cret-word"), ("nobody", "an0ther")])
    def test_a_login_that_is_refused_is_a_setting(self, server, user):
        """The error says what to check and holds no password."""
        login = dict(zip(("username", "password"), user, strict=True))
        log = KafkaLog(
            connection(
                server("kafka")["login"], security="sasl_plaintext", mechanism="PLAIN", request_s=3, **login
            ),
            delivery_s=3,
        )

        for use in (
            lambda: log.head("t", 0),
            lambda: log.identity("t"),
            lambda: log.append([record("t", b"a")]),
        ):
            with pytest.raises(Misconfigured, match="user name, password") as refused:
                use()
            assert refused.value.code == "kafka_access"
            assert login["password"] not in f"{refused.value} {refused.value!r} {log._connection}"
        log.close()

    def test_a_login_that_is_right_works(self, server, topic):
        """By user name and password."""
        log = KafkaLog(
            connection(
                server("kafka")["login"],
                security="sasl_plaintext",
                mechanism="PLAIN",
                username="sightline",
                password="sightline",
            )
        )

        log.append([record(topic, b"a")])

        assert [entry.value for entry in log.read(topic, 0, 0, 10)] == [b"a"]
        log.close()

    def test_a_file_that_is_not_there_is_a_setting(self, bootstrap):
        """When the log is made."""
        with pytest.raises(Misconfigured, match=r"nowhere/ca\.pem") as missing:
            KafkaLog(connection(bootstrap, security="tls", ca_file="nowhere/ca.pem"))

        assert missing.value.code == "kafka_settings"


class FailingProducer:
    """A producer that answers each record with what the test says."""

    def __init__(self, script, made):
        self.script, self.reports = script, []
        made.append(self)

    def produce(self, topic, value, key, partition, on_delivery, headers):
        self.reports.append((on_delivery, (topic, partition, value)))

    def flush(self, timeout):
        for report, what in self.reports:
            report(self.script(what), None)
        self.reports = []
        return 0

    def purge(self, **_):
        self.purged = True


class TestProducers:
    @pytest.fixture
    def failing(self, bootstrap):
        """Makes a log over producers that fail as a function of the record says."""
        logs = []

        def make_log(script):
            made = []
            logs.append(
                KafkaLog(connection(bootstrap), make_producer=lambda settings: FailingProducer(script, made))
            )
            return logs[-1], made

        yield make_log
        for log in logs:
            log.close()

    def test_one_report_of_many_that_failed_fails_the_append(self, failing, topic):
        """The caller repeats all of it; the producer stays."""
        bad = [b"2"]
        log, made = failing(
            lambda what: KafkaError(KafkaError.NOT_ENOUGH_REPLICAS) if what[2] in bad else None
        )
        records = [record(topic, b"%d" % i) for i in range(4)]

        with pytest.raises(Unavailable, match=r"1 of 4 records .*NOT_ENOUGH_REPLICAS"):
            log.append(records)

        bad.clear()
        log.append(records)
        assert len(made) == 1

    @pytest.mark.parametrize("code", ["_FENCED", "OUT_OF_ORDER_SEQUENCE_NUMBER", "_FATAL"])
    def test_a_producer_that_is_lost_is_made_anew(self, failing, topic, code):
        """By the append that is repeated."""
        fails = [True]
        log, made = failing(lambda what: KafkaError(getattr(KafkaError, code), "x", True) if fails else None)

        with pytest.raises(Unavailable):
            log.append([record(topic, b"a")])
        fails.clear()
        log.append([record(topic, b"a")])

        assert len(made) == 2
        assert made[0].purged

    def test_records_without_an_answer_are_not_taken_for_written(self, failing, topic, monkeypatch):
        """The client said nothing of them."""
        log, _ = failing(lambda what: None)
        monkeypatch.setattr(FailingProducer, "flush", lambda self, timeout: 0)

        with pytest.raises(Unavailable, match="no report"):
            log.append([record(topic, b"a")])

    def test_a_mistake_of_ours_is_not_called_an_outage(self, failing, topic):
        """It would be repeated for ever."""
        log, _ = failing(lambda what: KafkaError(KafkaError.INVALID_REQUIRED_ACKS))

        with pytest.raises(KafkaException):
            log.append([record(topic, b"a")])

    def test_appends_that_wait_share_a_flush(self, failing, topic):
        """And each hears of its own records only."""
        entered, go_on = threading.Event(), threading.Event()
        flushes, errors = [], []

        def script(what):
            entered.set()
            go_on.wait(30)
            flushes.append(what[2])
            return KafkaError(KafkaError._MSG_TIMED_OUT) if what[2] == b"bad" else None

        log, _ = failing(script)

        def append(value):
            try:
                log.append([record(topic, value)])
            except Unavailable:
                errors.append(value)

        threads = [threading.Thread(target=append, args=(b"first",))]
        threads[0].start()
        assert entered.wait(30)
        threads += [threading.Thread(target=append, args=(value,)) for value in (b"bad", b"good")]
        for thread in threads[1:]:
            thread.start()
        until(lambda: len(log._sender._waiting) == 2)
        go_on.set()
        for thread in threads:
            thread.join()

        assert sorted(flushes) == [b"bad", b"first", b"good"]
        assert errors == [b"bad"]
