r"""Text files in and out: bytes to lines to numbers, and columns of numbers to bytes.

Readers take UTF-8 with or without a byte order mark, any line end, gzipped or not; `,`, `;`, tab or space between
fields. What cannot be read is an `InvalidFile` that names the line. Writers give the same bytes everywhere: `\n`,
fixed decimals, no locale, no negative zero.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import math
import zlib
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from sightline.arrays import BoolArray, FloatArray, IntArray
from sightline.errors import InvalidFile, TooLarge
from sightline.events.times import clock

__all__ = [
    "Column",
    "NumberTable",
    "chunks",
    "clock",
    "decode",
    "file_name",
    "json_text",
    "line_blocks",
    "lines",
    "numbers",
    "quoted",
    "rounded",
    "short_name",
    "since_1970",
    "split",
    "stem",
    "time_of",
]


CHUNK_BYTES = 1 << 20
BLOCK_ROWS = 8192
GZIP_MAGIC = b"\x1f\x8b"
# A name has 255 bytes on most file systems, 143 on encrypted ones; ours get endings, a group's name and a dot.
NAME_BYTES = 100
# Ids and frame numbers are read as float64: above this, neighbours cannot be told apart.
EXACT = 2**53
Column = NDArray[Any] | Sequence[Any]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def decode(blob: bytes, name: str, most: int | None = None) -> str:
    r"""Text of a file's bytes, unpacked where they are gzipped, without a byte order mark.

    Args:
        blob, name: of the file.
        most: bytes that it may have, unpacked; None for any number.

    Raises:
        InvalidFile: broken gzip, or not UTF-8.
        TooLarge: more than `most` bytes.

    >>> decode(gzip.compress(b"\xef\xbb\xbf1,2"), "a.txt.gz")
    '1,2'
    """
    if blob.startswith(GZIP_MAGIC):
        try:
            blob = gzip.GzipFile(fileobj=io.BytesIO(blob)).read(-1 if most is None else most + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise InvalidFile(name, reason=f"broken gzip: {error}") from error
    if most is not None and len(blob) > most:
        raise TooLarge(f"{name}: more than {most} bytes of text; give a shorter file")
    try:
        return blob.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = blob.count(b"\n", 0, error.start) + 1
        raise InvalidFile(name, reason="not UTF-8 text; save it as UTF-8", line=line) from error


def stem(name: str) -> str:
    """File name without folder, `.gz` and one more ending.

    >>> stem("a/x.txt.gz"), stem("uav0000086_00000_v.txt"), stem("x.gz"), stem(".txt")
    ('x', 'uav0000086_00000_v', 'x', '.txt')
    """
    last = name.rsplit("/", 1)[-1]
    return Path(last.removesuffix(".gz") or last).stem


def lines(text: str) -> Iterator[tuple[int, str]]:
    r"""Lines that are not blank, stripped, with their number from 1.

    >>> list(lines("a\r\n\n b "))
    [(1, 'a'), (3, 'b')]
    """
    for number, line in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), start=1):
        stripped = line.strip()
        if stripped:
            yield number, stripped


def split(line: str) -> list[str]:
    r"""Fields of one line; an empty last field is dropped.

    >>> split("1, 2,3,"), split("1;2"), split("1 \t2")
    (['1', ' 2', '3'], ['1', '2'], ['1', '2'])
    """
    for separator in ",;":
        if separator in line:
            fields = line.split(separator)
            return fields if fields[-1].strip() else fields[:-1]
    return line.split()


@dataclass(frozen=True, slots=True, eq=False)
class NumberTable:
    """Numbers of a text file.

    Attributes:
        name: of the file, for errors.
        values: float64 (R, C); NaN where a line has no such field.
        line: int64 (R,), number of the line, from 1.
    """

    name: str
    values: FloatArray
    line: IntArray

    def column(self, place: int, default: float) -> FloatArray:
        """Float64 (R,) of one column; `default` where it is absent."""
        values = self.values[:, place]
        return np.where(np.isnan(values), default, values)

    def integers(self, place: int, what: str, low: float, high: float = EXACT, default: int = -1) -> IntArray:
        """Int64 (R,) of one column of whole numbers in [low, high].

        Raises:
            InvalidFile: a fraction, or outside; names the line.
        """
        values = self.column(place, default)
        bad = (values != np.rint(values)) | (values < low) | (values > high)
        self.refuse(bad, f"{what} {{}}, expected a whole number from {low:g} to {high:g}", values)
        return values.astype(np.int64)

    def boxes(self, place: int, origin: float = 0.0) -> FloatArray:
        """Float64 (R, 4), xyxy, of four columns left, top, width, height; `origin` is the number of the first pixel.

        Raises:
            InvalidFile: a negative width or height; names the line.
        """
        left_top, size = self.values[:, place : place + 2] - origin, self.values[:, place + 2 : place + 4]
        for what, values in zip(("width", "height"), size.T, strict=True):
            self.refuse(values < 0, f"{what} {{}}, expected 0 or more", values)
        return np.hstack([left_top, left_top + size])

    def refuse(self, bad: BoolArray, reason: str, values: FloatArray) -> None:
        """Raise for the first row that is bad; `reason` has a place for its value.

        Raises:
            InvalidFile: names the line.
        """
        if bad.any():
            row = int(np.argmax(bad))
            raise InvalidFile(self.name, reason=reason.format(f"{values[row]:g}"), line=int(self.line[row]))


def numbers(text: str, name: str, *, least: int, most: int) -> NumberTable:
    r"""Read lines of `least` or more numbers; fields behind the first `most` are not looked at.

    Raises:
        InvalidFile: too few fields, or one that is no finite number; names the line.

    >>> numbers("1,2\n3,4,5", "a.txt", least=2, most=3).values.tolist()
    [[1.0, 2.0, nan], [3.0, 4.0, 5.0]]
    """
    values, places = array("d"), array("q")
    for number, line in lines(text):
        fields = split(line)[:most]
        if len(fields) < least:
            reason = (
                f"{len(fields)} fields, expected {least} or more, separated by comma, semicolon, tab or space"
            )
            raise InvalidFile(name, reason=reason, line=number)
        try:
            row = [float(field) for field in fields]
        except ValueError:
            row = [math.nan]
        if not math.isfinite(sum(row)) or "_" in line:
            _refuse_field(fields, name, number)
        values.extend(row)
        values.extend([math.nan] * (most - len(fields)))
        places.append(number)
    table = np.frombuffer(values, np.float64) if values else np.empty(0)
    return NumberTable(name, table.reshape(-1, most), np.array(places, np.int64))


def _refuse_field(fields: Sequence[str], name: str, line: int) -> None:
    for place, field in enumerate(fields, start=1):
        try:
            good = math.isfinite(float(field)) and "_" not in field
        except ValueError:
            good = False
        if not good:
            raise InvalidFile(
                name, reason=f"field {place} is {field.strip()!r}, expected a number", line=line
            )


def rounded(values: FloatArray, decimals: int) -> FloatArray:
    """Values rounded half to even, without negative zero.

    >>> rounded(np.array([-0.0004, 1.0005]), 3)
    array([0., 1.])
    """
    return np.round(values, decimals) + 0.0


def line_blocks(template: str, columns: Sequence[Column], rows: int) -> Iterator[str]:
    """Rows of columns as text, some thousand rows at a time; `template` is %-formatted for each row."""
    for start in range(0, rows, BLOCK_ROWS):
        parts = [column[start : start + BLOCK_ROWS] for column in columns]
        values = [part.tolist() if isinstance(part, np.ndarray) else part for part in parts]
        yield "".join(map(template.__mod__, zip(*values, strict=True)))


def chunks(parts: Iterable[str]) -> Iterator[bytes]:
    """Pieces of text as UTF-8, gathered to about 1 MiB.

    >>> list(chunks(["a", "", "b"]))
    [b'ab']
    """
    waiting: list[bytes] = []
    size = 0
    for part in parts:
        waiting.append(part.encode())
        size += len(waiting[-1])
        if size >= CHUNK_BYTES:
            yield b"".join(waiting)
            waiting, size = [], 0
    if size:
        yield b"".join(waiting)


def quoted(value: str) -> str:
    """A CSV field, in quotes where it needs them (RFC 4180).

    >>> quoted("car"), quoted('a "b", c')
    ('car', '"a ""b"", c"')
    """
    return '"' + value.replace('"', '""') + '"' if any(c in value for c in ',"\n\r') else value


def json_text(value: str) -> str:
    r"""A JSON string with its quotes; characters beyond ASCII stay as they are.

    >>> json_text('é"')
    '"é\\""'
    """
    return msgspec.json.encode(value).decode()


def file_name(value: str) -> str:
    """A name for people as one part of a path.

    >>> file_name("a/b"), file_name(".."), file_name("street")
    ('a_b', '_.', 'street')
    """
    name = "".join("_" if c in '/\\\0<>:"|?*' or ord(c) < 32 else c for c in value)
    return short_name("_" + name[1:] if name.startswith(".") else name or "_")


def short_name(value: str) -> str:
    """A name of 100 bytes at most in UTF-8: of a longer one the beginning, and 8 digits that tell it from others.

    >>> short_name("street"), short_name("n" * 245)[-12:], len(short_name("n" * 245))
    ('street', 'nnn-200dc215', 100)
    """
    whole = value.encode(errors="surrogateescape")
    if len(whole) <= NAME_BYTES:
        return value
    digits = hashlib.sha256(whole).hexdigest()[:8]
    kept = whole[: NAME_BYTES - len(digits) - 1].decode(errors="ignore")
    return f"{kept}-{digits}"


def since_1970(time: datetime) -> int:
    """Microseconds from 1970-01-01 UTC to a clock time with its offset.

    >>> since_1970(datetime.fromisoformat("1970-01-01T01:00:01.5+01:00"))
    1500000
    """
    return (time - EPOCH) // timedelta(microseconds=1)


def time_of(clock_start: datetime | None, microseconds: int, timespec: str = "microseconds") -> str:
    """Where a moment of a video lies on the clock, or without a clock how long after the begin it is.

    Args:
        clock_start: clock time of the begin; its offset from UTC is the result's.
        microseconds: of the moment, from the begin.
        timespec: `microseconds` or `seconds`.

    >>> time_of(datetime.fromisoformat("2024-05-17T07:03:20+02:00"), 40_000_000, "seconds")
    '2024-05-17T07:04:00+02:00'
    >>> time_of(None, 90_061_500_000), time_of(None, -1_000_000, "seconds")
    ('25:01:01.500000', '-00:00:01')
    """
    if clock_start is not None:
        return (clock_start + timedelta(microseconds=microseconds)).isoformat(timespec=timespec)
    seconds, rest = divmod(abs(microseconds), 1_000_000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    fraction = "" if timespec == "seconds" else f".{rest:06}"
    return f"{'-' if microseconds < 0 else ''}{hours:02}:{minutes:02}:{seconds:02}{fraction}"
