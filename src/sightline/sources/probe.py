"""Probe: a source indexed and hashed, before a single frame is decoded."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from sightline.adapters.images.folder import ImageFolderReader
from sightline.adapters.video.decode import first_frame
from sightline.adapters.video.reader import VideoReader
from sightline.errors import InvalidVideo, Misconfigured, Rejected, SightlineError, setting
from sightline.ports import FrameReader, Stat
from sightline.sources.named import Source, content_hash, content_size, file_times
from sightline.types import ImageSpec, SourceIndex
from sightline.vision.preprocess import Preprocess

__all__ = ["Probed", "check_unchanged", "open_reader", "picture_size", "probe"]

OWN_SIZE = ImageSpec(0, 0)
# Gaussian blur 3, contrast 1.3, brightness 5: what the pipeline `detect` promises bit for bit.
SYSTEM_B = Preprocess(3, 1.3, 5.0)


@dataclass(frozen=True)
class Probed:
    """A source and what is in it; `times` of its files before anything was read."""

    source: Source
    index: SourceIndex
    stat: Stat
    times: tuple[tuple[str, int, int], ...] = ()


def probe(source: Source, fps: Fraction | None) -> Probed:
    """Index and hash a source.

    Raises:
        NotFound: it is gone.
        InvalidVideo: nothing in it can be decoded.
        Misconfigured: `fps` for a video that has its own times.
    """
    times = file_times(source)
    reader = open_reader(source, OWN_SIZE, "none", fps)
    try:
        index = reader.index()
    finally:
        reader.close()
    if fps is not None and index.clock == "file":
        raise Misconfigured(
            f"{source.path.name}: a video has its own times; leave out {setting('fps')}", code="usage"
        )
    if not len(index):
        raise InvalidVideo(source.video_id, reason="it has no frame", code="no_frame")
    return Probed(source, index, Stat(content_size(source), content_hash(source)), times)


def picture_size(source: Source) -> tuple[int, int] | None:
    """Width and height by the first frame alone; None where it cannot be read: opening the source says why."""
    try:
        if source.kind == "images":
            index = open_reader(source, OWN_SIZE, "none", None).index()
            return index.width, index.height
        frame = first_frame(source.path)
        return None if frame is None else (frame.width, frame.height)
    except SightlineError:
        return None


def check_unchanged(probed: Probed) -> None:
    """Make sure that what was decoded is what was hashed; hours may lie between.

    Raises:
        InvalidVideo: the source was replaced, changed or removed meanwhile.
    """
    try:
        same = file_times(probed.source) == probed.times or content_hash(probed.source) == probed.stat.sha256
    except (Rejected, OSError):
        same = False
    if not same:
        raise InvalidVideo(
            probed.source.video_id,
            reason="it was changed while it was processed: repeat the command when it stays as it is",
            code="source_changed",
        )


def open_reader(
    source: Source,
    image: ImageSpec,
    preprocess: str,
    fps: Fraction | None,
    index: SourceIndex | None = None,
) -> FrameReader:
    """A reader of a source, for one thread; `index` spares it another look at all of a video's packets."""
    prepared = SYSTEM_B if preprocess == "blur-contrast" else None
    if source.kind == "images":
        return ImageFolderReader(source.path, image, prepared, fps)
    return VideoReader(source.path, image, prepared, index=index, fps=fps)
