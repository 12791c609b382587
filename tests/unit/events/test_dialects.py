"""The dialects of both founding systems: nothing is lost on the way, and each record is whole or refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.errors import Misconfigured, Rejected
from sightline.events import Detected, DialectA, DialectB, End, JobEvent, Native, Sampled, Totals
from tests.unit.events.dialects import ABOUT, FAILED, FORMS, FOUND, FRAME, TRACKED

A, B = DialectA("detections:cars"), DialectB("detections:cars")
RECORDS = {
    "a frame": (DialectA("frames:main"), FRAME),
    "a found": (A, FOUND),
    "a failed": (A, FAILED),
    "a tracks": (DialectA("tracks:cars"), TRACKED),
    "a end": (A, End("j", "detections:cars", 40)),
    "b frame": (DialectB("frames:main"), FRAME),
    "b found": (B, FOUND),
    "b failed": (B, FAILED),
    "b end": (B, End("j", "detections:cars", 40)),
}
each_record = pytest.mark.parametrize(("codec", "record"), RECORDS.values(), ids=RECORDS)


def fields(codec, record) -> dict:
    return json.loads(codec.encode(record, ABOUT))


def exact(record) -> tuple:
    """All of a record: its native form, which has every bit of its numbers, and what that leaves out."""
    beside = [record.path, record.frame_data] if isinstance(record, Sampled) else []
    return type(record), Native().encode(record), beside


@pytest.mark.parametrize("form", FORMS)
@given(data=st.data())
def test_no_bit_of_a_record_is_lost(form, data):
    """Whatever the numbers, the order of boxes, the outcome; and equal records have equal bytes."""
    codec, records = FORMS[form]
    record = data.draw(records)

    value = codec.encode(record, ABOUT)

    again = codec.decode(value)
    assert exact(again) == exact(record)
    assert codec.encode(again, ABOUT) == value


@each_record
def test_a_misspelt_field_is_refused(codec, record):
    """One by one: none of them is read as something that was left out."""
    whole = fields(codec, record)
    for name in whole:
        changed = {key if key != name else f"{name}s": value for key, value in whole.items()}
        if name == "v":
            continue  # without a version it is the record of another program, see there
        with pytest.raises(Rejected) as raised:
            codec.decode(json.dumps(changed).encode())
        assert raised.value.code == "invalid_record", name


@each_record
def test_a_record_of_a_newer_version_is_not_called_unreadable(codec, record):
    """A newer program wrote it: whatever else it holds, it is kept."""
    newer = json.dumps(fields(codec, record) | {"v": 3, "camera": 7}).encode()

    with pytest.raises(Misconfigured, match=r"version 3, this program reads [12]") as raised:
        codec.decode(newer)

    assert raised.value.code == "newer_record"
    assert codec.salvage(newer) is None


@each_record
def test_a_record_whose_content_is_unusable_names_its_frame_all_the_same(codec, record):
    """So that the frame fails and the job goes on; the end of a stream is an end."""
    lost = codec.salvage(json.dumps(fields(codec, record) | {"nonsense": 1}).encode())

    failed = (
        type(record)("j", record.stream, 1, 5, 200_000, "failed", "invalid") if record.seq == 1 else record
    )
    assert exact(lost) == exact(failed)


@each_record
def test_a_record_that_has_lost_what_it_is_called_by_is_not_salvaged(codec, record):
    """Its seq is never guessed."""
    whole = fields(codec, record)
    for name in {"job_id", "event_id", "seq", "pts_us", "frames"} & whole.keys():
        gone = {key: value for key, value in whole.items() if key != name}
        assert codec.salvage(json.dumps(gone).encode()) is None, name
    assert codec.salvage(json.dumps(whole | {"seq": 99, "frames": -1}).encode()) is None


@pytest.mark.parametrize(
    ("codec", "record", "change"),
    [
        (A, FOUND, {"frame_id": "frame_00006"}),
        (A, FOUND, {"frame_id": "frame_5"}),
        (A, FOUND, {"seq": 6}),
        (A, FOUND, {"seq": 1.0}),
        (A, FOUND, {"outcome": "lost"}),
        (A, FOUND, {"job_id": ""}),
        (A, FOUND, {"v": "1"}),
        (A, FOUND, {"v": None}),
        (A, FOUND, {"detections": [{"label": "car", "confidence": 0.5, "bbox": [1, 2, 3, 4]}]}),
        (
            A,
            FOUND,
            {"detections": [{"label": "car", "confidence": 0.5, "bbox": [9, 2, 3, 4], "class_id": 0}]},
        ),
        (A, FOUND, {"detections": [{"label": "car", "confidence": 0, "bbox": [1, 2, 3, 4], "class_id": 0}]}),
        (
            A,
            FOUND,
            {"detections": [{"label": "car", "confidence": 1.1, "bbox": [1, 2, 3, 4], "class_id": 0}]},
        ),
        (A, FOUND, {"detections": [{"label": "car", "confidence": 1, "bbox": [1, 2, 3], "class_id": 0}]}),
        (DialectA("tracks:cars"), TRACKED, {"origin": []}),
        (DialectA("tracks:cars"), TRACKED, {"origin": [4]}),
        (DialectA("frames:main"), FRAME, {"end": 2**63}),
        (B, FOUND, {"frame_id": 0}),
        (B, FOUND, {"frame_id": "5"}),
        (B, FOUND, {"kind": "frames"}),
        (B, FOUND, {"order": [0, 0]}),
        (B, FOUND, {"order": [0, 1, 2]}),
        (B, FOUND, {"prediction": {"frame": 6, "objects": []}}),
        (DialectB("frames:main"), FRAME, {"frame_data": "no base64"}),
        (DialectB("frames:main"), FRAME, {"media_type": "video"}),
    ],
)
def test_a_value_out_of_its_range_is_refused(codec, record, change):
    """Before it reaches a stage."""
    with pytest.raises(Rejected) as raised:
        codec.decode(json.dumps(fields(codec, record) | change).encode())

    assert raised.value.code == "invalid_record"


@pytest.mark.parametrize(
    "change", [{"box": [1, 2, 30, 41]}, {"xyxy": [1, 2, 3, 1e400]}, {"xyxy": [5, 2, 3, 4]}]
)
def test_a_box_that_is_not_that_of_its_corners_is_refused(change):
    """One of both is wrong, and nobody knows which."""
    whole = fields(B, FOUND)
    whole["prediction"]["objects"][0] |= change

    with pytest.raises(Rejected):
        B.decode(json.dumps(whole).replace("Infinity", "1e400").encode())


@pytest.mark.parametrize(
    "value", [b"", b"null", b"[]", b"{", b"\xff", b"[" * 10_000, b"{}", b'{"v":1}', b'{"v":null}']
)
@pytest.mark.parametrize("codec", [A, B, DialectA("frames:main"), DialectB("frames:main")])
def test_what_is_no_record_is_refused(codec, value):
    """As any other garbage."""
    with pytest.raises(Rejected):
        codec.decode(value)
    assert codec.salvage(value) is None


def test_a_record_on_the_wrong_topic_is_a_mistake_of_ours():
    """It would be read as one of another stream."""
    for wrong in (TRACKED, Detected("j", "detections:people", 0, 0, 0), Totals("j", "totals:cars", 0, 0, 0)):
        with pytest.raises(ValueError, match="on the topic of detections:cars"):
            A.encode(wrong, ABOUT)
    with pytest.raises(ValueError, match="on the topic of"):
        A.encode(JobEvent("j"))
    with pytest.raises(ValueError, match="about None"):
        A.encode(FOUND)
    with pytest.raises(Rejected):
        A.decode_job(b"{}")


@pytest.mark.parametrize("codec", [DialectA("frames:people"), DialectB("frames:people")])
def test_one_record_of_a_frame_goes_to_the_topic_of_every_branch(codec):
    """`car-frames` and `person-frames` hold the same bytes; the branch is the topic's."""
    other = type(codec)("frames:main")

    assert codec.encode(FRAME, ABOUT) == other.encode(FRAME, ABOUT)
    assert codec.decode(codec.encode(FRAME, ABOUT)).stream == "frames:people"


@pytest.mark.parametrize("codec", [A, B])
def test_a_class_without_a_label_is_a_mistake_of_ours(codec):
    """It would be read as no class at all."""
    record = Detected(
        "j", "detections:cars", 0, 0, 0, detections=type(FOUND.detections)([[0, 0, 1, 1]], [1], [3])
    )

    with pytest.raises(ValueError, match="class 3 of job j, whose model has 3 labels"):
        codec.encode(record, ABOUT)


@pytest.mark.parametrize("codec", [DialectA("frames:main"), DialectB("frames:main")])
def test_nobody_else_names_frames(codec):
    """Where one is decoded is known to feed alone; such a record never takes the place of feed's."""
    value = (
        b'{"frame_id":"frame_00005","event_id":"j","video_id":"street","timestamp":"2026-05-17T12:00:00Z"}'
    )

    with pytest.raises(Rejected, match="known to feed alone"):
        codec.decode(value, lambda job_id: ABOUT, "j")
    assert codec.salvage(value, lambda job_id: ABOUT, "j") is None


def test_a_time_beyond_all_calendars_is_written_as_the_last_one():
    """`pts_us` is exact; no source ends a stage by its clock."""
    far = Sampled("j", "frames:main", 0, 0, 2**62, row=0)
    codec = DialectA("frames:main")

    assert fields(codec, far)["timestamp"] == "9999-12-31T23:59:59.999999+00:00"
    assert codec.decode(codec.encode(far, ABOUT)) == far
