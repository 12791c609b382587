"""Questions from one process of the service to another, over a socket in a folder that only its user can enter.

A question and its answer are a line of JSON each; one question a connection. An error travels as its kind, code and
message, and is raised again on the other side.

An answer that is a stream goes on behind its line: chunks, each with its length before it (u4, little endian), and a
length of 0 as the end. A connection that ends without it was cut, and who reads it hears so. The socket holds who writes
back to the pace of who reads; who goes away ends the work on the answer.
"""

from __future__ import annotations

import logging
import os
import queue
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from sightline import errors
from sightline.errors import Rejected, SightlineError, Unavailable

__all__ = ["Client", "Server", "Streamed"]

MOST = 2**20  # bytes of a question, or of a line of an answer
CHUNK = 2**18
SLOW_S = 60.0  # whoever takes no bytes of a stream for so long has given up
STOP_S = 2.0  # how long answers under way may take to see that nobody wants them
SIZE = struct.Struct("<I")
Calls = Mapping[str, Callable[..., Any]]
Streams = Mapping[str, Callable[..., tuple[Any, Iterator[bytes]]]]

log = logging.getLogger("sightline.serving")


class Failure(msgspec.Struct, frozen=True):
    """An error on its way."""

    kind: str
    code: str
    message: str


class Question(msgspec.Struct, frozen=True):
    """What is asked: a name, and arguments of that name's."""

    call: str
    arguments: dict[str, Any] = msgspec.field(name="with")


class Answer(msgspec.Struct, frozen=True):
    """What came of a question."""

    value: Any = None
    error: Failure | None = None


class Server:
    """Answers questions in a few threads.

    Args:
        path: of the socket; an old one is replaced.
        calls: by name; their arguments and results are JSON values.
        streams: by name, those whose answer is a stream: a JSON value, and the bytes behind it.
        threads: questions that are answered at the same time, and as many streams.
    """

    def __init__(self, path: Path, calls: Calls, streams: Streams | None = None, threads: int = 6) -> None:
        self._path, self._calls, self._streams = path, calls, streams or {}
        self._closed = threading.Event()
        self._pool = ThreadPoolExecutor(threads, "sightline-rpc")
        # Streams take long, so they have threads of their own, which end with the process whatever they do.
        self._asked_for: queue.SimpleQueue[tuple[socket.socket, str, Mapping[str, Any]] | None] = (
            queue.SimpleQueue()
        )
        self._streaming = [
            threading.Thread(target=self._stream_on, daemon=True, name="sightline-stream")
            for _ in range(threads if self._streams else 0)
        ]
        self._listening = socket.socket(socket.AF_UNIX)
        path.unlink(missing_ok=True)
        self._listening.bind(os.fspath(path))
        self._listening.listen(64)
        self._thread = threading.Thread(target=self._accept, daemon=True, name="sightline-rpc")
        for thread in (self._thread, *self._streaming):
            thread.start()

    def close(self) -> None:
        """Answer no more."""
        self._closed.set()
        self._path.unlink(missing_ok=True)
        self._listening.close()
        self._pool.shutdown(wait=False, cancel_futures=True)
        for _ in self._streaming:
            self._asked_for.put(None)
        for thread in self._streaming:
            thread.join(STOP_S / len(self._streaming))

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
        try:
            connection.settimeout(10)
            question = msgspec.json.decode(_line(connection), type=Question)
            if question.call in self._streams:
                self._asked_for.put((connection, question.call, question.arguments))
                return
            if question.call in self._calls:
                answer = self._asked(question.call, question.arguments)
                connection.sendall(msgspec.json.encode(answer) + b"\n")
        except (OSError, msgspec.MsgspecError) as error:  # whoever asked hears that the line is dead
            log.debug("a question came to nothing: %s", error)
        except Exception:  # a fault of our own: one answer is lost, the next question is another matter
            log.exception("%s: no answer was found", question.call)
        connection.close()

    def _stream_on(self) -> None:
        while (asked := self._asked_for.get()) is not None:
            connection, call, arguments = asked
            with connection:
                try:
                    connection.settimeout(SLOW_S)
                    self._stream(connection, call, arguments)
                except OSError:  # whoever asked has gone
                    log.debug("%s: nobody reads the answer", call)
                except Exception:  # one answer is lost and was cut, the next question is another matter
                    log.exception("%s: the answer was cut", call)

    def _stream(self, connection: socket.socket, call: str, arguments: Mapping[str, Any]) -> None:
        try:
            head, chunks = self._streams[call](**arguments)
        except SightlineError as error:
            connection.sendall(msgspec.json.encode(Answer(error=_failure(error))) + b"\n")
            return
        with _closing(chunks):
            connection.sendall(msgspec.json.encode(Answer(value=head)) + b"\n")
            for chunk in chunks:
                for at in range(0, len(chunk), CHUNK):
                    if self._closed.is_set():
                        return
                    piece = chunk[at : at + CHUNK]
                    connection.sendall(SIZE.pack(len(piece)) + piece)
            connection.sendall(SIZE.pack(0))

    def _asked(self, call: str, arguments: Mapping[str, Any]) -> Answer:
        try:
            return Answer(value=self._calls[call](**arguments))
        except SightlineError as error:
            return Answer(error=_failure(error))


class Streamed:
    """The bytes of an answer, chunk by chunk. To be closed, or read to its end.

    Args:
        connection: behind the head of the answer.
        file: over it.
    """

    def __init__(self, connection: socket.socket, file: BinaryIO) -> None:
        self._connection, self._file, self._over = connection, file, False

    def __iter__(self) -> Streamed:
        return self

    def __next__(self) -> bytes:
        """The next chunk.

        Raises:
            Unavailable: the answer was cut.
        """
        if self._over:
            raise StopIteration
        try:
            (size,) = SIZE.unpack(_exactly(self._file, SIZE.size))
            chunk = _exactly(self._file, size)
        except OSError as error:
            self.close()
            raise Unavailable(
                "the answer of the worker was cut: repeat in a few seconds", code="worker_down"
            ) from error
        if not chunk:
            self.close()
            raise StopIteration
        return chunk

    def close(self) -> None:
        """Read no more: the other side stops working on it."""
        self._over = True
        self._file.close()
        self._connection.close()


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
                connection.sendall(msgspec.json.encode(Question(call, arguments)) + b"\n")
                answer = msgspec.json.decode(_line(connection), type=Answer)
        except (OSError, msgspec.MsgspecError) as error:
            raise Unavailable(
                "the worker does not answer now: repeat in a few seconds", code="worker_down"
            ) from error
        if answer.error is not None:
            raise _raised(answer.error)
        return answer.value

    def stream(self, call: str, **arguments: Any) -> tuple[Any, Streamed]:
        """The head of an answer, and its bytes.

        Raises:
            SightlineError: what the other side raised.
            Unavailable: nobody answers; ask again.
        """
        connection = socket.socket(socket.AF_UNIX)
        file: BinaryIO | None = None
        try:
            connection.settimeout(self._timeout_s)
            connection.connect(os.fspath(self._path))
            connection.sendall(msgspec.json.encode(Question(call, arguments)) + b"\n")
            file = connection.makefile("rb")
            line = file.readline(MOST)
            answer = msgspec.json.decode(line, type=Answer)
            if answer.error is not None:
                raise _raised(answer.error)
        except BaseException as error:
            if file is not None:
                file.close()
            connection.close()
            if isinstance(error, OSError | msgspec.MsgspecError):
                raise Unavailable(
                    "the worker does not answer now: repeat in a few seconds", code="worker_down"
                ) from error
            raise
        return answer.value, Streamed(connection, file)


def _failure(error: SightlineError) -> Failure:
    return Failure(type(error).__name__, error.code, error.message)


@contextmanager
def _closing(chunks: Iterator[bytes]) -> Iterator[None]:
    """Close what makes chunks, where it can be closed."""
    try:
        yield
    finally:
        close = getattr(chunks, "close", None)
        if close is not None:
            close()


def _exactly(file: BinaryIO, size: int) -> bytes:
    """So many bytes.

    Raises:
        OSError: there are fewer.
    """
    found = file.read(size)
    if len(found) < size:
        raise OSError("the stream was cut")
    return found


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
