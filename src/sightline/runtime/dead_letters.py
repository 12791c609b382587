"""Dead letters: records that nobody can use, kept beside their topic with the reason.

A frame that does not decode is no dead letter, it is `failed`; dead are records that cannot be read at all, and those
whose frame ended the process three times.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import cache

from sightline.errors import TooLarge
from sightline.ports import Entry, EventLog, Outgoing

__all__ = ["ATTEMPTS", "KEPT", "bury", "dead_letter"]

ATTEMPTS = 3
KEPT = 1_000  # letters of a topic; older ones are forgotten
MESSAGE_BYTES = 512
CUT_BYTES = 64 * 1024  # of a record that is too large for a letter


def bury(log: EventLog, letter: Outgoing) -> None:
    """Keep a dead letter, and forget the oldest of its topic: nobody reads them by itself, so nothing else bounds them.

    Of one that the log does not take its begin is kept, and how many bytes it had.
    """
    try:
        log.append([letter])
    except TooLarge:  # brokers take more of others than we write: compressed, it may have had any size
        log.append([_cut(letter)])
    kept_from, following = log.head(letter.topic, letter.partition)
    if following - kept_from > KEPT:
        log.trim(letter.topic, letter.partition, following - KEPT)


def dead_letter(
    stage: str,
    topic: str,
    partition: int,
    entry: Entry,
    reason: str,
    message: str,
    *,
    error: BaseException | None = None,
    attempts: int = 1,
) -> Outgoing:
    """The record as it was, on `<topic>.dlq`, with headers that say where it lay and why it is here.

    Args:
        stage: that gave it up.
        topic, partition: where it was read.
        entry: as it was read.
        reason: a stable word.
        message: for people; cut at 512 bytes.
        error: what was raised, where something was.
        attempts: how often it was begun.
    """
    place = f"{topic}/{partition}/{entry.offset}"
    traced = () if any(name == "traceparent" for name, _ in entry.headers) else (_trace(entry.key, place),)
    headers = (
        *entry.headers,
        *traced,
        ("x-dlq-reason", reason),
        ("x-dlq-stage", stage),
        ("x-dlq-attempts", str(attempts)),
        ("x-dlq-topic", topic),
        ("x-dlq-partition", str(partition)),
        ("x-dlq-offset", str(entry.offset)),
        ("x-dlq-error-class", "" if error is None else type(error).__name__),
        ("x-dlq-message", message.encode(errors="replace")[:MESSAGE_BYTES].decode(errors="ignore")),
        ("x-dlq-worker-version", _version()),
    )
    return Outgoing(f"{topic}.dlq", 0, entry.key, entry.value, headers)


def _cut(letter: Outgoing) -> Outgoing:
    """What is left of a letter that is too large: our own headers, and the begin of what it was."""
    ours = [each for each in letter.headers if each[0].startswith("x-dlq-")]
    headers = (*ours, ("x-dlq-bytes", str(len(letter.value))))
    return replace(letter, key=letter.key[:MESSAGE_BYTES], value=letter.value[:CUT_BYTES], headers=headers)


def _trace(key: str, place: str) -> tuple[str, str]:
    """A trace of the job for a record that came without one: the same each time that it is buried."""
    job, span = hashlib.sha256(key.encode()).hexdigest()[:32], hashlib.sha256(place.encode()).hexdigest()[:16]
    return "traceparent", f"00-{job}-{span}-00"


@cache
def _version() -> str:
    from importlib.metadata import version  # late: a letter is rare, and metadata are read from the disk

    return version("sightline")
