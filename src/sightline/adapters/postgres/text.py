"""Text in PostgreSQL: any that Python has, also with the character NUL, which PostgreSQL cannot hold.

NUL is stored as U+0001 U+0001 and U+0001 as U+0001 U+0002; all other text stays as it is. Under the collation `C` the
order of what is stored is Python's order of the text.
"""

from __future__ import annotations

import re
from typing import Any

import psycopg
from psycopg.types.string import StrDumperUnknown, TextBinaryLoader, TextLoader

__all__ = ["plain", "register_text", "storable"]

_ESCAPED = re.compile("\x01([\x01\x02])")


def storable(text: str) -> str:
    r"""The text as it is stored.

    >>> storable("street"), storable("a\0b")
    ('street', 'a\x01\x01b')
    """
    if "\0" in text or "\x01" in text:
        return text.replace("\x01", "\x01\x02").replace("\0", "\x01\x01")
    return text


def plain(text: str) -> str:
    r"""The text as it was given.

    >>> plain(storable("\0\x01")) == "\0\x01"
    True
    """
    if "\x01" in text:
        return _ESCAPED.sub(lambda found: "\0" if found[1] == "\x01" else "\x01", text)
    return text


class _Dumper(StrDumperUnknown):
    def dump(self, obj: str) -> Any:
        return super().dump(storable(obj))


class _Loader(TextLoader):
    def load(self, data: Any) -> Any:
        return plain(str(super().load(data)))


class _BinaryLoader(TextBinaryLoader):
    def load(self, data: Any) -> Any:
        return plain(str(super().load(data)))


def register_text(connection: psycopg.Connection[Any]) -> None:
    """Let a connection store and give text in this way."""
    connection.adapters.register_dumper(str, _Dumper)
    connection.adapters.register_loader("text", _Loader)
    connection.adapters.register_loader("text", _BinaryLoader)
