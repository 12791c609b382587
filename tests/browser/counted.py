"""A job that was counted, with lines and a zone drawn, and its page."""

from __future__ import annotations

import json
import time

from tests.browser.conftest import address

LINES = [
    {"name": "across", "a": [0.5, 0.0], "b": [0.5, 1.0]},
    {"name": "top", "a": [0.2, 0.45], "b": [0.9, 0.45], "in": "southbound", "out": "northbound"},
]
ZONES = [{"name": "yard", "points": [[0.1, 0.3], [0.6, 0.3], [0.6, 0.9]]}]


def counted(service, clip):
    """A job of a clip that is ready, with lines and a zone."""
    status, answer = service.upload(clip, pipeline="traffic", bucket="videos")
    assert status == 200, answer
    job_id = answer["event_id"]
    service.until(lambda: service.json(f"/api/v1/jobs/{job_id}")["state"] == "ready")
    draw(service, job_id, LINES, ZONES)
    return job_id


def draw(service, job_id, lines, zones=()):
    """Lines and zones in place of those that are there."""
    path = f"/api/v1/jobs/{job_id}/geometry"
    revision = service.json(path)["revision"]
    body = json.dumps({"lines": list(lines), "zones": list(zones), "revision": revision}).encode()
    status, said = service.ask("PUT", path, body, headers={"Content-Type": "application/json"})
    assert status == 200, said


def ask(service, job_id, path, body):
    """The JSON of what is asked of a job."""
    headers = {"Content-Type": "application/json"}
    status, said = service.ask(
        "POST", f"/api/v1/jobs/{job_id}/{path}", json.dumps(body).encode(), headers=headers
    )
    assert status == 200, said
    return json.loads(said)


def opened(page, service, job_id):
    """The page of a job, with a frame on the screen and its lines counted."""
    page.goto(address(service, f"/jobs/{job_id}"))
    until(page, "() => Boolean(window.sightline?.presented())")
    until(page, "() => Boolean(window.sightline.player.state.values.counts)")
    return page


def until(page, script, patience_s=30.0):
    """Wait until a script says so; the policy of the page forbids what `wait_for_function` does."""
    end = time.monotonic() + patience_s
    while not page.evaluate(script):
        assert time.monotonic() < end, f"it never came to be: {script}"
        page.wait_for_timeout(50)


def rows(page, selector):
    """The text of each cell of each row of a table."""
    script = "els => els.map(tr => [...tr.cells].map(cell => cell.textContent))"
    return page.locator(selector).evaluate_all(script)
