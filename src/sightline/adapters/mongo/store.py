"""Jobs, ledger and outbox in MongoDB: one commit document decides about state, outputs and position.

A commit writes the state, then the commit document, whose `_id` is the compare-and-set; what follows from it is done afterwards, or
by who comes next. See `commits`, `follow`. `MongoStore` is all three ports, for any number of processes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from sightline.adapters.mongo import commits, parts
from sightline.adapters.mongo.address import MAIN, RUNNER
from sightline.adapters.mongo.documents import find_job, is_alive
from sightline.adapters.mongo.errors import translated
from sightline.adapters.mongo.jobs import MongoJobs
from sightline.adapters.mongo.notes import MongoNotes
from sightline.adapters.mongo.predictions import received
from sightline.adapters.mongo.records import packed, queued_fields
from sightline.adapters.mongo.server import ANSWER_S, Document, Server, insert_new, nonce
from sightline.adapters.mongo.versions import check_version
from sightline.errors import Corrupt, Fenced, Unavailable
from sightline.ports import Commit, Position, Saved

__all__ = ["MongoStore"]

INLINE_BYTES = 256 * 1024  # records of more are documents of their own
_NOBODY = -1  # claimed_at of a position that was released
_TRIES = 100
_SHORTEST_S, _LONGEST_S = 0.05, 5.0


class MongoStore(MongoJobs):
    """`Jobs`, `Ledger` and `Outbox` in one database; `notes` are the `Notes` beside them, `predictions` the view for others.

    `Commit.rows` are dropped. Outputs always wait in the outbox for a relay. That a job is alive is asked before the commit
    document is written, not in one moment with it.

    Args:
        uri: `mongodb://USER:PASSWORD@HOST:PORT/?authSource=admin`.
        database: of jobs and ledger; `migrate` makes its collections.
        runner_uri, runner_database: of `runner_predictions`; without a `runner_uri` it is on the same server.
        answer_s: seconds after which a server that says nothing is `Unavailable`.
        clock: microseconds since 1970, for `Job.times`; without one each time is 0.

    Raises:
        ServiceMisconfigured: the address, the login or the database is wrong, or its collections are of another version.
        Unavailable: the server does not answer.
    """

    def __init__(
        self,
        uri: str,
        database: str = MAIN,
        *,
        runner_uri: str | None = None,
        runner_database: str = RUNNER,
        answer_s: float = ANSWER_S,
        clock: Callable[[], int] = lambda: 0,
    ) -> None:
        server = Server.at(
            uri, database, runner_uri=runner_uri, runner_database=runner_database, answer_s=answer_s
        )
        super().__init__(server, clock=clock)
        self.notes = MongoNotes(server)
        self.predictions = self._follow.predictions
        try:
            check_version(server)  # what is wrong with the address is said now
        except BaseException:
            server.close()
            raise

    def wait(self, seen: int, limit_s: float) -> int:
        """A number that rises when a job or the outbox may have changed, in any process; see `EventLog.wait`.

        It asks, first every 50 ms, then less often, at last every 5 s.

        Raises:
            Unavailable: repeat.
        """
        deadline, pause = time.monotonic() + limit_s, _SHORTEST_S
        while True:
            with translated(self._server.name):
                number = 1 + self._server.count("news") + self._server.count("revision")
            left = deadline - time.monotonic()
            if number > seen or left <= 0:
                return number
            time.sleep(min(pause, left))
            pause = min(2 * pause, _LONGEST_S)

    def close(self) -> None:
        """Close all connections. Repeating is harmless."""
        self._server.close()

    def show_received(self, job_id: str) -> None:
        """Say in `runner_predictions` how many frames have an outcome by now.

        Raises:
            NotFound: no such job.
        """
        job = self.get(job_id)
        total = job.facts.get("sampled", 0)
        self.predictions.count(job_id, received(self.progress(job_id), job.streams, total))

    # --- Ledger

    def claim(self, stage: str, topic: str, partition: int, start: int = 0, identity: str = "") -> Position:
        """See `Ledger`."""
        place = commits.place_of(stage, topic, partition)
        at = {"stage": stage, "topic": topic, "part": partition}
        with translated(self._server.name):
            self._identify(place, at, identity)
            for _ in range(_TRIES):
                document = {**at, **self._next_claim(place, start), "place": place, "nonce": nonce()}
                if insert_new(self._server.commits, document):
                    break
            else:
                raise Unavailable(
                    f"{self._server.name}: {place} is claimed by too many at once", code="database_busy"
                )
            claimed = {"$set": {"epoch": document["epoch"], "claimed_at": document["claimed_at"]}}
            self._server.positions.update_one({"_id": place, "epoch": {"$lt": document["epoch"]}}, claimed)
            self._follow.of_place(place)
            commits.tidy(self._server, place)
            return commits.position_of(document)

    def release(self, at: Position) -> None:
        """See `Ledger`."""
        mine = {"_id": commits.place_of(at.stage, at.topic, at.partition), "epoch": at.epoch}
        with translated(self._server.name):
            self._server.positions.update_one(mine, {"$set": {"claimed_at": _NOBODY}})

    def load(self, stage: str, job_id: str, stream: str) -> Saved | None:
        """See `Ledger`."""
        with translated(self._server.name):
            for _ in range(_TRIES):
                last = commits.last_of_fold(self._server, stage, job_id, stream)
                if last is None or find_job(self._server, job_id) is None:
                    return None
                state = parts.get(self._server, last["state"])
                if state is not None:
                    return Saved(last["next_seq"], state)
                # a newer commit may have come meanwhile, and this state gone
        raise Corrupt(
            f"{self._server.name}: {stage} of {job_id}, {stream}: its state is gone", code="damaged"
        )

    def commit(self, commit: Commit) -> tuple[Position, bool]:
        """See `Ledger`."""
        at, saved = commit.at, commit.saved
        place, written = commits.place_of(at.stage, at.topic, at.partition), nonce()
        attempts = at.attempts + int(commit.attempt) if commit.low_water == at.low_water else 0
        moved = Position(
            at.stage, at.topic, at.partition, at.epoch, at.commit_no + 1, commit.low_water, attempts
        )
        n = moved.epoch + moved.commit_no
        document: Document = {
            "_id": commits.id_of(place, n),
            "place": place,
            "n": n,
            "nonce": written,
            "stage": at.stage,
            "topic": at.topic,
            "part": at.partition,
            "epoch": at.epoch,
            "commit_no": moved.commit_no,
            "low_water": commit.low_water,
            "attempts": attempts,
            "stuck": False,
        }
        queued = queued_fields(commit.outputs)
        with translated(self._server.name):
            alive = not commit.job_id or is_alive(self._server, commit.job_id)
            fold: Document = {}
            if alive and commit.job_id and saved is not None:
                fold = {
                    "job": commit.job_id,
                    "stream": commit.stream,
                    "next_seq": saved.next_seq,
                    **({"open": True} if commit.complete else {}),
                    **queued,
                    **self._before(f"{commits.id_of(place, n)}/{written}", commit, saved),
                    "order": self._server.next("order"),
                }
            self._decide({**document, **fold})
            if queued and fold:
                self._follow.committed()
            if "open" in fold:
                self._follow.completed({**document, **fold})
            if n % commits.KEEP == 0:
                commits.tidy(self._server, place)
        return moved, alive

    def progress(self, job_id: str) -> Mapping[tuple[str, str], int]:
        """See `Ledger`."""
        with translated(self._server.name):
            found = commits.last_of_job(self._server, job_id)
            there = find_job(self._server, job_id) is not None
        return {fold: document["next_seq"] for fold, document in found.items()} if there else {}

    def positions(self, topic: str) -> Sequence[Position]:
        """See `Ledger`."""
        with translated(self._server.name):
            places = self._server.positions.find({"topic": topic}, {"_id": 1})
            found = [commits.newest(self._server, place["_id"]) for place in places]
        positions = [commits.position_of(document) for document in found if document is not None]
        return sorted(positions, key=lambda position: (position.stage, position.partition))

    def _identify(self, place: str, at: Document, identity: str) -> None:
        """Make the partition known, and compare the log that it belongs to."""
        first = {**at, "identity": identity, "floor": 0, "epoch": 0, "claimed_at": _NOBODY}
        self._server.positions.update_one({"_id": place}, {"$setOnInsert": first}, upsert=True)
        if identity:
            unnamed = {"_id": place, "identity": ""}
            self._server.positions.update_one(unnamed, {"$set": {"identity": identity}})
            kept = self._server.positions.find_one({"_id": place}, {"identity": 1})
            if kept is not None and kept["identity"] != identity:
                raise Corrupt(
                    f"{at['stage']} on {at['topic']}/{at['part']}: the topic was removed and made again, this position "
                    "belongs to the old one",
                    code="other_log",
                )

    def _next_claim(self, place: str, start: int) -> Document:
        """The document of a claim that follows on the newest one."""
        last = commits.newest(self._server, place)
        if last is None:
            numbers = {"n": 1, "epoch": 1, "commit_no": 0, "low_water": start, "attempts": 0}
            return {"_id": commits.id_of(place, 1), **numbers, "claimed_at": start, "stuck": False}
        known = self._server.positions.find_one({"_id": place}) or {}
        # Where the owner before died within its claim, its document is the newest one.
        claimed_at = known["claimed_at"] if known.get("epoch") == last["epoch"] else last["claimed_at"]
        return {
            "_id": commits.id_of(place, last["n"] + 1),
            "n": last["n"] + 1,
            "epoch": last["epoch"] + 1,
            "commit_no": last["commit_no"],
            "low_water": last["low_water"],
            "attempts": last["attempts"],
            "claimed_at": last["low_water"],
            "stuck": claimed_at == last["low_water"],
        }

    def _before(self, name: str, commit: Commit, saved: Saved) -> Document:
        """Write what the commit document will name; those fields of it."""
        state = parts.put(self._server, f"{name}/state", saved.state, "state", commit.job_id)
        if not commit.outputs:
            return {"state": state}
        blob = packed(commit.outputs)
        if len(blob) <= INLINE_BYTES:
            return {"state": state, "records": blob}
        return {
            "state": state,
            "records_in": parts.put(self._server, f"{name}/records", blob, "records", commit.job_id),
        }

    def _decide(self, document: Document) -> None:
        """Insert the commit document.

        Raises:
            Fenced: another owner was first, and what was written before goes.
        """
        mine = insert_new(self._server.commits, document)
        if mine and not commits.counts(
            self._server, document
        ):  # in the place of one that was removed long ago
            self._server.commits.delete_one({"_id": document["_id"], "nonce": document["nonce"]})
            mine = False
        if not mine:
            parts.drop(
                self._server, [document[kind]["of"] for kind in ("state", "records_in") if kind in document]
            )
            raise Fenced(
                f"{document['stage']} on {document['topic']}/{document['part']}: no longer epoch {document['epoch']}, "
                f"commit {document['commit_no'] - 1}"
            )
