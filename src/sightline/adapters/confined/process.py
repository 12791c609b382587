"""A decoder child, seen from its parent: started, asked, timed, ended."""

from __future__ import annotations

import mmap
import os
import signal
import socket
import subprocess
import sys
import weakref
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from fcntl import F_ADD_SEALS, F_SEAL_GROW, F_SEAL_SEAL, F_SEAL_SHRINK, fcntl
from functools import cache
from typing import Any

import numpy as np

from sightline.adapters.confined import messages
from sightline.adapters.confined.messages import Late, Left, Lied, Wire
from sightline.arrays import ByteArray
from sightline.errors import Unavailable

__all__ = ["Child", "Ended", "environment", "module"]

_START_S = 120.0  # on a machine that is very busy
_SLOTS, _FEW_SLOTS = 4, 2  # pictures that the child may be ahead; fewer of them where they are large
_LARGE = 1 << 24  # bytes of a picture
_SHORT = 1 << 16  # bytes of a message without an index
_KEPT = ("LD_LIBRARY_PATH",)


class Ended(Exception):
    """A child is no more, or must not be believed any more: it was killed, hung, or said what cannot be.

    Attributes:
        code: `limit`, where it took more time or memory than it may; else `crashed`.
    """

    def __init__(self, code: str, said: str) -> None:
        super().__init__(said)
        self.code = code


class Child:
    """A process that decodes one source.

    It is confined when this returns. It ends with this process, however that ends, and at the latest when nothing here
    refers to it any more.

    Args:
        opening: what it is told first; files in it are open here and stay so.

    Raises:
        Unavailable: it could not be started.

    Attributes:
        level: what confines it.
        pid: of the process.
    """

    def __init__(self, opening: messages.Open) -> None:
        here, there = socket.socketpair()
        try:
            with there:
                self._process = _started(
                    there.fileno(), [file.descriptor for file in opening.files if file.descriptor >= 0]
                )
        except BaseException:
            here.close()
            raise
        self.pid = self._process.pid
        self._wire = Wire(here, messages.Answer)
        self._end = weakref.finalize(self, _end, self._process, self._wire)
        try:
            self._wire.send(opening)
            ready = self._wire.receive(_SHORT, _START_S)
        except (Left, Late, Lied) as error:
            said = self._last_words() or type(error).__name__
            self.close()
            raise Unavailable(f"the decoder process did not start ({said}): repeat") from error
        if not isinstance(ready, messages.Ready):
            self.close()
            raise Unavailable("the decoder process did not start: repeat")
        self.level = ready.level
        self._memory: mmap.mmap | None = None
        self._slots: list[ByteArray] = []

    def index(
        self, most: int, within_s: float, images: Sequence[int] = ()
    ) -> messages.Found | messages.Failed:
        """What is in the source.

        Args:
            most: bytes of the answer.
            within_s: seconds until it is here.
            images: descriptors of the first ones.

        Raises:
            Ended: there is no answer.
        """
        self._say(messages.Index(len(images)), images)
        answer = self._hear(most, within_s)
        if isinstance(answer, messages.Found | messages.Failed):
            return answer
        raise self._liar("no index")

    def share(self, shape: tuple[int, ...]) -> None:
        """Give it memory for pictures of a shape, which it can neither shrink nor grow: this process reads it, too.

        Raises:
            Ended: it is gone.
            Unavailable: there is no memory.
        """
        if self._slots:
            return
        size = int(np.prod(shape))
        count = _SLOTS if size < _LARGE else _FEW_SLOTS
        try:
            descriptor = os.memfd_create("pictures", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
            try:
                os.ftruncate(descriptor, size * count)
                fcntl(descriptor, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)
                self._memory = mmap.mmap(descriptor, size * count)
                self._say(messages.Buffers(shape, count, count // 2), [descriptor])
            finally:
                os.close(descriptor)
        except OSError as error:
            raise Unavailable(
                f"no memory to share with a decoder process ({error}): use fewer workers"
            ) from error
        shared = np.frombuffer(self._memory, np.uint8)
        self._slots = [shared[n * size : (n + 1) * size].reshape(shape) for n in range(count)]
        self._next = self._copied = 0

    def frames(
        self, asked: messages.Read, waits: Sequence[float], images: Sequence[int] = ()
    ) -> Iterator[tuple[messages.Frame | messages.Failed, ByteArray | None]]:
        """Each frame that is asked for in turn, with its picture where there is one: it must be copied before the next.

        Args:
            asked: which frames.
            waits: seconds until each must be here.
            images: their descriptors, where they are images.

        Raises:
            Ended: the next one does not come.
        """
        self._say(asked, images)
        for row, within_s in zip(asked.rows, waits, strict=True):
            answer = self._hear(_SHORT, within_s)
            if isinstance(answer, messages.Failed):
                yield answer, None
                return
            if not isinstance(answer, messages.Frame) or answer.row != row or not _is_possible(answer):
                raise self._liar(f"no frame {row}")
            if answer.outcome == "failed":
                yield answer, None
                continue
            yield answer, self._slots[self._next]
            self._next = (self._next + 1) % len(self._slots)
            self._copied += 1
            if self._copied == len(self._slots) // 2:
                self._copied = 0
                self._say(messages.Taken())

    def packets(
        self, most: int, within_s: float
    ) -> Iterator[messages.Packets | messages.Packet | messages.Failed]:
        """What a decoder is told first, then each packet; without one that has no content it was not all.

        Args:
            most: bytes of an answer.
            within_s: seconds until each must be here.

        Raises:
            Ended: the next one does not come.
        """
        self._say(messages.Demux())
        kind: type[Any] = messages.Packets
        while True:
            answer = self._hear(most, within_s)
            if not isinstance(answer, kind | messages.Failed):
                raise self._liar("no packets")
            yield answer
            if isinstance(answer, messages.Failed) or not (
                answer.record if isinstance(answer, messages.Packets) else answer.content
            ):
                return
            kind = messages.Packet

    def close(self) -> None:
        """End it. Repeating is harmless."""
        self._end()

    def _say(self, message: messages.Ask, descriptors: Sequence[int] = ()) -> None:
        try:
            self._wire.send(message, descriptors)
        except (Left, Late) as error:
            raise self._ended(error) from error

    def _hear(self, most: int, within_s: float) -> Any:
        try:
            return self._wire.receive(most, within_s)
        except (Left, Late, Lied) as error:
            raise self._ended(error) from error

    def _ended(self, error: Exception) -> Ended:
        """Why there is no answer; nothing more comes of this child."""
        status: int | None = None
        if isinstance(error, Left):
            with suppress(subprocess.TimeoutExpired):
                status = self._process.wait(5)
        self.close()
        if isinstance(error, Late):
            return Ended("limit", "the decoder process took too long")
        if isinstance(error, Lied):
            return Ended("crashed", f"the decoder process answered what cannot be: {error}")
        if status == -signal.SIGXCPU:
            return Ended("limit", "the decoder process took too much processor time")
        return Ended("crashed", f"the decoder process ended ({_named(status)})")

    def _liar(self, what: str) -> Ended:
        return self._ended(Lied(what))

    def _last_words(self) -> str:
        self._process.kill()
        stderr = self._process.stderr
        said = b"" if stderr is None else stderr.read(1 << 16)
        return said.decode(errors="replace").strip().rpartition("\n")[2][-500:]


def environment() -> Mapping[str, str]:
    """Of a child: where Python finds what this process runs, and no secret of this process."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    paths = dict.fromkeys(os.path.abspath(path) for path in sys.path if path)
    return {
        **kept,
        "PYTHONPATH": os.pathsep.join(paths),
        "PYTHONDONTWRITEBYTECODE": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "LC_ALL": "C.UTF-8",
    }


def module(name: str, *arguments: str) -> list[str]:
    """A command line that runs a module, without the folder that this process stands in on its path."""
    return [sys.executable, "-P", "-m", name, *arguments]


@cache
def _starter() -> ThreadPoolExecutor:
    """The one thread that starts children: the kernel ends them when the *thread* ends that started them."""
    return ThreadPoolExecutor(1, "sightline-children")


def _started(connected: int, files: Sequence[int]) -> subprocess.Popen[bytes]:
    command = module("sightline.adapters.confined.child", str(connected), str(os.getpid()))
    start = _starter().submit(
        subprocess.Popen,
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        pass_fds=[connected, *files],
        env=environment(),
        cwd="/",
        start_new_session=True,  # Ctrl-C is for this process, which ends its children
    )
    try:
        return start.result()
    except OSError as error:
        raise Unavailable(
            f"a decoder process cannot be started ({error.strerror}): end others, then repeat"
        ) from error


def _end(process: subprocess.Popen[bytes], wire: Wire) -> None:
    process.kill()
    process.wait()
    if process.stderr is not None:
        process.stderr.close()
    wire.close()


def _is_possible(frame: messages.Frame) -> bool:
    return (frame.reason in ("", "size_change")) == (frame.outcome == "ok")


def _named(status: int | None) -> str:
    if status is None or status >= 0:
        return f"exit code {status}"
    return signal.Signals(-status).name if -status in set(signal.Signals) else f"signal {-status}"
