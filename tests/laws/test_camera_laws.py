"""The camera's motion is told once and for all: however a video is cut, whoever decodes it, whatever is killed in between."""

from dataclasses import replace
from functools import cache
from itertools import pairwise

import msgspec
import numpy as np
import pytest

from sightline.camera import IDENTITY
from sightline.events import Detected, Native
from sightline.jobs.derived import detect_of, plan_of, view_of
from sightline.jobs.recipe import Camera, Picture, job_of
from sightline.runtime.chunk_queue import ChunkQueue
from sightline.runtime.detect import DetectRole
from sightline.runtime.feed import Feeder
from sightline.runtime.lanes import Lane
from sightline.stages.track import Track
from sightline.testing import MemoryObjects, MemoryStore, ScriptedDetector, ScriptedReader, scripted_recipe
from sightline.types import Chunk, Detections, ImageSpec
from sightline.vision.bytetrack import TrackerSettings
from sightline.vision.following import LOOK_EVERY
from sightline.vision.looks import look_pixels
from tests.flights import fly, ground

from .test_feed_detect_laws import accept, drain

FRAMES = 75
SPEC = ImageSpec(160, 90, "rgb", "topleft")
CUTS = (1, 7, 32, 64, FRAMES)
CODEC = Native()


@cache
def pictures() -> tuple[np.ndarray, ...]:
    flight = fly(ground("town"), "pan", FRAMES)
    return tuple(look_pixels(frame) for frame in flight.frames)


class PictureReader(ScriptedReader):
    """A reader whose pictures show what a camera saw that flies."""

    def read(self, chunk, rows, ticks, buffer):
        for decoded in super().read(chunk, rows, ticks, buffer):
            if decoded.buffer is not None:
                decoded.buffer[..., 1] = pictures()[decoded.row]
            yield decoded


class Detector(ScriptedDetector):
    """Finds a car or nothing, by the red of the first pixels."""

    def __init__(self) -> None:
        super().__init__(found)
        self._info = replace(self._info, image=SPEC)


def found(number: int) -> Detections:
    # The number's bytes lie in the colours of two pixels, and green is not the number's.
    return Detections([[20, 20, 60, 50]], [0.9], [0])


def recipe(stride: int = 1, motion: str = "auto"):
    made = scripted_recipe(
        "j1",
        FRAMES,
        groups={"cars": (0,)},
        tracker=TrackerSettings(),
        topics={"frames:main": "frames", "detections:cars": "found"},
    )
    settings = msgspec.structs.replace(made.settings, stride=stride, camera=Camera(motion=motion, version=1))
    engine = msgspec.structs.replace(made.engine, picture=Picture.of(SPEC))
    return msgspec.structs.replace(made, settings=settings, engine=engine)


def chunks(at_least: int) -> list[Chunk]:
    cuts = [*range(0, FRAMES, at_least), FRAMES]
    return [
        Chunk(number, first, end, first, None if end == FRAMES else end)
        for number, (first, end) in enumerate(pairwise(cuts))
    ]


class World:
    """A job and those who feed and detect it."""

    def __init__(self, cut: int, *, stride: int = 1, failed=(), lanes: int = 1) -> None:
        self.recipe, self.cut, self.failed, self.lanes = recipe(stride), cut, failed, lanes
        self.store = MemoryStore()
        accept(self.store, job_of(self.recipe))
        parts = (self.store, self.store, self.store)
        self.feeder = Feeder(*parts, self._plan, objects=MemoryObjects(), floor=10_000)

    def _plan(self, recipe):
        plan = plan_of(recipe, ScriptedReader(FRAMES).index())
        return replace(plan, chunks=chunks(self.cut))

    def worker(self):
        queue = ChunkQueue(limit=8)
        parts = {"log": self.store, "ledger": self.store, "jobs": self.store}
        role = DetectRole("frames", list(range(8)), queue=queue, **parts)
        reader = PictureReader(FRAMES, failed=self.failed)
        lanes = [Lane(queue, lambda _: reader, lambda _: Detector()) for _ in range(self.lanes)]
        return [role.step, *(lane.step for lane in lanes)]

    def run(self) -> list[Detected]:
        drain(self.feeder.step, *self.worker())
        return self.answers()

    def answers(self) -> list[Detected]:
        first: dict[int, Detected] = {}
        for entry in self.store.read("found", 0, 0, 100_000):
            record = CODEC.decode(entry.value)
            if isinstance(record, Detected):
                first.setdefault(record.seq, record)
        return [first[seq] for seq in sorted(first)]

    def track(self) -> Track:
        return Track(TrackerSettings(), view_of(self.recipe), (160, 90))

    def known(self, records=None):
        """Motion and look of each frame, as the tracks have them."""
        stage = self.track()
        tracked = stage.process(self.run() if records is None else records, stage.initial()).records
        return [(record.seq, record.motion, record.look) for record in tracked]


def test_a_camera_that_pans_is_followed_in_every_frame():
    known = World(FRAMES).known()

    assert [seq for seq, motion, _ in known if motion is None] == [0]
    assert any(motion != IDENTITY for _, motion, _ in known[1:])
    assert [seq for seq, _, look in known if look] == [0, *range(LOOK_EVERY, FRAMES, LOOK_EVERY)]


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("stride", [1, 5])
@pytest.mark.parametrize("failed", [(), (0,), (30,), (31, 32, 63, 64)])
def test_where_chunks_begin_does_not_matter(cut: int, stride: int, failed: tuple[int, ...]):
    """A chunk is decoded alone: the motion to its first frame is told from looks, the same to the last bit."""
    expected = World(FRAMES, stride=stride, failed=failed).known()

    assert World(cut, stride=stride, failed=failed).known() == expected


def test_behind_a_frame_that_failed_nothing_is_known():
    known = World(32, failed=(40,)).known()

    assert [seq for seq, motion, _ in known if motion is None] == [0, 40, 41]


def test_frames_of_which_nothing_is_known_bring_no_looks_along():
    """In records and segments, or a night in which nothing is seen would fill disks with its pictures."""
    world = World(FRAMES, failed=range(1, FRAMES, 2))  # the motion to every other one is not known

    assert [seq for seq, _, look in world.known() if look] == [0, *range(LOOK_EVERY, FRAMES, LOOK_EVERY)]
    assert [record.seq for record in world.answers() if record.look] == [0, 32, 64, FRAMES - 1]


@pytest.mark.parametrize("steps", range(1, 14))
def test_who_goes_on_in_the_midst_of_a_chunk_tells_the_same(steps: int):
    """The frame before is decoded again, as nobody remembers it."""
    world, expected = World(32), World(32).run()
    for _ in range(3):
        world.feeder.step()
    killed = world.worker()
    for number in range(steps):
        killed[number % len(killed)]()

    assert [CODEC.encode(record) for record in world.run()] == [CODEC.encode(record) for record in expected]


def test_two_lanes_tell_the_same():
    assert World(16, lanes=2).known() == World(16).known()


@pytest.mark.parametrize("at", [1, 7, 16, 33, 64, 65])
def test_the_fold_goes_on_where_it_was_saved(at: int):
    world = World(16)
    records = world.run()
    stage = world.track()
    first = stage.process(records[:at], stage.initial())

    rest = stage.process(records[at:], stage.decode(stage.encode(first.state)))

    whole = stage.process(records, stage.initial())
    encoded = [CODEC.encode(record) for record in (*first.records, *rest.records)]
    assert encoded == [CODEC.encode(record) for record in whole.records]


def test_nobody_asks_for_motion_where_it_is_known_from_elsewhere():
    """The frames say it, and what was detected in them says it on."""
    made = recipe(motion="file")
    plan = plan_of(
        made, ScriptedReader(FRAMES).index(), motions=lambda frames: [None, *[IDENTITY] * (len(frames) - 1)]
    )
    record = plan.records("j1", "main", 1, 1)[0]

    assert (record.before, record.with_look, record.motion) == (None, False, IDENTITY)
    assert detect_of(made).view is None
    assert [found.motion for found in detect_of(made).found(record, Detections.empty())] == [IDENTITY]
