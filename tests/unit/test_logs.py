"""Log lines: JSON, the same keys first, no secret in them."""

import io
import json
import logging
import sys
import threading

import pytest

from sightline import logs
from sightline.errors import setting
from sightline.logs import FACTS, capture, open_log

pytestmark = pytest.mark.contract

TOKEN = "slt_" + "Ab-_" * 10 + "xyz"


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
        ({"said": f"Bearer {TOKEN} was sent"}, {"said": "Bearer *** was sent"}),
        ({"said": f"{TOKEN}, {TOKEN}"}, {"said": "***, ***"}),
        ({"said": "Authorization: Basic YW5uYTpwYXNz"}, {"said": "Authorization: Basic ***"}),
        ({"path": "/a?access_token=hunter2&limit=3"}, {"path": "/a?access_token=***&limit=3"}),
        ({"path": "/a?limit=3"}, {"path": "/a?limit=3"}),
    ],
)
def test_secrets_are_masked(event, shown):
    """By the key's name, or inside an address."""
    line = json.loads(written(**event)[0])

    assert {key: line[key] for key in shown} == shown


def test_settings_that_an_error_names_are_said_in_words():
    """They are marked in its message, with characters that nobody can read."""
    line = json.loads(written(detail=f"leave out {setting('imgsz')}, or {setting('precision', 'f32')}")[0])

    assert line["detail"] == "leave out imgsz=, or precision=f32"


def test_people_get_plain_text():
    """A clock, a level, words."""
    [line] = written("error", plain=True, stage="track")

    assert line[8:] == " error   broken stage=track"


class Stuck(io.StringIO):
    """A stream that nobody reads until it is let go."""

    def __init__(self):
        super().__init__()
        self.go = threading.Event()

    def write(self, text):
        self.go.wait(10)
        return super().write(text)


@pytest.fixture
def put_back(monkeypatch):
    """The root logger and the hooks, as they were."""
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    root, uvicorn = logging.getLogger(), logging.getLogger("uvicorn")
    before, levels = root.handlers[:], (root.level, uvicorn.level)
    yield
    root.handlers[:] = before
    root.setLevel(levels[0])
    uvicorn.setLevel(levels[1])


@pytest.fixture
def captured(put_back):
    """What libraries say, as lines of a log."""
    stream = io.StringIO()
    capture(open_log(stream), "info")

    def lines():
        logging.getLogger().handlers[0].flush()
        return [json.loads(line) for line in stream.getvalue().splitlines()]

    return lines


def test_what_libraries_say_is_a_line_too(captured):
    """With its facts, masked like all others."""
    logging.getLogger("sightline.api").info(
        "request", extra={FACTS: {"status": 200, "said": f"Bearer {TOKEN}"}}
    )
    logging.getLogger("somebody").warning("look at %s", TOKEN)
    logging.getLogger("somebody").debug("small")
    logging.getLogger("uvicorn.error").info("Started server process")

    lines = captured()

    assert [(line["level"], line["event"]) for line in lines] == [
        ("info", "request"),
        ("warning", "look at ***"),
    ]
    assert (lines[0]["status"], lines[0]["said"]) == (200, "Bearer ***")


def test_an_error_of_our_own_leaves_its_traceback_in_one_line(captured):
    """And no line of it can pass for another one."""
    try:
        raise ValueError(f'bad\n{{"event": "forged"}} {TOKEN}')
    except ValueError:
        logging.getLogger("sightline.api").exception("Exception in ASGI application")

    [line] = captured()

    assert line["level"] == "error"
    assert "ValueError: bad" in line["exception"]
    assert TOKEN not in line["exception"]


def test_a_stream_that_nobody_reads_holds_nobody_up(put_back, monkeypatch):
    """What is too much is dropped, and said once there is room again."""
    monkeypatch.setattr(logs, "WAITING", 3)
    stream = Stuck()
    capture(open_log(stream), "info")
    said = logging.getLogger("sightline.api")
    for n in range(20):
        said.info("line", extra={FACTS: {"n": n}})

    stream.go.set()
    logging.getLogger().handlers[0].flush()
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]

    dropped = sum(line["n"] for line in lines if line["event"].startswith("lines dropped"))
    assert dropped > 0
    assert dropped + sum(line["event"] == "line" for line in lines) == 20


def test_what_ends_a_process_or_a_thread_is_a_line(captured):
    """So that whoever reads the log by a machine finds it."""
    failing = threading.Thread(target=lambda: 1 / 0, name="lane")
    failing.start()
    failing.join()
    sys.excepthook(ValueError, ValueError("no"), None)

    lines = captured()

    assert [line["event"] for line in lines] == ["thread ended by an error", "ended by an error"]
    assert "ZeroDivisionError" in lines[0]["exception"]
    assert lines[0]["thread"] == "lane"
    assert "ValueError: no" in lines[1]["exception"]
