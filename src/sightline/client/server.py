"""A service as whoever asks it sees it: an address, a token, answers, errors."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any, Protocol
from urllib.parse import quote, urlencode, urlsplit

from sightline.errors import Corrupt, Misconfigured, NotFound, Rejected, SightlineError, Unavailable

__all__ = ["BLOCK", "Answer", "Incoming", "Readable", "Server", "job_path"]

BLOCK = 2**16
CODES = {404: "not_found", 503: "unavailable"}
TOKEN = re.compile(r"[\x21-\x7e]*")
SENT = 2**18  # bytes of a body at a time
JOB = ("job_id", "name", "state", "code", "reason", "source", "progress", "warnings")


class Readable(Protocol):
    """A body that is read while it is sent."""

    def read(self, size: int = -1, /) -> bytes:
        """The next bytes; none at the end."""


Body = bytes | Readable | None


@dataclass(frozen=True)
class Answer:
    """An answer that was read whole; names of headers in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self, *names: str) -> Any:
        """Its JSON, an object with at least these keys.

        Raises:
            Corrupt: it has none, or another.
        """
        try:
            found = json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise _odd("an answer that is no JSON") from error
        if names and not (isinstance(found, dict) and {*names} <= found.keys()):
            raise _odd(f"JSON without {', '.join(names)}")
        return found

    def header(self, name: str) -> str:
        """A header that it is to have.

        Raises:
            Corrupt: it has not.
        """
        try:
            return self.headers[name]
        except KeyError:
            raise _odd(f"an answer without {name}") from None

    def number(self, name: str) -> int:
        """A header that is a number.

        Raises:
            Corrupt: it is none.
        """
        text = self.header(name)
        if not (text.isascii() and text.isdigit()):
            raise _odd(f"an answer whose {name} is no number")
        return int(text)


class Server:
    """A service.

    Args:
        url: `http://host:port`, or https.
        token: sent where it is not empty.
        timeout_s: longest wait for the next byte.

    Raises:
        Misconfigured: this is no address, or no token.
    """

    def __init__(self, url: str, token: str = "", timeout_s: float = 120.0) -> None:
        try:
            parts = urlsplit(url)
            self._host, self._port = parts.hostname or "", parts.port
        except ValueError:
            parts, self._host, self._port = urlsplit(""), "", None
        if parts.scheme not in ("http", "https") or not self._host or parts.query or parts.fragment:
            raise Misconfigured(f"{url}: no address of a service, like http://127.0.0.1:8080", code="server")
        if not TOKEN.fullmatch(token):
            raise Misconfigured(
                "SIGHTLINE_TOKEN: no token, for it holds blanks, ends of lines or letters that none has; "
                "sightline tokens add makes one",
                code="unauthorized",
            )
        self._secure, self._base = parts.scheme == "https", parts.path.rstrip("/")
        self._token, self._timeout_s = token, timeout_s
        self.url = url.rstrip("/")

    def job(self, job_id: str) -> Any:
        """A job as JSON.

        Raises:
            NotFound: there is none.
        """
        return self.ask("GET", job_path(job_id)).json(*JOB)

    def jobs(self, *, states: tuple[str, ...] = (), name: str = "", limit: int = 50) -> Iterator[Any]:
        """Jobs as JSON, newest first."""
        query = [("state", state) for state in states] + [("name", name)] * bool(name)
        cursor = ""
        while limit > 0:
            asked = [*query, ("limit", str(min(limit, 200)))] + [("cursor", cursor)] * bool(cursor)
            page = self.ask("GET", f"/api/v1/jobs?{urlencode(asked)}").json("items", "next")
            yield from page["items"]
            limit -= len(page["items"])
            cursor = page["next"] or ""
            if not cursor:
                return

    def ask(
        self, method: str, path: str, body: Body = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """The answer to a request.

        Raises:
            SightlineError: it is an error, or nobody answers.
        """
        with self.open(method, path, body, headers) as response:
            return Answer(response.status, response.headers, response.read())

    def send(self, method: str, path: str, value: Any) -> Answer:
        """The answer to a request with JSON; errors as `ask`."""
        return self.ask(method, path, json.dumps(value).encode(), {"Content-Type": "application/json"})

    @contextmanager
    def open(
        self, method: str, path: str, body: Body = None, headers: Mapping[str, str] | None = None
    ) -> Iterator[Incoming]:
        """An answer whose body is read while it comes; errors as `ask`. What goes wrong with who reads it rises as it is."""
        kind = HTTPSConnection if self._secure else HTTPConnection
        connection = kind(self._host, self._port, timeout=self._timeout_s, blocksize=SENT)
        given = {**(headers or {})}
        if self._token:
            given["Authorization"] = f"Bearer {self._token}"
        try:
            with _lost(self.url):
                came = self._sent(connection, method, path, body, given)
            with came:
                response = Incoming(came, self.url)
                if response.status >= 400:
                    raise _error(response.status, b"" if method == "HEAD" else response.read())
                yield response
        finally:
            connection.close()

    def _sent(
        self, connection: HTTPConnection, method: str, path: str, body: Body, headers: Mapping[str, str]
    ) -> HTTPResponse:
        try:
            connection.request(method, self._base + path, body, {**headers})
        except (BrokenPipeError, ConnectionResetError):
            # A service that refuses a body answers before it has all of it.
            if connection.sock is None:
                raise
        return connection.getresponse()


class Incoming:
    """An answer whose body is on its way.

    Attributes:
        status: of it.
        headers: names in lower case.
    """

    def __init__(self, response: HTTPResponse, url: str) -> None:
        self._response, self._url = response, url
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}

    def read(self, size: int | None = None) -> bytes:
        """The next bytes, at most so many; none at the end.

        Raises:
            Unavailable: the line was cut before it.
        """
        with _lost(self._url):
            block = self._response.read(size)
            if not block and self._response.length:  # it is silent about that where a size is given
                raise ConnectionResetError("the line was cut")
        return block

    def __iter__(self) -> Iterator[bytes]:
        """Its lines.

        Raises:
            Unavailable: the line was cut.
        """
        while True:
            with _lost(self._url):
                line = self._response.readline()
            if not line:
                return
            yield line


@contextmanager
def _lost(url: str) -> Iterator[None]:
    """Turn what a connection says into `Unavailable`."""
    try:
        yield
    except (OSError, HTTPException) as error:
        raise Unavailable(
            f"{url}: {error or type(error).__name__}; is the service there?", code="no_service"
        ) from error


def job_path(job_id: str, tail: str = "") -> str:
    """Path of a job, whatever somebody took for its id."""
    return f"/api/v1/jobs/{quote(job_id, safe='')}{tail}"


def _odd(what: str) -> Corrupt:
    return Corrupt(f"the service gave {what}: is it a Sightline?", code="no_service")


def _error(status: int, body: bytes) -> SightlineError:
    """What a problem (RFC 9457) says, as the error that asks for the same."""
    try:
        problem = json.loads(body or b'{"detail": "the service refuses"}')  # an answer to HEAD has none
        detail, code = str(problem["detail"]), str(problem.get("code", CODES.get(status, "http")))
    except (ValueError, KeyError, TypeError):
        return Corrupt(f"the service answers {status} in a way that is not ours", code="no_service")
    if code == "unauthorized":
        detail += " The command sends the one that SIGHTLINE_TOKEN holds."
    if status == 404:
        return NotFound(detail, code=code)
    if status in (429, 503, 507) or (status == 409 and code == "in_progress"):
        return Unavailable(detail, code=code)
    if status in (413, 415, 422) and code not in ("invalid", "key_reused"):
        return Rejected(detail, code=code)
    return Misconfigured(detail, code=code)
