"""Files on their way from the home page to a job: sent, refused, given up, cut and gone on."""

from __future__ import annotations

import hashlib
import re
import socket
import struct

import pytest
from playwright.sync_api import expect

from tests.browser import axe
from tests.browser.conftest import address
from tests.media import sound_only, video
from tests.serving.service import Service

MIB = 2**20
LONG_MS = 90_000
expect.set_options(timeout=20_000)


def row(page, name):
    """The row of a job or an upload."""
    return page.locator("#list > li").filter(has=page.get_by_role("heading", name=name, exact=True))


def choose(page, *paths):
    """Choose files as a person does, and send them."""
    page.set_input_files("#files", list(paths))
    page.locator(".tray .primary").click()


def padded(path, size):
    """A video with a box behind it that no player reads: a large file that is looked into at once."""
    video(path, 50)
    with path.open("ab") as file:
        file.write(struct.pack(">I4s", size, b"free") + bytes(range(256)) * ((size - 8) // 256))
    return path


def throttle(page, bytes_a_second):
    """Send no faster than this."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    told = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": bytes_a_second}
    session.send("Network.emulateNetworkConditions", told)


class Seen:
    """Requests of uploads, as the browser sent them."""

    def __init__(self, page):
        self.created, self.offsets, self.heads, self.deleted = 0, [], [], 0
        page.on("request", self._asked)
        page.on("response", self._answered)

    def _asked(self, request):
        if "/api/v1/uploads" in request.url:
            self.created += request.method == "POST"
            self.deleted += request.method == "DELETE"
            if request.method == "PATCH":
                self.offsets.append(int(request.headers["upload-offset"]))

    def _answered(self, answer):
        if answer.request.method == "HEAD" and "upload-offset" in answer.headers:
            self.heads.append(int(answer.headers["upload-offset"]))


def job_named(service, name):
    """The job of a name, as the service has it."""
    return next(each for each in service.json("/api/v1/jobs")["items"] if each["name"] == name)


def test_a_file_is_looked_into_sent_and_processed(page, service, tmp_path):
    """From what the browser reads of it to what was counted, with what the service found in between."""
    page.goto(address(service))
    page.set_input_files("#files", str(video(tmp_path / "first.mp4", 60)))

    expect(page.locator(".tray .probe")).to_have_text(re.compile(r"kB, 160×96, 0:02$"))
    axe.check_both(page)
    page.locator(".tray .primary").click()
    expect(row(page, "first.mp4").locator(".probe")).to_have_text(
        re.compile(r"^H\.264, 160×96, 25 fps, 60 frames, 0:02, \d+ kB$")
    )
    expect(row(page, "first.mp4").get_by_role("link", name="Open: first.mp4")).to_be_visible(timeout=LONG_MS)
    expect(row(page, "first.mp4")).to_contain_text("60 frames")
    expect(page.locator(".tray")).to_have_count(0)
    assert page.evaluate("localStorage['sightline.uploads']") == "{}"


def test_name_clock_and_pipeline_are_those_that_were_chosen(page, service, tmp_path):
    """A name of Unicode, a time of the wall in the time zone of the browser."""
    page.goto(address(service))
    page.set_input_files("#files", str(video(tmp_path / "plain.mp4", 10)))
    page.get_by_text("Name and clock", exact=True).click()
    page.get_by_label("Name of the job").fill("Müllerstraße 道")
    page.get_by_label("Clock at its first frame").fill("2026-11-21T08:00:30")
    page.get_by_label("Pipeline").select_option("detect")
    page.locator(".tray .primary").click()

    expect(row(page, "Müllerstraße 道").get_by_role("link").first).to_be_visible(timeout=LONG_MS)
    job = job_named(service, "Müllerstraße 道")
    assert (job["pipeline"], job["source"]["name"]) == ("detect", "plain.mp4")
    assert job["clock_start"].startswith("2026-11-21T08:00:30")


def test_two_files_are_two_jobs(page, service, tmp_path):
    """Each with what was chosen for it."""
    page.goto(address(service))
    choose(page, str(video(tmp_path / "left.mp4", 12)), str(video(tmp_path / "right.mp4", 14)))

    for name, frames in (("left.mp4", 12), ("right.mp4", 14)):
        expect(row(page, name).locator(".probe")).to_contain_text(f"{frames} frames", timeout=LONG_MS)


def test_a_file_may_be_left_out(page, service, tmp_path):
    """The others are sent."""
    page.goto(address(service))
    page.set_input_files(
        "#files", [str(video(tmp_path / "kept.mp4", 5)), str(video(tmp_path / "left out.mp4", 6))]
    )
    page.get_by_role("button", name="Leave out left out.mp4").click()
    expect(page.get_by_role("button", name="Leave out kept.mp4")).to_be_focused()
    page.locator(".tray .primary").click()

    expect(row(page, "kept.mp4").locator(".probe")).to_contain_text("5 frames", timeout=LONG_MS)
    expect(row(page, "left out.mp4")).to_have_count(0)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("text.mp4", "The file is of no kind that is read here."),
        ("sound.mp4", "The file holds sound, but no picture."),
    ],
)
def test_a_file_that_the_service_refuses_is_said_in_words(page, service, tmp_path, name, said):
    """With what to do; it stays until somebody has read it."""
    path = tmp_path / name
    if name == "sound.mp4":
        sound_only(path)
    else:
        path.write_text("This is no video.\n" * 100)
    page.goto(address(service))
    page.set_input_files("#files", str(path))
    expect(page.locator(".tray .probe")).to_contain_text("browser can")
    page.locator(".tray .primary").click()

    expect(row(page, name)).to_contain_text("Refused", timeout=LONG_MS)
    expect(row(page, name)).to_contain_text(said)
    axe.check_both(page)
    page.get_by_role("button", name=f"Dismiss: {name}").click()
    expect(row(page, name)).to_have_count(0)


def test_what_is_no_video_is_not_sent(page, service, tmp_path):
    """Nothing of it leaves the browser; the video beside it does."""
    (tmp_path / "notes.txt").write_text("notes")
    (tmp_path / "nothing.mp4").touch()
    seen = Seen(page)
    page.goto(address(service))
    page.set_input_files("#files", [str(tmp_path / "notes.txt"), str(tmp_path / "nothing.mp4")])

    expect(page.get_by_role("alert")).to_contain_text("2 files were not taken")
    expect(page.get_by_role("alert")).to_contain_text("notes.txt: It is not a video.")
    expect(page.get_by_role("alert")).to_contain_text("nothing.mp4: The file is empty.")
    expect(page.locator(".tray")).to_have_count(0)
    assert seen.created == 0


def test_files_may_be_dropped_anywhere(page, service, tmp_path):
    """The page says so while they are over it."""
    page.goto(address(service))
    content = list(video(tmp_path / "dropped.mp4", 8).read_bytes())
    data = page.evaluate_handle(
        "bytes => { const data = new DataTransfer();"
        " data.items.add(new File([new Uint8Array(bytes)], 'dropped.mp4', {type: 'video/mp4'})); return data; }",
        content,
    )
    page.dispatch_event("footer, body", "dragenter", {"dataTransfer": data})
    expect(page.get_by_text("Drop to choose")).to_be_visible()
    page.dispatch_event("body", "drop", {"dataTransfer": data})

    expect(page.get_by_text("Drop to choose")).to_have_count(0)
    expect(page.get_by_role("button", name="Leave out dropped.mp4")).to_be_visible()


def test_an_upload_that_is_cancelled_leaves_nothing(page, service, tmp_path):
    """Neither here nor at the service, and the next file may go."""
    seen = Seen(page)
    page.goto(address(service))
    throttle(page, 2 * MIB)
    choose(page, str(padded(tmp_path / "unwanted.mp4", 40 * MIB)))
    expect(row(page, "unwanted.mp4")).to_contain_text("Uploading")
    expect(row(page, "unwanted.mp4").locator(".facts")).to_contain_text(
        re.compile(r"\d+ % of 42 MB.*B/s.*left")
    )
    axe.check_both(page)
    with page.expect_response(
        lambda answer: answer.request.method == "DELETE" and answer.status == 204
    ) as gone:
        page.get_by_role("button", name="Cancel: unwanted.mp4").click()

    expect(row(page, "unwanted.mp4")).to_have_count(0)
    upload = gone.value.url.partition("/api/")[2]
    assert service.ask("HEAD", f"/api/{upload}", headers={"Tus-Resumable": "1.0.0"})[0] == 404
    assert page.evaluate("localStorage['sightline.uploads']") == "{}"
    assert seen.created == 1


def test_after_a_reload_the_same_file_goes_on_where_it_was(page, service, tmp_path):
    """No byte that the service has is sent again; another file is another upload."""
    path = padded(tmp_path / "reloaded.mp4", 40 * MIB)
    seen = Seen(page)
    page.goto(address(service))
    throttle(page, 8 * MIB)
    choose(page, str(path))
    page.wait_for_function("() => parseInt(document.querySelector('.facts b')?.textContent) >= 40")
    page.reload()

    expect(row(page, "reloaded.mp4")).to_contain_text("Unfinished")
    expect(row(page, "reloaded.mp4")).to_contain_text("Choose the same file again")
    axe.check_both(page)
    seen.offsets.clear()
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose file: reloaded.mp4").click()
    chooser.value.set_files(str(path))
    expect(row(page, "reloaded.mp4").locator(".probe")).to_contain_text("50 frames", timeout=LONG_MS)
    assert seen.created == 1
    assert seen.offsets[0] == seen.heads[-1] > 8 * MIB
    assert job_named(service, "reloaded.mp4")["source"]["sha256"] == digest(path)


def test_an_upload_that_became_a_job_while_the_page_was_reloaded_is_not_unfinished(page, service, tmp_path):
    """Its last piece had arrived, and the service was still at it when the page asked."""
    path = video(tmp_path / "late.mp4", 6)
    about = {"Tus-Resumable": "1.0.0", "Upload-Length": str(path.stat().st_size)}
    url = page.request.post(address(service, "/api/v1/uploads"), headers=about).headers["location"]
    piece = {
        "Tus-Resumable": "1.0.0",
        "Upload-Offset": "0",
        "Content-Type": "application/offset+octet-stream",
    }
    assert service.ask("PATCH", url, path.read_bytes(), headers=piece)[0] == 204
    asked = []
    page.route("**/api/v1/uploads/*", lambda route: asked.append(route), times=1)
    note = {"url": url, "name": "late.mp4", "size": path.stat().st_size, "options": {}}
    page.goto(address(service))
    page.evaluate(
        "note => localStorage['sightline.uploads'] = JSON.stringify({print: {...note, at: Date.now()}})", note
    )
    page.reload()

    expect(row(page, "late.mp4")).to_contain_text("Unfinished")
    asked[0].fulfill(status=409)
    expect(row(page, "late.mp4")).to_have_count(0)
    assert page.evaluate("localStorage['sightline.uploads']") == "{}"


def test_another_file_is_not_taken_for_the_one_that_was_begun(page, service, tmp_path):
    """Of the same name and size; the upload that was begun can be given up."""
    path = padded(tmp_path / "begun.mp4", 24 * MIB)
    page.goto(address(service))
    throttle(page, 4 * MIB)
    choose(page, str(path))
    page.wait_for_function("() => parseInt(document.querySelector('.facts b')?.textContent) >= 40")
    page.reload()
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose file: begun.mp4").click()
    chooser.value.set_files(str(path))

    expect(page.get_by_role("alert")).to_contain_text("This is not the begun.mp4 that was begun")
    expect(page.get_by_role("button", name="Leave out begun.mp4")).to_be_visible()
    page.get_by_role("button", name="Give up: begun.mp4").click()
    expect(row(page, "begun.mp4")).to_have_count(0)
    page.reload()
    expect(page.locator("#list[aria-busy]")).to_have_count(0)
    expect(row(page, "begun.mp4")).to_have_count(0)


def test_a_kill_of_the_service_in_the_middle_costs_a_pause(page, tmp_path):
    """The page says that it is away, keeps the list, and goes on by itself when the service is there again."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    service = Service(tmp_path / "data", api_port=port).start()
    try:
        path = padded(tmp_path / "killed.mp4", 48 * MIB)
        seen = Seen(page)
        page.goto(address(service))
        choose(page, str(video(tmp_path / "known.mp4", 5)))
        expect(row(page, "known.mp4").get_by_role("link", name="Open: known.mp4")).to_be_visible(
            timeout=LONG_MS
        )
        throttle(page, 8 * MIB)
        choose(page, str(path))
        page.wait_for_function("() => parseInt(document.querySelector('.facts b')?.textContent) >= 40")
        service.kill()

        expect(row(page, "killed.mp4")).to_contain_text("Interrupted")
        expect(row(page, "killed.mp4")).to_contain_text("Goes on by itself")
        expect(page.get_by_role("alert")).to_contain_text("The service does not answer")
        expect(page.locator("#countdown")).to_have_text(re.compile("Next try in|Trying"))
        expect(row(page, "known.mp4")).to_be_visible()
        axe.check_both(page)
        seen.offsets.clear()
        service.start()
        expect(row(page, "killed.mp4").locator(".probe")).to_contain_text("50 frames", timeout=LONG_MS)
        expect(page.get_by_role("alert")).to_have_count(0)
        expect(row(page, "killed.mp4").get_by_role("link", name="Open: killed.mp4")).to_be_visible(
            timeout=LONG_MS
        )
        assert seen.created == 2  # one of each file
        assert seen.offsets[0] == seen.heads[0] > 8 * MIB
        assert job_named(service, "killed.mp4")["source"]["sha256"] == digest(path)
    finally:
        service.stop()


def test_the_demo_clip_is_one_click(page, service):
    """It becomes a job that is called so; the row has the focus."""
    page.goto(address(service))
    page.get_by_role("button", name="Try the demo clip").first.click()

    expect(row(page, "Demo: a street").locator(".probe")).to_contain_text("625 frames", timeout=LONG_MS)
    expect(page.get_by_role("button", name="Cancel: Demo: a street")).to_be_focused()
    page.get_by_role("button", name="Cancel: Demo: a street").click()
    expect(row(page, "Demo: a street")).to_contain_text("Cancelled")


def digest(path):
    """SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
