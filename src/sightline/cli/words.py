"""Values of single flags, read by the same functions as those of the settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sightline.errors import Misconfigured

__all__ = ["value"]


def value(flag: str, written: str, read: Callable[[Any], Any]) -> Any:
    """The value of a flag.

    Raises:
        Misconfigured: names the flag and what would be right.
    """
    try:
        return read(written)
    except ValueError as error:
        raise Misconfigured(f"{flag} = {written!r}: {error}", code="usage") from error
