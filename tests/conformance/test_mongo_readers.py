"""What others read from MongoDB: `outbox` and `runner_predictions`, by a client that imports nothing of ours."""

from datetime import datetime

import pymongo
import pytest

from sightline.adapters.mongo.predictions import VIEW_BYTES, frames_view, received
from sightline.ports import Commit, Job, Saved
from tests.conformance.mongo import databases, out, uri_of
from tests.conformance.test_mongo_order import Scene

pytestmark = pytest.mark.contract

ID = "7d9a3c1e-0000-4000-8000-000000000001"
REQUEST = {"bucket": "videos", "source": {"key": f"videos/input/{ID}.mp4"}, "media_type": "video"}
FACTS = {"streams": ["detections:objects"], "sampled": 2}
ITEMS = [
    {"frame": 0, "objects": [{"class": "cat", "box": [100, 200, 300, 400], "conf": 0.87}]},
    {"frame": 5, "objects": []},
]
FIELDS = {
    "_id",
    "total_frames",
    "received_frames",
    "frame_results",
    "prediction",
    "ready_at",
    "output_s3",
    "status",
    "event_id",
    "bucket",
    "error_message",
    "error_type",
}


@pytest.fixture
def scene(server):
    with databases(uri_of(server)) as place:
        place.migrate()
        scene = Scene(place)
        yield scene
        scene.close()


@pytest.fixture
def read(scene):
    """The two collections, by PyMongo alone."""
    with pymongo.MongoClient(scene.place.uri) as client:
        yield client[scene.place.database]["outbox"], client[scene.place.runner]["runner_predictions"]


@pytest.fixture
def store(scene):
    store = scene.place.open(clock=lambda: 1_704_110_400_000_000)
    yield store
    store.close()


def made(store) -> None:
    job = Job(ID, "street", 1_704_110_400_000_000, request=REQUEST)
    store.create(job, [out(b"created", ID)])


def test_a_new_job_is_an_event_of_the_outbox(store, read):
    """`_id`, `status`, `payload` and `created_at` as documented; `sent` once the log has it."""
    outbox, predictions = read
    made(store)

    (found,) = outbox.find({"status": "new"})
    assert found["_id"] == ID
    assert found["payload"] == {"bucket": "videos", "object": f"input/{ID}.mp4", "media_type": "video"}
    assert found["created_at"] == "2024-01-01T12:00:00Z"
    assert predictions.count_documents({}) == 0

    store.sent([one.queue_id for one in store.pending("r", 10)])
    assert outbox.find_one({"_id": ID})["status"] == "sent"
    store.advance(ID, "failed")
    assert outbox.find_one({"_id": ID})["status"] == "sent"


def test_a_job_that_was_begun_has_a_prediction_with_every_documented_field(store, read):
    """From `processing` over `predictable` to `ready`, with its frames, its result and where it lies."""
    _, predictions = read
    made(store)
    store.advance(ID, "processing", facts=FACTS)

    found = predictions.find_one({"_id": ID})
    assert set(found) >= FIELDS
    assert (found["event_id"], found["bucket"], found["status"]) == (ID, "videos", "processing")
    assert (found["total_frames"], found["received_frames"], found["frame_results"]) == (2, 0, {})
    assert [
        found[name] for name in ("prediction", "ready_at", "output_s3", "error_message", "error_type")
    ] == [None] * 5

    at = store.claim("collect", "t", 0)
    store.commit(Commit(at, 1, ID, "detections:objects", Saved(3, b""), complete=True))
    store.show_received(ID)
    store.predictions.fill(ID, ITEMS)
    found = predictions.find_one({"status": "predictable"})
    assert found["received_frames"] == 2
    assert found["frame_results"] == {"0": ITEMS[0], "5": ITEMS[1]}
    assert found["prediction"] == ITEMS

    store.advance(ID, "ready", result={"key": "k"})
    found = predictions.find_one({"_id": ID})
    assert (found["status"], found["ready_at"]) == ("ready", "2024-01-01T12:00:00Z")
    assert datetime.fromisoformat(found["ready_at"]).year == 2024
    assert found["output_s3"] == {"bucket": "videos", "object": f"detection/{ID}.json"}
    assert found["prediction"] == ITEMS


def test_a_job_that_failed_says_why(store, read):
    """`error_message` and `error_type`."""
    _, predictions = read
    made(store)
    store.advance(ID, "processing", facts=FACTS)
    store.advance(ID, "failed", code="no_frame", reason="no frame decodes")

    found = predictions.find_one({"_id": ID})
    assert (found["status"], found["error_type"], found["error_message"]) == (
        "failed",
        "no_frame",
        "no frame decodes",
    )
    assert found["output_s3"] is None


def test_a_job_that_was_removed_is_in_neither(store, read):
    """As after a cleanup."""
    made(store)
    store.advance(ID, "processing", facts=FACTS)
    store.advance(ID, "cancelled")

    assert store.remove(ID)

    assert [documents.count_documents({}) for documents in read] == [0, 0]


def test_documents_of_the_system_before_are_left_alone(store, read):
    """They lack our fields: no job of ours, and no event that is sent."""
    outbox, _ = read
    theirs = [
        {"_id": f"old{number}", "status": "new", "payload": {}, "created_at": "x"} for number in range(2)
    ]
    outbox.insert_many(theirs)
    made(store)

    assert [job.job_id for job in store.list().jobs] == [ID]
    assert [one.record.value for one in store.pending("r", 10)] == [b"created"]
    assert dict(store.counts().by_state) == {"new": 1}
    assert not store.create(Job("old1", "street", 0), [])
    assert not store.remove("old1")
    assert store.claim("track", "t", 0).epoch == 1
    assert [*outbox.find({"_id": {"$in": ["old0", "old1"]}}).sort("_id", 1)] == theirs


def received_frames_are_distinct_outcomes(scene):
    """What comes twice counts once: the number follows from how far `collect` has come, and never falls."""
    store = scene.opened()
    store.create(Job("j1", "street", 0, request=REQUEST), [])
    store.advance("j1", "processing", facts={"streams": ["a", "b"], "sampled": 40})
    at, counted = store.claim("collect", "t", 0), []
    for number, (stream, seq) in enumerate([("a", 7), ("b", 3), ("b", 3), ("b", 12), ("a", 41), ("b", 41)]):
        at, _ = store.commit(Commit(at, number, "j1", stream, Saved(seq, b"")))
        store.show_received("j1")
        store.show_received("j1")
        counted.append(store._server.predictions.find_one({"_id": "j1"})["received_frames"])
    assert counted == [0, 3, 3, 7, 12, 40]
    store.predictions.count("j1", 5)
    assert store._server.predictions.find_one({"_id": "j1"})["received_frames"] == 40


def an_older_view_never_replaces_a_newer_one(scene):
    """Two show a job at once, and the one with the older document is slower."""
    store = scene.opened()
    store.create(Job("j1", "street", 0), [])
    store.advance("j1", "processing")
    older = store.get("j1")
    store.advance("j1", "failed", code="no_frame")
    store.predictions.show(older, 2)
    assert store._server.predictions.find_one({"_id": "j1"})["status"] == "failed"


@pytest.mark.parametrize(
    "scenario", [received_frames_are_distinct_outcomes, an_older_view_never_replaces_a_newer_one]
)
def test_it_holds(scene, scenario):
    """See the scenario."""
    scenario(scene)


def test_frames_are_shown_up_to_a_limit():
    """Both copies together; above it they are left out, which the view says."""
    assert frames_view(ITEMS) == {
        "frame_results": {"0": ITEMS[0], "5": ITEMS[1]},
        "prediction": ITEMS,
        "truncated": False,
    }
    assert frames_view([]) == {"frame_results": {}, "prediction": [], "truncated": False}
    assert frames_view(ITEMS, 100) == {"frame_results": {}, "prediction": None, "truncated": True}


def test_a_view_of_the_largest_size_fits_a_document(store, read):
    """And one frame more is left out."""
    _, predictions = read
    made(store)
    store.advance(ID, "processing", facts=FACTS)
    item = {"objects": [{"class": "x" * 1000, "box": [1, 2, 3, 4], "conf": 0.5}] * 20}
    frames = 0
    while not frames_view({"frame": number, **item} for number in range(frames + 20))["truncated"]:
        frames += 20

    store.predictions.fill(ID, ({"frame": number, **item} for number in range(frames)))
    assert len(predictions.find_one({"_id": ID})["prediction"]) == frames
    assert frames * 20 * 1000 * 2 > VIEW_BYTES * 0.8

    store.predictions.fill(ID, ({"frame": number, **item} for number in range(frames + 20)))
    found = predictions.find_one({"_id": ID})
    assert (found["frame_results"], found["prediction"], found["truncated"]) == ({}, None, True)


def test_a_job_without_streams_has_received_nothing():
    """Nobody knows yet what it waits for."""
    assert received({("collect", "a"): 9}, (), 40) == 0
