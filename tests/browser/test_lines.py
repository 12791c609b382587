"""Lines and zones on the page of a job: drawn by pointer, finger and keys, counted as the service counts, and kept."""

from __future__ import annotations

import csv
import json
import random
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.axe import check
from tests.browser.conftest import NARROW, WIDE, address

ACROSS = {"name": "across", "a": [0.1, 0.6], "b": [0.9, 0.62]}
ROAD = {"name": "road", "points": [[0.05, 0.36], [0.95, 0.34], [0.95, 0.6], [0.05, 0.62]]}
SIZE = (1280, 720)
SHOWS = "frame => window.sightline.presented().frame === frame"


def sent(service, name, street):
    """A job of the bundled clip, just accepted."""
    headers = {"Content-Type": "video/mp4"}
    status, body = service.ask("POST", f"/api/v1/jobs?name={name}", street.read_bytes(), headers=headers)
    assert status == 202, body
    return json.loads(body)["job_id"]


@pytest.fixture(scope="module")
def ready(service, street):
    """A job of the bundled clip that is ready, for a module."""
    job_id = sent(service, "north", street)
    service.until(lambda: service.json(f"/api/v1/jobs/{job_id}")["state"] == "ready")
    return job_id


@pytest.fixture
def job(service, ready):
    """The same, nothing drawn."""
    draw(service, ready)
    return ready


def stored(service, job_id):
    return service.json(f"/api/v1/jobs/{job_id}/geometry")


def draw(service, job_id, lines=(), zones=()):
    """Store lines and zones, as another program does."""
    body = {"lines": [*lines], "zones": [*zones], "revision": stored(service, job_id)["revision"]}
    headers = {"Content-Type": "application/json"}
    status, answer = service.ask(
        "PUT", f"/api/v1/jobs/{job_id}/geometry", json.dumps(body).encode(), headers=headers
    )
    assert status == 200, answer


def count(service, job_id, **question):
    """What the service counts."""
    headers = {"Content-Type": "application/json"}
    body = json.dumps({"lines": [], "zones": []} | question).encode()
    status, answer = service.ask("POST", f"/api/v1/jobs/{job_id}/counts", body, headers=headers)
    assert status == 200, answer
    return json.loads(answer)


def total(answer, kind, name, direction=""):
    rows = [row for row in answer["counts"] if (row["kind"], row["name"]) == (kind, name)]
    return sum(row["count"] for row in rows if row["direction"] == direction)


def totals(answer, line):
    """In and out, as a row of the panel has them."""
    ways = (line.get("in", "in"), line.get("out", "out"))
    return [str(total(answer, "line", line["name"], way)) for way in ways]


def opened(page, service, job_id, query=""):
    """The page of a job, its lines read."""
    page.goto(address(service, f"/jobs/{job_id}{query}"))
    until(page, "Boolean(window.sightline?.presented() && window.sightline.player.state.values.loaded)")
    return page


def until(page, expression, arg=None):
    """Wait until something holds in the page; its policy lets no text be evaluated within it."""
    end = time.monotonic() + 30
    while not page.evaluate(expression, arg):
        assert time.monotonic() < end, expression
        page.wait_for_timeout(20)


def value(page, name):
    """A value of the page's state."""
    return page.evaluate("name => window.sightline.player.state.values[name]", name)


def place(page, x, y):
    """Where a point of the picture is on the page."""
    return page.evaluate(
        """([x, y]) => {
            const { left, top } = document.querySelector("#picture").getBoundingClientRect();
            const [a, b] = window.sightline.player.toStage([x, y]);
            return [left + a, top + b];
        }""",
        [x, y],
    )


def drag(page, start, end, steps=8):
    """From a point of the picture to another one."""
    page.mouse.move(*place(page, *start))
    page.mouse.down()
    page.mouse.move(*place(page, *end), steps=steps)
    page.mouse.up()


def press_tool(page, name):
    page.locator("#tools").get_by_role("button", name=name, exact=True).click()


def row(page, name):
    return page.locator("#shapes .shape-row", has_text=name)


def figures(page, name):
    return row(page, name).locator("b")


def kept(page, service, job_id, holds):
    """Wait until the service has what was drawn; what it has."""
    service.until(lambda: holds(stored(service, job_id)))
    expect(page.locator(".lines-notice .notice")).to_have_count(0)
    return stored(service, job_id)


def near(point, expected, pixels=1.0):
    return all(abs(a - b) * side <= pixels for a, b, side in zip(point, expected, SIZE, strict=True))


# --- drawing


def test_a_line_is_drawn_by_dragging_counted_and_kept(page, service, job):
    """The answer of the service stands in the panel, and all is there again after a reload."""
    opened(page, service, job)
    press_tool(page, "Line")
    drag(page, (0.1, 0.6), (0.9, 0.62))

    found = kept(page, service, job, lambda g: len(g["lines"]) == 1)["lines"][0]
    assert found["name"] == "Line 1"
    assert near(found["a"], (0.1, 0.6))
    assert near(found["b"], (0.9, 0.62))
    wanted = totals(count(service, job, lines=[found]), found)
    assert wanted != ["0", "0"]
    expect(figures(page, "Line 1")).to_have_text(wanted)
    page.reload()
    expect(figures(page, "Line 1")).to_have_text(wanted)


def test_a_line_is_drawn_by_two_clicks(page, service, job):
    """The second click ends it; a press that goes nowhere draws nothing."""
    opened(page, service, job)
    press_tool(page, "Line")
    page.mouse.click(*place(page, 0.2, 0.3))
    assert value(page, "shapes") == []
    page.mouse.click(*place(page, 0.2, 0.8))

    found = kept(page, service, job, lambda g: g["lines"])["lines"][0]
    assert near(found["a"], (0.2, 0.3))
    assert near(found["b"], (0.2, 0.8))
    assert value(page, "tool") == "select"


def test_a_line_is_drawn_moved_and_deleted_by_keys_alone(page, service, job):
    """`l` and Enter place it, arrows move a point by one pixel of the picture or ten, Del deletes, Ctrl Z brings back."""
    opened(page, service, job)
    page.keyboard.press("l")
    page.keyboard.press("Enter")
    expect(page.locator("#handles button").first).to_be_focused()
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "Shift+ArrowUp"):
        page.keyboard.press(key)

    def moved(found):
        return found["lines"] and near(found["lines"][0]["a"], (0.35 + 2 / 1280, 0.5 - 9 / 720), 0.01)

    kept(page, service, job, moved)
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowLeft")
    kept(page, service, job, lambda g: near(g["lines"][0]["b"], (0.65 - 1 / 1280, 0.5), 0.01))
    page.keyboard.press("Delete")
    expect(page.locator("#overlay")).to_be_focused()
    kept(page, service, job, lambda g: g["lines"] == [])
    page.keyboard.press("Control+z")
    kept(page, service, job, lambda g: len(g["lines"]) == 1)


def test_a_zone_is_drawn_by_clicks_and_closed_on_its_first_corner(page, service, job):
    """Entered, now and peak are what the service says, and who is inside is who came in and is in the picture."""
    opened(page, service, job)
    press_tool(page, "Zone")
    corners = ROAD["points"]
    for corner in [*corners, corners[0]]:
        page.mouse.click(*place(page, *corner))

    zone = kept(page, service, job, lambda g: g["zones"])["zones"][0]
    assert len(zone["points"]) == 4
    assert all(map(near, zone["points"], corners))
    answer = count(service, job, zones=[zone])
    entered, peak = total(answer, "zone_enter", "Zone 1"), answer["occupancy"][0]
    assert entered > 3
    expect(figures(page, "Zone 1").first).to_have_text(str(entered))
    expect(figures(page, "Zone 1").last).to_have_text(str(peak["peak"]))
    page.evaluate("us => window.sightline.player.seekUs(us)", peak["peak_pts_us"])
    expect(figures(page, "Zone 1").nth(1)).to_have_text(str(peak["peak"]))


@pytest.mark.parametrize("end", ["Enter", "double click"])
def test_a_zone_is_closed_by_enter_or_a_double_click(page, service, job, end):
    """Backspace takes the last corner back."""
    opened(page, service, job)
    press_tool(page, "Zone")
    for corner in ((0.2, 0.2), (0.9, 0.9), (0.8, 0.2)):
        page.mouse.click(*place(page, *corner))
        if corner == (0.9, 0.9):
            page.keyboard.press("Backspace")
    if end == "Enter":
        page.mouse.click(*place(page, 0.8, 0.7))
        page.keyboard.press("Enter")
    else:
        page.mouse.dblclick(*place(page, 0.8, 0.7))

    zone = kept(page, service, job, lambda g: g["zones"])["zones"][0]
    assert len(zone["points"]) == 3
    assert all(map(near, zone["points"], [(0.2, 0.2), (0.8, 0.2), (0.8, 0.7)]))


def test_a_shape_is_dragged_whole_and_by_a_handle(page, service, job):
    """A point follows the pointer; the whole keeps its form; each is one step of undo."""
    draw(service, job, [ACROSS])
    opened(page, service, job)
    drag(page, (0.5, 0.61), (0.5, 0.41))
    whole = kept(page, service, job, lambda g: near(g["lines"][0]["a"], (0.1, 0.4)))
    assert near(whole["lines"][0]["b"], (0.9, 0.42))
    drag(page, (0.1, 0.4), (0.3, 0.7))
    kept(
        page,
        service,
        job,
        lambda g: near(g["lines"][0]["a"], (0.3, 0.7)) and near(g["lines"][0]["b"], (0.9, 0.42)),
    )
    page.keyboard.press("Control+z")
    kept(page, service, job, lambda g: near(g["lines"][0]["a"], (0.1, 0.4)))
    page.keyboard.press("Control+z")
    kept(page, service, job, lambda g: g["lines"] == [ACROSS])
    page.keyboard.press("Control+Shift+z")
    kept(page, service, job, lambda g: near(g["lines"][0]["a"], (0.1, 0.4)))


def test_a_line_fits_the_picture_when_it_is_zoomed(page, service, job):
    """What is under the pointer is where the line ends."""
    opened(page, service, job)
    page.evaluate("window.sightline.player.zoom(4, [600, 300])")
    assert value(page, "view")["zoom"] == 4
    box = page.locator("#overlay").bounding_box()
    press_tool(page, "Line")
    ends = [(box["x"] + 200, box["y"] + 150), (box["x"] + 700, box["y"] + 400)]
    wanted = [page.evaluate("p => window.sightline.player.toPicture(...p)", end) for end in ends]
    page.mouse.move(*ends[0])
    page.mouse.down()
    page.mouse.move(*ends[1], steps=4)
    page.mouse.up()

    found = kept(page, service, job, lambda g: g["lines"])["lines"][0]
    assert near(found["a"], wanted[0], 0.1)
    assert near(found["b"], wanted[1], 0.1)
    handle = page.locator("#handles button").first.bounding_box()
    assert abs(handle["x"] + handle["width"] / 2 - ends[0][0]) < 1.5


def test_lines_are_drawn_and_moved_by_a_finger(chromium, service, job):
    """Two taps, then a drag of the line; the page does not scroll away under it."""
    context = chromium.new_context(viewport=NARROW, has_touch=True, is_mobile=True)
    page = opened(context.new_page(), service, job)
    page.locator("#picture").scroll_into_view_if_needed()
    press_tool(page, "Line")
    for end in ((0.2, 0.3), (0.8, 0.3)):
        page.touchscreen.tap(*place(page, *end))
    kept(page, service, job, lambda g: g["lines"] and near(g["lines"][0]["b"], (0.8, 0.3), 3))
    at = [place(page, 0.5, 0.3 + 0.03 * i) for i in range(11)]
    touch = context.new_cdp_session(page)
    before = page.evaluate("scrollY")
    for kind, points in [("touchStart", at[:1]), *(("touchMove", [p]) for p in at[1:]), ("touchEnd", [])]:
        touch.send(
            "Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in points]}
        )

    kept(page, service, job, lambda g: near(g["lines"][0]["a"], (0.2, 0.6), 4))
    assert page.evaluate("scrollY") == before
    context.close()


# --- the panel


def test_points_names_and_directions_are_fields(page, service, job):
    """Nothing needs to be dragged; what cannot be is said in words, and nothing is changed."""
    draw(service, job, [ACROSS, {"name": "other", "a": [0, 0.1], "b": [1, 0.1]}])
    opened(page, service, job)
    row(page, "across").click()
    panel = page.locator("#shapes .open")
    panel.get_by_text("Points in pixels").click()
    panel.get_by_label("Point 1, x in pixels").fill("640")
    panel.get_by_label("Point 1, x in pixels").press("Enter")
    kept(page, service, job, lambda g: g["lines"][0]["a"] == [0.5, 0.6])
    panel.get_by_label("Name", exact=True).fill("other")
    panel.get_by_label("Name", exact=True).press("Enter")
    expect(panel.get_by_role("alert")).to_contain_text("names of lines and zones must differ")
    panel.get_by_label("Name", exact=True).fill("Main street")
    panel.get_by_label("Name", exact=True).press("Enter")
    panel = page.locator("#shapes .open")
    panel.get_by_label("Name of the direction in").fill("southbound")
    panel.get_by_label("Name of the direction in").press("Enter")
    found = kept(page, service, job, lambda g: g["lines"][0].get("in") == "southbound")["lines"][0]

    assert found["name"] == "Main street"
    expect(row(page, "Main street")).to_contain_text("southbound")
    expect(figures(page, "Main street")).to_have_text(totals(count(service, job, lines=[found]), found))
    panel.get_by_label("Name of the direction out").fill("southbound")
    panel.get_by_label("Name of the direction out").press("Enter")
    expect(panel.get_by_role("alert")).to_contain_text("Both directions are called")
    assert stored(service, job)["lines"][0] == found


def test_a_line_is_reversed_and_deleted(page, service, job):
    """In and out change places; undo brings all back."""
    draw(service, job, [ACROSS])
    opened(page, service, job)
    inwards, outwards = totals(count(service, job, lines=[ACROSS]), ACROSS)
    assert inwards != outwards
    expect(figures(page, "across")).to_have_text([inwards, outwards])
    row(page, "across").click()
    page.locator("#shapes").get_by_role("button", name="Reverse").click()
    expect(figures(page, "across")).to_have_text([outwards, inwards])
    kept(page, service, job, lambda g: g["lines"][0]["a"] == ACROSS["b"])
    page.locator("#shapes").get_by_role("button", name="Delete across").click()
    kept(page, service, job, lambda g: g["lines"] == [])
    press_tool(page, "Undo")
    press_tool(page, "Undo")
    kept(page, service, job, lambda g: g["lines"] == [ACROSS])
    expect(figures(page, "across")).to_have_text([inwards, outwards])


def test_the_table_of_a_line_says_its_classes(page, service, job):
    """By label, in and out."""
    draw(service, job, [ACROSS])
    opened(page, service, job, "?line=across")
    answer = count(service, job, lines=[ACROSS])
    wanted = {}
    for each in answer["counts"]:
        if each["kind"] == "line" and each["count"]:
            own = wanted.setdefault(each["label"], {"in": 0, "out": 0})
            own[each["direction"]] += each["count"]
    rows = page.locator("#shapes .plain tbody tr")
    expect(rows).to_have_count(len(wanted))
    shown = [re.split(r"\s+", text.strip()) for text in rows.all_inner_texts()]

    assert {label: {"in": int(a), "out": int(b)} for label, a, b in shown} == wanted


# --- counting


def random_lines(seed, n=12):
    dice = random.Random(seed)
    return [
        {"name": f"r{i}", "a": [dice.random(), dice.random()], "b": [dice.random(), dice.random()]}
        for i in range(n)
    ]


def test_counts_are_those_of_the_api_and_of_the_command_line_to_the_event(page, service, job, tmp_path):
    """A dozen random lines and a zone, pasted as the file that `sightline count` reads."""
    lines = random_lines(20261129)
    text = json.dumps({"lines": lines, "zones": [ROAD]})
    opened(page, service, job)
    paste(page, text)
    kept(page, service, job, lambda g: len(g["lines"]) == 12)
    answer = count(service, job, lines=lines, zones=[ROAD])
    assert answer["events"] > 40
    for line in lines:
        row_ = page.locator(f'#shapes [data-shape="line {line["name"]}"] b')
        expect(row_).to_have_text(totals(answer, line))
    expect(page.locator("#evidence .panel-head .muted")).to_have_text(str(answer["events"]))
    listed = evidence_rows(page, answer["events"])

    assert [(e["frame"], f"{e['label']} {e['track_id']}", e["name"]) for e in answer["evidence"]] == listed
    file = tmp_path / "lines.json"
    file.write_text(text)
    run = service.data / "objects" / "sightline" / "jobs" / job
    command = [
        sys.executable,
        "-m",
        "sightline",
        "count",
        str(run),
        "--lines",
        str(file),
        "--zones",
        str(file),
    ]
    subprocess.run([*command, "-o", str(tmp_path / "out"), "--quiet"], check=True, timeout=120)
    rows = [*csv.DictReader((tmp_path / "out" / "events.csv").read_text().splitlines())]
    keys = ("kind", "name", "direction", "group", "track_id", "label", "frame")
    assert [[each[key] for key in keys] for each in rows] == [
        [str(e[key]) for key in keys] for e in answer["evidence"]
    ]


def evidence_rows(page, n):
    """Frame, object and line of each row of the evidence, by scrolling through it."""
    found = {}
    listed = page.locator("#evidence .events")
    top = 0
    while len(found) < n and top < 40 * n + 1000:
        listed.evaluate("(el, top) => { el.scrollTop = top; }", top)
        page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        for el in listed.locator(".event").element_handles():
            index = int(el.get_attribute("aria-posinset"))
            cells = el.query_selector_all(":scope > span")
            frame = int(el.get_attribute("title").removeprefix("Frame "))
            found[index] = (frame, cells[1].inner_text().strip(), cells[2].inner_text().strip())
        top += 200
    return [found[index] for index in sorted(found)]


def test_while_a_line_moves_one_question_is_on_the_way_and_the_last_place_is_asked(page, service, job):
    """The number follows the pointer; let go, the answer with its evidence is that of where the line lies."""
    draw(service, job, [ACROSS])
    opened(page, service, job)
    expect(figures(page, "across").first).not_to_have_text("")
    until(page, "window.sightline.player.state.values.counts !== null")
    under_way, most, quick, whole = set(), [0], [], []

    def begins(request):
        if "/counts" not in request.url or "bins" in json.loads(request.post_data):
            return
        (quick if "evidence=false" in request.url else whole).append(
            json.loads(request.post_data)["lines"][0]["a"]
        )
        under_way.add(request)
        most[0] = max(most[0], len(under_way))

    for name in ("requestfinished", "requestfailed"):
        page.on(name, lambda request: under_way.discard(request))
    page.on("request", begins)
    page.mouse.move(*place(page, 0.5, 0.61))
    page.mouse.down()
    for step in range(1, 21):
        page.mouse.move(*place(page, 0.5, 0.61 - step * 0.01))
        page.wait_for_timeout(15)
    until(
        page,
        "() => { const { preview, shapes } = window.sightline.player.state.values; return preview !== null && shapes[0].a[1] < 0.41; }",
    )
    expect(page.locator("#shapes b").first).to_be_visible()
    assert whole == []
    assert len(quick) >= 2
    assert most[0] == 1
    end = time.monotonic() + 30
    while not near(quick[-1], (0.1, 0.4)):
        assert time.monotonic() < end
        page.wait_for_timeout(20)
    page.mouse.up()
    until(page, "window.sightline.player.state.values.preview === null")

    line = value(page, "shapes")[0]
    assert whole[-1] == line["a"]
    answer = count(service, job, lines=[{key: line[key] for key in ("name", "a", "b")}])
    expect(figures(page, "across")).to_have_text(totals(answer, line))
    assert [e["id"] for e in value(page, "counts")["evidence"]] == [e["id"] for e in answer["evidence"]]


def test_filters_are_part_of_the_question_and_say_themselves(page, service, job):
    """Class chips, least confidence, least hits: the service's answer, with the filter beside it; one class stays."""
    draw(service, job, [ACROSS])
    opened(page, service, job)
    chips = page.locator("#filters .chip")
    labels = chips.all_inner_texts()
    chips.filter(has_text="person").click()
    others = [label for label in labels if label != "person"]
    expect(figures(page, "across")).to_have_text(
        totals(count(service, job, lines=[ACROSS], classes=others), ACROSS)
    )
    expect(page.locator("#shapes .counting")).to_contain_text("without person")
    page.get_by_label("Least confidence").fill("0.8")
    question = {"lines": [ACROSS], "classes": others, "min_confidence": 0.8}
    expect(figures(page, "across")).to_have_text(totals(count(service, job, **question), ACROSS))
    expect(page.locator("#shapes .counting")).to_contain_text("confidence 0.80 or more")
    page.locator("#filters").get_by_role("button", name="Reset").click()
    page.get_by_label("Least hits").fill("60")
    page.get_by_label("Least hits").press("Enter")
    expect(figures(page, "across")).to_have_text(
        totals(count(service, job, lines=[ACROSS], min_hits=60), ACROSS)
    )
    expect(page.locator("#shapes .counting")).to_contain_text("60 frames or more")
    for chip in chips.all():
        chip.click()

    assert [chip.get_attribute("aria-pressed") for chip in chips.all()] == ["false"] * (len(labels) - 1) + [
        "true"
    ]


def test_what_is_typed_stays_when_the_overview_comes(page, service, job):
    """A slow service answers while somebody types."""
    draw(service, job, [ACROSS])
    opened(page, service, job)
    page.get_by_label("Least hits").fill("60")

    page.evaluate(
        "() => { const { state } = window.sightline.player; state.set({ overview: { ...state.values.overview } }); }"
    )

    expect(page.get_by_label("Least hits")).to_have_value("60")


def test_lines_of_a_job_that_runs_are_kept_and_counted_when_it_is_ready(page, service, street):
    """Drawn while it runs; the numbers come by themselves."""
    job_id = sent(service, "later", street)
    service.until(lambda: service.json(f"/api/v1/jobs/{job_id}")["sampled"] > 0)
    opened(page, service, job_id)
    assert service.json(f"/api/v1/jobs/{job_id}")["state"] == "processing"
    press_tool(page, "Line")
    drag(page, (0.1, 0.6), (0.9, 0.62))
    expect(page.locator("#shapes .counting")).to_contain_text("Numbers come when the job is ready")
    line = kept(page, service, job_id, lambda g: g["lines"])["lines"][0]
    service.until(lambda: service.json(f"/api/v1/jobs/{job_id}")["state"] == "ready")

    expect(figures(page, "Line 1")).to_have_text(
        totals(count(service, job_id, lines=[line]), line), timeout=30_000
    )


def test_a_number_that_is_not_of_these_lines_is_not_shown(page, service, job):
    """Where the service does not answer, it is said, numbers vanish, and come again by themselves."""
    draw(service, job, [ACROSS])
    opened(page, service, job)
    expect(figures(page, "across")).to_have_count(2)
    page.route("**/counts*", lambda route: route.abort())
    drag(page, (0.5, 0.61), (0.5, 0.41))
    expect(page.locator("#shapes .counting")).to_contain_text("Not counted: The service does not answer")
    expect(figures(page, "across")).to_have_count(0)
    page.unroute("**/counts*")

    line = kept(page, service, job, lambda g: near(g["lines"][0]["a"], (0.1, 0.4)))["lines"][0]
    expect(figures(page, "across")).to_have_text(
        totals(count(service, job, lines=[line]), line), timeout=15_000
    )


# --- evidence


def test_a_click_on_evidence_stops_at_its_frame_and_chooses_the_track(page, service, job):
    """The place is ringed; the row that the video has reached is marked; keys go through the list."""
    draw(service, job, [ACROSS])
    opened(page, service, job)
    events = count(service, job, lines=[ACROSS])["evidence"]
    page.evaluate("window.sightline.player.ring = (x, y) => { window.ringed = [x, y]; }")
    page.locator("#evidence .event").nth(2).click()
    until(page, SHOWS, events[2]["frame"])

    assert value(page, "track") == {key: events[2][key] for key in ("group", "track_id")}
    assert page.evaluate("window.ringed") == [events[2]["x"], events[2]["y"]]
    shown = page.evaluate("window.sightline.presented().boxes")
    assert any(
        box["track_id"] == events[2]["track_id"] and box["group"] == events[2]["group"] for box in shown
    )
    listed = page.get_by_role("listbox", name="Counted events")
    listed.focus()
    page.keyboard.press("ArrowDown")
    until(page, SHOWS, events[3]["frame"])
    assert value(page, "event")["id"] == events[3]["id"]
    expect(page.locator(f"#{listed.get_attribute('aria-activedescendant')}")).to_contain_text(
        str(events[3]["track_id"])
    )
    page.evaluate("us => window.sightline.player.seekUs(us)", events[5]["pts_us"])
    expect(page.locator("#evidence .event[aria-current]")).to_have_attribute("aria-posinset", "6")


def test_evidence_is_filtered_by_line_and_direction(page, service, job):
    """By the names that the directions have."""
    named = {**ACROSS, "in": "southbound", "out": "northbound"}
    draw(service, job, [named], [ROAD])
    opened(page, service, job)
    answer = count(service, job, lines=[named], zones=[ROAD])
    shown = page.locator("#evidence .panel-head .muted")
    expect(shown).to_have_text(str(answer["events"]))
    page.locator("#evidence").get_by_label("Line or zone").select_option("across")
    expect(shown).to_have_text(str(sum(e["name"] == "across" for e in answer["evidence"])))
    page.locator("#evidence").get_by_label("Direction").select_option("northbound")
    expect(shown).to_have_text(str(sum(e["direction"] == "northbound" for e in answer["evidence"])))
    page.locator("#evidence").get_by_label("Line or zone").select_option("road")
    page.locator("#evidence").get_by_label("Direction").select_option("Leaves")
    expect(shown).to_have_text(str(sum(e["kind"] == "zone_exit" for e in answer["evidence"])))


def test_twenty_thousand_rows_of_evidence_are_no_more_than_those_in_sight(page, service, job):
    """From the first row to the last by a key, without a row too many."""
    draw(service, job, [ACROSS])

    def many(route):
        answer = route.fetch()
        body = answer.json()
        event = body["evidence"][0]
        rows = [event | {"id": f"{i:032x}", "pts_us": i * 1000, "track_id": i} for i in range(20_000)]
        route.fulfill(response=answer, json=body | {"evidence": rows, "events": len(rows)})

    page.route("**/api/v1/jobs/*/counts", many)
    opened(page, service, job)
    listed = page.get_by_role("listbox", name="Counted events")
    expect(page.locator("#evidence .panel-head .muted")).to_have_text("20,000")
    listed.focus()
    times = []
    for key, index in (("End", "20000"), ("PageUp", None), ("Home", "1")):
        took = page.evaluate(
            """key => {
                const began = performance.now();
                document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
                return performance.now() - began;
            }""",
            key,
        )
        times.append(took)
        active = page.locator(f"#{listed.get_attribute('aria-activedescendant')}")
        expect(active).to_be_in_viewport()
        if index is not None:
            expect(active).to_have_attribute("aria-posinset", index)
        assert page.locator("#evidence .event").count() < 60
    assert min(times) < 100  # the others may have waited for a processor


# --- keeping


def test_two_tabs_that_draw_are_told_of_each_other(page, service, job):
    """The second save is refused; theirs or mine is a choice, and undo brings the other one back."""
    first = opened(page, service, job)
    second = opened(page.context.new_page(), service, job)
    for tab, y in ((first, 0.3), (second, 0.7)):
        press_tool(tab, "Line")
        drag(tab, (0.1, y), (0.9, y))
        if tab is first:
            kept(first, service, job, lambda g: len(g["lines"]) == 1)
    notice = second.locator(".lines-notice")
    expect(notice).to_contain_text("Somebody else has drawn on this job meanwhile")
    assert near(stored(service, job)["lines"][0]["a"], (0.1, 0.3))
    notice.get_by_role("button", name="Take theirs").click()
    expect(notice.locator(".notice")).to_have_count(0)
    assert near(value(second, "shapes")[0]["a"], (0.1, 0.3))
    second.keyboard.press("Control+z")
    kept(second, service, job, lambda g: near(g["lines"][0]["a"], (0.1, 0.7)))
    drag(first, (0.5, 0.3), (0.5, 0.5))
    first.locator(".lines-notice").get_by_role("button", name="Keep mine").click()
    kept(first, service, job, lambda g: near(g["lines"][0]["a"], (0.1, 0.5)))


def test_a_save_that_fails_is_said_beside_the_panel_and_tried_again(page, service, job):
    """What is drawn stays, and is kept as soon as the service answers."""
    opened(page, service, job)
    page.route(
        "**/geometry", lambda route: route.abort() if route.request.method == "PUT" else route.continue_()
    )
    press_tool(page, "Line")
    drag(page, (0.1, 0.6), (0.9, 0.62))
    notice = page.locator(".lines-notice")
    expect(notice).to_contain_text("Not kept: The service does not answer")
    expect(row(page, "Line 1")).to_be_visible()
    assert stored(service, job)["lines"] == []
    page.unroute("**/geometry")
    notice.get_by_role("button", name="Try now").click()

    kept(page, service, job, lambda g: len(g["lines"]) == 1)


def test_what_was_just_drawn_is_kept_when_the_page_is_left(page, service, job):
    """The save does not wait for its moment of rest."""
    opened(page, service, job)
    press_tool(page, "Line")
    drag(page, (0.1, 0.6), (0.9, 0.62))
    page.goto("about:blank")

    service.until(lambda: len(stored(service, job)["lines"]) == 1)


# --- from elsewhere


def paste(page, text):
    page.locator("#shapes").get_by_role("button", name="JSON").click()
    box = page.get_by_role("dialog", name="Lines and zones as JSON")
    box.get_by_label("Lines and zones as JSON").fill(text)
    box.get_by_role("button", name="Apply").click()
    return box


def test_json_goes_in_and_out_and_what_is_wrong_is_said_in_words(page, service, job, tmp_path):
    """The file that comes out is read by `sightline count`, and goes in again."""
    named = {**ACROSS, "in": "southbound", "out": "northbound"}
    opened(page, service, job)
    box = paste(page, '{"lines": [{"name": "a", "a": [0, 0]}]}')
    expect(box.get_by_role("alert")).to_contain_text("Line 1 has no “b”")
    expect(box).to_be_visible()
    assert stored(service, job)["lines"] == []
    page.keyboard.press("Escape")
    paste(page, json.dumps([named, ROAD]))
    kept(page, service, job, lambda g: g["lines"] == [named] and g["zones"] == [ROAD])
    page.locator("#shapes").get_by_role("button", name="JSON").click()
    with page.expect_download() as download:
        box.get_by_role("button", name="Download").click()
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)

    assert json.loads(file.read_text()) == {"lines": [named], "zones": [ROAD]}
    draw(service, job)
    opened(page, service, job)
    page.locator("#shapes").get_by_role("button", name="JSON").click()
    box.locator("input[type=file]").set_input_files(file)
    kept(page, service, job, lambda g: g["lines"] == [named] and g["zones"] == [ROAD])


def test_lines_are_copied_from_another_job(page, service, job, street):
    """Found by name, those with the same picture first; undo brings back what was here."""
    other = sent(service, "the-one-with-lines", street)
    service.until(lambda: service.json(f"/api/v1/jobs/{other}")["sampled"] > 0)
    draw(service, other, [{**ACROSS, "name": "of the other"}], [ROAD])
    draw(service, job, [ACROSS])
    opened(page, service, job)
    page.locator("#shapes").get_by_role("button", name="Copy from another job").click()
    box = page.get_by_role("dialog", name="Copy lines from another job")
    expect(box).to_contain_text("undo brings them back")
    box.get_by_label("Name of the job").fill("one-WITH")
    expect(box.locator("li")).to_have_count(1)
    expect(box.locator("li")).to_contain_text("same picture")
    box.get_by_role("button", name="Copy from the-one-with-lines").click()
    found = kept(page, service, job, lambda g: g["lines"][0]["name"] == "of the other")
    assert found["zones"] == [ROAD]
    expect(row(page, "of the other")).to_be_visible()
    page.keyboard.press("Control+z")
    kept(page, service, job, lambda g: g["lines"] == [ACROSS] and g["zones"] == [])
    service.ask("DELETE", f"/api/v1/jobs/{other}")


# --- access


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_every_state_of_the_lines_is_accessible(page, service, job, scheme, size):
    """Rows open, tools in use, dialogs open, errors said; nothing is wider than the screen."""
    page.set_viewport_size(size)
    page.emulate_media(color_scheme=scheme)
    draw(service, job, [{**ACROSS, "in": "southbound on Main Street"}], [ROAD])
    opened(page, service, job)
    expect(figures(page, "across").first).to_be_visible()
    row(page, "across").click()
    page.locator("#shapes .open summary").click()
    page.locator("#evidence .event").first.click()
    check(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    press_tool(page, "Zone")
    check(page)
    page.keyboard.press("Escape")
    paste(page, "{")
    check(page)
    page.keyboard.press("Escape")
    page.locator("#shapes").get_by_role("button", name="Copy from another job").click()
    expect(page.get_by_role("dialog")).to_contain_text(re.compile("same picture|No other job"))
    check(page)


def test_the_clip_is_there(street):
    """What the numbers above are about."""
    assert Path(street).stat().st_size > 1_000_000
