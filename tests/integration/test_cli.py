"""The real command line as a process: what it prints where, its exit codes, and signals."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import sightline
from tests.relisted import panned

PROGRAM = str(Path(sys.executable).with_name("sightline"))
CLIP = Path(sightline.__file__).parent / "demo" / "street.mp4"
MODEL = ["--model", "sightline-tiny", "--precision", "f32"]
LINE = [{"name": "middle", "a": [0.0, 0.5], "b": [1.0, 0.5]}]


def environment(home):
    kept = {key: value for key, value in os.environ.items() if not key.startswith("SIGHTLINE_")}
    return kept | {"XDG_CONFIG_HOME": str(home), "XDG_DATA_HOME": str(home), "XDG_CACHE_HOME": str(home)}


@pytest.fixture
def sightline_in(tmp_path):
    """Run the program in an empty folder."""

    def run(*words, **more):
        return subprocess.run(
            [PROGRAM, *map(str, words)],
            cwd=tmp_path,
            env=environment(tmp_path / "home"),
            capture_output=True,
            text=True,
            timeout=120,
            **more,
        )

    return run


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run of the first two seconds of the bundled clip."""
    folder = tmp_path_factory.mktemp("runs")
    words = [PROGRAM, "track", str(CLIP), *MODEL, "--end", "2s", "-o", "run", "--json"]
    done = subprocess.run(
        words, cwd=folder, env=environment(folder / "home"), capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return folder / "run", json.loads(done.stdout)


def files(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def test_a_run_is_one_object_on_stdout_and_a_folder(finished):
    """Everything else went to stderr."""
    folder, printed = finished

    [run] = printed["runs"]
    assert printed["exit_code"] == 0
    assert (run["video_id"], run["state"], run["frames"]) == ("street", "done", 50)
    assert {"run.json", "tracks.csv", "counts.csv", "mot/cars/street.txt"} <= set(files(folder / "street"))


def test_the_same_command_again_does_nothing(finished, sightline_in):
    """It says so, and leaves every byte."""
    folder, _ = finished
    before = files(folder)

    done = sightline_in("track", CLIP, *MODEL, "--end", "2s", "-o", folder)

    assert done.returncode == 0
    assert "finished before" in done.stdout
    assert files(folder) == before


def test_another_run_in_the_folder_is_code_2(finished, sightline_in):
    """Results are not mixed."""
    done = sightline_in("track", CLIP, *MODEL, "--end", "1s", "-o", finished[0])

    assert done.returncode == 2
    assert "--overwrite" in done.stderr


def test_lines_are_counted_after_the_run(finished, sightline_in, tmp_path):
    """Without inference, into files of their own; the run stays as it is."""
    before = files(finished[0])
    (tmp_path / "lines.json").write_text(json.dumps(LINE))

    done = sightline_in("count", finished[0], "--lines", "lines.json", "--bins", "1s", "-o", "counted")

    assert done.returncode == 0
    assert done.stdout.splitlines()[0].split()[:3] == ["video", "from", "to"]
    assert set(files(tmp_path / "counted")) == {"events.csv", "counts.csv"}
    assert files(finished[0]) == before


def test_the_count_says_from_where_on_a_camera_could_not_be_followed(finished, sightline_in, tmp_path):
    """As a warning, and with --json as a field; lines may have been drawn on any frame that was sampled."""
    shutil.copytree(finished[0] / "street", tmp_path / "run")
    panned(tmp_path / "run", stretch=1)
    (tmp_path / "lines.json").write_text(json.dumps(LINE))
    names = LINE[0]["name"]

    def count(*words):
        return sightline_in("count", "run", "--lines", "lines.json", *words)

    shown, told, later, wrong = (
        count(), count("--json"), count("--drawn-on", "25"), count("--drawn-on", "99999"),
    )  # fmt: skip

    said = (
        f"from frame 25 (0:01) to 0:02 nobody knows where the camera looked: nothing was counted at {names}"
    )
    assert (shown.returncode, later.returncode) == (0, 0)
    assert said in " ".join(shown.stderr.split())
    assert json.loads(told.stdout)["runs"][0]["unplaced"][0]["frame"] == 25
    assert "from frame 0 (0:00) to 0:01" in " ".join(later.stderr.split())
    assert wrong.returncode != 0
    assert "which is none of the" in wrong.stderr


def test_doubtful_objects_are_listed(finished, sightline_in):
    """As a table or as JSON, from the summaries of the runs; nothing is counted again."""
    shown = sightline_in("count", finished[0], "--doubtful")
    told = sightline_in("count", finished[0], "--doubtful", "--json")
    wrong = sightline_in("count", finished[0], "--doubtful", "--bins", "1s")

    rows = json.loads(told.stdout)["doubtful"]
    assert (shown.returncode, told.returncode, wrong.returncode) == (0, 0, 2)
    assert all(row["doubts"] for row in rows)
    assert shown.stdout.count("\n") == len(rows) + bool(rows)
    assert "--doubtful takes runs alone" in wrong.stderr


def test_runs_are_counted_on_the_clock_into_one_file(finished, sightline_in, tmp_path):
    """Two files of a camera, joined: one quarter of an hour from 07:00 on, the table as CSV."""
    for name in ("first", "second"):
        shutil.copytree(finished[0] / "street", tmp_path / name)
    shape = {"video": "first", "lines": LINE}
    (tmp_path / "lines.json").write_text(json.dumps(shape))
    words = [
        "--joined",
        "--bins",
        "15m",
        "--start-time",
        "2024-05-17T07:03:20+02:00",
        "--lines",
        "lines.json",
    ]

    done = sightline_in("count", "first", "second", *words, "-o", "x.csv")
    shown = sightline_in("count", "first", "second", *words, "-o", "-", "--quiet")

    assert (done.returncode, shown.returncode, shown.stderr) == (0, 0, "")
    assert "second: no line and no zone in these files is for it" in done.stderr
    assert (tmp_path / "x.csv").read_text() == shown.stdout
    rows = list(csv.DictReader(shown.stdout.splitlines()))
    assert {(row["video_id"], row["start_time"], row["covered_s"]) for row in rows} == {
        ("first..second", "2024-05-17T07:00:00+02:00", "4.000000")
    }
    assert "2024-05-17 07:00:00" in done.stdout
    for wrong in (["--start-time", "07:03"], ["-o", "-", "--json"], ["-o", "first/x.csv"]):
        assert sightline_in("count", "first", *wrong).returncode == 2


def test_a_run_is_verified_and_damage_is_code_1(finished, sightline_in, tmp_path):
    """Every file has its hash."""
    copy = tmp_path / "copy"
    for name, content in files(finished[0]).items():
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_bytes(content)

    whole = sightline_in("verify", "copy")
    (copy / "street" / "tracks.csv").write_text("frame\n")
    damaged = sightline_in("verify", "copy")

    assert (whole.returncode, damaged.returncode) == (0, 1)
    assert "tracks.csv" in damaged.stdout


def test_a_run_is_rendered(finished, sightline_in, tmp_path):
    """Into a video of its own."""
    done = sightline_in("render", finished[0], "-o", "annotated.mp4", "-q")

    assert done.returncode == 0
    assert done.stdout == "annotated.mp4\n"
    assert done.stderr == ""
    assert (tmp_path / "annotated.mp4").read_bytes()[4:8] == b"ftyp"


def test_lines_are_drawn_with_their_counts(finished, sightline_in, tmp_path):
    """With the words that a file gives them; counts of nothing are refused."""
    (tmp_path / "l.json").write_text(
        '[{"name": "n", "a": [0.3, 1], "b": [0.3, 0], "in": "east", "out": "west"}]'
    )

    drawn = sightline_in(
        "render", finished[0], "--lines", "l.json", "--counts", "--trails", "0", "-o", "a.mp4", "-q"
    )
    refused = sightline_in("render", finished[0], "--counts")

    assert (drawn.returncode, drawn.stdout) == (0, "a.mp4\n")
    assert refused.returncode == 2
    assert "--counts: name the --lines or --zones" in refused.stderr


def test_a_frame_is_written_as_a_picture(finished, sightline_in, tmp_path):
    """Of a video, and of its run with the tracks."""
    plain = sightline_in("frame", CLIP, "--at", "1s", "--grid", "-o", "plain.png")
    tracked = sightline_in("frame", finished[0], "--frame", "25", "-o", "tracked.jpg", "--json")
    both = sightline_in("frame", CLIP, "--at", "1s", "--frame", "3")

    assert (plain.returncode, plain.stdout) == (0, "plain.png\n")
    assert "frame 25 at 1.000 s, 1280 x 720 pixels" in plain.stderr
    assert json.loads(tracked.stdout)["frame"] == 25
    assert (tmp_path / "plain.png").read_bytes()[1:4] == b"PNG"
    assert both.returncode == 2


def test_a_text_of_detections_is_tracked_counted_and_drawn(sightline_in, tmp_path):
    """A run folder like any other; what it is drawn on is said."""
    rows = "".join(f"{n},-1,{10 + 5 * n},40,20,40,0.9,-1,-1,-1\n" for n in range(1, 41))
    (tmp_path / "det.txt").write_text(rows)
    (tmp_path / "l.json").write_text('[{"name": "n", "a": [0.5, 1], "b": [0.5, 0]}]')

    tracked = sightline_in("track", "det.txt", "-o", "out", "--size", "320x240")
    counted = sightline_in("count", "out", "--lines", "l.json")
    verified = sightline_in("verify", "out")
    drawn = sightline_in("render", "out", "--no-progress", "-o", "a.mp4")

    assert [each.returncode for each in (tracked, counted, verified, drawn)] == [0, 0, 0, 0]
    assert "objects" in tracked.stdout
    assert [line.split()[3:] for line in counted.stdout.splitlines() if " line " in line] == [
        ["line", "n", "in", "objects", "objects", "1"]
    ]
    assert "drawn on a blank canvas of 320x240; --source VIDEO draws on theirs" in drawn.stderr


def test_one_format_goes_to_stdout(finished, sightline_in, tmp_path):
    """Nothing is mixed with it, no folder stays."""
    done = sightline_in("track", CLIP, *MODEL, "--end", "2s", "-o", "-", "--format", "csv")

    assert done.returncode == 0
    assert done.stdout == (finished[0] / "street" / "tracks.csv").read_text()
    assert not list(tmp_path.glob("runs"))


def test_without_a_terminal_nothing_is_coloured_or_redrawn(sightline_in):
    """Logs and pipes stay clean."""
    done = sightline_in("track", CLIP, *MODEL, "--end", "500ms", "-v")

    assert done.returncode == 0
    assert "\x1b" not in done.stdout + done.stderr
    assert "\r" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "empty"), (b"hello\n", "not a video"), (CLIP.read_bytes()[:40_000], "no frame")],
    ids=["empty", "text", "nothing decodes"],
)
def test_what_cannot_be_read_is_code_3(sightline_in, tmp_path, content, words):
    """The message says what is wrong with it."""
    (tmp_path / "bad.mp4").write_bytes(content)

    done = sightline_in("track", "bad.mp4", *MODEL)

    assert done.returncode == 3
    assert "bad.mp4" in done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_truncated_video_is_code_4(sightline_in, tmp_path):
    """Its frames are done as far as they go, the rest have failed; nothing is invented."""
    (tmp_path / "cut.mp4").write_bytes(CLIP.read_bytes()[:200_000])

    done = sightline_in("detect", "cut.mp4", *MODEL, "--end", "4s", "--json")

    [run] = json.loads(done.stdout)["runs"]
    assert done.returncode == 4
    assert 0 < run["failed_frames"] < run["frames"]


def test_one_unreadable_source_of_two_is_code_4(sightline_in, tmp_path):
    """The other one is done."""
    (tmp_path / "bad.mp4").write_bytes(b"hello\n")

    done = sightline_in("track", "bad.mp4", CLIP, *MODEL, "--end", "500ms", "--json")

    states = {run["video_id"]: run["state"] for run in json.loads(done.stdout)["runs"]}
    assert done.returncode == 4
    assert states == {"bad": "failed", "street": "done"}


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_leaves_a_run_that_goes_on(sightline_in, tmp_path, number, code):
    """The same command finishes it."""
    words = ["track", str(CLIP), *MODEL, "--end", "10s", "-o", "run", "--no-progress"]
    started = subprocess.Popen(
        [PROGRAM, *words], cwd=tmp_path, env=environment(tmp_path / "home"), stderr=subprocess.PIPE, text=True
    )
    partial = tmp_path / "run" / "street" / ".partial"
    deadline = time.monotonic() + 60
    while not list(partial.glob("**/*.seg")) and started.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    started.send_signal(number)
    _, err = started.communicate(timeout=60)

    done = sightline_in(*words)

    assert started.returncode == code, err
    assert "goes on" in err
    assert "Traceback" not in err
    assert not (tmp_path / "run" / "street" / ".partial").exists()
    assert done.returncode == 0
    assert "250 frames" in done.stdout


def test_a_closed_pipe_ends_quietly(tmp_path):
    """Who reads with `head` gets no complaint."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [PROGRAM, "config", "schema"], stdout=writing, stderr=subprocess.PIPE, text=True, timeout=60
        )
    finally:
        os.close(writing)

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux only")
def test_a_full_disk_is_code_5():
    """And said with what to do."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [PROGRAM, "config", "schema"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60
        )

    assert done.returncode == 5
    assert "disk is full" in done.stderr
    assert "free space, then repeat the command" in done.stderr
    assert "Traceback" not in done.stderr


def test_text_detections_are_tracked_into_text(sightline_in, tmp_path):
    """Into the run folder of a video, with numbers as in the input."""
    rows = "".join(f"{frame},-1,{frame * 2},50,40,80,0.9,-1,-1,-1\n" for frame in range(1, 31))
    (tmp_path / "det.txt").write_text(rows)

    done = sightline_in("track", "det.txt", "--tracker", "bytetrack", "-o", "out")

    assert done.returncode == 0
    first = (tmp_path / "out" / "det" / "mot" / "objects" / "det.txt").read_text().splitlines()[0]
    assert first.startswith("1,1,2.000000,50.000000,40.000000,80.000000,0.9")


def test_settings_come_from_the_environment(sightline_in, tmp_path):
    """And an unknown variable is an error, not a silence."""
    env = environment(tmp_path / "home") | {"SIGHTLINE_CNF": "0.3"}

    done = subprocess.run(
        [PROGRAM, "config", "show"], env=env, cwd=tmp_path, capture_output=True, text=True, timeout=60
    )

    assert done.returncode == 2
    assert "did you mean SIGHTLINE_CONF?" in done.stderr
