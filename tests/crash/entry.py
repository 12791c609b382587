"""The real `track` in a process of its own, to be killed.

    python -m tests.crash.entry SOURCE OUT [--model NAME] [--end 3s] [--workers N] [--format NAME] [--save-video]
                                [--die-at N] [--calls]

Prints `started`, then frames done and in all, as they go, so that a test can choose when to kill it. `--die-at` ends
it by SIGKILL before its n-th file call below OUT, seen by an audit hook; `--calls` prints these calls at the end.
SQLite's calls are its own and not among them: those are met by chance, or by `tests.crash.schedules`.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path
from typing import Any

from sightline.app.track import track
from sightline.cli.exits import INTERRUPTED, exit_code
from sightline.errors import SightlineError
from sightline.settings import TrackOptions
from sightline.telemetry import Progress, Started

CHANGES = frozenset({"os.rename", "os.link", "os.remove", "os.mkdir", "os.rmdir"})
WRITES = os.O_WRONLY | os.O_RDWR | os.O_DIRECTORY


class FileCalls:
    """An audit hook that counts what changes files below a folder, flushes of folders among them."""

    def __init__(self, folder: Path, die_at: int) -> None:
        self._folder, self._die_at = os.fspath(folder), die_at
        self.seen: list[str] = []

    def __call__(self, event: str, args: tuple[Any, ...]) -> None:
        if event in CHANGES or (event == "open" and (args[2] or 0) & WRITES):
            path = os.fspath(args[0]) if isinstance(args[0], str | os.PathLike) else ""
            if path.startswith(self._folder):
                self.seen.append(f"{event} {path[len(self._folder) :]}")
                if len(self.seen) == self._die_at:
                    os.kill(os.getpid(), signal.SIGKILL)


class Lines:
    """Says how far it is."""

    def emit(self, event: object) -> None:
        if isinstance(event, Started):
            print("started", flush=True)
        elif isinstance(event, Progress):
            print(event.done, event.total, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("source")
    parser.add_argument("out", type=Path)
    parser.add_argument("--model", default="sightline-tiny")
    parser.add_argument("--end")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--format", action="append", default=[])
    parser.add_argument("--save-video", action="store_true")
    parser.add_argument("--die-at", type=int, default=0)
    parser.add_argument("--calls", action="store_true")
    args = parser.parse_args()
    options = TrackOptions(
        model=args.model,
        precision="f32",
        out=args.out,
        workers=args.workers,
        save_video=args.save_video,
        end=args.end,
        formats=tuple(args.format),
    )
    calls = FileCalls(args.out, args.die_at)
    sys.addaudithook(calls)
    try:
        track([args.source], options, Lines())
    except KeyboardInterrupt:
        return INTERRUPTED
    except SightlineError as error:
        print(error, file=sys.stderr)
        return exit_code(error)
    if args.calls:
        print("\n".join(calls.seen), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
