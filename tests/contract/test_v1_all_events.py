"""Events of all jobs: what the list hears, over real sockets, and what it costs where there are thousands."""

import time
from dataclasses import replace

import httpx
import pytest

from sightline.api.v1.all_jobs import MOST, AllJobs
from sightline.api.v1.views import Views
from sightline.ports import Job
from sightline.testing import Recorded
from tests.contract.serving import is_problem, served, wait_for
from tests.contract.test_access import bearer, token
from tests.contract.test_v1_events import QUICK, Listener, begin, job_of, nobody_left, released, serving

pytestmark = pytest.mark.contract

__all__ = ["nobody_left"]  # the listeners that a test leaves are closed there


def listen(port, **headers):
    return Listener(port, "", headers, "/api/v1/events")


def told(listener, name):
    """Data of the events of a name."""
    return [event["data"] for event in listener.events if event["event"] == name]


def ids(data):
    return [item["job_id"] for item in data["items"]]


def add(world, job_id, owner=""):
    """A job in the store, without a source."""
    world.store.create(Job(job_id, f"{job_id}.mp4", 0, "sent", owner=owner), [])
    return job_id


def subject(world, owner=None):
    backend = world.backend()
    return AllJobs(backend, Views(backend), owner)


def test_the_list_hears_what_is_at_work_and_then_what_changes(world):
    """How many there are in each state each time; one that has ended is not at work, and is told of when it ends."""
    ended, running, waiting = job_of(world), add(world, "b"), add(world, "c")
    world.store.advance(ended, "cancelled")
    begin(world, running)
    with serving(world) as port:
        listener = listen(port)
        listener.heard("progress")
        released(world, running, "feed", "frames:main", 32)
        wait_for(lambda: len(told(listener, "progress")) == 2)
        world.store.advance(running, "failed", code="crashed", reason="three times")
        wait_for(lambda: len(told(listener, "jobs")) == 2)
        new = add(world, "d")
        wait_for(lambda: len(told(listener, "jobs")) == 3)

    first, failed, created = told(listener, "jobs")
    assert ids(first) == [running, waiting]
    assert first["by_state"] == {"cancelled": 1, "processing": 1, "sent": 1}
    assert (ids(failed), failed["items"][0]["state"], failed["items"][0]["code"]) == (
        [running],
        "failed",
        "crashed",
    )
    assert failed["by_state"] == {"cancelled": 1, "failed": 1, "sent": 1}
    assert (ids(created), created["items"][0]["name"]) == ([new], "d.mp4")
    assert first["revision"] < failed["revision"] < created["revision"]
    before, after = told(listener, "progress")
    assert (before[running]["feed"]["done"], after[running]["feed"]["done"]) == (0, 32)
    assert after[running]["feed"]["total"] == 90


def test_a_job_is_as_get_jobs_has_it(world):
    """One form of a job in a list."""
    job_id = job_of(world)
    with serving(world) as port:
        listener = listen(port)
        listener.heard("jobs")
        (listed,) = httpx.get(f"http://127.0.0.1:{port}/api/v1/jobs").json()["items"]

    assert told(listener, "jobs")[0]["items"] == [listed]
    assert listed["job_id"] == job_id


def test_whoever_comes_later_hears_the_name_that_a_job_has_now(world):
    """Though nobody was told of it."""
    job_id = job_of(world)
    with serving(world) as port:
        listen(port).heard("jobs")
        httpx.patch(f"http://127.0.0.1:{port}/api/v1/jobs/{job_id}", json={"name": "north"})
        late = listen(port)
        late.heard("jobs")

    assert told(late, "jobs")[0]["items"][0]["name"] == "north"


def test_owners_hear_of_their_own_jobs_alone(world):
    """Whoever administers hears of all; what happens to another's is no event, and his numbers are not told."""
    anna, bert, root = (bearer(token(world, name, scope)) for name, scope in OWNERS)
    add(world, "a", "anna")
    with serving(world, replace(QUICK, tokens_s=-1)) as port:
        listeners = [listen(port, **headers) for headers in (anna, bert, root)]
        for each in listeners:
            each.heard("jobs")
        add(world, "b", "bert")
        wait_for(lambda: len(told(listeners[2], "jobs")) == 2)
        wait_for(lambda: len(told(listeners[1], "jobs")) == 2)
        world.store.advance("a", "cancelled")
        wait_for(lambda: len(told(listeners[0], "jobs")) == 2)

    heard = [[ids(data) for data in told(each, "jobs")] for each in listeners]
    assert heard[:2] == [[["a"], ["a"]], [[], ["b"]]]
    assert heard[2][:2] == [["a"], ["b"]]
    assert [data["by_state"] for data in told(listeners[1], "jobs")] == [{}, {"sent": 1}]


OWNERS = [("anna", "write"), ("bert", "read"), ("root", "admin")]


def test_a_job_that_is_removed_is_told_of_as_cancelled(world):
    """It was, first; one that had ended before only leaves the numbers."""
    ended, waiting = job_of(world), add(world, "b")
    world.store.advance(ended, "cancelled")
    with serving(world) as port:
        listener = listen(port)
        listener.heard("jobs")
        world.backend().cancel_and_purge(waiting)
        wait_for(lambda: len(told(listener, "jobs")) >= 2)
        world.backend().cancel_and_purge(ended)
        wait_for(lambda: told(listener, "jobs")[-1]["by_state"] == {})

    events = told(listener, "jobs")
    assert (ids(events[1]), events[1]["items"][0]["state"]) == ([waiting], "cancelled")
    assert ended not in [job_id for data in events for job_id in ids(data)]


def test_silence_is_broken_and_the_server_stops(world):
    """Nobody waits for a listener."""
    world.settings = replace(QUICK, stop_s=10, ping_s=0.5)
    with served(world) as (port,):
        listener = listen(port)
        wait_for(lambda: listener.comments >= 1)
        began = time.monotonic()

    assert time.monotonic() - began < 5
    wait_for(lambda: listener.ended)


def test_listeners_to_all_and_to_one_are_counted_together(world):
    """Each has a connection."""
    job_id = job_of(world)
    with serving(world, replace(QUICK, listeners=1)) as port:
        Listener(port, job_id).heard("state")

        is_problem(httpx.get(f"http://127.0.0.1:{port}/api/v1/events"), 429, "busy")


def test_many_listeners_are_one_look(world):
    """A hundred ask the store as often as one does; nothing is listed while no row changes, but once for who came last."""
    begin(world, job_of(world))
    world.store = asked = Recorded(world.store)
    with serving(world, replace(QUICK, watch_s=0.2, connections=300)) as port:
        listeners = [listen(port) for _ in range(100)]
        wait_for(lambda: all(each.names == ["jobs", "progress"] for each in listeners))
        asked.calls.clear()
        time.sleep(1.0)
        names = [name for name, _ in asked.calls]

    assert 1 <= names.count("progress") <= 6
    assert names.count("list") <= 3  # the window, in two parts, and the newest


def test_head(client):
    """A head has no stream."""
    head = client.ask("HEAD", "/api/v1/events")

    assert (head.status_code, head.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")


# --- thousands of jobs


def test_of_thousands_a_window_is_looked_at(world):
    """Those that are next; what comes behind it is told of once, and only counted from then on."""
    for n in range(MOST + 150):
        add(world, f"{n:04}")
    jobs = subject(world)
    first = jobs.first()
    world.store.advance("0000", "processing", facts={})
    add(world, "new")
    second = jobs.now(first, rows=True)
    world.store.advance("0300", "cancelled")
    third = jobs.now(second, rows=True)

    assert first.window == tuple(f"{n:04}" for n in range(MOST))
    assert {item.job_id for item in second.changed(first)} == {"0000", "new"}
    assert [item.job_id for item in third.changed(second)] == []
    assert third.by_state == {"processing": 1, "sent": MOST + 149, "cancelled": 1}


def test_a_job_that_came_and_ended_between_two_looks_is_told_of(world):
    """It was never seen at work."""
    jobs = subject(world)
    first = jobs.first()
    add(world, "quick")
    world.store.advance("quick", "cancelled")
    second = jobs.now(first, rows=True)

    assert [(item.job_id, item.state) for item in second.changed(first)] == [("quick", "cancelled")]
    assert jobs.now(second, rows=True).changed(second) == []


def test_what_left_the_window_is_not_kept_for_ever(world):
    """Else a service that runs for a year would remember every job."""
    jobs = subject(world)
    table = jobs.first()
    for n in range(3 * MOST):
        add(world, f"{n:04}")
        world.store.advance(f"{n:04}", "cancelled")
        table = jobs.now(table, rows=True)

    assert len(table.rows) <= 2 * MOST
