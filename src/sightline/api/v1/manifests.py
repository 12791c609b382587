"""What a result holds: its files by format, what each is for, and formats that are made when they are asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sightline.api.backend import Backend
from sightline.api.pool import Pool
from sightline.formats import run_folder
from sightline.jobs.files import CAMERA_BIN, RUN_JSON
from sightline.ports import Job, Stat

__all__ = ["FORMATS", "OTHERS", "Format", "Manifests", "folder_of", "format_of"]

KEPT = 16


@dataclass(frozen=True, slots=True)
class Format:
    """A format of results.

    Attributes:
        use: what it is for.
        files: beginnings of the paths of its files.
    """

    use: str
    files: tuple[str, ...]


FORMATS: Mapping[str, Format] = {
    "csv": Format("a row a box, for spreadsheets and pandas", ("detections.csv", "tracks.csv")),
    "mot": Format("MOTChallenge results, for trackers and their evaluation", ("mot/",)),
    "json-b": Format("the array that system B's clients read", ("result.json",)),
    "csv-a": Format("the five tables of system A", ("csv-a/",)),
    "ndjson": Format("a record a group and frame, for programs", ("tracks.ndjson",)),
    "parquet": Format("the columns of csv, typed and packed", ("tracks.parquet", "detections.parquet")),
    "coco": Format("results for COCO tools", ("coco.json",)),
    "coco-dataset": Format("images, categories and annotations for COCO tools", ("coco-dataset.json",)),
    "visdrone": Format("VisDrone results", ("visdrone/",)),
    "kitti": Format("KITTI tracking results", ("kitti/",)),
    "yolo": Format("labels to train YOLO models with", ("yolo/",)),
    "video": Format("the video with what was found drawn on it, up to a minute", ("annotated.mp4",)),
}
OTHERS: Mapping[str, str] = {
    "run.json": "what the run is: settings, model, source, account of frames, hash of every file",
    "summary.json": "unique objects and peaks",
    "counts.csv": "unique objects",
    "events.csv": "crossings; lines that are drawn later are counted by /counts",
}


def format_of(path: str) -> str | None:
    """The format that a file belongs to.

    >>> format_of("mot/cars/street.txt"), format_of("run.json")
    ('mot', None)
    """
    return next((name for name, each in FORMATS.items() if path.startswith(each.files)), None)


class Manifests:
    """What people download of jobs that are ready, by their manifests; of the last ones it is kept.

    Segments are left out: an hour has ten thousand, and they have a route of their own, as the path of the camera has.

    Args:
        backend: see there.
        pool: for calls of ports.
    """

    def __init__(self, backend: Backend, pool: Pool) -> None:
        self._objects, self._pool = backend.objects, pool
        self._kept: dict[tuple[str, str], Mapping[str, Stat]] = {}

    async def files(self, job: Job) -> Mapping[str, Stat]:
        """Every file of a job by its path, the manifest first.

        Raises:
            NotFound: the manifest is gone.
            Corrupt: it is damaged.
        """
        return {path: stat for path, stat in (await self._listed(job)).items() if path != CAMERA_BIN}

    async def camera(self, job: Job) -> Stat | None:
        """The path of its camera, below its folder at `CAMERA_BIN`; None where it is not known to have moved.

        Raises:
            NotFound, Corrupt: see `files`.
        """
        return (await self._listed(job)).get(CAMERA_BIN)

    async def _listed(self, job: Job) -> Mapping[str, Stat]:
        pointer = Stat(int(job.result["bytes"]), str(job.result["sha256"]))
        key = str(job.result["key"]), pointer.sha256
        if key not in self._kept:
            found = {RUN_JSON: pointer, **await self._pool.call(self._read, key[0])}
            while len(self._kept) >= KEPT:
                self._kept.pop(next(iter(self._kept)))
            self._kept[key] = found
        return self._kept[key]

    def _read(self, key: str) -> dict[str, Stat]:
        listed = run_folder.decode_run(b"".join(self._objects.read(key))).files
        return {
            path: Stat(each.bytes, each.sha256)
            for path, each in listed.items()
            if path == CAMERA_BIN or not path.startswith("segments/")
        }


def folder_of(job: Job) -> str:
    """Prefix of the keys of the files of a result."""
    return str(job.result.get("key", "")).removesuffix(RUN_JSON)
