"""Ports: what stages and workers need of the world. Synchronous, at most six methods; the docstring is the contract.

Every implementation passes the conformance suite of its port (`tests/conformance`). Adapters translate vendor errors
into `sightline.errors`; nothing else crosses a port.
"""

from sightline.ports.detector import Detector, DetectorInfo, Slot
from sightline.ports.frames import Decoded, FrameReader
from sightline.ports.jobs import (
    ALL_JOBS,
    STATES,
    TERMINAL,
    Counts,
    Job,
    Jobs,
    JobState,
    Page,
    Which,
    check_facts,
    is_forward,
)
from sightline.ports.ledger import Commit, Ledger, Outbox, Position, Queued, Row, Saved
from sightline.ports.log import Entry, EventLog, Limits, Outgoing, check_sizes, usual
from sightline.ports.members import Members, Owned
from sightline.ports.notes import MAX_NOTE_BYTES, Note, Notes, note_json
from sightline.ports.objects import ObjectStore, Stat
from sightline.ports.store import Store

__all__ = [
    "ALL_JOBS",
    "MAX_NOTE_BYTES",
    "STATES",
    "TERMINAL",
    "Commit",
    "Counts",
    "Decoded",
    "Detector",
    "DetectorInfo",
    "Entry",
    "EventLog",
    "FrameReader",
    "Job",
    "JobState",
    "Jobs",
    "Ledger",
    "Limits",
    "Members",
    "Note",
    "Notes",
    "ObjectStore",
    "Outbox",
    "Outgoing",
    "Owned",
    "Page",
    "Position",
    "Queued",
    "Row",
    "Saved",
    "Slot",
    "Stat",
    "Store",
    "Which",
    "check_facts",
    "check_sizes",
    "is_forward",
    "note_json",
    "usual",
]
