"""The laws of every stage: batches do not matter, a saved state goes on bit for bit, every record has its answer."""

import json
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sightline.errors import Corrupt, Misconfigured, Rejected
from sightline.events import Detected, End, JobEvent, Sampled, Totals, Tracked
from sightline.formats import segments
from sightline.stages.collect import SEGMENT, Collect
from sightline.stages.stats import Stats
from sightline.stages.track import Track
from sightline.types import Detections, FrameTable, Tracks, TrackTable
from sightline.vision.counting import CountRule, cumulative
from tests.laws.stage_scenes import CODEC, detected, identity, played, told
from tests.laws.tracker_scenes import BYTETRACK, EVERY

TRACKS = [Track(mode) for mode in EVERY]
RULES = st.builds(CountRule, st.integers(1, 6), st.integers(1, 12), st.integers(0, 400_000))


@st.composite
def cuts(draw, n: int, step: int = 1) -> list[int]:
    """Where a stream of n records may be cut into batches, some of them empty."""
    places = st.integers(0, n // step).map(lambda at: at * step)
    return sorted(draw(st.lists(places, max_size=4)))


def tracked(records) -> list:
    return list(played(Track(BYTETRACK), records).records)


# --- track


@given(st.sampled_from(TRACKS), detected(), st.data())
def test_track_does_not_see_how_records_are_batched(stage, records, data):
    """process(a + b) is process(a), then process(b): records and state."""
    places = data.draw(cuts(len(records)))

    assert told(stage, played(stage, records, places)) == told(stage, played(stage, records))


@given(st.sampled_from(TRACKS), detected(), st.data())
def test_track_goes_on_from_saved_bytes(stage, records, data):
    """Saved and loaded at any frames, the rest is the same bit for bit."""
    places = data.draw(cuts(len(records)))

    assert told(stage, played(stage, records, places, saved=True)) == told(stage, played(stage, records))


@given(st.sampled_from(TRACKS), detected())
def test_track_answers_every_record(stage, records):
    """One record a frame with its identity, time and outcome, failed and empty frames too, and the end."""
    answers = played(stage, records).records

    assert [identity(record) for record in answers] == [identity(record) for record in records]
    assert {record.stream for record in answers} == {"tracks:cars"}
    assert isinstance(answers[-1], End)
    assert not any(len(record.tracks) for record in answers[:-1] if record.outcome == "failed")


@given(st.sampled_from(TRACKS), detected(st.integers(1, 10)), st.data())
def test_a_damaged_tracker_state_is_refused(stage, records, data):
    """A flipped byte or a lost end never loads as another state; other versions and settings are told apart."""
    blob = bytearray(stage.encode(played(stage, records).state))
    at = data.draw(st.integers(0, len(blob) - 1))
    blob[at] ^= data.draw(st.integers(1, 255))

    with pytest.raises((Corrupt, Misconfigured)):
        stage.decode(bytes(blob))
    with pytest.raises((Corrupt, Misconfigured)):
        stage.decode(bytes(blob[:at]))


# --- stats


@given(RULES, detected(), st.data())
def test_stats_does_not_see_how_records_are_batched(rule, records, data):
    """process(a + b) is process(a), then process(b): records and state."""
    stage, stream = Stats(rule), tracked(records)
    places = data.draw(cuts(len(stream)))

    assert told(stage, played(stage, stream, places)) == told(stage, played(stage, stream))


@given(RULES, detected(), st.data())
def test_stats_goes_on_from_saved_bytes(rule, records, data):
    """Saved and loaded at any frames, the rest is the same bit for bit."""
    stage, stream = Stats(rule), tracked(records)
    places = data.draw(cuts(len(stream)))

    assert told(stage, played(stage, stream, places, saved=True)) == told(stage, played(stage, stream))


@given(RULES, detected())
def test_stats_answers_every_record(rule, records):
    """Totals never fall, a failed frame has those of the frame before, and the end follows the last one."""
    answers = played(Stats(rule), tracked(records)).records

    assert [identity(record) for record in answers] == [identity(record) for record in records]
    assert {record.stream for record in answers} == {"totals:cars"}
    totals = [(0, 0), *((record.unique, record.raw_ids) for record in answers[:-1])]
    for before, after, record in zip(totals, totals[1:], answers, strict=False):
        assert after >= before
        assert after == before or record.outcome == "ok"


@given(detected(), st.integers(1, 6))
def test_stats_counts_what_the_finished_job_counts(records, min_hits):
    """Frame by frame the same numbers as counting all published tracks at once."""
    frames = tracked(records)[:-1]
    stage = Stats(CountRule(min_hits, 1000, 10**9))

    totals = [record.unique for record in played(stage, frames).records]

    rows = [(f.seq, t) for f in frames for t in range(len(f.tracks))]
    table = TrackTable(
        [seq for seq, _ in rows],
        [frames[seq].tracks.track_id[t] for seq, t in rows],
        [frames[seq].tracks.class_id[t] for seq, t in rows],
        np.array([frames[seq].tracks.xyxy[t] for seq, t in rows]),
        [frames[seq].tracks.confidence[t] for seq, t in rows],
        [frames[seq].tracks.origin[t] for seq, t in rows],
    )
    job = FrameTable(
        [f.frame for f in frames],
        [f.pts_us for f in frames],
        tuple(f.outcome for f in frames),
        tuple(f.reason for f in frames),
    )
    assert totals == cumulative(job, table, min_hits).tolist()


# --- collect

KINDS = st.sampled_from(["detections", "tracks", "totals"])
LONG = st.sampled_from([1, 127, 128, 129, 256, 300])


def of_kind(kind: str, records) -> list:
    if kind == "detections":
        return list(records)
    frames = tracked(records)
    return frames if kind == "tracks" else list(played(Stats(CountRule(3)), frames).records)


@given(KINDS, detected(LONG), st.data())
def test_collect_does_not_see_how_segments_are_batched(kind, records, data):
    """Any batches of whole segments give the same blobs, saved and loaded in between or not."""
    stage, stream = Collect("jobs/j1/"), of_kind(kind, records)
    places = data.draw(cuts(len(stream), SEGMENT))

    assert told(stage, played(stage, stream, places)) == told(stage, played(stage, stream))
    assert told(stage, played(stage, stream, places, saved=True)) == told(stage, played(stage, stream))


@given(KINDS, detected(LONG))
def test_collect_keeps_every_record(kind, records):
    """Joined again, the segments hold each frame once with its outcome and reason, and every box or total."""
    stream = of_kind(kind, records)[:-1]

    blobs = played(Collect(), stream).blobs
    joined = segments.join([segments.decode(blob.value) for blob in blobs])

    assert joined.kind == kind
    assert joined.frames.frame.tolist() == [record.frame for record in stream]
    assert joined.frames.pts_us.tolist() == [record.pts_us for record in stream]
    assert joined.frames.outcome == tuple(record.outcome for record in stream)
    assert joined.frames.reason == tuple(record.reason for record in stream)
    if kind == "totals":
        assert joined.unique.tolist() == [record.unique for record in stream]
        assert joined.raw_ids.tolist() == [record.raw_ids for record in stream]
        return
    boxes = {"detections": "detections", "tracks": "tracks"}[kind]
    expected = [(record.seq, tuple(box)) for record in stream for box in getattr(record, boxes).xyxy.tolist()]
    if kind == "tracks":
        births = [record.births for record in stream]
        expected += [
            (int(seq), tuple(box))
            for table in births
            for seq, box in zip(table.seq, table.xyxy.tolist(), strict=True)
        ]
    found = zip(joined.rows.seq.tolist(), map(tuple, joined.rows.xyxy.tolist()), strict=True)
    assert sorted(found) == sorted(expected)


# --- records

COUNT, TIME, CLASS = st.integers(0, 2**62), st.integers(-(2**62), 2**62), st.integers(0, 2**31 - 1)
SEQ = st.integers(0, 2**53 - 1)
WORD = st.text(st.characters(codec="utf-8"), max_size=12)
UNIT = st.floats(0, 1, exclude_min=True)
PIXEL = st.floats(-1e6, 1e6)


@st.composite
def boxes(draw, n: int) -> list[list[float]]:
    corners = draw(st.lists(st.tuples(PIXEL, PIXEL, PIXEL, PIXEL), min_size=n, max_size=n))
    return [[min(a, c), min(b, d), max(a, c), max(b, d)] for a, b, c, d in corners]


def column(draw, values, n: int) -> list:
    return draw(st.lists(values, min_size=n, max_size=n))


@st.composite
def any_record(draw):
    """A record of any kind with any content that a stage could give it."""
    kind = draw(st.sampled_from(["frames", "detections", "tracks", "totals", "eof"]))
    job_id, part, seq = (
        draw(st.text(st.characters(codec="utf-8"), min_size=1)),
        draw(WORD) or "cars",
        draw(SEQ),
    )
    if kind == "eof":
        return End(job_id, f"tracks:{part}", seq)
    outcome = draw(st.sampled_from(["ok", "failed", "skipped"]))
    at = (job_id, f"{kind}:{part}", seq, draw(st.integers(seq, 2**62)), draw(TIME), outcome, draw(WORD))
    n = draw(st.integers(0, 3))
    match kind:
        case "frames":
            ends = draw(st.tuples(st.none() | TIME, st.none() | TIME))
            return Sampled(*at, draw(COUNT), draw(TIME), *column(draw, COUNT, 3), *ends)
        case "detections":
            found = Detections(draw(boxes(n)), column(draw, UNIT, n), column(draw, CLASS, n))
            return Detected(*at, detections=found)
        case "tracks":
            ids, classes = column(draw, COUNT, n), column(draw, CLASS, n)
            shown = Tracks(
                draw(boxes(n)), column(draw, UNIT, n), classes, ids, column(draw, st.integers(0, 3), n)
            )
            seqs, scores = column(draw, SEQ, n), column(draw, UNIT, n)
            births = TrackTable(seqs, ids, classes, draw(boxes(n)), scores, [2] * n)
            return Tracked(*at, tracks=shown, births=births)
    return Totals(*at, *column(draw, COUNT, 2))


def content(value) -> object:
    """A record as plain values."""
    if isinstance(value, np.ndarray):
        return value.dtype, value.tolist()
    if hasattr(value, "__dataclass_fields__"):
        return type(value), [content(getattr(value, field.name)) for field in fields(value)]
    return value


@given(any_record())
def test_a_record_is_what_was_written(record):
    """decode(encode(record)) is the record, every field and bit of it, and encodes to the same bytes."""
    again = CODEC.decode(CODEC.encode(record))

    assert content(again) == content(record)
    assert CODEC.encode(again) == CODEC.encode(record)


@given(st.text(st.characters(codec="utf-8"), min_size=1))
def test_a_job_event_is_what_was_written(job_id):
    """For any job_id."""
    assert CODEC.decode_job(CODEC.encode(JobEvent(job_id))) == JobEvent(job_id)


GOOD = b'{"v":1,"kind":"detections","job_id":"j","stream":"detections:cars","seq":3,"frame":3,"pts_us":120000'
BAD = {
    "nothing": b"",
    "not JSON": b"hello",
    "not UTF-8": b'{"v":1,"job_id":"\xff"}',
    "half": GOOD,
    "no version": GOOD.replace(b'"v":1,', b"") + b"}",
    "no seq": GOOD.replace(b'"seq":3,', b"") + b"}",
    "a seq below zero": GOOD.replace(b'"seq":3', b'"seq":-1') + b"}",
    "a huge seq": GOOD.replace(b'"seq":3', b'"seq":9007199254740992') + b"}",
    "an endless seq": GOOD.replace(b'"seq":3', b'"seq":' + b"9" * 400) + b"}",
    "a seq that is a text": GOOD.replace(b'"seq":3', b'"seq":"3"') + b"}",
    "a seq with a fraction": GOOD.replace(b'"seq":3', b'"seq":3.5') + b"}",
    "no job": GOOD.replace(b'"job_id":"j"', b'"job_id":""') + b"}",
    "a kind that is not there": GOOD.replace(b'"kind":"detections"', b'"kind":"pixels"') + b"}",
    "an outcome that is not there": GOOD + b',"outcome":"perhaps"}',
    "a list": b"[" + GOOD + b"}]",
    "NaN": GOOD + b',"xyxy":[[0,0,NaN,1]],"confidence":[0.5],"class_id":[0]}',
    "null in a box": GOOD + b',"xyxy":[[0,0,null,1]],"confidence":[0.5],"class_id":[0]}',
    "an infinite box": GOOD + b',"xyxy":[[0,0,1e999,1]],"confidence":[0.5],"class_id":[0]}',
    "boxes whose sum is infinite": GOOD + b',"xyxy":[[0,0,1e308,1e308]],"confidence":[0.5],"class_id":[0]}',
    "three numbers in a box": GOOD + b',"xyxy":[[0,0,1]],"confidence":[0.5],"class_id":[0]}',
    "a box that is turned over": GOOD + b',"xyxy":[[9,0,1,1]],"confidence":[0.5],"class_id":[0]}',
    "fewer confidences than boxes": GOOD + b',"xyxy":[[0,0,1,1]],"confidence":[],"class_id":[0]}',
    "more classes than boxes": GOOD + b',"xyxy":[[0,0,1,1]],"confidence":[0.5],"class_id":[0,1]}',
    "no confidence": GOOD + b',"xyxy":[[0,0,1,1]],"confidence":[0],"class_id":[0]}',
    "too much confidence": GOOD + b',"xyxy":[[0,0,1,1]],"confidence":[1.5],"class_id":[0]}',
    "deep nesting": GOOD + b',"more":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "deep nesting in a box": GOOD + b',"xyxy":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
}
NEWER = GOOD.replace(b'"v":1', b'"v":3') + b"}"
HUGE = {
    "a huge class": GOOD + b',"xyxy":[[0,0,1,1]],"confidence":[0.5],"class_id":[18446744073709551615]}',
    "an endless class": GOOD + b',"xyxy":[[0,0,1,1]],"confidence":[0.5],"class_id":[' + b"9" * 40 + b"]}",
    "a huge frame": GOOD.replace(b'"frame":3', b'"frame":18446744073709551615') + b"}",
    "a huge time": GOOD.replace(b'"pts_us":120000', b'"pts_us":' + b"9" * 40) + b"}",
}


@pytest.mark.parametrize("value", BAD.values(), ids=BAD)
def test_a_record_that_no_stage_wrote_is_rejected(value):
    """Whatever is wrong with it, the reader gets `Rejected` and nothing else."""
    with pytest.raises(Rejected) as error:
        CODEC.decode(value)

    assert error.value.code == "invalid_record"


@pytest.mark.parametrize("value", HUGE.values(), ids=HUGE)
def test_a_number_that_no_column_holds_is_rejected(value):
    """Class ids, frames and times beyond int64 would end `track` or `collect` when they become columns."""
    with pytest.raises(Rejected):
        CODEC.decode(value)


@pytest.mark.parametrize("stream", ["tracks:cars", "frames:main", "detections", "", "nothing:cars"])
def test_a_record_on_the_wrong_stream_is_rejected(stream):
    """Its kind is that of its stream, or a stage would be given what it cannot fold."""
    with pytest.raises(Rejected):
        CODEC.decode(GOOD.replace(b"detections:cars", stream.encode()) + b"}")


PIECES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@given(any_record(), st.data())
def test_a_record_with_one_changed_field_is_read_or_rejected(record, data):
    """Any JSON value in any place: never another exception, and what is read can be written again.

    A higher version is no fault of the record: this program is too old for it, and stops.
    """
    wire = json.loads(CODEC.encode(record))
    wire[data.draw(st.sampled_from(sorted(wire.keys() - {"stream", "kind"})))] = data.draw(PIECES)
    value = json.dumps(wire).encode()

    newer = isinstance(wire["v"], int | float) and wire["v"] > 1
    try:
        again = CODEC.decode(value)
    except Rejected:
        return
    except Misconfigured:
        if newer:
            return
        raise

    assert CODEC.decode(CODEC.encode(again)).seq == again.seq


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_rejected(value):
    """Never another exception, from records and job events alike; salvaging never raises."""
    for read in (CODEC.decode, CODEC.decode_job):
        with pytest.raises(Rejected):
            read(value)
    assert CODEC.salvage(value) is None


@pytest.mark.parametrize(
    "value",
    [b"", b"{}", b'{"v":1,"job_id":7}', b"[" * 100_000],
    ids=["nothing", "empty", "a number", "deep nesting"],
)
def test_a_job_event_that_nobody_wrote_is_rejected(value):
    """As a record is."""
    with pytest.raises(Rejected):
        CODEC.decode_job(value)


def test_a_job_event_of_no_job_is_rejected():
    """As a record is."""
    with pytest.raises(Rejected):
        CODEC.decode_job(b'{"v":1,"job_id":""}')


def test_what_a_newer_program_wrote_is_not_rejected_but_kept_for_it():
    """A record or a job event: during an upgrade nobody buries what another one can read."""
    for read, value in ((CODEC.decode, NEWER), (CODEC.decode_job, b'{"v":2,"job_id":"j"}')):
        with pytest.raises(Misconfigured) as error:
            read(value)
        assert error.value.code == "newer_record"


def test_an_unusable_record_that_names_its_frame_is_salvaged_as_failed():
    """Its frame fails by name; one without identity or of another version is left to the dead letters."""
    broken = GOOD + b',"xyxy":"none"}'

    saved = CODEC.salvage(broken)

    assert isinstance(saved, Detected)
    assert identity(saved) == ("j", 3, 3, 120000, "failed", "invalid")
    assert CODEC.salvage(broken.replace(b'"v":1', b'"v":3')) is None
    assert CODEC.salvage(broken.replace(b'"job_id":"j",', b"")) is None
    assert CODEC.salvage(broken.replace(b"detections:cars", b"detections:")) is None
    assert CODEC.salvage(broken.replace(b"detections:cars", b"nothing:cars")) is None


@given(any_record(), st.integers(0, 2**40), st.integers(1, 2**40))
def test_salvage_reads_every_form_that_encode_writes(record, later, pts_us):
    """Of any kind, and at seq 0, where `encode` leaves out frame and time because they are 0."""
    at = {"frame": record.seq + later, "pts_us": pts_us if record.seq else 0}
    record = record if isinstance(record, End) else replace(record, **at)

    saved = CODEC.salvage(CODEC.encode(record))

    if isinstance(record, End):
        assert saved == record
        return
    assert type(saved) is type(record)
    assert identity(saved) == (*identity(record)[:4], "failed", "invalid")
    assert saved.stream == record.stream
    assert CODEC.encode(CODEC.decode(CODEC.encode(saved))) == CODEC.encode(saved)


@pytest.mark.parametrize("lost", [b'"frame":3,', b',"pts_us":120000'])
def test_a_frame_that_has_lost_its_number_or_time_is_not_guessed(lost):
    """Only at seq 0 are they left out; elsewhere 0 would be another frame's."""
    broken = GOOD + b',"xyxy":"none"}'

    assert CODEC.salvage(broken.replace(lost, b"")) is None
    assert CODEC.salvage(broken.replace(lost, b"").replace(b'"seq":3', b'"seq":0')) is not None
