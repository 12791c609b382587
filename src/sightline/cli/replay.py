"""`sightline replay`: a job run again on what it has stored; a service asked over HTTP, or its stores."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from sightline.cli import flags
from sightline.cli.command import command
from sightline.cli.console import Console
from sightline.cli.jobs import AT, JOB, server_at
from sightline.cli.stores import STORES, stores_in
from sightline.settings import TrackerOptions, TrackOptions, flags_of
from sightline.validation import checked

__all__ = ["replay"]

CHANGES = flags.parameters(TrackOptions, of=("tracker.", "refine"), says="the job's")
PREFIX = "tracker__"


@command(*CHANGES, AT, *STORES)
def replay(
    console: Console,
    job_id: JOB,
    /,
    *,
    stage: Annotated[
        Literal["detect", "track"],
        Parameter(
            name="--from",
            help="Stage that runs first: track takes the stored detections and opens no video, detect the frames that "
            "were sampled.",
            show_default=False,
        ),
    ],
    server: str | None = None,
    refine: bool | None = None,
    **given: Any,
) -> None:
    """Run a job again from a stage on, as a new one on what it has stored; both results stay.

    The same settings give the same bytes. From track on the tracker's can be changed; what is not named stays the job's. A
    service is asked over HTTP, or with --data or --config its stores are used, whether it runs or not.
    """
    changes = _changes(given)
    options = stores_in(given, server)
    if options is None:
        from sightline.client.server import job_path

        body = {"from": stage, "tracker": changes, "refine": refine}
        child = server_at(server).send("POST", job_path(job_id, "/replay"), body).json("job_id")
        console.object(child)
        console.result(child["job_id"])
        return
    from sightline.pipeline import TrackerOverrides, replay_of
    from sightline.serving.operator import replay as begin

    asked = partial(replay_of, stage=stage, changes=TrackerOverrides(**changes), refine=refine)
    child_id = begin(options, job_id, stage, asked)
    console.object({"job_id": child_id, "parent_id": job_id})
    console.result(child_id)


def _changes(given: dict[str, Any]) -> dict[str, Any]:
    """What is said of the tracker; it leaves the rest of what was given.

    Raises:
        Misconfigured: a value out of its range; names the flag.
    """
    names = [name for name in given if name.startswith(PREFIX)]
    said = {name.removeprefix(PREFIX): given.pop(name) for name in names}
    said = {name: value for name, value in said.items() if value is not None}
    return checked(TrackerOptions, said, lambda name: flags_of(f"tracker.{name}")[0]).model_dump(
        exclude_none=True
    )
