"""The program: help, usage errors, flags made from the options."""

import json
import shlex
import signal
import subprocess
import sys

import pytest

from sightline import __version__
from sightline.cli import main
from sightline.cli.examples import EXAMPLES
from sightline.cli.flags import option_keys
from sightline.cli.program import COMMANDS, LATER, build
from sightline.settings import DetectOptions, TrackOptions, flags_of, variable

HEAVY = {"scipy", "openvino", "onnxruntime", "av", "pyarrow", "numpy", "apsw", "PIL"}


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder without settings of anybody's own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "none"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path


def test_help_lists_every_command(capsys):
    """With a line on each, and the exit codes."""
    code = main(["--help"])

    shown = capsys.readouterr().out
    assert code == 0
    assert all(f" {name} " in shown for name in COMMANDS)
    assert "Exit codes: 0 done" in shown


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_and_the_flags_of_output(here, capsys, name):
    """`--json`, `-q`, `-v`, `--no-progress`, `--color` are everywhere."""
    group = {
        "models": "list",
        "datasets": "list",
        "config": "show",
        "tokens": "list",
        "topics": "check",
        "dead": "list",
    }.get(name)

    code = main([name, *([group] if group else []), "--help"])

    shown = capsys.readouterr().out
    assert code == 0
    for flag in ("--json", "--quiet", "-q", "--verbose", "-v", "--no-progress", "--color"):
        assert flag in shown


def test_settings_of_a_service_are_shown_with_their_source(here, capsys, monkeypatch):
    """Beside those of runs, in a table and as one object."""
    (here / "sightline.toml").write_text("[serve]\nworkers = 3\n")
    monkeypatch.setenv("SIGHTLINE_SERVE__RATE", "7")
    monkeypatch.setenv("SERVICE_NAME", "data_generator")

    assert main(["config", "show", "--json"]) == 0

    shown = json.loads(capsys.readouterr().out)
    assert shown["serve.workers"] == {"value": 3, "source": "sightline.toml"}
    assert shown["serve.rate"] == {"value": 7.0, "source": "SIGHTLINE_SERVE__RATE"}
    assert shown["serve.service_name"] == {"value": "data_generator", "source": "SERVICE_NAME"}
    assert shown["workers"] == {"value": None, "source": "default"}


@pytest.mark.parametrize(("name", "model"), [("track", TrackOptions), ("detect", DetectOptions)])
def test_help_shows_each_option_with_its_default_and_variable(here, capsys, name, model):
    """Made from the options, so nothing can be missing."""
    main([name, "--help"])

    shown = capsys.readouterr().out
    for key, _ in option_keys(model):
        assert flags_of(key)[0] in shown
        assert variable(key) in shown
    assert ("--tracker" in shown) == (name == "track")


@pytest.mark.parametrize(
    "words",
    ["--conf FLOAT", "--workers INT", "--imgsz SIZE", "--fps RATE", "--start DURATION", "--out -o PATH"],
)
def test_help_says_what_a_flag_wants(here, capsys, words):
    """A number, a size, a time: what is checked later must not be called a string."""
    main(["track", "--help"])

    assert words in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["trak"], 'Did you mean "track"?'),
        (["track", "a.mp4", "--confx", "1"], "Did you mean --conf?"),
        (["track", "a.mp4", "--tracker", "sort"], '"bytetrack", "quality"'),
        (["track", "a.mp4", "--conf"], "requires an argument"),
        (["track", "a.mp4", "--conf", "2"], "--conf = '2'"),
        (["track", "a.mp4", "--pipeline", "trafic"], "did you mean traffic?"),
        (["track", "a.mp4", "--format", "mpt"], "no format 'mpt'"),
        (["track"], "no source"),
        (["track", "rtsp://camera/1"], "not supported yet"),
        (["track", "-"], "stdin is not supported yet"),
        (["detect", "a.mp4", "--refine"], "Unknown option"),
        (["eval", "--gt", "a"], "--pred"),
        (["config", "sho"], 'Did you mean "show"?'),
        (["models", "get", "yolo"], "there are yolox-nano"),
        (["convert", "a.txt", "out"], "--to"),
        (["count", "run", "--bins", "soon"], "bins"),
    ],
)
def test_a_wrong_command_line_is_code_2_and_says_what_would_be_right(here, capsys, words, message):
    """On stderr, without a traceback; stdout stays empty."""
    (here / "a.mp4").write_bytes(b"video")

    code = main(words)

    out, err = capsys.readouterr()
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert message in err


@pytest.mark.parametrize("name", sorted(LATER))
def test_commands_that_are_to_come_say_so(capsys, name):
    """Not "unknown": a script for a later version fails with a reason."""
    code = main([name])

    assert (code, capsys.readouterr().err) == (2, f"error: {name} is not supported yet (usage)\n")


@pytest.mark.parametrize(
    "words",
    [
        ["trak", "--json"],
        ["worker", "--json"],
        ["track", "missing.mp4", "--json"],
        ["count", "missing", "--json"],
    ],
)
def test_with_json_a_failure_is_an_object(here, capsys, words):
    """One object on stdout, whatever went wrong."""
    code = main(words)

    value = json.loads(capsys.readouterr().out)
    assert value["exit_code"] == code
    assert code in (2, 3)


@pytest.mark.parametrize(
    "words",
    [
        ["count", "missing"],
        ["render", "missing"],
        ["verify", "missing"],
        ["eval", "--gt", "missing", "--pred", "missing"],
        ["convert", "missing.txt", "out", "--to", "csv"],
        ["track", "missing.mp4", "--model", "sightline-tiny"],
        ["track", "missing*.mp4", "--model", "sightline-tiny"],
    ],
)
def test_what_is_not_there_is_code_3(here, capsys, words):
    """And the message names it."""
    code = main(words)

    assert code == 3
    assert "missing" in capsys.readouterr().err


def test_a_missing_model_is_code_2_and_names_the_command(here, capsys):
    """The one command that brings it."""
    (here / "street.mp4").write_bytes(b"video")

    code = main(["track", "street.mp4"])

    assert code == 2
    assert "sightline models get yolox-nano" in capsys.readouterr().err


def test_settings_are_shown_with_their_source(here, capsys, monkeypatch):
    """A flag, a variable, a file, a default."""
    (here / "sightline.toml").write_text("iou = 0.6\n")
    monkeypatch.setenv("SIGHTLINE_CONF", "0.3")

    code = main(["config", "show", "--json"])

    shown = json.loads(capsys.readouterr().out)
    assert code == 0
    assert shown["conf"] == {"value": 0.3, "source": "SIGHTLINE_CONF"}
    assert shown["iou"] == {"value": 0.6, "source": "sightline.toml"}
    assert shown["max_det"]["source"] == "default"


def test_a_settings_file_is_begun_once(here, capsys):
    """A second time it is not replaced, unless that is asked for."""
    assert main(["config", "init"]) == 0
    (here / "sightline.toml").write_text("conf = 0.3\n")

    assert main(["config", "init"]) == 2
    assert (here / "sightline.toml").read_text() == "conf = 0.3\n"
    assert main(["config", "init", "--overwrite"]) == 0
    assert "# conf = 0.1" in (here / "sightline.toml").read_text()


def test_a_file_of_ones_own_goes_where_xdg_says(here, capsys):
    """Folders are made."""
    assert main(["config", "init", "--user"]) == 0

    assert (here / "none" / "sightline" / "sightline.toml").is_file()


@pytest.mark.parametrize(("of", "key"), [("settings", "vid_stride"), ("pipeline", "branches")])
def test_schemas_are_printed(capsys, of, key):
    """For editors and for whoever writes such files."""
    assert main(["config", "schema", of]) == 0

    assert key in json.loads(capsys.readouterr().out)["properties"]


@pytest.mark.parametrize(("out", "kept"), [("results", True), ("-", False)])
def test_a_stopped_command_promises_what_it_keeps(monkeypatch, capsys, out, kept):
    """What goes to stdout is nowhere else."""

    def stopped(words):
        raise KeyboardInterrupt

    monkeypatch.setattr("sightline.cli.program._run", stopped)

    assert main(["track", "v.mp4", "-o", out]) == 130
    assert ("what was done is kept, the same command goes on" in capsys.readouterr().err) is kept
    assert main(["track", "v.mp4", "-o", out, "--overwrite"]) == 130
    assert ("the same command without --overwrite goes on" in capsys.readouterr().err) is kept


def test_an_import_that_is_interrupted_stops_the_command(monkeypatch, capsys):
    """OpenVINO's import says `ImportError: initialization failed`, because of the interrupt; no other error is hidden."""

    def importing(words):
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt as interrupt:
            raise ImportError("initialization failed") from interrupt

    def broken(words):
        raise ImportError("a bug") from ValueError("of ours")

    monkeypatch.setattr("sightline.cli.program._run", importing)
    assert main(["track", "v.mp4"]) == 130
    assert "\nstopped: what was done is kept" in capsys.readouterr().err

    monkeypatch.setattr("sightline.cli.program._run", broken)
    with pytest.raises(ImportError, match="a bug"):
        main(["track", "v.mp4"])


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_knows_the_commands(capsys, shell):
    """A script for each shell."""
    assert main(["completion", shell]) == 0

    shown = capsys.readouterr().out
    assert "sightline" in shown
    assert "vid-stride" in shown


def test_completion_leaves_names_of_files_to_bash(capsys):
    """Else `sightline track stree<TAB>` would find nothing."""
    assert main(["completion", "bash"]) == 0

    assert capsys.readouterr().out.splitlines()[-1].startswith("complete -o default ")


@pytest.mark.parametrize(
    ("words", "values"),
    [
        (["track", "a.mp4", "--model", ""], {"sightline-tiny"}),
        (["track", "a.mp4", "--pipeline", ""], {"traffic", "visdrone", "detect"}),
        (["detect", "a.mp4", "--format", ""], {"coco", "yolo", "parquet", "video"}),
        (["convert", "a.txt", "out", "--to", ""], {"kitti", "yolo"}),
        (["convert", "a.txt", "out", "--from", ""], {"mot", "visdrone", "kitti", "coco"}),
        (["models", "get", ""], {"yolox-nano"}),
        (["models", "verify", ""], {"sightline-tiny"}),
    ],
)
def test_values_are_completed_as_they_are_now(here, capsys, words, values):
    """Models that are here, pipelines, formats: what a script in the shell asks for."""
    assert main(["__complete", *words]) == 0

    found = {line.partition("\t")[0] for line in capsys.readouterr().out.splitlines()}
    assert values <= found


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_asks_for_values_and_knows_choices(capsys, shell):
    """Choices that never change are in it."""
    assert main(["completion", shell]) == 0

    shown = capsys.readouterr().out
    assert "__complete" in shown
    assert "blur-contrast" in shown or "bytetrack" in shown


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_each_command_ends_with_examples(here, capsys, name):
    """The quickest way to learn one."""
    assert main([name, "--help"]) == 0

    shown = capsys.readouterr().out
    assert "Examples:" in shown
    assert f"  {EXAMPLES[name][0]}" in shown


@pytest.mark.parametrize("example", [line for lines in EXAMPLES.values() for line in lines])
def test_examples_are_understood(example):
    """By the parser; what stands behind `>` is the shell's."""
    words = shlex.split(example.partition(" > ")[0])

    command, _, _ = build().parse_args(words[1:], exit_on_error=False, print_error=False)

    assert words[0] == "sightline"
    assert callable(command)


def test_the_package_is_the_command_too(tmp_path):
    """Where the script is not on the path."""
    done = subprocess.run(
        [sys.executable, "-m", "sightline", "version"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert __version__ in done.stdout


def test_doctor_has_a_line_for_each_dependency(here, capsys):
    """In this environment all of them are fine."""
    code = main(["doctor"])

    lines = capsys.readouterr().out.splitlines()
    assert code == 0
    assert all(line.startswith("OK  ") for line in lines)
    assert any("engine" in line for line in lines)


def test_models_lists_what_is_here_and_what_is_not(here, capsys):
    """The bundled one always is."""
    assert main(["models", "list", "--json"]) == 0

    rows = {row["name"]: row for row in map(json.loads, capsys.readouterr().out.splitlines())}
    assert rows["sightline-tiny"]["here"] == "yes"
    assert rows["yolox-nano"]["here"] == "no"


def test_a_model_is_not_brought_without_consent(here, capsys):
    """The licence is shown first; nobody is asked where nobody can answer."""
    code = main(["models", "get", "yolox-nano"])

    err = capsys.readouterr().err
    assert code == 2
    assert "licence Apache-2.0" in err
    assert "--yes" in err


def test_models_are_verified(here, capsys):
    """The bundled one is the file that its card describes."""
    assert main(["models", "verify"]) == 0

    assert "sightline-tiny  OK" in capsys.readouterr().out


def test_the_version_is_one_line(capsys):
    """More of it with `--verbose`."""
    assert main(["version"]) == 0
    short = capsys.readouterr().out
    assert main(["version", "-v"]) == 0

    assert short.startswith("sightline ")
    assert len(short.splitlines()) == 1
    assert "numpy" in capsys.readouterr().out


def test_the_program_leaves_signals_as_it_found_them(capsys):
    """It may be called from another program."""
    before = signal.getsignal(signal.SIGTERM)

    main(["version"])

    assert signal.getsignal(signal.SIGTERM) is before


def test_help_loads_no_engine_and_no_numbers():
    """`sightline --help` must answer at once."""
    code = (
        "import sys; from sightline.cli import main; main(['--help']); "
        "print(sorted(set(sys.modules)), file=sys.stderr)"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert not [name for name in HEAVY if f"'{name}'" in done.stderr]


def test_a_place_that_cannot_be_written_is_code_2(here, capsys):
    """A file where a folder should be."""
    (here / "file").write_text("")
    (here / "gt.txt").write_text("1,1,0,0,5,5,1,1,1\n")

    code = main(["convert", "gt.txt", "file/out", "--to", "csv"])

    assert code == 2
    assert "file" in capsys.readouterr().err
