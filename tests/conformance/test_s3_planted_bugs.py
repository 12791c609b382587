"""Bugs planted in the store on S3: each makes the test that is named beside it fail."""

from contextlib import contextmanager

import pytest

from sightline.adapters.s3 import answers, bucket, cache, client, objects
from sightline.adapters.s3.bucket import Bucket
from sightline.adapters.s3.cache import CachedFiles
from sightline.adapters.s3.objects import S3Objects
from sightline.errors import NotFound
from tests.conformance import test_s3 as on_server
from tests.conformance.buckets import MIB, Place
from tests.unit.adapters import test_s3_cache as in_folder

LARGE = on_server.LARGE
put, read = Bucket.put, Bucket.read


def without_condition(patch):
    """a small object is put whatever is there"""
    patch.setattr(
        Bucket,
        "put",
        lambda self, name, what, blob, stat, *, new: put(self, name, what, blob, stat, new=False),
    )


def copied_over(patch):
    """a large object is copied over what is there"""
    copy = Bucket.copy
    patch.setattr(
        Bucket, "copy", lambda self, source, target, what, *, new: copy(self, source, target, what, new=False)
    )
    patch.setattr(S3Objects, "_is_there", lambda *_: False)
    not_claimed(patch)


def not_claimed(patch):
    """a large object is copied though another writer has claimed the key"""
    patch.setattr(S3Objects, "_claim", lambda *_: None)


def looked_up_first(patch):
    """the key is looked up instead of asking the server for the condition"""
    without_condition(patch)
    before = S3Objects.put_new

    def put_new(self, key, chunks):
        if self._is_there(key):
            raise on_server.Corrupt("other bytes")
        return before(self, key, chunks)

    patch.setattr(S3Objects, "put_new", put_new)


def taken_is_fine(patch):
    """a key that is taken is taken for the same bytes"""
    patch.setattr(S3Objects, "_same", lambda self, key, stat: self._head(key))


def parts_stay(patch):
    """what was on its way is not removed"""
    delete = Bucket.delete
    patch.setattr(
        Bucket, "delete", lambda self, name, what: None if "/parts/" in name else delete(self, name, what)
    )


def ends_early(patch):
    """a source that breaks is a shorter object"""
    rest = objects._Source.rest

    def quiet(self):
        yield from rest(self)
        self.failure = None

    patch.setattr(objects._Source, "rest", quiet)


def no_sum(patch):
    """the hash of a large object is not noted"""
    patch.setattr(
        Bucket,
        "put",
        lambda self, name, what, blob, stat, *, new: (
            None if "/sums/" in name else put(self, name, what, blob, stat, new=new)
        ),
    )


def no_metadata(patch):
    """the hash of a small object is not noted"""
    patch.setattr(
        Bucket, "put", lambda self, name, what, blob, stat, *, new: put(self, name, what, blob, None, new=new)
    )


def any_sum(patch):
    """the sum of an object that is no longer there is believed"""
    noted = S3Objects._noted

    def believing(self, key, found):
        try:
            _, blob = self._bucket.read(self._sum_name(key), "sum", 0, MIB)
        except NotFound:
            return noted(self, key, found)
        note = objects.msgspec.json.decode(blob, type=objects._Sum)
        return objects.Stat(note.size, note.sha256)

    patch.setattr(S3Objects, "_noted", believing)


def any_version(patch):
    """the rest of an object is read whatever it is by then"""
    patch.setattr(
        Bucket, "read", lambda self, name, what, start, stop, etag=None: read(self, name, what, start, stop)
    )


def not_compared(patch):
    """what was read is not compared with the hash"""
    patch.setattr(S3Objects, "_compare", lambda *_: None)


def any_404(patch):
    """an answer 404 without a body is a missing object"""

    def short(self, name, what):
        try:
            with self._answers(what):
                return bucket.Found.of(self._client.get(name, options={"head": True}), self.place)
        except answers.Unnamed:
            raise NotFound(f"no {what}") from None

    patch.setattr(Bucket, "head", short)


def text_of_the_client(patch):
    """the error holds what the client says, and what it was set up with"""

    @contextmanager
    def telling(what, place):
        with answers.answers(what, f"{place} with hidden-one"):
            yield

    patch.setattr(bucket, "answers", telling)


def endpoint_of_the_environment(patch):
    """the library looks for its endpoint in the environment"""
    store = client.S3Store

    def loose(name, **options):
        return store(name, endpoint=options.pop("aws_endpoint_url_s3"), **options)

    patch.setattr(client, "S3Store", loose)


def any_size(patch):
    """a file of the cache is whole because it is there"""
    fstat = cache.os.fstat

    class Loose:
        def __getattr__(self, name):
            return getattr(on_server.os, name)

        def fstat(self, handle):
            return Sized(fstat(handle))

    class Sized:
        def __init__(self, state):
            self.st_ino, self.st_size = state.st_ino, 10

    patch.setattr(cache, "os", Loose())


def under_its_own_name(patch):
    """a file of the cache is written under its own name"""

    def make(self, path, size, chunks, what):
        with path.open("wb") as file:
            file.truncate(size)
            for chunk in chunks():
                file.write(chunk)
                file.flush()

    patch.setattr(CachedFiles, "_make", make)


def no_lock(patch):
    """room is made of files that are open"""

    def removed(self, entry):
        self._disk.remove(entry)
        return True

    patch.setattr(CachedFiles, "_removed", removed)


def oldest_first(patch):
    """what was made first goes, not what was not used for longest"""

    class Still:
        def __getattr__(self, name):
            return getattr(on_server.os, name)

        def utime(self, handle):
            pass

    patch.setattr(cache, "os", Still())


def no_limit(patch):
    """room is not made"""
    patch.setattr(CachedFiles, "_make_room", lambda *_: None)


ON_SERVER = [
    (without_condition, on_server.other_bytes_are_refused, (5,)),
    (copied_over, on_server.other_bytes_are_refused, (LARGE,)),
    (not_claimed, on_server.racing_without_a_condition_on_the_copy, ()),
    (looked_up_first, on_server.writers_race, (5, 10)),
    (taken_is_fine, on_server.other_bytes_are_refused, (5,)),
    (parts_stay, on_server.only_the_object_and_its_sum_stay, ()),
    (ends_early, on_server.broken_upload_leaves_nothing, ()),
    (no_sum, on_server.hash_is_kept, ()),
    (no_metadata, on_server.hash_is_kept, ()),
    (any_sum, on_server.replaced_object_is_hashed_anew, ()),
    (any_version, on_server.replaced_object_is_not_mixed, ()),
    (not_compared, on_server.damage_is_found, (5,)),
    (any_404, on_server.refusal_says_what_to_do, ("bucket",)),
    (text_of_the_client, on_server.refusal_says_what_to_do, ("secret",)),
    (endpoint_of_the_environment, on_server.environment_is_not_asked, ()),
]
IN_FOLDER = [
    (any_size, in_folder.cut_file_is_made_again),
    (under_its_own_name, in_folder.two_writers_make_one_file),
    (no_lock, in_folder.open_files_stay),
    (oldest_first, in_folder.the_unused_go_first),
    (no_limit, in_folder.the_unused_go_first),
]
FOUND = (Exception, pytest.fail.Exception)


@pytest.mark.parametrize(("bug", "test", "args"), ON_SERVER, ids=lambda one: getattr(one, "__name__", ""))
def test_a_bug_on_the_server_is_found(server, tmp_path, bug, test, args):
    """With it the test fails; without it passes, which it does beside this one too."""
    place = Place(server("s3"), tmp_path)
    with pytest.MonkeyPatch.context() as patch:
        bug(patch)
        with pytest.raises(FOUND):
            test(place, *args)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize(("bug", "test"), IN_FOLDER, ids=lambda one: one.__name__)
def test_a_bug_in_the_folder_is_found(tmp_path, bug, test):
    """As above, for the cache."""
    with pytest.MonkeyPatch.context() as patch:
        bug(patch)
        with pytest.raises(FOUND):
            test(in_folder.Source(), tmp_path / "cache")
