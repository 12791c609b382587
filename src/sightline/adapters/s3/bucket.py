"""What is asked of a bucket: one request or one stream a method, refusals in our words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from sightline.adapters.s3.answers import Unnamed, answers
from sightline.adapters.s3.client import connect
from sightline.adapters.s3.settings import S3Settings
from sightline.errors import NotFound, ServiceMisconfigured
from sightline.ports import Stat

if TYPE_CHECKING:
    from obstore import Attributes, GetOptions, GetResult

__all__ = ["PART", "Bucket", "Found"]

PART = 8 * 2**20
"""Bytes of a part of a stream."""

_AT_ONCE = 2  # parts that are on their way
_COPY_SECONDS = 600.0
_SHA256, _SIZE = "sightline-sha256", "sightline-size"
_HEX = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Found:
    """An object as the server describes it.

    Args:
        etag: changes when its bytes do.
        size: bytes.
        stat: what whoever put it wrote into its metadata; None where that is not there, or not of these bytes.
    """

    etag: str
    size: int
    stat: Stat | None

    @classmethod
    def of(cls, got: GetResult, place: str) -> Self:
        """What an answer says."""
        etag, size, attributes = got.meta["e_tag"], got.meta["size"], got.attributes
        if not etag:
            raise ServiceMisconfigured(f"{place} gives objects no ETag: a server of S3 does")
        sha256 = str(attributes.get(_SHA256, ""))
        noted = attributes.get(_SIZE) == str(size) and _HEX.fullmatch(sha256)
        return cls(etag, size, Stat(size, sha256) if noted else None)


class Bucket:
    """A bucket. `name` is a key with its prefix, `what` how errors call it; see `answers` for what is raised.

    Args:
        settings: which one.
    """

    def __init__(self, settings: S3Settings) -> None:
        self.place = settings.place
        self._client = connect(settings, settings.timeout)
        self._copier = connect(settings, max(settings.timeout, _COPY_SECONDS))

    def head(self, name: str, what: str) -> Found:
        """How an object is described."""
        try:
            with self._answers(what):
                return Found.of(self._client.get(name, options={"head": True}), self.place)
        except Unnamed:  # this answer has no body, so it does not say what is missing: key, bucket or user
            return self.read(name, what, 0, 1)[0]

    def read(
        self, name: str, what: str, start: int, stop: int, etag: str | None = None
    ) -> tuple[Found, bytes]:
        """Bytes from `start`, those before `stop` that there are; with `etag` of that object only.

        Raises:
            PastTheEnd: nothing from `start` on.
        """
        options: GetOptions = {"range": (start, stop)}
        if etag is not None:
            options["if_match"] = etag
        with self._answers(what):
            got = self._client.get(name, options=options)
            return Found.of(got, self.place), bytes(got.bytes())

    def put(self, name: str, what: str, blob: bytes, stat: Stat | None, *, new: bool) -> None:
        """Write a small object.

        Args:
            name: its key.
            what: for errors.
            blob: its bytes.
            stat: what is written into its metadata.
            new: only where nothing is.

        Raises:
            Taken: something is.
        """
        attributes: Attributes = {} if stat is None else {_SHA256: stat.sha256, _SIZE: str(stat.size)}
        with self._answers(what):
            self._client.put(
                name,
                blob,
                attributes=attributes,
                mode="create" if new else "overwrite",
                use_multipart=False,
            )

    def stream(self, name: str, what: str, chunks: Iterator[bytes]) -> None:
        """Write a large object in parts; where `chunks` or the server fails, what was sent is given up."""
        with self._answers(what):
            self._client.put(
                name,
                chunks,
                mode="overwrite",
                use_multipart=True,
                chunk_size=PART,
                max_concurrency=_AT_ONCE,
            )

    def copy(self, source: str, target: str, what: str, *, new: bool) -> None:
        """Let the server copy an object, of 5 GiB at most; see `put`."""
        with self._answers(what):
            self._copier.copy(source, target, overwrite=not new)

    def delete(self, name: str, what: str) -> None:
        """Remove an object; a missing one is no error."""
        try:
            with self._answers(what):
                self._client.delete(name)
        except NotFound:
            return

    def _answers(self, what: str) -> AbstractContextManager[None]:
        return answers(what, self.place)
