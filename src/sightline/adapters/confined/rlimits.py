"""What a process may use at most: memory, processor, files. Any Unix has these limits."""

from __future__ import annotations

import os
import resource
from contextlib import suppress
from dataclasses import dataclass

__all__ = ["Limits", "limit", "prefer_to_kill"]

_GRACE_S = 5


@dataclass(frozen=True, slots=True)
class Limits:
    """What decoding a stranger's file may take.

    Attributes:
        memory: bytes of address space; Python and FFmpeg take 0.3 GB of it, the rest is for packets and pictures.
        cpu_s: seconds of processor that one child gets; the next one begins anew.
        index_s: seconds of clock until the index is there.
        frame_s: seconds of clock until the next frame is there.
        files: descriptors.
        attempts: how many children may end at the same place before it is given up.
    """

    memory: int = 2 << 30
    cpu_s: int = 4 * 3600
    index_s: float = 3600.0
    frame_s: float = 60.0
    files: int = 128
    attempts: int = 3


def limit(limits: Limits) -> None:
    """Set the limits of this process for good.

    Raises:
        OSError, ValueError: a limit is refused.
    """
    for kind, most in (
        (resource.RLIMIT_AS, limits.memory),
        (resource.RLIMIT_CPU, limits.cpu_s),
        (resource.RLIMIT_NOFILE, limits.files),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(kind)
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        # SIGXCPU comes first and says which limit it was; whoever ignores it is killed soon after.
        grace = _GRACE_S if kind == resource.RLIMIT_CPU and hard == resource.RLIM_INFINITY else 0
        resource.setrlimit(kind, (most, most + grace))


def prefer_to_kill() -> None:
    """Where the machine runs out of memory the kernel ends this process first; no matter where that cannot be said."""
    with suppress(OSError):
        descriptor = os.open("/proc/self/oom_score_adj", os.O_WRONLY)
        os.write(descriptor, b"1000")
        os.close(descriptor)
