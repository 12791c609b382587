"""System calls of Linux that Python has no function for. No library that is looked after offers them all, so ctypes does."""

from __future__ import annotations

import ctypes
import os
import signal
from typing import Any

__all__ = ["check", "die_with_parent", "forbid_new_privileges", "memory", "pointer", "prctl", "syscall"]

_SET_PDEATHSIG, _SET_NO_NEW_PRIVS = 1, 38  # linux/prctl.h
_READ_WRITE, _SHARED = 3, 1  # PROT_READ | PROT_WRITE, MAP_SHARED
_FAILED = ctypes.c_void_p(-1).value


def _libc() -> Any:
    return ctypes.CDLL(None, use_errno=True)


def check(result: int, what: str) -> int:
    """What a call answered.

    Raises:
        OSError: it failed.
    """
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def syscall(number: int, *arguments: Any) -> int:
    """A system call by its number; below 0 where it failed."""
    return int(_libc().syscall(ctypes.c_long(number), *arguments))


def prctl(option: int, *arguments: Any) -> int:
    """Set something of this process; below 0 where it failed."""
    given = [*arguments, 0, 0, 0, 0][:4]
    words = [each if isinstance(each, ctypes.c_void_p) else ctypes.c_ulong(each) for each in given]
    return int(_libc().prctl(ctypes.c_int(option), *words))


def pointer(structure: Any) -> ctypes.c_void_p:
    """The address of a structure."""
    return ctypes.cast(ctypes.byref(structure), ctypes.c_void_p)


def forbid_new_privileges() -> None:
    """No program that this process starts gets more rights; the kernel asks for it before it confines anybody.

    Raises:
        OSError: the kernel is older than 3.5.
    """
    check(prctl(_SET_NO_NEW_PRIVS, 1), "no_new_privs")


def die_with_parent(parent: int) -> None:
    """End this process as soon as the thread that started it ends; at once where process `parent` is gone already.

    Raises:
        OSError: the kernel cannot.
        ProcessLookupError: the parent is gone.
    """
    check(prctl(_SET_PDEATHSIG, signal.SIGKILL), "PDEATHSIG")
    if os.getppid() != parent:
        raise ProcessLookupError("the process that started this one is gone")


def memory(descriptor: int, size: int) -> Any:
    """Shared memory behind a descriptor, as an array of bytes: `mmap.mmap` would ask for the file's size first.

    Raises:
        OSError: it cannot be mapped.
    """
    libc = _libc()
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
    address = libc.mmap(None, size, _READ_WRITE, _SHARED, descriptor, 0)
    if address in (None, _FAILED):
        check(-1, "mmap")
    return (ctypes.c_uint8 * size).from_address(address)
