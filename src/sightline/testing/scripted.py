"""A reader and a detector that follow a script: frames that are their own numbers, and what is found on them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction

import numpy as np

from sightline.arrays import ByteArray
from sightline.ports import Decoded, DetectorInfo, Slot
from sightline.types import Chunk, Detections, ImageSpec, SourceIndex


class ScriptedReader:
    """Frames whose picture is their own number: four bytes, little endian, in the first pixels.

    Args:
        frames: how many there are.
        group: frames per group of pictures.
        failed: rows that do not decode.
    """

    def __init__(self, frames: int, *, group: int = 40, failed: Sequence[int] = ()) -> None:
        self._frames, self._group, self._failed = frames, group, frozenset(failed)
        self.decoded: list[int] = []

    def index(self) -> SourceIndex:
        """See `FrameReader`."""
        rows = np.arange(self._frames)
        return SourceIndex(
            kind="video",
            name="scripted",
            codec="scripted",
            width=640,
            height=360,
            rotation=0,
            stream=0,
            time_base=Fraction(1, 25),
            frame=rows,
            tick=rows,
            pts_us=rows * 40_000,
            key=rows % self._group == 0,
            duration_us=self._frames * 40_000,
        )

    def read(
        self, chunk: Chunk, rows: Sequence[int], ticks: Sequence[int], buffer: Callable[[], ByteArray]
    ) -> Iterator[Decoded]:
        """See `FrameReader`."""
        for row in rows:
            self.decoded.append(row)
            if row in self._failed:
                yield Decoded(row, "failed", "undecodable")
                continue
            picture = buffer()
            picture.reshape(-1)[:4] = np.frombuffer(row.to_bytes(4, "little"), np.uint8)
            yield Decoded(row, "ok", "", picture)

    def close(self) -> None:
        """See `FrameReader`."""


class ScriptedDetector:
    """Finds what `script` says for the number in a `ScriptedReader`'s picture.

    Args:
        script: detections of a frame, in pixels of the picture.
        labels: of the model.
    """

    def __init__(
        self, script: Callable[[int], Detections], labels: Sequence[str] = ("car", "person")
    ) -> None:
        self._script = script
        self._info = DetectorInfo(
            "scripted", "0" * 64, tuple(labels), "scripted", "1", "f32", ImageSpec(64, 32, "rgb", "topleft")
        )

    @property
    def info(self) -> DetectorInfo:
        """See `Detector`."""
        return self._info

    def slot(self) -> Slot:
        """See `Detector`."""
        return _ScriptedSlot(self._script, self._info.image)

    def close(self) -> None:
        """See `Detector`."""


class _ScriptedSlot:
    def __init__(self, script: Callable[[int], Detections], image: ImageSpec) -> None:
        self._script = script
        self._image = np.zeros(image.shape(), np.uint8)
        self._found = Detections.empty()

    @property
    def image(self) -> ByteArray:
        return self._image

    def start(self) -> None:
        self._found = self._script(int.from_bytes(self._image.reshape(-1)[:4].tobytes(), "little"))

    def result(self) -> Detections:
        return self._found
