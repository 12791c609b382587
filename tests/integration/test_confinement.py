"""What a confined process can still do: decode, and nothing else. Each refusal is tried out in a real one."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap

import pytest

from sightline.adapters.confined import landlock
from sightline.adapters.confined.levels import levels
from tests.confining import needs


def confined(action: str, **limits) -> str:
    """What comes of a line of Python in a confined process: its value, its error, or the signal that ended the process."""
    script = f"""
        import ctypes, errno, os, resource, signal, socket, subprocess, sys, threading, mmap
        from sightline.adapters.confined.confine import confine
        from sightline.adapters.confined.rlimits import Limits
        tcp = socket.socket()
        level = confine(Limits(**{limits!r}), os.getppid())
        try:
            found = repr({action})
        except BaseException as error:
            found = f"{{type(error).__name__}} {{getattr(error, 'errno', '')}}".strip()
        os.write(1, found.encode())
        os._exit(0)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.stdout if done.returncode == 0 else f"{signal.Signals(-done.returncode).name}"


REFUSED_BY_SECCOMP = {
    "opening a file": "os.open('/etc/passwd', os.O_RDONLY)",
    "opening what is open": "os.open('/proc/self/fd/0', os.O_RDONLY)",
    "writing a file": "os.open('/tmp/x', os.O_WRONLY | os.O_CREAT)",
    "asking for a file": "os.stat('/etc/passwd')",
    "a socket": "socket.socket()",
    "a local socket": "socket.socket(socket.AF_UNIX)",
    "connecting what was open": "tcp.connect(('127.0.0.1', 9))",
    "a process": "os.fork()",
    "another program": "os.execv('/bin/true', ['true'])",
    "ending its parent": "os.kill(os.getppid(), 0)",
    "more rights": "resource.setrlimit(resource.RLIMIT_NOFILE, (4, 4))",
    "memory with code": "mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC)",
}


@pytest.mark.parametrize("name", REFUSED_BY_SECCOMP)
def test_a_confined_process_can_not(name):
    """Tried out in one."""
    needs("seccomp")

    # Python says ValueError where a limit is refused.
    assert confined(REFUSED_BY_SECCOMP[name]) == (
        "ValueError" if name == "more rights" else "PermissionError 1"
    )


def test_a_confined_process_starts_no_thread():
    """A thread is a process to the kernel."""
    needs("seccomp")

    assert confined("threading.Thread(target=int).start()") == "RuntimeError"


def test_a_confined_process_has_memory_up_to_its_limit():
    """Address space: what a damaged table asks for is refused, the rest works."""
    needs("rlimits")

    assert confined("len(bytearray(300 << 20))", memory=1 << 30) == str(300 << 20)
    assert confined("len(bytearray(1 << 30))", memory=1 << 30) == "MemoryError"


def test_a_process_that_never_ends_is_ended():
    """By processor time, whoever else looks away."""
    needs("rlimits")

    assert confined("all(True for _ in iter(int, 1))", cpu_s=1) == "SIGXCPU"


def landlocked(action: str) -> str:
    """The same under Landlock alone."""
    script = f"""
        import os, socket
        from sightline.adapters.confined.landlock import restrict
        tcp = socket.socket()
        restrict()
        try:
            found = repr({action})
        except OSError as error:
            found = f"{{type(error).__name__}} {{error.errno}}"
        print(found)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return done.stdout.strip()


def test_landlock_alone_opens_nothing(tmp_path):
    """Where a filter had a hole, this is behind it."""
    needs("landlock")

    assert landlocked("os.open('/etc/passwd', os.O_RDONLY)") == "PermissionError 13"
    assert landlocked(f"os.open({str(tmp_path / 'new')!r}, os.O_WRONLY | os.O_CREAT)") == "PermissionError 13"


def test_landlock_alone_connects_to_nobody():
    """TCP since its version 4."""
    needs("landlock")
    if landlock.abi() < 4:
        pytest.skip(f"Landlock {landlock.abi()} knows no TCP, 4 does")

    assert landlocked("tcp.connect(('127.0.0.1', 9))") == "PermissionError 13"
    assert landlocked("tcp.bind(('127.0.0.1', 0))") == "PermissionError 13"


def test_threads_that_were_there_are_confined_too():
    """A library may have started one."""
    needs("seccomp")
    script = """
        import os, socket, threading
        from sightline.adapters.confined.seccomp import restrict
        confined, found = threading.Event(), []
        def other():
            confined.wait()
            try:
                socket.socket()
            except PermissionError:
                found.append("refused")
        thread = threading.Thread(target=other)
        thread.start()
        restrict()
        confined.set()
        thread.join()
        os.write(1, repr(found).encode())
        os._exit(0)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )

    assert done.stdout == "['refused']"


def test_levels_are_those_of_a_process_that_was_confined():
    """Here all of them, or the reason."""
    found = levels()

    assert {"rlimits", "seccomp", "landlock"} - set(found.missing) == {
        name for name in ("rlimits", "seccomp", "landlock") if getattr(found, name)
    }
