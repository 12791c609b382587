"""Reading dead letters: page by page, each with what its headers say of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sightline.errors import Corrupt, NotFound
from sightline.jobs.topology import Topology
from sightline.ports import Entry, EventLog

__all__ = ["Letter", "letter_of", "letters", "topics_with_letters"]

SUFFIX = ".dlq"
ABOUT = "x-dlq-"
PAGE = 32  # letters in memory at once; each may have a megabyte


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter.

    Attributes:
        topic: of the record; the letter lies on `<topic>.dlq`.
        entry: as it lies there.
    """

    topic: str
    entry: Entry

    @property
    def letter_id(self) -> str:
        """Its name: `TOPIC/OFFSET`, the offset being its own among the letters of the topic."""
        return f"{self.topic}/{self.entry.offset}"

    @property
    def job_id(self) -> str:
        """The job that its key names; text of any kind where a foreign program wrote it."""
        return self.entry.key

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """Those of the record, without what was said of the letter."""
        return tuple(pair for pair in self.entry.headers if not pair[0].startswith(ABOUT))

    @property
    def attempts(self) -> int | None:
        """How often the record was begun; None where nobody says."""
        text = self.said("attempts")
        return int(text) if _is_number(text) else None

    @property
    def partition(self) -> int | None:
        """Where the record lay; None where the headers name no partition of the topic."""
        text = self.said("partition")
        return int(text) if self.said("topic") == self.topic and _is_number(text) else None

    @property
    def place(self) -> str | None:
        """The record's name, `TOPIC/PARTITION/OFFSET`: each stage that reads a topic buries what it cannot read."""
        offset = self.said("offset")
        known = self.partition is not None and _is_number(offset)
        return f"{self.topic}/{self.partition}/{offset}" if known else None

    def said(self, name: str) -> str:
        """What the header `x-dlq-NAME` says; empty where there is none."""
        return dict(self.entry.headers).get(ABOUT + name, "")


def topics_with_letters(topology: Topology) -> dict[str, int]:
    """Every topic whose unreadable records are kept, with its partitions, in the order in which records pass them."""
    return {topic: partitions for _, topic, partitions in topology.reads()}


def letters(log: EventLog, topics: Sequence[str]) -> Iterator[Letter]:
    """Every letter that was there when the topic's turn came, oldest first; a page is in memory.

    Raises:
        Unavailable: the log does not answer.
        ServiceMisconfigured: the topic of the letters was never made.
    """
    for topic in topics:
        at, end = log.head(topic + SUFFIX, 0)
        while at < end:
            try:
                page = log.read(topic + SUFFIX, 0, at, PAGE)
            except Corrupt:
                kept, _ = log.head(topic + SUFFIX, 0)
                if kept <= at:
                    raise
                at = kept  # the oldest were forgotten meanwhile
                continue
            if not page:
                break
            yield from (Letter(topic, entry) for entry in page if entry.offset < end)
            at = page[-1].offset + 1


def letter_of(log: EventLog, topics: Sequence[str], letter_id: str) -> Letter:
    """The letter of that name.

    Raises:
        NotFound: there is none, or it was forgotten.
    """
    topic, _, offset = letter_id.rpartition("/")
    if topic not in topics or not _is_number(offset):
        raise NotFound(
            f"{letter_id}: no dead letter; its name is TOPIC/OFFSET, as `sightline dead list` prints it"
        )
    kept, following = log.head(topic + SUFFIX, 0)
    if kept <= int(offset) < following:
        for entry in log.read(topic + SUFFIX, 0, int(offset), 1):
            if entry.offset == int(offset):
                return Letter(topic, entry)
    raise NotFound(f"{letter_id}: no such dead letter is kept; `sightline dead list` prints those that are")


def _is_number(text: str) -> bool:
    """Whether it is a whole number that a log can count to."""
    return text.isascii() and text.isdigit() and len(text) < 19
