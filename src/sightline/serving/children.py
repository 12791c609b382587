"""Children of the supervisor: they die with it, and are started again when they die."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Child"]

# What the kernel sends to a process for what it has done itself.
FAULTS = frozenset(
    -number
    for number in (
        signal.SIGSEGV,
        signal.SIGABRT,
        signal.SIGBUS,
        signal.SIGILL,
        signal.SIGFPE,
        signal.SIGTRAP,
    )
)
DEATHS = 5
BACK_OFF_S = (0.1, 0.5, 1.0, 2.0, 5.0)
WELL_S = 30.0  # who has lived so long is well


@dataclass
class Child:
    """A process that is kept running.

    Attributes:
        module: that is run, with the file of settings.
        config: the file.
        sockets: descriptors that it inherits.
    """

    module: str
    config: Path
    sockets: Sequence[int] = ()
    process: subprocess.Popen[bytes] | None = None
    _deaths: int = 0
    _fault: bool = False
    _began: float = field(default_factory=time.monotonic)
    _again_at: float = 0.0

    @property
    def name(self) -> str:
        """What logs call it."""
        return self.module.rpartition(".")[2]

    @property
    def suspicious(self) -> bool:
        """Whether something that it worked on may have ended it: it died of a fault, or dies again and again.

        A kill from outside, as of an operator, of the kernel short of memory, or with the whole service, is nothing that a
        frame has done.
        """
        return self._fault or self._deaths >= DEATHS

    def start(self) -> None:
        """Start it; it is told whether to be careful."""
        self._began = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, "-m", self.module, str(self.config), *(["careful"] if self.suspicious else [])],
            pass_fds=tuple(self.sockets),
            stdin=subprocess.DEVNULL,
        )

    def tend(self) -> int | None:
        """Start it again where it has died and it is time; how it died, once, else None."""
        if self.process is not None and (code := self.process.poll()) is not None:
            self.process = None
            well = time.monotonic() - self._began > WELL_S
            self._deaths = 1 if well else self._deaths + 1
            self._fault = code in FAULTS
            self._again_at = time.monotonic() + BACK_OFF_S[min(self._deaths, len(BACK_OFF_S)) - 1]
            return code
        if self.process is None and time.monotonic() >= self._again_at:
            self.start()
        return None

    def stop(self, patience_s: float) -> None:
        """Ask it to end, wait, kill it."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(patience_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None
