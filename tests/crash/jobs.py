"""Small synthetic jobs: everything that a real run has, but pictures and a model."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from sightline.app.embedded import BRANCH, streams_of, topics_of
from sightline.formats import registry
from sightline.ports import Job, Stat
from sightline.stages.detect import Detect
from sightline.stages.feed import Plan
from sightline.stages.publish import Facts, published_segments, result_of
from sightline.testing import ScriptedReader
from sightline.types import Detections
from sightline.vision import sampling
from sightline.vision.bytetrack import TrackerSettings
from sightline.vision.counting import CountRule
from sightline.vision.refine import RefineSettings

GROUPS = {"cars": (0,), "people": (1,)}
FORMATS = ("mot", "csv", "csv-a", "json-b")
TRACKER = TrackerSettings(track_low_thresh=0.1)
RULE = CountRule(3)
DETECT = Detect(None, GROUPS)


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

    def job(self) -> Job:
        streams = streams_of(GROUPS, tracked=self.tracked)
        settings = {
            "topics": topics_of(GROUPS),
            "branches": [BRANCH],
            "consumers": [
                ["track" if self.tracked else "collect", f"detections:{group}"] for group in GROUPS
            ],
            "prefix": self.prefix,
        }
        return Job(self.job_id, f"video {self.job_id}", 0, "key", settings, streams)

    def facts(self) -> Facts:
        refine = RefineSettings() if self.tracked and self.refined else None
        names = ("car", "person")
        return Facts(
            self.job_id, self.job_id, 0, Fraction(25), 640, 360, names, GROUPS, RULE.min_hits, 0.25, refine
        )

    def reader(self) -> ScriptedReader:
        return ScriptedReader(self.frames, group=10, failed=self.failed)

    def plan(self, chunk: int) -> Plan:
        index = self.reader().index()
        return Plan(index, sampling.sample(index, 1), sampling.chunks(index, chunk))

    def render(
        self, blobs: Iterable[tuple[str, Sequence[bytes]]], stored: Mapping[str, Stat]
    ) -> Iterator[tuple[str, list[bytes]]] | tuple[str, str]:
        """What `app.embedded` and `app.results` do."""
        result = result_of(self.facts(), blobs)
        if "ok" not in result.frames.outcome:
            return "no_frame", "no frame could be decoded"
        return self._files(result, stored)

    def _files(self, result, stored) -> Iterator[tuple[str, list[bytes]]]:
        for stream, parts in published_segments(result).items():
            yield f"{self.prefix}{stream.replace(':', '-')}.seg", parts
        for name in FORMATS:
            if name != "mot" or self.tracked:
                for path, chunks in registry.writer(name)(result):
                    yield self.prefix + path, list(chunks)
        listed = {path: stat.sha256 for path, stat in sorted(stored.items())}
        yield f"{self.prefix}files.json", [json.dumps(listed).encode()]


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
