"""Objects in a bucket.

A small object is one put, which the server refuses where the key is taken. A large one is streamed to a key of its own, its
key is claimed by a small put, and then the server copies it into place: on a stream itself the library can set no condition.
"""

from __future__ import annotations

import hashlib
import secrets
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from threading import Lock

import msgspec

from sightline.adapters.s3.answers import PastTheEnd, Taken
from sightline.adapters.s3.bucket import PART, Bucket, Found
from sightline.adapters.s3.cache import CachedFiles
from sightline.adapters.s3.settings import S3Settings
from sightline.disk import CHUNK
from sightline.errors import Corrupt, NotFound, ServiceMisconfigured, TooLarge, Unavailable
from sightline.ports import Stat

__all__ = ["S3Objects"]

_OWN = ".sightline/"  # parts/ on their way, sums/ of large objects, check/ what is tried
_STEP = 4 * 2**20  # bytes of a request that reads
_MOST = 5 * 2**30  # a server copies no more at once
_KEY_BYTES = 1024
_REMEMBERED = 4096
_TRIALS = 3


class _Sum(msgspec.Struct, frozen=True):
    """Of a large object: its metadata are fixed before its last byte, and so its hash, is known.

    Args:
        etag: of the object; None while it is being put.
        size: bytes.
        sha256: hex.
    """

    etag: str | None
    size: int
    sha256: str


class S3Objects:
    """`ObjectStore` in a bucket of S3.

    A small object asks for no claim. Where a server lets an upload end beside a put (see `_place_large`), a small and a large
    object that are put under one key at the same moment are not kept apart.

    Where the server knows no condition (`S3Settings.conditional` is False) a key is looked up, written and read back. Of two
    writers of other bytes at the same moment the later one stays then; the earlier one raises `Corrupt` if it reads back
    after that, else nobody is told. Writers of the same bytes lose nothing.

    Args:
        settings: which bucket.
        cache: where `open_local` keeps files.
    """

    def __init__(self, settings: S3Settings, cache: CachedFiles) -> None:
        self._bucket, self._cache = Bucket(settings), cache
        self._prefix, self._new, self._place = settings.prefix, settings.conditional, settings.place
        self._hashed = _Remembered()

    def put_new(self, key: str, chunks: Iterable[bytes]) -> Stat:
        """See `ObjectStore`.

        Raises:
            TooLarge: over 5 GiB.
        """
        name, what = self._name(key), f"object {key}"
        source = _Source(chunks, what)
        begin = list(source.until(PART))
        if source.ended:
            return self._put_small(key, name, b"".join(begin), source.stat)
        part = f"{self._prefix}{_OWN}parts/{secrets.token_hex(16)}"
        try:
            self._stream(part, what, begin, source)
            return self._place_large(key, name, part, source.stat)
        except BaseException as error:
            self._give_up(part, error)
            raise

    def read(self, key: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """See `ObjectStore`. A whole object is compared with its hash where that was kept.

        Raises:
            Corrupt: its bytes are damaged, or it was replaced meanwhile.
        """
        if start < 0 or (length is not None and length < 0):
            raise ValueError(f"not a range of bytes: from {start}, {length} of them")
        yield from self._bytes(key, start, length)

    @contextmanager
    def open_local(self, key: str) -> Iterator[Path]:
        """See `ObjectStore`; the copy is made once, compared with the hash, and stays as long as it is open.

        Raises:
            Corrupt: see `read`.
            Misconfigured: it is larger than the cache.
        """
        found = self._head(key)
        name = hashlib.sha256(f"{self._place}\0{self._name(key)}\0{found.etag}".encode()).hexdigest()
        with self._cache.open(
            name, found.size, lambda: self._bytes(key, 0, None, found.etag), f"object {key}"
        ) as path:
            yield path

    def delete(self, key: str) -> None:
        """See `ObjectStore`."""
        self._bucket.delete(
            self._sum_name(key), f"sum of object {key}"
        )  # first: alone it would keep others away
        self._bucket.delete(self._name(key), f"object {key}")

    def stat(self, key: str) -> Stat:
        """See `ObjectStore`. Where nobody noted the hash it is read and hashed, once by a process.

        Raises:
            Corrupt: it was replaced meanwhile.
        """
        found = self._head(key)
        return self._noted(key, found) or self._read_hash(key, found)

    def check(self) -> None:
        """Try what everything hangs on: the keys may write, and the server keeps the condition, of a put and of a copy.

        Raises:
            ServiceMisconfigured: one does not hold; the message says what to do.
            Unavailable: the server does not answer, nor when it is asked again.
        """
        for left in reversed(range(_TRIALS)):
            try:
                self._try()
                return
            except Unavailable:  # perhaps it met the trial of another process
                if not left:
                    raise

    def _try(self) -> None:
        name = f"{self._prefix}{_OWN}check/{secrets.token_hex(16)}"
        copied = f"{name}-copied"
        try:
            self._bucket.put(name, "a trial", b"1", None, new=self._new)
            self._bucket.copy(name, copied, "a trial", new=self._new)
            if self._new:
                self._expect_taken(lambda: self._bucket.put(name, "a trial", b"2", None, new=True), "put")
                self._expect_taken(lambda: self._bucket.copy(name, copied, "a trial", new=True), "copy")
        finally:
            self._bucket.delete(name, "a trial")
            self._bucket.delete(copied, "a trial")

    def _expect_taken(self, write: Callable[[], None], kind: str) -> None:
        try:
            write()
        except Taken:
            return
        raise ServiceMisconfigured(
            f"{self._place} writes over objects, though a {kind} asked it not to: choose another server, or say that it"
            " knows no conditions"
        )

    # --- writing ---

    def _put_small(self, key: str, name: str, blob: bytes, stat: Stat) -> Stat:
        what = f"object {key}"
        try:
            if not self._new and self._is_there(key):
                raise Taken(key)
            self._bucket.put(name, what, blob, stat, new=self._new)
        except Taken:
            self._same(key, stat)
            return stat
        if not self._new:
            self._same(key, stat)
        return stat

    def _stream(self, part: str, what: str, begin: list[bytes], source: _Source) -> None:
        """Write what comes; where it breaks off, let the upload end and raise the caller's own error, as it was.

        An upload that is given up while a part is under way may stay at the server: S3 says so, and versitygw does it.
        """
        try:
            self._bucket.stream(part, what, chain(begin, source.rest()))
        finally:
            if source.failure is not None:
                raise source.failure

    def _place_large(self, key: str, name: str, part: str, stat: Stat) -> Stat:
        """Give an object that has come whole its key.

        The claim keeps writers of other bytes away: SeaweedFS lets two uploads end under one key at the same moment, each
        on the condition that nothing is there, but never two puts.
        """
        what = f"object {key}"
        came = self._bucket.head(part, what).size
        if came != stat.size:
            raise Unavailable(
                f"{what}: {self._place} kept {came} of {stat.size} bytes; it is put again later"
            )
        if self._is_there(key):
            found = self._same(key, stat)
        else:
            self._claim(key, stat)
            try:
                self._bucket.copy(part, name, what, new=self._new)
                found = self._head(key) if self._new else self._same(key, stat)
            except Taken:
                found = self._same(key, stat)
        if found.size != stat.size:
            raise Corrupt(f"{what}: {self._place} holds {found.size} of {stat.size} bytes")
        if found.stat is None:
            self._put_sum(key, _Sum(found.etag, stat.size, stat.sha256), new=False)
        self._bucket.delete(part, f"part of {what}")
        return stat

    def _claim(self, key: str, stat: Stat) -> None:
        """Let nobody put other bytes there."""
        claim = _Sum(None, stat.size, stat.sha256)
        try:
            if not self._new and self._sum(key) is not None:
                raise Taken(key)
            self._put_sum(key, claim, new=self._new)
            if self._new:
                return
        except Taken:
            pass
        held = self._sum(key)
        if held is None:
            raise Unavailable(f"object {key} was removed while it was put; it is put again later")
        if (held.size, held.sha256) != (stat.size, stat.sha256):
            raise Corrupt(
                f"object {key} is being put with other bytes, or that was begun and not ended: delete it to put these"
            )

    def _same(self, key: str, stat: Stat) -> Found:
        """What the key holds, once it is known to be those bytes."""
        try:
            found = self._head(key)
            held = self._noted(key, found) or self._read_hash(key, found)
        except NotFound:
            raise Unavailable(f"object {key} was removed while it was put; it is put again later") from None
        if held != stat:
            raise Corrupt(f"object {key} holds other bytes")
        return found

    def _give_up(self, part: str, error: BaseException) -> None:
        """Remove what came of an object that failed; where that fails too, the first error counts."""
        try:
            self._bucket.delete(part, "a part")
        except (Unavailable, ServiceMisconfigured) as other:
            error.add_note(f"{part} may be left in {self._place}: {other}")

    # --- reading ---

    def _bytes(self, key: str, start: int, length: int | None, etag: str | None = None) -> Iterator[bytes]:
        name, what = self._name(key), f"object {key}"
        if length == 0:
            self._head(key)
            return
        step = _STEP if length is None else min(_STEP, length)
        try:
            found, blob = self._bucket.read(name, what, start, start + step, etag)
        except PastTheEnd:
            return
        end = found.size if length is None else min(found.size, start + length)
        digest = hashlib.sha256() if (start, end) == (0, found.size) else None
        at = start
        while True:
            if len(blob) != min(step, end - at):
                raise Unavailable(f"{what}: an answer ends at byte {at + len(blob)}; it is asked again later")
            at += len(blob)
            if digest is not None:
                digest.update(blob)
                if at == end:
                    self._compare(key, found, Stat(end, digest.hexdigest()))
            yield from (blob[i : i + CHUNK] for i in range(0, len(blob), CHUNK))
            if at == end:
                return
            _, blob = self._bucket.read(name, what, at, min(at + step, end), found.etag)

    def _compare(self, key: str, found: Found, came: Stat) -> None:
        """Of a whole object, before its last bytes are given away."""
        noted = self._noted(key, found)
        if noted is None:
            self._hashed.add(self._name(key), found.etag, came)
        elif noted != came:
            raise Corrupt(f"object {key} in {self._place} is damaged: its sha256 is not {noted.sha256}")

    def _head(self, key: str) -> Found:
        return self._bucket.head(self._name(key), f"object {key}")

    def _is_there(self, key: str) -> bool:
        try:
            self._head(key)
        except NotFound:
            return False
        return True

    def _noted(self, key: str, found: Found) -> Stat | None:
        """Size and hash as they were written down: in the metadata, or beside a large object."""
        if found.stat is not None:
            return found.stat
        if (known := self._hashed.get(self._name(key), found.etag)) is not None:
            return known
        if found.size <= PART:
            return None
        note = self._sum(key)
        if note is None or (note.etag, note.size) != (
            found.etag,
            found.size,
        ):  # not there, or of another object
            return None
        stat = Stat(note.size, note.sha256)
        self._hashed.add(self._name(key), found.etag, stat)
        return stat

    def _sum(self, key: str) -> _Sum | None:
        name = self._sum_name(key)
        try:
            _, blob = self._bucket.read(name, f"sum of object {key}", 0, _STEP)
            return msgspec.json.decode(blob, type=_Sum)
        except NotFound:
            return None
        except (PastTheEnd, msgspec.MsgspecError):
            raise Corrupt(f"{name} in {self._place} is damaged: remove it") from None

    def _put_sum(self, key: str, note: _Sum, *, new: bool) -> None:
        self._bucket.put(
            self._sum_name(key), f"sum of object {key}", msgspec.json.encode(note), None, new=new
        )

    def _read_hash(self, key: str, found: Found) -> Stat:
        if not found.size:
            return Stat.of([])
        stat = Stat.of(self._bytes(key, 0, None, found.etag))
        self._hashed.add(self._name(key), found.etag, stat)
        return stat

    # --- names ---

    def _name(self, key: str) -> str:
        parts = key.split("/")
        odd = any(part in ("", ".", "..") for part in parts) or not key.isprintable() or "\\" in key
        if odd or parts[0] == _OWN[:-1] or len(self._sum_of(key).encode()) > _KEY_BYTES:
            raise ValueError(f"not an object key: {key!r}")
        return self._prefix + key

    def _sum_name(self, key: str) -> str:
        self._name(key)
        return self._sum_of(key)

    def _sum_of(self, key: str) -> str:
        return f"{self._prefix}{_OWN}sums/{key}"


class _Source:
    """Chunks on their way: counted, hashed, and whose error it was when they end early."""

    def __init__(self, chunks: Iterable[bytes], what: str) -> None:
        self._chunks, self._what = iter(chunks), what
        self._digest, self._size = hashlib.sha256(), 0
        self.ended = False
        self.failure: BaseException | None = None

    @property
    def stat(self) -> Stat:
        """Of the chunks so far."""
        return Stat(self._size, self._digest.hexdigest())

    def until(self, size: int) -> Iterator[bytes]:
        """Chunks until there are more than `size` bytes, or no more."""
        while not self.ended and self._size <= size:
            yield from self._next()

    def rest(self) -> Iterator[bytes]:
        """All that follow, until there are no more or one fails."""
        while not self.ended and self.failure is None:
            try:
                chunk = self._next()
            except BaseException as error:
                self.failure = error
            else:
                yield from chunk

    def _next(self) -> tuple[bytes, ...]:
        chunk = next(self._chunks, None)
        if chunk is None:
            self.ended = True
            return ()
        self._size += len(chunk)
        if self._size > _MOST:
            raise TooLarge(f"{self._what} has over 5 GiB, more than a server of S3 copies at once")
        self._digest.update(chunk)
        return (chunk,)


class _Remembered:
    """Hashes by name and ETag, the newest thousands."""

    def __init__(self) -> None:
        self._stats: OrderedDict[tuple[str, str], Stat] = OrderedDict()
        self._lock = Lock()

    def get(self, name: str, etag: str) -> Stat | None:
        """What was added, if it still is here."""
        with self._lock:
            return self._stats.get((name, etag))

    def add(self, name: str, etag: str, stat: Stat) -> None:
        """Keep one, and let the oldest go."""
        with self._lock:
            self._stats[name, etag] = stat
            if len(self._stats) > _REMEMBERED:
                self._stats.popitem(last=False)
