"""Who asks, and what of it they may see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from starlette.requests import HTTPConnection

from sightline.ports import Job

__all__ = ["ANYBODY", "NOBODY", "SESSION", "Caller", "Scope", "are_tokens_asked", "caller_of"]

Scope = Literal["read", "write", "admin"]
SESSION = "sightline_session"
"""The cookie that holds the token of a browser: what it opens by itself, events, videos, downloads, has no header of ours."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks.

    Attributes:
        name: of its token; empty where no token is asked for.
        scope: what it may do.
    """

    name: str
    scope: Scope

    @property
    def owner(self) -> str | None:
        """Whose jobs it sees, for `Which.owner` and `Jobs.counts`; None: all."""
        return None if self.scope == "admin" else self.name

    def sees(self, job: Job) -> bool:
        """Whether a job is there for it: what is another's is as unknown as what is not there."""
        return self.scope == "admin" or job.owner == self.name


ANYBODY = Caller("", "admin")
"""Who asks over loopback, where no tokens are asked for: whoever works on this machine owns the data folder as well."""


NOBODY = Caller("", "read")
"""Who asks what everybody may ask, and nobody knows who it is."""


def caller_of(request: HTTPConnection) -> Caller:
    """Who sent a request."""
    found: Caller = request.scope.get("sightline.caller", ANYBODY)
    return found


def are_tokens_asked(request: HTTPConnection) -> bool:
    """Whether whoever sends a request like this one is asked for a token."""
    asked: bool = request.scope.get("sightline.tokens", False)
    return asked
