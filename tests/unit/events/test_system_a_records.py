"""Records of system A, byte by byte; and what its own programs may write."""

import json

import pytest

from sightline.errors import Rejected
from sightline.events import Detected, DialectA, End, Tracked
from sightline.types import Detections, Tracks
from tests.unit.events.dialects import ABOUT, FAILED, FOUND, FRAME, TRACKED, about

FRAMES, FOUND_IN, TRACKS = DialectA("frames:main"), DialectA("detections:cars"), DialectA("tracks:cars")
HEAD = (
    b'{"frame_id":"frame_00005","video_id":"uav0000086_00000_v","timestamp":"2026-05-17T12:00:00.450000+00:00",'
    b'"v":1,"job_id":"j","seq":1,"frame":5,"pts_us":200000,'
)
BYTES = [
    (
        FRAMES,
        FRAME,
        HEAD
        + b'"path":"/data/street/0000006.jpg","chunk":1,"row":5,"tick":6000,"first":4,"end":40,"end_tick":48000}',
    ),
    (
        FOUND_IN,
        FOUND,
        HEAD + b'"detections":[{"label":"van","confidence":0.5,"bbox":[1.5,2.0,30.75,40.0],"class_id":2},'
        b'{"label":"car","confidence":0.875,"bbox":[-0.5,0.0,9.0,9.0],"class_id":0}]}',
    ),
    (FOUND_IN, FAILED, HEAD + b'"outcome":"failed","reason":"undecodable","detections":[]}'),
    (
        TRACKS,
        TRACKED,
        HEAD
        + b'"tracks":[{"track_id":7,"class_id":2,"label":"van","bbox":[1.5,2.0,30.75,40.0],"confidence":0.5}],'
        b'"origin":[1],"births":[[0,7,2,1.0,2.0,3.0,4.0,0.25]]}',
    ),
    (TRACKS, End("j", "tracks:cars", 40), b'{"kind":"eof","frames":40,"v":1,"job_id":"j"}'),
]


@pytest.mark.parametrize(("codec", "record", "value"), BYTES)
def test_a_record_has_these_bytes(codec, record, value):
    """Consumers of system A read them: names, types, a string for a frame, fractions in boxes, six decimals in times."""
    assert codec.encode(record, ABOUT) == value
    assert codec.encode(codec.decode(value), ABOUT) == value


def test_an_empty_frame_is_a_record_too():
    """Its list is empty and not missing (defect A6)."""
    empty = Detected("j", "detections:cars", 1, 5, 200_000)

    assert json.loads(FOUND_IN.encode(empty, ABOUT))["detections"] == []


# --- what its own programs may write


def answer(**changes) -> bytes:
    """A detector of system A answers the frame that it was given."""
    whole = {
        "frame_id": "frame_00005",
        "video_id": "uav0000086_00000_v",
        "timestamp": "2026-05-17T14:33:00.000001+00:00",
        "detections": [{"label": "van", "confidence": 0.87, "bbox": [100, 200.25, 300, 400]}],
    }
    return json.dumps(whole | changes).encode()


def test_a_detector_of_system_a_is_understood():
    """The documented fields alone; seq and time are the frame's, the class is the label's."""
    found = Detections([[100, 200.25, 300, 400]], [0.87], [2])
    expected = Detected("j", "detections:cars", 1, 5, 200_000, detections=found, foreign=True)

    assert FOUND_IN.decode(answer(), about, "j") == expected
    assert FOUND_IN.decode(answer(job_id="j"), about, "?") == expected
    assert FOUND_IN.decode(answer(model="yolov8n", kind="detections", seq="none"), about, "j") == expected
    assert FOUND_IN.decode(answer(detections=[]), about, "j").detections == Detections.empty()


def test_a_tracker_of_system_a_is_understood():
    """Of its label, or without one of its class; nothing was unconfirmed before."""
    tracks = [
        {"track_id": 7, "class_id": 0, "bbox": [1, 2, 3, 4], "confidence": 0.5},
        {"track_id": 9, "class_id": 0, "label": "van", "bbox": [1, 2, 3, 4], "confidence": 0.5},
        {"track_id": 8, "class_id": 1, "bbox": [1, 2, 3, 4], "confidence": 0.5},
    ]
    whole = {"frame_id": "frame_00195", "video_id": "uav0000086_00000_v", "timestamp": "", "tracks": tracks}

    record = TRACKS.decode(json.dumps(whole).encode(), about, "j")

    assert isinstance(record, Tracked)
    assert (record.seq, record.frame, record.pts_us, record.foreign) == (39, 195, 7_800_000, True)
    assert record.tracks == Tracks([[1, 2, 3, 4]] * 2, [0.5] * 2, [0, 2], [7, 9], [0, 0])
    assert len(record.births) == 0


def test_labels_of_other_groups_are_not_kept():
    """As by our own detector: a person is no car, whoever says so."""
    both = [{"label": name, "confidence": 0.5, "bbox": [0, 0, 1, 1]} for name in ("person", "car")]

    record = FOUND_IN.decode(answer(detections=both), about, "j")

    assert record.detections == Detections([[0, 0, 1, 1]], [0.5], [0])


@pytest.mark.parametrize("key", ["", "other"])
def test_an_answer_for_no_job_that_runs_is_refused(key):
    """Neither the value nor its key names one."""
    with pytest.raises(Rejected) as raised:
        FOUND_IN.decode(answer(), about, key)

    assert raised.value.code == "unknown_job"
    assert FOUND_IN.salvage(answer(), about, key) is None


@pytest.mark.parametrize(
    "change",
    [
        {"frame_id": "frame_00006"},  # not sampled
        {"frame_id": "frame_00200"},  # behind the last one
        {"frame_id": "frame_9999999999999999999"},
        {"frame_id": "frame_5"},
        {"frame_id": 5},
        {"video_id": "another"},
    ],
)
def test_an_answer_that_names_no_frame_of_its_job_is_refused(change):
    """And no frame fails for it."""
    with pytest.raises(Rejected) as raised:
        FOUND_IN.decode(answer(**change), about, "j")

    assert raised.value.code == "invalid_record"
    assert FOUND_IN.salvage(answer(**change), about, "j") is None


@pytest.mark.parametrize(
    "found",
    [
        {"label": "cat", "confidence": 0.5, "bbox": [0, 0, 1, 1]},
        {"confidence": 0.5, "bbox": [0, 0, 1, 1]},
        {"label": "car", "confidence": 50, "bbox": [0, 0, 1, 1]},
        {"label": "car", "confidence": 0.5, "bbox": [5, 5, 1, 1]},
        {"label": "car", "confidence": 0.5, "bbox": [0, 0, 1]},
        "car",
    ],
)
def test_an_answer_whose_content_is_unusable_costs_its_frame(found):
    """An unknown label, a missing field, a value out of its range: the frame is `failed(invalid)`."""
    value = answer(detections=[found])

    with pytest.raises(Rejected) as raised:
        FOUND_IN.decode(value, about, "j")

    assert raised.value.code == "invalid_record"
    expected = Detected("j", "detections:cars", 1, 5, 200_000, "failed", "invalid", foreign=True)
    assert FOUND_IN.salvage(value, about, "j") == expected


def test_a_class_that_the_model_does_not_have_costs_its_frame():
    """Of a tracker that says no label."""
    track = {"track_id": 7, "class_id": 3, "bbox": [1, 2, 3, 4], "confidence": 0.5}
    value = json.dumps({"frame_id": "frame_00005", "tracks": [track]}).encode()

    with pytest.raises(Rejected, match="class 3 of job j"):
        TRACKS.decode(value, about, "j")
    lost = TRACKS.salvage(value, about, "j")
    assert isinstance(lost, Tracked)
    assert (lost.seq, lost.outcome, lost.reason, lost.foreign) == (1, "failed", "invalid", True)
