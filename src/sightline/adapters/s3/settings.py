"""Which bucket, where, and with which keys."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlsplit

from sightline.errors import ServiceMisconfigured

__all__ = ["S3Keys", "S3Settings"]

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_PREFIX = re.compile(r"([A-Za-z0-9_-][A-Za-z0-9._-]*/)*")


@dataclass(frozen=True, slots=True)
class S3Keys:
    """What requests are signed with. Its text shows none of it."""

    access: str = field(repr=False)
    secret: str = field(repr=False)
    token: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Self:
        """Those of `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and, for keys that expire, `AWS_SESSION_TOKEN`.

        Raises:
            ServiceMisconfigured: one is missing.

        >>> S3Keys.of({"AWS_ACCESS_KEY_ID": "me", "AWS_SECRET_ACCESS_KEY": "hidden"})
        S3Keys()
        """
        names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
        missing = [name for name in names if not environment.get(name)]
        if missing:
            raise ServiceMisconfigured(f"no keys for S3: set {' and '.join(missing)} in the environment")
        access, secret = (environment[name] for name in names)
        return cls(access, secret, environment.get("AWS_SESSION_TOKEN") or None)


@dataclass(frozen=True, slots=True)
class S3Settings:
    """Where objects are.

    Args:
        bucket: its name; it is there already.
        keys: what requests are signed with.
        endpoint: address of the server, `https://host:port`; None for Amazon's of the region.
        region: as the server calls it.
        prefix: before every key, empty or with a slash at its end.
        allow_http: take an address without TLS; that of this machine is always taken.
        conditional: the server refuses a put with `If-None-Match: *` of a key that it holds, as Amazon, SeaweedFS, versitygw
            and MinIO do. False: for one that does not; see `S3Objects`.
        timeout: seconds that a request may take.

    Raises:
        ServiceMisconfigured: a value that cannot be.
    """

    bucket: str
    keys: S3Keys
    endpoint: str | None = None
    region: str = "us-east-1"
    prefix: str = ""
    allow_http: bool = False
    conditional: bool = True
    timeout: float = 30.0

    def __post_init__(self) -> None:
        if not _BUCKET.fullmatch(self.bucket):
            raise ServiceMisconfigured(
                f"not the name of a bucket: {self.bucket!r}: small letters, digits, - and ."
            )
        if not _PREFIX.fullmatch(self.prefix):
            raise ServiceMisconfigured(f"not a prefix of keys: {self.prefix!r}: write it as team/videos/")
        if not self.region:
            raise ServiceMisconfigured("S3 needs a region: us-east-1 where the server does not care")
        if not self.timeout > 0:
            raise ServiceMisconfigured(f"the timeout of S3 is {self.timeout}: seconds, more than 0")
        if self.endpoint is not None:
            self._check_endpoint(self.endpoint)

    @property
    def place(self) -> str:
        """The bucket and its server, for messages."""
        return f"bucket {self.bucket} at {self.endpoint or f'Amazon, region {self.region}'}"

    def _check_endpoint(self, endpoint: str) -> None:
        try:
            url = urlsplit(endpoint)
            host, _ = url.hostname, url.port
        except ValueError:
            raise ServiceMisconfigured("the endpoint of S3 is no address: write https://host:port") from None
        if "@" in url.netloc:  # not shown: it may hold a password
            raise ServiceMisconfigured("the endpoint of S3 holds a user: keys belong in the environment")
        if (
            url.scheme not in ("http", "https")
            or not host
            or url.query
            or url.fragment
            or url.path.strip("/")
        ):
            raise ServiceMisconfigured(
                f"not an endpoint of S3: {endpoint!r}: write https://host:port, without the bucket"
            )
        if url.scheme == "http" and not self.allow_http and not _is_loopback(host):
            raise ServiceMisconfigured(
                f"{endpoint} is not encrypted: write https, or allow http where the network is yours"
            )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
