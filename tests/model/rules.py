"""The rules of the protocol. All on: nothing goes wrong. Each one off: something does."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Any


def _rule(without: str) -> Any:
    """A rule that is on; `without` says what the processes do when it is off."""
    return field(default=True, metadata={"without": without})


@dataclass(frozen=True, slots=True)
class Rules:
    """Switches, in the order of a record's way through the system."""

    source_first: bool = _rule("upload: job row before the object")
    event_with_row: bool = _rule("upload: event after the row, not in its transaction")
    feed_after_ack: bool = _rule("feed: progress before the log's acknowledgement")
    window: bool = _rule("feed: as far ahead as it can")
    window_shared: bool = _rule("feed: the whole window for each job")
    window_floor: bool = _rule("feed: less than a segment for each of many jobs")
    queue: bool = _rule("feed: all jobs at once")
    slot_until_released: bool = _rule("feed: a slot is free when its job is fed, not when it is released")
    unreadable_event: bool = _rule("feed: an event that nobody can read stops the stage")
    unreadable_source: bool = _rule("feed: a source that cannot be read stops the stage")
    detect_after_ack: bool = _rule("detect: position before the log's acknowledgement")
    lowest_unfinished: bool = _rule("detect: highest finished offset as position")
    attempt_before_record: bool = _rule("detect: a lethal frame is tried for ever")
    outage_no_attempt: bool = _rule("detect: an outage counts as an attempt")
    begun_then_careful: bool = _rule("detect: careful after a start that had nothing to read")
    refused_model: bool = _rule("detect: the refused model of a job stops the stage")
    dead_letter_fails: bool = _rule("detect: a dead letter without an outcome")
    first_wins: bool = _rule("fold: the last record of an identity wins")
    order_by_seq: bool = _rule("fold: records in the order of their arrival")
    eof_waits: bool = _rule("fold: the end at once, not in its turn")
    distinct_seqs: bool = _rule("fold: complete by a counter")
    read_again: bool = _rule("fold: position behind the frames that wait")
    waiting_not_stored: bool = _rule("fold: frames that wait are part of the state")
    logged_time_only: bool = _rule("fold: a local timer gives up on a missing frame")
    ended_gives_up: bool = _rule("fold, feed: what waits of an ended job is kept")
    damaged_state: bool = _rule("fold: the damaged state of a job stops the stage")
    gone_is_ended: bool = _rule("all: a job that was removed stops the stage")
    fenced_waits: bool = _rule("owners: who is fenced claims again by itself")
    named_anew: bool = _rule("owners: a named one, fenced by a stale one, is never named anew")
    release: bool = _rule("owners: who leaves does not release")
    topic_identity: bool = _rule("owners: a position goes on in a topic that was made again")
    fence: bool = _rule("commit: nothing compared")
    commit_no: bool = _rule("commit: low_water compared, not epoch and commit_no")
    drop_memory: bool = _rule("commit: memory kept after an answer that got lost")
    outputs_with_state: bool = _rule("commit: outputs before state and position")
    position_with_state: bool = _rule("commit: position before state and outputs")
    alive_in_commit: bool = _rule("commit: nobody asks whether the job is alive")
    sent_after_ack: bool = _rule("relay: marked as sent before the acknowledgement")
    gap_asks_owner: bool = _rule("read: records that are gone stop a stale owner loudly")
    trim_by_slowest: bool = _rule("retention: below the fastest reader")
    verified_object: bool = _rule("publish: object not read back")
    pointer_last: bool = _rule("publish: pointer before the object")
    tombstone: bool = _rule("jobs: nothing stays of a removed job, not even its name")
    purge_again: bool = _rule("jobs: a removed job is purged once")
    final_states: bool = _rule("jobs: a terminal state can be left")

    def without(self, name: str) -> Rules:
        """The same rules but one."""
        return replace(self, **{name: False})


NAMES = tuple(rule.name for rule in fields(Rules))
WITHOUT = {rule.name: str(rule.metadata["without"]) for rule in fields(Rules)}
