"""The SQLite file keeps the contracts of log, jobs, ledger and outbox; what it refuses, it names."""

import subprocess
import sys
import threading
from dataclasses import replace

import apsw
import pytest

from sightline.adapters.sqlite.file import BUSY_MS, Database, check_sqlite_version, translated
from sightline.adapters.sqlite.store import SqliteStore
from sightline.errors import Corrupt, Fenced, Misconfigured, TooLarge, Unavailable
from sightline.ports import Commit, Job, Outgoing, Saved
from tests.conformance.suite_jobs import JobsSuite
from tests.conformance.suite_ledger import LedgerSuite
from tests.conformance.suite_log import EventLogSuite
from tests.conformance.suite_notes import NotesSuite
from tests.conformance.suite_outbox import OutboxSuite


@pytest.fixture
def path(tmp_path):
    return tmp_path / "store.sqlite"


@pytest.fixture(params=["NORMAL", "FULL"])
def store(path, request):
    store = SqliteStore(path, synchronous=request.param)
    yield store
    store.close()


class TestSqliteLog(EventLogSuite):
    @pytest.fixture
    def log(self, store):
        return store

    @pytest.fixture
    def another(self, tmp_path):
        store = SqliteStore(tmp_path / "another.sqlite")
        yield store
        store.close()


class TestSqliteJobs(JobsSuite):
    @pytest.fixture
    def clocked(self, tmp_path):
        made: list[SqliteStore] = []

        def make(clock):
            made.append(SqliteStore(tmp_path / "clocked.sqlite", clock=clock))
            return made[0]

        yield make
        for store in made:
            store.close()


class TestSqliteLedger(LedgerSuite):
    pass


class TestSqliteOutbox(OutboxSuite):
    @pytest.fixture
    def relayed(self, path):
        store = SqliteStore(path, relayed=True)
        yield store
        store.close()


class TestSqliteNotes(NotesSuite):
    @pytest.fixture
    def notes(self, store):
        return store.notes

    def test_notes_outlive_the_connection(self, store, path):
        """And their revisions go on, also behind one that was deleted."""
        revision = store.notes.put("geometry", "a", 1)
        gone = store.notes.put("geometry", "b", 1)
        store.notes.delete("geometry", "b", gone)
        store.close()

        again = SqliteStore(path)

        assert again.notes.get("geometry", "a").revision == revision
        assert again.notes.put("geometry", "b", 1) > gone
        again.close()


def record(value: bytes = b"x") -> Outgoing:
    return Outgoing("t", 0, "j1", value)


def fill(store: SqliteStore) -> None:
    """Append until it fails."""
    while True:
        store.append([record(bytes(20_000))])


class TestOneFileOfManyProcesses:
    @pytest.fixture
    def other(self, store, path):
        """The same file, opened once more, as another process does."""
        other = SqliteStore(path)
        yield other
        other.close()

    def test_everything_is_there_when_the_file_is_opened_again(self, store, path):
        """Log, job, state and position outlive the connection."""
        job = Job("j1", "street", 5, request={"a": 1.5})
        store.create(job, [record()])
        at, _ = store.commit(Commit(store.claim("track", "t", 0), 1, "j1", "s", Saved(2, b"state")))
        identity = store.identity("t")
        store.close()

        again = SqliteStore(path)

        assert again.get("j1") == replace(job, times={"new": 0})
        assert again.identity("t") == identity
        assert again.load("track", "j1", "s") == Saved(2, b"state")
        assert list(again.positions("t")) == [at]
        assert again.head("t", 0) == (0, 1)
        again.close()

    def test_several_may_open_a_new_file_at_once(self, tmp_path):
        """One makes the tables, the others find them."""
        for i in range(10):
            opened: list[SqliteStore] = []
            threads = [
                threading.Thread(
                    target=lambda i=i, opened=opened: opened.append(SqliteStore(tmp_path / f"{i}"))
                )
                for _ in range(4)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

            for store in opened:
                store.append([record()])

            assert opened[0].head("t", 0) == (0, 4)
            for store in opened:
                store.close()

    def test_opening_waits_for_whoever_is_about_to_write_a_new_file(self, tmp_path):
        """SQLite itself gives up at once here: a file that is not yet of the write-ahead kind is held by another."""
        held = apsw.Connection(str(tmp_path / "new"))
        held.set_busy_timeout(BUSY_MS)  # its commit, too, meets a reader now and then
        held.execute("BEGIN IMMEDIATE")
        release = threading.Timer(0.2, held.execute, ["COMMIT"])
        release.start()

        store = SqliteStore(tmp_path / "new")

        release.join()
        store.append([record()])
        assert store.head("t", 0) == (0, 1)
        store.close()
        held.close()

    def test_a_claim_elsewhere_fences_this_owner(self, store, other):
        """The epoch lives in the file, not in the process."""
        at = store.claim("track", "t", 0)
        other.claim("track", "t", 0)

        with pytest.raises(Fenced):
            store.commit(Commit(at, 1))

    def test_whoever_waits_wakes_up_when_another_process_writes(self, store, other):
        """One of them asks every 50 ms for all."""
        seen, woken = store.wait(0, 0.0), []
        waiting = [
            threading.Thread(target=lambda: woken.append(store.wait(seen, 30) > seen)) for _ in range(3)
        ]
        for thread in waiting:
            thread.start()

        other.append([record(b"late")])

        for thread in waiting:
            thread.join(20)
        assert woken == [True] * 3
        assert [entry.value for entry in store.read("t", 0, 0, 10)] == [b"late"]

    def test_what_another_process_wrote_while_nobody_waited_is_seen_at_once(self, store, other):
        """The one that asked last may have gone long ago."""
        seen = store.wait(store.wait(0, 0.0), 0.0)
        other.append([record(b"late")])

        assert store.wait(seen, 30) > seen

    def test_a_write_of_this_process_raises_the_number_once(self, store):
        """Nobody is woken twice for the same record."""
        seen = store.wait(0, 0.0)
        store.append([record()])
        after = store.wait(seen, 30)

        assert store.wait(after, 0.12) == after

    def test_when_the_one_who_asks_has_gone_another_one_asks(self, store, other):
        """Who waits longest is not left asleep."""
        seen, woken = store.wait(0, 0.0), []
        waiting = [
            threading.Thread(target=lambda limit=limit: woken.append(store.wait(seen, limit) > seen))
            for limit in (0.05, 30)
        ]
        waiting[0].start()
        waiting[1].start()
        waiting[0].join(20)

        other.append([record(b"late")])

        waiting[1].join(20)
        assert woken == [False, True]

    def test_writers_of_two_processes_lose_nothing(self, store, other):
        """Offsets are dense, whoever writes."""
        threads = [
            threading.Thread(target=lambda s=s: [s.append([record()]) for _ in range(50)])
            for s in (store, other, store, other)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert [entry.offset for entry in store.read("t", 0, 0, 1000)] == list(range(200))

    def test_what_was_answered_survives_sigkill(self, path):
        """Also under NORMAL: only a power cut could cost the newest commits."""
        code = (
            "import sys; from pathlib import Path\n"
            "from sightline.adapters.sqlite.store import SqliteStore\n"
            "from sightline.ports import Outgoing\n"
            "store = SqliteStore(Path(sys.argv[1]), synchronous='NORMAL')\n"
            "for i in range(10**9):\n"
            "    store.append([Outgoing('t', 0, 'j', b'%d' % i)])\n"
            "    print(i, flush=True)\n"
        )
        with subprocess.Popen([sys.executable, "-c", code, path], stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            answered = [int(next(writer.stdout)) for _ in range(200)][-1]
            writer.kill()

        store = SqliteStore(path)
        entries = store.read("t", 0, 0, 10**6)
        store.close()
        assert len(entries) > answered
        assert [entry.value for entry in entries] == [b"%d" % i for i in range(len(entries))]


class TestWritesThatShareATransaction:
    def test_an_error_of_one_does_not_touch_the_others(self, store):
        """A fenced owner writes nothing, those beside it everything."""
        store.create(Job("j1", "street", 0, facts={"streams": ["s"]}), [])
        stale = store.claim("stale", "t", 0)
        store.claim("stale", "t", 0)
        held = {name: store.claim(name, "t", 0) for name in ("a", "b", "c")}
        fenced: list[bool] = []

        def work(name: str) -> None:
            at = held[name]
            for i in range(1, 41):
                at, _ = store.commit(
                    Commit(at, i, "j1", "s", Saved(i, b""), (Outgoing(name, 0, "j1", b"%d" % i),))
                )

        def fail() -> None:
            for _ in range(40):
                with pytest.raises(Fenced):
                    store.commit(
                        Commit(stale, 9, "j1", "s", Saved(9, b""), (Outgoing("stale", 0, "j1", b""),))
                    )
                fenced.append(True)

        threads = [threading.Thread(target=work, args=(name,)) for name in held]
        threads.append(threading.Thread(target=fail))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert len(fenced) == 40
        assert store.head("stale", 0) == (0, 0)
        assert store.progress("j1") == {(name, "s"): 40 for name in held}
        for name in held:
            values = [int(entry.value) for entry in store.read(name, 0, 0, 100)]
            assert values == list(range(1, 41))


class TestRoom:
    def test_a_full_disk_pauses_and_nothing_is_half_written(self, path):
        """The write is repeated once there is room, and the log goes on where it stood."""
        store = SqliteStore(path, max_bytes=400_000)
        store.create(Job("j1", "street", 0, facts={"streams": ["s"]}), [])
        at = store.claim("track", "t", 0)
        with pytest.raises(Unavailable) as full:
            fill(store)
        written = store.head("t", 0)[1]

        with pytest.raises(Unavailable):
            store.commit(Commit(at, 7, "j1", "s", Saved(1, bytes(50_000)), (record(bytes(50_000)),)))

        assert full.value.code == "disk_full"
        assert store.head("t", 0) == (0, written)
        assert len(store.read("t", 0, 0, 100)) == written > 5
        assert store.load("track", "j1", "s") is None
        assert list(store.positions("t")) == [at]
        store.trim("t", 0, written)
        store.commit(Commit(at, 7, "j1", "s", Saved(1, bytes(50_000)), (record(bytes(50_000)),)))
        assert store.head("t", 0) == (written, written + 1)
        store.close()

    def test_the_write_ahead_log_stays_bounded(self, path):
        """Long runs do not fill the disk behind the file's back."""
        store = SqliteStore(path, synchronous="NORMAL")
        store.create(Job("j1", "street", 0, facts={"streams": ["s"]}), [])
        at = store.claim("track", "t", 0)

        largest = 0
        for _ in range(400):
            at, _ = store.commit(Commit(at, 0, "j1", "s", Saved(1, bytes(400_000))))
            largest = max(largest, path.with_name(path.name + "-wal").stat().st_size)

        assert largest < 80 * 2**20
        assert path.stat().st_size < 2 * 2**20
        store.close()


class TestDurability:
    @pytest.fixture
    def syncs(self):
        """Flushes of any file since the last look, counted by SQLite's own file layer."""
        counted: list[str] = []

        class File(apsw.VFSFile):
            def xSync(self, flags):
                counted.append("sync")
                super().xSync(flags)

        class Layer(apsw.VFS):
            def __init__(self):
                super().__init__("counting", "unix", makedefault=True)

            def xOpen(self, name, flags):
                return File("unix", name, flags)

        layer = Layer()
        yield counted
        layer.unregister()

    @pytest.mark.parametrize(("synchronous", "flushes"), [("NORMAL", 0), ("FULL", 5)])
    def test_a_commit_is_flushed_as_promised(self, path, syncs, synchronous, flushes):
        """NORMAL leaves the flush to the next checkpoint, FULL does it each time."""
        store = SqliteStore(path, synchronous=synchronous)
        store.append([record()])
        syncs.clear()

        for _ in range(5):
            store.append([record()])

        assert len(syncs) == flushes
        store.close()

    def test_a_flush_makes_earlier_commits_durable(self, path, syncs):
        """Before it says that it is done, also under NORMAL; afterwards commits are cheap again."""
        store = SqliteStore(path, synchronous="NORMAL")
        store.append([record()])
        syncs.clear()

        store.flush()

        assert len(syncs) == 1
        store.append([record()])
        assert len(syncs) == 1
        store.close()


class TestRefusals:
    def test_a_file_of_a_newer_version_is_left_alone(self, path):
        """The error names both versions."""
        SqliteStore(path).close()
        newer = apsw.Connection(str(path))
        newer.pragma("user_version", 99)
        newer.close()

        with pytest.raises(Misconfigured, match="version 99") as refused:
            SqliteStore(path)

        assert refused.value.code == "file_version"

    def test_a_database_of_another_program_is_left_alone(self, path):
        """No table of ours appears in it."""
        foreign = apsw.Connection(str(path))
        foreign.execute("CREATE TABLE theirs (x)")
        foreign.close()
        before = path.read_bytes()

        with pytest.raises(Misconfigured) as refused:
            SqliteStore(path)

        assert refused.value.code == "file_format"
        assert path.read_bytes() == before

    def test_a_damaged_row_of_a_job_is_named_by_get_and_list(self, path):
        """As damage of the file, by whatever way it is met."""
        store = SqliteStore(path)
        store.create(Job("j1", "street", 0), [])
        damaged = apsw.Connection(str(path))
        damaged.execute("UPDATE jobs SET facts = '{'")
        damaged.close()

        for ask in (lambda: store.get("j1"), lambda: store.list()):
            with pytest.raises(Corrupt) as met:
                ask()
            assert met.value.code == "damaged"
        store.close()

    def test_a_file_that_is_no_database_is_left_alone(self, path):
        """It may be somebody's text."""
        path.write_bytes(b"not a database, and long enough to be read as one" * 100)

        with pytest.raises(Corrupt) as refused:
            SqliteStore(path)

        assert refused.value.code == "damaged"
        assert path.read_bytes().startswith(b"not a database")

    def test_a_damaged_file_stops_loudly(self, path):
        """Never an empty answer instead of lost records."""
        store = SqliteStore(path)
        for _ in range(50):
            store.append([record(bytes(5_000))])
        store.close()
        blob = bytearray(path.read_bytes())
        blob[4096:] = b"\xff" * (len(blob) - 4096)
        path.write_bytes(blob)

        with pytest.raises(Corrupt):
            SqliteStore(path).read("t", 0, 0, 100)

    def test_a_missing_folder_is_named(self, tmp_path):
        """A wrong path is the user's to change."""
        with pytest.raises(Misconfigured) as refused:
            SqliteStore(tmp_path / "nowhere" / "store.sqlite")

        assert refused.value.code == "cannot_open"

    @pytest.mark.parametrize("version", ["3.7.0", "3.40.1", "3.51.2"])
    def test_a_version_that_can_damage_files_is_refused(self, version):
        """The reset of the write-ahead log could lose pages with several writers."""
        with pytest.raises(Misconfigured, match=version):
            check_sqlite_version(version)

    @pytest.mark.parametrize("version", ["3.51.3", "3.52", "3.54.1", "4.0.0"])
    def test_later_versions_are_taken(self, version):
        """Whatever the number of parts."""
        check_sqlite_version(version)

    @pytest.mark.parametrize(
        ("theirs", "ours", "code"),
        [
            (apsw.FullError, Unavailable, "disk_full"),
            (apsw.IOError, Unavailable, "disk_error"),
            (apsw.BusyError, Unavailable, "locked"),
            (apsw.LockedError, Unavailable, "locked"),
            (apsw.NoMemError, Unavailable, "memory"),
            (apsw.CantOpenError, Misconfigured, "cannot_open"),
            (apsw.ReadOnlyError, Misconfigured, "read_only"),
            (apsw.PermissionsError, Misconfigured, "read_only"),
            (apsw.TooBigError, TooLarge, "too_large"),
            (apsw.CorruptError, Corrupt, "damaged"),
            (apsw.NotADBError, Corrupt, "damaged"),
        ],
    )
    def test_errors_of_sqlite_become_ours(self, theirs, ours, code):
        """By what to do about them, with the file's name."""
        with pytest.raises(ours, match=r"store\.sqlite") as translated_error, translated("store.sqlite"):
            raise theirs("detail")

        assert translated_error.value.code == code

    def test_a_mistake_of_ours_is_not_hidden(self, path):
        """A wrong statement is no outage."""
        database = Database(path, ("CREATE TABLE x (y)",))

        with pytest.raises(apsw.SQLError):
            database.write(lambda connection: connection.execute("SELECT nonsense"))

        assert database.write(lambda connection: connection.execute("SELECT 1").get) == 1
        database.close()

    def test_a_file_of_an_older_version_is_led_forward(self, path):
        """Only the missing steps run."""
        Database(path, ("CREATE TABLE x (y)",)).close()

        database = Database(path, ("CREATE TABLE x (y)", "ALTER TABLE x ADD COLUMN z"))

        database.write(lambda connection: connection.execute("INSERT INTO x (y, z) VALUES (1, 2)"))
        database.close()
