"""Sending dead letters again: the record goes back to where it lay, if somebody still waits for it.

The letter stays; a note of its record says when that was sent. Sending is not exactly once, and need not be: what comes twice has the same
identity.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

from sightline.errors import Conflict, Corrupt, Misconfigured, NotFound, Rejected
from sightline.events import Codecs, Record
from sightline.jobs.topology import Topology, released_by
from sightline.ports import TERMINAL, EventLog, Job, Jobs, Ledger, Note, Notes, Outgoing
from sightline.runtime.known import Known
from sightline.runtime.letters import SUFFIX, Letter, topics_with_letters
from sightline.runtime.routes import recipe_of

__all__ = ["Fate", "Post", "Sent"]

KIND = "dead-letter"
PAGE = 100
TAKEN_UP = ("processing", "predictable")

Fate = Literal["sent", "ended", "gone", "known", "homeless"]
"""What becomes of a letter.

- `sent`: its record lies where it lay, and is read again.
- `ended`: its job has ended, nobody reads for it.
- `gone`: its job was removed.
- `known`: its frame has an outcome already, or its job was taken up: the first one counts.
- `homeless`: its headers do not say where it lay.
"""


class Sent(NamedTuple):
    """A letter, what became of it, and that in a sentence."""

    letter: Letter
    fate: Fate
    detail: str


@dataclass(frozen=True)
class Post:
    """Sends letters again.

    Attributes:
        log, jobs, ledger, notes: of the service.
        topology: its topics.
        codecs: dialects by topic.
        now_us: microseconds since 1970, for the notes.
    """

    log: EventLog
    jobs: Jobs
    ledger: Ledger
    notes: Notes
    topology: Topology
    codecs: Codecs
    now_us: int

    def resent_at(self, letter: Letter) -> int | None:
        """Microseconds since 1970 at which the record of a letter was last sent again; None: never.

        A place may name another record since, where somebody made the topic again.
        """
        note = self._note(letter)
        own = note is not None and note.value["log"] == self._log_of(letter)
        return int(note.value["at_us"]) if note is not None and own else None

    def send(self, found: Iterable[Letter]) -> Iterator[Sent]:
        """Send each record again that helps somebody, once, and say of all letters what becomes of them.

        Raises:
            Unavailable: log or notes do not answer; repeat, what was sent already is dropped by its readers.
        """
        for letter in found:
            fate, detail = self._fate(letter)
            if fate == "sent" and self.resent_at(letter) == self.now_us:
                detail = "its record was sent just now, with the letter of another stage"
            elif fate == "sent":
                assert letter.partition is not None  # or it were homeless
                entry = letter.entry
                self.log.append(
                    [Outgoing(letter.topic, letter.partition, entry.key, entry.value, letter.headers)]
                )
                self._mark(letter)
            yield Sent(letter, fate, detail)

    def tidy(self) -> None:
        """Forget the notes of letters that the log has forgotten."""
        kept: dict[str, int] = {}
        after = ""
        while page := self.notes.list(KIND, after, PAGE):
            for note_id, note in page:
                topic = note_id.rsplit("/", 2)[0]
                if topic not in kept:
                    known = topic in topics_with_letters(self.topology)
                    kept[topic] = self.log.head(topic + SUFFIX, 0)[0] if known else 0
                if note.value["letter"] < kept[topic]:
                    with suppress(Conflict):  # it was sent again at this moment
                        self.notes.delete(KIND, note_id, note.revision)
            after = page[-1][0]

    # --- what becomes of a letter

    def _fate(self, letter: Letter) -> tuple[Fate, str]:
        partitions = topics_with_letters(self.topology)[letter.topic]
        if letter.place is None or letter.partition is None or letter.partition >= partitions:
            return "homeless", "its headers do not say where it lay"
        if letter.topic == self.topology.jobs:
            return self._fate_of_event(letter)
        record = self.codecs(letter.topic).salvage(letter.entry.value, self._known, letter.job_id)
        named = letter.job_id if record is None else record.job_id
        job = self._job(named)
        if job is None:
            if record is not None:
                return "gone", f"there is no job {named} any more"
            return "sent", "it is read again; nothing that is readable here names its job"
        if job.state in TERMINAL:
            return "ended", _ended(job)
        if letter.said("reason") == "crashed":
            return (
                "known",
                f"its frame is failed(crashed) already; to look at it again: sightline retry {named}",
            )
        if record is not None and self._released(letter, record, job):
            return (
                "known",
                f"frame {record.seq} of {record.stream} has its outcome already: the first one counts",
            )
        return "sent", f"{letter.said('stage')} reads it again; a frame that has an outcome already keeps it"

    def _fate_of_event(self, letter: Letter) -> tuple[Fate, str]:
        """Of the event of a job; one that nobody can read names it by its key, as for the feeder."""
        try:
            named, readable = self.codecs(letter.topic).decode_job(letter.entry.value).job_id, True
        except (Rejected, Misconfigured):
            named, readable = letter.job_id, False
        job = self._job(named)
        if job is None and readable:
            return "gone", f"there is no job {named} any more"
        if job is None:
            return "sent", "it is read again; nothing that is readable here names its job"
        if job.state in TERMINAL:
            return "ended", _ended(job)
        if job.state in TAKEN_UP:
            return "known", f"job {named} was taken up already"
        return "sent", f"feed reads it again, and begins job {named}"

    def _released(self, letter: Letter, record: Record, job: Job) -> bool:
        """Whether the outcome of a record was released by the stages that wait for it."""
        done = self.ledger.progress(job.job_id)
        if not record.stream.startswith("frames:"):
            return done.get((letter.said("stage"), record.stream), 0) > record.seq
        try:
            behind = released_by(recipe_of(job))
        except (Corrupt, Misconfigured):  # no job that anybody works on; whoever tries ends it
            return False
        return min(done.get(pair, 0) for pair in behind) > record.seq

    @cached_property
    def _known(self) -> Known:
        return Known(self.jobs)

    def _job(self, job_id: str) -> Job | None:
        try:
            return self.jobs.get(job_id)
        except NotFound:
            return None

    # --- notes

    def _note(self, letter: Letter) -> Note | None:
        if letter.place is None:
            return None
        try:
            return self.notes.get(KIND, letter.place)
        except NotFound:
            return None

    def _mark(self, letter: Letter) -> None:
        assert letter.place is not None  # or it were homeless
        note = self._note(letter)
        value = {"log": self._log_of(letter), "letter": letter.entry.offset, "at_us": self.now_us}
        with suppress(Conflict):  # somebody else has sent it at the same moment, and says so
            self.notes.put(KIND, letter.place, value, 0 if note is None else note.revision)

    def _log_of(self, letter: Letter) -> str:
        return self.log.identity(letter.topic)


def _ended(job: Job) -> str:
    return f"job {job.job_id} has ended ({job.state}): nobody reads for it; run it anew: sightline retry {job.job_id}"
