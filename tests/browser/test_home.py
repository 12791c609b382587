"""The list of jobs: live, filtered, paged, by keyboard, narrow, dark, and what it says where something is not as it should be."""

from __future__ import annotations

import io
import subprocess
import sys

import av
import pytest
from PIL import Image
from playwright.sync_api import expect

from sightline.adapters.sqlite.store import SqliteStore
from sightline.jobs import requests
from sightline.jobs.requests import Found, SourceRef
from sightline.ports import Job
from tests.browser import axe
from tests.browser.conftest import NARROW, address
from tests.browser.pictures import IMAGES, WANTED
from tests.media import video
from tests.serving.service import Service

LONG_MS = 90_000
expect.set_options(timeout=20_000)
ENDED = 260
ROWS = "#list > li[data-key]"


def row(page, name):
    """The row of a job."""
    return page.locator(ROWS).filter(has=page.get_by_role("heading", name=name, exact=True))


def sent(service, path, **fields):
    """A job of a video that came by another way than this page."""
    status, answer = service.upload(path, **fields)
    assert status == 200, answer
    return answer["event_id"]


def added(data, name):
    """A token that may write."""
    command = [
        sys.executable,
        "-m",
        "sightline",
        "tokens",
        "add",
        name,
        "--scope",
        "write",
        "--data",
        str(data),
    ]
    made = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return made.stdout.strip()


def seeded(folder):
    """A data folder with some hundred jobs that have ended: cancelled, and every fourth failed."""
    folder.mkdir()
    store = SqliteStore(folder / "store.sqlite")
    found = Found(frames=250, width=1280, height=720, duration_us=10_000_000, codec="h264")
    for n in range(ENDED):
        job_id = f"00000000-0000-4000-8000-{n:012d}"
        source = SourceRef(
            kind="video", name=f"street {n:03d}.mp4", key=f"gone/{n}", index_key="", bytes=10**6
        )
        request = requests.encode(requests.Request(pipeline="traffic", source=source, found=found))
        assert store.create(Job(job_id, source.name, n * 10**6, state="sent", request=request), [])
        if n % 4:
            store.advance(job_id, "cancelled", reason="it was cancelled")
        else:
            store.advance(job_id, "failed", code="no_frame", reason="not one frame could be decoded")
    store.close()
    return folder


def shortened(street, path, seconds):
    """The beginning of a clip, without encoding it again."""
    with av.open(str(street)) as source, av.open(str(path), "w") as target:
        stream = source.streams.video[0]
        copy = target.add_stream_from_template(stream)
        for packet in source.demux(stream):
            if packet.dts is None or packet.dts * stream.time_base >= seconds:
                break
            packet.stream = copy
            target.mux(packet)
    return path


@pytest.fixture(scope="module")
def crowded(tmp_path_factory):
    """A service that has many jobs."""
    served = Service(seeded(tmp_path_factory.mktemp("crowded") / "data")).start()
    yield served
    served.stop()


def test_before_there_is_anything_the_page_says_what_to_do(page, service):
    """Skeleton, then words."""
    page.route("**/api/v1/events", lambda route: None)
    page.goto(address(service))
    expect(page.locator("#list[aria-busy]")).to_be_visible()
    axe.check_both(page)
    page.unroute("**/api/v1/events")
    page.reload()

    expect(page.get_by_role("heading", name="No jobs yet")).to_be_visible()
    expect(page.locator("#link")).to_have_text("Connected")
    axe.check_both(page)


def test_a_job_that_comes_by_another_way_is_there_at_once(page, service, tmp_path):
    """With its stages while it runs; the title says that one is active."""
    page.goto(address(service))
    expect(page.locator("#link")).to_have_text("Connected")
    sent(service, video(tmp_path / "elsewhere.mp4", 300), pipeline="traffic")

    expect(row(page, "elsewhere.mp4")).to_be_visible()
    expect(page).to_have_title("(1) Jobs · Sightline")
    for stage in ("Feed", "Detect", "Track", "Publish"):
        expect(row(page, "elsewhere.mp4").get_by_label(f"{stage}: elsewhere.mp4")).to_be_visible(
            timeout=LONG_MS
        )
    axe.check_both(page)
    expect(row(page, "elsewhere.mp4")).to_contain_text("Ready", timeout=LONG_MS)
    expect(page).to_have_title("Jobs · Sightline")
    expect(page.get_by_role("button", name="Ready 1")).to_be_visible()
    axe.check_both(page)


def test_a_long_name_ends_in_dots_beside_its_state(page, service, tmp_path):
    """The link is cut, not the name in it: a title says it whole."""
    name = "n" * 250
    clip = video(tmp_path / "short.mp4", 5).read_bytes()
    service.ask("POST", f"/api/v1/jobs?name={name}", clip, headers={"Content-Type": "video/mp4"})
    page.goto(address(service))
    link = row(page, name).locator("h3 a")
    expect(link).to_have_attribute("title", name)

    cut, ending = link.evaluate("a => [a.scrollWidth > a.clientWidth, getComputedStyle(a).textOverflow]")
    assert (cut, ending) == (True, "ellipsis")


def test_a_job_that_is_ready_says_what_was_counted(page, service, street, tmp_path):
    """As many as the overview of its page, and whatever of the source is to be known."""
    clip = shortened(street, tmp_path / "counted.mp4", 3)
    clip.write_bytes(clip.read_bytes() + b"\0\0\1\0mdat")  # a box that is cut off
    job_id = sent(service, clip, pipeline="traffic")
    assert service.result(job_id)["status"] == "ready"
    groups = service.json(f"/api/v1/jobs/{job_id}/overview?bins=1")["groups"]
    job = service.json(f"/api/v1/jobs/{job_id}")
    frames, warnings = job["counts"]["frames"]["total"], job["warnings"]
    page.goto(address(service))

    said = ", ".join(f"{each['unique']} {each['group']}" for each in groups)
    assert any(each["unique"] for each in groups)
    assert warnings
    expect(row(page, "counted.mp4").locator(".facts").first).to_contain_text(said)
    expect(row(page, "counted.mp4").locator(".facts").first).to_contain_text(f"{frames} frames")
    expect(row(page, "counted.mp4").locator(".warn")).to_contain_text(warnings[0]["detail"][-20:])
    axe.check_both(page)


def test_a_pipeline_without_tracks_has_no_bar_for_them(page, service, tmp_path):
    """A job has the stages that it has."""
    page.goto(address(service))
    sent(service, video(tmp_path / "boxes.mp4", 900), pipeline="detect")

    expect(row(page, "boxes.mp4").get_by_label("Detect: boxes.mp4")).to_be_visible(timeout=LONG_MS)
    expect(row(page, "boxes.mp4").get_by_label("Track: boxes.mp4")).to_have_count(0)


def test_cancel_then_retry_then_delete(page, service, street):
    """What is asked for is done and said; the focus stays where the work is."""
    page.goto(address(service))
    sent(service, street, pipeline="traffic")
    page.get_by_role("button", name="Cancel: street.mp4").click()
    expect(row(page, "street.mp4")).to_contain_text("Cancelled")
    expect(page.get_by_role("button", name="Retry: street.mp4")).to_be_focused()
    axe.check_both(page)

    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Cancel: street.mp4")).to_be_focused()
    expect(row(page, "street.mp4")).to_have_count(2)
    page.get_by_role("button", name="Delete: street.mp4").click()
    expect(page.get_by_role("dialog")).to_contain_text("This cannot be undone.")
    expect(page.get_by_role("button", name="Keep it")).to_be_focused()
    axe.check_both(page)
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(row(page, "street.mp4")).to_have_count(2)
    page.get_by_role("button", name="Delete: street.mp4").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(row(page, "street.mp4")).to_have_count(1)
    page.get_by_role("button", name="Cancel: street.mp4").click()
    expect(row(page, "street.mp4")).to_contain_text("Cancelled")


def test_a_job_that_is_removed_elsewhere_goes(page, service, tmp_path):
    """Also one that had ended long before."""
    job_id = sent(service, video(tmp_path / "short.mp4", 5), pipeline="detect")
    service.result(job_id)
    page.goto(address(service))
    expect(row(page, "short.mp4")).to_be_visible()
    assert service.ask("DELETE", f"/api/v1/jobs/{job_id}")[0] == 204

    expect(row(page, "short.mp4")).to_have_count(0)


def test_a_job_whose_manifest_is_damaged_says_so(page, service, tmp_path):
    """And what to do; the rest of the list goes on."""
    job_id = sent(service, video(tmp_path / "hurt.mp4", 5))
    service.result(job_id)
    (manifest,) = service.data.glob(f"objects/**/{job_id}/**/run.json")
    manifest.chmod(0o600)
    manifest.write_bytes(b"{")
    page.goto(address(service))

    expect(row(page, "hurt.mp4")).to_contain_text("Ready")
    expect(row(page, "hurt.mp4")).to_contain_text("; run the job again.")


def test_what_changes_elsewhere_takes_neither_focus_nor_place(page, service, tmp_path):
    """Rows are updated, not built anew."""
    page.goto(address(service))
    job_id = sent(service, video(tmp_path / "held.mp4", 5), pipeline="detect")
    service.result(job_id)
    page.get_by_role("link", name="Open: held.mp4").focus()
    page.evaluate("document.activeElement.dataset.mine = 'yes'")
    sent(service, video(tmp_path / "newer.mp4", 6), pipeline="detect")

    expect(row(page, "newer.mp4")).to_contain_text("Ready", timeout=LONG_MS)
    expect(page.get_by_role("link", name="Open: held.mp4")).to_be_focused()
    assert page.evaluate("document.activeElement.dataset.mine") == "yes"


def test_filters_by_state_and_name(page, crowded):
    """Kept in the address; totals of every state beside them."""
    page.goto(address(crowded))
    page.get_by_role("button", name="Failed 65").click()
    expect(row(page, "street 256.mp4")).to_contain_text("Not one frame of the video could be decoded.")
    expect(row(page, "street 255.mp4")).to_have_count(0)
    axe.check_both(page)
    page.get_by_label("Part of a name").fill("24")
    expect(page.locator(ROWS)).to_have_count(6)  # 024, 124, 224, 240, 244, 248

    page.reload()
    expect(page.get_by_role("button", name="Failed 65")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_label("Part of a name")).to_have_value("24")
    page.get_by_label("Part of a name").fill("no such name")
    expect(page.get_by_role("heading", name="No such jobs")).to_be_visible()
    axe.check_both(page)
    page.get_by_role("button", name="Show all").click()
    expect(page.locator(ROWS)).to_have_count(50)
    expect(page).to_have_url(address(crowded))


def test_pages_of_hundreds_of_jobs(page, crowded):
    """Fifty at a time, newest first, each once, to the last one."""
    page.goto(address(crowded))
    expect(page.locator("#summary")).to_have_text("0 active, 50 of 260 shown")
    more = page.get_by_role("button", name="Show more")
    for shown in (100, 150, 200, 250, 260):
        more.click()
        expect(page.locator(ROWS)).to_have_count(shown)

    expect(more).to_be_hidden()
    expect(page.get_by_role("button", name="Retry: street 009.mp4")).to_be_focused()
    names = page.locator(f"{ROWS} h3").all_inner_texts()
    assert names == [f"street {n:03d}.mp4" for n in reversed(range(ENDED))]


def test_a_name_far_back_is_found(page, crowded):
    """Though the first pages have none of it."""
    page.goto(address(crowded) + "?name=street+001")

    expect(row(page, "street 001.mp4")).to_be_visible()
    expect(page.locator(ROWS)).to_have_count(1)


def test_by_keyboard_alone(page, crowded):
    """Skip to the list, through filters, and into a dialog and out of it again."""
    page.goto(address(crowded))
    expect(page.locator(ROWS)).to_have_count(50)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to jobs")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Part of a name")).to_be_focused()
    for _ in range(4):
        page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Failed 65")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("button", name="Failed 65")).to_be_focused()
    expect(page.locator(ROWS).first).to_contain_text("street 256.mp4")  # the list of the failed has come
    for _ in range(2):
        page.keyboard.press("Tab")
    expect(row(page, "street 256.mp4").get_by_role("link")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Retry: street 256.mp4")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Keep it")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Delete: street 256.mp4")).to_be_focused()


def test_files_are_chosen_and_sent_by_keyboard(page, service, tmp_path):
    """The button of the browser, then Enter."""
    page.goto(address(service))
    with page.expect_file_chooser() as chooser:
        page.locator("#files").focus()
        page.keyboard.press("Enter")
    chooser.value.set_files(str(video(tmp_path / "typed.mp4", 5)))
    expect(page.locator(".tray .primary")).to_be_focused()
    page.keyboard.press("Enter")

    expect(row(page, "typed.mp4").get_by_role("link", name="Open: typed.mp4")).to_be_focused(timeout=LONG_MS)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_narrow_and_in_both_themes(page, crowded, tmp_path, theme):
    """At 375 px nothing is cut off and nothing is beside the page; no rule of access is broken."""
    page.set_viewport_size(NARROW)
    page.goto(address(crowded) + f"?theme={theme}")
    expect(page.locator(ROWS)).to_have_count(50)
    page.set_input_files("#files", [str(video(tmp_path / f"{'long name ' * 12}.mp4", 5))])
    page.get_by_text("Name and clock", exact=True).click()
    expect(page.locator(".tray .probe")).to_contain_text("160×96")

    axe.check(page)
    assert page.evaluate("document.documentElement.scrollWidth") == NARROW["width"]
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == theme


def test_the_theme_is_chosen_by_a_button(page, service):
    """Kept for the next time."""
    page.goto(address(service))
    page.get_by_role("button", name="Theme: system").click()
    page.get_by_role("button", name="Theme: light").click()
    page.reload()

    expect(page.get_by_role("button", name="Theme: dark")).to_be_visible()
    axe.check(page)


def test_where_no_more_may_listen_the_list_is_asked_for(page, service, tmp_path):
    """Later, and by itself."""
    full = {"status": 429, "json": {"code": "busy", "detail": "Too many listen already."}}
    page.route("**/api/v1/events", lambda route: route.fulfill(**full))
    page.goto(address(service))
    expect(page.locator("#link")).to_have_text("Connected, asking every 3 s")
    sent(service, video(tmp_path / "asked for.mp4", 5), pipeline="detect")

    expect(row(page, "asked for.mp4")).to_be_visible()


def test_a_service_that_asks_for_a_token(page, tmp_path):
    """The dialog opens by itself; a wrong token is said, the right one is kept for the next visit."""
    token = added(tmp_path / "data", "anna")
    served = Service(tmp_path / "data").start()
    try:
        page.goto(address(served))
        dialog = page.get_by_role("dialog", name="This service asks for a token")
        expect(dialog).to_be_visible()
        axe.check_both(page)
        page.keyboard.press("Escape")
        expect(page.get_by_role("alert")).to_contain_text("This service asks for a token")
        axe.check_both(page)
        page.get_by_role("button", name="Give a token").click()
        page.get_by_role("textbox", name="Token").fill("slt_wrong")
        page.keyboard.press("Enter")
        expect(dialog).to_contain_text("That is no token of this service")
        expect(page.get_by_role("textbox", name="Token")).to_be_focused()
        axe.check_both(page)
        page.get_by_role("textbox", name="Token").fill(token)
        page.keyboard.press("Enter")

        expect(dialog).to_have_count(0)
        expect(page.get_by_role("heading", name="No jobs yet")).to_be_visible()
        expect(page.get_by_role("alert")).to_have_count(0)
        page.reload()
        expect(page.get_by_role("heading", name="No jobs yet")).to_be_visible()
        page.set_input_files("#files", str(video(tmp_path / "hers.mp4", 5)))
        page.locator(".tray .primary").click()
        expect(row(page, "hers.mp4").locator(".probe")).to_contain_text("5 frames", timeout=LONG_MS)
    finally:
        served.stop()


def test_jobs_of_files_that_lie_on_the_server(page, tmp_path):
    """Folder by folder, by keyboard."""
    files = tmp_path / "files"
    (files / "north" / "empty").mkdir(parents=True)
    video(files / "north" / "gate.mp4", 7)
    served = Service(tmp_path / "data", "--files", str(files)).start()
    try:
        page.goto(address(served))
        page.get_by_role("button", name="Videos on the server").click()
        dialog = page.get_by_role("dialog", name="Videos on the server")
        expect(page.get_by_role("button", name="Open folder north")).to_be_focused()
        axe.check_both(page)
        page.keyboard.press("Enter")
        page.get_by_role("button", name="Open folder empty").click()
        expect(dialog).to_contain_text("Nothing that is read here lies in this folder.")
        dialog.get_by_role("button", name="north").click()
        dialog.get_by_role("button", name="Start a job of gate.mp4").click()
        expect(dialog).to_contain_text("gate.mp4 started.")
        axe.check_both(page)
        page.keyboard.press("Escape")

        expect(row(page, "gate.mp4").locator(".probe")).to_contain_text("7 frames")
    finally:
        served.stop()


def test_a_service_without_such_files_offers_none(page, service):
    """The page asks what there is."""
    page.goto(address(service))
    expect(page.locator("#limits")).to_have_text(" Up to 2.1 GB each.")

    expect(page.get_by_role("button", name="Videos on the server")).to_be_hidden()


def test_every_state_that_a_list_mostly_has_keeps_the_rules_of_access(page, street, tmp_path):
    """A file on its way, a job that runs, one that was cancelled, two that are ready: the picture of the documents."""
    served = Service(tmp_path / "data").start()
    try:
        for n, name in enumerate(("junction north 0917.mp4", "junction east 0917.mp4")):
            clip = shortened(street, tmp_path / name, 6 + n)
            served.result(sent(served, clip, pipeline="traffic"))
        page.emulate_media(color_scheme="dark")
        page.goto(address(served))
        sent(served, shortened(street, tmp_path / "plaza, second pass.mp4", 20), pipeline="traffic")
        sent(served, shortened(street, tmp_path / "ring road.mp4", 21), pipeline="traffic")
        page.get_by_role("button", name="Cancel: ring road.mp4").click()
        expect(row(page, "plaza, second pass.mp4").locator(".facts")).to_contain_text("left", timeout=LONG_MS)
        session = page.context.new_cdp_session(page)
        session.send("Network.enable")
        slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 200_000}
        session.send("Network.emulateNetworkConditions", slow)
        page.set_input_files("#files", str(street))
        page.locator(".tray .primary").click()
        expect(row(page, "street.mp4").locator(".facts")).to_contain_text("left")
        page.mouse.move(0, 0)
        page.evaluate("document.activeElement.blur()")
        if WANTED:
            shot = page.screenshot(clip={"x": 0, "y": 0, "width": 1440, "height": 720})
            Image.open(io.BytesIO(shot)).convert("RGB").quantize(128).save(
                IMAGES / "page-home.png", optimize=True
            )
        axe.check(page)
    finally:
        served.stop()
