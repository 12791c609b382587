"""Log lines on stderr: JSON, or plain text on a terminal. Secrets never get into them."""

from __future__ import annotations

import re
from collections.abc import Mapping, MutableMapping
from datetime import UTC, datetime
from typing import Any, TextIO

import structlog

__all__ = ["open_log"]

LEVELS = {"debug": 10, "info": 20, "error": 40}
SECRET = re.compile(r"password|secret|token|api_?key", re.IGNORECASE)
CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+(?=@)")
MASK = "***"


def open_log(stream: TextIO, *, level: str = "info", plain: bool = False) -> Any:
    """A log that writes to `stream` from any thread.

    Args:
        stream: usually stderr.
        level: least level that is written: `debug`, `info` or `error`.
        plain: text for people instead of JSON.
    """
    written: Any = _text if plain else structlog.processors.JSONRenderer(ensure_ascii=False, default=str)
    return structlog.wrap_logger(
        structlog.WriteLogger(stream),
        processors=[_stamped, _masked, written],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
    )


def _stamped(logger: Any, method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """`time`, `level` and `event` first, on every line."""
    time = datetime.now(UTC).isoformat(timespec="milliseconds")
    return {"time": time, "level": method, "event": event.pop("event"), **event}


def _masked(logger: Any, method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Without what only its owner may read: values of secret keys, names and passwords in addresses."""
    return {
        key: MASK if SECRET.search(key) else CREDENTIALS.sub(MASK, value) if isinstance(value, str) else value
        for key, value in event.items()
    }


def _text(logger: Any, method: str, event: MutableMapping[str, Any]) -> str:
    rest = " ".join(f"{key}={value}" for key, value in event.items() if key not in ("time", "level", "event"))
    return f"{event['time'][11:19]} {event['level']:<7} {event['event']} {rest}".rstrip()
