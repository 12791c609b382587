"""Every format by name: who writes a finished job, who reads and writes text of one video.

`app` adds the formats that need a library of their own (Parquet, video).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from sightline.errors import Misconfigured
from sightline.formats import coco, coco_text, csv_a, json_b, kitti, mot, ndjson, tables, visdrone, yolo
from sightline.formats.annotations import Annotations
from sightline.formats.sniff import sniff
from sightline.types import JobResult

__all__ = [
    "FORMATS",
    "READERS",
    "SOURCES",
    "WRITERS",
    "Readable",
    "Reader",
    "TextFormat",
    "TextWriter",
    "Writer",
    "reader",
    "writer",
]

Writer = Callable[[JobResult], Iterator[tuple[str, Iterable[bytes]]]]
"""Relative path and content of each file of a finished job; the content may be read once."""


class Reader(Protocol):
    """Text of one video to a table; `first_frame` is the number of the first frame in the file."""

    def __call__(self, text: str, name: str, *, first_frame: int) -> Annotations:
        """Read, or raise `InvalidFile` that names the line."""


class TextWriter(Protocol):
    """A table to text of one video."""

    def __call__(self, annotations: Annotations, *, truth: bool, first_frame: int) -> Iterator[bytes]:
        """The file's content in chunks."""


@dataclass(frozen=True, slots=True)
class Readable:
    """A format that can be read; `first_frame` is the number it gives the first frame."""

    read: Reader
    read_truth: Reader
    first_frame: int


@dataclass(frozen=True, slots=True)
class TextFormat(Readable):
    """A text format that can be written too, row by row."""

    write: TextWriter


WRITERS: Mapping[str, Writer] = {
    "mot": mot.files,
    "csv": tables.files,
    "csv-a": csv_a.files,
    "json-b": json_b.files,
    "visdrone": visdrone.files,
    "kitti": kitti.files,
    "yolo": yolo.files,
    "ndjson": ndjson.files,
    "coco": coco.files,
    "coco-dataset": coco.dataset_files,
}
READERS: Mapping[str, TextFormat] = {
    "mot": TextFormat(mot.read, mot.read_truth, 1, mot.write),
    "visdrone": TextFormat(visdrone.read, visdrone.read_truth, 1, visdrone.write),
    "kitti": TextFormat(kitti.read, kitti.read_truth, 0, kitti.write),
}
# COCO is read here and written by a job's writers.
SOURCES: Mapping[str, Readable] = {**READERS, "coco": Readable(coco_text.read, coco_text.read, 1)}
FORMATS = tuple(WRITERS)


def writer(name: str) -> Writer:
    """The writer of a job's format.

    Raises:
        Misconfigured: no such format; names those there are.
    """
    if name not in WRITERS:
        raise Misconfigured(f"no format {name!r}; there are {', '.join(WRITERS)}")
    return WRITERS[name]


def reader(name: str | None, text: str, file: str) -> Readable:
    """The format to read called `name`, or without a name the one that `text` looks like.

    Raises:
        Misconfigured: no such format; names those there are.
        InvalidFile: it looks like none.
    """
    found = sniff(text, file) if name is None else name
    if found not in SOURCES:
        raise Misconfigured(f"no text format {found!r}; there are {', '.join(SOURCES)}")
    return SOURCES[found]
