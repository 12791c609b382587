"""What decides a result: the run key changes with each of it, and with nothing else."""

import json
import shutil
import uuid
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction

import numpy as np
import pytest

import sightline as sl
from sightline import pipeline
from sightline.app.track import track
from sightline.errors import InvalidVideo, Misconfigured, NotFound
from sightline.jobs.derived import facts_of, plan_of
from sightline.jobs.recipe import NAMESPACE
from sightline.pipeline import Overrides
from sightline.ports import DetectorInfo
from sightline.settings import TrackOptions
from sightline.sources.identify import Span, identify
from sightline.sources.named import Source, content_hash
from sightline.sources.probe import probe
from sightline.types import ImageSpec
from tests.media import video
from tests.unit.scene import LABELS, images, see

INFO = DetectorInfo("m", "0" * 64, LABELS, "openvino", "2026.4", "f32", ImageSpec(640, 384))
CLOCK_START = datetime(1970, 1, 1, 0, 0, 0, 7, UTC)
TRAFFIC = pipeline.resolve(pipeline.load("traffic"), None, Overrides(), "track")


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """Four images, a tenth of a second."""
    return images(tmp_path_factory.mktemp("small") / "small", 4)


@pytest.fixture(scope="module")
def probed(small):
    return probe(Source("images", small, "small"), Fraction(40))


def run_json(source, out, **options) -> dict:
    run = sl.track(source, detector=see, labels=LABELS, out=out, **options)
    return json.loads((run.path / "run.json").read_bytes())


@pytest.fixture(scope="module")
def plain(small, tmp_path_factory) -> dict:
    """run.json with every setting at its default, and tables that tell the time."""
    return run_json(small, tmp_path_factory.mktemp("plain"), formats=["mot", "csv", "csv-a", "json-b"])


# --- settings

OWN = (
    'name = "traffic"\nrefine = true\nobject_conf = 0.3\n[[branches]]\nname = "main"\nconf = 0.1\niou = 0.7\n'
)
RESULT = {
    "pipeline": {"pipeline": "visdrone"},
    "conf": {"conf": 0.2},
    "iou": {"iou": 0.5},
    "max_det": {"max_det": 7},
    "vid_stride": {"vid_stride": 2},
    "classes": {"classes": ["car"]},
    "fps": {"fps": 29},
    "start": {"start": "30ms"},
    "end": {"end": "90ms"},
    "refine": {"refine": False},
    "camera_motion": {"camera_motion": "off"},
    "tracker.mode": {"tracker": "bytetrack"},
    "tracker.track_high_thresh": {"tracker": {"track_high_thresh": 0.5}},
    "tracker.track_low_thresh": {"tracker": {"track_low_thresh": 0.2}},
    "tracker.new_track_thresh": {"tracker": {"new_track_thresh": 0.8}},
    "tracker.match_thresh": {"tracker": {"match_thresh": 0.8}},
    "tracker.track_buffer": {"tracker": {"track_buffer": 60}},
    "tracker.fuse_score": {"tracker": {"fuse_score": False}},
    "tracker.evidence": {"tracker": {"evidence": False}},
}
# Model, engine and picture reach the key as what was loaded (below), two-wheelers where the model knows some (below);
# `device` and `batch` are in the engine's version; those of texts below.
ELSEWHERE = {
    "model",
    "imgsz",
    "engine",
    "device",
    "batch",
    "precision",
    "two_wheelers",
    "start_frame",
    "first_frame",
    "mot_origin",
    "size",
}
MACHINE = {
    "workers": {"workers": 3},
    "chunk_frames": {"chunk_frames": 1},
    "formats": {"formats": ["csv"]},
    "save_video": {"save_video": True},
    "keep": {"keep": True},
    "overwrite": {"overwrite": True},
}
CLOCK = {"start_time": {"start_time": "2026-11-21T08:00:00+01:00"}}
TEXTS = {
    "fps": {"fps": 25},
    "start_frame": {"start_frame": 2},
    "first_frame": {"first_frame": 0},
    "mot_origin": {"mot_origin": 1},
    "size": {"size": "640x480"},
}
PLACES = {"out", "project", "name"}


def kinds(kind: str) -> set[str]:
    """Options that say of themselves that they are of a kind."""
    names = set()
    for name, field in TrackOptions.model_fields.items():
        inner = getattr(field.annotation, "model_fields", None)
        for place, each in [(f"{name}.{key}", f) for key, f in inner.items()] if inner else [(name, field)]:
            if (each.json_schema_extra or {}).get("kind") == kind:
                names.add(place)
    return names


def test_every_option_is_tested_here():
    """A new one needs its place: does it decide the result or not?"""
    assert kinds("result") == RESULT.keys() | ELSEWHERE
    assert kinds("machine") == MACHINE.keys() | PLACES
    assert kinds("clock") == CLOCK.keys()


@pytest.mark.parametrize("options", RESULT.values(), ids=RESULT)
def test_a_result_setting_makes_another_run(plain, small, tmp_path, options):
    """Another run key, and with it another job."""
    other = run_json(small, tmp_path, **options)

    assert other["run_key"] != plain["run_key"]
    assert other["job_id"] != plain["job_id"]


@pytest.mark.parametrize("options", TEXTS.values(), ids=TEXTS)
def test_how_a_text_is_read_makes_another_run(tmp_path, options):
    """Rate, numbers of frames and pixels, and size of the picture; `run.json` says all of them."""
    text = tmp_path / "det.txt"
    text.write_text("".join(f"{frame},-1,{10 + frame},20,30,40,0.9\n" for frame in range(1, 9)))

    plain, other = (run_of_text(text, tmp_path / name, **each) for name, each in (("a", {}), ("b", options)))

    assert other["run_key"] != plain["run_key"]
    assert other["settings"] != plain["settings"]


def run_of_text(text, out, **options):
    report = track([text], TrackOptions.model_validate({"out": out, **options}))[0]
    return json.loads((report.path / "run.json").read_bytes())


@pytest.mark.parametrize("options", MACHINE.values(), ids=MACHINE)
def test_a_machine_setting_changes_no_byte(plain, small, tmp_path, options):
    """The same key and job, and the same bytes of each file that both runs have."""
    other = run_json(small, tmp_path, **options)

    assert (other["run_key"], other["job_id"]) == (plain["run_key"], plain["job_id"])
    both = plain["files"].keys() & other["files"].keys()
    assert len(both) > 10
    assert {name: other["files"][name] for name in both} == {name: plain["files"][name] for name in both}
    assert {**other, "files": 0} == {**plain, "files": 0}


def test_a_clock_setting_changes_only_what_tells_the_time(plain, small, tmp_path):
    """The same run, job, tracks and segments; `events.csv` and tables of nobody have no row here."""
    other = run_json(small, tmp_path, **CLOCK["start_time"], formats=["mot", "csv", "csv-a", "json-b"])

    assert {**other, "files": 0, "clock_start": None} == {**plain, "files": 0}
    assert other["clock_start"] == "2026-11-21T08:00:00+01:00"
    both = plain["files"].keys() & other["files"].keys()
    changed = {name for name in both if other["files"][name] != plain["files"][name]}
    assert changed == {"counts.csv", "csv-a/stats.csv", "csv-a/car_detections.csv", "csv-a/car_tracks.csv"}


def test_a_pipeline_of_ones_own_decides_by_what_is_in_it(plain, small, tmp_path):
    """Name, preprocessing and object_conf, keys that no flag has."""
    groups = '[groups]\ncars = ["car"]\npeople = ["person"]\n'
    blurred = OWN.replace("refine", 'preprocess = "blur-contrast"\nrefine', 1)
    variants = (OWN, OWN.replace("0.3", "0.25"), OWN.replace("traffic", "mine"), blurred)
    keys = {plain["run_key"]}
    for number, text in enumerate(variants):
        path = tmp_path / f"{number}.toml"
        path.write_text(text + groups)
        keys.add(run_json(small, tmp_path / str(number), pipeline=str(path))["run_key"])

    assert len(keys) == 4


# --- detector and source


@pytest.mark.parametrize(
    "change",
    [
        {"sha256": "1" * 64},
        {"labels": (*LABELS[:2], "cat")},
        {"engine": "onnx"},
        {"version": "2026.5"},
        {"precision": "bf16"},
        {"image": ImageSpec(640, 640)},
        {"image": ImageSpec(640, 384, "bgr")},
        {"image": ImageSpec(640, 384, fit="topleft")},
        {"image": ImageSpec(640, 384, pad=0)},
    ],
    ids=str,
)
def test_model_engine_and_picture_are_part_of_the_key(probed, change):
    """As they were resolved, not as they were asked for."""
    plain = identify(probed, TRAFFIC, INFO, Span())

    assert identify(probed, TRAFFIC, replace(INFO, **change), Span()).run_key != plain.run_key


def test_the_name_of_a_model_is_not(probed):
    """The same file under another name gives the same result."""
    plain = identify(probed, TRAFFIC, INFO, Span())

    assert identify(probed, TRAFFIC, replace(INFO, name="other"), Span()).run_key == plain.run_key


def test_the_job_is_a_uuid_of_the_key(probed):
    """Version 5 in a fixed namespace: the same on every machine."""
    made = identify(probed, TRAFFIC, INFO, Span())

    assert made.job_id == str(uuid.uuid5(NAMESPACE, made.run_key))
    assert uuid.UUID(made.job_id).version == 5
    assert str(NAMESPACE) == "6f1c1d0e-6d2a-5a0f-9f0e-0d5c7a3b9e11"


def test_the_source_counts_by_its_content(small, tmp_path):
    """A copy elsewhere has the same key, one other pixel another."""
    copy = shutil.copytree(small, tmp_path / "copy")
    sources = [Source("images", path, "v") for path in (small, copy)]
    one, other = (identify(probe(each, None), TRAFFIC, INFO, Span()).run_key for each in sources)
    assert one == other

    (copy / "0003.png").write_bytes((copy / "0002.png").read_bytes())
    assert identify(probe(sources[1], None), TRAFFIC, INFO, Span()).run_key != one


def test_hidden_files_are_no_images(small, tmp_path):
    """They are not read, so they decide nothing."""
    copy = Source("images", shutil.copytree(small, tmp_path / "copy"), "v")
    before = probe(copy, None)

    (copy.path / "._0000.png").write_bytes(b"what a Mac leaves behind")

    after = probe(copy, None)
    assert (len(after.index), after.stat) == (len(before.index), before.stat)


def test_size_and_hash_of_a_folder_are_those_of_its_images(small, probed):
    """Bytes of all images together."""
    assert probed.stat.size == sum(path.stat().st_size for path in small.iterdir())
    assert probed.stat.sha256 == content_hash(probed.source)


# --- which frames


def rows(probed, stride: int = 1, **span) -> list[int]:
    resolved = TRAFFIC.model_copy(update={"stride": stride})
    return plan_of(identify(probed, resolved, INFO, Span(**span)), probed.index).rows.tolist()


def test_a_range_takes_frames_from_its_start_to_before_its_end(probed):
    """40 images a second: 0, 25, 50 and 75 ms."""
    assert rows(probed) == [0, 1, 2, 3]
    assert rows(probed, start_us=25_000) == [1, 2, 3]
    assert rows(probed, start_us=25_001) == [2, 3]
    assert rows(probed, end_us=75_000) == [0, 1, 2]
    assert rows(probed, start_us=25_000, end_us=50_000) == [1]


def test_a_stride_begins_with_the_first_frame_of_the_range(probed):
    """Every second one."""
    assert rows(probed, 2) == [0, 2]
    assert rows(probed, 2, start_us=1) == [1, 3]
    assert rows(probed, 9) == [0]


@pytest.mark.parametrize(
    "span", [{"start_us": 75_001}, {"end_us": 0}, {"start_us": 50_000, "end_us": 50_000}]
)
def test_a_range_without_a_frame_is_a_usage_error(probed, span):
    """The message says how long the source is."""
    with pytest.raises(Misconfigured, match=r"it lasts 0\.100 s"):
        rows(probed, **span)


def test_facts_follow_the_sampled_frames(probed):
    """Rate and hits limit of every second frame of 40 a second; the clock is that of frame 0."""
    resolved = TRAFFIC.model_copy(update={"stride": 2})

    facts = facts_of(identify(probed, resolved, INFO, Span(clock_start=CLOCK_START)))

    assert (facts.rate, facts.min_hits, facts.clock_start) == (20, 7, CLOCK_START)
    assert facts.created_at_us == 7
    assert facts.groups == {"cars": (0,), "people": (1,)}
    assert (facts.width, facts.height) == (160, 96)


def test_least_frames_of_a_chunk_change_the_plan_and_no_recipe(probed):
    """A machine setting."""
    recipe = identify(probed, TRAFFIC, INFO, Span())

    one, many = (plan_of(recipe, probed.index, least) for least in (0, 1))

    assert (len(one.chunks), len(many.chunks)) == (1, 4)
    assert one.rows.tolist() == many.rows.tolist()


def test_a_group_of_which_the_model_has_no_label_is_named(probed):
    """With what the model knows."""
    with pytest.raises(Misconfigured, match=r"people wants .*the model knows car"):
        identify(probed, TRAFFIC, replace(INFO, labels=("car",)), Span())


def test_two_wheelers_are_a_result_setting_of_models_that_know_some(probed):
    """The run of a model without is the same with the rule and without it."""
    off = pipeline.resolve(pipeline.load("traffic"), None, Overrides(two_wheelers=False))
    bikes = replace(INFO, labels=(*LABELS, "bicycle"))

    with_rule, without = (identify(probed, each, bikes, Span()) for each in (TRAFFIC, off))

    assert with_rule.run_key != without.run_key
    assert with_rule.settings_json()["two_wheelers"] == {
        "group": "two-wheelers",
        "riders": "people",
        "version": 1,
    }
    assert facts_of(with_rule).two_wheelers == ("two-wheelers", "people")
    assert facts_of(without).two_wheelers is None
    assert identify(probed, TRAFFIC, INFO, Span()).run_key == identify(probed, off, INFO, Span()).run_key
    assert "two_wheelers" not in identify(probed, TRAFFIC, INFO, Span()).settings_json()


def test_the_rule_needs_both_groups(probed):
    """Where it was asked for; else people alone are people."""
    labels = replace(INFO, labels=(*LABELS, "bicycle"))
    people = Overrides(classes=("person",))
    asked = Overrides(classes=("person",), two_wheelers=True)

    quiet = identify(probed, pipeline.resolve(pipeline.load("traffic"), None, people), labels, Span())

    assert facts_of(quiet).two_wheelers is None
    with pytest.raises(Misconfigured, match="two_wheelers= needs the groups two-wheelers and people"):
        identify(probed, pipeline.resolve(pipeline.load("traffic"), None, asked), labels, Span())


# --- sources


def test_a_video_has_its_own_times(tmp_path):
    """--fps is for images, texts and raw streams."""
    path = video(tmp_path / "v.mp4", 12)
    source = Source("video", path, "v")

    probed = probe(source, None)

    assert len(probed.index) == 12
    assert probed.stat.size == path.stat().st_size
    assert np.diff(probed.index.pts_us).tolist() == [40_000] * 11
    with pytest.raises(Misconfigured, match="leave out fps="):
        probe(source, Fraction(25))


def test_a_raw_stream_takes_its_rate_and_has_another_key(tmp_path):
    """It has no times: 12 frames at 10 a second last 1.2 s."""
    source = Source("video", video(tmp_path / "v.mjpeg", 12, codec="mjpeg", pix_fmt="yuvj420p"), "v")

    assumed, given = probe(source, None), probe(source, Fraction(10))
    keys = {
        identify(assumed, TRAFFIC, INFO, Span()).run_key,
        identify(given, TRAFFIC, INFO, Span(fps=Fraction(10))).run_key,
    }

    assert assumed.index.duration_us == 480_000
    assert given.index.duration_us == 1_200_000
    assert len(keys) == 2


def test_a_source_that_is_gone_or_empty_is_said(tmp_path):
    """Before any work is done."""
    with pytest.raises(NotFound):
        probe(Source("video", tmp_path / "no.mp4", "no"), None)
    (tmp_path / "text.mp4").write_text("not a video")
    with pytest.raises(InvalidVideo, match=r"text"):
        probe(Source("video", tmp_path / "text.mp4", "text"), None)


def test_how_the_card_reads_the_model_is_part_of_the_key(probed):
    """The same file read with another order of colours gives other boxes."""
    keys = {
        identify(probed, TRAFFIC, INFO, Span(), reading=reading).run_key
        for reading in ((), ("yolov8", "rgb", "255.0"), ("yolov8", "bgr", "255.0"))
    }

    assert len(keys) == 3
