"""Bugs planted in what processes share: relays, ownership, order, letters. Each makes the test that is named beside it fail."""

from contextlib import nullcontext, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from sightline.errors import Corrupt, NotFound, SightlineError
from sightline.runtime import known, letters, owning, relay, resending
from sightline.runtime.known import Known
from sightline.runtime.letters import PAGE, SUFFIX, Letter
from sightline.runtime.order import Fold, Waiting
from sightline.runtime.owning import Ownership
from sightline.runtime.relay import Relay
from sightline.runtime.resending import Post
from tests.laws import test_letters_again as again
from tests.laws import test_owners as owners
from tests.unit.runtime import test_known as knowing
from tests.unit.runtime import test_order as order
from tests.unit.runtime import test_relay as relays

# --- relay ---------------------------------------------------------------------------------------------------------


def _relays_by(patch, other):
    for module in (relay, relays):
        patch.setattr(module, "relay", other)


def marks_first(patch):
    """relay: records are forgotten before they are sent"""

    def other(outbox, log, owner="relay", limit=200, sent=lambda topic, key: None):
        waiting = outbox.pending(owner, limit)
        outbox.sent([queued.queue_id for queued in waiting])
        log.append([queued.record for queued in waiting])
        for queued in waiting:
            sent(queued.record.topic, queued.record.key)
        return len(waiting)

    _relays_by(patch, other)


def told_first(patch):
    """relay: a job is `sent` before the log has its event"""

    def other(outbox, log, owner="relay", limit=200, sent=lambda topic, key: None):
        for queued in outbox.pending(owner, limit):
            sent(queued.record.topic, queued.record.key)
        return plain(outbox, log, owner, limit)

    plain = relay.relay
    _relays_by(patch, other)


def newest_first(patch):
    """relay: records leave in another order than that of their commits"""

    class Backwards:
        def __init__(self, log):
            self.log = log

        def append(self, records):
            self.log.append(records[::-1])

    plain = relay.relay
    _relays_by(patch, lambda outbox, log, *more, **named: plain(outbox, Backwards(log), *more, **named))


def shard_skipped(patch):
    """relay: it sends in the name of the first partition that it owns and of no other"""

    def step(self):
        return sum(self._relayed(each) for each in sorted(self._owner.named())[:1])

    patch.setattr(Relay, "step", step)


def asked_once(patch):
    """relay: a partition whose owner has left nothing is never asked again"""

    def step(self):
        asked = self.__dict__.setdefault("asked", set())
        named = sorted(self._owner.named())
        done = [(each, self._relayed(each)) for each in named if each == named[0] or each not in asked]
        asked |= {each for each, sent in done if not sent}
        return sum(sent for _, sent in done)

    patch.setattr(Relay, "step", step)


def one_name(patch):
    """relay: all relays have one name, so that each is given what another one holds"""
    patch.setattr(relay, "_name", lambda partition: "relay")
    patch.setattr(relays, "left_by", lambda store, partition: store.pending("relay", 100))


def nothing_given_back(patch):
    """relay: who stops keeps what it holds"""
    patch.setattr(Relay, "release", lambda self: None)


def removed_job_stops(patch):
    """relay: the event of a job that was removed stops all that follow"""
    patch.setattr(relay, "suppress", lambda *_: nullcontext())


# --- ownership -----------------------------------------------------------------------------------------------------


def old_lease(patch):
    """owning: who was named once goes on when the partition is another one's"""
    plain = Ownership.named

    def named(self):
        ever = self.__dict__.setdefault("ever", set())
        ever |= plain(self)
        return frozenset(ever) - self._lost

    patch.setattr(Ownership, "named", named)


def claims_again(patch):
    """owning: who is fenced claims again at once"""
    patch.setattr(Ownership, "fenced", lambda self, partition: None)


def lost_for_good(patch):
    """owning: who was fenced once is never an owner again"""

    def named(self):
        lost = self.__dict__.setdefault("ever_lost", set())
        lost |= self._lost
        return plain(self) - lost

    plain = Ownership.named
    patch.setattr(Ownership, "named", named)


def never_rejoins(patch):
    """owning: nobody asks to be named anew"""
    patch.setattr(owning, "PATIENCE_S", float("inf"))


def any_role(patch):
    """owning: who owns a partition for one role owns it for all"""

    class Roleless:
        def __init__(self, members, role):
            self.members, self.role = members, role

        def owned(self):
            return frozenset(each._replace(role=self.role) for each in self.members.owned())

    def init(self, role, topic, partitions, members, *more):
        plain(self, role, topic, partitions, Roleless(members, role), *more)

    plain = Ownership.__init__
    patch.setattr(Ownership, "__init__", init)


# --- order ---------------------------------------------------------------------------------------------------------


def offset_is_identity(patch):
    """fold: a record is told from others by its offset, not by its seq"""

    def add(self, offset, record):
        if any(each.offset == offset for each in self.waiting.values()):
            return False
        self.waiting[record.seq] = Waiting(offset, record)
        return True

    patch.setattr(Fold, "add", add)


def released_again(patch):
    """fold: what was released before the last start is waited for again"""

    def add(self, offset, record):
        if self.finished or record.seq in self.waiting:
            self.duplicates += 1
            return False
        self.waiting[record.seq] = Waiting(offset, record)
        return True

    patch.setattr(Fold, "add", add)


# --- jobs of foreign records ---------------------------------------------------------------------------------------


def unknown_for_good(patch):
    """known: a job that has not begun is never asked for again"""

    def call(self, job_id):
        if job_id not in self._contexts:
            self._contexts[job_id] = self._found(job_id)
        return self._contexts[job_id]

    patch.setattr(Known, "__call__", call)


def known_by_all(patch):
    """known: a record is of the job that was asked for last"""

    def call(self, job_id):
        return next(iter(self._contexts.values()), None) or plain(self, job_id)

    plain = Known.__call__
    patch.setattr(Known, "__call__", call)


def ended_runs_on(patch):
    """known: a job that has ended runs on"""
    patch.setattr(known, "TERMINAL", frozenset())


# --- dead letters --------------------------------------------------------------------------------------------------


def _letters_by(patch, other):
    patch.setattr(letters, "letters", other)
    patch.setattr(again, "letters", other)


def letter_dropped(patch):
    """letters: the last one of a page is left out"""

    def other(log, topics):
        for letter in plain(log, topics):
            if letter.entry.offset % PAGE != PAGE - 1:
                yield letter

    plain = letters.letters
    _letters_by(patch, other)


def stops_at_forgotten(patch):
    """letters: those behind some that were forgotten meanwhile are left out"""

    def other(log, topics):
        with suppress(Corrupt):
            for topic in topics:
                at, end = log.head(topic + SUFFIX, 0)
                while at < end:
                    page = log.read(topic + SUFFIX, 0, at, PAGE)
                    yield from (Letter(topic, entry) for entry in page)
                    at = page[-1].offset + 1

    _letters_by(patch, other)


def sent_with_what_was_said(patch):
    """resending: a record takes along what was said of its letter, attempts among it"""
    patch.setattr(Letter, "headers", property(lambda self: self.entry.headers))


def sent_for_each_stage(patch):
    """resending: a record is sent once for each stage that could not read it"""
    patch.setattr(Post, "resent_at", lambda self, letter: None)


def marked_first(patch):
    """resending: a letter is marked before its record is sent"""
    plain = Post.send

    def send(self, found):
        for letter in found:
            self._mark(letter)
            yield from plain(replace(self, now_us=self.now_us + 1), [letter])

    patch.setattr(Post, "send", send)


def crashed_again(patch):
    """resending: a record that ended its process is begun again, with attempts of its own"""
    plain = Letter.said
    patch.setattr(Letter, "said", lambda self, name: "" if name == "reason" else plain(self, name))


def outcome_not_asked(patch):
    """resending: nobody asks whether its frame has an outcome"""
    patch.setattr(Post, "_released", lambda *_: False)


def ended_not_asked(patch):
    """resending: nobody asks whether its job has ended"""
    patch.setattr(resending, "TERMINAL", frozenset())


def other_log(patch):
    """resending: a note of a topic that was made again since is believed"""
    patch.setattr(Post, "_log_of", lambda *_: "any")


PLANTED = [
    (marks_first, relays.test_nothing_is_forgotten_while_the_log_is_down, ()),
    (told_first, relays.test_a_job_is_sent_once_the_log_has_its_event, ()),
    (newest_first, relays.test_records_arrive_in_the_order_of_their_commits, ()),
    (shard_skipped, relays.test_who_gets_a_partition_sends_what_its_last_owner_held, (2,)),
    (asked_once, relays.test_what_a_late_owner_took_is_sent_by_who_owns_its_partition, ()),
    (one_name, relays.test_what_an_owner_holds_waits_for_the_next_owner_of_its_partition, ()),
    (nothing_given_back, relays.test_at_a_stop_others_may_have_what_is_held, ()),
    (removed_job_stops, relays.test_the_event_of_a_job_that_was_removed_meanwhile_stops_nothing, ()),
    (old_lease, relays.test_who_owns_nothing_any_more_sends_nothing, ()),
    (old_lease, owners.test_who_is_named_no_longer_lets_go_cleanly, ()),
    (claims_again, owners.test_who_is_fenced_claims_again_only_when_it_is_named_anew, ()),
    (lost_for_good, owners.test_who_is_fenced_claims_again_only_when_it_is_named_anew, ()),
    (never_rejoins, owners.test_who_is_named_and_fenced_is_named_anew_in_the_end, ()),
    (any_role, owners.test_a_partition_is_owned_for_a_role, ()),
    (offset_is_identity, order.test_the_first_record_of_a_seq_wins, ()),
    (released_again, order.test_a_loaded_fold_drops_what_was_released_before, ()),
    (unknown_for_good, knowing.test_a_job_that_begins_later_is_known_then, ()),
    (known_by_all, knowing.test_each_record_is_of_its_own_job, ()),
    (ended_runs_on, knowing.test_a_job_that_has_ended_runs_no_more, ("ready",)),
    (letter_dropped, again.test_letters_are_read_page_by_page_until_those_that_came_later, ()),
    (stops_at_forgotten, again.test_letters_that_were_forgotten_meanwhile_are_passed_over, ()),
    (sent_with_what_was_said, again.test_a_record_goes_back_to_where_it_lay_as_it_was, ()),
    (sent_for_each_stage, again.test_a_record_that_this_release_reads_ends_the_wait_of_its_job, ()),
    (marked_first, again.test_a_letter_whose_record_could_not_be_sent_is_not_marked, ()),
    (crashed_again, again.test_a_record_that_ended_its_process_is_not_begun_again, ()),
    (outcome_not_asked, again.test_a_frame_that_has_its_outcome_keeps_it, ("frames:main",)),
    (ended_not_asked, again.test_a_job_that_has_ended_is_not_helped, ("ready",)),
    (other_log, again.test_a_letter_that_was_sent_stays_and_is_marked, ()),
]


@pytest.mark.parametrize(("bug", "test", "args"), PLANTED, ids=lambda one: getattr(one, "__name__", ""))
def test_a_planted_bug_is_found(bug, test, args):
    """With it the test fails; without it passes, which it does beside this one too."""
    with pytest.MonkeyPatch.context() as patch:
        bug(patch)
        with pytest.raises((AssertionError, SightlineError, NotFound, pytest.fail.Exception)):
            test(*args)


def test_the_docs_name_each_bug():
    """With the test that finds it."""
    page = (Path(__file__).parents[2] / "docs" / "reliability.md").read_text()
    for bug, test, _ in PLANTED:
        assert f"| {bug.__doc__} | `{test.__name__}` |" in page
