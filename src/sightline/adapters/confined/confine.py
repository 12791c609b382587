"""Confinement: this process gives up, for good, whatever decoding does not need. Each part works without the others."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress

import msgspec

from sightline.adapters.confined import landlock, rlimits, seccomp
from sightline.adapters.confined.kernel import die_with_parent
from sightline.adapters.confined.rlimits import Limits

__all__ = ["Level", "confine"]

_NOBODY = 65534


class Level(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What confines a process.

    Attributes:
        rlimits: it has limits of memory, processor and files.
        seccomp: it makes few system calls, and none that opens, connects or starts anything.
        landlock: version of Landlock, 0 for none.
        missing: why a part is not there, by its name.
    """

    rlimits: bool = False
    seccomp: bool = False
    landlock: int = 0
    missing: dict[str, str] = {}

    @property
    def holds(self) -> bool:
        """Whether it is enough for files of strangers: without seccomp a decoder that was taken over talks to others."""
        return self.rlimits and self.seccomp

    def __str__(self) -> str:
        parts = ["rlimits"] * self.rlimits + ["seccomp"] * self.seccomp
        parts += [f"Landlock {self.landlock}"] if self.landlock else []
        return ", ".join(parts) or "none"


def confine(limits: Limits, parent: int) -> Level:
    """Give up all rights but to what is open; call it when everything is imported, open and was used once.

    Args:
        limits: what may be used.
        parent: process that started this one; it ends with it.

    Returns:
        What this kernel granted. Missing parts are no error here: who started this process decides.

    Raises:
        OSError: it cannot be made to end with its parent.
    """
    _be_nobody()
    die_with_parent(parent)  # a change of user forgets it
    missing: dict[str, str] = {}
    limited = _tried("rlimits", missing, lambda: rlimits.limit(limits))
    version = _tried("landlock", missing, landlock.restrict)
    filtered = _tried("seccomp", missing, seccomp.restrict)
    return Level(bool(limited), bool(filtered), version, missing)


def _tried(name: str, missing: dict[str, str], part: Callable[[], int | None]) -> int:
    try:
        return part() or 1
    except (OSError, ValueError) as error:
        missing[name] = str(error)
        return 0


def _be_nobody() -> None:
    """Root gives its rights up; a container may have taken the right to do so from it."""
    if os.geteuid() == 0:
        with suppress(OSError):
            os.setgroups([])
            os.setresgid(_NOBODY, _NOBODY, _NOBODY)
            os.setresuid(_NOBODY, _NOBODY, _NOBODY)
