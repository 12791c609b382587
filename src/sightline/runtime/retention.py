"""Retention: what every consumer of a topic has released may be forgotten."""

from __future__ import annotations

from collections.abc import Mapping

from sightline.ports import EventLog, Ledger

__all__ = ["trim_released"]


def trim_released(log: EventLog, ledger: Ledger, consumers: Mapping[str, int]) -> None:
    """Trim topics below the lowest position of their consumers.

    Args:
        log, ledger: ports.
        consumers: number of stages that read each topic; a topic is left alone until each has claimed it.
    """
    for topic, expected in consumers.items():
        marks: dict[int, list[int]] = {}
        for position in ledger.positions(topic):
            marks.setdefault(position.partition, []).append(position.low_water)
        for partition, lowest in marks.items():
            if len(lowest) >= expected:
                log.trim(topic, partition, min(lowest))
