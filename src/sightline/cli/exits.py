"""Exit codes, and the one table from errors to them.

| code | meaning |
|---|---|
| 0 | done |
| 1 | failed |
| 2 | usage or configuration |
| 3 | the input cannot be read |
| 4 | done, but some frames or some of several sources failed |
| 5 | a dependency is not available or the disk is full: resumable |
| 130, 143 | SIGINT, SIGTERM: what was done is kept, resumable |
"""

from __future__ import annotations

import errno
from collections.abc import Mapping

from sightline.errors import (
    Corrupt,
    EngineError,
    Fenced,
    Misconfigured,
    Rejected,
    SightlineError,
    Unavailable,
)

__all__ = [
    "DONE",
    "FAILED",
    "INTERRUPTED",
    "PARTLY",
    "TERMINATED",
    "UNAVAILABLE",
    "UNREADABLE",
    "USAGE",
    "disk_full",
    "exit_code",
]

DONE, FAILED, USAGE, UNREADABLE, PARTLY, UNAVAILABLE = range(6)
INTERRUPTED, TERMINATED = 130, 143

# By error code first, where it says more than its class: a folder that cannot be written is a wrong choice.
BY_CODE: Mapping[str, int] = {"unwritable": USAGE}
BY_CLASS: Mapping[type[SightlineError], int] = {
    Misconfigured: USAGE,
    Rejected: UNREADABLE,
    EngineError: FAILED,
    Unavailable: UNAVAILABLE,
    Fenced: FAILED,
    Corrupt: FAILED,
    SightlineError: FAILED,
}
FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


def exit_code(error: SightlineError) -> int:
    """Exit code of an error: by its code, else by the nearest of its classes.

    >>> exit_code(Misconfigured("no such pipeline")), exit_code(Unavailable("no answer"))
    (2, 5)
    """
    if error.code in BY_CODE:
        return BY_CODE[error.code]
    return next(BY_CLASS[kind] for kind in type(error).__mro__ if kind in BY_CLASS)


def disk_full(error: OSError) -> bool:
    """Whether there is no room left, or none of the user's share."""
    return error.errno in FULL
