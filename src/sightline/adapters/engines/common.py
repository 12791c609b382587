"""What all engines have in common: the size of the picture, the precision, the processor."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from sightline.arrays import ByteArray
from sightline.errors import Misconfigured, setting
from sightline.types import ImageSpec
from sightline.vision.heads import Profile

__all__ = [
    "PRECISIONS",
    "Feed",
    "Precision",
    "is_quantised",
    "picture_size",
    "precision_of",
    "reason",
    "takes_bytes",
]

Precision = Literal["f32", "bf16", "int8"]
PRECISIONS: tuple[Precision, ...] = get_args(Precision)

# Strides of the usual networks divide it, and their feature maps meet again only in multiples of it.
_MULTIPLE = 32
_USUAL_SIZE = (640, 640)


class Feed:
    """Writes pictures into the input of a network, as its type, order and training ask for it."""

    def __init__(
        self, profile: Profile, image: ImageSpec, dtype: str = "float32", *, nhwc: bool = False
    ) -> None:
        """Prepare for pictures of `image`, in the network's own order of colours."""
        self._image, self._dtype, self._nhwc = image, dtype, nhwc
        self._bytes = takes_bytes(profile, dtype)
        self._factor = np.float32(1 / profile.scale)
        self._normal: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None
        if not profile.is_plain:
            mean, std = (
                np.array(values, np.float32).reshape(3, 1, 1) for values in (profile.mean, profile.std)
            )
            self._normal = self._factor / std, mean / std

    def planes(self) -> NDArray[Any]:
        """A buffer for the input, of one picture."""
        height, width = self._image.height, self._image.width
        shape = (1, height, width, 3) if self._nhwc else (1, 3, height, width)
        return np.empty(shape, self._dtype)

    def write(self, picture: ByteArray, planes: NDArray[Any]) -> None:
        """Fill `planes` with a picture, uint8 (height, width, 3)."""
        target = planes[0].transpose(2, 0, 1) if self._nhwc else planes[0]
        source = picture.transpose(2, 0, 1)
        if self._bytes:
            target[...] = source
        elif self._normal is None:
            np.multiply(source, self._factor, out=target, casting="unsafe")
        else:
            gain, shift = self._normal
            target[...] = source * gain - shift


def takes_bytes(profile: Profile, dtype: str) -> bool:
    """Whether a network takes pixel values 0..255 as they are, as one with an input of bytes does.

    Raises:
        Misconfigured: its card says to divide them or to subtract from them, which bytes cannot hold.
    """
    if dtype != "uint8":
        return False
    if profile.scale not in (1.0, 255.0) or not profile.is_plain:
        raise Misconfigured(
            f"{profile.name}: its input takes bytes, which are given as they are: leave out scale, mean and std in the "
            "model card, or write scale = 1.0",
            code="model_card",
        )
    return True


def picture_size(
    profile: Profile, fixed: tuple[int, int] | None, asked: tuple[int, int] | None
) -> tuple[int, int]:
    """Width and height of the picture: the network's own, or what was asked for, the card's, 640 x 640.

    Args:
        profile: from the model's card.
        fixed: the only size that the network takes; None where it takes any.
        asked: the user's; None for none.

    Raises:
        Misconfigured: the network is fixed to another size, or the size is no multiple of 32.
    """
    if fixed is not None:
        if asked not in (None, fixed):
            raise Misconfigured(
                f"{profile.name} takes pictures of {_words(fixed)} only, not {_words(asked)}: leave out {setting('imgsz')}",
                code="imgsz",
            )
        return fixed
    size = asked or profile.imgsz or _USUAL_SIZE
    if min(size) < _MULTIPLE or size[0] % _MULTIPLE or size[1] % _MULTIPLE:
        nearest = tuple(max(1, round(side / _MULTIPLE)) * _MULTIPLE for side in size)
        raise Misconfigured(
            f"{profile.name}: pictures of {_words(size)}, but sides are multiples of {_MULTIPLE}: "
            f"{setting('imgsz', f'{nearest[0]}x{nearest[1]}')}",
            code="imgsz",
        )
    return size


def precision_of(profile: Profile, asked: str, quantised: bool) -> Precision:
    """The precision that a network runs in.

    Args:
        profile: from the model's card.
        asked: `f32`, `bf16` or `int8`; `auto` is resolved before (`adapters.engines.calibration`).
        quantised: the network holds quantised weights.

    Raises:
        Misconfigured: unknown, or not that of this network.
    """
    known: dict[str, Precision] = {precision: precision for precision in PRECISIONS}
    if asked not in known:
        raise Misconfigured(f"precision {asked!r}: one of {', '.join(PRECISIONS)}", code="precision")
    if quantised and asked != "int8":
        raise Misconfigured(
            f"{profile.name} is quantised: {setting('precision', 'int8')}, or take the network it was made from",
            code="precision",
        )
    if asked == "int8" and not quantised:
        raise Misconfigured(
            f"{profile.name} is not quantised: give the int8 network as {setting('model')}, or {setting('precision', 'f32')}",
            code="precision",
        )
    return known[asked]


def is_quantised(path: Path) -> bool:
    """Whether a network holds quantised weights: their operations are named in the file, ONNX's or OpenVINO's."""
    content = path.read_bytes()
    return b"FakeQuantize" in content or b"QuantizeLinear" in content


@cache
def reason(exc: Exception, path: Path | None = None) -> str:
    """What an engine says of its failure: the last line, without the folder of the model."""
    lines = [line.strip() for line in str(exc).splitlines() if line.strip()]
    said = lines[-1] if lines else type(exc).__name__
    return said if path is None else said.replace(str(path), path.name)


def _words(size: tuple[int, int] | None) -> str:
    return "any size" if size is None else f"{size[0]}x{size[1]}"
