"""Detections made elsewhere: text in, tracks as text out, by the same stages; no run folder.

Frame numbers are those of the input, boxes keep their float64: nothing is rounded on the way to the tracker.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from sightline.adapters.objects import sync_folder
from sightline.app.sources import Source
from sightline.errors import InvalidFile, Misconfigured, Unavailable
from sightline.events import Detected, Tracked
from sightline.formats.annotations import Annotations
from sightline.formats.convert import Conversion, read
from sightline.formats.mot import text_tracks
from sightline.formats.registry import READERS, reader
from sightline.formats.text import read_text
from sightline.pipeline import class_ids
from sightline.stages.collect import track_rows
from sightline.stages.track import Track
from sightline.types import Detections, FrameTable, IntArray, Origin, Outcome, TrackTable
from sightline.vision.bytetrack import TrackerSettings
from sightline.vision.counting import count_tracks, hits_limit
from sightline.vision.refine import RefineSettings, refine

__all__ = ["TextTracks", "track_text", "write_text"]

BATCH = 32


@dataclass(frozen=True, slots=True)
class TextTracks:
    """Tracks of one group of a text of detections.

    Attributes:
        group: its name.
        frames: number of frames.
        first_frame: number of the first frame in the input.
        tracks: published tracks; row seq i is frame `first_frame + i`.
        unique: how many objects count.
    """

    group: str
    frames: int
    first_frame: int
    tracks: TrackTable
    unique: int


def track_text(
    source: Source,
    tracker: TrackerSettings,
    *,
    groups: Mapping[str, Iterable[str]],
    classes: Iterable[str] = (),
    fps: Fraction = Fraction(30),
    start_frame: int | None = None,
    first_frame: int | None = None,
    origin: int = 0,
    refined: RefineSettings | None = None,
) -> list[TextTracks]:
    """Track a text of detections, each group by itself.

    Args:
        source: the file, gzipped or not; MOT, VisDrone or KITTI.
        tracker: settings.
        groups: labels of each group of the pipeline, any case; MOT has no classes and is one group `objects`.
        classes: labels or groups to keep, all where empty.
        fps: gives rate and time, the input has none.
        start_frame: number of the first frame to take, in the input's numbers.
        first_frame: number that the input gives its first frame; None for the format's own.
        origin: number of the first pixel in MOT text.
        refined: settings of the refinement, None for none.

    Raises:
        InvalidFile: names file and line.
        Misconfigured: no group has a label of this file.
    """
    text, name = read_text(source.path), source.path.name
    form = reader(None, text, name)
    number = form.first_frame if first_frame is None else first_frame
    rows = read(text, name, Conversion(first_frame=number, mot_origin=origin))
    rows.require_confidence(name, number)
    skipped = max(0, (number if start_frame is None else start_frame) - number)
    rows = rows[rows.frame >= skipped]
    if not len(rows):
        raise InvalidFile(name, reason="no detection in it, or none from the first frame on")
    total = rows.frames
    parts = _groups(rows, groups, classes, plain=form is READERS["mot"], name=name)
    return [
        _track(group, part, tracker, fps, skipped, total, number + skipped, refined)
        for group, part in parts.items()
    ]


def write_text(out: Path, source: Source, tracks: list[TextTracks]) -> list[Path]:
    """Write `<stem>.txt`, or one file per group where there are several; whole, an older file is replaced.

    Raises:
        Misconfigured: the result would replace its own source.
        Unavailable: the folder cannot be written.
    """
    many = len(tracks) > 1
    written = []
    for part in tracks:
        path = out / (f"{source.video_id}-{part.group}.txt" if many else f"{source.video_id}.txt")
        if path.exists() and path.samefile(source.path):
            raise Misconfigured(f"{path} is the source itself: choose another --out", code="usage")
        table = part.tracks
        chunks = text_tracks(table.seq + part.first_frame, table.track_id, table.xyxy, table.confidence)
        _write(path, chunks)
        written.append(path)
    return written


def _groups(
    rows: Annotations, groups: Mapping[str, Iterable[str]], classes: Iterable[str], *, plain: bool, name: str
) -> dict[str, Annotations]:
    if plain:
        if tuple(classes):
            raise Misconfigured(f"{name}: MOT text has no classes; leave out --classes", code="usage")
        return {"objects": rows}
    members = {group: tuple(words) for group, words in groups.items()}
    ids = class_ids(members, rows.labels, tuple(classes) or tuple(_that_fit(members, rows.labels, name)))
    return {group: rows[np.isin(rows.class_id, chosen)] for group, chosen in ids.items()}


def _that_fit(groups: Mapping[str, Sequence[str]], labels: Sequence[str], name: str) -> list[str]:
    """Groups that have a label of this file: its format knows more or fewer than the pipeline asks for."""
    known = {"*", *(label.lower() for label in labels)}
    found = [group for group, words in groups.items() if not known.isdisjoint(map(str.lower, words))]
    if not found:
        listed = ", ".join(sorted({word for words in groups.values() for word in words}))
        raise Misconfigured(
            f"{name}: its labels are {', '.join(labels)}; the groups want {listed}", code="no_label"
        )
    return found


def _track(
    group: str,
    rows: Annotations,
    settings: TrackerSettings,
    fps: Fraction,
    skipped: int,
    total: int,
    first_frame: int,
    refined: RefineSettings | None,
) -> TextTracks:
    pts = np.array([round(frame * 1_000_000 / fps) for frame in range(skipped, total)], np.int64)
    raw = _raw(group, rows, settings, pts, skipped, total)
    n = total - skipped
    looked: list[Outcome] = ["ok"] * n
    frames = FrameTable(np.arange(n), pts, tuple(looked), ("",) * n)
    if refined is not None:
        tracks = refine(frames, raw, refined)
    else:
        tracks = raw[raw.origin != Origin.BIRTH]
    counted = count_tracks(frames, tracks, hits_limit(fps))
    return TextTracks(group, n, first_frame, tracks, int((counted.counted_seq >= 0).sum()))


def _raw(
    group: str, rows: Annotations, settings: TrackerSettings, pts: IntArray, skipped: int, total: int
) -> TrackTable:
    stage = Track(settings)
    state = stage.initial()
    parts: list[TrackTable] = []
    batch: list[Detected] = []
    per_frame: Iterator[Annotations] = rows.by_frame(total)
    for frame, found in enumerate(per_frame):
        if frame < skipped:
            continue
        seq = frame - skipped
        boxes = Detections(found.xyxy, found.confidence, found.class_id)
        batch.append(Detected("text", f"detections:{group}", seq, frame, int(pts[seq]), "ok", "", boxes))
        if len(batch) == BATCH or frame == total - 1:
            out = stage.process(batch, state)
            state, batch = out.state, []
            for record in out.records:
                if isinstance(record, Tracked):
                    parts += [part for part in (record.births, track_rows(record)) if len(part)]
    return TrackTable.concatenate(parts).sorted()


def _write(path: Path, chunks: Iterable[bytes]) -> None:
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as out:
            for chunk in chunks:
                out.write(chunk)
            out.flush()
            os.fsync(out.fileno())
        part.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise Unavailable(f"{path}: cannot be written: {error.strerror}", code="unwritable") from error
