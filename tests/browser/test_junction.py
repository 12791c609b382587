"""A junction counted from file to signed table, as `docs/how-to/count-a-junction.md` tells it.

With `PAGE_SCREENSHOTS=1` its pictures are written to `docs/images`.
"""

from __future__ import annotations

import csv
import json

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import address
from tests.browser.counted import rows, until
from tests.browser.pictures import IMAGES, WANTED

WEST, EAST = ((0.3, 0.7), (0.3, 0.3)), ((0.7, 0.3), (0.7, 0.7))


def _picture(page, name, *selectors):
    """Write a picture of some parts of the page, where pictures are asked for."""
    if not WANTED:
        return
    boxes = [page.locator(selector).bounding_box() for selector in selectors]
    left, top = (min(box[side] for box in boxes) - 8 for side in ("x", "y"))
    right = max(box["x"] + box["width"] for box in boxes) + 8
    bottom = max(box["y"] + box["height"] for box in boxes) + 8
    scrolled = page.evaluate("scrollY")
    clip = {"x": left, "y": top + scrolled, "width": right - left, "height": bottom - top}
    quality = {"quality": 82} if name.endswith(".jpg") else {}
    page.screenshot(path=IMAGES / name, full_page=True, clip=clip, **quality)


def _draw(page, name, start, end):
    """A line by pointer, and its name."""
    box = page.locator("#overlay").bounding_box()
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in (start, end)]
    page.keyboard.press("l")
    page.mouse.move(*places[0])
    page.mouse.down()
    page.mouse.move(*places[1], steps=5)
    page.mouse.up()
    field = page.locator("#shapes").get_by_label("Name", exact=True)
    field.fill(name)
    field.press("Enter")


@pytest.fixture
def job_page(page, service, street):
    """A job that was made on the home page, opened."""
    page.goto(address(service))
    page.set_input_files("#files", str(street))
    page.locator(".tray .primary").click()
    service.until(lambda: any(each["state"] == "ready" for each in service.json("/api/v1/jobs")["items"]))
    (item,) = service.json("/api/v1/jobs")["items"]
    page.goto(address(service, f"/jobs/{item['job_id']}"))
    until(page, "() => Boolean(window.sightline?.presented())")
    return page


def test_a_junction_is_counted_from_file_to_signed_table(job_page, service):
    """Send, draw, set the clock, read, audit, download: what is signed is what the service has."""
    page = job_page
    job_id = page.evaluate("window.sightline.presented().job_id")
    page.locator("#overlay").scroll_into_view_if_needed()
    _draw(page, "west", *WEST)
    _draw(page, "east", *EAST)
    expect(page.locator("#intervals tbody tr")).to_have_count(4)
    page.evaluate("window.sightline.player.seekUs(7200000)")
    until(page, "() => window.sightline.presented().pts_us === 7200000 && window.sightline.settled()")
    page.evaluate("scrollTo(0, 0)")
    _picture(page, "junction-page.jpg", "#player", "#shapes", "#counts-panel", "#evidence")

    page.locator("#clock-start").click()
    page.get_by_label("Time of the first frame").fill("2026-11-21 07:44:50 +01:00")
    page.keyboard.press("Enter")
    expect(page.locator("#intervals tbody tr")).to_have_count(8)
    _picture(page, "junction-tables.png", "#chart", "#intervals")

    page.get_by_label("Line or zone to audit").select_option("west")
    page.locator("#audit-open").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".audit-place")).to_contain_text("Event 1 of")
    total = int(page.locator(".audit-place").inner_text().split()[-1])
    for at in range(total):
        page.keyboard.press("x" if at == 1 else "a")
        expect(page.locator("#audit-progress")).to_contain_text(f"{at + 1} of {total}")
        if at == 3:
            service.until(lambda: _looked(service, job_id) == 4)
            _picture(page, "junction-audit.png", "#audit")
    service.until(lambda: _looked(service, job_id) == total)
    expect(page.locator("#audit tfoot td").nth(4)).to_have_text(str(total - 1))

    page.locator(
        "#downloads-panel"
    ).scroll_into_view_if_needed()  # far down, it asks for its files once it is seen
    with page.expect_download() as got:
        page.locator('#downloads-panel [data-file="verdicts.json"] a').click()
    signed = json.loads(got.value.path().read_text())
    assert [row["verified"] for row in signed["counts"]] == [
        row["verified"] for row in service.json(f"/api/v1/jobs/{job_id}/verdicts")["counts"]
    ]
    assert sum(row["rejected"] for row in signed["counts"]) == 1
    with page.expect_download() as got:
        page.locator("#intervals").get_by_role("button", name="CSV").click()
    body = [
        row for row in csv.reader(got.value.path().read_text().splitlines()) if not row[0].startswith("#")
    ]
    assert [row[5:] for row in body[1 : 1 + page.locator("#intervals tbody tr").count()]] == [
        cells[2:] for cells in rows(page, "#intervals tbody tr")
    ]


def _looked(service, job_id):
    events = service.json(f"/api/v1/jobs/{job_id}/verdicts")["events"]
    return sum(each["said"] is not None for each in events if each["name"] == "west")
