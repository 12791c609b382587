"""Uploads in the object store: looked into and opened by a process that can do nothing else, as the user's own file is."""

import shutil
from dataclasses import replace

import msgspec
import pytest

from sightline.adapters.files.objects import FolderObjects
from sightline.errors import Corrupt, InvalidVideo, NotFound
from sightline.formats import source_index
from sightline.jobs.requests import SourceRef
from sightline.ports import Stat
from sightline.sources.named import Source
from sightline.sources.probe import open_reader, probe
from sightline.sources.stored import index_of, look_into, open_stored, probed_of
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


@pytest.fixture(params=["video", "images"])
def upload(request, tmp_path, store):
    """A source of the user's own, and the same as an upload: its key says nothing of its kind."""
    if request.param == "video":
        path = video(tmp_path / "a.mp4", 12)
        own = Source("video", path, "a")
    else:
        (path,) = images(tmp_path / "b", 1).iterdir()
        own = Source("images", path.parent, "b")
    blob = path.read_bytes()
    store.put_new(KEY, [blob])
    index = look_into(store, KEY, path.name, request.param)
    store.put_new(INDEX, [source_index.encode(index)])
    stat = Stat.of([blob])
    ref = SourceRef(
        kind=request.param, name=path.name, key=KEY, index_key=INDEX, bytes=stat.size, sha256=stat.sha256
    )
    return own, ref


def recipe_of(ref, preprocess="none"):
    recipe = scripted_recipe("7", 1)
    engine = msgspec.structs.replace(recipe.engine, picture=type(recipe.engine.picture).of(SPEC))
    settings = msgspec.structs.replace(recipe.settings, preprocess=preprocess)
    return msgspec.structs.replace(recipe, engine=engine, settings=settings)


def test_an_upload_has_the_index_of_the_same_file(store, upload):
    """But for its name, which is its user's, and of images what their endings say: an upload's is a key."""
    own, ref = upload

    found, expected = probed_of(store, ref, "7"), probe(own, None)

    index = expected.index
    same = replace(found.index, name=index.name, names=index.names, codec=index.codec)
    assert_same_index(same, index)
    assert found.stat.sha256 == ref.sha256
    assert found.index.name == ref.name


@pytest.mark.parametrize("preprocess", ["none", "blur-contrast"])
def test_an_upload_has_the_pixels_of_the_same_file(store, upload, preprocess):
    """Whatever the pipeline does before."""
    own, ref = upload
    mine = open_reader(own, SPEC, preprocess, None)
    theirs = open_stored(store, ref, recipe_of(ref, preprocess))

    assert everything(theirs, SPEC) == everything(mine, SPEC)
    theirs.close()


def test_what_is_gone_is_the_job_s_end(store, upload):
    """Its source, or its index."""
    _, ref = upload
    store.delete(KEY)
    with pytest.raises(InvalidVideo) as caught:
        open_stored(store, ref, recipe_of(ref))
    assert caught.value.code == "source_gone"

    store.delete(INDEX)
    with pytest.raises(InvalidVideo) as caught:
        index_of(store, ref)
    assert caught.value.code == "source_gone"
    with pytest.raises(NotFound):
        look_into(store, KEY, "a.mp4", "video")


def test_a_damaged_index_is_said_to_be(store, upload):
    """Half of it is not taken for a shorter video."""
    _, ref = upload
    blob = b"".join(store.read(INDEX))
    store.delete(INDEX)
    store.put_new(INDEX, [blob[:-9]])

    with pytest.raises(Corrupt):
        index_of(store, ref)


def test_what_is_no_video_is_refused(tmp_path, store):
    """A text, a picture where a video was meant, nothing."""
    for name, blob in {"t": b"no video" * 99, "e": b""}.items():
        store.put_new(name, [blob])
        with pytest.raises(InvalidVideo):
            look_into(store, name, "a.mp4", "video")
    shutil.rmtree(tmp_path / "objects")
