"""Detections made elsewhere: a text of them is one more source, with a run folder like that of a video.

Frame numbers and float64 boxes are those of the input. What a text does not say, the rate and the size of the picture,
is said by `--fps` and `--size`; without a size the largest box gives it, and the run says so.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from sightline.adapters.text_detections import TextDetector
from sightline.disk import read_text
from sightline.errors import InvalidFile, Misconfigured, setting
from sightline.formats.annotations import Annotations
from sightline.formats.convert import Conversion, read
from sightline.formats.registry import READERS, reader
from sightline.pipeline import Resolved
from sightline.ports import Stat
from sightline.settings import DetectOptions
from sightline.sources.named import Source, content_hash, content_size, file_times
from sightline.sources.probe import Probed
from sightline.types import Caveat, SourceIndex

__all__ = ["SIZE_GUESSED", "TextDetectors", "open_text", "resolved_for", "without_group"]

SIZE_GUESSED, NO_GROUP = "size_guessed", "no_group"
# Each is some 200 bytes in the records of the tracker, which the log takes up to half a megabyte of.
MAX_BOXES = 2000
FARTHEST = 1e9  # pixels: no picture is as large, and the area of a box must be a number
SHOWN = 8


@dataclass(frozen=True)
class TextDetectors:
    """The one detector of a text; see `Detectors`.

    Attributes:
        detector: finds what the text says.
        boxes: how many of each label there are.
    """

    detector: TextDetector
    boxes: Mapping[str, int]
    calibration_s: float | None = None

    def at(self, width: int, height: int) -> TextDetector:
        """The detector, whatever the size."""
        return self.detector

    def reading(self) -> tuple[str, ...]:
        """Nothing that the settings of a text do not say."""
        return ()

    def keep_only(self, sources: Iterable[tuple[int, int]]) -> None:
        """Release nothing."""


def open_text(
    source: Source, options: DetectOptions, fps: Fraction
) -> tuple[Probed, TextDetectors, dict[str, Any]]:
    """A text of detections as a source: what is in it, who finds it, and the settings that say how it was read.

    Args:
        source: the file, gzipped or not; MOT, VisDrone or KITTI.
        options: numbers of frames and pixels, size of the picture.
        fps: gives rate and times, the input has none.

    Raises:
        NotFound: it is gone.
        InvalidFile: names file and line.
    """
    times, name = file_times(source), source.path.name
    stat = Stat(content_size(source), content_hash(source))
    text = read_text(source.path)
    form = next(word for word, each in READERS.items() if each is reader(None, text, name))
    number = READERS[form].first_frame if options.first_frame is None else options.first_frame
    rows = read(text, name, Conversion(source=form, first_frame=number, mot_origin=options.mot_origin))
    rows.require_confidence(name, number)
    skipped = max(0, (number if options.start_frame is None else options.start_frame) - number)
    rows = rows[rows.frame >= skipped]
    if not len(rows):
        raise InvalidFile(name, reason="no detection in it, or none from the first frame on")
    _require_room(rows, name, number)
    _require_pixels(rows, name, number)
    index = _index(source, rows, form, fps, skipped, options.size)
    settings = {
        "format": form,
        "first_frame": number,
        "start_frame": options.start_frame,
        "mot_origin": options.mot_origin,
        "size": None if options.size is None else list(options.size),
    }
    detector = TextDetector(rows, index, name, stat.sha256)
    counts = np.bincount(rows.class_id[rows.considered], minlength=len(rows.labels)).tolist()
    boxes = {label: count for label, count in zip(rows.labels, counts, strict=True) if count}
    return Probed(source, index, stat, times), TextDetectors(detector, boxes), settings


def resolved_for(probed: Probed, labels: tuple[str, ...], resolved: Resolved) -> Resolved:
    """The pipeline with the groups that a text has labels of, unless `--classes` chooses; MOT is one group `objects`.

    Raises:
        Misconfigured: no group has a label of this file, or classes were asked for where there are none.
    """
    name = probed.source.path.name
    if probed.index.codec == "mot":
        if resolved.classes:
            raise Misconfigured(
                f"{name}: MOT text has no classes; leave out {setting('classes')}", code="usage"
            )
        return resolved.model_copy(update={"groups": {"objects": ("*",)}})
    if resolved.classes:
        return resolved
    known = {label.lower() for label in labels}
    groups = {
        group: members
        for group, members in resolved.groups.items()
        if "*" in members or known.intersection(member.strip().lower() for member in members)
    }
    if not groups:
        listed = ", ".join(sorted({label for members in resolved.groups.values() for label in members}))
        raise Misconfigured(
            f"{name}: its labels are {', '.join(labels)}; the groups want {listed}", code="no_label"
        )
    return resolved.model_copy(update={"groups": groups})


def without_group(boxes: Mapping[str, int], resolved: Resolved) -> tuple[Caveat, ...]:
    """What is said of labels that no group of the pipeline wants, where `--classes` did not choose.

    Args:
        boxes: how many of each label of a text there are; 0 where that is not known, as of a function.
        resolved: of `resolved_for`.
    """
    wanted = {member.strip().lower() for members in resolved.groups.values() for member in members}
    left = {label: count for label, count in boxes.items() if label.lower() not in wanted}
    if resolved.classes or "*" in wanted or not left:
        return ()
    some = dict(list(left.items())[:SHOWN])
    listed = ", ".join(f"{count} of {label}" if count else label for label, count in some.items())
    listed += f" and {len(left) - SHOWN} more" if len(left) > SHOWN else ""
    chosen = ",".join((*resolved.groups, *(label.lower() for label in some)))
    return (Caveat(NO_GROUP, f"boxes in no group, which are not tracked: {listed}; --classes {chosen}"),)


def _require_room(rows: Annotations, name: str, first_frame: int) -> None:
    """Refuse a frame with more boxes than a record holds.

    Raises:
        InvalidFile: names the frame.
    """
    frames, counts = np.unique(rows.frame, return_counts=True)
    if counts.max() > MAX_BOXES:
        crowded = int(np.argmax(counts > MAX_BOXES))
        raise InvalidFile(
            name,
            reason=f"{counts[crowded]} boxes in frame {frames[crowded] + first_frame}, at most {MAX_BOXES} can be "
            "tracked: drop those of low confidence",
        )


def _require_pixels(rows: Annotations, name: str, first_frame: int) -> None:
    """Refuse boxes in parts of the picture, and those that lie in none.

    Raises:
        InvalidFile: all boxes lie within the first pixel, or one farther out than any picture is large.
    """
    far = np.flatnonzero((np.abs(rows.xyxy) > FARTHEST).any(axis=1))
    if len(far):
        raise InvalidFile(
            name,
            reason=f"box {rows.xyxy[far[0]].tolist()} in frame {rows.frame[far[0]] + first_frame} lies in no picture, "
            f"expected pixels, {FARTHEST:.0f} at most",
        )
    if (rows.xyxy >= 0).all() and (rows.xyxy <= 1).all() and (rows.xyxy % 1 != 0).any():
        raise InvalidFile(
            name,
            reason=f"all boxes lie in 0..1, e.g. {rows.xyxy[0].tolist()}: parts of the picture, expected pixels; "
            "multiply x by its width and y by its height",
        )


def _index(
    source: Source,
    rows: Annotations,
    form: str,
    fps: Fraction,
    skipped: int,
    size: tuple[int, int] | None,
) -> SourceIndex:
    """Every frame up to the last box, those without a box too; times are those of the frames' own numbers."""
    frame = np.arange(skipped, rows.frames)
    width, height = size or _extent(rows)
    caveats = (
        Caveat(
            SIZE_GUESSED,
            f"a text does not say how large the picture is: {width}x{height} holds every box; say it with --size",
        ),
    )
    return SourceIndex(
        kind="detections",
        name=source.path.name,
        codec=form,
        width=width,
        height=height,
        rotation=0,
        stream=0,
        time_base=1 / fps,
        frame=frame,
        tick=frame,
        pts_us=np.array([round(each * 1_000_000 / fps) for each in frame.tolist()], np.int64),
        key=np.ones(len(frame), bool),
        duration_us=round(len(frame) * 1_000_000 / fps),
        caveats=caveats if size is None else (),
    )


def _extent(rows: Annotations) -> tuple[int, int]:
    """Whole pixels that hold the right and the lower side of every box; one at least."""
    width, height = (max(1, math.ceil(side)) for side in rows.xyxy[:, 2:].max(axis=0).tolist())
    return width, height
