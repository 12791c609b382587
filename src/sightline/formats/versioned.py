"""Numbers of forms: what a newer program wrote is refused as such, before anything else of it is looked at."""

from __future__ import annotations

import msgspec

from sightline.errors import Corrupt

__all__ = ["Versioned", "require_version"]


class Versioned(msgspec.Struct):
    """The number of a form; of whatever else there is nothing is read."""

    v: int


def require_version(found: int, known: int, name: str) -> None:
    """See that a form is of the number that this program reads.

    Raises:
        Corrupt: it is of another one (code `file_version`); `name` says what it is.
    """
    if found != known:
        raise Corrupt(
            f"{name}: version {found}, this program reads {known}; use a newer program", code="file_version"
        )
