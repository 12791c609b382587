"""Bugs planted in the ledger on MongoDB: each makes the scenario that is named beside it fail."""

from pathlib import Path

import pytest
from pymongo.errors import DuplicateKeyError

from sightline.adapters.mongo import commits, follow, jobs, outbox, parts, predictions
from sightline.adapters.mongo import store as stores
from sightline.adapters.mongo.follow import Follow
from sightline.adapters.mongo.jobs import MongoJobs
from sightline.adapters.mongo.outbox import MongoOutbox
from sightline.adapters.mongo.records import packed, queued_fields
from sightline.adapters.mongo.server import Server
from sightline.adapters.mongo.store import MongoStore
from sightline.errors import SightlineError
from tests.conformance import test_mongo_order as order
from tests.conformance import test_mongo_readers as readers
from tests.conformance.mongo import databases, uri_of


def no_compare_and_set(patch):
    """the commit document is written whatever is there"""

    def replace(collection, document):
        collection.replace_one({"_id": document["_id"]}, document, upsert=True)
        return True

    patch.setattr(stores, "insert_new", replace)


def state_after_commit(patch):
    """the state is written after the commit document"""
    put, decide = parts.put, MongoStore._decide
    late = []

    def later(server, name, blob, kind, job_id):
        if late and late[0][0] is not server:
            late.clear()  # of one that died
        late.append((server, name, blob, kind, job_id))
        return {"of": name, "parts": 1, "size": len(blob)}

    def decided(self, document):
        decide(self, document)
        while late:
            put(*late.pop())

    patch.setattr(stores.parts, "put", later)
    patch.setattr(MongoStore, "_decide", decided)


def aliveness_not_asked(patch):
    """nobody asks whether the job is alive"""
    patch.setattr(stores, "is_alive", lambda *_: True)


def floor_not_asked(patch):
    """documents in the place of removed ones count"""
    for module in (commits, follow, outbox):
        patch.setattr(module, "counting", lambda server, documents: documents)


def never_completed(patch):
    """what a dead writer left is completed by nobody"""
    patch.setattr(Follow, "all", lambda self: None)
    patch.setattr(Follow, "of_place", lambda self, place: None)


def only_by_claims(patch):
    """what a dead writer left is completed by the next owner of its partition alone"""
    patch.setattr(Follow, "all", lambda self: None)


def last_state_goes(patch):
    """the last state of an idle fold is removed with its commit document"""
    patch.setattr(commits, "_keep", lambda *_: None)


def waiting_is_tidied(patch):
    """documents whose records wait are removed as others are"""
    find = commits.newest

    def forgetful(server, place):
        server.commits.update_many({"place": place, "queued": True}, {"$unset": {"open": "", "queued": ""}})
        return find(server, place)

    patch.setattr(commits, "newest", forgetful)


def keys_not_held(patch):
    """a relay takes what it sees, whoever has it"""

    def take(self, owner, wanted, mine):
        return {key: names for key, names in wanted.items() if key not in mine}

    patch.setattr(MongoOutbox, "_take", take)
    patch.setattr(MongoOutbox, "_hold", lambda *_: True)


def rest_is_let_go(patch):
    """what was given and not sent is free for others"""
    hold = MongoOutbox._hold
    patch.setattr(
        MongoOutbox, "_hold", lambda self, owner, key, before, now: hold(self, owner, key, [], now[:1])
    )


def any_order(patch):
    """records have no order but that in which they are found"""
    count = Server.next
    patch.setattr(
        Server,
        "next",
        lambda self, counter: (
            1_000_000 - count(self, counter) if counter == "order" else count(self, counter)
        ),
    )


def records_go_first(patch):
    """large records go before their document says that they were sent"""
    let_go = MongoOutbox._let_go

    def first(self, source, sent):
        parts.drop(self._server, [one["records_in"]["of"] for one in sent if "records_in" in one])
        let_go(self, source, sent)

    patch.setattr(MongoOutbox, "_let_go", first)


def sent_too_early(patch):
    """one event that was sent is all of them"""
    finish = MongoOutbox._finish

    def early(self, source, names):
        self._documents(source).update_many({"_id": {"$in": names}}, {"$set": {"left": []}})
        finish(self, source, names)

    patch.setattr(MongoOutbox, "_finish", early)


def told_by_the_writer_alone(patch):
    """a change of a job is shown by who made it, or never"""

    def quiet(self):
        for document in self._server.commits.find({"open": True}, {"records": 0}):
            self.completed(document)
        for document in self._server.gone.find({"unfinished": True}):
            self.removed(document["_id"])

    patch.setattr(Follow, "all", quiet)


def removal_not_finished(patch):
    """a removal that was cut off stays so"""

    def partly(self):
        for document in self._server.jobs.find({"untold": True}, {"_id": 1}):
            self.told(document["_id"])

    patch.setattr(Follow, "all", partly)


def numbers_again(patch):
    """the number of a job that was removed is given to another one"""
    patch.setattr(MongoJobs, "_stays", lambda *_: True)


def event_apart(patch):
    """a job and its events are two documents"""
    create = MongoJobs.create

    def apart(self, job, events):
        made = create(self, job, [])
        if made and events:
            fields = {"status": "new", "records": packed(events), **queued_fields(events)}
            self._server.jobs.update_one({"_id": job.job_id}, {"$set": fields})
        return made

    patch.setattr(MongoJobs, "create", apart)


def nonce_not_asked(patch):
    """a number that is taken is taken by somebody else"""

    def insert(collection, document):
        try:
            collection.insert_one(dict(document))
        except DuplicateKeyError:
            return False
        return True

    patch.setattr(stores, "insert_new", insert)
    patch.setattr(jobs, "insert_new", insert)


def news_too_early(patch):
    """whoever waits is told of a record before it is there"""
    before, committed = MongoStore._before, Follow.committed

    def telling(self, *given):
        committed(self._follow)
        return before(self, *given)

    patch.setattr(MongoStore, "_before", telling)
    patch.setattr(Follow, "committed", lambda self: None)


def counted_blindly(patch):
    """frames are counted, not told apart"""
    patch.setattr(
        predictions.Predictions,
        "count",
        lambda self, job_id, frames: self._server.predictions.update_one(
            {"_id": job_id}, {"$inc": {"received_frames": 1}}
        ),
    )


def older_view_wins(patch):
    """who shows a job last is right"""

    def show(self, job, version):
        view = predictions.job_view(job)
        if view is not None:
            self._server.predictions.update_one({"_id": job.job_id}, {"$set": view}, upsert=True)

    patch.setattr(predictions.Predictions, "show", show)


PLANTED = [
    (no_compare_and_set, order.a_zombie_is_fenced),
    (state_after_commit, order.a_commit_that_dies_is_whole_or_not_there),
    (aliveness_not_asked, order.a_dead_job_gets_nothing),
    (floor_not_asked, order.a_zombie_that_slept_until_its_place_was_free_is_fenced),
    (never_completed, order.a_commit_that_dies_is_whole_or_not_there),
    (only_by_claims, order.a_job_predictable_by_a_commit_that_died_is_listed),
    (last_state_goes, order.tidying_that_dies_loses_no_state),
    (waiting_is_tidied, order.what_waits_is_not_tidied_away),
    (keys_not_held, order.a_key_has_one_relay),
    (rest_is_let_go, order.what_is_left_of_what_was_given_stays_with_its_owner),
    (any_order, order.a_relay_that_dies_loses_and_reorders_nothing),
    (records_go_first, order.a_relay_that_dies_loses_and_reorders_nothing),
    (sent_too_early, order.a_job_is_sent_when_all_its_events_are),
    (told_by_the_writer_alone, order.a_move_that_dies_is_shown_by_who_comes_next),
    (removal_not_finished, order.a_removal_that_dies_is_finished_by_who_comes_next),
    (numbers_again, order.a_number_that_was_given_and_removed_meanwhile_is_not_given_again),
    (event_apart, order.a_job_is_there_with_its_events_or_not_at_all),
    (nonce_not_asked, order.an_insert_that_the_client_repeats_is_one),
    (news_too_early, order.news_comes_when_the_record_can_be_read),
    (counted_blindly, readers.received_frames_are_distinct_outcomes),
    (older_view_wins, readers.an_older_view_never_replaces_a_newer_one),
]


@pytest.mark.parametrize(("bug", "scenario"), PLANTED, ids=lambda one: one.__name__)
def test_a_planted_bug_is_found(server, bug, scenario):
    """With it the scenario fails; without it the scenario holds, which it does beside this one too."""
    with databases(uri_of(server)) as place, pytest.MonkeyPatch.context() as patch:
        place.migrate()
        scene = order.Scene(place)
        bug(patch)
        try:
            with pytest.raises((AssertionError, SightlineError, pytest.fail.Exception)):
                scenario(scene)
        finally:
            scene.close()


def test_the_docs_name_each_bug():
    """With the scenario that finds it."""
    page = (Path(__file__).parents[2] / "docs" / "reliability.md").read_text()
    for bug, scenario in PLANTED:
        assert f"| {bug.__doc__} | `{scenario.__name__}` |" in page
