"""The audit: said by keyboard, kept by the service, and told beside the counts."""

from __future__ import annotations

import itertools
import json

import pytest
from playwright.sync_api import expect

from tests.browser.axe import check
from tests.browser.counted import LINES, ZONES, ask, counted, draw, opened, rows, until


@pytest.fixture(scope="module")
def job(service, street):
    """The bundled clip, counted."""
    return counted(service, street)


@pytest.fixture
def audited(page, service, job):
    """Its page, without any verdict."""
    audit = service.json(f"/api/v1/jobs/{job}/verdicts")
    for event in (*audit["events"], *audit["missed"], *audit["stale"]):
        if event["said"]:
            ask(service, job, "verdicts", {"verdict": "withdraw", "event": event["id"]})
    draw(service, job, LINES, ZONES)
    opened(page, service, job)
    expect(page.locator("#audit-open")).to_be_enabled()
    return page


def _begin(page, name="across"):
    """Open the audit of a line, by keyboard."""
    page.get_by_label("Line or zone to audit").select_option(name)
    page.locator("#audit-open").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".audit-place")).to_contain_text("Event 1 of")


def _said(service, job, name="across"):
    """What was said of the events of a line, in their order."""
    return [
        each["said"]
        for each in service.json(f"/api/v1/jobs/{job}/verdicts")["events"]
        if each["name"] == name
    ]


def test_events_are_judged_by_keyboard_and_kept(audited, service, job):
    """Accept, reject, next, previous; a reload begins with what nobody has looked at."""
    _begin(audited)
    keys = audited.keyboard
    keys.press("a")
    expect(audited.locator(".audit-place")).to_contain_text("Event 2 of")
    keys.press("x")
    keys.press("n")
    expect(audited.locator(".audit-place")).to_contain_text("Event 4 of")
    keys.press("p")
    expect(audited.locator(".audit-place")).to_contain_text("Event 3 of")
    keys.press("x")
    service.until(lambda: _said(service, job)[:4] == ["accepted", "rejected", "rejected", None])
    total = len(_said(service, job))
    expect(audited.locator("#audit-progress")).to_have_text(f"3 of {total} looked at")

    opened(audited, service, job)
    _reopen(audited)
    expect(audited.locator(".audit-place")).to_have_text(f"Event 4 of {total}")
    expect(audited.locator("#audit-progress")).to_have_text(f"3 of {total} looked at")
    keys.press("p")
    expect(audited.locator(".audit-said")).to_contain_text("rejected")


def _reopen(page):
    page.get_by_label("Line or zone to audit").select_option("across")
    expect(page.locator("#audit-open")).to_be_enabled()
    page.locator("#audit-open").focus()
    page.keyboard.press("Enter")


def test_the_picture_and_what_is_asked_of_it_are_seen_together(audited):
    """Wherever the page was scrolled to when the audit began."""
    audited.locator("#audit-open").scroll_into_view_if_needed()
    audited.locator("#audit-open").click()
    expect(audited.locator(".audit-place")).to_contain_text("Event 1 of")
    audited.get_by_role("button", name="Reject", exact=True).press("x")

    expect(audited.locator("#picture")).to_be_in_viewport(ratio=1)
    for name in ("Accept", "Reject", "Add a missed one"):
        expect(audited.get_by_role("button", name=name, exact=True)).to_be_in_viewport(ratio=1)
    table = audited.locator("#audit .scroll")
    assert table.evaluate("el => el.scrollWidth <= el.clientWidth"), "columns are cut off"


def test_an_event_is_shown_in_a_loop_around_it(audited):
    """1.5 s, again and again; its track is the chosen one."""
    _begin(audited)
    event = audited.evaluate(
        "(({pts_us, track_id}) => ({pts_us, track_id}))(window.sightline.player.state.values.event)"
    )
    seen = [audited.evaluate("window.sightline.presented().pts_us")]
    until(audited, f"() => window.sightline.presented().pts_us < {event['pts_us']}")
    for _ in range(40):
        audited.wait_for_timeout(100)
        seen.append(audited.evaluate("window.sightline.presented().pts_us"))

    inside = [pts for pts in seen[1:] if event["pts_us"] - 850_000 <= pts <= event["pts_us"] + 850_000]
    assert len(inside) >= len(seen) - 2
    assert any(later < earlier for earlier, later in itertools.pairwise(inside))
    assert audited.evaluate("window.sightline.player.state.values.track.track_id") == event["track_id"]


def test_the_keys_mean_nothing_to_a_closed_audit(audited, service, job):
    """p draws a zone then, and a says nothing."""
    audited.locator("body").press("a")
    audited.locator("body").press("p")
    audited.wait_for_timeout(300)

    assert audited.evaluate("window.sightline.player.state.values.tool") == "zone"
    assert set(_said(service, job)) == {None}


def test_verified_and_error_are_those_of_the_api(audited, service, job):
    """By class, by 15 minutes; the counts say them too."""
    _begin(audited)
    for key in "axa":
        audited.keyboard.press(key)
    service.until(lambda: sum(said is not None for said in _said(service, job)) == 3)
    told = [row for row in service.json(f"/api/v1/jobs/{job}/verdicts")["counts"] if row["name"] == "across"]
    expect(audited.locator("#audit tfoot td").first).to_have_text(str(sum(row["raw"] for row in told)))
    expect(audited.locator("#audit tfoot td").nth(2)).to_have_text("1")
    figures = ("raw", "open", "rejected", "missed", "verified")
    shown = rows(audited, "#audit tbody tr")

    assert shown == [
        [f"{row['direction']}, {row['label']}", *(str(row[name]) for name in figures), _percent(row["error"])]
        for row in told
    ]
    raw, verified = sum(row["raw"] for row in told), sum(row["verified"] for row in told)
    audited.get_by_label("Rows of the table").select_option("bin")
    expect(audited.locator("#audit tbody tr")).to_have_count(2)
    assert rows(audited, "#audit tfoot tr")[0][-2:] == [str(verified), _percent((raw - verified) / verified)]
    line = audited.locator("#shapes [data-shape]", has_text="across")
    signed = audited.locator("#counts-panel .signed li")
    for direction in {row["direction"] for row in told if row["open"] < row["raw"]}:
        own = [row for row in told if row["direction"] == direction]
        words = f"{sum(row['raw'] for row in own)}, verified {sum(row['verified'] for row in own)}"
        expect(signed.filter(has_text=f"across, {direction}")).to_contain_text(words)
        expect(line).to_contain_text(f"{words}{direction}")


def _percent(error):
    if error is None:
        return "none to compare"
    text = f"{abs(error) * 100:.1f}"
    return "0.0 %" if text == "0.0" else f"{'+' if error > 0 else chr(0x2212)}{text} %"


def test_a_missed_one_is_added_by_a_click_on_the_picture(audited, service, job):
    """Frame and place are those of the click; it counts as verified, and can be taken back."""
    _begin(audited)
    audited.locator("#missed").click()
    audited.evaluate("window.sightline.player.seekUs(12000000)")
    until(audited, "() => window.sightline.presented().pts_us === 12000000")
    audited.locator("#missed-way").select_option(label="out")
    audited.locator("#missed-label").select_option("van")
    audited.locator("#overlay").scroll_into_view_if_needed()
    box = audited.locator("#overlay").bounding_box()
    audited.mouse.click(box["x"] + box["width"] * 0.25, box["y"] + box["height"] * 0.5)
    expect(audited.locator("#audit-missed")).to_contain_text("1 missed one added")
    (missed,) = service.json(f"/api/v1/jobs/{job}/verdicts")["missed"]

    assert [missed[key] for key in ("name", "direction", "label", "frame")] == ["across", "out", "van", 300]
    assert abs(missed["x"] - 320) < 3
    assert abs(missed["y"] - 360) < 3
    expect(audited.locator("#audit tfoot td").nth(3)).to_have_text("1")
    audited.locator("#audit-missed").get_by_role("button", name="Take back").click()
    expect(audited.locator("#audit-missed")).to_be_hidden()
    service.until(lambda: service.json(f"/api/v1/jobs/{job}/verdicts")["missed"] == [])


def test_a_verdict_that_was_not_written_is_said_and_repeated(audited, service, job):
    """Nothing is lost where the service does not answer."""
    _begin(audited)
    audited.route(
        "**/verdicts",
        lambda route: route.abort() if route.request.method == "POST" else route.continue_(),
    )
    audited.keyboard.press("x")
    expect(audited.locator("#audit .trouble:visible")).to_contain_text("Rejected")
    assert _said(service, job)[0] is None

    audited.unroute("**/verdicts")
    audited.locator("#audit .trouble:visible").get_by_role("button", name="Try again").click()
    expect(audited.locator("#audit .trouble:visible")).to_have_count(0)
    service.until(lambda: _said(service, job)[0] == "rejected")


def test_verdicts_of_a_line_that_moved_are_stale_and_said(audited, service, job):
    """They are listed and count nothing."""
    _begin(audited)
    audited.keyboard.press("a")
    service.until(lambda: _said(service, job)[0] == "accepted")
    draw(service, job, [{**LINES[0], "a": [0.55, 0.0]}, LINES[1]], ZONES)
    opened(audited, service, job)
    expect(audited.locator("#audit")).to_contain_text("1 verdict on lines as they were before is kept")
    _reopen(audited)

    expect(audited.locator("#audit-stale summary")).to_have_text("1 verdict on lines as they were before")
    expect(audited.locator("#audit-progress")).to_contain_text("0 of")


def test_doubtful_ones_come_first_where_it_is_asked_for(audited, service, job):
    """Those whose track the summary doubts."""
    _begin(audited)
    summary = json.loads(service.get(f"/api/v1/jobs/{job}/results/summary.json")[1])
    doubtful = {(each["group"], each["id"]) for each in summary["objects"] if each["doubts"]}
    events = [e for e in service.json(f"/api/v1/jobs/{job}/verdicts")["events"] if e["name"] == "across"]
    order = sorted(events, key=lambda e: (e["group"], e["track_id"]) not in doubtful)
    audited.get_by_label("Order of the events").select_option("doubtful")
    first = order[0]

    expect(audited.locator(".audit-facts")).to_contain_text(
        f"{first['label']} {first['track_id']}, {first['direction']}"
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_audit_keeps_the_rules_of_access(audited, scheme):
    """Open, with the form for missed ones, and with what was said."""
    audited.emulate_media(color_scheme=scheme)
    _begin(audited)
    audited.keyboard.press("x")
    audited.locator("#missed").click()
    check(audited)
