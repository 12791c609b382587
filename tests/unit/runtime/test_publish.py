"""The publisher: verified objects first, the pointer last, and twice is as good as once."""

import hashlib

import pytest

from sightline.errors import Corrupt, Unavailable
from sightline.events import End, Native, Totals
from sightline.ports import Outgoing, Which
from sightline.runtime.publish import Publisher, Refused, Rendered, read_segments, verified_put
from sightline.runtime.worker import FoldWorker
from sightline.stages.collect import Collect, segment_keys
from sightline.testing import AtCall, Faults, MemoryObjects, MemoryStore, Recorded, begun_job, scripted_recipe

FRAMES = 130
STREAM = "totals:cars"


def job(job_id: str = "j"):
    prefix, topics = f"jobs/{job_id}/", {STREAM: "totals"}
    return begun_job(scripted_recipe(job_id, FRAMES, prefix=prefix, topics=topics, streams=(STREAM,)))


def collected(job_id: str = "j", store=None, objects=None):
    """A store with a job whose one stream is collected, ready to be published."""
    store, objects = store or MemoryStore(), objects or MemoryObjects()
    store.create(job(job_id), [])
    frames = [Totals(job_id, STREAM, seq, seq, seq, "ok", "", seq) for seq in range(FRAMES)]
    records = [*frames, End(job_id, STREAM, FRAMES)]
    store.append([Outgoing("totals", 0, job_id, Native().encode(record)) for record in records])
    worker = FoldWorker(
        "collect",
        "totals",
        0,
        lambda recipe, stream: Collect(recipe.route.prefix),
        log=store,
        ledger=store,
        jobs=store,
        objects=objects,
    )
    while worker.step():
        pass
    return store, objects


def render(recipe, streams) -> Rendered:
    """One file, and a list of all of them."""
    total = sum(map(len, dict(streams)[STREAM]))
    files = [("sum.txt", (b"%d" % total,))]
    return Rendered(files, "run.json", lambda stored: "".join(_lines(stored)).encode())


def _lines(stored):
    return [f"{path} {stat.size} {stat.sha256}\n" for path, stat in stored.items()]


def publisher(store, objects, made=render, *, jobs=None) -> Publisher:
    return Publisher(jobs or store, store, objects, made)


def down() -> None:
    raise Unavailable("the store does not answer")


def test_a_job_whose_streams_are_complete_is_published_once():
    """Its row points to the manifest, which lists every other file by its path below the job's prefix."""
    store, objects = collected()
    publish = publisher(store, objects)

    assert (publish.step(), publish.step()) == (1, 0)

    job = store.get("j")
    manifest = b"".join(objects.read("jobs/j/run.json"))
    assert job.state == "ready"
    assert job.result == {"key": "jobs/j/run.json", "bytes": len(manifest), "sha256": sha256(manifest)}
    listed = dict(line.split(maxsplit=1) for line in manifest.decode().splitlines())
    assert list(listed) == sorted([*segment_keys("", STREAM, FRAMES), "sum.txt"])
    for path, stat in listed.items():
        blob = b"".join(objects.read(f"jobs/j/{path}"))
        assert stat == f"{len(blob)} {sha256(blob)}"


def test_the_pointer_of_ten_hours_is_small():
    """However many files there are, the row does not grow with them."""
    store, objects = collected()
    files = [(f"{number:06}.txt", (b"x",)) for number in range(3000)]

    publisher(
        store, objects, lambda recipe, streams: Rendered(files, "run.json", lambda stored: b"{}")
    ).step()

    assert len(str(store.get("j").result)) < 4000


def test_two_jobs_in_one_store_do_not_meet():
    """All keys of a job lie below its prefix, those of rendered files too."""
    store, objects = MemoryStore(), MemoryObjects()
    for name in ("j", "k"):
        collected(name, store, objects)

    publisher(store, objects).step()

    assert {store.get(name).state for name in ("j", "k")} == {"ready"}
    assert {key.split("/")[1] for key in objects.contents()} == {"j", "k"}


def sha256(blob: bytes) -> str:
    return hashlib.sha256(blob).hexdigest()


def test_a_job_that_is_not_complete_is_left_alone():
    """Nothing is published of a stream whose end was not released."""
    store, objects = MemoryStore(), MemoryObjects()
    store.create(job(), [])

    assert publisher(store, objects).step() == 0
    assert store.get("j").state == "processing"


def test_a_job_that_cannot_be_rendered_has_failed_with_code_and_reason():
    """No object is written for it."""
    store, objects = collected()
    recorded = Recorded(objects)

    publisher(
        store, recorded, lambda recipe, streams: Refused("no_frame", "no frame could be decoded")
    ).step()

    job = store.get("j")
    assert (job.state, job.code, job.reason) == ("failed", "no_frame", "no frame could be decoded")
    assert "put_new" not in {method for method, _ in recorded.calls}


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(("method", "at"), [("put_new", 1), ("put_new", 2), ("read", 3), ("advance", 1)])
def test_a_crash_at_any_step_is_mended_by_doing_it_again(method, at, when):
    """The same objects and the same pointer, as if nothing had happened."""
    undisturbed, objects_there = collected()
    publisher(undisturbed, objects_there).step()
    store, objects = collected()
    fault = AtCall(method, when, at, down)

    with pytest.raises(Unavailable):
        publisher(store, Faults(objects, fault), jobs=Faults(store, fault)).step()
    publisher(store, objects).step()

    assert store.get("j") == undisturbed.get("j")
    assert objects.contents() == objects_there.contents()


def test_the_pointer_does_not_flip_before_every_object_was_read_back():
    """`advance` is the last call."""
    store, objects = collected()
    calls = []

    def note(name: str, when: str) -> None:
        if when == "before":
            calls.append(name)

    publisher(store, Faults(objects, note), jobs=Faults(store, note)).step()

    assert calls[-1] == "advance"
    assert calls.count("advance") == 1
    assert [name for name in calls if name in ("put_new", "read")][-4:] == ["put_new", "read"] * 2


class Stale:
    """Jobs as they were before another publisher came."""

    def __init__(self, store) -> None:
        self._listed, self.advance = store.list(Which(states=("predictable",))), store.advance

    def list(self, which, after=""):
        return self._listed


def test_two_publishers_write_equal_bytes():
    """The slower one puts the same objects again and changes nothing."""
    store, objects = collected()
    slow = publisher(store, objects, jobs=Stale(store))

    publisher(store, objects).step()
    job, blobs = store.get("j"), objects.contents()

    assert slow.step() == 0
    assert store.get("j") == job
    assert objects.contents() == blobs


class Rotten(MemoryObjects):
    """Gives back other bytes than it got."""

    def read(self, key, start=0, length=None):
        for chunk in super().read(key, start, length):
            yield chunk[:-1] + b"?"


def test_an_object_that_is_not_what_was_put_stops_loudly():
    """A disk that lies does not make a result."""
    with pytest.raises(Corrupt, match="a/b"):
        verified_put(Rotten(), "a/b", [b"one", b"two"])


def test_putting_gives_size_and_hash_of_all_chunks():
    """The empty object too."""
    objects = MemoryObjects()

    stat = verified_put(objects, "a", [b"one", b"two"])

    assert (stat.size, stat.sha256) == (6, hashlib.sha256(b"onetwo").hexdigest())
    assert verified_put(objects, "b", []).size == 0


def test_segments_of_each_stream_come_in_order():
    """By the number of frames alone."""
    _, objects = collected()

    stored = {}
    ((stream, blobs),) = read_segments(objects, "jobs/j/", {STREAM: FRAMES}, stored)

    expected = [b"".join(objects.read(key)) for key in segment_keys("jobs/j/", STREAM, FRAMES)]
    assert (stream, blobs) == (STREAM, expected)
    assert len(expected) == 2
    assert [stat.size for stat in stored.values()] == [len(blob) for blob in expected]


def test_a_file_is_found_elsewhere_too_before_the_job_is_ready():
    """Old clients watch a key of their own: what lies there belongs to a job that is, or is about to be, ready."""
    store, objects = collected()
    seen = []

    def made(recipe, streams):
        rendered = render(recipe, streams)
        return Rendered(rendered.files, "run.json", rendered.manifest, {"sum.txt": "videos/sum/j.txt"})

    class Watched(MemoryObjects):
        def put_new(self, key, chunks):
            seen.append((key, store.get("j").state))
            return objects.put_new(key, chunks)

        def read(self, *args):
            return objects.read(*args)

    assert publisher(store, Watched(), made).step() == 1
    assert objects.contents()["videos/sum/j.txt"] == objects.contents()["jobs/j/sum.txt"]
    assert ("videos/sum/j.txt", "predictable") in seen
    assert b"videos/sum" not in objects.contents()["jobs/j/run.json"]
