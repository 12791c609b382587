"""The player of a job's page: the boxes of the frame that is shown, and the ways to get to a frame."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest
from playwright.sync_api import expect

from tests.browser.axe import check
from tests.browser.conftest import NARROW, address
from tests.browser.counted import counted, opened, until
from tests.browser.pictures import IMAGES, WANTED
from tests.media import repeated

STATE = "window.sightline.player.state.values"


@pytest.fixture(scope="module")
def job(service, street):
    """The bundled clip, counted, with lines and a zone."""
    return counted(service, street)


@pytest.fixture(scope="module")
def tracks(service, job):
    """Rows of `tracks.csv` by frame: group, track, box."""
    text = service.get(f"/api/v1/jobs/{job}/results/tracks.csv")[1].decode()
    found: dict[int, list] = {}
    for row in csv.DictReader(io.StringIO(text)):
        box = [float(row[side]) for side in ("x1", "y1", "x2", "y2")]
        found.setdefault(int(row["frame"]), []).append((row["group"], int(row["track_id"]), *box))
    return found


def presented(page):
    return page.evaluate("sightline.presented()")


def seek(page, frame):
    """Go to a frame, and wait until it is shown with all of its boxes."""
    page.evaluate(f"sightline.player.seekRow({frame})")
    until(page, f"() => sightline.presented().frame === {frame} && sightline.settled()")


def drawn(said):
    """Boxes as `tracks.csv` has them."""
    sides = ("x1", "y1", "x2", "y2")
    rows = [
        (box["group"], box["track_id"], *(round(box[side], 3) for side in sides)) for box in said["boxes"]
    ]
    return sorted(rows)


def on_screen(page, said, group, track_id):
    """Where the middle of a box is in the window."""
    box = next(each for each in said["boxes"] if (each["group"], each["track_id"]) == (group, track_id))
    stage = page.locator("#picture").bounding_box()
    x, y = page.evaluate(
        "([x, y]) => { const { width, height } = sightline.player.size; return sightline.player.toStage([x / width, y / height]); }",
        [(box["x1"] + box["x2"]) / 2, (box["y1"] + box["y2"]) / 2],
    )
    return stage["x"] + x, stage["y"] + y


@pytest.mark.parametrize("frame", [0, 100, 127, 128, 333, 624])
def test_boxes_are_those_of_the_frame_that_is_shown(page, service, job, tracks, frame):
    """As `tracks.csv` has them, to a thousandth of a pixel; on both sides of the border of a segment too."""
    opened(page, service, job)
    seek(page, frame)

    assert drawn(presented(page)) == sorted(tracks.get(frame, []))


def test_boxes_are_those_of_every_frame_while_it_plays(page, service, job, tracks):
    """Three seconds, across a border of segments."""
    opened(page, service, job)
    seek(page, 100)
    page.evaluate(
        "() => { window.seen = []; const look = () => { seen.push({ ...sightline.presented(), settled: sightline.settled() }); requestAnimationFrame(look); }; look(); }"
    )
    page.evaluate("sightline.player.play()")
    page.wait_for_timeout(3000)
    page.evaluate("sightline.player.pause()")
    seen = {said["frame"]: said for said in page.evaluate("seen")}

    assert len(seen) > 10
    assert all(said["settled"] for said in seen.values())
    assert {frame: drawn(said) for frame, said in seen.items()} == {
        frame: sorted(tracks.get(frame, [])) for frame in seen
    }


def test_a_frame_that_the_browser_has_not_yet_is_taken_later(page, service, job):
    """Of a busy machine: every other time there is none. Nothing fails, and boxes go on while it plays."""
    page.add_init_script(
        "const Real = globalThis.VideoFrame; let asked = 0; globalThis.VideoFrame = function (video) {"
        " if (++asked % 2) throw new DOMException('Invalid source state', 'InvalidStateError'); return new Real(video); };"
    )
    opened(page, service, job)
    seek(page, 100)
    page.evaluate("sightline.player.play()")

    until(page, "() => sightline.presented().frame > 125")


def test_keys_go_by_frames_seconds_and_events(page, service, job):
    """`.` `,` arrows `]` `[` and Space."""
    opened(page, service, job)
    seek(page, 50)
    page.locator("#overlay").focus()
    shows = lambda frame: until(page, f"() => sightline.presented().frame === {frame}")  # noqa: E731

    page.keyboard.press(".")
    shows(51)
    page.keyboard.press(",")
    page.keyboard.press(",")
    shows(49)
    page.keyboard.press("ArrowRight")
    shows(174)
    page.keyboard.press("ArrowLeft")
    shows(49)
    events = page.evaluate(f"{STATE}.counts.evidence.map(each => each.frame)")
    page.keyboard.press("]")
    shows(next(frame for frame in events if frame > 49))
    page.keyboard.press("[")
    page.keyboard.press("]")
    page.keyboard.press(" ")
    until(page, "() => !sightline.player.paused")
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    page.keyboard.press(" ")
    until(page, "() => sightline.player.paused")


def test_the_list_of_keys_opens_and_single_keys_can_be_switched_off(page, service, job):
    """WCAG 2.1.4."""
    opened(page, service, job)
    seek(page, 50)
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keys")
    expect(dialog).to_be_visible()
    check(page)
    dialog.get_by_role("checkbox").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press(".")
    page.keyboard.press("ArrowRight")

    until(page, "() => sightline.presented().frame === 175")


def test_a_click_chooses_the_track_and_its_card_tells_of_it(page, service, job):
    """What the result says of it; a click beside every box deselects."""
    opened(page, service, job)
    seek(page, 100)
    page.mouse.click(*on_screen(page, presented(page), "cars", 3))

    card = page.locator("#track")
    expect(card.get_by_role("heading")).to_have_text("truck 3")
    expect(card).to_contain_text("sure boxes")
    card.get_by_role("button", name="0:02.3").click()
    until(page, "() => sightline.presented().frame === 59")
    card.get_by_role("button", name="Close track").click()
    assert page.evaluate(f"{STATE}.track") is None


def test_an_address_leads_back_to_the_frame_the_track_and_the_line(page, service, job):
    """To the very frame."""
    opened(page, service, job)
    seek(page, 101)
    page.mouse.click(*on_screen(page, presented(page), "cars", 3))
    until(page, "() => location.search === '?t=4.04&track=cars:3'")
    page.goto(page.url + "&line=across")
    until(page, "() => sightline.presented()?.frame === 101")

    expect(page.locator("#track").get_by_role("heading")).to_have_text("truck 3")
    assert page.evaluate(f"{STATE}.shape") == "across"


def test_small_objects_can_be_looked_at_closely(page, service, job):
    """Zoom keeps what lies under the pointer; picture and boxes move together, and a click still hits."""
    opened(page, service, job)
    seek(page, 100)
    x, y = map(round, on_screen(page, presented(page), "people", 7))
    under = page.evaluate(f"sightline.player.toPicture({x}, {y})")
    page.mouse.move(x, y)
    page.keyboard.down("Control")
    for _ in range(3):
        page.mouse.wheel(0, -120)
    page.keyboard.up("Control")
    until(page, f"() => {STATE}.view.zoom > 4")

    assert page.evaluate(f"sightline.player.toPicture({x}, {y})") == pytest.approx(under, abs=1e-6)
    zoom = page.evaluate(f"{STATE}.view.zoom")
    shown = page.locator("#frame").bounding_box()
    assert shown["width"] == pytest.approx(zoom * page.locator("#picture").bounding_box()["width"], rel=0.01)
    page.mouse.click(*on_screen(page, presented(page), "people", 7))
    expect(page.locator("#track").get_by_role("heading")).to_have_text("person 7")
    page.keyboard.press("0")
    assert page.evaluate(f"{STATE}.view.zoom") == 1


def test_shift_and_a_drag_move_the_enlarged_picture_and_draw_nothing(page, service, job):
    """By as much as the pointer moves."""
    opened(page, service, job)
    seek(page, 100)
    page.evaluate("sightline.player.zoom(4)")
    stage = page.locator("#picture").bounding_box()
    x, y = stage["x"] + stage["width"] / 2, stage["y"] + stage["height"] / 2
    before = page.evaluate("sightline.player.toStage([0.5, 0.5])")
    page.keyboard.down("Shift")
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 60, y + 30, steps=3)
    page.mouse.up()
    page.keyboard.up("Shift")

    after = page.evaluate("sightline.player.toStage([0.5, 0.5])")
    assert [b - a for a, b in zip(before, after, strict=True)] == pytest.approx([60, 30], abs=1)
    assert page.evaluate(f"{STATE}.shapes.length") == 3


def test_the_timeline_is_a_slider_for_keys_and_a_lane_for_the_pointer(page, service, job):
    """A moment by its place, a frame by the keys, both said to screen readers."""
    opened(page, service, job)
    lane = page.locator("#timeline").bounding_box()
    page.mouse.click(lane["x"] + lane["width"] / 2, lane["y"] + 20)
    until(page, "() => Math.abs(sightline.presented().frame - 312) <= 1")
    slider = page.get_by_role("slider", name="Position")
    slider.focus()
    page.keyboard.press("Home")
    until(page, "() => sightline.presented().frame === 0")

    expect(slider).to_have_attribute("aria-valuetext", "0:00.000, frame 0")
    assert page.locator("#timeline .tick").count() > 0
    assert page.locator("#timeline .density").count() == 2


def test_a_class_that_is_left_out_is_not_drawn(page, service, job):
    """By its key."""
    opened(page, service, job)
    seek(page, 100)
    labels = page.evaluate(f"[...new Set({STATE}.boxes.map(each => each.label))]")
    key = page.evaluate(f"[...new Set({STATE}.classes.map(each => each.label))].indexOf('person') + 1")
    page.keyboard.press(str(key))

    assert "person" in labels
    until(page, f"() => {STATE}.boxes.length && !{STATE}.boxes.some(each => each.label === 'person')")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_ready_job_keeps_the_rules_of_access(page, service, job, theme):
    """With a track chosen."""
    page.goto(address(service, f"/jobs/{job}?t=4&track=cars:3&theme={theme}"))
    until(page, f"() => Boolean({STATE}.counts) && Boolean({STATE}.overview) && sightline.settled()")
    expect(page.locator("#track").get_by_role("heading")).to_have_text("truck 3")

    check(page)
    if theme == "dark" and WANTED:
        page.screenshot(path=IMAGES / "page-job.jpg", quality=85)


def test_everything_fits_a_telephone(page, service, job):
    """375 px: nothing is wider than the window, targets are large enough."""
    page.set_viewport_size(NARROW)
    opened(page, service, job)

    assert page.evaluate("document.documentElement.scrollWidth") == 375
    check(page)


def test_a_job_that_runs_shows_boxes_as_far_as_they_are_and_can_be_stopped_and_run_again(
    page, service, street, tmp_path
):
    """Progress, cancel, the newer run; said in words."""
    long = repeated(
        tmp_path / "long.mp4", street, 20
    )  # minutes of work: it must not be ready before it is cancelled
    answer = service.ask(
        "POST", "/api/v1/jobs?name=again", long.read_bytes(), headers={"Content-Type": "video/mp4"}
    )
    job_id = json.loads(answer[1])["job_id"]
    page.goto(address(service, f"/jobs/{job_id}"))
    notice = page.locator("#notices [data-subject=job]")
    expect(notice).to_contain_text("frames have boxes", timeout=60_000)
    until(page, "() => sightline.settled()", 300)
    check(page)
    notice.get_by_role("button", name="Cancel").click()
    expect(page.locator("#state")).to_have_text("Cancelled", timeout=60_000)
    expect(notice).to_contain_text("The job was cancelled")
    notice.get_by_role("button", name="Run it again").click()
    page.wait_for_url(lambda url: "/jobs/" in url and job_id not in url)
    newer = page.url.rpartition("/")[2].partition("?")[0]
    service.ask("POST", f"/api/v1/jobs/{newer}/cancel")
    page.goto(address(service, f"/jobs/{job_id}"))

    expect(page.get_by_role("link", name="Open the newer run")).to_have_attribute("href", f"/jobs/{newer}")


def test_a_job_that_begins_while_its_page_is_open_is_shown_however_often_that_is_told(page, service, job):
    """Its state and its progress come at once, and each makes the page look: the video is begun once all the same."""
    looks: list[str] = []
    events = "".join(
        f'event: {kind}\ndata: {{"collect": {{"done": 10}}}}\n\n' for kind in ("state", "progress")
    )

    def waits_at_first(route):
        looks.append("job")
        body = route.fetch().json()
        route.fulfill(json=body | ({"state": "sent", "sampled": 0} if len(looks) == 1 else {}))

    def indexed(route):
        looks.append("index")
        page.wait_for_timeout(300)
        route.continue_()

    page.route(re.compile(f"/api/v1/jobs/{job}$"), waits_at_first)
    page.route(re.compile(f"/api/v1/jobs/{job}/index$"), indexed)
    page.route(
        re.compile(f"/api/v1/jobs/{job}/events$"),
        lambda route: route.fulfill(body=events, headers={"Content-Type": "text/event-stream"}),
    )
    page.goto(address(service, f"/jobs/{job}"))

    until(page, "() => Boolean(window.sightline) && sightline.settled()")
    assert looks.count("index") == 1
    assert looks.count("job") > 2


def test_a_job_that_is_not_there_is_said_so(page, service):
    """With the way back."""
    page.goto(address(service, "/jobs/00000000-0000-4000-8000-000000000000"))

    expect(page.get_by_role("heading", name="There is no such job")).to_be_visible()
    expect(page.get_by_role("link", name="All jobs")).to_have_attribute("href", "/")
    check(page)


def test_a_failed_job_says_why_and_what_to_do(page, service, job):
    """By its code; what was found up to there stays in sight."""

    def fail(route):
        answer = route.fetch()
        body = answer.json() | {"state": "failed", "code": "disk_full", "reason": "No room is left"}
        route.fulfill(response=answer, json=body)

    page.route(re.compile(f"/api/v1/jobs/{job}$"), fail)
    page.goto(address(service, f"/jobs/{job}"))
    notice = page.get_by_role("alert").filter(has_text="No room is left")

    expect(notice).to_contain_text("Make room on the server, then run it again.")
    notice.get_by_text("Details for a report").click()
    expect(notice).to_contain_text("code disk_full")
    until(page, "() => sightline.presented() !== null")
    check(page)
