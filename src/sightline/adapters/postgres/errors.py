"""PostgreSQL's errors become ours, by what to do about them. Their SQLSTATE decides, where there is one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
import psycopg

from sightline.errors import Corrupt, Fenced, ServiceMisconfigured, SightlineError, TooLarge, Unavailable

__all__ = ["error_of", "translated"]

_Kind = tuple[type[SightlineError], str, str]

_DOWN: _Kind = (Unavailable, "database_down", "the database does not answer")
_BUSY: _Kind = (Unavailable, "database_busy", "the database is busy; nothing was written")
_LOGIN: _Kind = (
    ServiceMisconfigured,
    "database_login",
    "the database refuses this login; check user and password, and what pg_hba.conf allows",
)
_MISSING: _Kind = (
    ServiceMisconfigured,
    "database_missing",
    "there is no such database; create it, or name another one",
)
_RIGHTS: _Kind = (
    ServiceMisconfigured,
    "database_rights",
    "the user may not do this; make it the owner of the schema",
)
_OTHER_OWNER: _Kind = (Fenced, "fenced", "another owner has the position")

# The longest prefix of the SQLSTATE that is found here decides.
_STATES: dict[str, _Kind] = {
    "08": _DOWN,
    "25006": (Unavailable, "database_down", "the database takes no writes now"),
    "25P03": _BUSY,
    "28": _LOGIN,
    "3D000": _MISSING,
    "3F000": (ServiceMisconfigured, "database_version", "our tables are not there; migrate the database"),
    "40": _BUSY,
    "40003": _DOWN,  # perhaps it was written
    "42501": _RIGHTS,
    "42883": (ServiceMisconfigured, "database_version", "our functions are not there; migrate the database"),
    "42P01": (ServiceMisconfigured, "database_version", "our tables are not there; migrate the database"),
    "53": (Unavailable, "database_busy", "the database has no room for more work"),
    "53100": (Unavailable, "disk_full", "the disk of the database is full; free space there"),
    "53200": (Unavailable, "memory", "the database is out of memory"),
    "54": (TooLarge, "too_large", "a value is larger than PostgreSQL can hold"),
    "55": _BUSY,
    "57": _DOWN,
    "57014": (Unavailable, "database_busy", "a statement took too long, and was given up"),
    "58030": (Unavailable, "disk_error", "the database cannot read or write its disk"),
    "XX001": (Corrupt, "damaged", "the database is damaged; restore it"),
    "XX002": (Corrupt, "damaged", "an index of the database is damaged; rebuild it"),
}

# A refused connection has no SQLSTATE in libpq, only a text. Of a server that speaks another language it is not understood here: it
# counts as down, and the message holds what the server said.
_TEXTS: tuple[tuple[re.Pattern[str], _Kind], ...] = (
    (re.compile(r'FATAL: +database ".*" does not exist'), _MISSING),
    (re.compile(r"FATAL: +permission denied"), _RIGHTS),
    (
        re.compile(
            r"authentication failed|no password supplied|FATAL: +role .* does not exist|no pg_hba\.conf entry|"
            r"is not permitted to log in|pg_hba\.conf rejects"
        ),
        _LOGIN,
    ),
    (re.compile(r"too many clients|remaining connection slots|too many connections"), _BUSY),
)


@contextmanager
def translated(name: str) -> Iterator[None]:
    """Turn errors about the database `name` into ours; mistakes of our own rise as they are."""
    try:
        yield
    except msgspec.DecodeError as error:
        raise Corrupt(
            f"{name}: a row cannot be decoded; the database is damaged ({error})", code="damaged"
        ) from error
    except psycopg.Error as error:
        ours = error_of(name, error)
        if ours is None:
            raise
        raise ours from error


def error_of(name: str, error: psycopg.Error) -> SightlineError | None:
    """What an error means; None for one that only a mistake of ours can bring."""
    found = _kind(error)
    if found is None:
        return None
    kind, code, advice = found
    said = error.diag.message_primary or (str(error).splitlines() or [type(error).__name__])[0]
    return kind(f"{name}: {advice} ({said})", code=code)


def _kind(error: psycopg.Error) -> _Kind | None:
    state = error.sqlstate
    if state is None:  # of the client: no connection, or it broke
        text = str(error)
        known = (kind for pattern, kind in _TEXTS if pattern.search(text))
        lost = isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
        return next(known, _DOWN) if lost else None
    if state.startswith("23"):
        return _OTHER_OWNER if error.diag.table_name == "positions" else None
    return next((_STATES[state[:n]] for n in range(5, 1, -1) if state[:n] in _STATES), None)
