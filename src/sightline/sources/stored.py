"""Sources in the object store: indexed once when they are accepted, opened by their index afterwards.

Strangers sent them: a confined process decodes them, here and in lanes (docs/security.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Literal

from sightline.adapters.video.file import UPLOADS
from sightline.arrays import ByteArray
from sightline.errors import InvalidVideo, NotFound
from sightline.formats import source_index
from sightline.jobs.recipe import Recipe
from sightline.jobs.requests import SourceRef
from sightline.ports import Decoded, FrameReader, ObjectStore, Stat
from sightline.sources.named import Source
from sightline.sources.probe import OWN_SIZE, SYSTEM_B, Probed
from sightline.types import Chunk, ImageSpec, SourceIndex

__all__ = ["StoredReader", "index_of", "look_into", "open_stored", "probed_of"]


class StoredReader:
    """A `FrameReader` of an object: a copy on this machine is kept for as long as it is open.

    Args:
        objects: the store.
        key: of the source.
        make: opens the file.
    """

    def __init__(self, objects: ObjectStore, key: str, make: Callable[[Path], FrameReader]) -> None:
        self._rest = ExitStack()
        try:
            self._reader = make(self._rest.enter_context(objects.open_local(key)))
            self._rest.callback(self._reader.close)
        except BaseException:
            self._rest.close()
            raise

    def index(self) -> SourceIndex:
        """See `FrameReader`."""
        return self._reader.index()

    def read(
        self, chunk: Chunk, rows: Sequence[int], ticks: Sequence[int], buffer: Callable[[], ByteArray]
    ) -> Iterator[Decoded]:
        """See `FrameReader`."""
        return self._reader.read(chunk, rows, ticks, buffer)

    def close(self) -> None:
        """See `FrameReader`."""
        self._rest.close()


def look_into(objects: ObjectStore, key: str, name: str, kind: Literal["video", "images"]) -> SourceIndex:
    """The index of an object that somebody uploaded.

    Args:
        objects: the store.
        key: of the source.
        name: what its user calls it, for messages.
        kind: a video, or an image that is a video of one frame.

    Raises:
        NotFound: no such object.
        InvalidVideo: it is no video or image that is accepted.
    """
    reader = StoredReader(objects, key, lambda path: _reader(path, name, kind, OWN_SIZE, "none", None))
    try:
        index = reader.index()
    finally:
        reader.close()
    if not len(index):
        raise InvalidVideo(name, reason="it has no frame", code="no_frame")
    return index


def index_of(objects: ObjectStore, source: SourceRef) -> SourceIndex:
    """The index that was stored when a source was accepted.

    Raises:
        InvalidVideo: it is gone, and so is the source.
        Corrupt: it is damaged.
    """
    try:
        blob = b"".join(objects.read(source.index_key))
    except NotFound as error:
        raise InvalidVideo(source.name, reason="its source was removed", code="source_gone") from error
    return source_index.decode(blob, source.index_key)


def probed_of(objects: ObjectStore, source: SourceRef, video_id: str) -> Probed:
    """A source as what follows from it needs it."""
    named = Source(source.kind, Path(source.key), video_id)
    return Probed(named, index_of(objects, source), Stat(source.bytes, source.sha256))


def open_stored(objects: ObjectStore, source: SourceRef, recipe: Recipe) -> FrameReader:
    """A reader of a job's source, for one thread.

    Raises:
        InvalidVideo: the source or its index is gone.
    """
    index = index_of(objects, source)
    image, preprocess = recipe.engine.picture.spec(), recipe.settings.preprocess
    try:
        return StoredReader(
            objects,
            source.key,
            lambda path: _reader(path, source.name, source.kind, image, preprocess, index),
        )
    except NotFound as error:
        raise InvalidVideo(source.name, reason="its source was removed", code="source_gone") from error


def _reader(
    path: Path,
    name: str,
    kind: Literal["video", "images"],
    image: ImageSpec,
    preprocess: str,
    index: SourceIndex | None,
) -> FrameReader:
    from sightline.adapters.confined.reader import ConfinedReader  # late: only who decodes needs it

    prepared = SYSTEM_B if preprocess == "blur-contrast" else None
    return ConfinedReader(path if kind == "video" else [path], image, prepared, name, UPLOADS, index)
