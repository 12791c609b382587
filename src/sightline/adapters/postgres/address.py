"""The address of a PostgreSQL database, as libpq reads it, and what each connection of ours is set to.

A password stands in the address, in `PGPASSWORD` or in the password file of libpq. It is never part of a text that is shown: errors
name host, port and database only, and an address that cannot be read is not repeated.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import psycopg
from psycopg.conninfo import conninfo_to_dict

from sightline.errors import ServiceMisconfigured

__all__ = ["PUBLIC", "Address"]

PUBLIC = "public"
STATEMENT_MS = 30_000
LOCK_MS = 20_000
IDLE_MS = 20_000  # a transaction whose client says nothing more is rolled back
_SCHEMA = re.compile(r"(?!pg_)[a-z_][a-z0-9_]{0,39}")
_FORM = "postgresql://USER:PASSWORD@HOST:PORT/DATABASE"
_DEFAULTS = {
    "application_name": "sightline",
    "client_encoding": "utf8",
    "connect_timeout": "5",
    "target_session_attrs": "read-write",  # of several hosts the one that takes writes
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",
    "gssencmode": "disable",
}


@dataclass(frozen=True, slots=True)
class Address:
    """Where a database is.

    Attributes:
        name: host, port and database, for messages.
        schema: that holds our tables.
        parameters: for libpq; with the password, so never shown.
    """

    name: str
    schema: str
    parameters: Mapping[str, str] = field(repr=False)

    @classmethod
    def of(cls, text: str, schema: str = PUBLIC) -> Address:
        """Read an address.

        Args:
            text: `postgresql://USER:PASSWORD@HOST:PORT/DATABASE`, or keywords and values as libpq has them.
            schema: lower-case letters, digits and `_`, at most 40.

        Raises:
            ServiceMisconfigured: it cannot be read (code `database_address`).
        """
        given = _parsed(text)
        if given is None:
            raise ServiceMisconfigured(
                f"the address of the database cannot be read: it is {_FORM}, and in user and password / @ : % ? # "
                "are written as %2F %40 %3A %25 %3F %23",
                code="database_address",
            )
        if not _SCHEMA.fullmatch(schema):
            raise ServiceMisconfigured(
                f"{schema!r} is no name of a schema: lower-case letters, digits and _, at most 40, not beginning with "
                "a digit or pg_",
                code="database_address",
            )
        settings = {
            "search_path": f"{schema},pg_temp",
            "statement_timeout": STATEMENT_MS,
            "lock_timeout": LOCK_MS,
            "idle_in_transaction_session_timeout": IDLE_MS,
            "synchronous_commit": "on",
            "TimeZone": "UTC",
        }
        options = " ".join(f"-c {key}={value}" for key, value in settings.items())
        asked = {"options": f"{options} {given.get('options', '')}".strip()}  # what the address says wins
        where = f"{given.get('host', 'localhost')}:{given.get('port', '5432')}"
        name = f"PostgreSQL {where}/{given.get('dbname', given.get('user', ''))}"
        return cls(name, schema, _DEFAULTS | given | asked)


def _parsed(text: str) -> dict[str, str] | None:
    """Parameters of an address; None where it is none, or a password in it was taken apart at a `/` or `@`."""
    try:
        given = {key: str(value) for key, value in conninfo_to_dict(text).items() if value is not None}
    except psycopg.ProgrammingError:  # its text repeats the address
        return None
    port = given.get("port", "")
    torn = any("@" in given.get(part, "") for part in ("host", "hostaddr", "dbname"))
    return None if torn or not re.fullmatch(r"[0-9,]*", port) else given
