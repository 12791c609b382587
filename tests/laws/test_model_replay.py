"""The model of the protocol is checked against the runtime that it mirrors (docs/decisions/002-protocol.md).

Histories of the model are played again, call by call: on the real workers of every role (`tests.model.replay`), and on
the doubles that pass the conformance suites of the real stores (`tests.model.twin`). By induction over the calls that is
the same as real workers on a real store, killed, lied to and relieved at the same places.
"""

from collections import Counter
from dataclasses import replace
from itertools import product

import pytest

from sightline.errors import SightlineError, Unavailable
from sightline.runtime import detect, feed, lanes, order, owning, retention, worker
from sightline.testing import MemoryStore
from tests.model import replay as replaying
from tests.model.history import UNANSWERED, Call, History, recorded
from tests.model.replay import replay
from tests.model.rules import NAMES, WITHOUT, Rules
from tests.model.schedules import VARIANTS
from tests.model.script import Differs
from tests.model.twin import follow
from tests.model.values import DAMAGED

SEEDS = (
    *range(19),
    150,
)  # of each variant, the last one meets a log that was trimmed; more: python -m tests.model.replay
SEARCH = 25  # seeds tried until a planted difference is found; it takes one to a few
# Where to begin with what does not happen in every history.
RARE = {
    "final_states": 42,
    "damaged_state": 3,
    "outage_no_attempt": 2,
    "detect counts outages": 2,
    "a gap is damage, whoever owns it": 149,
}

# Rules of clients and services that have no mirror of their own: uploads, who names owners, publishing, removal.
ELSEWHERE = {
    "source_first",
    "event_with_row",
    "named_anew",
    "verified_object",
    "pointer_last",
    "tombstone",
    "purge_again",
}


def differs(history: History) -> bool:
    """Whether runtime and model, or store and model, do not agree about a history."""
    try:
        replay(history)
        follow(history)
    except Differs:
        return True
    return False


def anything_differs(rules: Rules, first: int = 0) -> bool:
    """Whether one of a few histories shows a difference."""
    seeds = product(range(first, first + SEARCH), VARIANTS)
    return any(differs(recorded(seed, rules, variant)) for seed, variant in seeds)


def what_happened(call: Call) -> str:
    """The kind of a call that is not every day's; empty for others."""
    answer, code = call.answer, getattr(call.answer, "code", "")
    if isinstance(answer, Unavailable):
        return f"{call.name} lost"
    if isinstance(answer, SightlineError):
        return code
    if call.name == "commit" and call.args[0].attempt:
        return f"attempt {call.args[0].attempt}"
    if call.name == "append" and call.args[0][0].topic.endswith(".dlq"):
        return call.args[0][0].topic
    if call.name == "load" and getattr(answer, "state", None) == DAMAGED:
        return "damaged state"
    if call.name == "is_mine":
        return f"mine: {answer}"
    return {"release": "released", "dies": "died of a frame"}.get(call.name, "")


def test_the_runtime_does_what_the_model_did():
    """Track, stats, collect, feed, detect and its lanes, relay, retention, and a store: the same calls, the same answers."""
    seen: Counter[str] = Counter()
    for seed, variant in product(SEEDS, VARIANTS):
        history = recorded(seed, variant=variant)
        replay(history)
        follow(history)
        for life in history.lives:
            seen["killed"] += not life.stopped and life.calls[-1].answer is UNANSWERED
            seen.update(what_happened(call) for call in life.calls)

    lost = ["identity", "claim", "read", "commit", "append", "release", "get", "load", "released", "put_new"]
    lost += ["fetch", "is_alive", "advance", "positions", "trim", "pending", "sent"]
    kinds = [
        "killed",
        "fenced",
        "released",
        "not_found",
        "log_gap",
        "mine: False",
        "other_log",
        "damaged state",
    ]
    kinds += ["attempt 1", "attempt -1", "died of a frame", "frames.dlq", "jobs.dlq"]
    assert [kind for kind in (*kinds, *(f"{name} lost" for name in lost)) if not seen[kind]] == []


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ELSEWHERE])
def test_a_model_without_one_of_its_rules_is_found_out(name):
    """Whatever the mirror does otherwise than the runtime shows within a few histories."""
    found = anything_differs(Rules().without(name), RARE.get(name, 0))

    assert found, f"{WITHOUT[name]}: no difference in {SEARCH} histories of each variant"


def last_wins(fold, offset, record):
    if not fold.finished and record.seq >= fold.next_seq:
        fold.waiting[record.seq] = order.Waiting(offset, record)


def out_of_turn(fold, at_most):
    seqs = sorted(fold.waiting)
    due = [fold.waiting.pop(seq).record for seq in seqs]
    fold.next_seq += len(due)
    return due


def without_fence(store, commit):
    key = commit.at.stage, commit.at.topic, commit.at.partition
    now = store._positions[key]
    return COMMIT(store, replace(commit, at=replace(commit.at, epoch=now.epoch, commit_no=now.commit_no)))


def sent_first(outbox, log, owner="relay", limit=200):
    waiting = outbox.pending(owner, limit)
    outbox.sent([queued.queue_id for queued in waiting])
    log.append([queued.record for queued in waiting])
    return len(waiting)


def marks_of_the_fastest(ledger, consumers):
    for topic, expected in consumers.items():
        marks = {}
        for at in ledger.positions(topic):
            marks.setdefault(at.partition, []).append(at.low_water)
        for partition, mark in marks.items():
            if len(mark) >= expected:
                yield topic, partition, max(mark)


def read_alone(log, ledger, at, offset, limit):
    return log.read(at.topic, at.partition, offset, limit)


def never_careful(role, partition):
    return replace(held := CLAIMED(role, partition), careful_to=held.at.low_water)


def answered_late(role, tasks):
    role._queue.finished(tasks)


COMMIT, CLAIMED = MemoryStore.commit, detect.DetectRole._claimed
PLANTED = {
    "the last record of an identity wins": (order.Fold, "add", last_wins),
    "what waits is released out of its turn": (order.Fold, "take_due", out_of_turn),
    "the position of a fold lies behind what waits": (worker._Held, "low_water", lambda held: held.read_to),
    "nobody asks which jobs have ended": (worker.FoldWorker, "_drop_ended", lambda self, held, moved: None),
    "whoever is fenced claims again": (owning.Ownership, "fenced", lambda self, partition: None),
    "who is named no longer does not release": (worker.FoldWorker, "release", lambda self: None),
    "a gap is damage, whoever owns it": (worker, "read_owned", read_alone),
    "the feeder passes over what waits": (feed._Held, "low_water", lambda held: held.read_to),
    "the feeder sees no window": (feed.Feeder, "_released", lambda self, active: 99),
    "the feeder shares nothing": (feed.Feeder, "_room", lambda self, held: 0),
    "detect begins without saying so": (detect.DetectRole, "begin_any", lambda self, tasks: None),
    "detect counts outages": (detect.DetectRole, "hand_back", lambda self, task: None),
    "detect never gives a frame up": (detect, "ATTEMPTS", 99),
    "detect suspects nobody": (detect.DetectRole, "_claimed", never_careful),
    "detect finishes nothing": (detect.DetectRole, "finish", answered_late),
    "the position of detect passes over frames": (detect._Held, "low_water", lambda held: held.read_to),
    "a lane forgets to answer": (lanes.Lane, "_land_all", lambda self: self._flights.clear()),
    "the relay forgets before it has sent": (replaying, "relay", sent_first),
    "retention follows the fastest": (retention, "_marks", marks_of_the_fastest),
    "a store compares nothing": (MemoryStore, "commit", without_fence),
    "a store does not hear who left": (MemoryStore, "release", lambda self, at: None),
    "a store removes jobs that are alive": (MemoryStore, "remove", lambda self, job_id: True),
}


@pytest.mark.parametrize("what", PLANTED)
def test_a_runtime_that_does_something_else_is_found_out(what, monkeypatch):
    """Whatever the runtime or a store does otherwise shows as well."""
    monkeypatch.setattr(*PLANTED[what])

    assert anything_differs(Rules(), RARE.get(what, 0))
