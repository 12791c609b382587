"""Landlock (Linux 5.13 and later): a process gives up opening files, connections and signals of its own accord.

Without a rule nothing is allowed, and no rule is needed: whoever is confined has all its files open. Numbers and layouts
are those of linux/landlock.h; they are the same on every processor.
"""

from __future__ import annotations

import ctypes
import os

from sightline.adapters.confined.kernel import check, forbid_new_privileges, pointer, syscall

__all__ = ["abi", "restrict"]

_CREATE, _RESTRICT = 444, 446
_ASK_VERSION = 1
# Bits that a version knows; one bit too many and the kernel refuses all of them.
_FILES = {1: 13, 2: 14, 3: 15, 5: 16}
_CONNECTIONS, _CONNECTIONS_SINCE = 0b11, 4
_SCOPES, _SCOPES_SINCE = 0b11, 6


class _Ruleset(ctypes.Structure):
    _fields_ = [("files", ctypes.c_uint64), ("connections", ctypes.c_uint64), ("scopes", ctypes.c_uint64)]


def abi() -> int:
    """Version of Landlock that this kernel has switched on; 0 where there is none."""
    return max(syscall(_CREATE, None, ctypes.c_size_t(0), ctypes.c_uint32(_ASK_VERSION)), 0)


def restrict() -> int:
    """Give up whatever this kernel's Landlock knows: its version.

    1: no file is opened, made, moved or removed by its name. 4: no TCP. 6: no abstract socket and no signal to others.

    Raises:
        OSError: the kernel has no Landlock, or refuses.
    """
    version = check(abi() or -1, "landlock")
    bits = max(count for since, count in _FILES.items() if since <= version)
    rules = _Ruleset(
        (1 << bits) - 1,
        _CONNECTIONS if version >= _CONNECTIONS_SINCE else 0,
        _SCOPES if version >= _SCOPES_SINCE else 0,
    )
    size = 24 if version >= _SCOPES_SINCE else 16 if version >= _CONNECTIONS_SINCE else 8
    made = syscall(_CREATE, pointer(rules), ctypes.c_size_t(size), ctypes.c_uint32(0))
    descriptor = check(made, "landlock_create_ruleset")
    try:
        forbid_new_privileges()
        entered = syscall(_RESTRICT, ctypes.c_int(descriptor), ctypes.c_uint32(0))
        check(entered, "landlock_restrict_self")
    finally:
        os.close(descriptor)
    return version
