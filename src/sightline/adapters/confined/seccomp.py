"""Seccomp: a process names the system calls that it still makes; the kernel refuses every other one (EPERM).

The list is what Python and FFmpeg need to decode files that are open already: memory, reading, waiting, talking on a
socket that is there. No open, no stat of a name, no socket, no process, no thread, no signal, and no memory that holds
code. The filter is classic BPF: linux/seccomp.h, linux/filter.h, linux/audit.h.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
from typing import NamedTuple

from sightline.adapters.confined.kernel import forbid_new_privileges, pointer, syscall

__all__ = ["machine", "program", "restrict"]

_SET_FILTER, _ALL_THREADS = 1, 1
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _ANSWER = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _THIRD_ARGUMENT = 0, 4, 32  # offsets in struct seccomp_data
_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050000 | errno.EPERM, 0x80000000
_EXECUTABLE = 4  # PROT_EXEC
# Numbers of x32 programs, which say that they are x86-64.
_X32 = 0x40000000


class _Machine(NamedTuple):
    audit: int
    seccomp: int
    allowed: tuple[int, ...]
    mapping: tuple[int, ...]


_X86_64 = {
    "read": 0, "write": 1, "close": 3, "munmap": 11, "brk": 12, "rt_sigaction": 13, "rt_sigprocmask": 14,
    "rt_sigreturn": 15, "pread64": 17, "sched_yield": 24, "mremap": 25, "madvise": 28, "getpid": 39, "sendto": 44,
    "recvfrom": 45, "sendmsg": 46, "recvmsg": 47, "exit": 60, "gettimeofday": 96, "sysinfo": 99, "sigaltstack": 131,
    "gettid": 186, "time": 201, "futex": 202, "sched_getaffinity": 204, "restart_syscall": 219,
    "clock_gettime": 228, "clock_getres": 229, "clock_nanosleep": 230, "exit_group": 231, "ppoll": 271,
    "set_robust_list": 273, "getrandom": 318, "membarrier": 324, "rseq": 334,
}  # fmt: skip
_AARCH64 = {
    "close": 57, "read": 63, "write": 64, "pread64": 67, "ppoll": 73, "exit": 93, "exit_group": 94, "futex": 98,
    "set_robust_list": 99, "clock_gettime": 113, "clock_getres": 114, "clock_nanosleep": 115, "sched_getaffinity": 123,
    "sched_yield": 124, "restart_syscall": 128, "sigaltstack": 132, "rt_sigaction": 134, "rt_sigprocmask": 135,
    "rt_sigreturn": 139, "gettimeofday": 169, "getpid": 172, "gettid": 178, "sysinfo": 179, "sendto": 206,
    "recvfrom": 207, "sendmsg": 211, "recvmsg": 212, "brk": 214, "munmap": 215, "mremap": 216, "madvise": 233,
    "getrandom": 278, "membarrier": 283, "rseq": 293,
}  # fmt: skip
# `mapping`: mmap and mprotect, allowed where the third argument asks for no code.
_MACHINES = {
    "x86_64": _Machine(0xC000003E, 317, tuple(sorted(_X86_64.values())), (9, 10)),
    "aarch64": _Machine(0xC00000B7, 277, tuple(sorted(_AARCH64.values())), (222, 226)),
}
_MACHINES["arm64"] = _MACHINES["aarch64"]


def machine(name: str = "") -> _Machine:
    """Numbers of system calls of a processor, by default of this one.

    Raises:
        OSError: ENOSYS, none are written down for it.
    """
    name = name or platform.machine()
    if name not in _MACHINES:
        raise OSError(
            errno.ENOSYS, f"no system calls are known for {name}, only for {', '.join(sorted(_MACHINES))}"
        )
    return _MACHINES[name]


def program(on: _Machine) -> bytes:
    """The filter: other architectures kill, what is on the list passes, mappings without code pass, the rest is refused."""
    lines = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, on.audit),
        (_ANSWER, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
        (_AT_LEAST, 0, 1, _X32),
        (_ANSWER, 0, 0, _KILL),
    ]
    for number in on.allowed:
        lines += [(_EQUAL, 0, 1, number), (_ANSWER, 0, 0, _ALLOW)]
    for number in on.mapping:
        lines += [
            (_EQUAL, 0, 4, number),
            (_LOAD, 0, 0, _THIRD_ARGUMENT),
            (_ANY_BIT, 0, 1, _EXECUTABLE),
            (_ANSWER, 0, 0, _REFUSE),
            (_ANSWER, 0, 0, _ALLOW),
        ]
    lines.append((_ANSWER, 0, 0, _REFUSE))
    return b"".join(struct.pack("=HBBI", *line) for line in lines)


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("lines", ctypes.c_void_p)]


def restrict() -> None:
    """Make no other system calls from here on, in any thread of this process.

    Raises:
        OSError: the kernel has no seccomp filters or refuses, or the processor is another one.
    """
    on = machine()
    code = program(on)
    lines = ctypes.create_string_buffer(code, len(code))
    filters = _Program(len(code) // 8, ctypes.cast(lines, ctypes.c_void_p))
    forbid_new_privileges()
    arguments = (ctypes.c_uint(_SET_FILTER), ctypes.c_uint(_ALL_THREADS), pointer(filters))
    if syscall(on.seccomp, *arguments):  # below 0, or the thread that cannot be confined
        raise OSError(ctypes.get_errno(), f"seccomp: {os.strerror(ctypes.get_errno())}")
