"""Words in which people write values: times, sizes, rates, lists. Each function takes what was written and gives the
value, or raises `ValueError` that says what would be right; what is a value already is passed on.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

from pydantic_core import PydanticCustomError

__all__ = [
    "byte_count",
    "camera_motion",
    "clock_time",
    "duration",
    "frame_rate",
    "hosts",
    "image_size",
    "lifetime",
    "origins",
    "picture_size",
    "without_password",
    "words",
]

UNITS_US = {"us": 1, "ms": 1_000, "s": 1_000_000, "m": 60_000_000, "min": 60_000_000, "h": 3_600_000_000}
PART = re.compile(r"(\d+(?:\.\d+)?)\s*(us|ms|min|s|m|h)?\s*")
BYTES = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)b?", re.IGNORECASE)
ORIGIN = re.compile(r"https?://(?:[a-z0-9-]+(?:\.[a-z0-9-]+)*|\[[0-9a-f:]+\])(?::[0-9]{1,5})?", re.IGNORECASE)
HOST = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?|\[[0-9a-f:]+\]", re.IGNORECASE)
PASSWORD = re.compile(r"://[^/@]*:[^/@]*@|\bpassword\s*=", re.IGNORECASE)
COLONS = re.compile(r"(?:(\d+):)?([0-5]?\d):([0-5]?\d(?:\.\d+)?)")


def camera_motion(written: Any) -> Any:
    """Where the camera's motion is known from: `auto`, `off`, or a file.

    >>> camera_motion("auto"), camera_motion("gmc.txt")
    ('auto', PosixPath('gmc.txt'))
    """
    if not isinstance(written, str | Path | None):
        raise ValueError("should be auto, off or a file")
    return written if written in ("auto", "off", None) else Path(written)


def duration(written: Any) -> Any:
    """A length of time: `10s`, `1.5m`, `1h30m`, `250ms`, `1:30`, `1:02:03.5`; a bare number is seconds.

    >>> duration("1h30m"), duration("1:30.5"), duration(10)
    (datetime.timedelta(seconds=5400), datetime.timedelta(seconds=90, microseconds=500000), datetime.timedelta(seconds=10))
    """
    if isinstance(written, timedelta) or written is None:
        return written
    text = str(written).strip().lower()
    exact = _colons(text) if ":" in text else _units(text)
    if exact is None:
        raise ValueError("should be a time like 10s, 1.5m, 1h30m or 1:30")
    return timedelta(microseconds=round(exact))


def _colons(text: str) -> Fraction | None:
    match = COLONS.fullmatch(text)
    if match is None:
        return None
    hours, minutes, seconds = match.groups(default="0")
    return (int(hours) * 3600 + int(minutes) * 60 + Fraction(seconds)) * 1_000_000


def _units(text: str) -> Fraction | None:
    parts = list(PART.finditer(text))
    if not text or "".join(part[0] for part in parts) != text:
        return None
    if len(parts) > 1 and not all(part[2] for part in parts):
        return None
    return sum((Fraction(part[1]) * UNITS_US[part[2] or "s"] for part in parts), Fraction())


def image_size(written: Any) -> Any:
    """Pixels: `640` is the longest side, `640x384` is width and height.

    >>> image_size("640"), image_size("640x384"), image_size([640, 640])
    (640, (640, 384), (640, 640))
    """
    parts = written if isinstance(written, list | tuple) else str(written).lower().split("x")
    try:
        sides = tuple(int(part) for part in parts)
    except ValueError:
        sides = ()
    if len(sides) not in (1, 2) or not all(32 <= side <= 8192 for side in sides):
        raise ValueError("should be pixels from 32 to 8192, like 640 or 640x384")
    return sides[0] if len(sides) == 1 else sides


def picture_size(written: Any) -> Any:
    """Width and height of a picture in pixels: `1920x1080`.

    >>> picture_size("1920x1080"), picture_size([640, 480])
    ((1920, 1080), (640, 480))
    """
    size = None if written is None else image_size(written)
    if isinstance(size, int):
        raise ValueError("should be width and height in pixels, like 1920x1080")
    return size


def frame_rate(written: Any) -> Any:
    """Frames per second, exact: `30`, `29.97`, `30000/1001`.

    >>> frame_rate("30000/1001"), frame_rate(29.97)
    (Fraction(30000, 1001), Fraction(2997, 100))
    """
    try:
        rate = Fraction(str(written).strip())
    except (ValueError, ZeroDivisionError):
        rate = Fraction(0)
    if not 0 < rate <= 1000:
        raise ValueError("should be frames per second, above 0 and at most 1000, like 30 or 30000/1001")
    return rate


def clock_time(written: Any) -> Any:
    """A clock time with its offset from UTC: `2026-11-21T08:00:00+01:00`.

    >>> clock_time("2026-11-21T08:00:00+01:00").isoformat()
    '2026-11-21T08:00:00+01:00'
    """
    expected = "should be a time with its offset, like 2026-11-21T08:00:00+01:00"
    try:
        time = written if isinstance(written, datetime) else datetime.fromisoformat(str(written))
    except ValueError as error:
        raise ValueError(f"{expected}: {error}") from error
    if time.utcoffset() is None or not 1 < time.year < 9999:
        raise ValueError(expected)
    return time


def words(written: Any) -> Any:
    """A list: `car,person`, or a list of words and numbers, each of which may hold commas.

    >>> words("car, person"), words(["car,van", 2])
    (('car', 'person'), ('car', 'van', '2'))
    """
    parts = written if isinstance(written, list | tuple) else [written]
    split = [word.strip() for part in parts for word in str(part).split(",")]
    return tuple(word for word in split if word)


def byte_count(written: Any) -> Any:
    """Bytes: `2GiB`, `500 MB`, `1048576`.

    >>> byte_count("2GiB"), byte_count("1.5kB"), byte_count(7)
    (2147483648, 1500, 7)
    """
    if written is None or isinstance(written, bool):
        return written
    match = BYTES.fullmatch(str(written).strip())
    if match is None or (match[3] and not match[2]):
        raise ValueError("should be a number of bytes like 500MB or 2GiB")
    power = " kmgt".index(match[2].lower() or " ")
    return int(Fraction(match[1]) * (1024 if match[3] else 1000) ** power)


def lifetime(written: Any) -> Any:
    """How long something lasts: `30d`, or what `duration` takes.

    >>> lifetime("30d"), lifetime("12h")
    (datetime.timedelta(days=30), datetime.timedelta(seconds=43200))
    """
    if isinstance(written, timedelta) or written is None:
        return written
    days = re.fullmatch(r"(\d{1,5})\s*d", str(written).strip().lower())
    if days is not None:
        return timedelta(days=int(days[1]))
    try:
        return duration(written)
    except ValueError:
        raise ValueError("should be a time like 30d or 12h") from None


def hosts(written: Any) -> Any:
    """A list of names by which a service is called, as a `Host` has them before its port.

    >>> hosts("videos.example, [::1]")
    ('videos.example', '[::1]')
    """
    found: tuple[str, ...] = words(written)
    for each in found:
        if not HOST.fullmatch(each):
            raise ValueError(
                f"{each} should be a name like videos.example, without http:// and without a port"
            )
    return found


def origins(written: Any) -> Any:
    """A list of origins, each whole: `https://shop.example:8443`. There is none that stands for all.

    >>> origins("https://a.example, http://localhost:3000")
    ('https://a.example', 'http://localhost:3000')
    """
    found: tuple[str, ...] = words(written)
    for each in found:
        if not ORIGIN.fullmatch(each):
            raise ValueError(
                f"{each} should be an origin like https://shop.example:8443, without a path; * is none"
            )
    return tuple(each.lower() for each in found)


def without_password(written: Any) -> Any:
    """An address that may be shown.

    >>> without_password("postgresql://me@db/jobs")
    'postgresql://me@db/jobs'
    """
    if isinstance(written, str) and PASSWORD.search(written):
        raise PydanticCustomError("secret", "should be without a password: it is read from the environment")
    return written
