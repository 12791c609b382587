"""Doubles that pass the same conformance suites as the real backends, and wrappers that bring faults into any port.

`MemoryStore` is log, ledger, jobs and outbox in one, as the SQLite file is. `Faults` raises, delays or ends the
process at the n-th call of a port, `Scrambled` repeats and shuffles records, `Recorded` keeps a list of calls: tests
compose faults, the product has no switch for them.
"""

from sightline.testing.faults import AtCall, Faults, Recorded, Scrambled
from sightline.testing.members import ScriptedGroup, ScriptedMembers
from sightline.testing.notes import MemoryNotes
from sightline.testing.objects import MemoryObjects
from sightline.testing.recipes import begun_job, scripted_recipe
from sightline.testing.scripted import ScriptedDetector, ScriptedReader
from sightline.testing.store import MemoryStore

__all__ = [
    "AtCall",
    "Faults",
    "MemoryNotes",
    "MemoryObjects",
    "MemoryStore",
    "Recorded",
    "Scrambled",
    "ScriptedDetector",
    "ScriptedGroup",
    "ScriptedMembers",
    "ScriptedReader",
    "begun_job",
    "scripted_recipe",
]
