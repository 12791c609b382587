"""The form of an upload: fields kept, the one file passed on to a sink while it comes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass

from sightline.api.backend import MediaType
from sightline.api.magic import HEAD, kind_of
from sightline.api.multipart import End, Event, Multipart, Part, bad_form
from sightline.api.problems import Problem, invalid
from sightline.api.settings import ApiSettings
from sightline.api.sink import Sink
from sightline.api.wanted import clean_name
from sightline.ports import Stat

__all__ = ["Form", "OpenSink", "read_form", "read_raw"]

FILE = "file"
OpenSink = Callable[[Mapping[str, str]], Awaitable[Sink]]
"""Makes a sink, from the fields that came before the file."""


@dataclass(frozen=True)
class Form:
    """A whole form. `kind` is what the file's bytes are, `name` what its owner calls it."""

    fields: Mapping[str, str]
    name: str
    kind: MediaType
    stat: Stat


async def read_form(
    chunks: AsyncIterator[bytes], boundary: bytes, settings: ApiSettings, open_sink: OpenSink
) -> Form:
    """Read a form.

    Raises:
        Problem: it is none, has no file or two, the file is too large, or of no kind that is read here. Then, and
            after any other error, nothing is stored.
    """
    reader, parser = _Reader(settings, open_sink), Multipart(boundary, settings.fields + 1)
    try:
        async for chunk in chunks:
            for event in parser.feed(chunk):
                await reader.take(event)
        parser.finish()
        return await reader.finish()
    except BaseException:
        await reader.abort()
        raise


async def read_raw(
    chunks: AsyncIterator[bytes], name: str, settings: ApiSettings, open_sink: OpenSink
) -> Form:
    """Read a body that is the file itself.

    Raises:
        Problem: see `read_form`.
    """
    reader = _Reader(settings, open_sink)
    try:
        await reader.take(Part(FILE, name))
        async for chunk in chunks:
            await reader.take(chunk)
        await reader.take(End())
        return await reader.finish()
    except BaseException:
        await reader.abort()
        raise


class _Reader:
    def __init__(self, settings: ApiSettings, open_sink: OpenSink) -> None:
        self._settings, self._open_sink = settings, open_sink
        self._fields: dict[str, bytes] = {}
        self._part: Part | None = None
        self._name: str | None = None
        self._head, self._size = bytearray(), 0
        self._kind: MediaType | None = None
        self._sink: Sink | None = None

    async def take(self, event: Event) -> None:
        if isinstance(event, Part):
            self._begin(event)
        elif isinstance(event, bytes):
            await self._data(event)
        elif isinstance(event, End) and self._is_file and self._sink is None:
            await self._open()

    async def finish(self) -> Form:
        if self._name is None or self._kind is None or self._sink is None:
            raise invalid((FILE, "there is none"))
        stat = await self._sink.finish()
        return Form(self._text(), clean_name(self._name), self._kind, stat)

    async def abort(self) -> None:
        if self._sink is not None:
            await self._sink.abort()

    @property
    def _is_file(self) -> bool:
        return self._part is not None and self._part.filename is not None

    def _begin(self, part: Part) -> None:
        self._part = part
        if part.filename is None:
            if part.name in self._fields:
                raise invalid((part.name[:64], "it is given twice"))
            self._fields[part.name] = b""
        elif part.name != FILE:
            raise invalid((part.name[:64], f"no file is expected here, only as {FILE}"))
        elif self._name is not None:
            raise invalid((FILE, "there is more than one"))
        else:
            self._name = part.filename

    async def _data(self, data: bytes) -> None:
        if self._part is None:
            return
        if not self._is_file:
            self._field(self._part.name, data)
            return
        self._size += len(data)
        if self._size > self._settings.max_bytes:
            raise too_large(self._settings)
        if self._sink is not None:
            await self._sink.write(data)
            return
        self._head += data
        if len(self._head) >= HEAD:
            await self._open()

    def _field(self, name: str, data: bytes) -> None:
        self._fields[name] += data
        if len(self._fields[name]) > self._settings.field_bytes:
            raise bad_form(f"a field has more than {self._settings.field_bytes} bytes")

    async def _open(self) -> None:
        """The first bytes are there: see what they are before anything is stored."""
        if not self._size:
            raise invalid((FILE, "it is empty"))
        self._kind = kind_of(bytes(self._head))
        if self._kind is None:
            raise unsupported()
        self._sink = await self._open_sink(self._text())
        await self._sink.write(bytes(self._head))

    def _text(self) -> dict[str, str]:
        return {name: value.decode("utf-8", "replace") for name, value in self._fields.items()}


def too_large(settings: ApiSettings) -> Problem:
    """A file above the limit."""
    return Problem(413, "too_large", f"A file may have {settings.max_bytes} bytes.")


def unsupported() -> Problem:
    """A file of no kind that is read here."""
    return Problem(
        415,
        "media_type",
        "This is no MP4, MOV, Matroska, WebM, AVI or MPEG-TS video, nor a JPEG or PNG with media_type=image.",
    )
