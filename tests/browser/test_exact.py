"""The frame that the page says is the one that it shows: videos whose pixels tell their numbers, of every kind.

By default a few seeks and two seconds of playing each; with PAGE_EXACT=long 200 seeks and ten seconds.
"""

from __future__ import annotations

import os

import pytest

from tests.browser.conftest import address
from tests.browser.exactness import played, seeks, watch
from tests.numbered import KINDS, numbered

LONG = os.environ.get("PAGE_EXACT") == "long"
FRAMES, SEEKS, SECONDS = (300, 200, 10.0) if LONG else (75, 25, 2.0)


@pytest.fixture(scope="module", params=KINDS)
def job(request, service, tmp_path_factory):
    """A job whose frames are known; nobody waits for its boxes."""
    clip = numbered(tmp_path_factory.mktemp("numbered") / request.param, request.param, FRAMES)
    status, answer = service.upload(clip, pipeline="detect")
    assert status == 200, answer
    path = f"/api/v1/jobs/{answer['event_id']}"
    service.until(lambda: service.json(path)["sampled"])
    service.ask("POST", f"{path}/cancel")
    return answer["event_id"]


def test_the_frame_that_is_said_is_the_one_that_is_seen(page, service, job):
    """After random seeks, and while it plays; a kind that this browser does not play is shown as a copy of the same times."""
    page.goto(address(service, f"/jobs/{job}"))
    watch(page)

    assert seeks(page, FRAMES, SEEKS) == []
    told = played(page, SECONDS)["told"]
    assert len(told) > SECONDS
    assert [each for each in told if each[0] != each[1]] == []
    assert [said for said, _ in told] == sorted(said for said, _ in told)
