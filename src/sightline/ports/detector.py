"""A loaded model: pictures in, boxes out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from sightline.types import ByteArray, Detections, ImageSpec

__all__ = ["Detector", "DetectorInfo", "Slot"]


@dataclass(frozen=True, slots=True)
class DetectorInfo:
    """What decides a detector's output; part of the run key.

    Attributes:
        name, sha256: of the model.
        labels: by class id.
        engine, version: e.g. `openvino`, `2026.4.1`.
        precision: resolved: `f32`, `bf16`, `int8`.
        image: the picture it wants.
    """

    name: str
    sha256: str
    labels: tuple[str, ...]
    engine: str
    version: str
    precision: str
    image: ImageSpec


class Slot(Protocol):
    """One request in flight: fill `image`, `start`, later `result`. Used by one thread at a time."""

    @property
    def image(self) -> ByteArray:
        """Buffer of `ImageSpec.shape()`; not to be written between `start` and `result`."""

    def start(self) -> None:
        """Begin inference and return.

        Raises:
            EngineError: the runtime refused.
        """

    def result(self) -> Detections:
        """Wait; boxes in pixels of `image`, above the thresholds, by falling confidence.

        Raises:
            EngineError: the runtime failed; the slot may be used again.
        """


class Detector(Protocol):
    """A loaded model, shared by threads."""

    @property
    def info(self) -> DetectorInfo:
        """What decides the output."""

    def slot(self) -> Slot:
        """A new request, for the calling thread. Results do not depend on how many there are."""

    def close(self) -> None:
        """Release the model. Repeating is harmless."""
