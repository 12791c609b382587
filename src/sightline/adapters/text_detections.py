"""Detections made elsewhere as reader and detector: the "picture" of a frame is its row, eight bytes.

So a text of detections goes the way of a video: fed, tracked, collected and published by the same workers, resumed and
repeated like one. Nothing is rounded and nothing is sorted on the way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from sightline.arrays import ByteArray, IntArray
from sightline.errors import EngineError
from sightline.formats.annotations import Annotations
from sightline.ports import Decoded, DetectorInfo
from sightline.types import Chunk, Detections, ImageSpec, SourceIndex

__all__ = ["ENGINE", "VERSION", "TextDetector", "TextReader"]

ENGINE, VERSION = "text", "1"
NO_PICTURE = ImageSpec(0, 0)
ROW_BYTES = 8


class TextReader:
    """Writes the row of each frame into its buffer."""

    def __init__(self, index: SourceIndex) -> None:
        """Read frames of a text that has this index."""
        self._index = index

    def index(self) -> SourceIndex:
        """See `FrameReader`."""
        return self._index

    def read(
        self, chunk: Chunk, rows: Sequence[int], ticks: Sequence[int], buffer: Callable[[], ByteArray]
    ) -> Iterator[Decoded]:
        """See `FrameReader`; the buffer is uint8 (8,)."""
        for row in rows:
            image = buffer()
            image[:] = np.frombuffer(int(row).to_bytes(ROW_BYTES, "little"), np.uint8)
            yield Decoded(int(row), "ok", "", image)

    def close(self) -> None:
        """See `FrameReader`."""


class TextDetector:
    """Finds in a frame what the text says of it."""

    def __init__(self, rows: Annotations, index: SourceIndex, name: str, sha256: str) -> None:
        """Look frames up in a text.

        Args:
            rows: of the text; `frame` numbers as in the index.
            index: of the text.
            name, sha256: of the file.
        """
        self._info = DetectorInfo(name, sha256, rows.labels, ENGINE, VERSION, "f64", NO_PICTURE)
        self._found = Detections(rows.xyxy, rows.confidence, rows.class_id)
        self._first: IntArray = np.searchsorted(rows.frame, index.frame)
        self._end: IntArray = np.searchsorted(rows.frame, index.frame, side="right")

    @property
    def info(self) -> DetectorInfo:
        """See `Detector`."""
        return self._info

    def slot(self) -> TextSlot:
        """See `Detector`."""
        return TextSlot(self._of)

    def close(self) -> None:
        """See `Detector`."""

    def _of(self, row: int) -> Detections:
        return self._found[slice(int(self._first[row]), int(self._end[row]))]


class TextSlot:
    """One look-up."""

    def __init__(self, find: Callable[[int], Detections]) -> None:
        self._find = find
        self._row = np.zeros(ROW_BYTES, np.uint8)
        self._found: Detections | None = None

    @property
    def image(self) -> ByteArray:
        """See `Slot`; uint8 (8,), the row in little endian."""
        return self._row

    def start(self) -> None:
        """See `Slot`."""
        self._found = self._find(int.from_bytes(self._row.tobytes(), "little"))

    def result(self) -> Detections:
        """See `Slot`; in the order of the text."""
        if self._found is None:
            raise EngineError("no frame was started")
        return self._found
