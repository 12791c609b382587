"""Programs of both founding systems beside a cluster: what they consume, query and fetch, and detectors of theirs in place of ours."""

import csv
import io
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace

import av
import numpy as np
import psycopg
import pytest
from obstore.store import S3Store
from PIL import Image
from pymongo import MongoClient

from tests.cluster.cluster import Cluster, Embedded, cut, files_of, sent
from tests.cluster.old_consumers import (
    car_detector,
    groups,
    inference,
    inline,
    of_object,
    pictures_of,
    read,
)
from tests.contract.old_consumers import SystemA, SystemB
from tests.servers.programs import Missing
from tests.stored_job import STREET

pytestmark = [pytest.mark.contract, pytest.mark.timeout(1200)]

SEQUENCE, DAMAGED = "uav0000086_00000_v", "uav0000117_02622_v"
BROKEN = 20  # frame of the second sequence that is no picture
FRAMES, RATE = 45, 30
SAMPLED = -(-FRAMES // 5)  # by system B
BUSY = 430  # frame of the street from which on there is much to see
ROLES = (("api", "generator"), ("feed", "relay"), ("track", "stats", "collect", "publish"), ("detect",))
WORDS = {"cars": "car", "people": "people"}
DETECTORS = {
    "cars": ("car-detector-group", "car-frames"),
    "people": ("person-detector-group", "person-frames"),
}
TOPICS_A = (
    "car-frames",
    "person-frames",
    "detections-cars",
    "detections-people",
    "tracks-cars",
    "tracks-people",
)
TOPICS_B = ("outbox_events", "inference_tasks", "inference_results")
GROUPS = {
    "car-detector-group": {"car-frames"},
    "person-detector-group": {"person-frames"},
    "car-tracker-group": {"detections-cars"},
    "person-tracker-group": {"detections-people"},
    "stats-generator-group": {"tracks-cars", "tracks-people"},
    "runner-group": {"outbox_events"},
    "inference-group": {"inference_tasks"},
    "runner-results-group": {"inference_results"},
}


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    """A sequence of VisDrone's layout, a video, and a folder for copies of frames."""
    root = tmp_path_factory.mktemp("foreign")
    folder = root / "data" / "sequences" / SEQUENCE
    folder.mkdir(parents=True)
    with av.open(str(STREET)) as container:
        for number, frame in enumerate(islice(container.decode(video=0), BUSY, BUSY + FRAMES), 1):
            frame.to_image().save(folder / f"{number:07d}.jpg", quality=95)
    pictures = [pixels(path) for path in sorted(folder.iterdir())]
    shutil.copytree(folder, folder.parent / DAMAGED)
    (folder.parent / DAMAGED / f"{BROKEN + 1:07d}.jpg").write_bytes(b"no picture")
    video = cut(STREET, root / "street.mp4", FRAMES)
    return SimpleNamespace(data=root / "data", video=video, copies=root / "frame_store", pictures=pictures)


def pixels(path):
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def alike(one, other):
    """The same picture, but for the losses of a JPEG."""
    return one.shape == other.shape and np.abs(one.astype(int) - other.astype(int)).mean() < 3


@contextmanager
def running(*more, ledger="postgres"):
    """Servers with tables and topics."""
    with TemporaryDirectory(prefix="foreign-") as folder, ExitStack() as rest:
        try:
            made = rest.enter_context(Cluster(Path(folder), ledger, more=more))
        except Missing as lack:
            if os.environ.get("CI"):
                pytest.fail(f"CI must have it: {lack}")
            pytest.skip(f"needs servers: {lack}")
        made.prepare()
        yield made


def brokers(cluster):
    return cluster.servers["kafka"]["bootstrap"]


def stored(cluster, key):
    """An object, fetched by a client that knows the bucket, the keys and the name alone."""
    server = cluster.servers["s3"]
    store = S3Store(
        server["bucket"],
        endpoint=server["endpoint"],
        region=server["region"],
        access_key_id=server["access_key"],
        secret_access_key=server["secret_key"],
        virtual_hosted_style_request=False,
        client_options={"allow_http": True},
    )
    return bytes(store.get(key).bytes())


def started(api, name=SEQUENCE):
    """The job of `POST /start/NAME`."""
    status, body = api.ask("POST", f"/start/{name}", b"", port="generator")
    assert status == 200, body
    answer = json.loads(body)
    assert answer["status"] == f"Sent {FRAMES} frames from {name}."
    return answer["event_id"]


def ready(api, job_id):
    ended = ("ready", "failed", "cancelled")
    api.until(lambda: api.json(f"/api/v1/jobs/{job_id}")["state"] in ended, 300)
    result = api.result(job_id)
    assert result["status"] == "ready", result
    return result["prediction"]


def of(messages, job_id):
    """Values of a job's records: of each topic those with its key."""
    return {
        topic: [each.value() for each in found if each.key() == job_id.encode()]
        for topic, found in messages.items()
    }


def tables(cluster, api, job_id):
    """The files of `debug_output/JOB`, each a list of rows."""
    (publisher,) = (worker for worker in cluster.workers if "publish" in worker.roles)
    folder = publisher.data / "debug_output"
    api.until(lambda: (folder / ".newest").read_text() == job_id)
    own = {path.stem: path.read_text() for path in (folder / job_id).iterdir()}
    assert own == {path.stem: path.read_text() for path in folder.glob("*.csv")}
    return {name: list(csv.reader(io.StringIO(text))) for name, text in own.items()}


def as_text(rows):
    return [[f"{cell:.4f}" if isinstance(cell, float) else str(cell) for cell in row] for row in rows]


# --- beside our own detector


@pytest.fixture(scope="module")
def cluster(places):
    """On PostgreSQL, with a dataset, with copies of frames, and with pictures in tasks."""
    more = ("--dataset", str(places.data), "--frame-store", str(places.copies), "--inline-frames")
    with running(*more) as made:
        made.begin(ROLES)
        yield made


@pytest.fixture(scope="module")
def ours(cluster, places):
    """A job of each system, done by our own roles; what is on the topics, and who has read them."""
    api = cluster.workers[0]
    job_a, job_b = started(api), sent(api, places.video, bucket="videos")
    results = ready(api, job_a), ready(api, job_b)
    csv_a = tables(cluster, api, job_a)
    members = groups(brokers(cluster), GROUPS)
    messages = read(brokers(cluster), (*TOPICS_A, *TOPICS_B, "totals-cars", "totals-people"))
    return SimpleNamespace(a=job_a, b=job_b, results=results, csv=csv_a, groups=members, messages=messages)


def test_the_readers_know_nothing_of_ours():
    """Not one module of ours is imported by them, nor by what they import."""
    asked = (
        "import sys, tests.cluster.old_consumers, tests.contract.old_consumers; "
        "print([name for name in sys.modules if name.partition('.')[0] == 'sightline'])"
    )
    said = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert said.stdout == "[]\n"


def test_groups_of_the_founding_systems_read_their_topics(ours):
    """By the names that their operators look for; every topic of a group has a member."""
    assert ours.groups == GROUPS


def test_every_record_is_json_with_the_job_as_its_key(ours):
    """Of both systems; no topic holds anything else."""
    for topic, found in ours.messages.items():
        assert {each.key().decode() for each in found} <= {ours.a, ours.b}, topic
        for each in found:
            record = json.loads(each.value())
            named = record.get("job_id") or record["event_id"]
            assert each.key().decode() == named, topic


@pytest.mark.parametrize("topic", ["car-frames", "person-frames"])
def test_frames_of_system_a(ours, places, topic):
    """Each frame once, named from 0, on the clock of the job; `path` is a JPEG of that very frame."""
    values = of(ours.messages, ours.a)[topic]

    frames = sorted(SystemA.frames(values))
    begin = frames[0][2]
    assert frames == [
        (f"frame_{k:05d}", SEQUENCE, begin + timedelta(microseconds=round(k * 1e6 / RATE)))
        for k in range(FRAMES)
    ]
    assert timedelta(0) < datetime.now(UTC) - begin < timedelta(hours=1)
    paths = {each["frame_id"]: each["path"] for each in map(json.loads, values) if "frame_id" in each}
    for number in (0, 7, FRAMES - 1):
        path = Path(paths[f"frame_{number:05d}"])
        assert path == places.copies / f"{SEQUENCE}_frame_{number:05d}.jpg"
        assert alike(pixels(path), places.pictures[number])


def test_both_topics_of_frames_hold_the_same_records(ours):
    """The founding generator sends one record to both."""
    values = of(ours.messages, ours.a)
    assert Counter(values["car-frames"]) == Counter(values["person-frames"])


def test_the_path_of_a_frame_is_found_by_the_query_of_system_a(cluster, ours, places):
    """`frame_id` and `video_id` name a row of the table `frames`, whose columns have the documented types."""
    with psycopg.connect(cluster.servers["postgres"]["url"]) as database:
        asked = "SELECT path FROM frames WHERE frame_id=%s AND video_id=%s"
        for number in range(FRAMES):
            rows = database.execute(asked, (f"frame_{number:05d}", SEQUENCE)).fetchall()
            assert rows == [(str(places.copies / f"{SEQUENCE}_frame_{number:05d}.jpg"),)]
        columns = database.execute(
            "SELECT column_name, data_type, is_nullable FROM information_schema.columns "
            "WHERE table_schema = 'public' AND table_name = 'frames'"
        ).fetchall()
        stamps = database.execute("SELECT frame_id, timestamp FROM frames").fetchall()
    assert {
        ("id", "integer", "NO"),
        ("frame_id", "text", "NO"),
        ("video_id", "text", "NO"),
        ("timestamp", "timestamp with time zone", "NO"),
        ("path", "text", "NO"),
    } <= set(columns)
    frames = SystemA.frames(of(ours.messages, ours.a)["car-frames"])
    assert sorted(stamps) == sorted((name, at) for name, _, at in frames)


@pytest.mark.parametrize("group", WORDS)
def test_detections_of_system_a(ours, group):
    """One record a frame, empty ones too; from 0.25 on they are the rows of the CSV file."""
    values = of(ours.messages, ours.a)[f"detections-{group}"]
    records = [each for each in map(json.loads, values) if "detections" in each]

    rows = [row for row in SystemA.detections(values) if row[4] >= 0.25]
    assert sorted(each["frame_id"] for each in records) == [f"frame_{k:05d}" for k in range(FRAMES)]
    assert ours.csv[f"{WORDS[group]}_detections"] == [
        ["frame_id", "video_id", "timestamp", "label", "confidence", "x1", "y1", "x2", "y2"],
        *sorted(as_text(rows), key=lambda row: row[0]),
    ]
    assert len(rows) > FRAMES


@pytest.mark.parametrize("group", WORDS)
def test_tracks_of_system_a(ours, group):
    """One record a frame, in the order of frames; they are the rows of the CSV file."""
    values = of(ours.messages, ours.a)[f"tracks-{group}"]
    records = [each for each in map(json.loads, values) if "tracks" in each]

    rows = SystemA.tracks(values)
    assert [each["frame_id"] for each in records] == [f"frame_{k:05d}" for k in range(FRAMES)]
    assert {each["video_id"] for each in records} == {SEQUENCE}
    assert {label for each in records for label in (row["label"] for row in each["tracks"])} <= (
        {"car", "van", "truck"} if group == "cars" else {"person"}
    )
    assert ours.csv[f"{WORDS[group]}_tracks"] == [
        ["frame_id", "video_id", "timestamp", "track_id", "x1", "y1", "x2", "y2", "confidence", "class_id"],
        *as_text(rows),
    ]
    assert len(rows) > FRAMES


def test_statistics_of_system_a(ours):
    """One row a frame: unique cars and people so far, as on the topics of totals; no column ever falls."""
    values = of(ours.messages, ours.a)
    stamps = [
        moment.isoformat(timespec="microseconds")
        for _, _, moment in sorted(SystemA.frames(values["car-frames"]))
    ]
    unique = [
        [each["unique"] for each in sorted(records, key=lambda each: each["seq"])]
        for records in (
            [each for each in map(json.loads, values[f"totals-{group}"]) if each["kind"] == "totals"]
            for group in WORDS
        )
    ]

    head, *rows = ours.csv["stats"]
    assert head == ["timestamp", "num_cars", "num_people"]
    assert rows == [[at, str(cars), str(people)] for at, cars, people in zip(stamps, *unique, strict=True)]
    assert all(column == sorted(column) and column[-1] > 0 for column in unique)


def test_events_of_system_b(ours):
    """One record a job: what the runner reads of an upload."""
    (event,) = of(ours.messages, ours.b)["outbox_events"]

    event_id, payload, created = SystemB.event(event)
    assert event_id == ours.b
    assert payload == {"bucket": "videos", "object": f"input/{ours.b}.mp4", "media_type": "video"}
    assert timedelta(0) <= datetime.now(UTC).replace(tzinfo=None) - created < timedelta(hours=1)


def test_tasks_of_system_b(ours):
    """Frames 0, 5, 10, … once each."""
    tasks = SystemB.tasks(of(ours.messages, ours.b)["inference_tasks"])

    assert sorted(tasks) == [(ours.b, frame, "videos") for frame in range(0, FRAMES, 5)]


def test_result_object_of_system_b_is_what_is_answered_and_collected(cluster, ours, places):
    """The collector's array, `detection/ID.json` and `/api/result_video`; the upload as it came."""
    collected = SystemB.results(of(ours.messages, ours.b)["inference_results"], ours.b)

    content = stored(cluster, f"videos/detection/{ours.b}.json")
    found = json.loads(content)
    assert [item["frame"] for item in found] == list(range(0, FRAMES, 5))
    assert found == collected == ours.results[1]
    assert sum(len(item["objects"]) for item in found) > len(found)
    assert stored(cluster, f"videos/input/{ours.b}.mp4") == places.video.read_bytes()


def test_inference_tasks_bring_the_pictures_of_their_frames(cluster, ours, places):
    """Blurred, with contrast, as JPEG: every topic keeps the size that it was planned with."""
    values = of(ours.messages, ours.b)["inference_tasks"]
    tasks = {task["frame_id"]: task for task in map(json.loads, values) if "frame_id" in task}
    frames = pictures_of(places.video.read_bytes())

    for number, task in tasks.items():
        seen = inline(task).astype(float)
        assert seen.shape == frames[number].shape
        assert abs(seen.mean() - np.clip(1.3 * frames[number].astype(float) + 5, 0, 255).mean()) < 2
        assert task["path"].startswith(f"videos/input/{ours.b}.mp4#chunk=")
    assert "as planned" in cluster.run("topics", "check", "--replication", "1")


def test_inference_by_our_own_detector_is_that_of_one_machine(cluster, ours, places, tmp_path):
    """Pictures on the topic or not: it decodes the source, and every file is the same."""
    alone = Embedded(tmp_path / "data").start()
    try:
        job_id = sent(alone, places.video, bucket="videos")
        assert alone.result(job_id)["status"] == "ready"
        reference = files_of(alone, job_id)
    finally:
        alone.stop()

    assert files_of(cluster.workers[0], ours.b) == reference


# --- detectors of theirs in place of ours


def without_our_detector(cluster):
    """Stop it, if nobody has; the worker that answers."""
    api, *_, detect = cluster.workers
    assert detect.roles == ("detect",)
    if detect.process.poll() is None:
        assert detect.stop() == 0
    return api


def test_detectors_of_system_a_answer_in_place_of_ours(cluster, ours, places):
    """They open the JPEG at `path`, write no seq and no end, repeat what was done long ago and pass over what they cannot open: the job has exactly their boxes."""
    api = without_our_detector(cluster)
    before = stored(cluster, f"videos/detection/{ours.a}.json")

    labels = {"cars": "car", "people": "person"}
    with ExitStack() as stack:
        working = {
            group: stack.enter_context(
                car_detector(brokers(cluster), *DETECTORS[group], f"detections-{group}", labels[group])
            )
            for group in WORDS
        }
        job_id = started(api, DAMAGED)
        prediction = ready(api, job_id)

    opened = [number for number in range(FRAMES) if number != BROKEN]
    assert [item["frame"] for item in prediction] == list(range(FRAMES))
    assert [item["frame"] for item in prediction if item.get("outcome") == "failed"] == [BROKEN]
    found = tables(cluster, api, job_id)
    for group, detector in working.items():
        said = sorted(detector.said[job_id], key=lambda each: each["frame_id"])
        assert [each["frame_id"] for each in said] == [f"frame_{k:05d}" for k in opened]
        for number in opened:
            assert alike(detector.pictures[job_id, f"frame_{number:05d}"], places.pictures[number])
        rows = SystemA.detections([json.dumps(each).encode() for each in said])
        assert found[f"{WORDS[group]}_detections"][1:] == as_text(rows)
        assert len(rows) == 2 * len(opened)
    assert len(found["stats"]) == 1 + FRAMES
    assert stored(cluster, f"videos/detection/{ours.a}.json") == before


def test_the_inference_service_of_system_b_answers_from_pictures_alone(cluster, places):
    """It reads `frame_data` and nothing else; our own detector has gone. The job has exactly its boxes."""
    api = without_our_detector(cluster)
    with inference(brokers(cluster), inline, "car") as detector:
        job_id = sent(api, places.video, bucket="videos")
        prediction = ready(api, job_id)

    said = sorted((each["prediction"] for each in detector.said[job_id]), key=lambda each: each["frame"])
    assert [each["frame"] for each in said] == list(range(0, FRAMES, 5))
    for item in said:  # the file has four decimals
        item["objects"] = [{**each, "conf": round(each["conf"], 4)} for each in item["objects"]]
    assert prediction == said


# --- a job of system B on MongoDB, role by role


def listed(api):
    """Of one job."""
    answer = api.json("/api/status/all")
    assert answer["total"] == 1
    return answer["operations"][0]


@pytest.fixture(scope="module")
def on_mongo(places):
    """What was found of a job in each of its states, while one role after the other began; the inference service is theirs."""
    with running(ledger="mongo") as cluster, MongoClient(cluster.servers["mongo"]["url"]) as client:
        outbox, predictions = client["main_db"]["outbox"], client["runner_db"]["runner_predictions"]
        found = SimpleNamespace(cluster=cluster, outbox=outbox, predictions=predictions)
        found.api = api = cluster.begin(ROLES[:1])
        found.id = job_id = sent(api, places.video, bucket="videos")

        def seen():
            events = of(read(brokers(cluster), ["outbox_events"]), job_id)["outbox_events"]
            documents = outbox.find_one({"_id": job_id}), predictions.find_one({"_id": job_id})
            return SimpleNamespace(
                events=events, event=documents[0], view=documents[1], listed=listed(api)["status_code"]
            )

        found.new = seen()
        cluster.worker("relay")
        api.until(lambda: listed(api)["status_code"] == "sent")
        found.sent = seen()
        cluster.worker("feed")
        api.until(lambda: (predictions.find_one({"_id": job_id}) or {}).get("status") == "processing")
        found.processing = seen()
        cluster.worker("track", "stats", "collect", "publish")
        picture = of_object(lambda key: stored(cluster, key))
        with inference(brokers(cluster), picture, "person") as detector:
            found.prediction = ready(api, job_id)
        found.ready, found.detector = seen(), detector
        found.said = sorted(
            (each["prediction"] for each in detector.said[job_id]), key=lambda each: each["frame"]
        )
        for item in found.said:  # the file has four decimals
            item["objects"] = [{**each, "conf": round(each["conf"], 4)} for each in item["objects"]]
        yield found


def test_relay_sends_what_was_accepted(on_mongo):
    """`new` and on no topic, for as long as nobody relays; then one event, and `sent` once it is acknowledged."""
    assert (on_mongo.new.events, on_mongo.new.event["status"]) == ([], "new")
    (event,) = on_mongo.sent.events
    assert SystemB.event(event)[0] == on_mongo.id
    assert on_mongo.sent.event["status"] == "sent"
    assert on_mongo.ready.events == [event]


def test_life_cycle_of_a_job_of_system_b(on_mongo):
    """As its clients see it, and as its documents have it."""
    states = (on_mongo.new, on_mongo.sent, on_mongo.processing, on_mongo.ready)
    assert [each.listed for each in states] == ["new", "sent", "sent", "ready"]
    assert [each.event["status"] for each in states] == ["new", "sent", "sent", "sent"]
    assert [each.view and each.view["status"] for each in states[2:]] == ["processing", "ready"]


def test_mongo_documents_of_a_job_at_work(on_mongo):
    """Every documented field; nothing was received yet."""
    event, view = on_mongo.processing.event, on_mongo.processing.view
    payload = {"bucket": "videos", "object": f"input/{on_mongo.id}.mp4", "media_type": "video"}
    assert event["payload"] == payload
    datetime.strptime(event["created_at"], "%Y-%m-%dT%H:%M:%SZ")
    assert (view["event_id"], view["bucket"], view["total_frames"]) == (on_mongo.id, "videos", SAMPLED)
    assert (view["received_frames"], view["ready_at"], view["output_s3"]) == (0, None, None)


def test_mongo_documents_of_a_finished_job(on_mongo):
    """The result in both of its forms, and where the object lies."""
    view = on_mongo.ready.view
    assert (view["status"], view["total_frames"], view["received_frames"]) == ("ready", SAMPLED, SAMPLED)
    assert (view["event_id"], view["bucket"]) == (on_mongo.id, "videos")
    assert view["prediction"] == on_mongo.said
    assert view["frame_results"] == {str(each["frame"]): each for each in on_mongo.said}
    assert view["output_s3"] == {"bucket": "videos", "object": f"detection/{on_mongo.id}.json"}
    datetime.strptime(view["ready_at"], "%Y-%m-%dT%H:%M:%SZ")
    assert (view["error_message"], view["error_type"]) == (None, None)


def test_the_inference_service_of_system_b_answers_in_place_of_ours(on_mongo, places):
    """It fetches the object that `path` names; the result is exactly its boxes, in every place where it is found."""
    frames, pictures = pictures_of(places.video.read_bytes()), on_mongo.detector.pictures
    assert [each["frame"] for each in on_mongo.said] == list(range(0, FRAMES, 5))
    assert all(np.array_equal(pictures[on_mongo.id, k], frames[k]) for k in range(0, FRAMES, 5))
    content = json.loads(stored(on_mongo.cluster, f"videos/detection/{on_mongo.id}.json"))
    assert content == on_mongo.prediction == on_mongo.said


def test_api_of_system_b_up_to_its_cleanup(on_mongo):
    """A second job of the same object, ids that nobody knows; then nothing is left of either, anywhere."""
    api, key = on_mongo.api, f"videos/input/{on_mongo.id}.mp4"
    payload = {"bucket": "videos", "object": f"input/{on_mongo.id}.mp4", "media_type": "video"}
    assert api.json("/api/health")["service"] == "api_checkout"
    words = {"Content-Type": "application/json"}
    status, body = api.ask("POST", "/api/request", json.dumps(payload).encode(), headers=words)
    assert (status, json.loads(body)["status"]) == (200, "ok")
    api.until(lambda: on_mongo.predictions.count_documents({}) == 2)
    unknown = api.get("/api/result_video/00000000-0000-4000-8000-000000000000")
    assert (unknown[0], json.loads(unknown[1])) == (404, {"detail": "Event not found."})
    assert stored(on_mongo.cluster, key)

    status, body = api.ask("DELETE", "/api/cleanup/all")

    results = json.loads(body)["results"]
    assert (status, results["mongodb"]["outbox_deleted"]) == (200, 2)
    assert (results["minio"]["buckets_cleaned"], results["minio"]["errors"]) == (["videos", "frames"], [])
    assert api.json("/api/status/all") == {"operations": [], "total": 0}
    assert on_mongo.predictions.count_documents({}) == 0
    for gone in (key, f"videos/detection/{on_mongo.id}.json"):
        with pytest.raises(FileNotFoundError):
            stored(on_mongo.cluster, gone)
