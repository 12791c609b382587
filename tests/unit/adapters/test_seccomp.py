"""The filter of system calls, run by an interpreter of its own, and what is said of a confinement."""

from __future__ import annotations

import errno
import json
import os
import struct

import pytest

from sightline.adapters.confined import levels, seccomp
from sightline.adapters.confined.confine import Level
from sightline.adapters.confined.process import environment
from sightline.setup import doctor

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


def test_without_seccomp_a_level_does_not_hold():
    """Uploads of others are refused then, however good the rest is."""
    assert Level(True, True, 0).holds
    assert not Level(True, False, 7).holds


def test_doctor_says_what_confines_and_what_to_do(monkeypatch):
    """One line; a machine without is no reason to fail, for own files are read without."""
    monkeypatch.setattr(
        levels, "levels", lambda: Level(True, False, 0, {"seccomp": "EINVAL", "landlock": "ENOSYS"})
    )

    found = doctor.check("confinement", doctor.CHECKS["confinement"])

    assert found.ok
    assert found.detail.startswith("rlimits; no landlock (ENOSYS): ")
    assert "no seccomp (EINVAL): take uploads on loopback only" in found.detail


def test_a_child_is_told_no_secret(monkeypatch):
    """Of the environment only what Python and its libraries need to be found."""
    monkeypatch.setenv("SIGHTLINE_TOKEN", "secret")

    assert "secret" not in json.dumps(environment())
    assert os.environ["SIGHTLINE_TOKEN"] == "secret"
