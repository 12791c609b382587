"""Counters of processes, on a compacted topic: the newest record of a process is what it says."""

from __future__ import annotations

import threading
from collections.abc import Mapping

import msgspec

from sightline.adapters.kafka.log import KafkaLog
from sightline.errors import Corrupt
from sightline.ports import Outgoing

__all__ = ["Reports"]

BATCH = 256
_decoder = msgspec.json.Decoder(dict[str, int])


class Reports:
    """Writes and reads the counters of all processes; safe for threads.

    Args:
        log: where they lie.
        topic: of one partition; key the name of a process, value its counters as a JSON object, empty when it left.
        name: of this process.
    """

    def __init__(self, log: KafkaLog, topic: str, name: str) -> None:
        self._log, self._topic, self._name = log, topic, name
        self._lock = threading.Lock()
        self._at = -1
        self._said: dict[str, dict[str, int]] = {}

    def write(self, counters: Mapping[str, int] | None) -> None:
        """Say something in place of what was said before; None: nothing any more.

        Raises:
            Unavailable: repeat.
        """
        value = b"" if counters is None else msgspec.json.encode(dict(counters))
        self._log.append([Outgoing(self._topic, 0, self._name, value)])

    def read(self) -> dict[str, dict[str, int]]:
        """What each process said last, those that are gone too.

        Raises:
            Unavailable: repeat.
        """
        with self._lock:
            kept, following = self._log.head(self._topic, 0)
            if not kept <= self._at <= following:  # the first time, or what lies behind us was forgotten
                self._at, self._said = kept, {}
            while self._at < following:
                try:
                    entries = self._log.read(self._topic, 0, self._at, BATCH)
                except Corrupt:
                    self._at, self._said = -1, {}
                    raise
                for entry in entries:
                    self._take(entry.key, entry.value)
                self._at = entries[-1].offset + 1 if entries else following
            return {name: dict(counters) for name, counters in self._said.items()}

    def _take(self, name: str, value: bytes) -> None:
        if not value:
            self._said.pop(name, None)
            return
        try:
            self._said[name] = _decoder.decode(value)
        except (msgspec.ValidationError, msgspec.DecodeError) as error:
            raise Corrupt(
                f"{self._topic}: the report of {name} is no object of counters; somebody else writes there: {error}",
                code="invalid_record",
            ) from None
