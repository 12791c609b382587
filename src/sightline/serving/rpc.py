"""Questions from one process of the service to another, over a socket in a folder that only its user can enter.

A question and its answer are a line of JSON each; one question a connection. An error travels as its kind, code and
message, and is raised again on the other side.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from sightline import errors
from sightline.errors import Rejected, SightlineError, Unavailable

__all__ = ["Client", "Server"]

MOST = 2**20  # bytes of a question or an answer
Calls = Mapping[str, Callable[..., Any]]


class Failure(msgspec.Struct, frozen=True):
    """An error on its way."""

    kind: str
    code: str
    message: str


class Answer(msgspec.Struct, frozen=True):
    """What came of a question."""

    value: Any = None
    error: Failure | None = None


class Server:
    """Answers questions in a few threads.

    Args:
        path: of the socket; an old one is replaced.
        calls: by name; their arguments and results are JSON values.
        threads: questions that are answered at the same time.
    """

    def __init__(self, path: Path, calls: Calls, threads: int = 4) -> None:
        self._path, self._calls = path, calls
        self._closed = threading.Event()
        self._pool = ThreadPoolExecutor(threads, "sightline-rpc")
        self._listening = socket.socket(socket.AF_UNIX)
        path.unlink(missing_ok=True)
        self._listening.bind(os.fspath(path))
        self._listening.listen(64)
        self._thread = threading.Thread(target=self._accept, daemon=True, name="sightline-rpc")
        self._thread.start()

    def close(self) -> None:
        """Answer no more."""
        self._closed.set()
        self._path.unlink(missing_ok=True)
        self._listening.close()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _accept(self) -> None:
        while not self._closed.is_set():
            try:
                connection, _ = self._listening.accept()
            except (
                OSError
            ):  # closed, or whoever asked has gone, or there are too many open files: then a moment later
                self._closed.wait(0.1)
                continue
            with suppress(RuntimeError):  # closed in between
                self._pool.submit(self._answer, connection)

    def _answer(self, connection: socket.socket) -> None:
        with connection:
            try:
                connection.settimeout(10)
                question = msgspec.json.decode(_line(connection))
                answer = self._asked(question["call"], question["with"])
                connection.sendall(msgspec.json.encode(answer) + b"\n")
            except (OSError, msgspec.MsgspecError, KeyError, TypeError):
                return  # whoever asked hears that the line is dead

    def _asked(self, call: str, arguments: Mapping[str, Any]) -> Answer:
        try:
            return Answer(value=self._calls[call](**arguments))
        except SightlineError as error:
            return Answer(error=Failure(type(error).__name__, error.code, error.message))


class Client:
    """Asks a process that may be on its way up again.

    Args:
        path: of its socket.
        timeout_s: longest wait for an answer.
    """

    def __init__(self, path: Path, timeout_s: float = 120.0) -> None:
        self._path, self._timeout_s = path, timeout_s

    def ask(self, call: str, **arguments: Any) -> Any:
        """The answer to a question.

        Raises:
            SightlineError: what the other side raised.
            Unavailable: nobody answers; ask again.
        """
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(self._timeout_s)
                connection.connect(os.fspath(self._path))
                connection.sendall(msgspec.json.encode({"call": call, "with": arguments}) + b"\n")
                answer = msgspec.json.decode(_line(connection), type=Answer)
        except (OSError, msgspec.MsgspecError) as error:
            raise Unavailable(
                "the worker does not answer now: repeat in a few seconds", code="worker_down"
            ) from error
        if answer.error is not None:
            raise _raised(answer.error)
        return answer.value


def _line(connection: socket.socket) -> bytes:
    """A line, without its end.

    Raises:
        OSError: the connection ended before, or it is too long.
    """
    found = bytearray()
    while not found.endswith(b"\n"):
        part = connection.recv(65536)
        if not part or len(found) > MOST:
            raise OSError("the line was cut")
        found += part
    return bytes(found[:-1])


def _raised(failure: Failure) -> SightlineError:
    """An error of the other process; of a kind that takes more than a message, the nearest that does not."""
    kind = getattr(errors, failure.kind, None)
    if kind in (errors.Unavailable, errors.NotFound, errors.Misconfigured, errors.Corrupt, errors.TooLarge):
        made: SightlineError = kind(failure.message, code=failure.code)
        return made
    if isinstance(kind, type) and issubclass(kind, Rejected):
        return Rejected(failure.message, code=failure.code)
    return Unavailable(failure.message, code=failure.code)
