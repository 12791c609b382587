"""What is asked for beside the file: bucket, media type, pipeline; and the id that a key of the client's stands for."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from sightline.api.backend import MediaType
from sightline.api.problems import FieldError, Problem, invalid
from sightline.api.settings import ApiSettings
from sightline.jobs.requests import BUCKET

__all__ = ["PIPELINE", "Wanted", "bucket_errors", "id_of_key", "is_id", "wanted"]

PIPELINE = "detect"
RESERVED = frozenset({"frames", "sightline"})
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_KEY = re.compile(r"[\x21-\x7e]{1,255}")


@dataclass(frozen=True)
class Wanted:
    """See the module."""

    bucket: str
    media_type: MediaType
    pipeline: str


def wanted(fields: Mapping[str, str], query: Mapping[str, str], settings: ApiSettings) -> Wanted:
    """What fields and query ask for; both may say it, if they say the same.

    Raises:
        Problem: 422: they do not, or it is nothing that can be had.
    """
    differ = [
        (name, "form and query differ")
        for name in ("bucket", "media_type", "pipeline")
        if name in fields and name in query and fields[name] != query[name]
    ]
    said = {**query, **fields}
    media_type = said.get("media_type", "video")
    pipeline = said.get("pipeline", PIPELINE)
    bucket = said.get("bucket", BUCKET)
    errors = [*differ, *bucket_errors(bucket, settings)]
    if media_type not in ("video", "image"):
        errors.append(("media_type", "it is video or image"))
    if pipeline not in settings.pipelines:
        errors.append(("pipeline", f"it is one of {', '.join(settings.pipelines)}"))
    if errors:
        raise invalid(*errors)
    return Wanted(bucket, cast(MediaType, media_type), pipeline)


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
