"""System A's table `frames` and its frame store, a row of the contract at a time; over the real tools of a service."""

import io
from datetime import UTC, datetime

import msgspec
import numpy as np
import pytest
from PIL import Image

from sightline.adapters.video.reader import VideoReader
from sightline.app.service_tools import ServiceTools
from sightline.events import JobEvent, Native, native
from sightline.formats import source_index
from sightline.jobs import requests
from sightline.jobs.requests import SourceRef, index_key
from sightline.jobs.topology import JOB_TOPIC
from sightline.ports import Job, Outgoing
from sightline.runtime.feed import STILL_S, Feeder
from sightline.settings import DetectOptions
from sightline.sources.frame_store import FrameStore
from sightline.sources.roots import Roots
from sightline.sources.stored import Places, look_into, traits_of
from sightline.sources.whole_frames import WholeFrames
from sightline.testing import MemoryNotes, MemoryObjects, MemoryStore
from sightline.types import ImageSpec
from tests.confining import everything
from tests.media import picture, video

pytestmark = pytest.mark.contract

ID = "00000000-0000-4000-8000-00000000000{}"
CREATED = datetime(2026, 5, 17, 12, 0, 0, 250_000, UTC)
SEQUENCE = "uav0000086_00000_v"
NUMBERS = (1, 2, 3, 5)  # 4 is missing


class Tables:
    """A ledger with tables, as PostgreSQL's is: rows of a key that is there keep their values."""

    def __init__(self, store):
        self._store, self.rows, self.commits = store, {}, []

    def __getattr__(self, name):
        return getattr(self._store, name)

    def commit(self, commit):
        found = self._store.commit(commit)
        self.commits.append(commit)
        for row in commit.rows:
            key = (row.table, row.key["job_id"], row.key["seq"])
            self.rows.setdefault(key, {**row.key, **row.values})
        return found


class World:
    """The tools of a service over a folder.

    Args:
        folder: of sources.
        copies: see `FrameStore`; None: frames are not copied.
        still_s: see `Feeder`.
    """

    def __init__(
        self, folder, copies=None, partitions=None, codecs=native, inline_frames=False, still_s=STILL_S
    ):
        self.codecs, self.still_s = codecs, still_s
        self.folder, self.store, self.objects, self.notes = (
            folder,
            MemoryStore(),
            MemoryObjects(),
            MemoryNotes(),
        )
        self.tables = Tables(self.store)
        self.places = Places(self.objects, Roots({"dataset": folder}))
        self.frames = None if copies is None else FrameStore(copies, self.places, self.notes)
        options = DetectOptions.model_validate({"model": "sightline-tiny", "precision": "f32"})
        self.tools = ServiceTools(
            self.store,
            self.places,
            options,
            1,
            frame_store=self.frames,
            partitions=partitions,
            codecs=codecs,
            inline_frames=inline_frames,
        )
        self.jobs = 0

    def start(self, name, key, kind="images", pipeline="visdrone"):
        """A job as `/start` makes it; all of its frames are fed."""
        self.jobs += 1
        job_id = ID.format(self.jobs)
        source = SourceRef(kind=kind, name=name, key=key, index_key=index_key(job_id), root="dataset")
        size, times = traits_of(self.places, source)
        source = msgspec.structs.replace(source, bytes=size, times=times)
        self.objects.put_new(source.index_key, [source_index.encode(look_into(self.places, source))])
        request = requests.encode(requests.Request(pipeline=pipeline, source=source))
        created = int(CREATED.timestamp() * 1_000_000)
        event = Outgoing(JOB_TOPIC, 0, job_id, Native().encode(JobEvent(job_id)))
        self.store.create(Job(job_id, name, created, "sent", request=request), [event])
        tools = self.tools.tools()
        feeder = Feeder(
            self.store,
            self.tables,
            self.store,
            tools.plan,
            objects=MemoryObjects(),
            resolve=tools.resolve,
            rows=tools.rows,
            named=tools.named,
            broken=tools.broken,
            codecs=self.codecs,
            batch=3,
            still_s=self.still_s,
        )
        while feeder.step():
            pass
        feeder.release()
        return job_id

    def of(self, job_id):
        """Rows of a job in their order."""
        return [
            row
            for (table, job, _), row in sorted(self.tables.rows.items())
            if (table, job) == ("frames", job_id)
        ]


@pytest.fixture
def dataset(tmp_path):
    """A sequence with a missing number, and a video."""
    folder = tmp_path / "data" / "sequences" / SEQUENCE
    folder.mkdir(parents=True)
    for number in NUMBERS:
        Image.fromarray(picture(number)).save(folder / f"{number:07d}.png")
    video(tmp_path / "data" / "street.mp4", 7)
    return tmp_path / "data"


@pytest.fixture
def world(dataset):
    return World(dataset)


def test_frames_are_rows_in_the_feeder_s_own_commit(world):
    """The columns of system A, and ours; a row for each frame, none for a missing number."""
    job_id = world.start(SEQUENCE, f"sequences/{SEQUENCE}")

    rows = world.of(job_id)
    assert [list(row) for row in rows] == [
        ["job_id", "seq", "frame_id", "video_id", "timestamp", "path", "frame", "pts_us"]
    ] * 4
    assert [row["frame_id"] for row in rows] == ["frame_00000", "frame_00001", "frame_00002", "frame_00004"]
    assert {row["video_id"] for row in rows} == {SEQUENCE}
    assert [row["seq"] for row in rows] == [0, 1, 2, 3]
    filled = [commit for commit in world.tables.commits if commit.rows]
    assert all(commit.at.stage == "feed" and commit.saved is not None for commit in filled)
    assert [len(commit.rows) for commit in filled] == [3, 1]


def test_frames_have_the_job_s_clock_and_their_own_time(world):
    """`created_at` + `pts_us`: equal on replay, and time runs on over a missing number."""
    job_id = world.start(SEQUENCE, f"sequences/{SEQUENCE}")

    assert [row["timestamp"] for row in world.of(job_id)] == [
        "2026-05-17T12:00:00.250000+00:00",
        "2026-05-17T12:00:00.283333+00:00",
        "2026-05-17T12:00:00.316667+00:00",
        "2026-05-17T12:00:00.383333+00:00",
    ]


def test_frames_of_a_sequence_are_its_very_images(world, dataset):
    """No copy: the path is the image's, and can be opened."""
    job_id = world.start(SEQUENCE, f"sequences/{SEQUENCE}")

    found = [row["path"] for row in world.of(job_id)]
    assert found == [str(dataset / "sequences" / SEQUENCE / f"{number:07d}.png") for number in NUMBERS]
    # SELECT path FROM frames WHERE frame_id=... AND video_id=...
    (path,) = [
        row["path"]
        for row in world.of(job_id)
        if (row["frame_id"], row["video_id"]) == ("frame_00004", SEQUENCE)
    ]
    assert np.array_equal(np.asarray(Image.open(path)), picture(5))


def test_frames_of_a_video_are_its_file_and_a_chunk(world, dataset):
    """Where to decode from."""
    job_id = world.start("street.mp4", "street.mp4", "video")

    assert {row["path"] for row in world.of(job_id)} == {f"{dataset}/street.mp4#chunk=0"}
    assert len(world.of(job_id)) == 7


def test_frames_of_a_second_job_are_rows_too(world):
    """Defect A4: `frame_id` was unique, so only the first video worked."""
    first = world.start(SEQUENCE, f"sequences/{SEQUENCE}")
    second = world.start(SEQUENCE, f"sequences/{SEQUENCE}")

    assert [row["frame_id"] for row in world.of(first)] == [row["frame_id"] for row in world.of(second)]
    assert len(world.tables.rows) == 8


@pytest.mark.parametrize("pipeline", ["traffic", "detect"])
def test_frames_are_filled_by_pipeline_visdrone_alone(world, pipeline):
    """Others have no such table."""
    world.start(SEQUENCE, f"sequences/{SEQUENCE}", pipeline=pipeline)

    assert world.tables.rows == {}
    assert len(world.tables.commits) > 0


# --- frame_store


def test_frames_are_copied_where_somebody_opens_paths(dataset, tmp_path):
    """`{video_id}_{frame_id}.jpg`, JPEG of quality 95 even of a PNG; the row names the copy, which is there before it."""
    world = World(dataset, tmp_path / "frame_store")
    job_id = world.start(SEQUENCE, f"sequences/{SEQUENCE}")

    rows = world.of(job_id)
    assert [row["path"] for row in rows] == [
        str(tmp_path / "frame_store" / f"{SEQUENCE}_{row['frame_id']}.jpg") for row in rows
    ]
    for number, row in zip(NUMBERS, rows, strict=True):
        expected = io.BytesIO()
        Image.fromarray(picture(number)).save(expected, "JPEG", quality=95)
        with open(row["path"], "rb") as copy:
            assert copy.read() == expected.getvalue()


def test_frames_without_a_picture_are_answered_for_those_who_open_none(dataset, tmp_path):
    """What the copy has shown is said at once to both detectors, and in their place: one that opens nothing says nothing."""
    (dataset / "sequences" / SEQUENCE / "0000003.png").write_bytes(b"no picture")
    world = World(dataset, tmp_path / "frame_store", partitions=1)
    world.start(SEQUENCE, f"sequences/{SEQUENCE}")

    said = {
        topic: [Native().decode(entry.value) for entry in world.store.read(topic, 0, 0, 10)]
        for topic in ("car-frames", "person-frames", "detections-cars", "detections-people")
    }
    for topic in ("car-frames", "person-frames"):
        assert [(each.seq, each.outcome) for each in said[topic][:4]] == [
            (0, "ok"),
            (1, "ok"),
            (2, "failed"),
            (3, "ok"),
        ]
        assert said[topic][2].reason == "decode"
    for topic in ("detections-cars", "detections-people"):
        lost, end = said[topic]
        assert (lost.seq, lost.outcome, lost.reason) == (2, "failed", "decode")
        assert (end.stream, end.seq) == (lost.stream, 4)
    assert len(list((tmp_path / "frame_store").iterdir())) == 3


def test_frames_without_a_picture_are_answered_where_nobody_copies_them(dataset):
    """A detector that opens the source itself says nothing of it: the feeder looks when nobody goes on, and says so."""
    (dataset / "sequences" / SEQUENCE / "0000003.png").write_bytes(b"no picture")
    world = World(dataset, partitions=1, still_s=0.0)
    world.start(SEQUENCE, f"sequences/{SEQUENCE}")

    for topic in ("detections-cars", "detections-people"):
        lost, end = (Native().decode(entry.value) for entry in world.store.read(topic, 0, 0, 10))
        assert (lost.seq, lost.frame, lost.outcome, lost.reason) == (2, 2, "failed", "decode")
        assert (end.stream, end.seq) == (lost.stream, 4)


def test_frames_of_jobs_that_nobody_else_reads_are_not_looked_at(dataset, monkeypatch):
    """Our own detector answers for each, sooner or later."""
    (dataset / "sequences" / SEQUENCE / "0000003.png").write_bytes(b"no picture")
    monkeypatch.setattr(WholeFrames, "read", lambda *asked: pytest.fail(f"read {asked}"))
    alone, shared = World(dataset, still_s=0.0), World(dataset, partitions=1, still_s=0.0)
    alone.start(SEQUENCE, f"sequences/{SEQUENCE}")
    shared.start(SEQUENCE, f"sequences/{SEQUENCE}", pipeline="traffic")

    assert alone.store.head("detections-cars", 0) == shared.store.head("detections-cars-traffic", 0) == (0, 0)


def test_frames_are_decoded_once_for_the_table_and_the_topics(dataset, tmp_path, monkeypatch):
    """Each picture is written once."""
    written = []
    monkeypatch.setattr(
        "sightline.sources.frame_store.write_whole", lambda path, parts: written.append(path.name)
    )
    World(dataset, tmp_path / "frame_store", partitions=1).start(SEQUENCE, f"sequences/{SEQUENCE}")

    assert written == [f"{SEQUENCE}_frame_{number - 1:05d}.jpg" for number in NUMBERS]


def test_frames_of_a_video_are_copied_as_they_are_decoded(dataset, tmp_path):
    """Whole frames, in the size of the source."""
    world = World(dataset, tmp_path / "frame_store")
    world.start("street.mp4", "street.mp4", "video")

    own = everything(VideoReader(dataset / "street.mp4", ImageSpec(0, 0)), ImageSpec(0, 0))
    for row, _, _, pixels in own[:6]:
        image = np.frombuffer(pixels, np.uint8).reshape(96, 160, 3)
        expected = io.BytesIO()
        Image.fromarray(image).save(expected, "JPEG", quality=95)
        copy = tmp_path / "frame_store" / f"street.mp4_frame_{row:05d}.jpg"
        assert copy.read_bytes() == expected.getvalue()


def test_frames_are_removed_with_their_job(dataset, tmp_path):
    """Defect A14: the volume grew for ever. Copies that another job of this name shares stay until it goes too."""
    copies = tmp_path / "frame_store"
    world = World(dataset, copies)
    first = world.start(SEQUENCE, f"sequences/{SEQUENCE}")
    second = world.start(SEQUENCE, f"sequences/{SEQUENCE}")
    third = world.start("street.mp4", "street.mp4", "video")
    (copies / "mine.jpg").write_bytes(b"x")

    left = []
    for job_id in (first, second, third):
        world.store.advance(job_id, "cancelled")
        world.store.remove(job_id)
        world.frames.tidy(world.store, [job_id])
        left.append(len(list(copies.iterdir())))
    world.frames.close()

    assert left == [4 + 7 + 1, 7 + 1, 1]
    assert world.notes.list("frame_store") == []
    assert (dataset / "sequences" / SEQUENCE / "0000001.png").exists()


def test_frames_of_an_uploaded_name_stay_below_the_folder(dataset, tmp_path):
    """The name of an upload is any text."""
    world = World(dataset, tmp_path / "frame_store")
    job_id = world.start("../../evil/..", f"sequences/{SEQUENCE}")

    assert {row["video_id"] for row in world.of(job_id)} == {"../../evil/.."}
    assert {path.name for path in (tmp_path / "frame_store").iterdir()} == {
        f"_.._evil_.._frame_{frame:05d}.jpg" for frame in (0, 1, 2, 4)
    }
