"""The page of a job on screens of other kinds: fingers, a whole screen, 4K, and a source that is no video."""

from __future__ import annotations

import json

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.axe import check
from tests.browser.conftest import NARROW, WIDE, address
from tests.browser.counted import LINES, ZONES, counted, draw, opened, until
from tests.browser.exactness import played, seeks, watch
from tests.media import video
from tests.numbered import numbered, picture
from tests.serving.service import Service

STATE = "window.sightline.player.state.values"
WIDEST = {"width": 3840, "height": 2160}


@pytest.fixture(scope="module")
def job(service, street):
    """The bundled clip, counted, with lines and a zone."""
    return counted(service, street)


def pinch(client, middle, before, after, steps=5):
    """Two fingers, so far from each other before and after."""
    x, y = middle

    def fingers(apart):
        return [{"x": x - apart / 2, "y": y, "id": 1}, {"x": x + apart / 2, "y": y, "id": 2}]

    def touch(kind, points):
        client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", fingers(before))
    for step in range(1, steps + 1):
        touch("touchMove", fingers(before + (after - before) * step / steps))
    touch("touchEnd", [])


def test_two_fingers_zoom_and_draw_nothing(chromium, service, job):
    """By as much as they move apart, about the place between them."""
    context = chromium.new_context(viewport={"width": 820, "height": 1180}, has_touch=True)
    page = opened(context.new_page(), service, job)
    stage = page.locator("#picture").bounding_box()
    middle = [stage["x"] + stage["width"] / 2, stage["y"] + stage["height"] / 2]
    under = page.evaluate("([x, y]) => sightline.player.toPicture(x, y)", middle)
    pinch(context.new_cdp_session(page), middle, 100, 300)
    until(page, f"() => {STATE}.view.zoom > 1")

    assert page.evaluate(f"{STATE}.view.zoom") == pytest.approx(3, rel=0.1)
    assert page.evaluate("([x, y]) => sightline.player.toPicture(x, y)", middle) == pytest.approx(
        under, abs=0.02
    )
    assert page.evaluate(f"{STATE}.shapes.length") == len(LINES) + len(ZONES)
    context.close()


def test_the_picture_fills_the_screen_and_its_boxes_with_it(page, service, job):
    """And back again, by the same key."""
    opened(page, service, job)
    small = page.locator("#picture").bounding_box()
    page.keyboard.press("f")
    until(page, "() => document.fullscreenElement?.id === 'player'")
    until(page, f"() => document.querySelector('#picture').clientWidth > {small['width']}")
    until(page, "() => sightline.settled()")
    size = "el => { const { width, height } = el.getBoundingClientRect(); return [width, height]; }"

    assert page.locator("#overlay").evaluate(size) == pytest.approx(
        page.locator("#picture").evaluate(size), abs=4
    )
    check(page)
    page.keyboard.press("f")
    until(page, "() => !document.fullscreenElement")
    assert page.locator("#picture").bounding_box()["width"] == pytest.approx(small["width"], abs=1)


@pytest.mark.parametrize("path", ["/", "/jobs/{}"])
def test_on_a_screen_of_4k_nothing_is_beside_the_page(page, service, job, path):
    """The picture is shown as large as the window allows, and the panels stay beside it."""
    page.set_viewport_size(WIDEST)
    page.goto(address(service, path.format(job)))
    expect(
        page.get_by_role("link", name="Open: street.mp4") if path == "/" else page.locator("#overlay")
    ).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == WIDEST["width"]
    if path != "/":
        until(page, f"() => Boolean({STATE}.counts) && sightline.settled()")
        assert page.locator("#picture").bounding_box()["width"] > WIDEST["width"] / 2
        panels = page.locator("#evidence").bounding_box()
        assert panels["x"] >= page.locator("#picture").bounding_box()["x"]
    check(page)


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_a_picture_that_stands_upright_is_seen_as_a_whole(page, service, tmp_path, size):
    """It is no higher than the window, and its boxes are where it is."""
    clip = video(tmp_path / "upright.mp4", 20, size=(180, 320))
    _, answer = service.upload(clip, pipeline="traffic")
    service.until(lambda: service.json(f"/api/v1/jobs/{answer['event_id']}")["state"] == "ready")
    page.set_viewport_size(size)
    opened(page, service, answer["event_id"])
    seen = page.locator("#picture").bounding_box()

    assert seen["height"] < size["height"]
    assert seen["width"] / seen["height"] == pytest.approx(180 / 320, rel=0.02)
    assert page.locator("#overlay").bounding_box() == pytest.approx(seen, abs=1)
    assert page.evaluate("document.documentElement.scrollWidth") == size["width"]


def test_a_mov_of_h264_is_played_itself(page, service, tmp_path):
    """As a phone or a drone records it: nothing is copied, and the frame is the one that is said."""
    clip = numbered(tmp_path / "mov", "mov", 75)
    _, answer = service.upload(clip, pipeline="detect")
    path = f"/api/v1/jobs/{answer['event_id']}"
    service.until(lambda: service.json(path)["sampled"])
    page.goto(address(service, f"/jobs/{answer['event_id']}"))
    watch(page)

    assert seeks(page, 75, 25) == []
    told = played(page, 2.0)["told"]
    assert [each for each in told if each[0] != each[1]] == []
    assert service.json(f"{path}/playback")["copy"] is None


@pytest.fixture
def walk(tmp_path):
    """A service with a folder of images of its own, and a job of them."""
    folder = tmp_path / "files" / "walk"
    folder.mkdir(parents=True)
    for number in range(30):
        Image.fromarray(picture(number)).save(folder / f"{number + 1:07d}.jpg", quality=90)
    served = Service(tmp_path / "data", "--files", str(folder.parent), "--fps", "10").start()
    body = json.dumps({"source": {"path": "walk"}, "pipeline": "traffic"}).encode()
    status, answer = served.ask("POST", "/api/v1/jobs", body, headers={"Content-Type": "application/json"})
    assert status == 202, answer
    job_id = json.loads(answer)["job_id"]
    served.until(lambda: served.json(f"/api/v1/jobs/{job_id}")["state"] == "ready")
    draw(served, job_id, LINES)
    yield served, job_id
    served.stop()


def test_a_folder_of_images_is_shown_to_the_frame_and_counted(page, walk):
    """As a copy that plays, once that is made; lines are drawn on it as on a video."""
    served, job_id = walk
    opened(page, served, job_id)
    watch(page)

    assert seeks(page, 30, 25) == []
    told = played(page, 2.0)["told"]
    assert [each for each in told if each[0] != each[1]] == []
    assert len(told) > 5
    assert page.evaluate(f"{STATE}.counts.evidence") == []
    check(page)
