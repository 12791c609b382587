"""The address of a MongoDB server, as PyMongo reads it.

A password stands in the address. It is never part of a text that is shown: errors name hosts and database only, and an address
that cannot be read is not repeated.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from pymongo.errors import PyMongoError
from pymongo.uri_parser import parse_uri

from sightline.errors import ServiceMisconfigured

__all__ = ["MAIN", "RUNNER", "Address"]

MAIN, RUNNER = "main_db", "runner_db"
_DATABASE = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,37}")
_URI = re.compile(r"mongodb(?:\+srv)?://(?:[^@/?]*@)?([^@/?]+)(?:[/?][^@]*)?")
_FORM = "mongodb://USER:PASSWORD@HOST:PORT/?authSource=admin"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a database is.

    Attributes:
        name: hosts and database, for messages.
        database: its name.
        uri: for PyMongo; with the password, so never shown.
    """

    name: str
    database: str
    uri: str = field(repr=False)

    @classmethod
    def of(cls, uri: str, database: str = MAIN) -> Address:
        """Read an address.

        Args:
            uri: `mongodb://USER:PASSWORD@HOST:PORT/?authSource=admin`, or `mongodb+srv://`.
            database: letters, digits, `_` and `-`, at most 38.

        Raises:
            ServiceMisconfigured: it cannot be read (code `database_address`).
        """
        found = _URI.fullmatch(uri)
        if found is None or not _readable(uri):
            raise ServiceMisconfigured(
                f"the address of the database cannot be read: it is {_FORM}, with options that PyMongo knows, and in user "
                "and password / @ : % ? # are written as %2F %40 %3A %25 %3F %23",
                code="database_address",
            )
        if not _DATABASE.fullmatch(database):
            raise ServiceMisconfigured(
                f"{database!r} is no name of a database: letters, digits, _ and -, at most 38, beginning with a letter or _",
                code="database_address",
            )
        return cls(f"MongoDB {found[1]}/{database}", database, uri)


def _readable(uri: str) -> bool:
    """Whether PyMongo can read an address. One of `mongodb+srv` needs the network for it: it is read at the first call."""
    if uri.startswith("mongodb+srv://"):
        return True
    try:
        parse_uri(uri, warn=False)
    except OSError as error:
        raise ServiceMisconfigured(
            f"the address of the database names a file that cannot be read: {error}", code="database_address"
        ) from error
    except (PyMongoError, ValueError):  # its text may repeat a part of the address
        return False
    return True
