"""Who owns which partition, as each process has heard it.

A process hears by a numbered word that it is an owner, and perhaps late that it is one no more: for a while two
processes may both believe it, or none. Words are views; the fence of the ledger decides.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Members:
    """What each member believes: the number of the word that names it, None where it owns nothing."""

    words: dict[int, int] = field(default_factory=dict)
    fenced: set[int] = field(default_factory=set)
    spoken: int = 0

    def name(self, member: int) -> None:
        """Tell a member that it is the owner, by a new word."""
        self.spoken += 1
        self.words[member] = self.spoken
        self.fenced.discard(member)

    def unname(self, member: int) -> None:
        """Tell a member that it is no longer the owner."""
        self.words.pop(member, None)
        self.fenced.discard(member)

    def word(self, member: int) -> int | None:
        """Which word names a member, as it has heard it."""
        return self.words.get(member)

    def report_fenced(self, member: int, word: int | None) -> None:
        """A member says that it was fenced under a word; if that names it still, it must be named anew."""
        if word is not None and word == self.words.get(member):
            self.fenced.add(member)
