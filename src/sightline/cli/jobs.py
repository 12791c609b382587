"""`sightline submit`, `jobs`, `show`, `watch`, `get`, `cancel`, `retry`, `rm`: a service asked over HTTP."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import quote

from cyclopts import Parameter

from sightline.cli.command import command, option
from sightline.cli.console import Console
from sightline.cli.exits import DONE, FAILED, PARTLY, UNREADABLE
from sightline.errors import Misconfigured, Rejected
from sightline.progress.lines import REDRAW_S, bar

if TYPE_CHECKING:
    from sightline.client.events import Event
    from sightline.client.server import Server

__all__ = ["cancel", "get", "jobs", "retry", "rm", "show", "submit", "watch"]

SERVER = "http://127.0.0.1:8080"
AT = option(
    "server",
    str | None,
    None,
    f"Address of the service; SIGHTLINE_TOKEN holds the token. [default: {SERVER}] [env: SIGHTLINE_SERVER]",
)
JOB = Annotated[str, Parameter(help="Id of the job.", show_default=False)]
ROWS = ("job_id", "name", "state", "pipeline", "created_at")
State = Literal["new", "sent", "processing", "predictable", "ready", "failed", "cancelled"]


def server_at(server: str | None, timeout_s: float = 120.0) -> Server:
    """The service that is meant; see `Server`. Its token is never a word of the command: others on the machine could read it."""
    from sightline.client.server import Server

    url = server or os.environ.get("SIGHTLINE_SERVER") or SERVER
    return Server(url, os.environ.get("SIGHTLINE_TOKEN", ""), timeout_s)


@command(AT)
def submit(
    console: Console,
    *source: Annotated[str, Parameter(help="Videos.", show_default=False, negative=())],
    pipeline: Annotated[
        str | None, Parameter(help="Pipeline. [default: traffic]", show_default=False)
    ] = None,
    name: Annotated[
        str | None, Parameter(help="Name of the job. [default: the file's]", show_default=False)
    ] = None,
    clock_start: Annotated[
        str | None,
        Parameter(help="Clock time of frame 0, with its offset from UTC.", show_default=False),
    ] = None,
    image: Annotated[
        bool, Parameter(help="A JPEG or PNG: a video of one frame.", negative="", show_default=False)
    ] = False,
    wait: Annotated[
        bool, Parameter(help="Until the job has ended.", negative="", show_default=False)
    ] = False,
    server: str | None = None,
) -> int:
    """Send videos to a service, which makes a job of each. An upload that was cut goes on when the command is given again.

    Of several, one that is refused is named, and the others are sent.
    """
    from sightline.client.uploads import submit as send
    from sightline.models.folders import cache_folder

    if not source:
        raise Misconfigured("submit: name a video", code="usage")
    if name is not None and len(source) > 1:
        raise Misconfigured("--name is for one video: send the others by themselves", code="usage")
    asked = server_at(server)
    wishes = {
        key: value
        for key, value in (
            ("pipeline", pipeline),
            ("name", name),
            ("clock_start", clock_start),
            ("media_type", "image" if image else None),
        )
        if value is not None
    }
    codes = []
    for path in source:
        line = _Line(console, Path(path).name)
        try:
            job = send(asked, Path(path), wishes, cache_folder() / "uploads", line.bytes)
        except Rejected as error:
            line.clear()
            codes.append(console.error(_named(path, error)))
            continue
        finally:
            line.clear()
        codes.append(DONE)
        if not wait:
            console.object(job)
            console.result(job["job_id"])
            continue
        console.note(f"{path}: job {job['job_id']}")
        codes[-1] = _watched(console, asked, job["job_id"], quiet=True)
        job = asked.job(job["job_id"])
        console.object(job)
        console.result(f"{job['job_id']}  {_state(job)}")
    return max(codes) if DONE not in codes or UNREADABLE not in codes else PARTLY


@command(AT)
def jobs(
    console: Console,
    *,
    state: Annotated[
        list[State] | None, Parameter(help="Only these; repeat it.", negative=(), show_default=False)
    ] = None,
    name: Annotated[
        str, Parameter(help="Only those whose name holds this, in any case.", show_default=False)
    ] = "",
    limit: Annotated[int, Parameter(help="Most jobs. [default: 50]", show_default=False)] = 50,
    server: str | None = None,
) -> None:
    """List the jobs of a service, newest first."""
    if limit < 1:
        raise Misconfigured(f"--limit {limit}: at least 1", code="usage")
    found = server_at(server).jobs(states=tuple(state or ()), name=name, limit=limit)
    if console.json:
        for job in found:
            console.object(job)
        return
    rows = [tuple(job[key] for key in ROWS) for job in found]
    if rows:
        console.rows(ROWS, rows)
    else:
        console.note("no jobs")


@command(AT)
def show(console: Console, job_id: JOB, /, *, server: str | None = None) -> None:
    """Show all that is known of a job."""
    job = server_at(server).job(job_id)
    console.object(job)
    console.result("\n".join(_lines(job)))


@command(AT)
def watch(console: Console, job_id: JOB, /, *, server: str | None = None) -> int:
    """Follow a job until it has ended: exit code 0 where it is ready, 1 where it failed or was cancelled."""
    return _watched(console, server_at(server), job_id)


@command(AT)
def get(
    console: Console,
    job_id: JOB,
    result: Annotated[
        str,
        Parameter(
            help="Format (csv, mot, ...) or file (summary.json, ...). [default: result.json]",
            show_default=False,
        ),
    ] = "result.json",
    /,
    *,
    out: Annotated[
        str | None,
        Parameter(
            name=("--out", "-o"),
            help="File for it; - writes it to stdout. [default: the job's id and the result's name]",
            show_default=False,
            allow_leading_hyphen=True,
        ),
    ] = None,
    server: str | None = None,
) -> None:
    """Bring a result of a job; what was cut goes on, and its hash is compared."""
    from sightline.client.files import fetch, write
    from sightline.client.server import job_path

    asked = server_at(server)
    path = job_path(job_id, f"/results/{quote(result)}")
    if out == "-":
        if console.json:
            raise Misconfigured("-o - writes to stdout, where --json would mix with it", code="usage")
        write(asked, path)
        return
    target = Path(out or f"{job_id}-{result}".replace("/", "-"))
    line = _Line(console, target.name)
    try:
        stat = fetch(asked, path, target, line.bytes)
    finally:
        line.clear()
    console.object({"path": str(target), "bytes": stat.size, "sha256": stat.sha256})
    console.result(str(target))


@command(AT)
def cancel(console: Console, job_id: JOB, /, *, server: str | None = None) -> None:
    """Cancel a job; one that had ended stays as it is, and is said to."""
    from sightline.client.server import job_path

    told = server_at(server).ask("POST", job_path(job_id, "/cancel")).json()
    console.object(told)
    console.result(f"{job_id}  {told['state']}")
    if not told["cancelled"]:
        console.warning(f"it had ended before: {told['state']}")


@command(AT)
def retry(console: Console, job_id: JOB, /, *, server: str | None = None) -> None:
    """Run a job again, as a new one on the same source; both results stay."""
    from sightline.client.server import job_path

    child = server_at(server).ask("POST", job_path(job_id, "/retry")).json()
    console.object(child)
    console.result(child["job_id"])


@command(AT)
def rm(
    console: Console,
    *job_id: Annotated[str, Parameter(help="Ids of the jobs.", show_default=False, negative=())],
    server: str | None = None,
) -> None:
    """Remove jobs with all that was written for them, cancelled where they run."""
    from sightline.client.server import job_path

    if not job_id:
        raise Misconfigured("rm: name a job", code="usage")
    asked = server_at(server)
    for each in job_id:
        try:
            asked.ask("DELETE", job_path(each))
        except Rejected as error:
            raise _named(each, error) from error
        console.object({"job_id": each, "removed": True})
        console.note(f"{each} removed")


def _named(what: str, error: Rejected) -> Rejected:
    """An error that says what it is about."""
    message = error.message if error.message.startswith(f"{what}: ") else f"{what}: {error.message}"
    return Rejected(message, code=error.code)


def _watched(console: Console, server: Server, job_id: str, *, quiet: bool = False) -> int:
    """Say what happens; the exit code that the end stands for."""
    from sightline.client.events import watch as follow

    line = _Line(console, job_id[:8])
    try:
        for event in follow(server, job_id):
            line.stages(event)
            if not quiet:
                _say(console, line, event)
            if event.name == "done":
                return DONE if event.data["state"] == "ready" else FAILED
    finally:
        line.clear()
    return FAILED


def _say(console: Console, line: _Line, event: Event) -> None:
    console.object({"event": event.name, **event.data})
    if event.name == "state":
        line.clear()
        console.result(_state(event.data))
    elif event.name == "warning":
        line.clear()
        console.warning(f"{event.data['detail']} ({event.data['code']})")
    sys.stdout.flush()


def _state(job: dict[str, Any]) -> str:
    why = ": ".join(word for word in (job["code"], job["reason"]) if word)
    return f"{job['state']} ({why})" if why else str(job["state"])


def _lines(job: dict[str, Any]) -> Iterable[str]:
    source = job["source"] or {}
    yield f"job       {job['job_id']}"
    yield f"name      {job['name']}"
    yield f"state     {_state(job)}"
    yield f"pipeline  {job['pipeline']}"
    yield f"created   {job['created_at']}"
    for key, label in (("clock_start", "clock"), ("parent_id", "parent"), ("child_id", "child")):
        if job[key]:
            yield f"{label:<9} {job[key]}"
    if source.get("frames"):
        size = f"{source['width']} x {source['height']}"
        yield f"source    {source['name']}, {source['frames']} frames, {size}, {source['bytes']} bytes"
    for name, stage in job["progress"].items():
        yield f"{name:<9} {stage['done']} of {stage['total']}"
    for warning in job["warnings"]:
        yield f"warning   {warning['detail']} ({warning['code']})"


class _Line:
    """One line of a terminal that is drawn again; nothing anywhere else."""

    def __init__(self, console: Console, name: str) -> None:
        self._on = sys.stderr.isatty() and not (console.quiet or console.no_progress or console.json)
        self._name, self._drawn_at = name, 0.0

    def bytes(self, done: int, total: int | None) -> None:
        """So many bytes are there."""
        if time.monotonic() - self._drawn_at < REDRAW_S:
            return
        self._drawn_at = time.monotonic()
        share = f"{bar(done / total, 24)}  " if total else ""
        self._draw(f"{self._name}  {share}{done / 1e6:,.1f} MB")

    def stages(self, event: Event) -> None:
        """So far is each stage."""
        if event.name == "progress":
            far = "  ".join(f"{name} {each['done']}/{each['total']}" for name, each in event.data.items())
            self._draw(f"{self._name}  {far}")

    def clear(self) -> None:
        """Leave the line empty for what comes next."""
        self._draw("")

    def _draw(self, text: str) -> None:
        if self._on:
            sys.stderr.write(f"\r\x1b[K{text}")
            sys.stderr.flush()
