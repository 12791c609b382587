"""The tests also pass when a shell starts them in the background."""

import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
INTERRUPTS_A_CHILD = """
import signal, subprocess, sys, time
import tests.conftest
child = subprocess.Popen([sys.executable, "-c", "print('here', flush=True); input()"], stdin=-1, stdout=-1)
child.stdout.readline()
for _ in range(100):  # one that comes just before a child waits does not wake it
    child.send_signal(signal.SIGINT)
    time.sleep(0.1)
    if child.poll() is not None:
        break
child.kill()
sys.exit(0 if child.wait(60) == -signal.SIGINT else 1)
"""


def test_children_can_be_interrupted_where_the_shell_ignores_interrupts():
    """`make test &` in a script ignores SIGINT in all that it starts."""
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTS_A_CHILD],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
    )

    assert done.returncode == 0
