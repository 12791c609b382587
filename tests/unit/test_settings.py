"""Settings: one list of options, five sources, the first that says something wins."""

import re
import tomllib
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from sightline.errors import Misconfigured
from sightline.pipeline import Overrides
from sightline.settings import (
    DetectOptions,
    ServeOptions,
    TrackerOptions,
    TrackOptions,
    about,
    example,
    flags_of,
    load,
    load_serve,
    schema,
    user_file,
    variable,
)
from sightline.settings.load import all_keys, leaves
from sightline.settings.words import duration, frame_rate, image_size, words

KEYS = all_keys()


# --- sources -----------------------------------------------------------------------------------------------------


@given(st.lists(st.one_of(st.none(), st.integers(1, 500)), min_size=4, max_size=4))
def test_the_first_source_that_says_something_wins(tmp_path_factory, said):
    """A flag, a variable, the file of the folder, the user's own file, the default; and its name is kept."""
    flag, env_value, file_value, own_value = said
    folder, home = tmp_path_factory.mktemp("folder"), tmp_path_factory.mktemp("home")
    env = {"XDG_CONFIG_HOME": str(home)}
    if env_value is not None:
        env["SIGHTLINE_MAX_DET"] = str(env_value)
    if file_value is not None:
        (folder / "sightline.toml").write_text(f"max_det = {file_value}\n")
    if own_value is not None:
        user_file(env).parent.mkdir()
        user_file(env).write_text(f"max_det = {own_value}\n")

    loaded = load({} if flag is None else {"max_det": str(flag)}, env=env, folder=folder)

    sources = ["--max-det", "SIGHTLINE_MAX_DET", "sightline.toml", str(user_file(env)), "default"]
    wanted = next(((v, s) for v, s in zip(said, sources, strict=False) if v is not None), (None, "default"))
    [(value, source)] = [(value, source) for key, value, source in loaded.rows() if key == "max_det"]
    assert (value, source) == wanted


def test_sources_are_merged_key_by_key(tmp_path):
    """A flag for one threshold leaves the others of its table alone."""
    config = tmp_path / "mine.toml"
    config.write_text('model = "a"\n[tracker]\nmode = "bytetrack"\ntrack_buffer = 60\n')

    loaded = load(
        {"tracker.match_thresh": "0.8"},
        config=config,
        env={"SIGHTLINE_TRACKER__TRACK_BUFFER": "45", "SIGHTLINE_CLASSES": "car, person"},
    )

    assert loaded.options.model == "a"
    assert loaded.options.classes == ("car", "person")
    assert loaded.options.tracker == TrackerOptions(mode="bytetrack", track_buffer=45, match_thresh=0.8)
    assert loaded.sources["tracker.mode"] == str(config)


def test_a_named_file_stands_in_for_that_of_the_folder(tmp_path):
    """`--config` is instead of `./sightline.toml`, not on top of it."""
    (tmp_path / "sightline.toml").write_text("conf = 0.5\n")
    named = tmp_path / "other.toml"
    named.write_text("iou = 0.6\n")

    options = load(config=named, folder=tmp_path).options

    assert (options.conf, options.iou) == (None, 0.6)


@pytest.mark.parametrize("value", ["bytetrack", "quality"])
def test_the_tracker_can_be_named_in_short(tmp_path, value):
    """As a flag, a variable, a key, an argument: its mode is meant."""
    config = tmp_path / "mine.toml"
    config.write_text(f'tracker = "{value}"\n')

    options = [
        load({"tracker": value}).options,
        load(env={"SIGHTLINE_TRACKER": value}).options,
        load(config=config).options,
        TrackOptions(tracker=value),
    ]

    assert [each.tracker.mode for each in options] == [value] * 4


def test_the_users_file_lies_where_xdg_says():
    """A relative `XDG_CONFIG_HOME` is ignored, as its specification demands."""
    assert user_file({"XDG_CONFIG_HOME": "/c", "HOME": "/h"}) == Path("/c/sightline/sightline.toml")
    assert user_file({"XDG_CONFIG_HOME": "c", "HOME": "/h"}) == Path("/h/.config/sightline/sightline.toml")


def test_variables_of_others_are_left_alone():
    """Kubernetes names them so for a service that is called sightline; an empty one says nothing."""
    env = {
        "SIGHTLINE_SERVICE_HOST": "10.0.0.1",
        "SIGHTLINE_SERVICE_PORT_HTTP": "80",
        "SIGHTLINE_PORT": "tcp://10.0.0.1:80",
        "SIGHTLINE_PORT_80_TCP_ADDR": "10.0.0.1",
        "SIGHTLINE_CONF": "",
        "PATH": "/bin",
    }

    assert load(env=env).sources == {}


# --- of a service ------------------------------------------------------------------------------------------------


@given(st.lists(st.one_of(st.none(), st.integers(1, 60000)), min_size=4, max_size=4))
def test_a_service_is_set_as_a_run_is(tmp_path_factory, said):
    """A flag, a variable, the section of a file, that of the user's own file, the default; and its name is kept."""
    flag, env_value, file_value, own_value = said
    folder, home = tmp_path_factory.mktemp("folder"), tmp_path_factory.mktemp("home")
    env = {"XDG_CONFIG_HOME": str(home)}
    if env_value is not None:
        env["SIGHTLINE_SERVE__API_PORT"] = str(env_value)
    if file_value is not None:
        (folder / "sightline.toml").write_text(f"conf = 0.5\n[serve]\napi_port = {file_value}\n")
    if own_value is not None:
        user_file(env).parent.mkdir()
        user_file(env).write_text(f"[serve]\napi_port = {own_value}\n")

    loaded = load_serve({} if flag is None else {"serve.api_port": str(flag)}, env=env, folder=folder)

    sources = ["--api-port", "SIGHTLINE_SERVE__API_PORT", "sightline.toml", str(user_file(env)), "default"]
    wanted = next(((v, s) for v, s in zip(said, sources, strict=False) if v is not None), (8080, "default"))
    [(value, source)] = [(value, source) for key, value, source in loaded.rows() if key == "serve.api_port"]
    assert (value, source) == wanted
    assert "serve.api_port" not in load({}, env=env, folder=folder).sources


@pytest.mark.parametrize(
    ("text", "env", "wanted"),
    [
        ('model = "a"', {}, ("a", "mine.toml")),
        ('[serve]\nmodel = "b"', {"SIGHTLINE_MODEL": "c"}, ("c", "SIGHTLINE_MODEL")),
        ('model = "a"\n[serve]\nmodel = "b"', {}, ("b", "mine.toml")),
        ("", {"SIGHTLINE_MODEL": "c", "SIGHTLINE_SERVE__MODEL": "d"}, ("d", "SIGHTLINE_SERVE__MODEL")),
        ("", {"YOLO_MODEL_PATH": "old.pt"}, ("old.pt", "YOLO_MODEL_PATH")),
        ('model = "a"', {"YOLO_MODEL_PATH": "old.pt"}, ("a", "mine.toml")),
    ],
)
def test_the_model_of_runs_is_that_of_a_service_unless_its_own_section_says_another(
    tmp_path, text, env, wanted
):
    """One file for both; a name of the founding systems is the weakest."""
    config = tmp_path / "mine.toml"
    config.write_text(text)

    loaded = load_serve(config=config, env=env)

    assert (loaded.options.model, Path(loaded.sources["serve.model"]).name) == wanted


def test_names_of_the_founding_systems_hold_for_a_service():
    """And for nothing else: a run does not read them."""
    env = {
        "YOLO_MODEL_PATH": "best.pt",
        "DATASET_ROOT_DIR": "/data",
        "FRAME_RATE": "25",
        "CSV_PATH": "stats.csv",
        "SERVICE_NAME": "data_generator",
        "SIGHTLINE_DATA": "videos-data",
    }

    options = load_serve(env=env).options

    assert (options.model, options.dataset, options.fps) == ("best.pt", Path("/data"), 25)
    assert (options.csv_path, options.service_name) == (Path("stats.csv"), "data_generator")
    assert options.data == Path("videos-data")
    assert load(env=env).options == TrackOptions()


def test_credentials_of_other_services_choose_nothing():
    """Whoever sets them for another program has the same service as before: brokers that are named are none that are used."""
    env = dict.fromkeys(
        (
            "POSTGRES_USER",
            "POSTGRES_PASSWORD",
            "MONGO_URI",
            "RUNNER_MONGO_URI",
            "MINIO_ENDPOINT",
            "KAFKA_BROKER",
        ),
        "mongodb://admin:password@mongo:27017/",
    )

    chosen = load_serve(env=env).options
    assert chosen == ServeOptions(kafka=env["KAFKA_BROKER"])
    assert (chosen.ledger, chosen.objects) == ("sqlite", "folder")


@pytest.mark.parametrize(
    ("flags", "env", "message"),
    [
        ({"serve.api_port": "70000"}, {}, r"--api-port = '70000': .*less than or equal to 65535"),
        ({"serve.max_upload": "big"}, {}, r"--max-upload = 'big': should be a number of bytes like"),
        ({"serve.hosts": ["http://videos.example"]}, {}, r"--allow-host = .* a name like .* without http://"),
        (
            {},
            {"SIGHTLINE_SERVE__HOSTS": "videos.example:80"},
            r"videos.example:80 should be a name .* a port",
        ),
        ({"serve.origins": ["*"]}, {}, r"--allow-origin = .*\* should be an origin"),
        ({"serve.origins": ["https://a.example/page"]}, {}, r"should be an origin .* without a path"),
        ({}, {"SIGHTLINE_SERVE__RATE": "-1"}, r"SIGHTLINE_SERVE__RATE = '-1': .*greater than or equal to 0"),
        (
            {},
            {"SIGHTLINE_SERVE__HOSTE": "a"},
            r"SIGHTLINE_SERVE__HOSTE: unknown variable; did you mean SIGHTLINE_SERVE__HOSTS?",
        ),
        ({}, {"FRAME_RATE": "fast"}, r"FRAME_RATE = 'fast': should be frames per second"),
    ],
)
def test_a_wrong_value_of_a_service_names_who_said_it(flags, env, message):
    """The flag, or the variable, of an old system too."""
    with pytest.raises(Misconfigured, match=message):
        load_serve(flags, env=env)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[serve]\nhots = 'a'", r"mine\.toml: serve\.hots: unknown key; did you mean host"),
        ("serve = 3", r"mine\.toml: serve: should be a section \[serve\]"),
    ],
)
def test_a_wrong_section_of_a_service_names_file_and_key(tmp_path, text, message):
    """A misspelled address must never be ignored."""
    config = tmp_path / "mine.toml"
    config.write_text(text)

    with pytest.raises(Misconfigured, match=message):
        load_serve(config=config)


# --- errors ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flags", "env", "message"),
    [
        ({"conf": "high"}, {}, r"--conf = 'high': .*valid number"),
        ({"conf": "3"}, {}, r"--conf = '3': .*less than or equal to 1"),
        ({"vid_stride": "0"}, {}, r"--vid-stride = '0': .*greater than or equal to 1"),
        ({"tracker.track_buffer": "inf"}, {}, r"--tracker\.track-buffer = 'inf': .*finite"),
        ({"imgsz": "6"}, {}, r"--imgsz = '6': should be pixels from 32 to 8192"),
        ({"fps": "0"}, {}, r"--fps = '0': should be frames per second"),
        ({"start": "soon"}, {}, r"--start = 'soon': should be a time like 10s"),
        ({"start_time": "2026-01-01"}, {}, r"--start-time = '2026-01-01': should be a time with its offset"),
        ({"start_time": "9999-12-31T23:59:59Z"}, {}, "should be a time with its offset"),
        ({"start": "10s", "end": "10s"}, {}, r"end 0:00:10 is not behind start 0:00:10"),
        (
            {},
            {"SIGHTLINE_TRACKER__MODE": "sort"},
            r"SIGHTLINE_TRACKER__MODE = 'sort': .*'bytetrack' or 'quality'",
        ),
        ({}, {"SIGHTLINE_CNF": "0.5"}, r"SIGHTLINE_CNF: unknown variable; did you mean SIGHTLINE_CONF\?"),
    ],
)
def test_a_wrong_value_names_who_said_it(flags, env, message):
    """The flag, the variable or the file, not the place in a model."""
    with pytest.raises(Misconfigured, match=message):
        load(flags, env=env)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cnf = 0.5", r"mine\.toml: cnf: unknown key; did you mean conf\?"),
        ("[tracker]\nbuffer = 3", r"mine\.toml: tracker\.buffer: unknown key; did you mean track_buffer\?"),
        ("[trakcer]\nmode = 'quality'", r"mine\.toml: trakcer.*unknown key; did you mean tracker\?"),
        ("workers = 0", r"mine\.toml: workers = 0: .*greater than or equal to 1"),
        ("conf", r"mine\.toml: not TOML"),
    ],
)
def test_a_wrong_file_names_itself_and_the_key(tmp_path, text, message):
    """Unknown keys name the nearest one."""
    config = tmp_path / "mine.toml"
    config.write_text(text)

    with pytest.raises(Misconfigured, match=message):
        load(config=config)


def test_a_table_where_a_value_belongs_is_an_error(tmp_path):
    """Whatever a weaker source said before."""
    env = {"XDG_CONFIG_HOME": str(tmp_path)}
    user_file(env).parent.mkdir()
    user_file(env).write_text("conf = 0.5\n")
    config = tmp_path / "mine.toml"
    config.write_text("[conf]\nlow = 0.1\n")

    with pytest.raises(Misconfigured, match=r"mine\.toml: conf: .*valid number"):
        load(config=config, env=env)


def test_a_file_that_was_named_must_be_there(tmp_path):
    """The one of the folder need not."""
    assert load(folder=tmp_path).sources == {}
    with pytest.raises(Misconfigured, match="no such file"):
        load(config=tmp_path / "missing.toml")


# --- options -----------------------------------------------------------------------------------------------------


def test_every_option_is_a_result_a_clock_or_a_machine_setting():
    """What may not change a byte is told apart from what is part of the run key."""
    definitions = {**schema()["$defs"], "TrackOptions": schema()}
    kinds = {
        key: field["kind"]
        for definition in definitions.values()
        for key, field in definition["properties"].items()
        if key not in ("tracker", "serve")
    }

    assert {key for key, kind in kinds.items() if kind == "machine"} == {
        "out",
        "project",
        "name",
        "overwrite",
        "keep",
        "workers",
        "chunk_frames",
        "formats",
        "save_video",
    }
    assert {key for key, kind in kinds.items() if kind == "clock"} == {"start_time"}
    assert set(kinds.values()) == {"result", "clock", "machine"}


def test_what_a_service_computes_is_told_apart_too():
    """Every job of it has these, whatever else was asked for."""
    fields = schema()["properties"]["serve"]["properties"]

    assert {key for key, field in fields.items() if field["kind"] == "result"} == {
        "model",
        "engine",
        "device",
        "batch",
        "precision",
        "fps",
    }
    assert {field["kind"] for field in fields.values()} == {"result", "machine"}


@pytest.mark.parametrize("key", KEYS)
def test_every_option_says_what_it_means_and_defaults_to(key):
    """Help, the settings file and the reference are made of it."""
    description, default = about(key)

    assert description.endswith(".")
    assert default not in ("", "None", "()")
    assert all(flag.startswith("-") for flag in flags_of(key))
    assert re.fullmatch(r"SIGHTLINE_[A-Z0-9_]+", variable(key))


def test_the_familiar_flag_names_hold():
    """Those of Ultralytics and of ByteTrack."""
    assert flags_of("vid_stride") == ("--vid-stride", "--stride")
    assert flags_of("out") == ("--out", "-o")
    assert flags_of("formats") == ("--format", "--formats")
    assert flags_of("tracker.mode") == ("--tracker",)
    assert flags_of("tracker.track_high_thresh") == ("--tracker.track-high-thresh",)


def test_options_say_nothing_about_the_pipeline_unless_asked():
    """What is unset leaves the file and the model card to decide."""
    assert Overrides.model_validate(TrackOptions().overrides()) == Overrides()
    assert Overrides.model_validate(DetectOptions(conf=0.5).overrides()) == Overrides(conf=0.5)


def test_detect_knows_nothing_of_trackers():
    """Settings of the tracker may be in a file; `detect` leaves them out."""
    loaded = load({"tracker": "quality", "conf": "0.4"})

    options = loaded.detect()

    assert type(options) is DetectOptions
    assert options.conf == 0.4
    assert "tracker" not in options.overrides()


def test_the_example_file_is_complete_and_changes_nothing(tmp_path):
    """Every key is in it, commented out; with the signs removed it is a valid file."""
    config = tmp_path / "sightline.toml"
    config.write_text(example())

    assert load(config=config).options == TrackOptions()
    live = re.sub(r"^# (\w+ = )", r"\1", example(), flags=re.MULTILINE)
    config.write_text(live)
    assert sorted(key for key, _ in leaves(tomllib.loads(live))) == sorted(KEYS)
    assert load(config=config).options.tracker.track_buffer == 30


def test_a_dash_as_folder_means_stdout():
    """One format goes there, no folder is made."""
    assert load({"out": "-"}).options.to_stdout
    assert not load({"out": "runs"}).options.to_stdout


# --- words -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("10s", 10),
        ("90", 90),
        ("1.5m", 90),
        ("1h30m", 5400),
        ("250ms", 0.25),
        ("1:30", 90),
        ("1:02:03.5", 3723.5),
        (2.5, 2.5),
    ],
)
def test_times_are_written_as_people_write_them(written, seconds):
    """Units, colons, or bare seconds."""
    assert duration(written) == timedelta(seconds=seconds)


@pytest.mark.parametrize("written", ["", "s", "1:75", "-5s", "5 parsecs", "1 2", "1e3"])
def test_what_is_no_time_is_refused(written):
    """Rather than read as something else."""
    with pytest.raises(ValueError, match="should be a time"):
        duration(written)


@given(st.integers(0, 10**12))
def test_times_are_exact_to_the_microsecond(microseconds):
    """No float between the text and the value."""
    assert duration(f"{microseconds}us") == timedelta(microseconds=microseconds)
    assert duration(f"{microseconds / 1_000_000:.6f}s" if microseconds < 10**9 else "0") // timedelta(
        microseconds=1
    ) == (microseconds if microseconds < 10**9 else 0)


@given(st.integers(1, 10**6), st.integers(1001, 10**6))
def test_rates_are_exact_fractions(numerator, denominator):
    """30000/1001 is not 29.97."""
    assert frame_rate(f"{numerator}/{denominator}") == Fraction(numerator, denominator)


@given(st.integers(32, 8192), st.integers(32, 8192))
def test_sizes_are_one_side_or_two(width, height):
    """One is the longest side."""
    assert image_size(str(width)) == width
    assert image_size(f"{width}x{height}") == image_size([width, height]) == (width, height)


@given(st.lists(st.text("abc0", min_size=1), max_size=5))
def test_a_list_is_the_same_in_one_word_or_many(parts):
    """`--classes a,b` and `--classes a --classes b`."""
    assert words(",".join(parts)) == words(parts) == tuple(parts)


def test_clock_times_keep_their_offset():
    """Frame 0 may have been filmed anywhere."""
    options = load({"start_time": "2026-11-21T08:00:00+01:00"}).options

    assert options.start_time == datetime(2026, 11, 21, 7, tzinfo=UTC)
    assert options.start_time.isoformat() == "2026-11-21T08:00:00+01:00"


@pytest.mark.parametrize("word", ["1", 1])
def test_the_origin_of_pixels_is_read_from_words(word):
    """As the command line and the environment hand it in."""
    assert TrackOptions.model_validate({"mot_origin": word}).mot_origin == 1


@pytest.mark.parametrize("name", ["conf", "iou"])
def test_a_threshold_of_nothing_is_refused(name):
    """With its name, before anything is opened."""
    with pytest.raises(ValidationError, match=rf"{name}\n.*greater than 0"):
        TrackOptions.model_validate({name: 0})
