"""Lines and zones on the page of a job whose camera moves: on every frame where the road is, as `render` draws them."""

from __future__ import annotations

import csv
import json
import math
import subprocess
import sys

import numpy as np
import pytest
from playwright.sync_api import expect

from sightline.adapters.drawing.overlays import Look, Overlay, on_frame
from sightline.formats.geometry_json import read_lines, read_zones
from sightline.runs.opened import open_run
from sightline.runs.place import in_folder
from tests.browser.panned import FRAMES, PANNED, SIZE, corner, pan
from tests.browser.test_lines import (
    count,
    drag,
    draw,
    figures,
    kept,
    opened,
    place,
    press_tool,
    row,
    sent,
    totals,
    until,
)

LINE = {"name": "road", "a": [0.4, 0.45], "b": [0.55, 0.6], "frame": 40}
FIRST = {"name": "first", "a": [0.5, 0.1], "b": [0.5, 0.95]}
ZONE = {"name": "yard", "points": [[0.45, 0.35], [0.6, 0.4], [0.5, 0.55]], "frame": 100}
SEEN = (0, 40, 100, 130)
LOST = 165


@pytest.fixture(scope="module")
def panned(service, street, tmp_path_factory):
    """A job of the clip that is ready, and its run."""
    clip = pan(street, tmp_path_factory.mktemp("panned") / "panned.mp4")
    job_id = sent(service, "panned", clip)
    service.until(lambda: service.json(f"/api/v1/jobs/{job_id}")["state"] == "ready")
    return job_id, open_run(in_folder(folder(service, job_id)))


@pytest.fixture
def job(service, panned):
    """The same, nothing drawn."""
    draw(service, panned[0])
    return panned[0]


@pytest.fixture
def ground(panned):
    """What its camera looked at."""
    return panned[1].ground


def folder(service, job_id):
    return service.data / "objects" / "sightline" / "jobs" / job_id


def show(page, frame):
    """The frame on the screen, with lines and zones alone over it."""
    page.evaluate("state => window.sightline.player.state.set(state)", {"show": {"zones": True}})
    page.evaluate("frame => window.sightline.player.seekRow(frame)", frame)
    until(page, "frame => window.sightline.presented()?.frame === frame", frame)


def handles(page):
    """Where the points of the chosen shape are held, pixels of the source, float64 (N, 2)."""
    found = page.locator("#handles button").evaluate_all(
        "els => els.map(({ style }) => [style.left, style.top].map(v => Number.parseFloat(v) / window.sightline.player.scale))"
    )
    return np.array(found).reshape(-1, 2)


def ink(page, shape):
    """How far beside the first side of a shape, a quarter along it, its stroke is painted, pixels of the source; None: nowhere."""
    (ax, ay), (bx, by) = shape[:2]
    side = math.hypot(bx - ax, by - ay)
    at, across = (ax + (bx - ax) / 4, ay + (by - ay) / 4), (-(by - ay) / side, (bx - ax) / side)
    return page.evaluate(
        """([[x, y], [dx, dy]]) => {
            const { canvas, scale } = window.sightline.player;
            const pen = canvas.getContext("2d");
            const ratio = devicePixelRatio;
            let [sum, all] = [0, 0];
            for (let off = -10; off <= 10; off += 0.25) {
                const [px, py] = [x * scale + dx * off, y * scale + dy * off].map(v => Math.floor(v * ratio));
                if (pen.getImageData(px, py, 1, 1).data[3] > 60) [sum, all] = [sum + off, all + 1]; // less is a zone's inside
            }
            return all ? sum / all / scale : null;
        }""",
        [at, across],
    )


def inked(page, top):
    """Whether anything is painted over the picture below `top` CSS pixels."""
    return page.evaluate(
        """top => {
            const { canvas } = window.sightline.player;
            const { data } = canvas.getContext("2d").getImageData(0, top, canvas.width, canvas.height - top);
            return data.some((value, at) => at % 4 === 3 && value > 0);
        }""",
        top,
    )


def rendered(ground, drawn, frame):
    """What `render` draws on a frame: points of each shape that it shows."""
    text = json.dumps(drawn)
    look = Look(read_lines(text, "test"), read_zones(text, "test"))
    return [
        np.array(shape.points)
        for shape in on_frame(Overlay(marks=look.names), look, SIZE, ground, frame).shapes
    ]


@pytest.mark.parametrize(("drawn", "name"), [({"lines": [LINE]}, "road"), ({"zones": [ZONE]}, "yard")])
def test_what_was_drawn_on_one_frame_is_where_the_road_is_on_others(page, service, job, ground, drawn, name):
    """To a pixel where `render` has it, handles and paint; and where the street of the clip is, as far as that is known."""
    draw(service, job, **drawn)
    opened(page, service, job)
    row(page, name).click()
    (origin,) = rendered(ground, drawn, LINE["frame"] if name == "road" else ZONE["frame"])
    (home,) = (corner(each["frame"]) for kind in drawn.values() for each in kind)

    for frame in SEEN:
        show(page, frame)
        (expected,) = rendered(ground, drawn, frame)

        assert np.abs(handles(page) - expected).max() < 1, frame
        assert abs(ink(page, expected)) < 1, frame
        assert np.abs(expected - (origin + home - np.array(corner(frame)))).max() < 8, frame


def test_where_it_cannot_be_followed_it_is_hidden_and_said(page, service, job, ground):
    """On the picture, while that is shown, and beside the counts; it is back where it can be followed again."""
    draw(service, job, [LINE], [ZONE])
    opened(page, service, job)
    row(page, "road").click()

    show(page, LOST)
    assert rendered(ground, {"lines": [LINE], "zones": [ZONE]}, LOST) == []
    assert (inked(page, 0), inked(page, 30), len(handles(page))) == (True, False, 0)
    expect(page.locator("#shapes .unplaced")).to_have_text(
        "Not followed from 0:06.00 to 0:07.00: road, yard."
    )

    show(page, 40)
    assert (len(handles(page)), inked(page, 30)) == (2, True)


def test_counts_of_a_camera_that_moves_are_those_of_the_command_line_to_the_event(
    page, service, job, ground, tmp_path
):
    """Numbers of the page, evidence of the service, and where nothing was looked for."""
    drawn = {"lines": [FIRST, LINE], "zones": [ZONE]}
    draw(service, job, **drawn)
    opened(page, service, job)
    answer = count(service, job, **drawn)
    for line in drawn["lines"]:
        expect(figures(page, line["name"])).to_have_text(totals(answer, line))
    file = tmp_path / "lines.json"
    file.write_text(json.dumps(drawn))
    command = [sys.executable, "-m", "sightline", "count", str(folder(service, job)), "--quiet"]
    for out in ("tables", "counts.json"):
        each = ["--lines", str(file), "--zones", str(file), "-o", str(tmp_path / out)]
        subprocess.run([*command, *each], check=True, timeout=120)

    rows = [*csv.DictReader((tmp_path / "tables" / "events.csv").read_text().splitlines())]
    keys = ("kind", "name", "direction", "group", "track_id", "label", "frame")
    assert [[each[key] for key in keys] for each in rows] == [
        [str(e[key]) for key in keys] for e in answer["evidence"]
    ]
    assert len(rows) > 5
    (whole,) = json.loads((tmp_path / "counts.json").read_text())["runs"]
    assert answer["unplaced"] == [{**each, "video_id": answer["video_id"]} for each in whole["unplaced"]]
    assert [each["frame"] for each in answer["unplaced"]] == [PANNED]


def test_what_is_drawn_and_changed_is_stored_with_the_frame_that_is_shown(page, service, job, ground):
    """A new line, a handle that is dragged on another frame; its other end stays on the road. The first frame needs no number."""
    opened(page, service, job)
    show(page, 80)
    press_tool(page, "Line")
    drag(page, (0.4, 0.5), (0.6, 0.55))
    (new,) = kept(page, service, job, lambda now: len(now["lines"]) == 1)["lines"]
    assert new["frame"] == 80
    assert np.abs(np.array([new["a"], new["b"]]) - [(0.4, 0.5), (0.6, 0.55)]).max() < 0.002

    show(page, 120)
    (seen,) = rendered(ground, {"lines": [new]}, 120)
    drag(page, seen[0] / SIZE, (0.5, 0.7))
    (moved,) = kept(page, service, job, lambda now: now["lines"][0]["frame"] == 120)["lines"]
    assert np.abs(np.array(moved["a"]) - (0.5, 0.7)).max() < 0.002
    assert np.abs(np.array(moved["b"]) * SIZE - seen[1]).max() < 1
    assert np.abs(handles(page) - rendered(ground, {"lines": [moved]}, 120)[0]).max() < 1

    show(page, 0)
    page.locator("#handles button").nth(0).focus()
    page.keyboard.press("ArrowRight")
    kept(page, service, job, lambda now: "frame" not in now["lines"][0])

    page.keyboard.press("Control+z")
    kept(page, service, job, lambda now: now["lines"] == [moved])


def test_a_zone_whose_corners_are_set_on_different_frames_lies_on_the_road(page, service, job, ground):
    """What is drawn already goes along with the road."""
    corners = [(0.4, 0.4), (0.6, 0.42), (0.5, 0.6)]
    opened(page, service, job)
    show(page, 60)
    press_tool(page, "Zone")
    for x, y in corners[:2]:
        page.mouse.click(*place(page, x, y))
    show(page, 75)
    page.mouse.click(*place(page, *corners[2]))
    page.locator("#overlay").press("Enter")

    (zone,) = kept(page, service, job, lambda now: len(now["zones"]) == 1)["zones"]
    on_60 = {"zones": [{"name": "z", "points": [*corners[:2], (0.5, 0.5)], "frame": 60}]}
    (expected,) = rendered(ground, on_60, 75)
    assert zone["frame"] == 75
    assert np.abs(np.array(zone["points"][:2]) * SIZE - expected[:2]).max() < 2
    assert np.abs(np.array(zone["points"][2]) - corners[2]).max() < 0.002


def test_the_clip_pans_and_is_cut(panned):
    """Or the tests above show nothing."""
    ground = panned[1].ground

    assert len(ground.path) == FRAMES
    assert set(ground.path.stretch[:PANNED]) == {0}
    assert 0 not in ground.path.stretch[PANNED:]
    assert np.abs(ground.path.maps[:PANNED, 2:]).max(axis=0).min() > 100
