"""The schemas of the topics: what the codecs write is valid, and what they refuse is not."""

import json
import runpy
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from sightline.events import DialectA, DialectB, Native, OutboxEvents
from sightline.events.schemas import schemas
from tests.unit.events.dialects import about
from tests.unit.events.test_native import RECORDS
from tests.unit.events.test_system_a_records import BYTES as OF_A
from tests.unit.events.test_system_a_records import answer
from tests.unit.events.test_system_b_records import BYTES as OF_B
from tests.unit.events.test_system_b_records import EVENT_BYTES, prediction

ROOT = Path(__file__).resolve().parents[3]
PAGE = runpy.run_path(str(ROOT / "tools" / "docs" / "topics.py"))
GOLDEN = [
    *((f"native-{record.stream.partition(':')[0]}", value) for record, value in RECORDS),
    *((f"a-{record.stream.partition(':')[0]}", value) for _, record, value in OF_A),
    *((f"b-{record.stream.partition(':')[0]}", value) for _, record, value in OF_B),
    ("b-jobs", EVENT_BYTES),
    *PAGE["EXAMPLES"].items(),
]
ANSWERS = [("a-detections-answer", answer()), ("b-detections-answer", prediction()), *PAGE["ANSWERS"].items()]


@pytest.mark.parametrize("name", schemas())
def test_a_schema_is_one(name):
    """And has a file and an example."""
    Draft202012Validator.check_schema(schemas()[name])
    assert name in {**PAGE["EXAMPLES"], **PAGE["ANSWERS"]}
    assert f"{name}.json" in PAGE["files"]()
    assert '"_' not in json.dumps(schemas()[name]).replace('"_id"', "")


@pytest.mark.parametrize(("name", "value"), [*GOLDEN, *ANSWERS])
def test_a_record_is_valid(name, value):
    """Every golden one, and those that the page shows."""
    Draft202012Validator(schemas()[name]).validate(json.loads(value))


@pytest.mark.parametrize(("name", "value"), [each for each in GOLDEN if each[0] != "native-jobs"])
def test_a_misspelt_record_is_not(name, value):
    """As the codecs refuse it."""
    with pytest.raises(ValidationError):
        Draft202012Validator(schemas()[name]).validate({**json.loads(value), "outcom": "ok"})


def test_the_page_shows_what_the_codecs_read():
    """Its examples are records, its answers are understood."""
    codecs = {
        "native": Native(),
        "a-frames": DialectA("frames:main"),
        "a-detections": DialectA("detections:cars"),
        "a-tracks": DialectA("tracks:cars"),
        "b-frames": DialectB("frames:main"),
        "b-detections": DialectB("detections:cars"),
    }
    for name, value in PAGE["EXAMPLES"].items():
        if name.endswith("-jobs"):
            reader = OutboxEvents() if name == "b-jobs" else Native()
            assert reader.decode_job(value).job_id == PAGE["JOB"]
        else:
            codecs.get(name, codecs["native"]).decode(value)
    for name, value in PAGE["ANSWERS"].items():
        known = codecs[name.removesuffix("-answer")].decode(value, lambda job_id: about("j"), PAGE["JOB"])
        assert known.foreign
