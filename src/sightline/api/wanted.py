"""What is asked for beside the file: bucket, media type, pipeline, name, clock; and the id that a key of the client's stands for."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from sightline.api.backend import MediaType
from sightline.api.problems import FieldError, Problem, invalid
from sightline.api.settings import ApiSettings
from sightline.jobs.requests import BUCKET

__all__ = [
    "JOBS",
    "REQUEST",
    "UPLOAD_VIDEO",
    "Wanted",
    "Way",
    "bucket_errors",
    "clean_name",
    "clock_of",
    "conflict_of_key",
    "id_of_key",
    "is_id",
    "wanted",
]

RESERVED = frozenset({"frames", "sightline"})
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_CLOCK = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d(?:\.\d{1,6})?)([Zz]|[+-]\d\d:\d\d)", re.ASCII)


@dataclass(frozen=True)
class Way:
    """A way in.

    Attributes:
        route: keys of clients are for one route each.
        pipeline: where none is named.
        fields: that may be named.
        strict: another field is an error.
        raw: the body may be the file itself.
    """

    route: str
    pipeline: str
    fields: tuple[str, ...]
    strict: bool = False
    raw: bool = False


_OLD = ("bucket", "media_type", "pipeline")
UPLOAD_VIDEO = Way("upload_video", "detect", _OLD)
REQUEST = Way("request", "detect", _OLD)
JOBS = Way("jobs", "traffic", ("media_type", "pipeline", "name", "clock_start"), strict=True, raw=True)


@dataclass(frozen=True)
class Wanted:
    """See the module. An empty `name` is the file's own; `clock_start` is None where nobody said it."""

    bucket: str
    media_type: MediaType
    pipeline: str
    name: str = ""
    clock_start: str | None = None


def wanted(fields: Mapping[str, str], query: Mapping[str, str], settings: ApiSettings, way: Way) -> Wanted:
    """What fields and query ask for; both may say it, if they say the same.

    Raises:
        Problem: 422: they do not, or it is nothing that can be had.
    """
    errors = [
        (name, "form and query differ")
        for name in way.fields
        if name in fields and name in query and fields[name] != query[name]
    ]
    every = {**query, **fields}
    if way.strict:
        errors += [
            (name[:64], f"it is one of {', '.join(way.fields)}") for name in every if name not in way.fields
        ]
    said = {name: value for name, value in every.items() if name in way.fields}
    media_type = said.get("media_type", "video")
    pipeline = said.get("pipeline", way.pipeline)
    bucket = said.get("bucket", BUCKET)
    errors += bucket_errors(bucket, settings)
    if media_type not in ("video", "image"):
        errors.append(("media_type", "it is video or image"))
    if pipeline not in settings.pipelines:
        errors.append(("pipeline", f"it is one of {', '.join(settings.pipelines)}"))
    name, clock = clean_name(said.get("name", "")), clock_of(said.get("clock_start"))
    if "name" in said and not name:
        errors.append(("name", "it is empty"))
    if "clock_start" in said and clock is None:
        errors.append(("clock_start", CLOCK))
    if errors:
        raise invalid(*errors)
    return Wanted(bucket, cast(MediaType, media_type), pipeline, name, clock)


CLOCK = "it is a time with its offset, like 2026-11-21T08:00:00+01:00"


def clock_of(text: str | None) -> str | None:
    """A time of RFC 3339 as job rows have it; None where it is none.

    >>> clock_of("2026-11-21T08:00:00Z"), clock_of("2026-11-21T08:00:00"), clock_of("2026-02-30T08:00:00Z")
    ('2026-11-21T08:00:00+00:00', None, None)
    """
    match = _CLOCK.fullmatch(text or "")
    if match is None:
        return None
    try:
        time = datetime.fromisoformat(f"{match[1]}T{match[2]}{match[3].upper()}")
    except ValueError:
        return None
    return time.isoformat() if 1 < time.year < 9999 else None


def clean_name(text: str) -> str:
    r"""What a client calls a file, as text that can be shown: it is never a path.

    >>> clean_name("a\r\nb.mp4"), len(clean_name("x" * 5000))
    ('ab.mp4', 255)
    """
    return "".join(mark for mark in text if mark.isprintable()).strip()[:255]


def bucket_errors(bucket: str, settings: ApiSettings) -> list[FieldError]:
    """What is wrong with the name of a bucket; nothing, mostly."""
    if not _BUCKET.fullmatch(bucket) or ".." in bucket or bucket in RESERVED:
        return [("bucket", "it has 3 to 63 of a-z, 0-9, dot and hyphen, and is neither frames nor sightline")]
    if settings.buckets and bucket not in settings.buckets:
        return [("bucket", f"it is one of {', '.join(settings.buckets)}")]
    return []


def id_of_key(key: str, route: str, token: str = "") -> str:
    """The job that an `Idempotency-Key` stands for, in the shape of a UUID4.

    Raises:
        Problem: 422: it is no key.

    >>> id_of_key("a", "request")
    'fd63e499-c747-468b-9fd4-147c0a040ba4'
    """
    if not _KEY.fullmatch(key):
        raise invalid(("Idempotency-Key", "it has 1 to 255 visible ASCII characters"))
    digest = hashlib.sha256("\0".join((token, route, key)).encode()).digest()
    return str(uuid.UUID(bytes=digest[:16], version=4))


def is_id(text: str) -> bool:
    """Whether this can be the id of a job. What cannot is as unknown as what is not there."""
    return _ID.fullmatch(text) is not None


def conflict_of_key() -> Problem:
    """A key that stands for another request."""
    return Problem(422, "key_reused", "This Idempotency-Key was used for another request.")
