"""What a confined process can still do: decode, and nothing else."""

from __future__ import annotations

import errno
import json
import os
import signal
import struct
import subprocess
import sys
import textwrap

import pytest

from sightline.adapters.confined import landlock, seccomp
from sightline.adapters.confined.confine import Level
from sightline.adapters.confined.levels import levels
from sightline.setup import doctor
from tests.confining import needs

ALLOW, REFUSE, KILL = 0x7FFF0000, 0x00050000 | errno.EPERM, 0x80000000
X86_64, AARCH64 = 0xC000003E, 0xC00000B7
# Numbers by name, from the kernel's tables: what must never pass.
FORBIDDEN_X86_64 = {
    "open": 2, "stat": 4, "socket": 41, "connect": 42, "accept": 43, "bind": 49, "clone": 56, "fork": 57, "vfork": 58,
    "execve": 59, "kill": 62, "ftruncate": 77, "rename": 82, "unlink": 87, "ptrace": 101, "prctl": 157, "tkill": 200,
    "openat": 257, "newfstatat": 262, "tgkill": 234, "process_vm_readv": 310, "prlimit64": 302, "execveat": 322,
    "io_uring_setup": 425, "clone3": 435, "openat2": 437, "memfd_create": 319, "bpf": 321, "shmget": 29, "dup": 32,
}  # fmt: skip
FORBIDDEN_AARCH64 = {
    "openat": 56, "newfstatat": 79, "socket": 198, "connect": 203, "clone": 220, "execve": 221, "kill": 129,
    "tgkill": 131, "ptrace": 117, "prctl": 167, "prlimit64": 261, "clone3": 435, "openat2": 437, "execveat": 281,
    "io_uring_setup": 425, "ftruncate": 46, "unlinkat": 35, "process_vm_readv": 270, "memfd_create": 279, "dup": 23,
}  # fmt: skip
MACHINES = {
    "x86_64": (X86_64, FORBIDDEN_X86_64, (9, 10)),
    "aarch64": (AARCH64, FORBIDDEN_AARCH64, (222, 226)),
}


def verdict(code: bytes, number: int, architecture: int, third: int = 0) -> int:
    """What the kernel would do: an interpreter of the few instructions that filters here have."""
    data = {0: number, 4: architecture, 32: third & 0xFFFFFFFF}
    lines = [struct.unpack_from("=HBBI", code, 8 * n) for n in range(len(code) // 8)]
    at = value = 0
    while True:
        kind, true, false, operand = lines[at]
        at += 1
        if kind == 0x20:
            value = data[operand]
        elif kind == 0x06:
            return operand
        else:
            holds = {0x15: value == operand, 0x35: value >= operand, 0x45: bool(value & operand)}[kind]
            at += true if holds else false


@pytest.mark.parametrize("name", MACHINES)
def test_the_filter_refuses_whatever_opens_connects_or_starts(name):
    """By the kernel's own numbers of both processors, not by those that the filter was built from."""
    architecture, forbidden, _ = MACHINES[name]
    code = seccomp.program(seccomp.machine(name))

    assert {n: verdict(code, number, architecture) for n, number in forbidden.items()} == dict.fromkeys(
        forbidden, REFUSE
    )


@pytest.mark.parametrize("name", MACHINES)
def test_the_filter_lets_decoding_pass_and_refuses_every_number_it_does_not_know(name):
    """A kernel of next year has calls that nobody here has heard of."""
    architecture, _, mapping = MACHINES[name]
    on = seccomp.machine(name)
    code = seccomp.program(on)

    passed = {number for number in range(1_000) if verdict(code, number, architecture) == ALLOW}

    assert passed == {*on.allowed, *mapping}


@pytest.mark.parametrize("name", MACHINES)
def test_no_memory_that_holds_code(name):
    """Neither mapped nor changed to it; PROT_EXEC is 4."""
    architecture, _, mapping = MACHINES[name]
    code = seccomp.program(seccomp.machine(name))

    assert {verdict(code, number, architecture, 3) for number in mapping} == {ALLOW}
    assert {verdict(code, number, architecture, bits) for number in mapping for bits in (4, 5, 7)} == {REFUSE}


def test_calls_of_another_architecture_end_the_process():
    """Numbers mean something else there: 32-bit and x32 programs."""
    code = seccomp.program(seccomp.machine("x86_64"))

    assert verdict(code, 0, 0x40000003) == KILL
    assert verdict(code, 0x40000000, X86_64) == KILL


def test_an_unknown_processor_is_said_so():
    """No guess is made."""
    with pytest.raises(OSError, match="riscv64") as caught:
        seccomp.machine("riscv64")

    assert caught.value.errno == errno.ENOSYS


# --- real processes


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


def test_landlock_alone_opens_nothing():
    """Where a filter had a hole, this is behind it."""
    needs("landlock")

    assert landlocked("os.open('/etc/passwd', os.O_RDONLY)") == "PermissionError 13"
    assert landlocked("os.open('/tmp/x', os.O_WRONLY | os.O_CREAT)") == "PermissionError 13"


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


# --- what is said of it


def test_levels_are_those_of_a_process_that_was_confined():
    """Here all of them, or the reason."""
    found = levels()

    assert {"rlimits", "seccomp", "landlock"} - set(found.missing) == {
        name for name in ("rlimits", "seccomp", "landlock") if getattr(found, name)
    }


def test_without_seccomp_a_level_does_not_hold():
    """Uploads of others are refused then, however good the rest is."""
    assert Level(True, True, 0).holds
    assert not Level(True, False, 7).holds


def test_doctor_says_what_confines_and_what_to_do(monkeypatch):
    """One line; a machine without is no reason to fail, for own files are read without."""
    import sightline.adapters.confined.levels as module

    monkeypatch.setattr(
        module, "levels", lambda: Level(True, False, 0, {"seccomp": "EINVAL", "landlock": "ENOSYS"})
    )

    found = doctor.check("confinement", doctor.CHECKS["confinement"])

    assert found.ok
    assert found.detail.startswith("rlimits; no landlock (ENOSYS): ")
    assert "no seccomp (EINVAL): take uploads on loopback only" in found.detail


def test_a_child_is_told_no_secret(monkeypatch):
    """Of the environment only what Python and its libraries need to be found."""
    from sightline.adapters.confined.process import environment

    monkeypatch.setenv("SIGHTLINE_TOKEN", "secret")

    assert "secret" not in json.dumps(environment())
    assert os.environ["SIGHTLINE_TOKEN"] == "secret"
