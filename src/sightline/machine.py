"""The machine that this process runs on; nothing here may change a result."""

from __future__ import annotations

import os
import platform
from pathlib import Path

__all__ = ["cpu_name_and_flags", "default_workers", "memory_bytes", "usable_cores"]

MAX_WORKERS = 8


def cpu_name_and_flags(cpuinfo: Path = Path("/proc/cpuinfo")) -> tuple[str, frozenset[str]]:
    """The processor's name and its instruction sets; no instruction sets where the system does not list them."""
    try:
        lines = cpuinfo.read_text("utf-8", "replace").splitlines()
    except OSError:
        return platform.processor() or platform.machine(), frozenset()
    facts = {
        key.strip(): value.strip() for key, _, value in (line.partition(":") for line in reversed(lines))
    }
    name = facts.get("model name") or platform.processor() or platform.machine()
    return name, frozenset(facts.get("flags", "").split())


def usable_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def default_workers() -> int:
    """Threads that decode and detect, where nobody says how many: memory grows with them."""
    return min(usable_cores(), MAX_WORKERS)


def memory_bytes() -> int:
    """Memory that is built in."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
