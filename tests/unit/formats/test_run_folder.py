"""`run.json`, `timing.json` and the schemas of a run folder."""

import copy
import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import jsonschema
import msgspec
import pytest

from sightline.errors import Corrupt
from sightline.formats import run_folder
from sightline.formats.run_folder import Machine, RunFile, StageTiming, TimingFile
from sightline.ports import DetectorInfo, Stat
from sightline.types import Caveat, FrameTable, ImageSpec, SourceIndex

SCHEMAS = Path(__file__).resolve().parents[3] / "docs" / "reference" / "schemas"
SHA = "ab" * 32
DETECTOR = DetectorInfo(
    "yolox-nano", SHA, ("person", "car"), "openvino", "2026.4.1", "f32", ImageSpec(416, 320)
)
INDEX = SourceIndex(
    kind="video",
    name="street.mp4",
    codec="h264",
    width=640,
    height=480,
    rotation=0,
    stream=0,
    time_base=Fraction(1, 90_000),
    frame=[0, 1, 2],
    tick=[0, 3003, 6006],
    pts_us=[0, 33_367, 66_733],
    key=[True, False, False],
    duration_us=100_100,
    claimed_frames=4,
    gaps=((7, 9),),
)
FRAMES = FrameTable(
    [0, 1, 2], [0, 33_367, 66_733], ("ok", "failed", "skipped"), ("", "truncated", "not sampled")
)


def run_file(**changes):
    values = {
        "run_key": "0f" * 32,
        "job_id": "2b7c1d7e-5d0f-5a53-9d0e-000000000000",
        "video_id": "street",
        "clock_start": "2026-11-21T08:00:00+01:00",
        "versions": {"sightline": "0.1.0", "openvino": "2026.4.1"},
        "pipeline": "traffic",
        "settings": {"track": {"high": 0.6, "buffer": 30}, "conf": 0.1},
        "model": run_folder.model_of(DETECTOR),
        "engine": run_folder.engine_of(DETECTOR),
        "source": run_folder.source_of(INDEX, Stat(123, SHA), Fraction(30_000, 1001)),
        "frames": run_folder.frames_of(FRAMES, total=3),
        "warnings": run_folder.warnings_of([Caveat("vfr", "the frame rate varies")]),
        "files": run_folder.files_of({"tracks.csv": Stat(5, SHA), "mot/cars/street.txt": Stat(7, SHA)}),
    }
    return RunFile(**values | changes)


def timing_file(**changes):
    values = {
        "started_at": "2023-11-14T22:13:20Z",
        "finished_at": "2023-11-14T22:13:21.500000Z",
        "wall_s": 1.5,
        "cpu_s": 2.25,
        "looked_s": 1.25,
        "draw_s": 0.0,
        "fps": 2.0,
        "starts": 1,
        "peak_rss_bytes": 300_000_000,
        "calibration_s": None,
        "stages": {"feed": StageTiming(3, 0.1, None, None), "detect": StageTiming(3, 1.0, 300.0, 400.0)},
        "machine": Machine("a processor", 2, 8_000_000_000, "Linux 6", "3.11.9"),
        "machine_settings": {"workers": 2, "chunk_frames": None},
        "source_path": "videos/street.mp4",
    }
    return TimingFile(**values | changes)


SUMMARY = {
    "v": 1,
    "video_id": "street",
    "rule": {"text": "a track counts once it was seen in 10 frames", "min_hits": 10},
    "rate": "30000/1001",
    "groups": {
        "cars": {
            "unique": 2,
            "doubtful": 0,
            "peak": 1,
            "raw_ids": 3,
            "classes": {"car": {"unique": 2, "peak": 1}},
        }
    },
    "objects": [
        {"id": 1, "group": "cars", "label": "car", "from": 0.0, "to": 2.5, "why": "boxes", "doubts": ["gap"]},
        {"id": 2, "group": "cars", "from": 1.0, "to": 2.5, "refused": "stands", "doubts": []},
    ],
    "per_second": [{"t": 0, "group": "cars", "visible": 1, "entered": 1}],
}


def schema(name):
    return json.loads((SCHEMAS / f"{name}.schema.json").read_text())


def example(name):
    made = {"run": run_file, "timing": timing_file}
    return json.loads(run_folder.encode(made[name]())) if name in made else copy.deepcopy(SUMMARY)


def objects_of(value, where=()):
    if isinstance(value, dict):
        yield where, value
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(item, dict | list):
            yield from objects_of(item, (*where, key))


@pytest.mark.parametrize("name", ["run", "summary", "timing"])
def test_examples_follow_their_schema(name):
    """The schema itself is valid, and what is written fits it."""
    jsonschema.Draft202012Validator.check_schema(schema(name))

    jsonschema.validate(example(name), schema(name), jsonschema.Draft202012Validator)


@pytest.mark.parametrize("name", ["run", "summary", "timing"])
def test_the_schema_knows_every_key_and_no_other(name):
    """Each fixed key is required; a key that nobody named is refused. Free mappings are by name or setting."""
    free = {
        "settings",
        "machine_settings",
        "versions",
        "reasons",
        "files",
        "stages",
        "groups",
        "classes",
        "track",
    }
    for where, found in objects_of(example(name)):
        if where and where[-1] in free:
            continue
        for change in [*found, "surprise"]:
            wrong = example(name)
            place = wrong
            for step in where:
                place = place[step]
            if change in place:
                del place[change]
            else:
                place[change] = 1

            with pytest.raises(jsonschema.ValidationError):
                jsonschema.validate(wrong, schema(name), jsonschema.Draft202012Validator)


@pytest.mark.parametrize(("name", "form"), [("run", RunFile), ("timing", TimingFile)])
def test_keys_are_written_in_the_documented_order(name, form):
    """Schema, class and file agree."""
    order = list(schema(name)["properties"])

    assert list(form.__struct_fields__) == order
    assert list(example(name)) == order
    for where, found in objects_of(example(name)):
        if where and "properties" in schema(name)["properties"].get(where[0], {}) and len(where) == 1:
            assert list(found) == list(schema(name)["properties"][where[0]]["properties"])


def test_every_frame_is_accounted_for():
    """Sampled is ok, failed and skipped; what is not ok is listed with its reason."""
    frames = example("run")["frames"]

    assert frames == {
        "total": 3,
        "sampled": 3,
        "ok": 1,
        "failed": 1,
        "skipped": 1,
        "reasons": {"not sampled": 1, "truncated": 1},
        "not_ok": [
            {"frame": 1, "outcome": "failed", "reason": "truncated"},
            {"frame": 2, "outcome": "skipped", "reason": "not sampled"},
        ],
    }


def test_the_order_of_mappings_does_not_reach_the_bytes():
    """Settings, reasons and files are sorted, deep down."""
    one = run_file(settings={"a": {"x": 1, "y": 2}, "b": 1})
    other = run_file(settings={"b": 1, "a": {"y": 2, "x": 1}})

    assert run_folder.encode(one) == run_folder.encode(other)
    assert list(example("run")["files"]) == ["mot/cars/street.txt", "tracks.csv"]
    assert list(example("run")["settings"]) == ["conf", "track"]


def test_run_json_can_be_read_back():
    """The same bytes come out again."""
    blob = run_folder.encode(run_file())

    assert run_folder.encode(run_folder.decode_run(blob)) == blob
    assert blob.endswith(b"}\n")


@pytest.mark.parametrize(
    ("blob", "message"),
    [
        (b"{", "truncated"),
        (b"\xff", "run.json"),
        (b'{"v": 1}', "missing required field `run_key`"),
        (run_folder.encode(run_file(v=2)), "version 2, this program reads 1"),
        (run_folder.encode(run_file()).replace(b'"bytes": 123', b'"bytes": "123"'), "source"),
    ],
)
def test_a_damaged_run_json_is_corrupt(blob, message):
    """A folder that lost its account is never taken for a whole one."""
    with pytest.raises(Corrupt, match=message):
        run_folder.decode_run(blob)


def test_a_number_that_json_cannot_hold_is_an_error_with_its_place():
    """No NaN, and no silent null in its place."""
    with pytest.raises(ValueError, match=r"settings\.track\.high is nan"):
        run_folder.encode(run_file(settings={"track": {"high": float("nan")}}))
    with pytest.raises(ValueError, match=r"stages\.feed\.busy_s is inf"):
        run_folder.encode(timing_file(stages={"feed": StageTiming(1, float("inf"), None, None)}))


def test_source_and_detector_are_named_without_paths():
    """What is in `run.json` comes from the index, the hash and the detector."""
    found = example("run")

    assert found["source"]["rate"] == "30000/1001"
    assert found["source"]["gaps"] == [[7, 9]]
    assert found["engine"] == {
        "name": "openvino",
        "version": "2026.4.1",
        "precision": "f32",
        "imgsz": [416, 320],
    }
    assert run_folder.source_of(replace(INDEX, claimed_frames=None), Stat(1, SHA), Fraction(25)).rate == "25"
    assert msgspec.json.decode(run_folder.encode(run_file()))["model"]["labels"] == ["person", "car"]
