"""One SQLite file, shared by threads and processes: opening, versions, transactions, errors.

Write-ahead log, one writer at a time: whoever comes while another one writes is taken along in the next transaction
(`Database.write`), so that many small commits share one flush. Readers do not wait. Never on a network file system.

`synchronous` says what a commit survives. `NORMAL`: the end of the process by any signal; a power cut may cost the
newest commits, all together, never their order. `FULL`: a power cut too; each transaction costs a flush, about 3 ms.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

import apsw
import msgspec

from sightline.errors import Corrupt, Misconfigured, SightlineError, TooLarge, Unavailable

__all__ = ["Database", "Migration", "Synchronous", "opened", "translated", "version_of"]

T = TypeVar("T")
Migration = str | Callable[[Any], None]  # SQL, or what a transaction has to do
Synchronous = Literal["NORMAL", "FULL"]

APPLICATION_ID = 0x53474C54  # "SGLT", in the header of each file
OLDEST_SQLITE = (
    3_051_003  # before it, several writers could damage the file when the write-ahead log was reset
)
PAGE_BYTES = 4096
CHECKPOINT_PAGES = 4096  # 16 MiB of write-ahead log: copied into the file, as far as readers allow
TRUNCATE_PAGES = 16384  # 64 MiB: readers have to let go, and the write-ahead log is emptied
BUSY_MS = 5000
CHECKPOINT_BUSY_MS = (
    100  # a reader that stays longer than this is not waited for, the next commit tries again
)
POLL_S = 0.05  # how often somebody who waits asks whether another process wrote
GROUP = 64  # writes that share a transaction

_ERRORS: tuple[tuple[type[Exception], type[SightlineError], str, str], ...] = (
    (
        apsw.FullError,
        Unavailable,
        "disk_full",
        "the disk or its limit is full; free space, then repeat the command",
    ),
    (apsw.IOError, Unavailable, "disk_error", "reading or writing failed; check the disk"),
    (apsw.BusyError, Unavailable, "locked", "another process keeps the file locked"),
    (apsw.LockedError, Unavailable, "locked", "another connection keeps the file locked"),
    (apsw.NoMemError, Unavailable, "memory", "out of memory"),
    (apsw.CantOpenError, Misconfigured, "cannot_open", "cannot be opened; check folder and permissions"),
    (apsw.ReadOnlyError, Misconfigured, "read_only", "cannot be written; check permissions"),
    (apsw.PermissionsError, Misconfigured, "read_only", "access denied; check permissions"),
    (apsw.TooBigError, TooLarge, "too_large", "a value is larger than SQLite can hold"),
    (apsw.CorruptError, Corrupt, "damaged", "the file is damaged; restore it, or run the jobs again"),
    (apsw.NotADBError, Corrupt, "damaged", "not a database; another file has this name, or it is damaged"),
)


@contextmanager
def translated(name: str) -> Iterator[None]:
    """Turn SQLite's errors about file `name` into ours; errors of our own making rise as they are."""
    try:
        yield
    except msgspec.DecodeError as error:
        raise Corrupt(
            f"{name}: a row cannot be decoded; the file is damaged ({error})", code="damaged"
        ) from error
    except apsw.Error as error:
        for theirs, ours, code, advice in _ERRORS:
            if isinstance(error, theirs):
                raise ours(f"{name}: {advice} ({error})", code=code) from error
        raise


class _Write(Generic[T]):
    """Work of one caller, and what became of it."""

    def __init__(self, work: Callable[[Any], T]) -> None:
        self.work = work
        self.done = False
        self.answer: T
        self.error: Exception | None = None


class Database:
    """A file with our tables.

    Args:
        path: of the file; made where it is missing, its folder must exist.
        migrations: what leads from version i to i + 1; the file's version is their number.
        synchronous: what a commit survives, see above.
        max_bytes: size that the file may not pass; beyond it, writes are `Unavailable` and nothing is lost.

    Raises:
        Misconfigured: this SQLite is too old, or the file is of a newer version, of another program, or cannot be
            opened. Nothing was changed.
        Corrupt: the file is damaged.
    """

    def __init__(
        self,
        path: Path,
        migrations: tuple[Migration, ...],
        *,
        synchronous: Synchronous = "FULL",
        max_bytes: int | None = None,
    ) -> None:
        check_sqlite_version(apsw.sqlite_lib_version())
        self.name = path.name
        self._path, self._synchronous, self._max_bytes = str(path), synchronous, max_bytes
        self._changed, self._changes = threading.Condition(), 1
        self._watching, self._version_seen = False, 0
        self._writing = threading.Lock()
        self._queue: deque[_Write[Any]] = deque()
        self._readers: deque[Any] = deque()
        with translated(self.name):
            self._writer = self._connect()
            try:
                self._prepare(migrations)
                self._watcher = self._connect()  # a connection does not see its own writes as changes
                self._version_seen = self._watcher.pragma("data_version")
            except BaseException:
                self._writer.close()
                raise
        self._writer.set_wal_hook(self._after_commit)

    def _connect(self) -> Any:
        connection = apsw.Connection(self._path)
        connection.set_busy_timeout(BUSY_MS)
        connection.pragma("synchronous", self._synchronous)
        if self._max_bytes is not None:
            connection.pragma("max_page_count", max(self._max_bytes // PAGE_BYTES, 1))
        return connection

    def _prepare(self, migrations: tuple[Migration, ...]) -> None:
        """Look before anything is written; then lead the file to the newest version."""
        connection = self._writer
        behind = self._version(len(migrations)) < len(migrations)
        if self._journal_mode() != "wal":
            raise Misconfigured(
                f"{self.name}: this file system cannot share memory between processes; use a local disk",
                code="file_system",
            )
        if behind:
            with _transaction(connection):
                for step in migrations[self._version(len(migrations)) :]:
                    if isinstance(step, str):
                        connection.execute(step)
                    else:
                        step(connection)
                connection.pragma("application_id", APPLICATION_ID)
                connection.pragma("user_version", len(migrations))

    def _journal_mode(self) -> str:
        """Switch to the write-ahead log. SQLite does not wait here for others who open the same new file, so we do."""
        deadline = time.monotonic() + BUSY_MS / 1000
        while True:
            try:
                return str(self._writer.pragma("journal_mode", "wal"))
            except apsw.BusyError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.001)

    def _version(self, newest: int) -> int:
        connection = self._writer
        empty = connection.execute("SELECT count(*) FROM sqlite_schema").get == 0
        if not empty and connection.pragma("application_id") != APPLICATION_ID:
            raise Misconfigured(f"{self.name}: a database of another program", code="file_format")
        version = int(connection.pragma("user_version"))
        if version > newest:
            raise Misconfigured(
                f"{self.name}: file version {version}, this Sightline knows {newest}; use the newer Sightline",
                code="file_version",
            )
        return version

    def _after_commit(self, connection: Any, schema: str, pages: int) -> int:
        """Keep the write-ahead log bounded; a checkpoint that has to wait is tried again after the next commit."""
        if pages >= CHECKPOINT_PAGES:
            full = pages >= TRUNCATE_PAGES
            mode = apsw.SQLITE_CHECKPOINT_TRUNCATE if full else apsw.SQLITE_CHECKPOINT_PASSIVE
            connection.set_busy_timeout(CHECKPOINT_BUSY_MS)
            try:
                connection.wal_checkpoint(schema, mode)
            except (apsw.BusyError, apsw.LockedError):
                return int(apsw.SQLITE_OK)
            finally:
                connection.set_busy_timeout(BUSY_MS)
        return int(apsw.SQLITE_OK)

    # --- reading

    @contextmanager
    def reader(self) -> Iterator[Any]:
        """A connection that sees the newest commit; what one statement reads is of one moment."""
        with translated(self.name):
            try:
                connection = self._readers.pop()
            except IndexError:  # more readers at once than ever before
                connection = self._connect()
            try:
                yield connection
            finally:
                self._readers.append(connection)

    def wait(self, seen: int, limit_s: float) -> int:
        """See `EventLog.wait`: a number that rises with each write, of any process."""
        deadline, mine = time.monotonic() + limit_s, False
        with translated(self.name), self._changed:
            self._look()
            try:
                while self._changes <= seen and (left := deadline - time.monotonic()) > 0:
                    # One of all who wait asks for all of them; the others sleep until they are told.
                    mine = mine or not self._watching
                    self._watching = True
                    self._changed.wait(min(POLL_S, left) if mine else left)
                    if mine:
                        self._look()
            finally:
                if mine:  # whoever wakes up first asks from now on
                    self._watching = False
                    self._changed.notify_all()
            return self._changes

    def _look(self) -> None:
        """Whether anybody wrote since the last look, through another connection than the watcher's."""
        version = self._watcher.pragma("data_version")
        if version != self._version_seen:
            self._version_seen = version
            self._changes += 1
            self._changed.notify_all()

    # --- writing

    def write(self, work: Callable[[Any], T]) -> T:
        """Run `work(connection)` in a transaction, perhaps together with that of other threads; its answer.

        Raises:
            Unavailable: nothing was written, or, if the answer of the commit got lost, all of it. Repeat.
            SightlineError: what `work` raised; nothing of it was written.
        """
        mine = _Write(work)
        self._queue.append(mine)
        try:
            with self._writing:
                if not mine.done:
                    self._write_group(mine)
        finally:
            mine.done = True  # whoever gave up must not be taken along later
        if mine.error is not None:
            raise mine.error
        return mine.answer

    def _write_group(self, mine: _Write[Any]) -> None:
        """Whoever gets here first writes for all who wait; they share its fate, but not each other's errors."""
        group = [mine]
        while self._queue and len(group) < GROUP:
            other = self._queue.popleft()
            if other is not mine and not other.done:
                group.append(other)
        try:
            with translated(self.name), _transaction(self._writer):
                for write in group:
                    self._write_one(write, alone=len(group) == 1)
        except SightlineError as error:
            for write in group:
                write.error = error
        for write in group:
            write.done = True
        with self._changed:
            self._look()

    def _write_one(self, write: _Write[Any], *, alone: bool) -> None:
        write.error = None
        if alone:
            write.answer = write.work(self._writer)
            return
        self._writer.execute("SAVEPOINT one")
        try:
            write.answer = write.work(self._writer)
        except SightlineError as error:
            write.error = error
            self._writer.execute("ROLLBACK TO one")
        self._writer.execute("RELEASE one")

    def flush(self) -> None:
        """Make all that was committed survive a power cut, also under `NORMAL`.

        Raises:
            Unavailable: it may not be durable yet; repeat.
        """
        with self._writing, translated(self.name):
            self._writer.pragma("synchronous", "FULL")
            try:
                with _transaction(self._writer):  # a flush needs a commit that writes
                    self._writer.pragma("user_version", self._writer.pragma("user_version"))
            finally:
                self._writer.pragma("synchronous", self._synchronous)

    def close(self) -> None:
        """Close all connections; the last one empties the write-ahead log. Repeating is harmless."""
        with self._writing, translated(self.name):
            while self._readers:
                self._readers.pop().close()
            self._watcher.close()
            self._writer.close()


@contextmanager
def _transaction(connection: Any) -> Iterator[None]:
    """All or nothing. SQLite may have rolled back by itself, as after a full disk."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def check_sqlite_version(version: str) -> None:
    """Refuse versions that can damage a file.

    Raises:
        Misconfigured: `version` is before 3.51.3.
    """
    major, minor, patch = (int(part) for part in (version + ".0.0").split(".")[:3])
    if major * 1_000_000 + minor * 1_000 + patch < OLDEST_SQLITE:
        raise Misconfigured(
            f"SQLite {version} can damage a file with several writers; install apsw 3.51.3 or newer",
            code="sqlite_version",
        )


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """A connection to one of our files, whatever its version: nothing is changed by opening it.

    Raises:
        Misconfigured: it is of another program, or cannot be opened.
        Corrupt: it is no database, or damaged.
    """
    check_sqlite_version(apsw.sqlite_lib_version())
    with (
        translated(path.name),
        closing(apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)) as connection,
    ):
        connection.set_busy_timeout(BUSY_MS)
        if connection.pragma("application_id") != APPLICATION_ID:
            raise Misconfigured(f"{path.name}: a database of another program", code="file_format")
        yield connection


def version_of(path: Path) -> int:
    """Version of one of our files; errors as of `opened`."""
    with opened(path) as connection:
        return int(connection.pragma("user_version"))
