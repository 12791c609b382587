"""What confines a process on this machine, tried out in one: `levels()` asks a new process that confines itself."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Callable

import msgspec

from sightline.adapters.confined.confine import Level, confine
from sightline.adapters.confined.process import environment, module
from sightline.adapters.confined.rlimits import Limits

__all__ = ["levels"]

_WITHIN_S = 60
_DOES_NOTHING = "the kernel takes it and does not do it"


def levels() -> Level:
    """Confine a process and see what it can still do.

    Raises:
        OSError: no process can be started.
    """
    command = module("sightline.adapters.confined.levels", str(os.getpid()))
    try:
        done = subprocess.run(
            command, env=environment(), cwd="/", capture_output=True, timeout=_WITHIN_S, check=True
        )
        return msgspec.json.decode(done.stdout, type=Level)
    except (subprocess.SubprocessError, msgspec.MsgspecError) as error:
        return Level(missing={"process": f"{type(error).__name__}: {error}"})


def _tried(level: Level) -> Level:
    """What a confined process sees of its confinement."""
    missing = dict(level.missing)
    if level.seccomp and not _refused(lambda: socket.socket().close()):
        missing["seccomp"] = _DOES_NOTHING
    if level.landlock and not _refused(lambda: os.close(os.open("/", os.O_RDONLY))):
        missing["landlock"] = _DOES_NOTHING
    return Level(
        level.rlimits,
        level.seccomp and "seccomp" not in missing,
        0 if "landlock" in missing else level.landlock,
        missing,
    )


def _refused(action: Callable[[], object]) -> bool:
    try:
        action()
    except PermissionError:
        return True
    return False


def _main(parent: int) -> None:
    encode = msgspec.json.encode
    encode(_tried(Level()))  # used once before nothing can be loaded any more
    os.write(1, encode(_tried(confine(Limits(), parent))))


if __name__ == "__main__":
    import sys

    _main(int(sys.argv[1]))
