"""Detect: what a detector found in the picture of one frame, as one record per group in source pixels.

Reads   `frames:<branch>` of any job, in any order.
Writes  one `Detected` per group and frame, empty frames and failed ones too; `End` is copied to each group.
State   none.

Where it is asked for, how the camera moved since the sampled frame before, or a small picture for whoever joins chunks.
Boxes are rounded to 1/64 px and confidences to 1e-4 here, so that the JSON is short and every reader sees one value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sightline.arrays import ByteArray
from sightline.events import Detected, End, Sampled, stream_name
from sightline.types import Detections
from sightline.vision.camera_motion import motion_between
from sightline.vision.looks import encode_look

if TYPE_CHECKING:
    from sightline.camera import Motion
    from sightline.vision.camera_view import CameraView
    from sightline.vision.letterbox import Letterbox

__all__ = ["Detect", "Seen"]

PIXEL = 64
CONFIDENCE = 10_000
# Confidence from which a box is left out where the camera's motion is told; weak ones cover half of a picture.
SURE = 0.4


class Seen(NamedTuple):
    """What the camera's motion is told from.

    Attributes:
        pixels: uint8 (h, w), of the frame's look.
        before: of the sampled frame before; None where that was not seen.
    """

    pixels: ByteArray
    before: ByteArray | None


@dataclass(frozen=True, slots=True)
class Detect:
    """How the pictures of one job become records.

    Attributes:
        letterbox: how the frame lies in the detector's picture; None where the picture is the frame.
        groups: class ids by group name, in the pipeline's order.
        quantised: round boxes and confidences; off for detections made elsewhere.
        view: how the camera's motion is told; None where it is not.
    """

    letterbox: Letterbox | None
    groups: Mapping[str, tuple[int, ...]]
    quantised: bool = True
    view: CameraView | None = None

    def found(
        self, frame: Sampled, detections: Detections, remark: str = "", seen: Seen | None = None
    ) -> list[Detected]:
        """Records of a frame that inference ran on.

        Args:
            frame: which one.
            detections: in pixels of the detector's picture.
            remark: what showed while it was decoded, e.g. `size_change`; it travels as the reason of an `ok` frame.
            seen: what the camera's motion is told from; None where nobody asked.
        """
        found = self._in_source(detections)
        motion, look = (frame.motion, b"") if seen is None else self._camera(frame, seen, found)
        return [
            # np.isin takes five times as long for so few
            self._record(
                frame, group, found[(found.class_id[:, None] == class_ids).any(axis=1)], remark, motion, look
            )
            for group, class_ids in self.groups.items()
        ]

    def lost(self, frame: Sampled, reason: str) -> list[Detected]:
        """Records of a frame that inference could not run on."""
        return [
            Detected(
                job_id=frame.job_id,
                stream=stream_name("detections", group),
                seq=frame.seq,
                frame=frame.frame,
                pts_us=frame.pts_us,
                outcome="failed",
                reason=reason,
                motion=frame.motion,
            )
            for group in self.groups
        ]

    def ended(self, end: End) -> list[End]:
        """The end of each detections stream."""
        return [End(end.job_id, stream_name("detections", group), end.seq) for group in self.groups]

    def _in_source(self, detections: Detections) -> Detections:
        xyxy, confidence = detections.xyxy, detections.confidence
        if self.letterbox is not None:
            xyxy = self.letterbox.to_source(xyxy)
        if self.quantised:
            xyxy = np.rint(xyxy * PIXEL) / PIXEL
            confidence = np.clip(np.rint(confidence * CONFIDENCE), 1, CONFIDENCE) / CONFIDENCE
        real = (xyxy[:, 2] > xyxy[:, 0]) & (xyxy[:, 3] > xyxy[:, 1])
        return Detections(xyxy[real], confidence[real], detections.class_id[real])

    def _camera(self, frame: Sampled, seen: Seen, found: Detections) -> tuple[Motion | None, bytes]:
        """Motion since the frame before, and the look for whoever can tell more."""
        if self.view is None:
            raise ValueError(f"seq {frame.seq}: nobody said how the frames of its job are seen")
        look = self.view.look(seen.pixels, found.xyxy[found.confidence >= SURE])
        told = None if seen.before is None else motion_between(seen.before, look)
        motion = None if told is None else self.view.motion(told)
        return motion, encode_look(look) if frame.with_look else b""

    def _record(
        self,
        frame: Sampled,
        group: str,
        detections: Detections,
        remark: str,
        motion: Motion | None,
        look: bytes,
    ) -> Detected:
        stream = stream_name("detections", group)
        return Detected(
            job_id=frame.job_id,
            stream=stream,
            seq=frame.seq,
            frame=frame.frame,
            pts_us=frame.pts_us,
            outcome="ok",
            reason=remark,
            detections=detections,
            motion=motion,
            look=look,
        )
