"""One format to another: text of one video in, files out, without inference.

Text formats go through `Annotations`; the formats of a finished job go through a `JobResult` made of the rows, with
one group `objects` unless groups are named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

import numpy as np

from sightline.errors import InvalidFile, Misconfigured
from sightline.formats import mot
from sightline.formats.annotations import NO_ID, Annotations
from sightline.formats.coco_text import pictures
from sightline.formats.losses import losses, losses_of_job
from sightline.formats.registry import READERS, SOURCES, WRITERS, TextFormat, reader, writer
from sightline.formats.text import file_name, stem
from sightline.types import FrameTable, GroupResult, JobResult, TrackTable

__all__ = ["Conversion", "convert", "job_of", "read"]

Files = Iterator[tuple[str, Iterable[bytes]]]


ONE_SIZE = frozenset({"yolo", "coco-dataset"})


@dataclass(frozen=True, slots=True)
class Conversion:
    """How to read a text file, and what it does not say itself.

    Attributes:
        source: `mot`, `visdrone`, `kitti`, `coco`, or None to look.
        truth: it is ground truth.
        tracked: ids are ids; False for detections whose second column is only a running number.
        first_frame: number of its first frame; None for the format's own.
        mot_origin: number of the first pixel in MOT files, 0 or 1.
        rate: frames per second.
        width, height: pixels of the video, 0 where unknown.
        frames: number of frames, if more than up to the last box.
        groups: labels of each group, any case; none: one group `objects` with all labels.
    """

    source: str | None = None
    truth: bool = False
    tracked: bool = True
    first_frame: int | None = None
    mot_origin: float = 0.0
    rate: Fraction = Fraction(30)
    width: int = 0
    height: int = 0
    frames: int = 0
    groups: Mapping[str, Sequence[str]] = field(default_factory=dict)


def read(text: str, name: str, how: Conversion) -> Annotations:
    """Rows of a text file.

    Raises:
        InvalidFile: names the line.
        Misconfigured: no such format.
    """
    source = reader(how.source, text, name)
    first_frame = source.first_frame if how.first_frame is None else how.first_frame
    if source is READERS["mot"]:
        read_mot = mot.read_truth if how.truth else mot.read
        return read_mot(text, name, first_frame=first_frame, origin=how.mot_origin)
    return (source.read_truth if how.truth else source.read)(text, name, first_frame=first_frame)


def convert(
    text: str,
    name: str,
    target: str,
    how: Conversion | None = None,
    warn: Callable[[str], None] = lambda lost: None,
) -> Files:
    """Files of another format: `<stem>.txt` for the text formats, those of the format's writer for others.

    A text format keeps every row; what it has no column for is left out, and `warn` hears of it. Formats of a job take
    the rows that ground truth considers.

    Raises:
        InvalidFile: names the line; or nothing in the file is what the target can hold.
        Misconfigured: no such format.
    """
    how = how or Conversion()
    annotations = read(text, name, how)
    if target in READERS:
        for lost in losses(annotations, target, truth=how.truth):
            warn(f"{name}: lost: {lost}")
        content = _text(annotations, READERS[target], how)
        return iter([(f"{file_name(stem(name))}.txt", content)])
    if target not in WRITERS:
        known = ", ".join(dict.fromkeys((*WRITERS, *READERS)))
        raise Misconfigured(f"no format {target!r}; there are {known}", code="usage")
    if reader(how.source, text, name) is SOURCES["coco"]:
        how = _sized(text, name, how, target, warn)
    for lost in losses_of_job(annotations, target):
        warn(f"{name}: lost: {lost}")
    made = list(writer(target)(job_of(annotations, stem(name), how)))
    if not made:
        raise InvalidFile(
            name, reason=f"nothing in it that format {target} can hold: ids or groups are missing"
        )
    return iter(made)


def _sized(text: str, name: str, how: Conversion, target: str, warn: Callable[[str], None]) -> Conversion:
    """With what a dataset says of its pictures, where the user said nothing.

    Raises:
        InvalidFile: pictures of several sizes, for a format whose boxes mean nothing without the size.
    """
    first_frame = SOURCES["coco"].first_frame if how.first_frame is None else how.first_frame
    found = pictures(text, name, first_frame)
    if target in ONE_SIZE and len(found.sizes) > 1:
        listed = ", ".join(f"{width}x{height}" for width, height in found.sizes[:4])
        raise InvalidFile(
            name,
            reason=f"pictures of {len(found.sizes)} sizes ({listed}), {target} of a video has one: convert those of "
            "each size by themselves",
        )
    if target in ONE_SIZE and found.named:
        warn(f"{name}: lost: file names of the pictures: {target} numbers them, in the order of their ids")
    return replace(
        how,
        width=how.width or found.width,
        height=how.height or found.height,
        frames=max(how.frames, found.frames),
    )


def _text(annotations: Annotations, target: TextFormat, how: Conversion) -> Iterator[bytes]:
    if not how.tracked:
        annotations = annotations.without_ids()
    if target is READERS["mot"]:
        return mot.write(annotations, truth=how.truth, origin=how.mot_origin)
    return target.write(annotations, truth=how.truth, first_frame=target.first_frame)


def job_of(annotations: Annotations, video_id: str, how: Conversion) -> JobResult:
    """A finished job with these rows as detections, and those with an id as tracks. Every frame is `ok`.

    Raises:
        Misconfigured: a group of which the file has no label.
    """
    rows = annotations[annotations.considered]
    n = max(annotations.frames, how.frames)
    pts_us = [round(frame * 1_000_000 / how.rate) for frame in range(n)]
    frames: tuple[Any, ...] = (np.arange(n), pts_us, ("ok",) * n, ("",) * n)
    return JobResult(
        video_id=video_id,
        job_id="",
        created_at_us=0,
        frames=FrameTable(*frames),
        rate=how.rate,
        width=how.width,
        height=how.height,
        labels=annotations.labels,
        groups=tuple(_groups(rows, how)),
        min_hits=max(1, round(how.rate / 3)),
        conf=0.0,
    )


def _groups(rows: Annotations, how: Conversion) -> Iterator[GroupResult]:
    wanted = how.groups or {"objects": rows.labels}
    for name, labels in wanted.items():
        words = {label.lower() for label in labels}
        class_ids = tuple(k for k, label in enumerate(rows.labels) if label.lower() in words)
        if not class_ids:
            raise Misconfigured(f"group {name}: none of {', '.join(labels)} in {', '.join(rows.labels)}")
        chosen = rows[np.isin(rows.class_id, class_ids)]
        known = chosen[chosen.object_id != NO_ID] if how.tracked else chosen[:0]
        tracks = _table(known).sorted() if len(known) else None
        yield GroupResult(name, class_ids, _table(chosen, ids=False), tracks=tracks)


def _table(rows: Annotations, *, ids: bool = True) -> TrackTable:
    zeros = np.zeros(len(rows), np.int64)
    track_id = rows.object_id if ids else zeros
    return TrackTable(rows.frame, track_id, rows.class_id, rows.xyxy, rows.confidence, zeros.astype(np.uint8))
