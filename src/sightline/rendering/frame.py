"""One frame as a picture, to draw lines and zones on: of a video, a folder of images, or a run with its tracks."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image

from sightline.adapters.drawing.canvas import grid_labels, grid_lines, paint
from sightline.adapters.drawing.overlays import Look, Overlay, on_frame, overlays, shapes
from sightline.arrays import ByteArray, IntArray
from sightline.disk import make_folder, write_whole
from sightline.errors import InvalidVideo, Misconfigured, setting
from sightline.ports import FrameReader
from sightline.rendering.annotate import BLANK
from sightline.rendering.render import check_size, fps_of, source_of, with_shapes
from sightline.runs.load import find_runs, load_result, names_of
from sightline.runs.place import in_folder
from sightline.runs.recount import ShapesOf
from sightline.sources.named import Source, expand
from sightline.sources.probe import open_reader
from sightline.types import ImageSpec, JobResult, SourceIndex
from sightline.vision import sampling
from sightline.vision.ground import Ground

__all__ = ["SUFFIXES", "Pick", "Picked", "decoded_frame", "jpeg_of", "pick_frame", "write_image"]

SUFFIXES = (".png", ".jpg", ".jpeg")
JPEG_QUALITY = 92


@dataclass(frozen=True, slots=True)
class Pick:
    """Which frame, and what is drawn on it.

    Attributes:
        at_us: the frame that is shown at this time of the source, microseconds; None for `frame`.
        frame: number in the source, from 0; None for `at_us`. Neither: the first frame.
        fps: of a folder of images or a raw stream; None for what has times.
        source: where the source of a run lies now.
        look: lines and zones; trails of a run.
        shapes: lines and zones of the video, by its names, instead of those of `look`.
        grid: lines every tenth below what is drawn, with their coordinates above it.
    """

    at_us: int | None = None
    frame: int | None = None
    fps: Fraction | None = None
    source: Path | None = None
    look: Look = field(default_factory=Look)
    shapes: ShapesOf | None = None
    grid: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Picked:
    """A frame.

    Attributes:
        image: uint8 (H, W, 3), RGB.
        frame: its number in the source, from 0.
        pts_us: its time, microseconds.
    """

    image: ByteArray
    frame: int
    pts_us: int


def pick_frame(path: Path, pick: Pick) -> Picked:
    """Decode one frame and draw on it what was asked for.

    Args:
        path: a video, a folder of images, a run folder or that of a command with one run.
        pick: see there.

    Raises:
        NotFound: nothing is there.
        Misconfigured: no such frame or time, text of detections that was not tracked, or a line beside the picture.
        InvalidVideo: it cannot be read, or this frame not be decoded.
    """
    picked = _of_run(path, pick) if _is_run(path) else _of_source(_pictures(path), pick)
    return Picked(grid_labels(picked.image), picked.frame, picked.pts_us) if pick.grid else picked


def write_image(image: ByteArray, out: Path) -> None:
    """Write a PNG, or a JPEG where the name says so; an older file is replaced.

    Raises:
        Misconfigured: another ending.
        Unavailable: it cannot be written.
    """
    if out.suffix.lower() not in SUFFIXES:
        raise Misconfigured(f"{out}: name a picture, {', '.join(SUFFIXES)}", code="usage")
    make_folder(out.parent)
    if out.suffix.lower() == ".png":
        made = io.BytesIO()
        Image.fromarray(image).save(made, "PNG")
        write_whole(out, [made.getvalue()])
    else:
        write_whole(out, [jpeg_of(image)])


def jpeg_of(image: ByteArray, width: int | None = None) -> bytes:
    """An image as JPEG; narrowed to a width, where it is wider."""
    picture, made = Image.fromarray(image), io.BytesIO()
    if width is not None and width < picture.width:
        height = max(1, round(picture.height * width / picture.width))
        picture = picture.resize((width, height), Image.Resampling.BOX, reducing_gap=None)
    picture.save(made, "JPEG", quality=JPEG_QUALITY, subsampling=0)
    return made.getvalue()


def _is_run(path: Path) -> bool:
    return path.is_dir() and ((path / "run.json").is_file() or any(path.glob("*/run.json")))


def _pictures(path: Path) -> Source:
    found, errors = expand([path])
    if errors:
        raise errors[0].error
    if len(found) != 1:
        raise Misconfigured(f"{path} holds {len(found)} sources: name one of them", code="usage")
    if found[0].kind == "detections":
        raise Misconfigured(
            f"{path.name}: text of detections has no picture; track it, then name its run folder",
            code="usage",
        )
    return found[0]


def _of_source(source: Source, pick: Pick) -> Picked:
    with _opened(source, pick.fps) as reader:
        index = reader.index()
        if pick.fps is not None and index.clock == "file":
            raise Misconfigured(
                f"{source.path.name}: a video has its own times; leave out {setting('fps')}", code="usage"
            )
        row = _place(source.video_id, index.frame, index.pts_us, index.duration_us, pick)
        image = decoded_frame(source.video_id, reader, index, row)
    (look,) = with_shapes(pick.look, pick.shapes, [(source.video_id, source.path.name, source.path.stem)])
    overlay = Overlay(shapes=shapes(look, index.width, index.height), marks=look.names)
    return Picked(paint(_ground(image, pick), overlay), int(index.frame[row]), int(index.pts_us[row]))


def _of_run(path: Path, pick: Pick) -> Picked:
    folders = find_runs(path)
    if len(folders) > 1:
        raise Misconfigured(f"{path} holds {len(folders)} runs: name one of them", code="usage")
    place = in_folder(folders[0])
    result, run = load_result(place)
    (look,) = with_shapes(pick.look, pick.shapes, [names_of(run)])
    source = source_of(place, pick.source, run)
    if source is None:
        frames = result.frames
        lasts_us = int(frames.pts_us[-1]) + round(1_000_000 / result.rate)
        seq = _place(result.video_id, frames.frame, frames.pts_us, lasts_us, pick)
        image = np.full((result.height, result.width, 3), BLANK, np.uint8)
        frame, pts_us = int(frames.frame[seq]), int(frames.pts_us[seq])
        return Picked(_with_tracks(result, frame, _ground(image, pick), look), frame, pts_us)
    with _opened(source, fps_of(run, source)) as reader:
        index = reader.index()
        check_size(result, run, source, index.width, index.height)
        row = _place(source.video_id, index.frame, index.pts_us, index.duration_us, pick)
        image = decoded_frame(source.video_id, reader, index, row)
    frame = int(index.frame[row])
    return Picked(_with_tracks(result, frame, _ground(image, pick), look), frame, int(index.pts_us[row]))


def _ground(image: ByteArray, pick: Pick) -> ByteArray:
    """What is drawn on."""
    return grid_lines(image) if pick.grid else image


def _with_tracks(result: JobResult, frame: int, image: ByteArray, look: Look) -> ByteArray:
    """The image with what the run found there; with lines and zones alone where it did not sample this frame.

    These are then where the camera saw them in the last frame before that it sampled.
    """
    seq = max(0, int(np.searchsorted(result.frames.frame, frame, side="right")) - 1)
    if len(result.frames) and int(result.frames.frame[seq]) == frame:
        overlay = next(islice(overlays(result, look), seq, None))
    else:
        size, ground = (result.width, result.height), Ground.of(result.camera, result.frames.frame)
        overlay = on_frame(Overlay(marks=look.names), look, size, ground, seq)
    return paint(image, overlay)


@contextmanager
def _opened(source: Source, fps: Fraction | None) -> Iterator[FrameReader]:
    reader = open_reader(source, ImageSpec(0, 0), "none", fps)
    try:
        yield reader
    finally:
        reader.close()


def _place(name: str, frame: IntArray, pts_us: IntArray, lasts_us: int, pick: Pick) -> int:
    """Row of the frame that was picked.

    Raises:
        Misconfigured: there is none; says what there is.
    """
    if pick.frame is not None:
        row = int(np.searchsorted(frame, pick.frame))
        if row == len(frame) or int(frame[row]) != pick.frame:
            raise Misconfigured(
                f"{name}: no frame {pick.frame}; its {len(frame)} frames have numbers from {frame[0]} to {frame[-1]}",
                code="usage",
            )
        return row
    at_us = int(pts_us[0]) if pick.at_us is None else pick.at_us
    if at_us >= max(lasts_us, int(pts_us[-1]) + 1):
        raise Misconfigured(
            f"{name}: nothing at {at_us / 1e6:g} s, it lasts {lasts_us / 1e6:.3f} s", code="usage"
        )
    return max(0, int(np.searchsorted(pts_us, at_us, side="right")) - 1)


def decoded_frame(name: str, reader: FrameReader, index: SourceIndex, row: int) -> ByteArray:
    """The picture of one row of an index, uint8 (H, W, 3).

    Raises:
        InvalidVideo: it cannot be decoded.
    """
    chunk = next(each for each in sampling.chunks(index) if each.first <= row < each.end)
    shape = (index.height, index.width, 3)
    reason = index.failed.get(row, "")
    if not reason:
        read = reader.read(chunk, [row], [int(index.tick[row])], lambda: np.empty(shape, np.uint8))
        for decoded in read:
            if decoded.buffer is not None:
                return decoded.buffer
            reason = decoded.reason
    raise InvalidVideo(
        name, reason=f"frame {index.frame[row]} cannot be decoded ({reason}): choose another", code="no_frame"
    )
