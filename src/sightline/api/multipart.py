"""`multipart/form-data` as events: bytes in, parts and their data out. Nothing is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from sightline.api.problems import Problem

__all__ = ["End", "Event", "Multipart", "Part", "boundary_of"]

BOUNDARY = 70  # RFC 2046


@dataclass(frozen=True, slots=True)
class Part:
    """A part begins; `filename` is None where it is a field."""

    name: str
    filename: str | None


@dataclass(frozen=True, slots=True)
class End:
    """The part ends."""


Event = Part | bytes | End


def boundary_of(content_type: str) -> bytes:
    """What parts of a form are divided by.

    Raises:
        Problem: 400: there is none, or it is none.
    """
    boundary = _options(content_type.encode("latin-1", "replace")).get(b"boundary", b"")
    if not 0 < len(boundary) <= BOUNDARY:
        raise bad_form(f"the boundary has {len(boundary)} bytes, 1 to {BOUNDARY} are allowed")
    return boundary


def name_of(disposition: str) -> str:
    """The file name in a `Content-Disposition`; empty where it has none.

    >>> name_of('attachment; filename="street.mp4"'), name_of("inline")
    ('street.mp4', '')
    """
    return _options(disposition.encode("latin-1", "replace")).get(b"filename", b"").decode("utf-8", "replace")


def bad_form(why: str) -> Problem:
    """A body that is no form, or not a whole one."""
    return Problem(400, "bad_form", f"The body is no multipart form: {why}.")


class Multipart:
    """A parser.

    Args:
        boundary: see `boundary_of`.
        parts: at most so many.
    """

    def __init__(self, boundary: bytes, parts: int) -> None:
        self._events: list[Event] = []
        self._headers: dict[bytes, bytes] = {}
        self._name = self._value = b""
        self._parts, self._most, self._whole = 0, parts, False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": self._header_field,
                "on_header_value": self._header_value,
                "on_header_end": self._header_end,
                "on_headers_finished": self._part,
                "on_part_data": self._data,
                "on_part_end": lambda: self._events.append(End()),
                "on_end": self._end,
            },
        )

    def feed(self, data: bytes) -> list[Event]:
        """What these bytes bring.

        Raises:
            Problem: 400: they are no form.
        """
        try:
            self._parser.write(data)
        except FormParserError as error:
            raise bad_form("its parts cannot be told apart") from error
        events, self._events = self._events, []
        return events

    def finish(self) -> None:
        """The body ends here.

        Raises:
            Problem: 400: the form does not.
        """
        if not self._whole:
            raise bad_form("it ends before its last part does")

    def _begin(self) -> None:
        self._parts += 1
        if self._parts > self._most:
            raise bad_form(f"it has more than {self._most} parts")
        self._headers = {}

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        self._headers[self._name.lower()] = self._value
        self._name = self._value = b""

    def _part(self) -> None:
        options = _options(self._headers.get(b"content-disposition", b""))
        name = options.get(b"name", b"").decode("utf-8", "replace")
        filename = options.get(b"filename")
        self._events.append(Part(name, None if filename is None else filename.decode("utf-8", "replace")))

    def _data(self, data: bytes, start: int, end: int) -> None:
        self._events.append(data[start:end])

    def _end(self) -> None:
        self._whole = True


def _options(header: bytes) -> Mapping[bytes, bytes]:
    try:
        return parse_options_header(header)[1]
    except (ValueError, LookupError):  # an encoding that does not exist
        return {}
