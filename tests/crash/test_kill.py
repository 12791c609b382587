"""Real processes, killed for good: the run folder comes out as if nothing had happened. Long form: `make chaos`."""

import os
import signal
import subprocess
import time
from dataclasses import replace
from random import Random

import pytest

from tests.crash.killing import clip, die_at, file_calls, kill_until, moving, result, undisturbed
from tests.integration.track_process import PROGRAM, environment

SEED = 20


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """Files of the undisturbed run."""
    return undisturbed(clip(), tmp_path_factory.mktemp("plain") / "out")


def test_after_six_kills_the_bytes_are_the_same(plain, tmp_path):
    """SIGKILL at moments spread over the run, each start with another number of threads."""
    case = clip()

    seen = [each for _, each in kill_until([case], {case.name: plain}, tmp_path, Random(SEED), 6)]

    assert [each.finding for each in seen if each.finding] == []
    assert sum(len(each.kills) for each in seen) >= 6


def test_where_a_camera_looked_is_the_same_after_six_kills(tmp_path):
    """Chunks whose motion was told, joined and half stored, and the path that is laid over all of them."""
    case = moving(tmp_path)
    expected = undisturbed(case, tmp_path / "plain")
    assert "swung/segments/camera.bin" in expected

    seen = [each for _, each in kill_until([case], {case.name: expected}, tmp_path, Random(SEED), 6)]

    assert [each.finding for each in seen if each.finding] == []
    assert sum(len(each.kills) for each in seen) >= 6


@pytest.fixture(scope="module")
def short(tmp_path_factory):
    """Files of the undisturbed run of a second, and its file calls."""
    home = tmp_path_factory.mktemp("short")
    return undisturbed(clip("1s"), home / "out"), file_calls(clip("1s"), home / "calls")


@pytest.mark.parametrize("call", [".begun.json.", "segments/tracks-cars", "run.json", "mot", "store.sqlite"])
def test_a_run_killed_at_a_file_call_ends_with_the_same_bytes(short, tmp_path, call):
    """At its beginning, before an object gets its name, between the moves into place, while it tidies."""
    expected, calls = short
    chosen = [n for n, each in enumerate(calls, 1) if call in each and "open" not in each]

    assert die_at(clip("1s"), expected, tmp_path / "out", chosen[-1]) == ""


def test_a_run_killed_while_it_publishes_may_go_on_with_other_formats(short, tmp_path):
    """What was rendered and not yet pointed to is rendered again, not taken for another run's."""
    _, calls = short
    case = clip("1s")
    other = replace(case, arguments=(*case.arguments, "--format", "mot"))
    expected = undisturbed(other, tmp_path / "other")
    listed = [n for n, each in enumerate(calls, 1) if each.startswith("os.remove") and ".run.json." in each]

    assert die_at(case, expected, tmp_path / "out", listed[-1], "--format", "mot") == ""


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_run_that_was_interrupted_goes_on(plain, tmp_path, sent, code):
    """Ctrl-C and the service manager: an exit code of its own, and the same command goes on."""
    case = clip()
    command = [
        *PROGRAM,
        "track",
        case.source,
        "--model",
        "sightline-tiny",
        "--precision",
        "f32",
        "--no-progress",
    ]
    command += ["--out", os.fspath(tmp_path / "out"), *case.arguments]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": environment(tmp_path)}
    store = tmp_path / "out" / "street" / ".partial" / "store.sqlite"

    first = subprocess.Popen(command, **quiet)
    while not store.exists() and first.poll() is None:
        time.sleep(0.02)
    time.sleep(0.3)
    first.send_signal(sent)
    interrupted = first.wait()
    finished = subprocess.run(command, **quiet, check=False).returncode

    assert (interrupted, finished) == (code, 0)
    assert result(tmp_path / "out") == plain
