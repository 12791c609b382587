"""Sources of a service: looked into and opened by a process that can do nothing else, as the user's own file is."""

import errno
import os
import shutil
from contextlib import nullcontext
from dataclasses import replace

import msgspec
import pytest

from sightline.adapters.files.objects import FolderObjects
from sightline.errors import Corrupt, InvalidVideo, NotFound, Unavailable
from sightline.formats import source_index
from sightline.jobs.requests import SourceRef
from sightline.ports import Stat
from sightline.sources.named import Source
from sightline.sources.probe import open_reader, probe
from sightline.sources.roots import Roots
from sightline.sources.stored import (
    Places,
    StoredReader,
    check_source,
    index_of,
    look_into,
    open_stored,
    probed_of,
    stat_of,
    traits_of,
)
from sightline.testing import scripted_recipe
from sightline.types import ImageSpec
from tests.confining import assert_same_index, everything, needs
from tests.media import video
from tests.unit.scene import images

SPEC = ImageSpec(64, 48)
KEY, INDEX = "videos/input/7.mp4", "sightline/jobs/7/index.bin"


@pytest.fixture(autouse=True)
def _confined():
    needs("rlimits", "seccomp")


@pytest.fixture
def store(tmp_path):
    return FolderObjects(tmp_path / "objects")


@pytest.fixture
def places(tmp_path, store):
    return Places(store, Roots({"files": tmp_path}))


def reference(kind, name="a.mp4", key=KEY, **more):
    return SourceRef(kind=kind, name=name, key=key, index_key=INDEX, **more)


@pytest.fixture(params=["video", "images"])
def upload(request, tmp_path, places):
    """A source of the user's own, and the same as an upload: its key says nothing of its kind."""
    if request.param == "video":
        path = video(tmp_path / "a.mp4", 12)
        own = Source("video", path, "a")
    else:
        (path,) = images(tmp_path / "b", 1).iterdir()
        own = Source("images", path.parent, "b")
    blob = path.read_bytes()
    stat = Stat.of([blob])
    ref = reference(request.param, path.name, bytes=stat.size, sha256=stat.sha256)
    places.objects.put_new(KEY, [blob])
    places.objects.put_new(INDEX, [source_index.encode(look_into(places, ref))])
    return own, ref


@pytest.fixture(params=["video", "images"])
def below(request, tmp_path, places):
    """A source of the user's own, and the same below a root."""
    if request.param == "video":
        path = video(tmp_path / "a.mp4", 12)
    else:
        path = images(tmp_path / "b", 150)  # more than a child has open
    own = Source(request.param, path, path.name)
    ref = reference(request.param, path.name, path.name, root="files")
    places.objects.put_new(INDEX, [source_index.encode(look_into(places, ref))])
    traits = traits_of(places, ref)
    return own, msgspec.structs.replace(ref, bytes=traits.size, times=traits.times)


def recipe_of(ref, preprocess="none"):
    recipe = scripted_recipe("7", 1)
    engine = msgspec.structs.replace(recipe.engine, picture=type(recipe.engine.picture).of(SPEC))
    settings = msgspec.structs.replace(recipe.settings, preprocess=preprocess)
    return msgspec.structs.replace(recipe, engine=engine, settings=settings)


def test_an_upload_has_the_index_of_the_same_file(store, places, upload):
    """But for its name, which is its user's, and of images what their endings say: an upload's is a key."""
    own, ref = upload

    found, expected = probed_of(store, ref, "7", stat_of(places, ref)), probe(own, None)

    index = expected.index
    same = replace(found.index, name=index.name, names=index.names, codec=index.codec)
    assert_same_index(same, index)
    assert found.stat.sha256 == ref.sha256
    assert found.index.name == ref.name


@pytest.mark.parametrize("preprocess", ["none", "blur-contrast"])
def test_an_upload_has_the_pixels_of_the_same_file(places, upload, preprocess):
    """Whatever the pipeline does before."""
    own, ref = upload
    mine = open_reader(own, SPEC, preprocess, None)
    theirs = open_stored(places, ref, recipe_of(ref, preprocess))

    assert everything(theirs, SPEC) == everything(mine, SPEC)
    theirs.close()


def test_a_source_below_a_root_is_read_as_the_command_line_reads_it(store, places, below):
    """Its index, its hash, its pixels."""
    own, ref = below
    found, expected = probed_of(store, ref, own.video_id, stat_of(places, ref)), probe(own, None)
    recipe = recipe_of(ref)
    theirs = open_stored(places, ref, recipe)

    assert_same_index(found.index, expected.index)
    assert found.stat == expected.stat
    assert everything(theirs, SPEC) == everything(open_reader(own, SPEC, "none", None), SPEC)
    theirs.close()


@pytest.mark.parametrize("what", ["changed", "gone"])
def test_a_source_below_a_root_is_the_one_that_was_accepted(places, below, what):
    """Before it is hashed, while it is read, and when all was read."""
    own, ref = below
    recipe = recipe_of(ref)
    path = own.path if own.kind == "video" else min(own.path.iterdir())
    if what == "changed":
        path.write_bytes(path.read_bytes() + b" ")
    elif own.kind == "images":
        shutil.rmtree(own.path)
    else:
        path.unlink()

    for call in (
        lambda: stat_of(places, ref),
        lambda: open_stored(places, ref, recipe),
        lambda: check_source(places, ref, recipe.source.sha256),
    ):
        with pytest.raises(InvalidVideo) as caught:
            call()
        assert caught.value.code == f"source_{what}"


def test_images_are_read_whatever_is_asked_for(places, tmp_path):
    """Some of them, backwards, by a reader that has read others; as many files are open as a child may have."""
    path = images(tmp_path / "b", 150)
    ref = reference("images", "b", "b", root="files")
    places.objects.put_new(INDEX, [source_index.encode(look_into(places, ref))])
    ref = msgspec.structs.replace(ref, times=traits_of(places, ref).times)
    own = everything(open_reader(Source("images", path, "b"), SPEC, "none", None), SPEC)
    theirs = open_stored(places, ref, recipe_of(ref))
    before = len(os.listdir("/proc/self/fd"))

    for rows in (range(149, 0, -7), range(0, 150, 2), range(60, 70)):
        assert everything(theirs, SPEC, rows) == [own[row] for row in sorted(rows)]
    assert len(os.listdir("/proc/self/fd")) - before < 70
    theirs.close()
    assert len(os.listdir("/proc/self/fd")) <= before


def test_broken_images_are_frames_that_failed(places, tmp_path):
    """As in the reader of one's own; the first that can be opened says how large the picture is."""
    path = images(tmp_path / "b", 100)
    for n, file in enumerate(sorted(path.iterdir())):
        if n < 10 or n == 80:
            file.write_bytes(b"no image")
    ref = reference("images", "b", "b", root="files")
    places.objects.put_new(INDEX, [source_index.encode(look_into(places, ref))])
    ref = msgspec.structs.replace(ref, times=traits_of(places, ref).times)
    theirs, own = open_stored(places, ref, recipe_of(ref)), Source("images", path, "b")

    found = everything(theirs, SPEC)

    theirs.close()
    assert found == everything(open_reader(own, SPEC, "none", None), SPEC)
    assert [row for row, outcome, _, _ in found if outcome == "failed"] == [*range(10), 80]


def test_a_folder_that_begins_with_many_broken_images_is_refused(places, tmp_path):
    """Nobody looks through all of it for one that can be read."""
    path = images(tmp_path / "b", 66)
    for file in sorted(path.iterdir())[:65]:
        file.write_bytes(b"no image")

    with pytest.raises(InvalidVideo) as caught:
        look_into(places, reference("images", "b", "b", root="files"))

    assert caught.value.code == "no_frame"
    assert "first 64 images" in caught.value.reason


def test_an_image_that_goes_while_others_are_read_is_the_job_s_end(places, tmp_path):
    """Not an error of this process."""
    path = images(tmp_path / "b", 150)
    ref = reference("images", "b", "b", root="files")
    places.objects.put_new(INDEX, [source_index.encode(look_into(places, ref))])
    ref = msgspec.structs.replace(ref, times=traits_of(places, ref).times)
    theirs = open_stored(places, ref, recipe_of(ref))
    everything(theirs, SPEC, range(4))
    (path / index_of(places.objects, ref).names[140]).unlink()

    with pytest.raises(InvalidVideo) as caught:
        everything(theirs, SPEC)

    theirs.close()
    assert caught.value.code == "source_gone"


class Closed:
    """A reader whose file the system does not let it read."""

    def __init__(self, number):
        self._number = number

    def index(self):
        try:
            raise OSError(self._number, os.strerror(self._number))
        except OSError as error:
            raise Unavailable("cannot be read") from error

    def read(self, *asked):
        yield self.index()

    def close(self):
        """Nothing is open."""


@pytest.mark.parametrize("number", [errno.EACCES, errno.EIO])
def test_a_file_below_a_root_that_cannot_be_read_ends_its_job(tmp_path, number):
    """It would be tried for ever, and everybody would wait; an object that cannot be read is an outage for all."""
    for root, expected in (("files", InvalidVideo), ("", Unavailable)):
        reader = StoredReader(reference("video", root=root), nullcontext(tmp_path), lambda _: Closed(number))
        with pytest.raises(expected) as caught:
            reader.index()
        with pytest.raises(expected):
            list(reader.read(None, [], [], None))
        assert root == "" or caught.value.code == "unreadable"


def test_no_process_to_read_with_is_an_outage_for_all(tmp_path):
    """Whosever file it was to read."""
    reader = StoredReader(
        reference("video", root="files"), nullcontext(tmp_path), lambda _: Closed(errno.EAGAIN)
    )

    with pytest.raises(Unavailable):
        reader.index()


def test_a_source_below_a_root_may_be_touched(places, below):
    """Once its hash is known: its bytes are the same."""
    own, ref = below
    digest = stat_of(places, ref).sha256
    os.utime(own.path if own.kind == "video" else min(own.path.iterdir()), (1, 1))

    check_source(places, ref, digest)
    with pytest.raises(InvalidVideo):
        stat_of(places, ref)


def test_what_is_gone_is_the_job_s_end(store, places, upload):
    """Its source, or its index."""
    _, ref = upload
    store.delete(KEY)
    with pytest.raises(InvalidVideo) as caught:
        open_stored(places, ref, recipe_of(ref))
    assert caught.value.code == "source_gone"

    store.delete(INDEX)
    with pytest.raises(InvalidVideo) as caught:
        index_of(store, ref)
    assert caught.value.code == "source_gone"
    with pytest.raises(NotFound):
        look_into(places, ref)


def test_a_damaged_index_is_said_to_be(store, upload):
    """Half of it is not taken for a shorter video."""
    _, ref = upload
    blob = b"".join(store.read(INDEX))
    store.delete(INDEX)
    store.put_new(INDEX, [blob[:-9]])

    with pytest.raises(Corrupt):
        index_of(store, ref)


def test_what_is_no_video_is_refused(tmp_path, store, places):
    """A text, a picture where a video was meant, nothing."""
    for name, blob in {"t": b"no video" * 99, "e": b""}.items():
        store.put_new(name, [blob])
        with pytest.raises(InvalidVideo):
            look_into(places, reference("video", key=name))
    shutil.rmtree(tmp_path / "objects")
