"""A lock between those who delete objects of a folder and one who copies them all; the kernel lets go of it for who dies."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["deleting", "undeleted"]


@contextmanager
def deleting(lock: Path) -> Iterator[None]:
    """While something is deleted, beside others who delete; waits until a copy has ended."""
    with _held(lock, fcntl.LOCK_SH):
        yield


@contextmanager
def undeleted(lock: Path) -> Iterator[None]:
    """While everything is copied: nobody deletes meanwhile."""
    with _held(lock, fcntl.LOCK_EX):
        yield


@contextmanager
def _held(lock: Path, how: int) -> Iterator[None]:
    handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, how)
        yield
    finally:
        os.close(handle)
