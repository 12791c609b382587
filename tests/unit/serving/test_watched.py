"""A store that tells: what was committed, and nothing that was not."""

import io
import json

import pytest

from sightline.adapters.sqlite.store import SqliteStore
from sightline.errors import Fenced
from sightline.logs import open_log
from sightline.ports import Commit, Job, Outgoing
from sightline.serving.config import now_us
from sightline.serving.telling import Telling
from sightline.serving.watched import WatchedStore

JOB = Job("00000000-0000-4000-8000-000000000001", "street.mp4", 0, owner="anna")


@pytest.fixture
def stream():
    return io.StringIO()


@pytest.fixture
def telling(stream):
    return Telling(open_log(stream, level="debug"), stages=["detect", "track"])


@pytest.fixture
def store(tmp_path, telling):
    file = SqliteStore(tmp_path / "store.sqlite", synchronous="NORMAL", clock=now_us)
    store = WatchedStore(file, file, telling)
    yield store
    store.close()


def lines(stream):
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def count(telling, name, **labels):
    return telling.registry.get_sample_value(f"sightline_{name}", labels) or 0


def test_a_job_is_told_of_once_for_each_state_that_it_reaches(store, stream, telling):
    """Who comes second has moved nothing."""
    assert store.create(JOB, [])
    assert not store.create(JOB, [])
    for state in ("processing", "processing", "failed", "cancelled"):
        store.advance(JOB.job_id, state, **({"code": "no_video"} if state == "failed" else {}))

    told = lines(stream)

    assert [line["event"] for line in told] == ["job accepted", "job moved", "job moved"]
    assert (told[0]["video"], told[0]["caller"]) == ("street.mp4", "anna")
    assert [line.get("state") for line in told[1:]] == ["processing", "failed"]
    assert told[2]["code"] == "no_video"
    assert {line["job_id"] for line in told} == {JOB.job_id}
    assert count(telling, "job_duration_seconds_count", outcome="failed") == 1
    assert count(telling, "job_duration_seconds_count", outcome="cancelled") == 0


def test_who_comes_too_late_is_counted(store, stream, telling):
    """By the stage whose commit was refused."""
    late = store.claim("track", "detections-cars", 0)
    store.claim("track", "detections-cars", 0)

    with pytest.raises(Fenced):
        store.commit(Commit(late, 1))

    assert count(telling, "fenced_total", stage="track") == 1
    assert [(line["level"], line["event"]) for line in lines(stream)] == [("warning", "fenced")]


def test_a_record_that_is_begun_again_is_counted(store, telling):
    """The first attempt is none of those."""
    at = store.claim("detect", "frames-main", 0)
    for _ in range(3):
        at, _ = store.commit(Commit(at, at.low_water, attempt=1))

    assert count(telling, "retries_total", stage="detect", reason="crashed") == 2


def test_dead_letters_are_counted_and_other_records_are_not(store, telling):
    """Whatever topic they lay on."""
    headers = (("x-dlq-stage", "detect"), ("x-dlq-reason", "invalid_record"))
    store.append([Outgoing("frames-main", 0, "j", b"{}"), Outgoing("frames-main.dlq", 0, "j", b"?", headers)])

    assert count(telling, "dead_letters_total", stage="detect", reason="invalid_record") == 1


def test_what_has_not_happened_is_0(telling):
    """A series that begins at 1 has not increased: the first late commit would wake nobody."""
    value = telling.registry.get_sample_value

    for stage, reasons in {"detect": ("crashed", "invalid_record"), "track": ("invalid_record",)}.items():
        assert value("sightline_fenced_total", {"stage": stage}) == 0
        for reason in reasons:
            assert value("sightline_dead_letters_total", {"stage": stage, "reason": reason}) == 0
    assert value("sightline_retries_total", {"stage": "detect", "reason": "crashed"}) == 0
    for outcome in ("ready", "failed", "cancelled"):
        assert value("sightline_job_duration_seconds_count", {"outcome": outcome}) == 0
