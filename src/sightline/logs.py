"""Log lines on stderr: JSON, or plain text on a terminal. Secrets never get into them."""

from __future__ import annotations

import logging
import queue
import re
import sys
import threading
import traceback
from collections.abc import Mapping, MutableMapping
from datetime import UTC, datetime
from typing import Any, TextIO

import structlog

from sightline.errors import phrase

__all__ = ["FACTS", "capture", "open_log"]

FACTS = "facts"
"""Name of what a line of the standard library's logging says beside its message: `extra={FACTS: {...}}`."""

WAITING = 10_000  # lines
FLUSH_S = 2.0
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
    """What this process says by the standard library's logging becomes lines of `log`, and so does what ends it.

    A thread writes them: whoever reads the stream slowly, or not at all, holds nobody up. Other handlers of the root go.

    Args:
        log: see `open_log`.
        level: least level of libraries' lines, as for `open_log`.
    """
    root = logging.getLogger()
    root.handlers[:] = [_Captured(log)]
    root.setLevel(LEVELS[level])
    if level == "info":
        logging.getLogger("uvicorn").setLevel(logging.WARNING)  # its lines about itself

    def ended(kind: type[BaseException], error: BaseException, trace: Any) -> None:
        log.error("ended by an error", exception="".join(traceback.format_exception(error)))

    def thread_ended(what: threading.ExceptHookArgs) -> None:
        text = "".join(traceback.format_exception(what.exc_type, what.exc_value, what.exc_traceback))
        log.error("thread ended by an error", thread=what.thread.name if what.thread else "", exception=text)

    sys.excepthook, threading.excepthook = ended, thread_ended


class _Captured(logging.Handler):
    """Hands records to a thread; beyond `WAITING` of them they are counted and dropped, and that is said."""

    def __init__(self, log: Any) -> None:
        super().__init__()
        self._log = log
        self._waiting: queue.Queue[logging.LogRecord] = queue.Queue(WAITING)
        self._dropped = 0
        threading.Thread(target=self._write, name="sightline-log", daemon=True).start()

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._waiting.put_nowait(record)
        except queue.Full:
            self._dropped += 1

    def flush(self) -> None:
        """Wait for what was said, two seconds at the most; called when the process ends."""
        with self._waiting.all_tasks_done:
            self._waiting.all_tasks_done.wait_for(lambda: not self._waiting.unfinished_tasks, FLUSH_S)

    def _write(self) -> None:
        while True:
            record = self._waiting.get()
            self.acquire()  # as whoever hands a record over does
            dropped, self._dropped = self._dropped, 0
            self.release()
            if dropped:
                self._log.error("lines dropped, as nobody read them", n=dropped)
            self._say(record)
            self._waiting.task_done()

    def _say(self, record: logging.LogRecord) -> None:
        facts = dict(getattr(record, FACTS, {}))
        if record.exc_info and record.exc_info[1] is not None:
            facts["exception"] = "".join(traceback.format_exception(record.exc_info[1]))
        level = "error" if record.levelno >= logging.ERROR else record.levelname.lower()
        say = getattr(self._log, level if level in ("debug", "info", "warning") else "error")
        say(record.getMessage(), **facts)


def _stamped(logger: Any, method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """`time`, `level` and `event` first, on every line."""
    time = datetime.now(UTC).isoformat(timespec="milliseconds")
    return {"time": time, "level": method, "event": event.pop("event"), **event}


def _masked(logger: Any, method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Without what only its owner may read: values of secret keys, names and passwords in addresses, tokens anywhere.

    Settings that an error names are said in words.
    """
    return {key: MASK if SECRET.search(key) else _without_secrets(value) for key, value in event.items()}


def _without_secrets(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return QUERY.sub(rf"\1{MASK}", TOKENS.sub(MASK, CREDENTIALS.sub(MASK, phrase(value))))


def _text(logger: Any, method: str, event: MutableMapping[str, Any]) -> str:
    rest = " ".join(f"{key}={value}" for key, value in event.items() if key not in ("time", "level", "event"))
    return f"{event['time'][11:19]} {event['level']:<7} {event['event']} {rest}".rstrip()
