"""`sightline track` as a user starts it: a process of its own, and what it said and left behind."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["CLOCKS", "PROGRAM", "Seen", "check_run", "digests", "environment", "look", "track"]

PROGRAM = (sys.executable, "-c", "import sys; from sightline.cli import main; sys.exit(main())")
CLOCKS = frozenset({"timing.json", "log.ndjson"})
OWN_LIST = CLOCKS | {"run.json"}


@dataclass(frozen=True)
class Seen:
    """What a call said and left.

    Attributes:
        said: stderr without its last line end.
        exit: code.
        frames: of each run folder, `sampled` or `sampled, n failed`; `-` where there is none.
        left: in the folder of the results, in words.
    """

    said: str
    exit: int
    frames: str
    left: str


def environment(folder: Path, **more: str) -> dict[str, str]:
    """Variables for a process that sees no settings, models or measurements of this machine's user."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("SIGHTLINE_")}
    homes = {
        name: str(folder / ".xdg" / name) for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME")
    }
    return own | homes | more


def track(
    folder: Path,
    *words: str | Path,
    prefix: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
    **more: Any,
) -> subprocess.CompletedProcess[str]:
    """Run `sightline track` in `folder`, without progress, by way of `prefix`; `more` is for `subprocess.run`."""
    return subprocess.run(
        [*prefix, *PROGRAM, "track", *map(str, words), "--no-progress"],
        cwd=folder,
        env=environment(folder) | dict(env or {}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        **more,
    )


def without_remarks_on_boxes(said: str) -> str:
    """What was said but for how sure the model was: pictures here are none of its kind, and processors differ in it."""
    codes = r"\((few_tracks|no_tracks_started|nothing_found)\)$"
    return "\n".join(line for line in said.splitlines() if not re.search(codes, line))


def look(out: Path, done: subprocess.CompletedProcess[str]) -> Seen:
    """What a call said, but for the codes of errors, and what is in the folder of its results."""
    said = re.sub(r"(?m)^(error: .*) \(\w+\)$", r"\1", done.stderr.removesuffix("\n"))
    frames = [_frames(run) for run in sorted(out.glob("*/run.json"))]
    return Seen(without_remarks_on_boxes(said), done.returncode, "; ".join(frames) or "-", _left(out))


def check_run(run: Path) -> dict[str, Any]:
    """`run.json` of a finished run whose files are all there, as it lists them, and no others.

    Raises:
        AssertionError: something is half-written.
    """
    value: dict[str, Any] = json.loads((run / "run.json").read_bytes())
    there = {path.relative_to(run).as_posix(): path for path in run.rglob("*") if path.is_file()}
    listed = {
        name: {"bytes": path.stat().st_size, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
        for name, path in there.items()
        if name not in OWN_LIST
    }
    assert value["files"] == listed
    frames = value["frames"]
    assert frames["sampled"] == frames["ok"] + frames["failed"] + frames["skipped"]
    return value


def digests(out: Path) -> dict[str, str]:
    """sha256 by relative path of every file but those that tell the clock."""
    return {
        path.relative_to(out).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(out.rglob("*"))
        if path.is_file() and path.name not in CLOCKS
    }


def _frames(run_json: Path) -> str:
    frames = json.loads(run_json.read_bytes())["frames"]
    return f"{frames['sampled']}, {frames['failed']} failed" if frames["failed"] else str(frames["sampled"])


def _left(out: Path) -> str:
    if not out.is_dir():
        return "nothing"
    files = [path.relative_to(out) for path in out.rglob("*") if path.is_file()]
    runs = {path.parent for path in files if path.name == "run.json" and len(path.parts) == 2}
    if not files:
        return "an empty folder"
    if all(path.parts[1] == ".partial" for path in files):
        return "an unfinished run"
    outside = [path for path in files if Path(path.parts[0]) not in runs or path.parts[1] == ".partial"]
    if outside:
        return "rubble: " + ", ".join(path.as_posix() for path in outside)
    for run in runs:
        check_run(out / run)
    return "a finished run"
