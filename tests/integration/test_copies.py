"""Copies that every browser plays: every frame has the time that the index has, whatever the source is."""

import os
import time
from contextlib import contextmanager

import av
import numpy as np
import pytest
from msgspec.structs import replace
from PIL import Image

from sightline.errors import NotFound
from sightline.formats import source_index
from sightline.jobs import requests
from sightline.jobs.copies import copy_key, copy_of
from sightline.jobs.purge import purge
from sightline.jobs.requests import FILES, SourceRef, index_key
from sightline.ports import Job
from sightline.rendering import copy
from sightline.serving.copies import Copies
from sightline.sources.roots import Roots
from sightline.sources.stored import Places, index_of, look_into, traits_of
from tests import media, numbered
from tests.stored_job import opened

FRAMES = 60
REMUXED = {
    "cfr",
    "mov",
    "ntsc",
    "vfr",
    "late",
    "fragmented",
    "empty_moov",
    "bframes",
    "avi_h264",
    "mkv",
    "ts",
}
JOB = "00000000-0000-4000-8000-00000000000c"


@pytest.fixture
def stored(tmp_path):
    stored = opened(tmp_path)
    yield stored
    stored.store.close()


@pytest.fixture
def copies(stored, tmp_path):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    made = Copies(stored.store, stored.store.notes, stored.places, scratch)
    yield made
    made.close()


def shown(copies, job_id=JOB):
    """What is said of a copy."""
    return copies._shown(job_id)


def wait(copies, job_id=JOB):
    """How making a copy ends."""
    copies.make(job_id)
    end = time.monotonic() + 60
    while (said := shown(copies, job_id)) is not None and said["state"] == "making":
        assert time.monotonic() < end, said
        time.sleep(0.02)
    return said


def read_back(path):
    """Time and number of every frame of a copy, and the times of those that a decoder can begin at."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        base = stream.time_base
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        keys = [round(p.pts * base * 1_000_000) for p in container.demux(stream) if p.is_keyframe and p.size]
        container.seek(0, stream=stream)
        shown = [
            (frame.pts * base * 1_000_000, numbered.read(frame.to_ndarray(format="rgb24")))
            for frame in container.decode(stream)
        ]
    return shown, keys


def copied(stored, copies, path):
    """The copy of a file, and its index."""
    source = requests.decode(stored.add(JOB, path).request).source
    said = wait(copies)
    assert said["state"] == "ready", said
    with stored.objects.open_local(copy_key(JOB)) as made:
        return read_back(made), index_of(stored.objects, source), said


@pytest.mark.parametrize("kind", numbered.KINDS)
def test_every_frame_is_shown_at_its_time(stored, copies, tmp_path, kind):
    """From 0, to the microsecond, in order; where pictures are encoded a key frame is within a second of wherever one seeks."""
    path = numbered.numbered(tmp_path / kind, kind, FRAMES)
    (frames, keys), index, said = copied(stored, copies, path)

    assert said["how"] == ("remux" if kind in REMUXED else "encode")
    assert frames == list(zip(index.pts_us.tolist(), range(FRAMES), strict=True))
    assert keys[0] == 0
    if said["how"] == "encode":
        assert max(np.diff([*keys, int(index.pts_us[-1])])) <= 1_000_000


def test_frames_that_cannot_be_decoded_have_no_place(stored, copies, tmp_path):
    """Nothing is invented: of a file that was cut off those that are there keep their times."""
    path = media.truncate(
        media.video(tmp_path / "v.mp4", FRAMES, mux_options={"movflags": "+faststart"}), 0.6
    )
    (frames, _), index, _ = copied(stored, copies, path)

    assert 0 < len(index.failed) < FRAMES == len(index)
    assert [at for at, _ in frames] == [
        at for row, at in enumerate(index.pts_us.tolist()) if row not in index.failed
    ]


def test_images_below_a_root_become_a_video(stored, tmp_path):
    """At the times that their index has; sides that are odd become even."""
    folder = tmp_path / "files" / "uav1"
    folder.mkdir(parents=True)
    for number in range(20):
        image = numbered.picture(number, 321, 181)
        Image.fromarray(image).save(folder / f"{number:07}.png")
    places = Places(stored.objects, Roots({FILES: folder.parent}))
    source = SourceRef(kind="images", name="uav1", key="uav1", index_key=index_key(JOB), root=FILES)
    index = look_into(places, source)
    stored.objects.put_new(source.index_key, [source_index.encode(index)])
    out = tmp_path / "copy.mp4"
    told = []
    source = replace(source, times=traits_of(places, source).times)
    assert copy.copy(places, source, out, lambda *done: told.append(done)) == "encode"
    frames, _ = read_back(out)

    assert frames == list(zip(index.pts_us.tolist(), range(20), strict=True))
    assert told == [(row, 20, "encode") for row in range(20)]


def test_a_copy_is_made_once_and_goes_with_its_job(stored, copies, tmp_path):
    """Asked for again it is the one that is there."""
    job = stored.add(JOB, numbered.numbered(tmp_path / "v", "avi", 10))
    assert shown(copies) is None
    first = wait(copies)
    kept = copy_of(stored.store.notes, JOB)
    assert kept is not None
    again = wait(copies)

    assert first == again == {"state": "ready", "how": first["how"], "bytes": kept.bytes}
    assert stored.objects.stat(copy_key(JOB)).sha256 == kept.sha256
    purge(job.job_id, stored.store, stored.objects, stored.store.notes, 0)
    assert copy_of(stored.store.notes, JOB) is None
    with pytest.raises(NotFound):
        stored.objects.stat(copy_key(JOB))
    with pytest.raises(NotFound):
        copies.make(JOB)


def test_a_copy_that_fails_says_why_and_is_begun_again_when_asked(stored, copies, tmp_path):
    """A source that is back is copied."""
    job = stored.add(JOB, numbered.numbered(tmp_path / "v", "avi", 10))
    source = requests.decode(job.request).source
    with stored.objects.open_local(source.key) as path:
        os.rename(path, tmp_path / "away")
        failed = wait(copies)
        os.rename(tmp_path / "away", path)

    assert (failed["state"], failed["detail"]) == ("failed", "its source was removed")
    assert wait(copies)["state"] == "ready"


def test_what_another_release_stored_and_did_not_note_is_made_anew(stored, copies, tmp_path):
    """It was killed between the two; its bytes may be others."""
    stored.add(JOB, numbered.numbered(tmp_path / "v", "avi", 10))
    stored.objects.put_new(copy_key(JOB), [b"old"])

    assert shown(copies) is None
    assert wait(copies)["state"] == "ready"
    assert stored.objects.stat(copy_key(JOB)).size > 3


def test_a_job_that_is_removed_leaves_no_copy(stored, copies, tmp_path, monkeypatch):
    """Also where it is removed while its copy is being made, at whatever step."""
    stored.add(JOB, numbered.numbered(tmp_path / "v", "avi", 10))
    keep, said = copy_of.__globals__["keep"], []

    def removed_first(*arguments):
        purge(JOB, stored.store, stored.objects, stored.store.notes, 0)
        keep(*arguments)
        said.append(shown(copies)["state"])

    monkeypatch.setattr("sightline.jobs.copies.keep", removed_first)
    assert wait(copies) is None

    assert said == ["making"]
    with pytest.raises(NotFound):
        stored.objects.stat(copy_key(JOB))
    assert copy_of(stored.store.notes, JOB) is None


def test_too_many_that_wait_are_refused(stored, copies, monkeypatch):
    """Each is an hour of work."""
    monkeypatch.setattr("sightline.serving.copies.QUEUE", 0)
    stored.store.create(Job(JOB, "v", 0, "sent"), [])

    with pytest.raises(Exception, match="too many copies"):
        copies.make(JOB)


@pytest.mark.parametrize("pix_fmt", ["yuv422p", "yuv444p"])
def test_h264_that_no_browser_plays_is_encoded_anew(stored, copies, tmp_path, pix_fmt):
    """Its packets are sound, its colours are not those of a player."""
    (frames, _), index, said = copied(
        stored, copies, media.video(tmp_path / "v.mp4", 20, pix_fmt=pix_fmt, size=(320, 192))
    )

    assert said["how"] == "encode"
    assert [at for at, _ in frames] == index.pts_us.tolist()


def test_packets_that_do_not_read_back_as_they_should_are_not_taken(stored, copies, tmp_path, monkeypatch):
    """Pictures are encoded instead."""
    monkeypatch.setattr(copy, "_reads_back", lambda path, index: False)
    path = numbered.numbered(tmp_path / "v", "ts", 10)
    (frames, _), index, said = copied(stored, copies, path)

    assert said["how"] == "encode"
    assert frames == list(zip(index.pts_us.tolist(), range(10), strict=True))


def test_frames_that_lie_farther_apart_than_an_mp4_can_say_are_refused(stored, copies, tmp_path):
    """A time that is cut off would be another one."""
    clip = {"pts": [0, 1, 2 * 3600 * 25], "b_frames": 0}
    stored.add(JOB, media.video(tmp_path / "v.mkv", 3, **clip))
    said = wait(copies)

    assert (said["state"], said["detail"]) == ("failed", "its frames lie more than half an hour apart")


HOSTILE = {
    "a time that no frame has": lambda ticks: [(ticks[0], b"x"), (ticks[-1] + 1, b"x")],
    "no time": lambda ticks: [(None, b"x")],
    "a time twice": lambda ticks: [(ticks[0], b"x"), (ticks[0], b"x")],
    "more than the file has": lambda ticks: [(tick, bytes(2**20)) for tick in ticks],
    "less than all": lambda ticks: [(tick, b"x") for tick in ticks[:-1]],
    "nothing": lambda ticks: [],
    "noise": lambda ticks: [(tick, b"\0\0\0\1x") for tick in ticks],
}


@pytest.mark.parametrize("packets", HOSTILE.values(), ids=HOSTILE)
def test_a_process_that_lies_about_packets_makes_no_copy(stored, tmp_path, monkeypatch, packets):
    """What read them is not believed: not their times, not their number, not their size."""
    source = requests.decode(
        stored.add(JOB, numbered.numbered(tmp_path / "v", "avi_h264", 10)).request
    ).source
    ticks = index_of(stored.objects, source).tick.tolist()

    @contextmanager
    def lies(places, source):
        yield b"\1\x64\0\x1f\xff\xe1\0\0\1\0\0", iter(packets(ticks))

    monkeypatch.setattr(copy, "open_packets", lies)

    assert not copy.remux(stored.places, source, tmp_path / "copy.mp4", lambda *at: None)
