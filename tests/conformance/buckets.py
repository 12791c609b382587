"""A bucket of a real server, a part of it for each test, and what a test wants to know of it."""

import http.client
import json
import secrets
from datetime import timedelta
from pathlib import Path

from sightline.adapters.s3.cache import CachedFiles
from sightline.adapters.s3.objects import S3Objects
from sightline.adapters.s3.settings import S3Keys, S3Settings

MIB = 2**20
LETTERS = bytes(range(251))


def settings_of(record: dict, **changes) -> S3Settings:
    """For a server that `tests.servers` started; the prefix is new, so that tests do not meet."""
    values = {
        "bucket": record["bucket"],
        "keys": S3Keys(record["access_key"], record["secret_key"]),
        "endpoint": record["endpoint"],
        "region": record["region"],
        "prefix": f"test-{secrets.token_hex(6)}/",
    }
    return S3Settings(**(values | changes))


class Place:
    """A part of a bucket, and a folder for its cache."""

    def __init__(self, record: dict, folder: Path, **changes) -> None:
        self.record, self.folder = record, folder
        self.settings = settings_of(record, **changes)

    def objects(self, limit: int = 256 * MIB, **changes) -> S3Objects:
        """A store as another process would have it: it remembers nothing."""
        settings = settings_of(
            self.record, prefix=self.settings.prefix, conditional=self.settings.conditional
        )
        if changes:
            settings = settings_of(self.record, **({"prefix": self.settings.prefix} | changes))
        return S3Objects(settings, CachedFiles(self.folder / "cache", limit))

    def client(self):
        """The library's own client, for what somebody else does to the bucket."""
        from obstore.store import S3Store

        return S3Store(
            self.record["bucket"],
            prefix=self.settings.prefix,
            aws_endpoint_url_s3=self.record["endpoint"],
            access_key_id=self.record["access_key"],
            secret_access_key=self.record["secret_key"],
            region=self.record["region"],
            client_options={"allow_http": True},
            retry_config={"max_retries": 2, "retry_timeout": timedelta(seconds=5)},
        )

    def names(self) -> list[str]:
        """Every object below the prefix, those of our own too."""
        return sorted(meta["path"] for page in self.client().list() for meta in page)

    def pending(self) -> int:
        """Uploads in parts, of this part of the bucket or not, that were begun and neither ended nor given up."""
        if self.record["name"] == "seaweed":
            return len(self._filer(f"/buckets/{self.record['bucket']}/.uploads/"))
        home = Path(self.record["log"]).parent
        begun = home / "data" / self.record["bucket"] / ".sgwtmp" / "multipart"
        return len(list(begun.glob("*/*"))) if begun.is_dir() else 0

    def file(self, key: str) -> Path:
        """Where versitygw keeps an object, as a file."""
        home = Path(self.record["log"]).parent
        return home / "data" / self.record["bucket"] / self.settings.prefix / key

    def _filer(self, path: str) -> list:
        connection = http.client.HTTPConnection("127.0.0.1", self.record["ports"][6], timeout=10)
        connection.request("GET", f"{path}?limit=1000", headers={"Accept": "application/json"})
        reply = connection.getresponse()
        body = reply.read()
        connection.close()
        return [] if reply.status == 404 else json.loads(body)["Entries"] or []


def blob(size: int, of: int = 0):
    """Chunks of `size` bytes in all, other ones for each `of` below 251."""
    piece = (LETTERS * (MIB // 251 + 2))[of : of + MIB]
    for at in range(0, size, MIB):
        yield piece[: min(MIB, size - at)]
