"""Dead letters: records that nobody can use, kept beside their topic with the reason.

A frame that does not decode is no dead letter, it is `failed`; dead are records that cannot be read at all, and those
whose frame ended the process three times.
"""

from __future__ import annotations

from sightline.ports import Entry, Outgoing

__all__ = ["ATTEMPTS", "dead_letter"]

ATTEMPTS = 3
MESSAGE = 512


def dead_letter(stage: str, topic: str, partition: int, entry: Entry, reason: str, message: str) -> Outgoing:
    """The record as it was, on `<topic>.dlq`, with headers that say where it lay and why it is here.

    Args:
        stage: that gave it up.
        topic, partition: where it was read.
        entry: as it was read.
        reason: a stable word.
        message: for people; cut at 512 characters.
    """
    headers = (
        *entry.headers,
        ("x-dlq-reason", reason),
        ("x-dlq-stage", stage),
        ("x-dlq-topic", topic),
        ("x-dlq-partition", str(partition)),
        ("x-dlq-offset", str(entry.offset)),
        ("x-dlq-message", message[:MESSAGE]),
    )
    return Outgoing(f"{topic}.dlq", 0, entry.key, entry.value, headers)
