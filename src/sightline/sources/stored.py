"""Sources of a service: indexed once when they are accepted, opened by their index afterwards.

Those in the object store were sent by strangers; others lie below roots, where they may change at any time. A confined
process decodes all of them, here and in lanes (docs/security.md).
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from sightline.adapters.video.file import OWN_FILES, UPLOADS
from sightline.arrays import ByteArray
from sightline.errors import InvalidVideo, NotFound, Unavailable
from sightline.formats import source_index
from sightline.jobs.recipe import Recipe
from sightline.jobs.requests import SourceRef
from sightline.ports import Decoded, FrameReader, ObjectStore, Stat
from sightline.sources.named import Source, Traits, content_hash, image_files, traits
from sightline.sources.probe import OWN_SIZE, SYSTEM_B, Probed
from sightline.sources.roots import Roots
from sightline.types import Chunk, ImageSpec, SourceIndex

if TYPE_CHECKING:
    from sightline.adapters.confined.reader import ConfinedReader

__all__ = [
    "Places",
    "StoredReader",
    "check_source",
    "index_of",
    "index_of_file",
    "look_into",
    "open_packets",
    "open_pictures",
    "open_stored",
    "probed_of",
    "stat_of",
    "traits_of",
]

_OF_A_FILE = frozenset({errno.EACCES, errno.EPERM, errno.EIO, errno.ESTALE})


@dataclass(frozen=True)
class Places:
    """Where sources lie: in a store, and below roots."""

    objects: ObjectStore
    roots: Roots

    def local(self, source: SourceRef) -> AbstractContextManager[Path]:
        """A source as a file or folder of this machine, for as long as it is needed.

        Raises:
            NotFound: it is gone.
        """
        if source.root:
            return nullcontext(self.roots.path(source.root, source.key))
        return self.objects.open_local(source.key)

    def name_of(self, source: SourceRef, index: SourceIndex, row: int, chunk: int) -> str:
        """Where the pixels of a frame are, as system A's table says it: an image, or a video and a chunk of it."""
        place = self.roots.name(source.root, source.key) if source.root else source.key
        if source.kind == "images":
            return f"{place}/{index.names[row]}" if source.root else place
        return f"{place}#chunk={chunk}"

    def named(self, source: SourceRef) -> Source:
        """A source below a root as the command line would have it.

        Raises:
            NotFound: it is gone.
        """
        return Source(source.kind, self.roots.path(source.root, source.key), source.name)


class StoredReader:
    """A `FrameReader` of a source: a copy on this machine is kept for as long as it is open.

    Args:
        source: which one.
        local: gives the file or folder.
        make: opens it.
    """

    def __init__(
        self, source: SourceRef, local: AbstractContextManager[Path], make: Callable[[Path], FrameReader]
    ) -> None:
        self._source, self._rest = source, ExitStack()
        try:
            self._reader = make(self._rest.enter_context(local))
            self._rest.callback(self._reader.close)
        except BaseException:
            self._rest.close()
            raise

    def index(self) -> SourceIndex:
        """See `FrameReader`."""
        with self._own_errors():
            return self._reader.index()

    def read(
        self, chunk: Chunk, rows: Sequence[int], ticks: Sequence[int], buffer: Callable[[], ByteArray]
    ) -> Iterator[Decoded]:
        """See `FrameReader`.

        Raises:
            InvalidVideo: `source_gone`: an image was removed meanwhile. `unreadable`: a file below a root cannot be read.
        """
        try:
            with self._own_errors():
                yield from self._reader.read(chunk, rows, ticks, buffer)
        except NotFound as error:
            raise _gone(self._source.name) from error

    def close(self) -> None:
        """See `FrameReader`."""
        self._rest.close()

    @contextmanager
    def _own_errors(self) -> Iterator[None]:
        """A file below a root that cannot be read ends its job; an object that cannot be read is an outage of the store."""
        try:
            yield
        except Unavailable as error:
            cause = error.__cause__
            if not self._source.root or not isinstance(cause, OSError) or cause.errno not in _OF_A_FILE:
                raise
            reason = f"cannot be read ({cause.strerror}): check its disk and its permissions"
            raise InvalidVideo(self._source.name, reason=reason, code="unreadable") from error


def look_into(places: Places, source: SourceRef, fps: Fraction | None = None) -> SourceIndex:
    """The index of a source that somebody uploaded or named.

    Args:
        places: where sources lie.
        source: which one.
        fps: images per second of a folder below a root; None: the times that their names give, else 30.

    Raises:
        NotFound: there is none.
        InvalidVideo: it is no video, and these are no images, that are accepted.
    """
    asked = fps if source.root and source.kind == "images" else None
    reader = StoredReader(
        source, places.local(source), lambda path: _reader(path, source, OWN_SIZE, "none", None, asked)
    )
    try:
        index = reader.index()
    finally:
        reader.close()
    if not len(index):
        raise InvalidVideo(source.name, reason="it has no frame", code="no_frame")
    return index


def traits_of(places: Places, source: SourceRef) -> Traits:
    """Bytes of a source below a root, and a digest of names, sizes and times of its files.

    Raises:
        NotFound: it is gone.
    """
    return traits(places.named(source))


def stat_of(places: Places, source: SourceRef) -> Stat:
    """Size and hash of a source; one that lies below a root is read for it.

    Raises:
        InvalidVideo: `source_gone` or `source_changed` since it was accepted.
    """
    if not source.root:
        return Stat(source.bytes, source.sha256)
    _require_same(places, source, "")
    try:
        digest = content_hash(places.named(source))
    except NotFound as error:
        raise _gone(source.name) from error
    _require_same(places, source, "")
    return Stat(source.bytes, digest)


def check_source(places: Places, source: SourceRef, sha256: str) -> None:
    """Make sure that what was decoded is what was hashed; hours may lie between.

    Raises:
        InvalidVideo: `source_gone` or `source_changed` meanwhile.
    """
    if source.root:
        _require_same(places, source, sha256)


def _require_same(places: Places, source: SourceRef, sha256: str) -> None:
    """Names, sizes and times are those of the acceptance, or the content has this hash."""
    try:
        named = places.named(source)
        if traits(named).times == source.times or (sha256 and content_hash(named) == sha256):
            return
    except NotFound as error:
        raise _gone(source.name) from error
    raise InvalidVideo(
        source.name,
        reason="it was changed after it was accepted: start it again when it stays as it is",
        code="source_changed",
    )


def _gone(name: str) -> InvalidVideo:
    return InvalidVideo(name, reason="its source was removed", code="source_gone")


def index_of(objects: ObjectStore, source: SourceRef) -> SourceIndex:
    """The index that was stored when a source was accepted.

    Raises:
        InvalidVideo: it is gone, and so is the source.
        Corrupt: it is damaged.
    """
    try:
        blob = b"".join(objects.read(source.index_key))
    except NotFound as error:
        raise _gone(source.name) from error
    return source_index.decode(blob, source.index_key)


def probed_of(objects: ObjectStore, source: SourceRef, video_id: str, stat: Stat) -> Probed:
    """A source as what follows from it needs it."""
    return Probed(Source(source.kind, Path(source.key), video_id), index_of(objects, source), stat)


def open_stored(places: Places, source: SourceRef, recipe: Recipe) -> FrameReader:
    """A reader of a job's source, for one thread.

    Raises:
        InvalidVideo: the source or its index is gone, or it is another one now.
    """
    image, preprocess = recipe.engine.picture.spec(), recipe.settings.preprocess
    return _opened(places, source, image, preprocess, recipe.source.sha256)


def open_pictures(
    places: Places, source: SourceRef, sha256: str = "", preprocess: str = "none"
) -> FrameReader:
    """A reader of a source's whole frames, RGB, for one thread.

    Args:
        places: where sources lie.
        source: which one.
        sha256: of its content, where it is known: it may then have been touched.
        preprocess: how they are prepared, by its name in a pipeline.

    Raises:
        InvalidVideo: the source or its index is gone, or it is another one now.
    """
    return _opened(places, source, OWN_SIZE, preprocess, sha256)


@contextmanager
def open_packets(
    places: Places, source: SourceRef
) -> Iterator[tuple[bytes, Iterator[tuple[int | None, bytes]]]]:
    """Packets of a video as an MP4 holds them; see `ConfinedReader.packets`.

    Raises:
        InvalidVideo: the source is gone, or it is another one now.
    """
    check_source(places, source, "")
    try:
        with places.local(source) as path:
            reader = _reader(path, source, OWN_SIZE, "none", None)
            try:
                yield reader.packets()
            finally:
                reader.close()
    except NotFound as error:
        raise _gone(source.name) from error


def index_of_file(path: Path, name: str) -> SourceIndex:
    """The index of a video that was made here of a stranger's packets, found as that of an upload is.

    Raises:
        InvalidVideo: it is none.
    """
    from sightline.adapters.confined.reader import ConfinedReader  # late: only who decodes needs it

    reader = ConfinedReader(path, OWN_SIZE, None, name)
    try:
        return reader.index()
    finally:
        reader.close()


def _opened(places: Places, source: SourceRef, image: ImageSpec, preprocess: str, sha256: str) -> FrameReader:
    index = index_of(places.objects, source)
    check_source(places, source, sha256)
    try:
        return StoredReader(
            source, places.local(source), lambda path: _reader(path, source, image, preprocess, index)
        )
    except NotFound as error:
        raise _gone(source.name) from error


def _reader(
    path: Path,
    source: SourceRef,
    image: ImageSpec,
    preprocess: str,
    index: SourceIndex | None,
    fps: Fraction | None = None,
) -> ConfinedReader:
    from sightline.adapters.confined.reader import ConfinedReader  # late: only who decodes needs it

    prepared = SYSTEM_B if preprocess == "blur-contrast" else None
    files = path if source.kind == "video" else _images(path, index)
    limits = OWN_FILES if source.root else UPLOADS
    return ConfinedReader(files, image, prepared, source.name, limits, index, fps, required=not source.root)


def _images(path: Path, index: SourceIndex | None) -> list[Path]:
    """The images of a folder, in the order of its index where there is one; one that was sent is a file."""
    if not path.is_dir():
        return [path]
    return image_files(path) if index is None else [path / name for name in index.names]
