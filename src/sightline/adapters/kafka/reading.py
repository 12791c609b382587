"""Reading: consumers without a group, each partition from the offset that is asked for.

A `_Pump` is one consumer with a thread that takes what the brokers send, for any number of partitions, and lays it into
a bounded buffer for each: a full one pauses its partition. So nobody asks the brokers whether there is something new,
and whoever waits hears of a record as soon as it is there. A partition that is read at two places, by two stages of one
process, lies in two pumps.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from sightline.adapters.kafka.asking import Asker, Look
from sightline.adapters.kafka.connection import Connection
from sightline.adapters.kafka.errors import Troubles
from sightline.adapters.kafka.vendor import Consumer, KafkaError, KafkaException, TopicPartition
from sightline.errors import Corrupt, Unavailable
from sightline.ports import Entry

__all__ = ["Reading"]

GROUP = "sightline-reading"  # the client wants a name; nothing is committed, nobody joins
HOLD_BYTES, HOLD_RECORDS = 4 * 2**20, 4_096  # of a buffer; above it the partition pauses
PUMPS = 4  # places at which one partition is read without seeking
READERS = 512  # partitions of a pump; beyond, the one that was read longest ago is let go
LOOK_S = 1.0  # how long it may take until a read finds that a topic was made again, or nobody answers
POLL_S = 0.02  # how long an order waits for the pump at most
TAKE = 500  # records at once
PRIME_S = 1.0
SETTINGS = {
    "group.id": GROUP,
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "auto.offset.reset": "error",
    "enable.partition.eof": True,
    "isolation.level": "read_committed",
    "fetch.wait.max.ms": 50,  # also how long a partition that is sought waits for the request under way
    "fetch.queue.backoff.ms": 10,
    "fetch.error.backoff.ms": 50,
    "queued.max.messages.kbytes": 16 * 1024,
}

Place = tuple[str, int]


class _Reader:
    """A partition within a pump.

    Attributes:
        entries: all records of `[at, to)` that the topic has.
        goal: `to` is at least this far once all is there that was there at the last look.
        looked: when it was last asked where the partition ends and whose it is.
        stale: this process appended since; what the buffer does not answer is asked for.
        lock: one reads at a time.
    """

    def __init__(self, place: Place, at: int, look: Look) -> None:
        self.place, self.at, self.to = place, at, at
        self.entries: deque[Entry] = deque()
        self.size, self.paused, self.used = 0, False, 0
        self.goal, self.looked = look.following, time.monotonic()
        self.stale = False
        self.error: Any = None
        self.lock = threading.Lock()

    @property
    def full(self) -> bool:
        """Whether the partition must pause."""
        return self.size >= HOLD_BYTES or len(self.entries) >= HOLD_RECORDS

    @property
    def spacious(self) -> bool:
        """Whether a paused one may go on: each pause throws away what was on its way."""
        return self.size < HOLD_BYTES // 2 and len(self.entries) < HOLD_RECORDS // 2

    def holds(self, offset: int) -> bool:
        """Whether reading goes on here without a seek."""
        return self.error is None and self.at <= offset <= self.to

    def drop(self, before: int) -> None:
        """Forget what was read."""
        while self.entries and self.entries[0].offset < before:
            self.size -= _size(self.entries.popleft())
        self.at = max(self.at, before)

    def take(self, message: Any) -> bool:
        """What the consumer brought; whether it is a record."""
        error = message.error()
        if error is None:
            if message.offset() < self.to:
                return False  # fetched again after a pause
            self.entries.append(_entry(message))
            self.size += _size(self.entries[-1])
            self.to = message.offset() + 1
            return True
        if error.code() == KafkaError._PARTITION_EOF:  # marks of transactions lie before it
            self.to = max(self.to, message.offset())
        else:
            self.error = error
        return False


class _Pump:
    """One consumer and its thread; nobody else touches the consumer."""

    def __init__(
        self,
        consumer: Any,
        changed: threading.Condition,
        heard: Callable[[Any], None],
        ring: Callable[[], None],
    ) -> None:
        self.readers: dict[Place, _Reader] = {}
        self.broken: BaseException | None = None
        self._consumer, self._changed, self._heard, self._ring = consumer, changed, heard, ring
        self._orders: deque[Callable[[], None]] = deque()
        self._open, self._assigned = True, dict[Place, _Reader]()
        self._thread = threading.Thread(target=self._run, name="kafka-reading", daemon=True)
        self._thread.start()

    def seek(self, reader: _Reader) -> None:
        """Read a partition from `reader.at` on, whatever was read of it before."""
        self.readers[reader.place] = reader
        self._orders.append(lambda: self._assign(reader))

    def resume(self, reader: _Reader) -> None:
        """Go on with a partition that was paused."""
        reader.paused = False
        self._orders.append(lambda: self._consumer.resume([TopicPartition(*reader.place)]))

    def let_go(self, place: Place) -> None:
        """Read a partition no more."""
        del self.readers[place]
        self._orders.append(lambda: self._unassign(place))

    def close(self) -> None:
        self._open = False
        self._thread.join()

    def _run(self) -> None:
        try:
            while self._open:
                while self._orders:
                    self._orders.popleft()()
                first = self._consumer.poll(POLL_S)
                if first is not None:
                    self._take([first, *self._consumer.consume(TAKE, 0)])
            self._consumer.close()
        except BaseException as error:  # whoever reads next raises it
            with self._changed:
                self.broken = error
                self._changed.notify_all()

    def _take(self, messages: Iterable[Any]) -> None:
        with self._changed:
            found = False
            for message in messages:
                reader = self._assigned.get((message.topic(), message.partition()))
                if reader is not None:
                    found |= reader.take(message)
                    if reader.full and not reader.paused:
                        reader.paused = True
                        self._consumer.pause([TopicPartition(*reader.place)])
                elif message.error() is not None:
                    self._heard(message.error())
            if found:
                self._ring()
            self._changed.notify_all()

    def _assign(self, reader: _Reader) -> None:
        self._unassign(reader.place)
        if self.readers.get(reader.place) is reader:
            self._assigned[reader.place] = reader
            self._consumer.incremental_assign([TopicPartition(*reader.place, reader.at)])
            try:
                self._consumer.list_topics(
                    reader.place[0], PRIME_S
                )  # else it asks for the leader within a second
            except KafkaException as error:
                self._heard(error.args[0])  # it goes on asking by itself

    def _unassign(self, place: Place) -> None:
        if place in self._assigned:
            del self._assigned[place]
            self._consumer.incremental_unassign([TopicPartition(*place)])


class Reading:
    """Reads partitions and waits for records; safe for threads.

    Args:
        connection: to whom.
        asker: says where a partition begins and ends.
        troubles: hears what the clients complain about.
        settles: see `KafkaLog`.
    """

    def __init__(
        self, connection: Connection, asker: Asker, troubles: Troubles, *, settles: bool = True
    ) -> None:
        self._settles = settles
        self._connection, self._asker, self._troubles = connection, asker, troubles
        self._changed = threading.Condition()
        self._pumps: list[_Pump] = []
        self._identities: dict[str, str] = {}
        self._number, self._uses = 1, 0

    def read(self, place: Place, offset: int, limit: int) -> list[Entry]:
        """See `EventLog`.

        Raises:
            Corrupt: records are gone, or the topic is another one than the reader began with.
            Unavailable: repeat.
            ServiceMisconfigured: the topic was never made.
        """
        while True:
            reader = self._at(place, offset) or self._sought(place, offset)
            with reader.lock:
                if self._look_due(reader, offset, limit):
                    self._look_again(reader)
                with self._changed:
                    if not reader.holds(offset) and reader.error is None:
                        continue  # another thread has read on meanwhile
                    return self._found(reader, offset, limit)

    def ring(self, places: Iterable[Place] = ()) -> None:
        """Records were appended by this process; the next read of these partitions asks where they end."""
        with self._changed:
            for pump in self._pumps:
                for place in places:
                    if place in pump.readers:
                        pump.readers[place].stale = True
            self._number += 1
            self._changed.notify_all()

    def wait(self, seen: int, limit_s: float) -> int:
        """See `EventLog`; it rises with records of partitions that were read, and with `ring`."""
        with self._changed:
            self._changed.wait_for(lambda: self._number > seen, limit_s)
            return self._number

    def close(self) -> None:
        """End the consumers."""
        for pump in self._pumps:
            pump.close()
        self._pumps.clear()

    def _at(self, place: Place, offset: int) -> _Reader | None:
        """The reader that is nearest behind an offset, if one can go on there."""
        with self._changed:
            for pump in self._pumps:
                if pump.broken is not None:
                    self._pumps.remove(pump)
                    raise pump.broken
            fit = [pump.readers[place] for pump in self._pumps if place in pump.readers]
            fit = [reader for reader in fit if reader.holds(offset)]
            return self._use(max(fit, key=lambda reader: reader.at)) if fit else None

    def _sought(self, place: Place, offset: int) -> _Reader:
        """A reader that begins at an offset, once it is known that the partition has it."""
        look = self._asker.look(*place)
        self._same(place, look)
        _check(place, offset, look)
        with self._changed:
            reader = self._use(_Reader(place, offset, look))
            pump = self._pump_for(place)
            pump.seek(reader)
            if len(pump.readers) > READERS:
                oldest = min(pump.readers.values(), key=lambda each: each.used)
                pump.let_go(oldest.place)
            return reader

    def _pump_for(self, place: Place) -> _Pump:
        """One that does not read this partition or failed to, else a new one, else that which read it longest ago."""
        for pump in self._pumps:
            if place not in pump.readers or pump.readers[place].error is not None:
                return pump
        if len(self._pumps) < PUMPS:
            self._pumps.append(self._new_pump())
            return self._pumps[-1]
        return min(self._pumps, key=lambda pump: pump.readers[place].used)

    def _new_pump(self) -> _Pump:
        consumer = self._troubles.made(Consumer, SETTINGS)
        return _Pump(consumer, self._changed, self._troubles.heard, self._count)

    def _count(self) -> None:
        self._number += 1

    def _use(self, reader: _Reader) -> _Reader:
        self._uses += 1
        reader.used = self._uses
        return reader

    def _look_due(self, reader: _Reader, offset: int, limit: int) -> bool:
        """Whether to ask the brokers, before an answer, where the partition ends and whose it is."""
        if time.monotonic() - reader.looked > LOOK_S:
            return True
        with self._changed:
            stale = self._settles and reader.stale
            return stale and sum(entry.offset >= offset for entry in reader.entries) < limit

    def _look_again(self, reader: _Reader) -> None:
        reader.stale, began, to = False, time.monotonic(), reader.to
        look = self._with_others(reader, began)
        try:
            self._same(reader.place, look)
            # What was fetched before the brokers forgot it is as good; what was fetched since may lie behind the look.
            _check(reader.place, max(to, min(reader.to, look.kept)), look)
        except Corrupt:
            self._forget(reader)
            raise
        with self._changed:
            reader.looked = began
            reader.goal = max(reader.goal, look.following)

    def _with_others(self, reader: _Reader, began: float) -> Look:
        """A look at a partition, and beside it at those that are soon due: a process may read hundreds."""
        with self._changed:
            due = [
                (each, each.to)
                for pump in self._pumps
                for each in pump.readers.values()
                if each is not reader and began - each.looked > LOOK_S / 2
            ]
        looks = self._asker.looks([reader.place, *dict.fromkeys(each.place for each, _ in due)])
        with self._changed:
            for each, to in due:
                look = looks.get(each.place)
                same = look is not None and look.identity == self._identities.get(each.place[0])
                if look is not None and same and look.kept <= to <= look.following:
                    each.looked, each.goal = began, max(each.goal, look.following)
        found = looks.get(reader.place)
        return self._asker.look(*reader.place) if found is None else found

    def _found(self, reader: _Reader, offset: int, limit: int) -> list[Entry]:
        """What is there from an offset on, as soon as all is there that was there at the last look."""
        reader.drop(offset)
        if reader.paused and reader.spacious:
            self._resume(reader)

        def ready() -> bool:
            enough = len(reader.entries) >= limit or reader.paused or reader.to >= reader.goal
            return enough or not self._settles or reader.error is not None or self._broken(reader) is not None

        in_time = self._changed.wait_for(ready, self._connection.request_s)
        topic, partition = reader.place
        doing = f"reading {topic}/{partition} from {offset} on"
        broken = self._broken(reader)
        if broken is not None:
            raise broken
        if reader.error is not None:
            ours = self._troubles.meaning(reader.error, doing)
            raise ours or RuntimeError(f"{doing}: {reader.error}")
        if not in_time:
            raise self._troubles.meaning(
                KafkaError(KafkaError._TIMED_OUT, f"nothing came within {self._connection.request_s:g} s"),
                doing,
            ) or Unavailable(doing, code="kafka_down")
        return [reader.entries[i] for i in range(min(limit, len(reader.entries)))]

    def _same(self, place: Place, look: Look) -> None:
        """That the topic is the one that was read first.

        A client would read on in another one of the same name without a word, as soon as it has the offset.
        """
        topic, partition = place
        with self._changed:
            first = self._identities.setdefault(topic, look.identity)
        if look.identity != first:
            raise Corrupt(
                f"{topic}/{partition} was removed and made again: what was to be read is gone. To work on the new one, "
                "start again",
                code="log_gap",
            )

    def _resume(self, reader: _Reader) -> None:
        for pump in self._pumps:
            if pump.readers.get(reader.place) is reader:
                pump.resume(reader)

    def _broken(self, reader: _Reader) -> BaseException | None:
        """What ended the pump of a reader; one that was let go meanwhile has none, and is sought again."""
        for pump in self._pumps:
            if pump.readers.get(reader.place) is reader:
                return pump.broken
        return Unavailable("{}/{} is read by too many at once: repeat".format(*reader.place))

    def _forget(self, reader: _Reader) -> None:
        with self._changed:
            for pump in self._pumps:
                if pump.readers.get(reader.place) is reader:
                    pump.let_go(reader.place)


def _check(place: Place, offset: int, look: Look) -> None:
    if not look.kept <= offset <= look.following:
        raise Corrupt(
            f"{place[0]}/{place[1]}: offset {offset} outside {look.kept}..{look.following}", code="log_gap"
        )


def _size(entry: Entry) -> int:
    return len(entry.value) + len(entry.key) + sum(len(name) + len(value) for name, value in entry.headers)


def _entry(message: Any) -> Entry:
    """A record, of ours or of a stranger: who writes no text as key or header finds it escaped."""
    headers = tuple((name, _text(value)) for name, value in message.headers() or ())
    return Entry(message.offset(), _text(message.key()), message.value() or b"", headers)


def _text(value: bytes | str | None) -> str:
    return value.decode(errors="backslashreplace") if isinstance(value, bytes) else value or ""
