"""The store on S3 keeps the contract of `ObjectStore` on two real servers, whatever happens to them and to it.

versitygw takes kills well; SeaweedFS is what the cluster's example runs. Neither is Amazon's.
"""

import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import pytest

from sightline.adapters.s3 import objects as s3_objects
from sightline.adapters.s3.bucket import Bucket
from sightline.adapters.s3.settings import S3Keys
from sightline.errors import Corrupt, Misconfigured, NotFound, TooLarge, Unavailable
from sightline.ports import Stat
from tests.conformance.buckets import MIB, Place, blob
from tests.conformance.suite_objects import ObjectStoreSuite
from tests.servers import services

LARGE = 9 * MIB  # goes in parts
TRIALS = 5


@pytest.fixture(params=["s3", "seaweed"])
def place(request, server, tmp_path):
    return Place(server(request.param), tmp_path)


@pytest.fixture
def files(server, tmp_path):
    """A place on the server that keeps objects as files."""
    return Place(server("s3"), tmp_path)


class TestS3(ObjectStoreSuite):
    @pytest.fixture(params=[True, False], ids=["conditions", "order of writes"])
    def objects(self, request, place):
        return Place(place.record, place.folder, conditional=request.param).objects()

    def test_a_large_object_obeys_the_same_rules(self, objects):
        """In parts, as well as at once: what was put is read, again is a no-op, other bytes are refused."""
        stat = Stat.of(blob(LARGE))

        assert objects.put_new("a/k", blob(LARGE)) == stat
        assert objects.put_new("a/k", blob(LARGE)) == stat
        with pytest.raises(Corrupt, match="other bytes"):
            objects.put_new("a/k", blob(LARGE, of=1))
        with pytest.raises(Corrupt, match="other bytes"):
            objects.put_new("a/k", [b"small"])
        assert Stat.of(objects.read("a/k")) == objects.stat("a/k") == stat

    def test_a_large_object_is_not_put_over_a_small_one(self, objects):
        """The key is taken, however that came."""
        objects.put_new("k", [b"small"])

        with pytest.raises(Corrupt):
            objects.put_new("k", blob(LARGE))

        assert b"".join(objects.read("k")) == b"small"


@pytest.mark.parametrize(
    "key",
    [
        "",
        "/a",
        "a/",
        "a//b",
        "../a",
        "a/../b",
        "a/./b",
        "a\0b",
        "a\nb",
        "a\\b",
        "\ud800",
        "k" * 1100,
        ".sightline/x",
    ],
)
def test_a_key_is_checked(place, key):
    """No way out of the prefix, none into what is ours, and nothing that a server would call otherwise."""
    for call in (
        lambda: place.objects().put_new(key, [b"x"]),
        lambda: list(place.objects().read(key)),
        lambda: place.objects().delete(key),
    ):
        with pytest.raises(ValueError, match="key"):
            call()


@pytest.mark.parametrize("key", ["a/ü %41#?&+ x.mp4", "a/%2e%2e/b", '{x}~^`|"<>.bin', "a.b/c=d,e;f@g!$'()*"])
def test_an_odd_key_is_one_key(place, key):
    """It is neither decoded nor cut."""
    place.objects().put_new(key, [b"x"])

    assert place.names() == [key]
    assert b"".join(place.objects().read(key)) == b"x"


def other_bytes_are_refused(place, size):
    """Whoever comes second changes nothing, also from another process."""
    place.objects().put_new("k", blob(size))

    with pytest.raises(Corrupt):
        place.objects().put_new("k", blob(size, of=1))

    assert Stat.of(place.objects().read("k")) == Stat.of(blob(size))


@pytest.mark.parametrize("size", [5, LARGE])
def test_other_bytes_are_refused_by_the_server(place, size):
    other_bytes_are_refused(place, size)


def writers_race(place, size, rounds):
    """Of eight writers of two contents one content wins; who wrote it hears so, the others hear Corrupt.

    A busy server may send a writer away for now: it comes again, as whoever uses the store does.
    """
    for number in range(rounds):
        key, gate, heard = f"race/{number}", threading.Barrier(8), {}

        def write(me, key=key, gate=gate, heard=heard):
            objects = place.objects()
            gate.wait()
            for _ in range(TRIALS):
                try:
                    heard[me] = objects.put_new(key, blob(size, of=me % 2))
                except Corrupt:
                    heard[me] = None
                except Unavailable as error:
                    heard[me] = str(error)
                    continue
                return

        threads = [threading.Thread(target=write, args=(me,)) for me in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        held = Stat.of(place.objects().read(key))
        assert held in (Stat.of(blob(size)), Stat.of(blob(size, of=1)))
        assert Counter(heard.values()) == {held: 4, None: 4}
        assert all(heard[me] in (None, Stat.of(blob(size, of=me % 2))) for me in heard)
        assert place.objects().stat(key) == held


@pytest.mark.parametrize(("size", "rounds"), [(5, 10), (LARGE, 2)])
def test_one_of_eight_writers_wins(place, size, rounds):
    writers_race(place, size, rounds)


def racing_without_a_condition_on_the_copy(place):
    """As on SeaweedFS 4.48, where in 4 of 12 races two or three uploads ended under one key."""
    copy = Bucket.copy
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Bucket, "copy", lambda self, a, b, what, *, new: copy(self, a, b, what, new=False))
        writers_race(place, LARGE, 2)


def test_a_server_that_lets_two_uploads_end_at_once_changes_nothing(files):
    racing_without_a_condition_on_the_copy(files)


def test_a_put_that_ends_before_its_copy_goes_on_with_the_same_bytes(place, monkeypatch):
    """Other bytes are refused until it is deleted: its writer may still be there."""

    def dies(*_, **__):
        raise Unavailable("gone")

    with monkeypatch.context() as patch:
        patch.setattr(Bucket, "copy", dies)
        with pytest.raises(Unavailable):
            place.objects().put_new("k", blob(LARGE))
    with pytest.raises(NotFound):
        place.objects().stat("k")
    with pytest.raises(Corrupt, match="delete it"):
        place.objects().put_new("k", blob(LARGE, of=1))

    assert place.objects().put_new("k", blob(LARGE)) == Stat.of(blob(LARGE))
    place.objects().delete("k")
    assert place.objects().put_new("k", blob(LARGE, of=1)) == Stat.of(blob(LARGE, of=1))


def hash_is_kept(place):
    """Another process knows size and hash without reading the object."""
    for key, size in (("small", 5), ("large", LARGE)):
        stat = place.objects().put_new(key, blob(size))
        other = place.objects()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(other, "_bytes", lambda *_: pytest.fail("it was read"))
            assert other.stat(key) == stat


def test_size_and_hash_are_kept(place):
    hash_is_kept(place)


def test_what_somebody_else_put_is_hashed_once(place):
    """Their metadata do not say it."""
    place.client().put("k", b"theirs")
    objects = place.objects()

    first = objects.stat("k")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(objects, "_read_hash", lambda *_: pytest.fail("it was read again"))
        assert objects.stat("k") == first == Stat.of([b"theirs"])
    assert objects.put_new("k", [b"theirs"]) == first
    with pytest.raises(Corrupt):
        objects.put_new("k", [b"ours"])


def replaced_object_is_hashed_anew(place):
    """What was noted beside an object is not said of another that somebody put in its place."""
    place.objects().put_new("k", blob(LARGE))
    place.client().put("k", b"".join(blob(LARGE, of=1)), use_multipart=False)

    assert place.objects().stat("k") == Stat.of(blob(LARGE, of=1))


def test_an_object_that_somebody_replaced_is_hashed_anew(place):
    replaced_object_is_hashed_anew(place)


def replaced_object_is_not_mixed(place):
    """Who reads one object never gets the end of another."""
    place.objects().put_new("k", blob(LARGE))
    chunks = place.objects().read("k")
    next(chunks)
    place.client().put("k", b"".join(blob(LARGE, of=1)), use_multipart=False)

    with pytest.raises(Corrupt, match="replaced"):
        list(chunks)


def test_an_object_that_is_replaced_while_it_is_read_is_not_mixed(place):
    replaced_object_is_not_mixed(place)


def test_a_range_of_a_large_object(place):
    """Over several requests, from any byte to any byte."""
    whole = b"".join(blob(LARGE))
    place.objects().put_new("k", blob(LARGE))

    for start, length in [
        (0, 1),
        (4 * MIB - 1, 2),
        (MIB + 7, 5 * MIB + 1),
        (8 * MIB, None),
        (LARGE, None),
        (LARGE - 1, 10),
    ]:
        end = None if length is None else start + length
        assert b"".join(place.objects().read("k", start, length)) == whole[start:end]
    with pytest.raises(ValueError, match="range"):
        list(place.objects().read("k", -1))


# --- broken and damaged ---


def broken_upload_leaves_nothing(place):
    """Nothing visible and nothing half at the server; the caller's error rises as it was."""

    class Gone(Exception):
        pass

    def broken():
        yield from blob(30 * MIB)
        raise Gone

    before = place.pending()
    with pytest.raises(Gone):
        place.objects().put_new("k", broken())

    assert place.names() == []
    assert place.pending() == before


def test_a_broken_upload_leaves_nothing(place):
    broken_upload_leaves_nothing(place)


def only_the_object_and_its_sum_stay(place):
    """What was on its way is gone, whether it was the first, the same or another one."""
    place.objects().put_new("k", blob(LARGE))
    place.objects().put_new("k", blob(LARGE))
    with pytest.raises(Corrupt):
        place.objects().put_new("k", blob(LARGE, of=1))
    assert place.names() == [".sightline/sums/k", "k"]

    place.objects().delete("k")
    assert place.names() == []


def test_only_the_object_and_its_sum_stay(place):
    only_the_object_and_its_sum_stay(place)


def test_an_object_that_is_too_large_is_refused_and_leaves_nothing(place, monkeypatch):
    """A server copies 5 GiB at once and no more."""
    monkeypatch.setattr(s3_objects, "_MOST", 12 * MIB)

    with pytest.raises(TooLarge, match="5 GiB"):
        place.objects().put_new("k", blob(20 * MIB))

    assert place.names() == []


def damage_is_found(files, size):
    """One byte that turned over on the server's disk is neither read nor cached as good."""
    files.objects().put_new("k", blob(size))
    with files.file("k").open("r+b") as file:
        file.seek(size - 1)
        file.write(b"\xff")

    with pytest.raises(Corrupt, match="damaged"):
        list(files.objects().read("k"))
    with pytest.raises(Corrupt, match="damaged"), files.objects().open_local("k"):
        pass
    assert [entry.name for entry in (files.folder / "cache").iterdir()] == [".lock"]


@pytest.mark.parametrize("size", [5, LARGE])
def test_damage_is_found(files, size):
    damage_is_found(files, size)


# --- refused and unreachable ---


WRONG = {
    "bucket": ({"bucket": "nobody-made-it"}, "NoSuchBucket", "make the bucket"),
    "secret": ({"keys": S3Keys("sightline", "hidden-one")}, "SignatureDoesNotMatch", "AWS_SECRET_ACCESS_KEY"),
    "user": (
        {"keys": S3Keys("nobody", "hidden-one")},
        "InvalidAccessKeyId|XAdminUserNotFound",
        "AWS_ACCESS_KEY_ID",
    ),
}


def refusal_says_what_to_do(place, wrong):
    """For every call; a key that is missing is something else. No text holds a secret."""
    changes, code, hint = WRONG[wrong]
    place.objects().put_new("there", [b"x"])
    objects = place.objects(**changes)
    calls = {
        "put": lambda: objects.put_new("k", [b"x"]),
        "put large": lambda: objects.put_new("k", blob(LARGE)),
        "read": lambda: list(objects.read("there")),
        "stat": lambda: objects.stat("there"),
        "open": lambda: objects.open_local("there").__enter__(),
        "check": objects.check,
    }
    for name, call in calls.items():
        with pytest.raises(Misconfigured, match=code) as refused:
            call()
        assert hint in str(refused.value), name
        shown = [
            str(refused.value),
            repr(refused.value),
            repr(refused.value.__cause__),
            repr(objects._bucket),
        ]
        assert "hidden-one" not in "".join([*shown, *refused.value.__notes__])


@pytest.mark.parametrize("wrong", WRONG)
def test_a_refusal_says_what_to_do(place, wrong):
    refusal_says_what_to_do(place, wrong)


def test_another_region_is_named(files):
    """Where the server cares."""
    with pytest.raises(Misconfigured, match="region"):
        files.objects(region="eu-west-1").stat("k")


def environment_is_not_asked(place):
    """The library would take its server and its keys from there."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ENDPOINT", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"):
            patch.setenv(name, "http://127.0.0.1:1")
        for name in (
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_SESSION_TOKEN",
            "AWS_BUCKET",
            "AWS_REGION",
        ):
            patch.setenv(name, "other")
        patch.setenv("AWS_SKIP_SIGNATURE", "true")
        assert place.objects().put_new("k", [b"x"]).size == 1


def test_the_environment_is_not_asked(place):
    environment_is_not_asked(place)


def test_a_server_that_keeps_conditions_passes_the_check(place):
    """And nothing of the trial stays."""
    place.objects().check()

    assert place.names() == []


@pytest.mark.parametrize("method", ["put", "copy"])
def test_a_check_that_met_another_one_is_made_again(place, monkeypatch, method):
    """Workers start at the same time, and each removes the folder that the other one's trial needs."""
    plain, left = getattr(Bucket, method), [2]

    def met(self, *args, **named):
        if left[0]:
            left[0] -= 1
            raise Unavailable("409 ExistingObjectIsDirectory")
        return plain(self, *args, **named)

    monkeypatch.setattr(Bucket, method, met)

    place.objects().check()

    assert (left, place.names()) == ([0], [])


def test_a_server_that_is_down_is_unavailable(tmp_path):
    """For every call, within seconds."""
    record = {
        "bucket": "sightline",
        "access_key": "a",
        "secret_key": "b",
        "region": "r",
        "endpoint": "http://127.0.0.1:9",
    }
    objects = Place(record, tmp_path).objects()

    for call in (
        lambda: objects.put_new("k", [b"x"]),
        lambda: objects.put_new("k", blob(LARGE)),
        lambda: list(objects.read("k")),
        lambda: objects.stat("k"),
        lambda: objects.delete("k"),
    ):
        with pytest.raises(Unavailable, match=r"127\.0\.0\.1:9"):
            call()


# --- killed ---


@pytest.fixture
def own(server):
    """A server of its own, which a test may kill: `own()` starts it, again too."""
    server("s3")  # skips where it cannot be
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="servers-")))
        stack.callback(services.stop, "s3", folder, kill=True)
        start = lambda: services.start("s3", folder)  # noqa: E731
        start.kill = lambda: services.stop("s3", folder, kill=True)
        yield start


@pytest.mark.parametrize("size", [30 * MIB, 5])
def test_a_put_goes_on_after_the_server_was_killed(own, tmp_path, size):
    """In the middle: nothing is visible; put again, with new chunks, it is there."""
    place = Place(own(), tmp_path)

    def killing():
        for number, chunk in enumerate(blob(size)):
            if number == size // MIB // 2:
                own.kill()
            yield chunk

    with pytest.raises(Unavailable):
        place.objects().put_new("k", killing())
    own()

    assert place.names() == []
    with pytest.raises(NotFound):
        place.objects().stat("k")
    assert place.objects().put_new("k", blob(size)) == Stat.of(blob(size))
    assert Stat.of(place.objects().read("k")) == Stat.of(blob(size))


def test_a_read_goes_on_after_the_server_was_killed(own, tmp_path):
    """In the middle: an error, never an early end; a copy that was half made is not taken for whole."""
    place = Place(own(), tmp_path)
    stat = place.objects().put_new("k", blob(LARGE))

    chunks = place.objects().read("k")
    next(chunks)
    own.kill()
    with pytest.raises(Unavailable):
        list(chunks)
    own()
    objects, bytes_of = place.objects(), s3_objects.S3Objects._bytes

    def killing(*args):
        for number, chunk in enumerate(bytes_of(objects, *args)):
            if number == 2:
                own.kill()
            yield chunk

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(objects, "_bytes", killing)
        with pytest.raises(Unavailable), objects.open_local("k"):
            pass
    own()

    assert Stat.of(place.objects().read("k")) == stat
    with objects.open_local("k") as path:
        assert Stat.of([path.read_bytes()]) == stat


def test_a_server_that_hangs_is_unavailable(own, tmp_path):
    """A request takes no longer than it may."""
    record = own()
    objects = Place(record, tmp_path).objects(timeout=1.0)
    os.kill(record["pid"], signal.SIGSTOP)
    try:
        with pytest.raises(Unavailable, match="no answer"):
            objects.put_new("k", [b"x"])
    finally:
        os.kill(record["pid"], signal.SIGCONT)

    assert objects.put_new("k", [b"x"]).size == 1


# --- opened as files ---


def test_a_file_is_fetched_once(place):
    """The second time it is there, whole, also for another process."""
    stat = place.objects().put_new("k", blob(LARGE))
    with place.objects().open_local("k") as path:
        assert Stat.of([path.read_bytes()]) == stat
    again = place.objects()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(again, "_bytes", lambda *_: pytest.fail("it was fetched again"))
        with again.open_local("k") as path:
            assert Stat.of([path.read_bytes()]) == stat


def test_a_file_of_an_object_that_was_removed_and_put_anew_is_fetched_anew(place):
    """The key alone does not name the bytes."""
    for of in (0, 1):
        place.objects().put_new("k", blob(LARGE, of=of))
        with place.objects().open_local("k") as path:
            assert Stat.of([path.read_bytes()]) == Stat.of(blob(LARGE, of=of))
        place.objects().delete("k")


MEASURED = """
import json, resource, sys
from pathlib import Path
from tests.conformance.buckets import MIB, Place, blob

size = int(sys.argv[2]) * MIB
objects = Place(json.loads(sys.argv[1]), Path(sys.argv[3])).objects(limit=2 * size)
objects.put_new("first", blob(9 * MIB))
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
before = peak()
stat = objects.put_new("k", blob(size))
put = peak()
for chunk in objects.read("k"):
    pass
with objects.open_local("k") as path:
    assert path.stat().st_size == size
print(json.dumps([put - before, peak() - before, stat.sha256]))
"""


def test_memory_does_not_grow_with_size(place, tmp_path):
    """200 MB are put, read and opened in a process that grows by less than a sixth of that."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, json.dumps(place.record), "200", str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    put, all_of_it, sha256 = json.loads(done.stdout)
    print(f"a process grows by {put} MiB while 200 MiB are put, by {all_of_it} MiB in all")

    assert all_of_it < 32
    assert sha256 == hashlib.sha256(b"".join(blob(200 * MIB))).hexdigest()
