"""Events of jobs: what a listener hears, over real sockets."""

import json
import socket
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import replace

import httpx
import pytest

from sightline.api.settings import ApiSettings
from sightline.errors import Unavailable
from sightline.jobs import recipe as recipes
from sightline.jobs import requests
from sightline.ports import Commit, Saved
from sightline.testing import Recorded, scripted_recipe
from sightline.vision.bytetrack import TrackerSettings
from tests.contract.serving import World, is_problem, served, wait_for

pytestmark = pytest.mark.contract

QUICK = ApiSettings(watch_s=0.05, ping_s=1.0)


LISTENERS = []


@pytest.fixture(autouse=True)
def nobody_left():
    yield
    while LISTENERS:
        LISTENERS.pop().close()


class Listener:
    """Reads a stream of events in a thread."""

    def __init__(self, port, job_id, headers=None, path="/api/v1/jobs/{}/events"):
        self.events, self.comments, self.ended = [], 0, False
        self.line = socket.create_connection(("127.0.0.1", port), 10)
        more = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
        head = f"GET {path.format(job_id)} HTTP/1.1\r\nHost: localhost\r\n{more}\r\n"
        self.line.sendall(head.encode())
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()
        LISTENERS.append(self)

    def close(self):
        """Hang up."""
        with suppress(OSError):
            self.line.shutdown(socket.SHUT_RDWR)
        self.thread.join(5)
        self.line.close()

    def read(self):
        event = {}
        with self.line.makefile("rb") as lines:
            for line in lines:
                text = line.decode().strip()
                if text.startswith(":"):
                    self.comments += 1
                name, _, value = text.partition(": ")
                if name in ("id", "event", "data"):
                    event[name] = json.loads(value) if name != "event" else value
                if not text and event:
                    self.events.append(event)
                    event = {}
                if text == "0":  # the last piece of the answer
                    break
        self.ended = True

    @property
    def names(self):
        return [event["event"] for event in self.events]

    def heard(self, name):
        wait_for(lambda: name in self.names)


@contextmanager
def serving(world, settings=QUICK):
    world.settings = settings
    with served(world) as (port,):
        yield port


def job_of(world):
    return world.client().job()


def begin(world, job_id):
    recipe = scripted_recipe(job_id, 90, tracker=TrackerSettings(), prefix=requests.job_prefix(job_id))
    world.store.advance(job_id, "processing", facts=recipes.encode(recipe))
    return recipe


def released(world, job_id, stage, stream, next_seq):
    at = world.store.claim(stage, "t", 0)
    world.store.commit(Commit(at, 0, job_id, stream, Saved(next_seq, b"")))


def test_a_listener_hears_everything_until_the_end(world):
    """State and progress as they are, then as they change; then what is to be known, and that it is done. Ids only rise."""
    job_id = job_of(world)
    with serving(world) as port:
        listener = Listener(port, job_id)
        listener.heard("state")
        begin(world, job_id)
        listener.heard("progress")
        released(world, job_id, "feed", "frames:main", 32)
        wait_for(lambda: listener.names.count("progress") == 2)
        world.store.advance(job_id, "failed", code="crashed", reason="three times")
        listener.heard("done")
        wait_for(lambda: listener.ended)

    states = [event["data"]["state"] for event in listener.events if event["event"] == "state"]
    ids = [event["id"] for event in listener.events]
    assert states == ["sent", "processing", "failed"]
    assert listener.events[3]["data"]["feed"] == {"done": 32, "total": 90}
    assert ids == sorted(ids)
    assert ids[0] == 10**12
    assert ids[-1] == 5 * 10**12 + 32
    done = listener.events[-1]
    assert done["event"] == "done"
    assert done["data"] == {
        "job_id": job_id,
        "state": "failed",
        "code": "crashed",
        "reason": "three times",
        "result": None,
    }


def test_who_comes_back_hears_how_things_are_now(world):
    """And who has heard the end is told to come back no more."""
    job_id = job_of(world)
    with serving(world) as port:
        world.store.advance(job_id, "cancelled")
        late = Listener(port, job_id, {"Last-Event-ID": str(10**12)})
        wait_for(lambda: late.ended)
        last = late.events[-1]["id"]
        again = httpx.get(
            f"http://127.0.0.1:{port}/api/v1/jobs/{job_id}/events", headers={"Last-Event-ID": str(last)}
        )

    assert late.names == ["state", "done"]
    assert again.status_code == 204


def test_a_job_that_is_removed_ends_the_stream(world):
    """It was cancelled first."""
    job_id = job_of(world)
    with serving(world) as port:
        listener = Listener(port, job_id)
        listener.heard("state")
        world.backend().cancel_and_purge(job_id)
        wait_for(lambda: listener.ended)

    assert listener.events[-1]["data"]["state"] == "cancelled"


def test_silence_is_broken(world):
    """A comment now and then, so that whoever stands between does not hang up."""
    job_id = job_of(world)
    with serving(world) as port:
        listener = Listener(port, job_id)
        wait_for(lambda: listener.comments >= 1)

    assert listener.names == ["state"]


def test_many_listeners_are_one_look(world):
    """Two hundred of one job ask the store as often as one does."""
    job_id = job_of(world)
    begin(world, job_id)
    world.store = asked = Recorded(world.store)
    settings = replace(QUICK, watch_s=0.2, connections=300)
    with serving(world, settings) as port:
        listeners = [Listener(port, job_id) for _ in range(200)]
        wait_for(lambda: all(each.names == ["state", "progress"] for each in listeners))
        asked.calls.clear()
        time.sleep(1.0)
        looks = [name for name, _ in asked.calls].count("progress")

    assert 1 <= looks <= 12  # two calls a look


def test_there_are_only_so_many(world):
    """Each has a connection; others still get through."""
    job_id = job_of(world)
    with serving(world, replace(QUICK, listeners=1)) as port:
        listener = Listener(port, job_id)
        listener.heard("state")
        is_problem(httpx.get(f"http://127.0.0.1:{port}/api/v1/jobs/{job_id}/events"), 429, "busy")
        listener.close()

        def taken():
            again = Listener(port, job_id)
            time.sleep(0.2)
            again.close()
            return again.names == ["state"]

        wait_for(taken)


def test_a_store_that_is_away_for_a_moment_is_no_end(world):
    """Whoever listens goes on listening."""
    job_id = job_of(world)
    begin(world, job_id)

    def down():
        raise Unavailable("no")

    with serving(world) as port:
        listener = Listener(port, job_id)
        listener.heard("progress")
        store, real = world.store, world.store.counts
        store.counts = lambda owner=None: down()
        time.sleep(0.3)
        store.counts = real
        world.store.advance(job_id, "cancelled")
        listener.heard("done")


def test_a_server_that_stops_does_not_wait_for_listeners(world):
    """They would listen for ever."""
    job_id = job_of(world)
    with serving(world, replace(QUICK, stop_s=10)) as port:
        listener = Listener(port, job_id)
        listener.heard("state")
        began = time.monotonic()

    assert time.monotonic() - began < 5
    wait_for(lambda: listener.ended)


def test_head_and_unknown(world, client):
    """A head has no stream; a job that is not there has neither."""
    job_id = client.job()

    head = client.ask("HEAD", f"/api/v1/jobs/{job_id}/events")
    assert (head.status_code, head.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
    assert head.headers["cache-control"] == "no-store"
    is_problem(client.get(f"/api/v1/jobs/{World().new_id()[:-1]}9/events"), 404, "not_found")
