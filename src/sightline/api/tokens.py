"""Tokens: who may ask for what, kept as notes in the data folder.

A token is 256 random bits, shown once and kept as its SHA-256. No slow hash: that is for passwords, which people choose and
others guess; nobody guesses 256 bits, however quick the hash is, and a slow one would let anybody keep the service busy.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import get_args

import msgspec

from sightline.api.access import Scope
from sightline.errors import Conflict, Corrupt, Misconfigured, NotFound, setting
from sightline.ports import Note, Notes

__all__ = ["TOKEN", "Token", "add", "found", "listed", "remove"]

TOKEN = "token"  # kind of the notes
PREFIX = "slt_"  # so that scanners for secrets, and people, know one when they see it
_TEXT = re.compile(PREFIX + "[A-Za-z0-9_-]{43}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class Token:
    """What is known of a token; not the token.

    Attributes:
        name: of whom it was made for; whoever asks with it owns the jobs that are made.
        scope: what it may do: `read` looks, `write` also makes and changes jobs, `admin` sees and removes everybody's.
        sha256: of its text.
        created_us, expires_us: microseconds since 1970; None where it never expires.
    """

    name: str
    scope: Scope
    sha256: str
    created_us: int
    expires_us: int | None

    def is_over(self, now_us: int) -> bool:
        """Whether it has expired."""
        return self.expires_us is not None and now_us >= self.expires_us


class _Value(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    scope: Scope
    sha256: str
    created_us: int
    expires_us: int | None = None


def add(notes: Notes, name: str, scope: str, now_us: int, expires_us: int | None = None) -> str:
    """Make a token; its text, which is kept nowhere.

    Raises:
        Misconfigured: the name or the scope is none, or there is a token of this name.
    """
    if not _NAME.fullmatch(name):
        raise Misconfigured(
            f"{name!r}: a name has letters, digits, dots, dashes, 64 at the most", code="token_name"
        )
    if scope not in get_args(Scope):
        raise Misconfigured(f"{setting('scope', scope)}: it is one of read, write, admin", code="usage")
    text = PREFIX + secrets.token_urlsafe(32)
    value = {"scope": scope, "sha256": _hash(text), "created_us": now_us, "expires_us": expires_us}
    try:
        notes.put(TOKEN, name, value)
    except Conflict:
        raise Misconfigured(
            f"there is a token {name} already: sightline tokens rm {name}, or another name",
            code="token_name",
        ) from None
    return text


def listed(notes: Notes) -> list[Token]:
    """Every token, by name, those that have expired too.

    Raises:
        Corrupt: a note is none.
    """
    made: list[Token] = []
    while page := notes.list(TOKEN, made[-1].name if made else ""):
        made += [_token(name, note) for name, note in page]
    return made


def remove(notes: Notes, name: str) -> None:
    """Remove a token; jobs that were made with it stay.

    Raises:
        NotFound: there is none of that name.
    """
    try:
        note = notes.get(TOKEN, name)
    except NotFound:
        raise NotFound(f"there is no token {name}: sightline tokens list shows all") from None
    notes.delete(TOKEN, name, note.revision)


def found(tokens: Iterable[Token], text: str, now_us: int) -> Token | None:
    """The token of a text; None where there is none or it has expired. Each is compared, in the same time."""
    if not _TEXT.fullmatch(text):
        return None
    digest, same = _hash(text), None
    for token in tokens:
        if hmac.compare_digest(token.sha256, digest):
            same = token
    return None if same is None or same.is_over(now_us) else same


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _token(name: str, note: Note) -> Token:
    try:
        value = msgspec.convert(note.value, _Value)
    except msgspec.ValidationError as error:
        raise Corrupt(f"token {name} cannot be read: {error}") from error
    return Token(name, value.scope, value.sha256, value.created_us, value.expires_us)
