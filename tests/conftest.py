"""Fixtures that every test may use."""

import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings

from tests.servers import services
from tests.servers.programs import Missing

# Machines are shared and slow at times: a test must not fail for that.
ALWAYS = {"deadline": None, "derandomize": bool(os.environ.get("CI")), "print_blob": True}
# `make unit` is for between two edits; `make test`, which CI calls, asks for the other: --hypothesis-profile=thorough.
settings.register_profile("quick", max_examples=15, **ALWAYS)
settings.register_profile("thorough", max_examples=100, **ALWAYS)
settings.load_profile("quick")

# A shell ignores Ctrl-C for what it starts in the background (`make test &`), and children inherit that: tests that
# interrupt one would wait for ever.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_runtest_logreport(report):
    """Name a failure at once: the list at the end is lost where a run is cut short."""
    if report.failed:
        crash = getattr(report.longrepr, "reprcrash", None)
        print(
            f"\nFAILED {report.nodeid}: {getattr(crash, 'message', '')[:300]}",
            file=sys.__stderr__,
            flush=True,
        )


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder with real data and detectors; skips loudly without it, fails in CI."""
    folder = Path(os.environ.get("SIGHTLINE_SHARED", Path(__file__).resolve().parents[2] / "shared"))
    if not (folder / "data").is_dir():
        message = f"no real data at {folder}: set SIGHTLINE_SHARED to the folder that holds data/"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return folder


@pytest.fixture(scope="session")
def server():
    """`server("kafka")`: a real server and its addresses, started at the first call, ended with the session.

    Skips loudly where the machine lacks what it needs, fails in CI.
    """
    folder = Path(tempfile.mkdtemp(prefix="servers-"))
    folder.chmod(0o755)  # PostgreSQL, started by root, runs as another user
    started = {}

    def get(name):
        if name not in started:
            try:
                started[name] = services.start(name, folder)
            except Missing as lack:
                if os.environ.get("CI"):
                    pytest.fail(f"CI must have it: {lack}")
                pytest.skip(f"needs {name}: {lack}")
        return started[name]

    yield get
    for name in started:
        services.stop(name, folder)
    shutil.rmtree(folder, ignore_errors=True)
