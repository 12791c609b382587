"""The native form: bytes that never change, fields that are there or the record is refused."""

import json

import msgspec
import pytest

from sightline.camera import Motion
from sightline.errors import Misconfigured, Rejected
from sightline.events import (
    Detected,
    End,
    JobEvent,
    Native,
    Sampled,
    Totals,
    Tracked,
    completed,
    native,
)
from sightline.types import Detections, Tracks, TrackTable

CODEC = Native()
BOXES = Detections([[1.5, 2, 30, 40]], [0.5], [2])
TRACKS = Tracks([[1.5, 2, 30, 40]], [0.5], [2], [7], [0])
BIRTHS = TrackTable([3], [7], [2], [[1, 2, 3, 4]], [0.25], [3])
RECORDS = [
    (
        Sampled("j", "frames:main", 5, 6, 200_000, "ok", "", 6, 6, 0, 0, 40, None, 40),
        b'{"v":1,"kind":"frames","job_id":"j","stream":"frames:main","seq":5,"frame":6,"pts_us":200000,'
        b'"row":6,"tick":6,"chunk":0,"first":0,"end":40,"end_tick":40}',
    ),
    (
        Detected("j", "detections:cars", 0, 0, 0, "ok", "", BOXES),
        b'{"v":1,"kind":"detections","job_id":"j","stream":"detections:cars","seq":0,'
        b'"xyxy":[[1.5,2.0,30.0,40.0]],"confidence":[0.5],"class_id":[2]}',
    ),
    (
        Detected("j", "detections:cars", 1, 1, 40_000, "failed", "undecodable"),
        b'{"v":1,"kind":"detections","job_id":"j","stream":"detections:cars","seq":1,"frame":1,"pts_us":40000,'
        b'"outcome":"failed","reason":"undecodable"}',
    ),
    (
        Tracked("j", "tracks:cars", 9, 9, 360_000, "ok", "", TRACKS, BIRTHS),
        b'{"v":1,"kind":"tracks","job_id":"j","stream":"tracks:cars","seq":9,"frame":9,"pts_us":360000,'
        b'"xyxy":[[1.5,2.0,30.0,40.0]],"confidence":[0.5],"class_id":[2],"track_id":[7],"origin":[0],'
        b'"births":[[3,7,2,1.0,2.0,3.0,4.0,0.25]]}',
    ),
    (
        Totals("j", "totals:cars", 1, 1, 40_000, "ok", "", 0, 2),
        b'{"v":1,"kind":"totals","job_id":"j","stream":"totals:cars","seq":1,"frame":1,"pts_us":40000,'
        b'"unique":0,"raw_ids":2}',
    ),
    (End("j", "tracks:cars", 10), b'{"v":1,"kind":"eof","job_id":"j","stream":"tracks:cars","seq":10}'),
]
# Of version 2: they say something of the camera.
OF_CAMERAS = [
    (
        Sampled(
            *("j", "frames:main", 5, 6, 200_000, "ok", "", 6, 6, 0, 0, 40, None, 40),
            before=(5, 5),
            with_look=True,
            motion=Motion(1.0, 0.0, 2.5, -1.0),
        ),
        b'{"v":2,"kind":"frames","job_id":"j","stream":"frames:main","seq":5,"frame":6,"pts_us":200000,'
        b'"row":6,"tick":6,"chunk":0,"first":0,"end":40,"end_tick":40,"before":[5,5],"with_look":true,'
        b'"motion":[1.0,0.0,2.5,-1.0]}',
    ),
    (
        Detected(
            *("j", "detections:cars", 1, 1, 40_000), motion=Motion(1.0002, -0.125, 2.5, -1.0), look=b"a look"
        ),
        b'{"v":2,"kind":"detections","job_id":"j","stream":"detections:cars","seq":1,"frame":1,"pts_us":40000,'
        b'"motion":[1.0002,-0.125,2.5,-1.0],"look":"YSBsb29r"}',
    ),
    (
        Tracked(*("j", "tracks:cars", 1, 1, 40_000), motion=Motion(1.0, 0.0, 0.0, 0.0), look=b"a look"),
        b'{"v":2,"kind":"tracks","job_id":"j","stream":"tracks:cars","seq":1,"frame":1,"pts_us":40000,'
        b'"motion":[1.0,0.0,0.0,0.0],"look":"YSBsb29r"}',
    ),
]
REQUIRED = [
    (record, name)
    for record, names in {
        0: ("row", "tick", "chunk", "first", "end"),
        1: (),
        3: (),
        4: ("unique", "raw_ids"),
        5: (),
    }.items()
    for name in ("v", "kind", "job_id", "stream", "seq", *names)
]


def fields(number: int) -> dict:
    return json.loads(RECORDS[number][1])


def refused(changed: object) -> None:
    with pytest.raises(Rejected) as error:
        CODEC.decode(json.dumps(changed).encode())
    assert error.value.code == "invalid_record"


@pytest.mark.parametrize(
    ("record", "value"),
    [*RECORDS, *OF_CAMERAS],
    ids=[type(record).__name__ for record, _ in (*RECORDS, *OF_CAMERAS)],
)
def test_a_record_has_these_bytes(record, value):
    """They lie in files, and others read them."""
    assert CODEC.encode(record) == value
    assert CODEC.encode(CODEC.decode(value)) == value


@pytest.mark.parametrize(("number", "name"), REQUIRED)
def test_a_field_that_its_kind_needs_is_required(number, name):
    """A frame without a row is no frame of row 0, a misspelt total is no 0."""
    whole = fields(number)
    gone = {key: value for key, value in whole.items() if key != name}

    refused(gone)
    refused({key if key != name else f"{name}s": value for key, value in whole.items()})


@pytest.mark.parametrize("number", range(len(RECORDS)))
def test_an_unknown_field_is_refused(number):
    """Most likely it is a known one, misspelt; a form with more fields is another version."""
    refused(fields(number) | {"outcom": "failed"})


@pytest.mark.parametrize("number", range(len(RECORDS)))
def test_a_record_of_a_newer_version_is_not_called_unreadable(number):
    """A newer program wrote it, during an upgrade say: this one says so, whatever else the record holds."""
    newer = fields(number) | {"v": 3, "camera": 7}

    with pytest.raises(Misconfigured, match="version 3, this program reads 2") as raised:
        CODEC.decode(msgspec.json.encode(newer))

    assert raised.value.code == "newer_record"
    assert CODEC.salvage(msgspec.json.encode(newer)) is None


@pytest.mark.parametrize(
    ("number", "change"),
    [
        (1, {"class_id": [-5]}),
        (1, {"class_id": [2.5]}),
        (1, {"class_id": []}),
        (1, {"xyxy": [[30, 2, 1, 40]]}),
        (1, {"xyxy": [[1, 2, 3]]}),
        (1, {"confidence": [1.0000001]}),
        (1, {"confidence": [0]}),
        (1, {"frame": -1}),
        (1, {"seq": -1}),
        (1, {"seq": 2**53}),
        (1, {"job_id": ""}),
        (1, {"stream": "tracks:cars"}),
        (1, {"stream": "detections"}),
        (1, {"unique": 3}),
        (2, {"frame": 0}),
        (0, {"row": -1}),
        (0, {"chunk": -1}),
        (0, {"end": 2**63}),
        (3, {"track_id": [-7]}),
        (3, {"origin": [4]}),
        (3, {"births": [[3, 7, -2, 1, 2, 3, 4, 0.25]]}),
        (4, {"unique": -1}),
        (4, {"unique": None}),
        (4, {"kind": "tracks", "stream": "tracks:cars"}),
        (4, {"kind": "sums"}),
        (5, {"seq": "10"}),
    ],
)
def test_a_value_out_of_its_range_is_refused(number, change):
    """Before it reaches a stage."""
    refused(fields(number) | change)


@pytest.mark.parametrize("value", [b"", b"null", b"[]", b"{", b"\xff", b"[" * 10_000])
def test_what_is_no_object_is_refused(value):
    """As any other garbage."""
    with pytest.raises(Rejected):
        CODEC.decode(value)
    assert CODEC.salvage(value) is None


@pytest.mark.parametrize("number", range(5))
def test_a_record_whose_content_is_unusable_names_its_frame_all_the_same(number):
    """So that the frame fails and the job goes on; the end of a stream is an end."""
    whole = fields(number)

    lost = CODEC.salvage(json.dumps(whole | {"nonsense": 1}).encode())

    assert (lost.job_id, lost.stream, lost.seq) == ("j", whole["stream"], whole["seq"])
    assert (lost.outcome, lost.reason) == ("failed", "invalid")
    assert CODEC.salvage(json.dumps(fields(5) | {"nonsense": 1}).encode()) == End("j", "tracks:cars", 10)


def test_a_record_that_left_out_what_was_0_is_completed():
    """As the first release wrote it; every other value stays as it is."""
    old = b'{"v":1,"kind":"totals","job_id":"j","stream":"totals:cars","seq":1,"frame":1,"pts_us":40000,"raw_ids":2}'

    assert completed(old) == RECORDS[4][1]
    for value in (*(value for _, value in RECORDS), b"", b"[]", b"\xff", b'{"kind":3}', b'{"kind":"totals"}'):
        assert completed(value) == value


def test_a_job_event_is_no_record_and_a_record_no_job_event():
    """Each has its own topic."""
    event = CODEC.encode(JobEvent("j"))

    assert CODEC.decode_job(event) == JobEvent("j")
    with pytest.raises(Rejected):
        CODEC.decode(event)
    for value in (b"", b"{}", b'{"v":0,"job_id":"j"}', b'{"v":1,"job_id":""}'):
        with pytest.raises(Rejected):
            CODEC.decode_job(value)
    with pytest.raises(Misconfigured, match="version 2"):
        CODEC.decode_job(b'{"v":2,"job_id":"j"}')


def test_every_topic_speaks_the_native_form():
    """Until older dialects come."""
    assert native("jobs").encode(End("j", "tracks:cars", 10)) == RECORDS[5][1]
