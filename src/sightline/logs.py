"""Log lines on stderr: JSON, or plain text on a terminal. Secrets never get into them."""

from __future__ import annotations

import logging
import re
import traceback
from collections.abc import Mapping, MutableMapping
from datetime import UTC, datetime
from typing import Any, TextIO

import structlog

__all__ = ["FACTS", "capture", "open_log"]

FACTS = "facts"
"""Name of what a line of the standard library's logging says beside its message: `extra={FACTS: {...}}`."""

LEVELS = {"debug": 10, "info": 20, "error": 40}
SECRET = re.compile(r"password|secret|token|api_?key", re.IGNORECASE)
CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+(?=@)")
# What a token of the service looks like, and what stands behind the names of ways to say who one is.
TOKENS = re.compile(r"slt_[\w-]{20,}|(?<=Bearer )[^\s,;\"']+|(?<=Basic )[^\s,;\"']+")
QUERY = re.compile(r"([?&][^=&\s]*(?:password|secret|token|key)[^=&\s]*=)[^&\s\"']+", re.IGNORECASE)
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


def capture(log: Any, level: str = "info") -> None:
    """What this process says by the standard library's logging becomes lines of `log`; other handlers of the root go.

    Args:
        log: see `open_log`.
        level: least level of libraries' lines, as for `open_log`.
    """
    root = logging.getLogger()
    root.handlers[:] = [_Captured(log)]
    root.setLevel(LEVELS[level])
    if level == "info":
        logging.getLogger("uvicorn").setLevel(logging.WARNING)  # its lines about itself


class _Captured(logging.Handler):
    def __init__(self, log: Any) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        facts = dict(getattr(record, FACTS, {}))
        if record.exc_info and record.exc_info[1] is not None:
            facts["exception"] = "".join(traceback.format_exception(record.exc_info[1]))
        level = "error" if record.levelno >= logging.ERROR else record.levelname.lower()
        getattr(self._log, level if level in ("debug", "info", "warning") else "error")(
            record.getMessage(), **facts
        )


def _stamped(logger: Any, method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """`time`, `level` and `event` first, on every line."""
    time = datetime.now(UTC).isoformat(timespec="milliseconds")
    return {"time": time, "level": method, "event": event.pop("event"), **event}


def _masked(logger: Any, method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Without what only its owner may read: values of secret keys, names and passwords in addresses, tokens anywhere."""
    return {key: MASK if SECRET.search(key) else _without_secrets(value) for key, value in event.items()}


def _without_secrets(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return QUERY.sub(rf"\1{MASK}", TOKENS.sub(MASK, CREDENTIALS.sub(MASK, value)))


def _text(logger: Any, method: str, event: MutableMapping[str, Any]) -> str:
    rest = " ".join(f"{key}={value}" for key, value in event.items() if key not in ("time", "level", "event"))
    return f"{event['time'][11:19]} {event['level']:<7} {event['event']} {rest}".rstrip()
