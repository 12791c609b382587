"""How soon `sightline track` has its first detection, from the start of the process, with precision known before.

    python benchmarks/end_to_end/first.py VIDEO --model MODEL --imgsz 640x384 [other options of track]

Prints wall and processor seconds at the first picture that was looked at, and at the first record on the log.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

from sightline.adapters.engines.openvino import OpenVinoSlot
from sightline.adapters.sqlite.log import SqliteLog
from sightline.cli.program import main

SEEN: set[str] = set()


def since_start() -> float:
    """Wall seconds since this process was made."""
    with open("/proc/self/stat") as stat, open("/proc/uptime") as uptime:
        ticks = int(stat.read().rpartition(")")[2].split()[19])
        return float(uptime.read().split()[0]) - ticks / os.sysconf("SC_CLK_TCK")


def told(of: type, name: str, what: str, wanted: Callable[..., bool]) -> None:
    """Say when a method first returned with arguments as wanted."""
    method = getattr(of, name)

    def watched(*args: Any, **given: Any) -> Any:
        answer = method(*args, **given)
        if what not in SEEN and wanted(*args):
            SEEN.add(what)
            print(f"{what}: wall {since_start():.2f} s, cpu {time.process_time():.2f} s", file=sys.stderr)
        return answer

    setattr(of, name, watched)


if __name__ == "__main__":
    told(OpenVinoSlot, "result", "first picture looked at", lambda *_: True)
    told(SqliteLog, "append", "first record of detections", lambda _, r: b'"kind":"detections"' in r[0].value)
    with tempfile.TemporaryDirectory() as folder:
        sys.argv[1:] = ["track", *sys.argv[1:], "--quiet", "-o", f"{folder}/run"]
        sys.exit(main())
