"""Children of the supervisor: started again, and told to be careful where what they worked on may have ended them."""

import signal
import time

import pytest

from sightline.serving import children
from sightline.serving.children import Child

ENDING = """
import os, sys
with open(sys.argv[1], "a") as file:
    file.write(" ".join(sys.argv[2:]) + "|")
os.kill(os.getpid(), {number})
"""


@pytest.fixture
def child_of(tmp_path, monkeypatch):
    """A child that notes what it was told, and ends by a signal at once."""
    monkeypatch.setattr(children, "BACK_OFF_S", (0.0,))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    def made(number: int) -> Child:
        (tmp_path / "ending.py").write_text(ENDING.format(number=int(number)))
        return Child("ending", tmp_path / "told")

    return made


def told(child: Child, starts: int) -> list[str]:
    """What each of some starts was told."""
    child.start()
    end = time.monotonic() + 30
    while time.monotonic() < end:
        words = child.config.read_text().split("|") if child.config.exists() else []
        if len(words) > starts:
            break
        child.tend()
        time.sleep(0.01)
    child.stop(1.0)
    return words[:starts]


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS])
def test_who_dies_of_a_fault_is_careful_next_time(child_of, number):
    """As a broken engine dies at a picture."""
    assert told(child_of(number), 3) == ["", "careful", "careful"]


def test_who_is_killed_is_not_careful_until_it_happens_again_and_again(child_of):
    """An operator or the kernel did it, and no frame."""
    starts = told(child_of(signal.SIGKILL), children.DEATHS + 2)

    assert starts == [""] * children.DEATHS + ["careful"] * 2
