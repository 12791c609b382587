"""Frames into a detector's buffer: scaled by area averaging, padded, turned upright.

One swscale pass goes straight from the decoder's format to the size and layout of the picture. `accurate_rnd` and
`bitexact` keep scaling independent of the processor's SIMD instructions, for 0.05 ms at 1080p; frames that keep their
size go without, as it would cost 2.4 ms there. `i420` is always BT.601 in
limited range, whatever the video's tags say, because that is what engines convert from: other matrices are converted
at the small size (0.4 ms for 640 x 360, BT.709 videos only).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter

from sightline.arrays import ByteArray
from sightline.errors import Misconfigured
from sightline.types import ImageSpec
from sightline.vision.letterbox import Letterbox
from sightline.vision.preprocess import Preprocess

__all__ = ["Painter"]

_CONVERT = Interpolation.AREA | Interpolation.BITEXACT
_SCALE = _CONVERT | Interpolation.ACCURATE_RND
_FORMATS = {"rgb": "rgb24", "bgr": "bgr24", "i420": "yuv420p"}
_RGB = 0  # AVCOL_SPC_RGB
_OTHER_MATRICES = frozenset({1, 4, 7, 9, 10})  # AVCOL_SPC: BT.709, FCC, SMPTE 240M, BT.2020 twice


class Painter:
    """Writes frames of one source as `spec` wants them.

    Every frame, whatever its own size, is scaled to the letterbox of the first one, so boxes are in its pixels.
    """

    def __init__(
        self, spec: ImageSpec, width: int, height: int, rotation: int, preprocess: Preprocess | None
    ) -> None:
        """Prepare for frames of a source.

        Args:
            spec: the picture; 0 x 0 is the frame's own size, `rgb` or `bgr`.
            width, height: display size of the first frame in pixels, after rotation.
            rotation: degrees that a frame must be turned counter-clockwise: 0, 90, 180, 270.
            preprocess: applied to the full-size frame, before it is scaled.

        Raises:
            Misconfigured: the layout does not allow this size.
        """
        if spec.layout == "i420" and (not spec.width or not spec.height or spec.width % 2 or spec.height % 2):
            raise Misconfigured(
                f"i420 needs an even width and height, not {spec.width} x {spec.height}: use rgb or another size"
            )
        self.letterbox = Letterbox.fit(width, height, spec)
        own = spec.width == 0 and spec.height == 0
        self._spec = ImageSpec(width, height, spec.layout, spec.fit, spec.pad) if own else spec
        self._turns = rotation // 90
        self._preprocess = preprocess
        # A context per step: swscale sets itself up again whenever its parameters change.
        self._full, self._scale, self._matrix = VideoReformatter(), VideoReformatter(), VideoReformatter()

    def paint(self, frame: Any, out: ByteArray) -> None:
        """Fill `out` with the frame and its padding.

        Args:
            frame: an `av.VideoFrame` as decoded.
            out: uint8, C-contiguous, of the picture's shape.

        Raises:
            ValueError: `out` has another shape.
        """
        if out.shape != self._spec.shape() or not out.flags.c_contiguous:
            raise ValueError(f"a buffer of shape {out.shape}, expected {self._spec.shape()}, contiguous")
        if self._preprocess is not None:
            frame = self._preprocessed(frame, self._preprocess)
        box = self.letterbox
        width, height = box.inner_width, box.inner_height
        if self._turns % 2:
            width, height = height, width
        if self._spec.layout == "i420":
            self._paint_i420(self._scaled_i420(frame, width, height), out)
        else:
            how = _CONVERT if (frame.width, frame.height) == (width, height) else _SCALE
            scaled = self._scale.reformat(
                frame, width, height, format=_FORMATS[self._spec.layout], interpolation=how, threads=1
            )
            inner = np.rot90(_plane(scaled, 0, 3).reshape(height, width, 3), self._turns)
            _place(out, inner, box.left, box.top, self._spec.pad)

    def _preprocessed(self, frame: Any, preprocess: Preprocess) -> Any:
        layout = "bgr24" if self._spec.layout == "bgr" else "rgb24"
        full = self._full.reformat(frame, format=layout, interpolation=_CONVERT, threads=1)
        image = _plane(full, 0, 3).reshape(full.height, full.width, 3)
        return VideoFrame.from_numpy_buffer(np.ascontiguousarray(preprocess(image)), format=layout)

    def _scaled_i420(self, frame: Any, width: int, height: int) -> Any:
        # Without a matrix of its own an RGB frame would pass its tag "RGB" on to the YUV picture.
        matrix = Colorspace.ITU601 if frame.colorspace == _RGB else None
        scaled = self._scale.reformat(
            frame,
            width,
            height,
            format="yuv420p",
            interpolation=_SCALE,
            dst_colorspace=matrix,
            dst_color_range=ColorRange.MPEG,
            threads=1,
        )
        if frame.colorspace not in _OTHER_MATRICES:
            return scaled
        return self._matrix.reformat(
            scaled, format="yuv420p", interpolation=_SCALE, dst_colorspace=Colorspace.ITU601, threads=1
        )

    def _paint_i420(self, scaled: Any, out: ByteArray) -> None:
        width, height = self._spec.width, self._spec.height
        box, flat = self.letterbox, out.reshape(-1)
        luma, quarter = width * height, width * height // 4
        _place(
            out[:height], self._upright(scaled, 0), box.left, box.top, round(16 + self._spec.pad * 219 / 255)
        )
        for number, start in ((1, luma), (2, luma + quarter)):
            plane = flat[start : start + quarter].reshape(height // 2, width // 2)
            _place(plane, self._upright(scaled, number), box.left // 2, box.top // 2, 128)

    def _upright(self, scaled: Any, number: int) -> ByteArray:
        return np.rot90(_plane(scaled, number, 1), self._turns)


def _plane(frame: Any, number: int, channels: int) -> ByteArray:
    plane = frame.planes[number]
    rows = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)
    return rows[:, : plane.width * channels]


def _place(out: ByteArray, inner: ByteArray, left: int, top: int, pad: int) -> None:
    height, width = inner.shape[:2]
    out[:top] = pad
    out[top + height :] = pad
    out[top : top + height, :left] = pad
    out[top : top + height, left + width :] = pad
    out[top : top + height, left : left + width] = inner
