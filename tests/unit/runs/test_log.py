"""The log of a run: a JSON object a line, appended over all its starts."""

import json
from datetime import UTC, datetime

import pytest

from sightline.errors import Unavailable
from sightline.runs.log import RunLog


def noon() -> datetime:
    return datetime(2026, 1, 1, 12, tzinfo=UTC)


def test_every_line_has_time_level_and_event(tmp_path):
    """The rest where it applies; an earlier start's lines stay."""
    RunLog(tmp_path / "log.ndjson", noon).write("begun", video_id="straße")
    RunLog(tmp_path / "log.ndjson", noon).write("paused", "warning", code="disk_full", detail="x")

    lines = [json.loads(line) for line in (tmp_path / "log.ndjson").read_text().splitlines()]
    assert lines == [
        {"time": "2026-01-01T12:00:00.000Z", "level": "info", "event": "begun", "video_id": "straße"},
        {
            "time": "2026-01-01T12:00:00.000Z",
            "level": "warning",
            "event": "paused",
            "code": "disk_full",
            "detail": "x",
        },
    ]


def test_a_log_that_cannot_be_written_stops_the_run(tmp_path):
    """Nothing is swallowed: the run can go on later."""
    with pytest.raises(Unavailable):
        RunLog(tmp_path / "nowhere" / "log.ndjson", noon).write("begun")


def test_half_a_line_does_not_spoil_the_next(tmp_path):
    """A disk that was full, or a power cut, left it."""
    path = tmp_path / "log.ndjson"
    RunLog(path, noon).write("begun", video_id="straße")
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:30])

    RunLog(path, noon).write("begun", video_id="straße")

    assert path.read_bytes() == whole * 2
