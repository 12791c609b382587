"""`log.ndjson`: what happened during a run, a JSON object a line; with its clock it is no part of the result."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from sightline.disk import disk_errors

__all__ = ["RunLog"]

Level = Literal["info", "warning", "error"]


class RunLog:
    """Appends lines to a file; a run that is gone on with appends to the lines of its earlier starts.

    Args:
        path: of the file.
        clock: gives the time.
    """

    def __init__(self, path: Path, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._path, self._clock = path, clock

    def write(self, event: str, level: Level = "info", **details: Any) -> None:
        """Write a line.

        Args:
            event: what happened, a stable word.
            level: how bad it is.
            **details: JSON values; `code` and `detail` on warnings and errors.

        Raises:
            Unavailable: the disk is full, or it cannot be written.
        """
        moment = self._clock().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line = json.dumps({"time": moment, "level": level, "event": event, **details}, ensure_ascii=False)
        with disk_errors(self._path.name), self._path.open("a+b") as out:
            out.seek(0)
            out.truncate(out.read().rfind(b"\n") + 1)  # half a line, of a full disk or a power cut
            out.write(line.encode() + b"\n")
