"""Log lines: JSON, the same keys first, no secret in them."""

import io
import json

import pytest

from sightline.cli.logs import open_log


def written(level="info", plain=False, **event):
    stream = io.StringIO()
    log = open_log(stream, level=level, plain=plain)
    log.debug("small", **event)
    log.info("step", **event)
    log.error("broken", **event)
    return stream.getvalue().splitlines()


def test_every_line_begins_with_time_level_and_event():
    """The rest follows in the order in which it was said."""
    first = json.loads(written(stage="track", n=32)[0])

    assert list(first) == ["time", "level", "event", "stage", "n"]
    assert first["time"].endswith("+00:00")


@pytest.mark.parametrize(
    ("level", "events"),
    [("debug", ["small", "step", "broken"]), ("info", ["step", "broken"]), ("error", ["broken"])],
)
def test_a_level_leaves_out_what_is_below_it(level, events):
    """-v says more, -q less."""
    assert [json.loads(line)["event"] for line in written(level)] == events


@pytest.mark.parametrize(
    ("event", "shown"),
    [
        ({"password": "hunter2"}, {"password": "***"}),
        ({"API_KEY": "hunter2"}, {"API_KEY": "***"}),
        ({"access_token": "hunter2"}, {"access_token": "***"}),
        ({"source": "rtsp://user:hunter2@camera/1"}, {"source": "rtsp://***@camera/1"}),
        ({"source": "street.mp4"}, {"source": "street.mp4"}),
    ],
)
def test_secrets_are_masked(event, shown):
    """By the key's name, or inside an address."""
    line = json.loads(written(**event)[0])

    assert {key: line[key] for key in shown} == shown


def test_people_get_plain_text():
    """A clock, a level, words."""
    [line] = written("error", plain=True, stage="track")

    assert line[8:] == " error   broken stage=track"
