"""Appending: one idempotent producer, records to the partition that is named, and an answer for each of them.

Whoever comes while another one waits for its answers is taken along in the next flush, so that many small appends share
the way to the brokers.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from sightline.adapters.kafka.errors import Troubles
from sightline.adapters.kafka.vendor import KafkaError, KafkaException, Producer
from sightline.errors import ServiceMisconfigured, SightlineError, TooLarge
from sightline.events import INLINE_BYTES, MAX_BYTES
from sightline.ports import Limits, Outgoing, check_sizes, usual

__all__ = ["AROUND_BYTES", "Sender", "check_fits"]

AROUND_BYTES = 64 * 1024  # key and headers of a record
FLUSH_S = 0.2  # between two looks at what is left, so that signals are heard
GRACE_S = 5.0  # beyond the time that each record has: then the client itself is at fault


def check_fits(records: Sequence[Outgoing], limits: Limits = usual) -> None:
    """Refuse records that would not fit.

    Raises:
        TooLarge: a value has more than its topic takes, or key and headers together more than `AROUND_BYTES`.
    """
    check_sizes(records, limits)
    for record in records:
        around = len(record.key.encode()) + sum(len(n.encode()) + len(v.encode()) for n, v in record.headers)
        if around > AROUND_BYTES:
            raise TooLarge(f"key and headers of {around} bytes on {record.topic}, limit {AROUND_BYTES}")


class _Batch:
    """The records of one append, and what became of them."""

    def __init__(self, records: Sequence[Outgoing]) -> None:
        self.records, self.waiting = records, len(records)
        self.failed: list[Any] = []
        self.over = False

    def report(self, error: Any, message: Any) -> None:
        """Called by the client once for each record."""
        self.waiting -= 1
        if error is not None:
            self.failed.append(error)


class Sender:
    """Sends batches of records, each whole.

    Args:
        troubles: of the connection.
        delivery_s: seconds that a record may take, repeats by the client included.
        make: makes a producer.
    """

    def __init__(
        self,
        troubles: Troubles,
        *,
        delivery_s: float,
        make: Callable[[dict[str, Any]], Any] = Producer,
    ) -> None:
        self._troubles, self._make, self._delivery_s = troubles, make, delivery_s
        self._settings = {
            "acks": "all",
            "enable.idempotence": True,
            "max.in.flight.requests.per.connection": 5,
            "linger.ms": 5,
            "delivery.timeout.ms": int(delivery_s * 1000),
            "compression.type": "lz4",
            "batch.size": MAX_BYTES + 2 * AROUND_BYTES,  # of several records: what every topic takes
            "message.max.bytes": INLINE_BYTES + 2 * AROUND_BYTES,
        }
        self._producer: Any = None
        self._door, self._turn = threading.Lock(), threading.Lock()
        self._waiting: list[_Batch] = []

    def send(self, records: Sequence[Outgoing]) -> None:
        """Return when every record is acknowledged by all replicas in sync.

        Raises:
            Unavailable: perhaps some were written; repeat all of them.
            ServiceMisconfigured: the topic was never made, or takes less than this record; the login is refused.
        """
        batch = _Batch(records)
        with self._door:
            self._waiting.append(batch)
        with self._turn:
            if not batch.over:
                self._send_all()
        if batch.failed:
            raise self._error(batch)
        self._troubles.answered()

    def close(self) -> None:
        """End the client; nothing waits, as each append has its answer."""
        with self._turn:
            self._drop()

    def _send_all(self) -> None:
        with self._door:
            batches, self._waiting = self._waiting, []
        try:
            self._flush(batches)
        finally:
            for batch in batches:
                if batch.waiting > 0:
                    # A record may still arrive by the old client, late: it has then come twice, no more.
                    batch.failed.append(KafkaError(KafkaError._TIMED_OUT, "no report of a record"))
                batch.over = True
            if any(_lost(error) for batch in batches for error in batch.failed):
                self._drop()

    def _flush(self, batches: Sequence[_Batch]) -> None:
        producer = self._producer = self._producer or self._troubles.made(self._make, self._settings)
        until = time.monotonic() + self._delivery_s + GRACE_S
        for batch in batches:
            for record in batch.records:
                self._produce(producer, record, batch, until)
        while producer.flush(FLUSH_S) and time.monotonic() < until:
            pass

    def _produce(self, producer: Any, record: Outgoing, batch: _Batch, until: float) -> None:
        while True:
            try:
                producer.produce(
                    record.topic,
                    record.value,
                    record.key,
                    record.partition,
                    on_delivery=batch.report,
                    headers=[(name, value.encode()) for name, value in record.headers],
                )
                return
            except BufferError:  # the client's own queue is full of what was handed over before
                if time.monotonic() > until:
                    batch.report(KafkaError(KafkaError._TIMED_OUT, "the client's queue is full"), None)
                    return
                producer.poll(FLUSH_S)
            except KafkaException as error:
                batch.report(error.args[0], None)
                return

    def _drop(self) -> None:
        """Let the client go; the next append makes one anew."""
        producer, self._producer = self._producer, None
        if producer is not None:
            producer.purge(in_queue=True, in_flight=True, blocking=False)
            producer.flush(0)

    def _error(self, batch: _Batch) -> BaseException:
        error = batch.failed[0]
        places = ", ".join(sorted({f"{each.topic}/{each.partition}" for each in batch.records}))
        if error.code() == KafkaError.MSG_SIZE_TOO_LARGE:
            return ServiceMisconfigured(
                f"a topic of {places} takes smaller records than it should: raise its max.message.bytes; "
                "`topics check` says which, and to what",
                code="kafka_settings",
            )
        doing = f"{len(batch.failed)} of {len(batch.records)} records for {places} were not acknowledged"
        ours: SightlineError | None = self._troubles.meaning(error, doing)
        return ours or KafkaException(error)


def _lost(error: Any) -> bool:
    """Whether this producer will never do again what it did."""
    return bool(error.fatal()) or error.code() in (
        KafkaError._FATAL,
        KafkaError._FENCED,
        KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER,
        KafkaError.INVALID_PRODUCER_EPOCH,
        KafkaError._TIMED_OUT,
    )
