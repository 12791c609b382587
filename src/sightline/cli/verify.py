"""`sightline verify`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

from cyclopts import Parameter

from sightline.cli.command import command
from sightline.cli.console import Console, as_flag
from sightline.cli.exits import DONE, FAILED
from sightline.cli.jobs import AT, server_at
from sightline.cli.stores import STORES, stores_in
from sightline.errors import NotFound

if TYPE_CHECKING:
    from sightline.runs.verify import Verdict

__all__ = ["verify"]

MAKING_S = 600.0  # an hour of video is read whole before the service answers


@command(AT, *STORES)
def verify(
    console: Console,
    run: Annotated[
        str,
        Parameter(help="Folder of a run, or of a whole command; or id of a job.", show_default=False),
    ],
    /,
    *,
    server: str | None = None,
    **given: Any,
) -> int:
    """Count the frames of a finished run again and compare every file with its hash; exit code 1 if anything differs.

    Of a job its service does so, which is asked over HTTP, or with --data or --config this command on the service's stores.
    """
    verdicts = _verdicts(run, server, given)
    whole = all(not verdict.problems for verdict in verdicts)
    runs = [
        {
            "path": verdict.name,
            "frames": verdict.frames,
            "files": verdict.files,
            "problems": list(verdict.problems),
        }
        for verdict in verdicts
    ]
    console.object({"ok": whole, "runs": runs})
    for verdict in verdicts:
        failed = bool(verdict.problems)
        word = console.paint("FAIL" if failed else "OK  ", "red" if failed else "green", sys.stdout)
        console.result(f"{word}  {verdict.name}: {verdict.frames} frames, {verdict.files} files")
        for problem in verdict.problems:
            console.result(f"      {problem}")
    return DONE if whole else FAILED


def _verdicts(run: str, server: str | None, given: dict[str, Any]) -> Sequence[Verdict]:
    from sightline.runs.verify import verify as check

    options = stores_in(given, server)
    if options is not None:
        from sightline.serving.operator import verify as check_stored

        return [check_stored(options, run, as_flag)]
    if server is None and (Path(run).exists() or not _is_id(run)):
        return check(Path(run), as_flag)
    return [_asked(run, server)]


def _asked(job_id: str, server: str | None) -> Verdict:
    """What a service says.

    Raises:
        NotFound: it has no such job, or the job has no result.
    """
    from sightline.client.server import job_path
    from sightline.runs.verify import Verdict

    service = server_at(server, MAKING_S)
    state = service.job(job_id)["state"]
    if state != "ready":
        raise NotFound(f"job {job_id} is {state}: it has no result")
    said = service.ask("GET", job_path(job_id, "/verify")).json("frames", "files", "problems")
    return Verdict(f"job {job_id}", said["frames"], said["files"], tuple(said["problems"]))


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
