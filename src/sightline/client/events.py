"""What happens to a job, as it happens; a line that is cut is taken up again."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from sightline.client.server import Server, job_path
from sightline.errors import Corrupt, Unavailable

__all__ = ["Event", "events_in", "watch"]

PATIENCE_S = 60.0
PAUSE_S = 1.0


class Event(NamedTuple):
    """An event: `state`, `progress`, `warning` or `done`."""

    event_id: str
    name: str
    data: Any


def watch(
    server: Server,
    job_id: str,
    sleep: Callable[[float], None] = time.sleep,
    now: Callable[[], float] = time.monotonic,
) -> Iterator[Event]:
    """Events of a job until it is done. After a cut it is said again how things are.

    Raises:
        NotFound: there is no such job.
        Unavailable: the service has not answered for a minute, or with nothing that is an event.
        Corrupt: an event is none of ours.
    """
    heard = now()
    while True:
        try:
            with server.open("GET", job_path(job_id, "/events")) as response:
                for event in events_in(line.decode("utf-8", "replace") for line in response):
                    heard = now()
                    yield event
                    if event.name == "done":
                        return
            silent = Unavailable(
                f"{server.url}: it says nothing of job {job_id}; is it a Sightline?", code="no_service"
            )
        except Unavailable as error:
            silent = error
        if now() - heard > PATIENCE_S:
            raise silent
        sleep(PAUSE_S)


def events_in(lines: Iterable[str]) -> Iterator[Event]:
    r"""Events of a stream of lines.

    >>> [*events_in(["retry: 1\n", "\n", ": ping\n", "\n", "id: 3\n", "event: done\n", "data: {}\n", "\n"])]
    [Event(event_id='3', name='done', data={})]
    """
    fields: dict[str, str] = {}
    for line in lines:
        text = line.rstrip("\r\n")
        if text:
            name, _, value = text.partition(":")
            fields[name] = value.removeprefix(" ")
            continue
        if "data" in fields:
            try:
                data = json.loads(fields["data"])
            except (ValueError, RecursionError) as error:
                raise Corrupt("the service sent an event that is no JSON", code="no_service") from error
            yield Event(fields.get("id", ""), fields.get("event", ""), data)
        fields = {}
