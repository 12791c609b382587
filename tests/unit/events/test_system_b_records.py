"""Records of system B, byte by byte; and what its own programs may write."""

import json
from dataclasses import replace

import pytest

from sightline.errors import Misconfigured, Rejected
from sightline.events import Detected, DialectB, End, JobEvent, OutboxEvents
from sightline.types import Detections
from tests.unit.events.dialects import ABOUT, BOXES, FAILED, FRAME, about

TASKS, RESULTS, EVENTS = DialectB("frames:main"), DialectB("detections:objects"), OutboxEvents()
STREAM = "detections:objects"
FOUND = Detected("j", STREAM, 1, 5, 200_000, "ok", "", BOXES)
TASK = b'{"event_id":"j","frame_id":5,"bucket":"videos","media_type":"frame","v":1,"kind":"frames","seq":1,"pts_us":200000,'
PLACE = b'"chunk":1,"row":5,"tick":6000,"first":4,"end":40,"end_tick":48000,'
RESULT = b'{"event_id":"j","frame_id":5,"bucket":"videos","prediction":{"frame":5,"objects":['
OURS = b']},"v":1,"kind":"detections","seq":1,"pts_us":200000'
BYTES = [
    (TASKS, FRAME, TASK + PLACE + b'"path":"/data/street/0000006.jpg"}'),
    (
        TASKS,
        replace(FRAME, path="", frame_data=b"\xff\xd8\xff\xe0"),
        TASK + PLACE + b'"frame_data":"/9j/4A=="}',
    ),
    (
        RESULTS,
        FOUND,
        RESULT + b'{"class":"car","box":[0,0,9,9],"conf":0.875,"xyxy":[-0.5,0.0,9.0,9.0],"class_id":0},'
        b'{"class":"van","box":[1,2,30,40],"conf":0.5,"xyxy":[1.5,2.0,30.75,40.0],"class_id":2}'
        + OURS
        + b',"order":[1,0]}',
    ),
    (RESULTS, replace(FAILED, stream=STREAM), RESULT + OURS + b',"outcome":"failed","reason":"undecodable"}'),
    (RESULTS, End("j", STREAM, 40), b'{"kind":"eof","frames":40,"v":1,"event_id":"j"}'),
]


@pytest.mark.parametrize(("codec", "record", "value"), BYTES)
def test_a_record_has_these_bytes(codec, record, value):
    """Consumers of system B read them: numbers for frames, truncated boxes, objects by falling confidence."""
    assert codec.encode(record, ABOUT) == value
    assert codec.encode(codec.decode(value), ABOUT) == value


def test_objects_that_fall_already_say_no_order():
    """Equal ones stay as they are."""
    found = Detections([[0, 0, 1, 1]] * 3, [0.5, 0.25, 0.25], [0, 2, 1])
    value = RESULTS.encode(Detected("j", STREAM, 0, 0, 0, detections=found), ABOUT)

    assert [each["class"] for each in json.loads(value)["prediction"]["objects"]] == ["car", "van", "person"]
    assert "order" not in json.loads(value)


# --- what its own programs may write


def prediction(**changes) -> bytes:
    """The inference service of system B answers a task: the example of its document, and one with the job's labels."""
    whole = {
        "event_id": "j",
        "frame_id": 5,
        "bucket": "videos",
        "prediction": {"frame": 5, "objects": [{"class": "car", "box": [100, 200, 300, 400], "conf": 0.87}]},
    }
    return json.dumps(whole | changes).encode()


def test_an_inference_service_of_system_b_is_understood():
    """The documented fields alone: seq is the frame's, so is its time; the key is not needed."""
    found = Detections([[100, 200, 300, 400]], [0.87], [0])
    expected = Detected("j", STREAM, 1, 5, 200_000, detections=found, foreign=True)

    assert RESULTS.decode(prediction(), about) == expected
    assert RESULTS.decode(prediction(model="yolov8n", video_id="j"), about, "?") == expected
    empty = RESULTS.decode(prediction(prediction={"frame": 5, "objects": []}), about)
    assert (empty.outcome, len(empty.detections)) == ("ok", 0)


def test_an_answer_for_no_job_that_runs_is_refused():
    """Its id is that of no job."""
    with pytest.raises(Rejected) as raised:
        RESULTS.decode(prediction(event_id="other"), about, "j")

    assert raised.value.code == "unknown_job"
    assert RESULTS.salvage(prediction(event_id="other"), about, "j") is None


@pytest.mark.parametrize("change", [{"frame_id": 6}, {"frame_id": 200}, {"frame_id": "5"}, {"frame_id": -5}])
def test_an_answer_that_names_no_frame_of_its_job_is_refused(change):
    """And no frame fails for it."""
    with pytest.raises(Rejected) as raised:
        RESULTS.decode(prediction(**change), about)

    assert raised.value.code == "invalid_record"
    assert RESULTS.salvage(prediction(**change), about) is None


@pytest.mark.parametrize(
    "said",
    [
        None,
        {"frame": 5},
        {"frame": 0, "objects": []},
        {"frame": 5, "objects": [{"class": "cat", "box": [0, 0, 1, 1], "conf": 0.87}]},
        {"frame": 5, "objects": [{"class": "car", "box": [0, 0, 1, 1], "conf": 87}]},
        {"frame": 5, "objects": [{"class": "car", "box": [9, 0, 1, 1], "conf": 0.87}]},
    ],
)
def test_an_answer_whose_content_is_unusable_costs_its_frame(said):
    """Defect B11: it was skipped without trace."""
    with pytest.raises(Rejected) as raised:
        RESULTS.decode(prediction(prediction=said), about)

    assert raised.value.code == "invalid_record"
    expected = Detected("j", STREAM, 1, 5, 200_000, "failed", "invalid", foreign=True)
    assert RESULTS.salvage(prediction(prediction=said), about) == expected


# --- job events

EVENT = JobEvent("j", "street", "detect", "videos", "input/j.mp4", "video", 1_704_110_400_000_000)
EVENT_BYTES = (
    b'{"_id":"j","payload":{"bucket":"videos","object":"input/j.mp4","media_type":"video"},'
    b'"created_at":"2024-01-01T12:00:00Z","v":1,"job_id":"j","video_id":"street","pipeline":"detect"}'
)


def test_a_job_event_has_these_bytes():
    """As a document of the outbox has them; what is ours rides beside."""
    assert EVENTS.encode(EVENT) == EVENT_BYTES
    assert EVENTS.decode_job(EVENT_BYTES) == EVENT
    image = replace(EVENT, media_type="image")
    assert EVENTS.decode_job(EVENTS.encode(image)) == image


@pytest.mark.parametrize("later", [1, 999_999])
def test_the_time_of_a_job_event_is_in_whole_seconds(later):
    """Its readers take no other form; the row of the job knows the rest."""
    assert EVENTS.encode(replace(EVENT, created_at_us=EVENT.created_at_us + later)) == EVENT_BYTES


def test_a_job_event_of_system_b_is_understood():
    """The documented fields alone."""
    whole = {
        "_id": "j",
        "payload": {"bucket": "videos", "object": "input/j.mp4", "media_type": "video"},
        "created_at": "2024-01-01T12:00:00Z",
        "status": "new",
    }

    assert EVENTS.decode_job(json.dumps(whole).encode()) == replace(EVENT, video_id="", pipeline="")


@pytest.mark.parametrize(
    "change",
    [
        {"payloads": {}},
        {"_id": "other"},
        {"_id": ""},
        {"created_at": "yesterday"},
        {"created_at": 1_704_110_400},
        {"payload": {"bucket": "videos", "object": "x", "media_type": "song"}},
        {"payload": {"bucket": "videos", "object": "x"}},
        {"v": "1"},
    ],
)
def test_a_job_event_that_is_none_is_refused(change):
    """The feeder goes by its key then."""
    with pytest.raises(Rejected) as raised:
        EVENTS.decode_job(json.dumps(json.loads(EVENT_BYTES) | change).encode())

    assert raised.value.code == "invalid_record"


def test_job_events_have_a_topic_of_their_own():
    """No record is one, and a newer form of one is kept."""
    with pytest.raises(Misconfigured, match="version 2"):
        EVENTS.decode_job(EVENT_BYTES.replace(b'"v":1', b'"v":2,"priority":1'))
    with pytest.raises(Rejected):
        EVENTS.decode(EVENT_BYTES)
    assert EVENTS.salvage(EVENT_BYTES) is None
    with pytest.raises(ValueError, match="topic of job events"):
        EVENTS.encode(FOUND)
    for value in (b"", b"{}", b'{"v":1}', b"\xff"):
        with pytest.raises(Rejected):
            EVENTS.decode_job(value)
