"""Small synthetic jobs: everything that a real run has, but pictures and a model; and what may be wrong with one of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sightline.errors import InvalidVideo, Misconfigured
from sightline.formats import registry
from sightline.jobs.derived import plan_of
from sightline.jobs.recipe import Recipe
from sightline.ports import Stat
from sightline.runtime.crew import Tools
from sightline.runtime.publish import Rendered
from sightline.stages.feed import Plan
from sightline.stages.publish import published_anchors, published_segments
from sightline.testing import ScriptedDetector, ScriptedReader, scripted_recipe
from sightline.types import Detections, JobResult
from sightline.vision.bytetrack import TrackerSettings
from sightline.vision.counting import count_job
from sightline.vision.refine import RefineSettings

FORMATS = ("mot", "csv", "csv-a", "json-b")
TRACKER = TrackerSettings(track_low_thresh=0.1)
RATE = "9"  # three hits count
PLACE = 1000  # frames are numbered from this on in the next place
GARBAGE = b"garbage"  # an event that nobody can read
# What may be wrong with a job, and the code with which it ends.
WRONG = {
    "unreadable": "not_video",  # its source cannot be planned
    "gone": "source_changed",  # its source goes away in the middle
    "refused": "model_head",  # its model does not fit
    "late": "detector_function",  # its model goes wrong at a picture in flight
}
LATE = 3  # at which frame it does


@dataclass(frozen=True)
class Video:
    """One job.

    Attributes:
        frames: sampled frames.
        tracked: with track and stats, or detections only.
        failed: frames that do not decode.
        refined: tracks are refined when they are published; else `stats` has the last word about counts.
        group: frames per group of pictures.
        place: what its camera sees; the same frame shows something else in another place.
        model: `street`, or `wide`, which draws larger boxes.
        wrong: what is wrong with it, a word of `WRONG`; or `cancelled`: somebody does that, some time.
    """

    job_id: str
    frames: int
    tracked: bool = True
    failed: tuple[int, ...] = ()
    refined: bool = False
    group: int = 10
    place: int = 0
    model: str = "street"
    wrong: str = ""

    @property
    def prefix(self) -> str:
        return f"{self.job_id}/"

    def recipe(self) -> Recipe:
        return scripted_recipe(
            self.job_id,
            self.frames,
            tracker=TRACKER if self.tracked else None,
            refine=RefineSettings() if self.tracked and self.refined else None,
            rate=RATE,
            prefix=self.prefix,
        )

    def reader(self) -> Camera:
        return Camera(self)

    def plan(self, chunk: int) -> Plan:
        if self.wrong == "unreadable":
            raise InvalidVideo(self.job_id, reason="not a video", code=WRONG[self.wrong])
        return plan_of(self.recipe(), self.reader().index(), chunk)

    def detector(self) -> ScriptedDetector:
        script = street if self.model == "street" else wide
        return Wrong(script, self.wrong) if self.wrong in ("refused", "late") else ScriptedDetector(script)

    def render(self, result: JobResult) -> Rendered:
        """What `jobs.files` does."""
        return Rendered(self._files(result), "files.json", _listed)

    def _files(self, result: JobResult) -> Iterator[tuple[str, list[bytes]]]:
        for stream, parts in published_segments(result).items():
            yield f"{stream.replace(':', '-')}.seg", list(parts)
        for path, chunks in published_anchors(result, count_job(result)):
            yield path, list(chunks)
        for name in FORMATS:
            if name != "mot" or self.tracked:
                for path, chunks in registry.writer(name)(result):
                    yield path, list(chunks)


def _listed(stored: Mapping[str, Stat]) -> bytes:
    return json.dumps({path: stat.sha256 for path, stat in sorted(stored.items())}).encode()


class Camera(ScriptedReader):
    """Frames of a place, until the source goes away."""

    def __init__(self, video: Video) -> None:
        super().__init__(video.frames, group=video.group, failed=video.failed)
        self._video = video

    def read(self, chunk, rows, ticks, buffer):
        for frame in super().read(chunk, rows, ticks, buffer):
            if frame.row and self._video.wrong == "gone":
                raise InvalidVideo(self._video.job_id, reason="it was changed", code=WRONG["gone"])
            if frame.outcome == "ok":
                number = self._video.place * PLACE + frame.row
                frame.buffer.reshape(-1)[:4] = np.frombuffer(number.to_bytes(4, "little"), np.uint8)
            yield frame


class Wrong(ScriptedDetector):
    """A model that does not fit, or that goes wrong when a picture's answer is asked for."""

    def __init__(self, script, wrong: str) -> None:
        super().__init__(script)
        self._wrong = wrong

    def slot(self):
        if self._wrong == "refused":
            raise Misconfigured("another head", code=WRONG["refused"])
        slot = super().slot()
        found = slot.result

        def result() -> Detections:
            if int.from_bytes(slot.image.reshape(-1)[:4].tobytes(), "little") % PLACE == LATE:
                raise Misconfigured("no detections", code=WRONG["late"])
            return found()

        slot.result = result
        return slot


@dataclass(frozen=True)
class Scene:
    """The jobs of one store.

    Attributes:
        garbage: a stranger writes an event that nobody can read between theirs.
    """

    name: str
    videos: tuple[Video, ...]
    garbage: bool = False

    def tools(self, chunk: int) -> Tools:
        """What workers are made with: models are shared by the jobs that use them."""
        videos = {video.job_id: video for video in self.videos}
        models = {(video.model, video.wrong): video.detector() for video in self.videos}
        return Tools(
            lambda recipe: videos[recipe.job_id].plan(chunk),
            lambda recipe: videos[recipe.job_id].reader(),
            lambda recipe: models[videos[recipe.job_id].model, videos[recipe.job_id].wrong],
            lambda recipe, result: videos[recipe.job_id].render(result),
        )


def _crowd() -> tuple[Video, ...]:
    """Clips of one to five frames, a long one among them, and one of each that goes wrong."""
    fine = [
        Video(f"c{n:02}", 1 + n * 7 % 5, group=2, place=n, model="wide" if n % 3 else "street")
        for n in range(8)
    ]
    wrong = [
        Video(f"w{n}", 6, group=2, place=n, wrong=wrong) for n, wrong in enumerate([*WRONG, "cancelled"])
    ]
    long = Video("long", 17, group=3, place=12, failed=(7,))
    return (*fine[:4], *wrong[:3], long, *fine[4:], *wrong[3:])


SCENES = (
    Scene("tracked", (Video("a", 23, failed=(3,)),)),
    Scene("refined", (Video("a", 26, failed=(0, 25), refined=True),)),
    Scene("untracked", (Video("a", 21, tracked=False, failed=(7, 8)),)),
    Scene("pair", (Video("a", 14), Video("b", 9, failed=(8,), place=1))),
    Scene("mixed", (Video("a", 12, tracked=False), Video("b", 13, place=1, model="wide"))),
    Scene("one frame", (Video("a", 1),)),
    Scene("no frame", (Video("a", 6, failed=tuple(range(6))),)),
    Scene("segments", (Video("a", 131, failed=(127, 128)),)),
    Scene(
        "many",
        (
            Video("a", 9, group=3, failed=(4,)),
            Video("b", 7, place=1, wrong="unreadable"),
            Video("c", 3, place=2, model="wide"),
            Video("d", 8, place=3, wrong="cancelled"),
            Video("e", 1, place=4),
            Video("f", 8, place=5, wrong="late"),
            Video("g", 5, place=6, model="wide", refined=True),
        ),
        garbage=True,
    ),
    Scene("crowd", _crowd(), garbage=True),
)


def street(number: int) -> Detections:
    """Two cars, a person who hides now and then, every ninth frame empty; lower in the picture in each further place."""
    place, number = divmod(number, PLACE)
    if number % 9 == 5:
        return Detections.empty()
    rows = [
        (4 * number, 10, 4 * number + 60, 50, 0.9, 0),
        (500 - 3 * number, 100, 560 - 3 * number, 140, 0.85, 0),
    ]
    if number % 12 < 8:
        rows.append((300, 5 + number, 330, 95 + number, 0.8 - number % 7 / 20, 1))
    table = np.array(rows)
    table[:, [1, 3]] += 6 * place
    return Detections(table[:, :4], table[:, 4], table[:, 5].astype(int))


def wide(number: int) -> Detections:
    """The same, as another model sees it."""
    found = street(number)
    return Detections(found.xyxy + np.array([0, 0, 8, 0]), found.confidence, found.class_id)


def files_below(folder: Path) -> dict[str, bytes]:
    """Every file by relative path."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
