"""Numbers of a job's page: each is what the API and the command line say, for the same run, lines and filter."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
import zipfile

import pytest
from playwright.sync_api import expect

from tests.browser.axe import check
from tests.browser.conftest import NARROW, WIDE, address
from tests.browser.counted import LINES, ZONES, ask, counted, draw, opened, rows, until
from tests.serving.service import OURS

INTERVALS, MOVEMENTS, SPEEDS = "#intervals tbody tr", "#movements tbody tr", "#speeds tbody tr"
ARMS = [
    {"name": "west", "a": [0.3, 0.7], "b": [0.3, 0.3]},
    {"name": "east", "a": [0.7, 0.3], "b": [0.7, 0.7]},
]
# What lies beside the panel that it belongs to, and is not reached by scrolling in it.
BESIDE = """() => [...document.querySelectorAll(".panel")].flatMap((panel) => {
  const edge = panel.getBoundingClientRect().right + 1;
  const inside = [...panel.querySelectorAll("*")].filter((el) => !el.closest(".scroll table, .picture, svg"));
  return inside.filter((el) => el.getBoundingClientRect().right > edge).map((el) => `${panel.id} ${el.outerHTML.slice(0, 80)}`);
})"""
NOW = "() => window.sightline.presented().pts_us"


@pytest.fixture(scope="module")
def job(service, street):
    """The bundled clip, counted."""
    return counted(service, street)


@pytest.fixture
def job_page(page, service, job):
    """Its page."""
    return opened(page, service, job)


def _counted_by_command(service, job, folder, *more):
    """`counts.csv` of `sightline count` for the stored run."""
    run = service.data / "objects" / "sightline" / "jobs" / job
    drawn = folder / "drawn.json"
    drawn.write_text(json.dumps({"lines": LINES, "zones": ZONES}))
    shapes = ("--lines", str(drawn), "--zones", str(drawn))
    command = [
        sys.executable,
        "-m",
        "sightline",
        "count",
        str(run),
        *shapes,
        *more,
        "-o",
        str(folder / "c.csv"),
    ]
    kept = {name: value for name, value in os.environ.items() if name not in OURS}
    subprocess.run(command, check=True, capture_output=True, timeout=120, env=kept)
    return list(csv.DictReader(io.StringIO((folder / "c.csv").read_text())))


def test_unique_objects_are_those_of_the_command_line(job_page, service, job, tmp_path):
    """A row a class; a group is the sum of its classes; the rule stands below in words."""
    by_label = {}
    for row in _counted_by_command(service, job, tmp_path):
        if row["kind"] == "unique":
            by_label[row["label"]] = int(row["count"])
    expect(job_page.locator("#counts-panel")).to_contain_text("matched in 8 frames or more")
    shown = {cells[0].lower(): int(cells[1]) for cells in rows(job_page, "#counts-panel tbody tr")}

    assert {label: shown[label] for label in by_label} == by_label
    assert shown["cars"] == sum(by_label[label] for label in ("car", "van", "truck"))
    assert "all classes" in job_page.locator("#counts-panel [data-filter]").inner_text()


def test_in_view_is_what_is_drawn_now(job_page):
    """It follows the picture."""
    job_page.evaluate("window.sightline.player.seekUs(8000000)")
    until(job_page, f"() => ({NOW})() === 8000000 && window.sightline.settled()")
    boxes = job_page.evaluate("window.sightline.presented().boxes.map(box => box.group)")
    shown = {cells[0].lower(): int(cells[2]) for cells in rows(job_page, "#counts-panel tbody tr")}

    assert boxes
    assert (shown["cars"], shown["people"]) == (boxes.count("cars"), boxes.count("people"))


def test_a_peak_leads_to_its_moment(job_page, service, job):
    """There are as many in the picture as it says."""
    until(job_page, "() => Boolean(window.sightline.player.state.values.overview)")
    (cars,) = (
        each
        for each in service.json(f"/api/v1/jobs/{job}/overview?bins=10")["groups"]
        if each["group"] == "cars"
    )
    job_page.locator("#counts-panel [data-count=cars] button").click()

    until(job_page, f"() => ({NOW})() === {cars['peak_pts_us']} && window.sightline.settled()")
    assert (
        job_page.evaluate("window.sightline.presented().boxes.filter(box => box.group === 'cars').length")
        == cars["peak"]
    )


def test_intervals_are_those_of_the_api_and_of_the_command_line(job_page, service, job, tmp_path):
    """By line, direction and class; zeros are written."""
    job_page.get_by_label("Length of an interval", exact=True).select_option("5")
    expect(job_page.locator(INTERVALS)).to_have_count(5 * 6)
    heads = job_page.locator("#intervals thead th").all_inner_texts()
    shown = {}
    for start, _end, where, direction, *numbers in rows(job_page, INTERVALS):
        for label, number in zip(heads[4:-1], numbers[:-1], strict=True):
            shown[start, where, direction, label] = int(number)
        assert int(numbers[-1]) == sum(map(int, numbers[:-1]))

    words = {"zone_enter": "entered", "zone_exit": "left"}
    told = {
        (row["start_time"][:8], row["name"], words.get(row["kind"], row["direction"]), row["label"]): int(
            row["count"]
        )
        for row in _counted_by_command(service, job, tmp_path, "--bins", "5s")
        if row["kind"] != "unique"
    }
    asked = ask(service, job, "counts", {"lines": LINES, "zones": ZONES, "bins": "5s"})["counts"]
    answered = {
        (row["start_time"][:8], row["name"], words.get(row["kind"], row["direction"]), row["label"]): row[
            "count"
        ]
        for row in asked
        if row["kind"] != "unique"
    }
    assert shown == told == answered
    assert sum(shown.values()) > 0


def test_a_long_table_builds_the_rows_that_are_seen(job_page):
    """All of them can be reached, and a screen reader is told how many there are."""
    job_page.get_by_label("Length of an interval", exact=True).select_option("1")
    until(
        job_page, "() => document.querySelector('#intervals table').ariaRowCount === String(25 * 6 + 1 + 6)"
    )
    assert job_page.locator(f"{INTERVALS}:not(.space)").count() < 25 * 6
    region = job_page.locator("#intervals .scroll")
    region.evaluate("el => { el.scrollTop = el.scrollHeight }")

    expect(job_page.locator(f"{INTERVALS}:not(.space)").last).to_contain_text("00:00:24")
    region.evaluate("el => { el.scrollTop = 0 }")
    expect(job_page.locator(f"{INTERVALS}:not(.space)").first).to_contain_text("00:00:00")


def test_the_csv_is_exactly_what_is_shown(job_page):
    """Of the chosen line alone, with the filter and the rule before its head."""
    job_page.get_by_label("Length of an interval", exact=True).select_option("15")
    job_page.get_by_label("Line or zone of the table").select_option("top")
    job_page.locator("#filters [data-label=truck]").click()
    expect(job_page.locator(INTERVALS)).to_have_count(2 * 2)
    expect(job_page.locator("#intervals thead")).not_to_contain_text("truck")
    with job_page.expect_download() as got:
        job_page.locator("#intervals").get_by_role("button", name="CSV").click()
    text = got.value.path().read_text()
    notes = [line for line in text.splitlines() if line.lstrip('"').startswith("#")]
    head, *body = csv.reader(text.splitlines()[len(notes) :])

    assert got.value.suggested_filename.endswith("-15s.csv")
    assert any("without truck" in note for note in notes)
    assert any("An object counts once" in note for note in notes)
    assert head[5:] == ["where", "direction", "car", "van", "person", "total"]
    shown = [cells[2:] for cells in rows(job_page, INTERVALS)] + [
        cells[1:] for cells in rows(job_page, "#intervals tfoot tr")
    ]
    assert [row[5:] for row in body] == shown


def test_new_numbers_do_not_take_the_chart_from_under_a_click(job_page):
    """Counts of a job that runs come all the time; a press that they interrupt still seeks."""
    job_page.locator("#chart").scroll_into_view_if_needed()
    over = job_page.locator("#chart .u-over")
    over.wait_for()
    box = over.bounding_box()
    job_page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + box["height"] / 2)
    job_page.mouse.down()
    job_page.evaluate("""() => {
      const { state } = sightline.player;
      state.set({ counts: { ...state.values.counts } });
    }""")
    job_page.mouse.up()

    until(job_page, f"() => Math.abs(({NOW})() - 15000000) < 200000")


def test_a_click_on_the_chart_seeks_and_the_table_says_the_same(job_page, service, job):
    """The chart is a picture of its table; both lead to the moment."""
    job_page.locator("#chart").scroll_into_view_if_needed()
    over = job_page.locator("#chart .u-over")
    over.wait_for()
    box = over.bounding_box()
    over.click(position={"x": box["width"] * 0.6, "y": box["height"] / 2})
    until(job_page, f"() => Math.abs(({NOW})() - 15000000) < 200000")
    now = job_page.locator("#chart .chart-now").bounding_box()
    assert abs(now["x"] - box["x"] - box["width"] * 0.6) < 6

    job_page.locator("#chart-as-table").click()
    job_page.get_by_label("Length of an interval of the chart").select_option("5")
    expect(job_page.locator("#chart tbody tr")).to_have_count(5)
    events = ask(service, job, "counts", {"lines": LINES, "zones": ZONES})["evidence"]
    across = [
        sum(event["name"] == "across" and event["pts_us"] // 5_000_000 == bin for event in events)
        for bin in range(5)
    ]
    assert [int(cells[2]) for cells in rows(job_page, "#chart tbody tr")] == across

    job_page.locator("#chart tbody button").nth(2).click()
    until(job_page, f"() => ({NOW})() === 10000000")


def test_the_chart_of_what_was_in_view_has_the_peak(job_page, service, job):
    """The most of all intervals is the most at once."""
    groups = {
        each["group"]: each["peak"] for each in service.json(f"/api/v1/jobs/{job}/overview?bins=10")["groups"]
    }
    job_page.locator("#chart-as-table").click()
    job_page.get_by_label("What the chart shows").select_option("view")
    expect(job_page.locator("#chart thead")).to_contain_text("cars")
    shown = rows(job_page, "#chart tbody tr")

    assert [max(int(cells[i]) for cells in shown) for i in (2, 3)] == [groups["cars"], groups["people"]]


def test_the_clock_is_set_in_words_and_everything_follows(job_page, service, job):
    """A wrong one is said, a right one is kept by the service."""
    job_page.locator("#clock-start").click()
    field = job_page.get_by_label("Time of the first frame")
    field.fill("2026-11-21 07:59:50")
    field.press("Enter")
    expect(job_page.locator("#clock-wrong")).to_contain_text("Add the offset")
    field.fill("2026-11-21 07:59:50 +1")
    field.press("Enter")

    expect(job_page.locator("#clock-start")).to_have_text("Begins 2026-11-21 07:59:50 +01:00")
    assert service.json(f"/api/v1/jobs/{job}")["clock_start"] == "2026-11-21T07:59:50+01:00"
    expect(job_page.locator(INTERVALS)).to_have_count(2 * 6)
    shown = rows(job_page, INTERVALS)
    assert [shown[0][0], shown[0][1], shown[6][0]] == ["07:45", "08:00 (0:10 of it filmed)", "08:00"]

    job_page.locator("#clock-start").click()
    job_page.get_by_role("button", name="No clock").click()
    expect(job_page.locator(INTERVALS)).to_have_count(6)
    assert service.json(f"/api/v1/jobs/{job}")["clock_start"] is None


def test_turning_movements_are_those_of_the_api(page, service, job):
    """From, to and turn; what is heavy can be chosen; both files are what is shown."""
    draw(service, job, ARMS)
    try:
        opened(page, service, job)
        body = {"lines": ARMS, "bins": "15m", "heavy": ["truck"]}
        said = ask(service, job, "movements", body)
        assert said["movements"], "the clip has nobody that crosses both lines"
        expect(page.locator(MOVEMENTS)).to_have_count(1)
        (cells,) = rows(page, MOVEMENTS)
        totals = [each["count"] for each in said["totals"]]

        assert sorted(map(int, cells[2:-1])) == sorted(totals)
        assert int(cells[-1]) == sum(totals)
        assert said["incomplete"] == {"entered_only": 0, "left_only": 0}
        expect(page.locator("#movements [data-filter]")).to_contain_text("Every object that crossed")
        page.locator("#movements").get_by_label("car").check()
        heavier = ask(service, job, "movements", body | {"heavy": ["car", "truck"]})["totals"]
        share = sum(each["heavy"] for each in heavier) / sum(each["count"] for each in heavier)
        expect(page.locator("#movements tfoot tr:last-child td:last-child")).to_have_text(
            f"{share * 100:.1f} %"
        )
        for name, holds in (
            ("CSV", lambda blob: b"west" in blob),
            ("Spreadsheet", lambda blob: zipfile.is_zipfile(io.BytesIO(blob))),
        ):
            with page.expect_download() as got:
                page.locator("#movements").get_by_role("button", name=name).click()
            assert holds(got.value.path().read_bytes()), name
    finally:
        draw(service, job, LINES, ZONES)


PLANE = [[0.1, 0.37], [0.9, 0.36], [0.9, 0.62], [0.1, 0.63]]


def test_directions_and_speeds_are_those_of_the_api(page, service, job):
    """A rose a group; a zone of four corners tells metres once its sides are known, and stays chosen."""
    draw(service, job, LINES, [{"name": "road", "points": PLANE}])
    try:
        opened(page, service, job)
        panel = page.locator("#speeds")
        panel.scroll_into_view_if_needed()
        said = ask(service, job, "speeds", {"objects": False})
        roses = {row["group"]: row["rose"] for row in said["groups"]}
        expect(panel.locator("figure")).to_have_count(2)
        for group, rose in roses.items():
            words = ", ".join(f"{name} {count}" for name, count in rose.items() if count)
            expect(panel.get_by_role("img", name=f"{group}: {words}", exact=True)).to_be_visible()
        assert [int(cells[2]) for cells in rows(page, SPEEDS)[:2]] == [
            sum(r.values()) for r in roses.values()
        ]
        check(page)

        panel.get_by_label("Zone that tells metres").select_option("road")
        for corners, metres in (("1 to 2", 58), ("2 to 3", 10.5), ("3 to 4", 58), ("4 to 1", 10.5)):
            panel.get_by_label(f"Metres, corner {corners}").fill(str(metres))
            panel.get_by_label(f"Metres, corner {corners}").blur()
        expect(panel.locator("thead")).to_contain_text("km/h")
        plane = {"points": PLANE, "sides": [58, 10.5, 58, 10.5]}
        measured = ask(service, job, "speeds", {"plane": plane, "objects": False})
        expected = [*measured["groups"], *measured["lines"]]
        assert any(row["median_kmh"] for row in expected)
        assert [cells[4] for cells in rows(page, SPEEDS)] == [
            "unknown" if row["median_kmh"] is None else f"{row['median_kmh']:.1f}" for row in expected
        ]
        with page.expect_download() as got:
            panel.get_by_role("button", name="CSV").click()
        table = list(csv.DictReader(got.value.path().read_text().splitlines()))
        assert len(table) == sum(row["objects"] for row in measured["groups"])
        assert sum(row["speed_kmh"] != "" for row in table) == sum(
            row["measured"] for row in measured["groups"]
        )

        opened(page, service, job)
        panel.scroll_into_view_if_needed()
        expect(panel.locator("thead")).to_contain_text("km/h")
        panel.get_by_label("Metres, corner 3 to 4").fill("20")
        panel.get_by_label("Metres, corner 3 to 4").blur()
        expect(panel.get_by_role("alert")).to_contain_text("measure the diagonal")
        panel.get_by_label("Zone that tells metres").select_option("None")
        expect(panel.locator("thead")).not_to_contain_text("km/h")
    finally:
        draw(service, job, LINES, ZONES)


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_names_as_long_as_they_may_be_leave_every_number_in_sight(page, service, job, size):
    """Names of a hundred characters are cut; buttons and numbers stay in their panel, and the whole name is a title."""
    names = [letter * 100 for letter in "wez"]
    lines = [
        {**ARMS[0], "name": names[0], "in": "i" * 100, "out": "o" * 100},
        {**ARMS[1], "name": names[1]},
    ]
    draw(service, job, lines, [{"name": names[2], "points": ZONES[0]["points"]}])
    page.set_viewport_size(size)
    opened(page, service, job)
    expect(page.locator(INTERVALS).first).to_be_attached()
    expect(page.locator(MOVEMENTS).first).to_be_attached()
    page.locator(".shape-row").first.click()
    expect(page.locator(".shape-detail")).to_be_visible()

    assert page.evaluate(BESIDE) == []
    assert page.evaluate("document.documentElement.scrollWidth") == size["width"]
    assert page.locator("#intervals .named").first.get_attribute("title") in names
    heights = [
        row.evaluate("el => el.getBoundingClientRect().height") for row in page.locator(".totals").all()
    ]
    assert max(heights[1:]) < 24  # one line of text
    draw(service, job, LINES, ZONES)


def test_a_job_without_lines_says_what_a_turning_table_needs(page, service, job):
    """And the table of intervals counts unique objects."""
    draw(service, job, [])
    try:
        opened(page, service, job)
        expect(page.locator("#movements [data-filter]")).to_contain_text("in points towards it")
        expect(page.locator(INTERVALS)).to_have_count(1)
        assert rows(page, INTERVALS)[0][2:] == ["whole picture", "first seen", "12", "5", "2", "26", "45"]
    finally:
        draw(service, job, LINES, ZONES)


def test_a_job_without_tracks_says_so_where_its_numbers_would_be(page, service, street):
    """Of the pipeline that detects alone; its files are there."""
    headers = {"Content-Type": "video/mp4"}
    status, body = service.ask("POST", "/api/v1/jobs?pipeline=detect", street.read_bytes(), headers=headers)
    assert status == 202, body
    job_id = json.loads(body)["job_id"]
    service.until(lambda: service.json(f"/api/v1/jobs/{job_id}")["state"] == "ready")
    page.goto(address(service, f"/jobs/{job_id}"))

    for panel in ("#counts-panel", "#intervals", "#movements", "#speeds", "#audit"):
        expect(page.locator(panel)).to_contain_text("has no tracks")
    page.locator("#downloads").scroll_into_view_if_needed()
    expect(page.locator("#downloads-panel [data-file=csv]")).to_be_visible()
    check(page)


def test_every_download_works(job_page, service):
    """Published or made when it is asked for; the command that is copied names the same."""
    job_page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    job_page.locator("#downloads").scroll_into_view_if_needed()
    expect(job_page.locator("#downloads-panel [data-file=video]")).to_be_visible()
    links = job_page.locator("#downloads-panel a").evaluate_all(
        "els => els.map(el => el.getAttribute('href'))"
    )

    assert len(links) > 15
    assert {link: service.get(link)[0] for link in links if not link.endswith("/video")} == dict.fromkeys(
        (link for link in links if not link.endswith("/video")), 200
    )
    with job_page.expect_download() as got:
        job_page.locator('#downloads-panel [data-file="summary.json"] a').click()
    assert json.loads(got.value.path().read_text())["rule"]["min_hits"] == 8
    job_page.locator('#downloads-panel [data-file="csv"] button').click()
    until(job_page, "async () => (await navigator.clipboard.readText()).includes('/results/csv')")


def test_the_account_names_every_frame_and_the_hash(job_page, service, job):
    """What the manifest says."""
    job_page.locator("#account-title").scroll_into_view_if_needed()
    account = job_page.locator("#account")
    expect(account).to_contain_text("625 frames, 625 sampled: 625 looked at, 0 failed, 0 skipped")
    expect(account).to_contain_text("sightline-tiny")
    expect(account).to_contain_text(service.json(f"/api/v1/jobs/{job}")["result"]["sha256"])


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", ["wide", "narrow"])
def test_numbers_keep_the_rules_of_access(job_page, scheme, size):
    """In both themes, on a desk and on a phone, where nothing is wider than the screen."""
    job_page.emulate_media(color_scheme=scheme)
    if size == "narrow":
        job_page.set_viewport_size(NARROW)
    job_page.locator("#account-title").scroll_into_view_if_needed()
    expect(job_page.locator("#downloads-panel [data-file=video]")).to_be_visible()
    expect(job_page.locator(INTERVALS)).to_have_count(6)
    check(job_page)

    assert job_page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
