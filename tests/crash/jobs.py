"""Small synthetic jobs: everything that a real run has, but pictures and a model."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sightline.formats import registry
from sightline.jobs.derived import facts_of, plan_of
from sightline.jobs.recipe import Recipe
from sightline.ports import Stat
from sightline.runtime.publish import Refused, Rendered, Streams
from sightline.stages.feed import Plan
from sightline.stages.publish import published_segments, result_of
from sightline.testing import ScriptedReader, scripted_recipe
from sightline.types import Detections
from sightline.vision.bytetrack import TrackerSettings
from sightline.vision.refine import RefineSettings

FORMATS = ("mot", "csv", "csv-a", "json-b")
TRACKER = TrackerSettings(track_low_thresh=0.1)
RATE = "9"  # three hits count


@dataclass(frozen=True)
class Video:
    """One job.

    Attributes:
        frames: sampled frames.
        tracked: with track and stats, or detections only.
        failed: frames that do not decode.
        refined: tracks are refined when they are published; else `stats` has the last word about counts.
    """

    job_id: str
    frames: int
    tracked: bool = True
    failed: tuple[int, ...] = ()
    refined: bool = False

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

    def reader(self) -> ScriptedReader:
        return ScriptedReader(self.frames, group=10, failed=self.failed)

    def plan(self, chunk: int) -> Plan:
        return plan_of(self.recipe(), self.reader().index(), chunk)

    def render(self, streams: Streams) -> Rendered | Refused:
        """What `app.host` and `jobs.files` do."""
        result = result_of(facts_of(self.recipe()), streams)
        if "ok" not in result.frames.outcome:
            return Refused("no_frame", "no frame could be decoded")
        return Rendered(self._files(result), "files.json", _listed)

    def _files(self, result) -> Iterator[tuple[str, list[bytes]]]:
        for stream, parts in published_segments(result).items():
            yield f"{stream.replace(':', '-')}.seg", list(parts)
        for name in FORMATS:
            if name != "mot" or self.tracked:
                for path, chunks in registry.writer(name)(result):
                    yield path, list(chunks)


def _listed(stored: Mapping[str, Stat]) -> bytes:
    return json.dumps({path: stat.sha256 for path, stat in sorted(stored.items())}).encode()


@dataclass(frozen=True)
class Scene:
    """The jobs of one run folder, and how many threads would look at pictures."""

    name: str
    videos: tuple[Video, ...]
    workers: int = 1


SCENES = (
    Scene("tracked", (Video("a", 23, failed=(3,)),)),
    Scene("refined", (Video("a", 26, failed=(0, 25), refined=True),), workers=2),
    Scene("untracked", (Video("a", 21, tracked=False, failed=(7, 8)),), workers=2),
    Scene("pair", (Video("a", 14), Video("b", 9, failed=(8,))), workers=2),
    Scene("mixed", (Video("a", 12, tracked=False), Video("b", 13))),
    Scene("one frame", (Video("a", 1),)),
    Scene("no frame", (Video("a", 6, failed=tuple(range(6))),)),
    Scene("segments", (Video("a", 131, failed=(127, 128)),)),
)


def street(number: int) -> Detections:
    """Two cars, a person who hides now and then, every ninth frame empty."""
    if number % 9 == 5:
        return Detections.empty()
    rows = [
        (4 * number, 10, 4 * number + 60, 50, 0.9, 0),
        (500 - 3 * number, 100, 560 - 3 * number, 140, 0.85, 0),
    ]
    if number % 12 < 8:
        rows.append((300, 5 + number, 330, 95 + number, 0.8 - number % 7 / 20, 1))
    table = np.array(rows)
    return Detections(table[:, :4], table[:, 4], table[:, 5].astype(int))


def files_below(folder: Path) -> dict[str, bytes]:
    """Every file by relative path."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
