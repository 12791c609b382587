"""Results of the real service: every route of a job that is ready, and the counts that the command line gives."""

import csv
import hashlib
import io
import json
import threading
import time
import urllib.error
import urllib.request

import numpy as np
import pytest

import sightline as sl
from sightline.app.track import track
from sightline.formats.geometry_json import encode
from sightline.formats.segments import decode
from sightline.runs.recount import count_run
from sightline.settings import TrackOptions
from tests.serving.service import Service
from tests.stored_job import STREET

LINES = (sl.Line("across", (0.5, 0.0), (0.5, 1.0)),)
ZONES = (sl.Zone("left", ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))),)
DRAWN = json.loads(encode(LINES, ZONES))
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """With one job, whose segments were looked at while it ran."""
    service = Service(tmp_path_factory.mktemp("data") / "data").start()
    status, answer = service.upload(STREET, pipeline="traffic")
    assert status == 200, answer
    service.job = f"/api/v1/jobs/{answer['event_id']}"
    yield service
    service.kill()


@pytest.fixture(scope="module")
def ready(service):
    """When the job has ended."""
    service.until(lambda: service.json(service.job)["state"] in ("ready", "failed"))
    assert service.json(service.job)["state"] == "ready"
    return service


@pytest.fixture(scope="module")
def tracked(tmp_path_factory):
    """What `track` makes of it with the same pipeline."""
    out = tmp_path_factory.mktemp("tracked")
    options = TrackOptions(pipeline="traffic", model="sightline-tiny", precision="f32", out=out, workers=2)
    (report,) = track([STREET], options)
    return report.path


def got(service, path, **headers):
    request = urllib.request.Request(
        f"http://127.0.0.1:{service.ports['api']}{service.job}/{path}", headers=headers
    )
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            return answer.status, answer.read(), answer.headers
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read(), error.headers


def sent(service, method, path, body, **headers):
    status, answer = service.ask(
        method, f"{service.job}/{path}", json.dumps(body).encode(), headers={**JSON, **headers}
    )
    return status, answer


def test_segments_are_there_while_the_job_runs(service):
    """Its results are not."""
    first = "segments/detections:cars/0"
    service.until(lambda: got(service, first)[0] in (200, 409))
    early = [got(service, path)[0] for path in ("counts", "tracks", "results", "frames/0.jpg?annotated=1")]
    service.until(lambda: got(service, first)[0] == 200)
    status, blob, headers = got(service, first)

    assert set(early) <= {409, 200}
    assert (status, blob[:8]) == (200, b"SLSEGMNT")
    assert headers["ETag"] == f'"{hashlib.sha256(blob).hexdigest()}"'
    assert got(service, "frames/5.jpg")[0] == 200


def test_frames_are_those_that_segments_speak_of(service):
    """Numbers and times of the frames with a seq."""
    service.until(lambda: got(service, "segments/detections:cars/0")[0] == 200)
    frames = decode(got(service, "segments/detections:cars/0")[1]).frames
    job = service.json(service.job)
    _, blob, headers = got(service, "index")
    n = int(np.frombuffer(blob, "<i8", 1, 16)[0])
    pts, frame = np.frombuffer(blob, "<i8", 2 * n, 40).reshape(2, n)
    seq = np.frombuffer(blob, "<i4", n, 40 + 16 * n)
    rows = np.flatnonzero((seq >= 0) & (seq < len(frames)))

    assert len(blob) == 40 + 21 * n == int(headers["Content-Length"])
    assert (n, int(seq.max()) + 1) == (job["source"]["frames"], job["sampled"])
    assert frame[rows].tolist() == [*frames.frame]
    assert pts[rows].tolist() == [*frames.pts_us]


def test_every_file_is_what_it_is_said_to_be(ready):
    """And every format can be had."""
    listed = json.loads(got(ready, "results")[1])

    for file in listed["files"]:
        status, blob, headers = got(ready, f"results/{file['path']}")
        assert (status, len(blob)) == (200, file["bytes"])
        assert hashlib.sha256(blob).hexdigest() == file["sha256"]
        assert headers["Content-Type"] == file["type"]
    for each in listed["formats"]:
        status, blob, headers = got(ready, f"results/{each['format']}")
        assert (status, len(blob)) == (200, int(headers["Content-Length"])), each
        assert got(ready, f"results/{each['format']}", **{"If-None-Match": headers["ETag"]})[0] == 304


def test_the_source_is_the_one_that_was_uploaded(ready):
    """In parts, as a player asks."""
    status, blob, headers = got(ready, "video", Range="bytes=1000-1999")

    assert (status, blob, headers["Content-Type"]) == (206, STREET.read_bytes()[1000:2000], "video/mp4")


def test_recounted_is_what_the_command_counts(ready, tracked, tmp_path):
    """On the run that `track` made of the same video: every number, but for the name of the video."""
    count_run(tracked, LINES, ZONES, bin_us=10_000_000, out=tmp_path / "out")

    for table in ("counts", "events"):
        status, answer = sent(
            ready, "POST", f"counts?table={table}", {**DRAWN, "bins": "10s"}, Accept="text/csv"
        )
        assert status == 200, answer
        mine, theirs = (
            list(csv.reader(io.StringIO(text.decode())))
            for text in (answer, (tmp_path / "out" / f"{table}.csv").read_bytes())
        )
        assert [row[1:] for row in mine] == [row[1:] for row in theirs]
        assert len(mine) > 10


def test_lines_are_drawn_counted_and_judged(ready):
    """As somebody does who signs off a count."""
    status, answer = sent(ready, "PUT", "geometry", DRAWN)
    assert status == 200, answer
    revision = json.loads(answer)["revision"]

    counts = json.loads(got(ready, "counts?lines=across&classes=cars")[1])
    event, *_ = [each for each in counts["evidence"] if each["kind"] == "line"]
    status, frame, _ = got(ready, f"frames/{event['frame']}.jpg?annotated=1&width=640")
    assert (status, frame[:2]) == (200, b"\xff\xd8")
    at = event["pts_us"] / 1e6
    status, clip, _ = got(ready, f"clip.mp4?start={max(0, at - 0.5)}&end={at + 0.5}&annotated=true")
    assert (status, clip[4:8]) == (200, b"ftyp")
    sent(ready, "POST", "verdicts", {"verdict": "reject", "event": event["id"]})
    missed = {"verdict": "missed", "name": "across", "direction": "in", "label": "car", "frame": 3}
    status, answer = sent(ready, "POST", "verdicts", missed)
    audit = json.loads(answer)

    assert status == 200
    assert {each["id"]: each["said"] for each in audit["events"]}[event["id"]] == "rejected"
    assert len(audit["missed"]) == 1
    assert audit["revision"] == revision
    assert sum(row["raw"] for row in audit["counts"]) == len(audit["events"])
    assert sum(row["verified"] for row in audit["counts"]) == len(audit["events"])
    moved = {"lines": [{**DRAWN["lines"][0], "a": [0.51, 0.0]}], "revision": revision}
    assert sent(ready, "PUT", "geometry", moved)[0] == 200
    audit = json.loads(got(ready, "verdicts")[1])
    assert len(audit["stale"]) == 2
    assert {each["said"] for each in audit["events"]} == {None}


@pytest.mark.parametrize("which", ["", "classes=cars", "min_confidence=0.6&min_hits=12"])
def test_an_overview_has_the_unique_objects_of_a_count(ready, which):
    """To the object, with any filter."""
    rows = json.loads(got(ready, f"counts?{which}")[1])["counts"]
    counted = [row for row in rows if row["kind"] == "unique"]
    found = json.loads(got(ready, f"overview?{which}")[1])

    assert {(row["group"], row["label"]): row["count"] for row in counted} == {
        (row["group"], row["label"]): row["unique"] for row in found["classes"]
    }
    assert sum(row["count"] for row in counted) == found["tracks"]["counted"] > 0


def test_tracks_come_by_time(ready):
    """The seconds that were asked for."""
    _, whole, _ = got(ready, "results/ndjson")
    _, part, _ = got(ready, "tracks?start=4&end=6&group=cars")

    assert part.splitlines() == [line for line in whole.splitlines()[200:300] if b"tracks:cars" in line]


def test_a_worker_that_dies_over_an_answer_leaves_no_half_of_one(ready):
    """It is an error, or cut where the client sees it; another one answers the next time."""
    path = "clip.mp4?start=0&end=25&annotated=true"
    answers = []

    def ask():
        try:
            status, blob, headers = got(ready, path)
            answers.append((status, len(blob) == int(headers["Content-Length"])))
        except OSError:
            answers.append((200, False))

    asking = threading.Thread(target=ask)
    asking.start()
    time.sleep(1)  # it takes several
    ready.kill_one("worker")
    asking.join(60)

    assert answers[0] in ((503, True), (200, False))
    ready.until(lambda: got(ready, path)[0] == 200)
    assert [each.name for each in (ready.data / "scratch").iterdir()] == []
