"""Events are facts, and nobody has to listen to them."""

import dataclasses
import subprocess
import sys

import pytest

from sightline.telemetry import NULL, Event, Finished, Hook, Planned, Progress, Started, Warned

EVENTS: list[Event] = [
    Planned(2, 1500),
    Started("street", 300, 12),
    Progress("detect", "street", 12, 300),
    Warned("street", "vfr", "the distance between frames varies"),
    Finished("street", "ready", 300, 0),
]


class Recorder:
    def __init__(self) -> None:
        self.heard: list[Event] = []

    def emit(self, event: Event) -> None:
        self.heard.append(event)


def work(hook: Hook) -> None:
    for event in EVENTS:
        hook.emit(event)


def test_a_listener_hears_every_event_in_order():
    """One method is all a listener needs."""
    recorder = Recorder()

    work(recorder)

    assert recorder.heard == EVENTS


def test_without_a_listener_work_goes_on():
    """`NULL` takes every kind of event."""
    assert [NULL.emit(event) for event in EVENTS] == [None] * len(EVENTS)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_an_event_cannot_be_changed(event):
    """A listener cannot alter what the next one sees."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(event, dataclasses.fields(event)[0].name, "other")


def test_telemetry_needs_the_standard_library_alone():
    """It lies below the types: NumPy is not loaded for it."""
    code = (
        "import sys; import sightline.telemetry; "
        "print(sorted({'numpy', 'pydantic', 'structlog'} & set(sys.modules)))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
