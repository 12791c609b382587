"""What the worker answers of a finished job of a real video: the bytes that the command line gives of the same run."""

import io
import json
import threading
import time
import zipfile

import av
import numpy as np
import pytest
from PIL import Image

import sightline as sl
from sightline.errors import Misconfigured, NotFound, TooLarge, Unavailable
from sightline.events import Native
from sightline.formats import speeds_json
from sightline.formats.count_bins import parse_bins
from sightline.formats.evidence_json import Verdict
from sightline.formats.plane_json import read_plane
from sightline.jobs import recipe as recipes
from sightline.jobs.audits import geometry_of, put_geometry, say
from sightline.jobs.edits import Edits, edit
from sightline.rendering.frame import Pick, jpeg_of, pick_frame
from sightline.rendering.stored import CLIP_US
from sightline.runs.export import export
from sightline.runs.recount import count_run
from sightline.runs.speeds import measure_runs
from sightline.serving.queries import Queries
from sightline.sources.roots import Roots
from sightline.sources.stored import Places
from tests.media import video
from tests.stored_job import CLOCK, STREET, opened

JOB = "00000000-0000-4000-8000-000000000001"
SEEN = "00000000-0000-4000-8000-000000000002"
LINES = (sl.Line("across", (0.5, 0.0), (0.5, 1.0)), sl.Line("px", (300, 0), (300, 700), unit="px"))
ZONES = (sl.Zone("left", ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))),)
DRAWN = {
    "lines": [
        {"name": "across", "a": [0.5, 0.0], "b": [0.5, 1.0]},
        {"name": "px", "a": [300, 0], "b": [300, 700], "unit": "px"},
    ],
    "zones": [{"name": "left", "points": [[0, 0], [0.5, 0], [0.5, 1], [0, 1]]}],
}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A job that has counted the street, and one that has only seen something."""
    made = opened(tmp_path_factory.mktemp("data"))
    made.add(JOB)
    made.add(SEEN, video(made.root / "short.mp4", 40), "detect")
    made.work(JOB, SEEN)
    assert {made.store.get(job_id).state for job_id in (JOB, SEEN)} == {"ready"}
    yield made
    made.store.close()


@pytest.fixture
def asked(world, tmp_path):
    return Queries(world.store, world.store.notes, Places(world.objects, Roots({})), tmp_path)


def whole(answer):
    """The body, which has as many bytes as the head says."""
    head, chunks = answer
    body = b"".join(chunks)
    assert head.get("bytes", len(body)) == len(body)
    return body


def folder(world, job_id=JOB):
    return world.root / "objects/sightline/jobs" / job_id


# --- files and records


@pytest.mark.parametrize("name", ["csv", "mot", "coco", "visdrone", "yolo", "ndjson", "json-b", "csv-a"])
def test_a_format_is_the_one_that_convert_writes(world, asked, tmp_path, name):
    """File by file; several are an archive without a clock."""
    expected = {path: b"".join(chunks) for path, chunks in export(folder(world), name)}

    head, _ = first = asked.export(JOB, name)
    body = whole(first)

    if len(expected) == 1:
        assert {head["path"]: body} == expected
    else:
        with zipfile.ZipFile(io.BytesIO(body)) as packed:
            assert {each: packed.read(each) for each in packed.namelist()} == expected
            assert {each.date_time for each in packed.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert whole(asked.export(JOB, name)) == body
    assert [*tmp_path.iterdir()] == []


def test_boxes_are_given_as_seen_from_a_frame(world, asked):
    """A camera that stands still sees them where they are; other formats have none that lie beside the picture."""
    assert whole(asked.export(JOB, "csv", 30)) == whole(asked.export(JOB, "csv"))
    with pytest.raises(Misconfigured, match="none of the 625 sampled ones"):
        asked.export(JOB, "csv", 9999)
    with pytest.raises(Misconfigured, match="csv, mot, ndjson, parquet"):
        asked.export(JOB, "coco", 30)


def test_tracks_by_time_are_lines_of_the_file(world, asked):
    """Of the seconds that were asked for."""
    lines = whole(asked.export(JOB, "ndjson")).splitlines(keepends=True)

    got = whole(asked.records(JOB, "tracks", 10_000_000, 12_000_000, []))

    assert got.splitlines(keepends=True) == lines[2 * 250 : 2 * 300]


def test_what_was_only_seen_has_detections(asked):
    """And no tracks."""
    lines = whole(asked.records(SEEN, "detections", 0, None, [])).splitlines()

    assert [Native().decode(line).frame for line in lines] == list(range(0, 40, 5))
    with pytest.raises(Misconfigured, match="has detections and no tracks"):
        asked.records(SEEN, "tracks", 0, None, [])
    with pytest.raises(Misconfigured):
        asked.count(SEEN, None, None, {}, "json")


# --- counts


@pytest.mark.parametrize("bins", [None, "15m", "10s"])
def test_counts_are_those_of_the_command(world, asked, tmp_path, bins):
    """Tables byte for byte, JSON number for number; on the clock of the job."""
    out = tmp_path / "out"
    count_run(folder(world), LINES, ZONES, bin_us=None if bins is None else parse_bins(bins), out=out)
    text = json.dumps(DRAWN)

    tables = {name: whole(asked.count(JOB, text, bins, {}, name)) for name in ("counts", "events")}
    answer = json.loads(whole(asked.count(JOB, text, bins, {}, "json")))

    assert tables["counts"] == (out / "counts.csv").read_bytes()
    assert tables["events"] == (out / "events.csv").read_bytes()
    assert CLOCK[:16].encode() in tables["counts"]
    assert answer["events"] == len(answer["evidence"]) == tables["events"].count(b"\n") - 1 > 20
    assert sum(row["count"] for row in answer["counts"] if row["kind"] != "unique") == answer["events"]
    assert answer["clock_start"] == CLOCK


def test_occupancy_has_the_visits_of_the_table(asked):
    """Its peak is there in the picture: so many objects have entered and not left, without those that ended."""
    answer = json.loads(whole(asked.count(JOB, json.dumps(DRAWN), None, {}, "json")))
    (zone,) = answer["occupancy"]
    before = [event for event in answer["evidence"] if event["frame"] <= zone["peak_frame"]]
    inside = [event["kind"] for event in before if event["name"] == "left"]

    assert zone["name"] == "left"
    for word, kind in (("entered", "zone_enter"), ("left", "zone_exit")):
        assert zone[word] == sum(row["count"] for row in answer["counts"] if row["kind"] == kind) > 0
    assert 0 < zone["peak"] <= inside.count("zone_enter") - inside.count("zone_exit")


PLANE = {
    "points": [[128, 265], [1152, 257], [1152, 443], [128, 451]],
    "unit": "px",
    "sides": [58, 10.5, 58, 10.5],
}


def test_speeds_are_those_of_the_command_line(world, asked):
    """By a plane and at lines, on the clock that people say."""
    measured = measure_runs([folder(world)], read_plane(json.dumps(PLANE), "p"), lambda _: [(LINES, ())])[0]
    expected = speeds_json.plain(measured.measured)

    answer = json.loads(
        whole(asked.speeds(JOB, json.dumps(DRAWN), json.dumps(PLANE), {}, None, True, "json"))
    )

    for name in ("groups", "lines"):
        assert answer[name] == expected[name]
    assert [each["speed_kmh"] for each in answer["objects"]] == [
        each["speed_kmh"] for each in expected["objects"]
    ]
    assert len(answer["crossings"]) == len(expected["crossings"]) > 0
    assert answer["objects"][0]["start_time"].startswith(CLOCK[:10])
    assert answer["unplaced"] == []


def test_speeds_of_some_objects_are_theirs(asked):
    """The filter of counts; a table has a row each, and who wants none gets none."""
    cars = {"classes": ["car"]}
    every = json.loads(whole(asked.speeds(JOB, None, None, {}, None, True, "json")))

    some = json.loads(whole(asked.speeds(JOB, None, None, cars, None, True, "json")))
    brief = json.loads(whole(asked.speeds(JOB, None, None, cars, None, False, "json")))
    table = whole(asked.speeds(JOB, None, None, cars, None, False, "csv")).decode().splitlines()

    assert some["objects"] == [each for each in every["objects"] if each["label"] == "car"]
    assert brief == some | {"objects": [], "crossings": []}
    assert len(table) == 1 + len(some["objects"])
    assert [sum(row["rose"].values()) > 0 for row in some["groups"]] == [True, False]


def test_too_many_objects_are_refused_before_they_are_listed(world, tmp_path):
    """How many went where is always to be had."""
    few = Queries(world.store, world.store.notes, Places(world.objects, Roots({})), tmp_path, most_rows=5)

    with pytest.raises(TooLarge, match="choose classes"):
        few.speeds(JOB, None, None, {}, None, True, "json")
    assert json.loads(whole(few.speeds(JOB, None, None, {}, None, False, "json")))["groups"]


def test_movements_are_made_of_the_crossings(asked):
    """From the left edge to the middle and out: each pair of crossings of one object, in every form."""
    lines = [
        {"name": "first", "a": [0.4, 1], "b": [0.4, 0]},
        {"name": "second", "a": [0.6, 0], "b": [0.6, 1]},
    ]
    text = json.dumps({"lines": lines})
    crossed = json.loads(whole(asked.count(JOB, text, None, {}, "json")))["evidence"]
    ways = {}
    for event in crossed:
        ways.setdefault((event["group"], event["track_id"]), []).append((event["name"], event["direction"]))
    made = [way for way in ways.values() if [direction for _, direction in way] == ["in", "out"]]

    answer = json.loads(whole(asked.movements(JOB, text, "10s", {}, ["truck"], "json")))
    table = whole(asked.movements(JOB, text, "10s", {}, ["truck"], "csv")).decode().splitlines()
    sheet = whole(asked.movements(JOB, text, "10s", {}, ["truck"], "xlsx"))

    counted = {(each["from"], each["to"]): each["count"] for each in answer["totals"]}
    assert counted == {way: [(a, b) for (a, _), (b, _) in made].count(way) for way in counted}
    assert sum(counted.values()) == len(made) > 0
    assert sum(row["count"] for row in answer["rows"]) == len(made)
    assert len(table) == len(answer["rows"]) + 1
    assert sheet[:2] == b"PK"
    assert (answer["peak"], answer["bins"], answer["clock_start"]) == (None, "10s", CLOCK)
    with pytest.raises(Misconfigured, match="there is no 'third'"):
        asked.movements(JOB, text, "10s", {}, [], "json", ["third"])


def test_evidence_is_where_it_happened(asked):
    """Each event of the line lies on it, in the frame that its track crosses in."""
    answer = json.loads(whole(asked.count(JOB, json.dumps(DRAWN), None, {}, "json")))
    crossed = [event for event in answer["evidence"] if event["name"] == "across"]

    assert {event["x"] for event in crossed} == {640.0}
    for event in crossed[:5]:
        at = event["pts_us"]
        record = Native().decode(whole(asked.records(JOB, "tracks", at, at + 1, [event["group"]])))
        assert (record.frame, event["track_id"] in record.tracks.track_id) == (event["frame"], True)


@pytest.mark.parametrize(
    "which",
    [{"classes": ["person"]}, {"classes": ["cars"]}, {"min_hits": 150}, {"min_confidence": 0.9}],
    ids=str,
)
def test_filters_leave_less(asked, which):
    """The answer names its filter."""
    every = json.loads(whole(asked.count(JOB, json.dumps(DRAWN), None, {}, "json")))
    some = json.loads(whole(asked.count(JOB, json.dumps(DRAWN), None, which, "json")))

    unique = [
        sum(row["count"] for row in each["counts"] if row["kind"] == "unique") for each in (every, some)
    ]
    assert 0 < unique[1] < unique[0]
    assert {each["id"] for each in some["evidence"]} < {each["id"] for each in every["evidence"]}
    assert some["filter"] == which


def test_a_clock_that_is_set_later_moves_the_bins(world, asked):
    """And nothing else."""
    before = json.loads(whole(asked.count(JOB, None, "15m", {}, "json")))
    edit(world.store.notes, JOB, Edits(clock_start="2026-11-21T09:59:50+01:00"))
    try:
        after = json.loads(whole(asked.count(JOB, None, "15m", {}, "json")))
    finally:
        edit(world.store.notes, JOB, Edits(clock_start=CLOCK))

    times = list(dict.fromkeys(row["start_time"] for row in after["counts"]))
    assert times == ["2026-11-21T09:45:00+01:00", "2026-11-21T10:00:00+01:00"]
    assert sum(row["count"] for row in after["counts"]) == sum(row["count"] for row in before["counts"])


def test_too_many_bins_are_refused_before_they_are_made(world, tmp_path):
    """A table of everything at every moment."""
    asked = Queries(
        world.store, world.store.notes, Places(world.objects, Roots({})), tmp_path, most_rows=20_000
    )
    lines = [{"name": str(n), "a": [n / 200, 0], "b": [n / 200, 1]} for n in range(1, 100)]
    zones = [{**DRAWN["zones"][0], "name": str(n)} for n in range(99)]

    assert whole(asked.count(JOB, json.dumps({"lines": lines[:9]}), "1s", {}, "counts"))
    with pytest.raises(TooLarge, match="choose longer bins"):
        asked.count(JOB, json.dumps({"lines": lines, "zones": zones}), "1s", {}, "counts")


@pytest.fixture
def drawn(world):
    """A line and a zone are drawn for the job."""
    found = geometry_of(world.store.notes, JOB)
    return found if found.revision else put_geometry(world.store.notes, JOB, LINES[:1], ZONES, 0)


def test_lines_of_the_job_are_counted_by_name(drawn, asked):
    """Where none are sent."""
    every = json.loads(whole(asked.count(JOB, None, None, {}, "json")))
    one = json.loads(whole(asked.count(JOB, None, None, {}, "json", ["left"])))

    assert {event["name"] for event in every["evidence"]} == {"across", "left"}
    assert {event["name"] for event in one["evidence"]} == {"left"}
    with pytest.raises(Misconfigured, match="there is no 'north'; there are across, left"):
        asked.count(JOB, None, None, {}, "json", ["north"])


def test_an_audit_joins_events_and_what_was_said(world, drawn, asked):
    """Counts raw and verified."""
    first = json.loads(whole(asked.audit(JOB)))
    event = first["events"][0]
    about = {name: value for name, value in event.items() if name not in ("id", "said", "by", "at")}
    say(world.store.notes, JOB, event["id"], Verdict(said="rejected", event=about, by="anna", at="now"))

    after = json.loads(whole(asked.audit(JOB)))

    assert after["events"][0] == {**event, "said": "rejected", "by": "anna", "at": "now"}
    raw, verified = (sum(row[name] for row in after["counts"]) for name in ("raw", "verified"))
    assert (raw, verified) == (len(first["events"]), len(first["events"]) - 1)
    assert after["stale"] == []


# --- pictures


def decoded(blob):
    with av.open(io.BytesIO(blob)) as file:
        stream = file.streams.video[0]
        return [
            (round(frame.pts * stream.time_base * 1_000_000), frame.to_ndarray(format="rgb24"))
            for frame in file.decode(video=0)
        ]


@pytest.mark.parametrize("frame", [0, 1, 137, 624])
def test_a_frame_is_the_one_that_the_command_shows(asked, frame):
    """Pixel for pixel, as it was filmed."""
    picked = pick_frame(STREET, Pick(frame=frame))

    assert whole(asked.frame(JOB, frame, False, None)) == jpeg_of(picked.image)


@pytest.mark.parametrize("frame", [0, 10, 137, 624])
def test_a_frame_with_what_was_found_is_the_one_of_the_whole_run(world, asked, frame):
    """Though only a second of it was read: boxes, trails, labels by vote, counts so far."""
    picked = pick_frame(folder(world), Pick(frame=frame, source=STREET))

    assert whole(asked.frame(JOB, frame, True, None)) == jpeg_of(picked.image)


def test_detections_are_drawn_where_there_are_no_tracks(world, asked):
    """Those that are sure enough."""
    picked = pick_frame(folder(world, SEEN), Pick(frame=10, source=world.root / "short.mp4"))

    assert whole(asked.frame(SEEN, 10, True, None)) == jpeg_of(picked.image)


def test_a_frame_is_narrowed(asked):
    """In its shape; never made wider."""
    sizes = [Image.open(io.BytesIO(whole(asked.frame(JOB, 0, False, width)))).size for width in (320, 8000)]

    assert sizes == [(320, 180), (1280, 720)]


@pytest.mark.parametrize("frame", [625, 2**53])
def test_a_frame_that_is_not_there_is_said(asked, frame):
    """With those there are."""
    with pytest.raises(NotFound, match="625 frames have numbers from 0 to 624"):
        asked.frame(JOB, frame, False, None)


def test_a_clip_holds_the_frames_of_its_span(asked, tmp_path):
    """At their distances in time; it can be played while it comes, and nothing is left behind."""
    head, _ = answer = asked.clip(JOB, 1_000_000, 2_000_000, False)
    blob = whole(answer)

    frames = decoded(blob)
    assert head["begins_us"] == 1_000_000
    assert [pts_us for pts_us, _ in frames] == [40_000 * n for n in range(25)]
    assert blob.index(b"moov") < blob.index(b"mdat")
    expected = pick_frame(STREET, Pick(frame=30)).image.astype(int)
    assert np.abs(frames[5][1].astype(int) - expected).mean() < 4
    assert [*tmp_path.iterdir()] == []


def test_a_clip_shows_what_was_found(world, asked):
    """As frames do."""
    frames = decoded(whole(asked.clip(JOB, 5_000_000, 5_200_000, True)))

    expected = pick_frame(folder(world), Pick(frame=127, source=STREET)).image.astype(int)
    assert len(frames) == 5
    assert np.abs(frames[2][1].astype(int) - expected).mean() < 4


@pytest.mark.parametrize(
    ("span", "error"),
    [((25_000_000, 26_000_000), NotFound), ((1_000_001, 1_000_002), NotFound)],
)
def test_a_span_without_frames_is_no_clip(asked, span, error):
    """It says so."""
    with pytest.raises(error, match="no frame"):
        asked.clip(JOB, *span, False)


def test_a_clip_of_more_than_a_minute_is_refused(world, asked):
    """Before anything is decoded."""
    job_id = "00000000-0000-4000-8000-000000000009"
    long = video(world.root / "long.mp4", 62, size=(64, 48), rate=1)
    world.add(job_id, long)

    with pytest.raises(TooLarge, match="a clip may last 60 s"):
        asked.clip(job_id, 0, None, False)
    assert len(decoded(whole(asked.clip(job_id, 0, CLIP_US, False)))) == 60


def test_a_few_may_wait_for_what_takes_long(world, asked):
    """Others hear that they are to come again, and short questions go on."""
    blocked = [asked._turn() for _ in range(3)]
    blocked[0].__enter__()
    waiting = [threading.Thread(target=turn.__enter__, daemon=True) for turn in blocked[1:]]
    for thread in waiting:
        thread.start()
    while asked._queue._value:
        time.sleep(0.01)

    with pytest.raises(Unavailable) as caught:
        asked.clip(JOB, 0, 1_000_000, False)

    assert caught.value.code == "busy"
    assert whole(asked.frame(JOB, 0, False, 64))
    blocked[0].__exit__(None, None, None)


# --- jobs come and go


def test_a_job_that_was_removed_is_let_go(world, asked):
    """Its run was held open; a question, or time, finds out."""
    job_id = "00000000-0000-4000-8000-000000000003"
    row = world.store.get(JOB)
    world.store.create(
        type(row)(job_id, "copy", 0, "processing", facts=recipes.encode(recipes.decode(row.facts))), []
    )
    world.store.advance(job_id, "ready", result=row.result)
    whole(asked.count(job_id, None, None, {}, "json"))
    assert asked._runs.jobs() == {job_id}

    world.store.remove(job_id)
    asked.tidy()

    assert asked._runs.jobs() == set()
    with pytest.raises(NotFound):
        asked.count(job_id, None, None, {}, "json")
