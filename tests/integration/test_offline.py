"""The product keeps to itself: no name is looked up, nothing is written outside of results, cache and temporary files."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import sightline

PROGRAM = str(Path(sys.executable).with_name("sightline"))
CLIP = Path(sightline.__file__).parent / "demo" / "street.mp4"
PYTHON = f"""
import sightline as sl
sl.track({str(CLIP)!r}, model="sightline-tiny", end="1s", out="python", formats=["mot", "parquet"])
"""
COMMANDS = {
    "track": [PROGRAM, "track", str(CLIP), "--model", "sightline-tiny", "--end", "1s", "-o", "out", "-q"],
    "track with ONNX Runtime": [
        *(PROGRAM, "track", str(CLIP), "--model", "sightline-tiny", "--engine", "onnx"),
        *("--end", "1s", "-o", "onnx", "-q"),
    ],
    "doctor": [PROGRAM, "doctor"],
    "python": [sys.executable, "-c", PYTHON],
}
# Python's own view: works everywhere, sees what Python code does.
WATCH = """
import os, sys
def note(event, args):
    if event.startswith(("socket.connect", "socket.getaddrinfo", "socket.gethost", "socket.sendto")):
        os.write(LOG, f"network {event} {args[1:]}\\n".encode())
    elif event == "open" and isinstance(args[0], (str, bytes)) and args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        os.write(LOG, f"write {os.path.abspath(os.fsdecode(args[0]))}\\n".encode())
    elif event == "os.mkdir":
        os.write(LOG, f"write {os.path.abspath(os.fsdecode(args[0]))}\\n".encode())
LOG = os.open(os.environ["WATCH_LOG"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
sys.addaudithook(note)
"""
# What no machine of a user has set: telemetry that keeps still in a build would not be seen here.
BUILD = ("CI", "TF_BUILD", "JENKINS_URL")


def environment(home: Path, temporary: Path) -> dict[str, str]:
    """A plain user's, with nothing said about where data and caches go."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in BUILD and not name.startswith(("SIGHTLINE_", "XDG_"))
    }
    temporary.mkdir(exist_ok=True)
    return kept | {"HOME": str(home), "TMPDIR": str(temporary), "PYTHONDONTWRITEBYTECODE": "1"}


@pytest.fixture
def places(tmp_path):
    """An empty home, a folder for temporary files and one to work in."""
    for name in ("home", "tmp", "work"):
        (tmp_path / name).mkdir()
    return tmp_path


def strangers(paths, places: Path) -> list[str]:
    """Paths outside of where results, caches and temporary files belong."""
    own = [places / "work", places / "tmp", places / "home" / ".cache" / "sightline"]
    parents = {str(places / "home" / ".cache"), "/dev/null"}
    return sorted(
        path
        for path in set(paths)
        if path not in parents and not any(Path(path).is_relative_to(o) for o in own)
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_nothing_is_looked_up_and_the_home_folder_stays_empty(name, places):
    """But for our own cache; and nothing is said that nobody asked for."""
    (places / "hook").mkdir()
    (places / "hook" / "sitecustomize.py").write_text(WATCH)
    log = places / "log"
    watched = {"PYTHONPATH": str(places / "hook"), "WATCH_LOG": str(log)}

    done = subprocess.run(
        COMMANDS[name],
        cwd=places / "work",
        env=environment(places / "home", places / "tmp") | watched,
        capture_output=True,
        text=True,
    )

    assert (done.returncode, done.stderr) == (0, "")
    seen = log.read_text().splitlines()
    assert [line for line in seen if line.startswith("network")] == []
    written = [line.removeprefix("write ") for line in seen if line.startswith("write")]
    assert strangers(written, places) == []
    assert {path.name for path in (places / "home").iterdir()} <= {".cache"}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_home_folder_that_cannot_be_written_is_no_reason_to_speak(name, places):
    """A service account often has none."""
    (places / "file").write_text("")

    done = subprocess.run(
        COMMANDS[name],
        cwd=places / "work",
        env=environment(places / "file" / "home", places / "tmp"),
        capture_output=True,
        text=True,
    )

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", COMMANDS)
def test_the_kernel_sees_no_connection_and_no_file_elsewhere(name, places):
    """What compiled code does too, as strace sees it."""
    if not shutil.which("strace"):
        pytest.skip("strace is not installed; the same is tested from inside Python")
    log = places / "log"
    words = ["strace", "-f", "-qq", "-e", "trace=connect,sendto,openat,mkdir", "-o", str(log)]

    done = subprocess.run(
        [*words, *COMMANDS[name]],
        cwd=places / "work",
        env=environment(places / "home", places / "tmp"),
        capture_output=True,
        text=True,
    )

    assert (done.returncode, done.stderr) == (0, "")
    seen = log.read_text().splitlines()
    assert [line for line in seen if re.search(r"\b(connect|sendto)\(.*AF_INET", line)] == []
    made = [
        line
        for line in seen
        if re.search(r"O_WRONLY|O_RDWR|O_CREAT|\bmkdir\(", line) and " = -1 " not in line
    ]
    written = [os.path.join(places / "work", re.findall(r'"([^"]*)"', line)[0]) for line in made]
    assert strangers(written, places) == []
