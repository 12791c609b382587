"""The ground as a camera that moves has seen it: where objects stood, on the picture that a line or a zone was drawn on.

Lines and zones stay as they were drawn; what moves is every foot. Each frame's feet are led back to the ground and from
there to the frame in question. They may lie far outside of its picture, whose edges mean nothing then.

An object stands at the lower edge of its box. In a picture that is turned that is another side of the object, so its foot
is taken from the side that is below in the frame in question: about the middle of a box that is as high as it is large.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from sightline.arrays import BoolArray, FloatArray, IntArray
from sightline.camera import CameraPath, Motion
from sightline.counts import Anchors, Line, Unplaced, Zone
from sightline.errors import Misconfigured
from sightline.types import TrackTable
from sightline.vision.foot_paths import LEFT, LOWER, PART, RIGHT, UPPER, bounded

__all__ = ["Ground"]

ROUND = (RIGHT, LOWER, LEFT, UPPER)  # clockwise, as b > 0 turns
# By quarter turns and by edges that cut an object: which edges these are after the turn; uint8 (4, 8).
TURNED = np.array(
    [
        [sum(int(ROUND[(at + turns) % 4]) for at in range(4) if edges & int(ROUND[at])) for edges in range(8)]
        for turns in range(4)
    ],
    np.uint8,
)


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """What a camera that moved looked at.

    Attributes:
        path: of the camera.
        frame: int64 (F,), numbers of the sampled frames in the source.
    """

    path: CameraPath
    frame: IntArray

    @classmethod
    def of(cls, path: CameraPath | None, frame: IntArray) -> Ground | None:
        """Of a camera that is known to have moved; None for every other one: pictures are as good as the ground then."""
        return cls(path, frame) if path is not None and path.moves else None

    def seq_of(self, shape: Line | Zone) -> int:
        """Which sampled frame a line or zone was drawn on.

        Raises:
            Misconfigured: one that was not sampled.
        """
        return self.seq_at(shape.frame, f"{type(shape).__name__.lower()} {shape.name!r} was drawn on")

    def seq_at(self, frame: int | None, what: str) -> int:
        """The sampled frame of a number in the source, the first one for None; `what` is said of it where there is none: "the plane was drawn on".

        Raises:
            Misconfigured: it was not sampled.
        """
        if frame is None:
            return 0
        after = int(np.searchsorted(self.frame, frame))
        if after == len(self.frame) or self.frame[after] != frame:
            near = " and ".join(str(number) for number in self.frame[max(0, after - 1) : after + 1].tolist())
            raise Misconfigured(
                f"{what} frame {frame}, which is none of the {len(self.frame)} sampled ones; the nearest: {near}"
            )
        return after

    def turn(self, seq: int) -> FloatArray:
        """From each frame to one of them: the turn of the picture, clockwise as seen, float64 (F,); only within a stretch."""
        to = self.path.in_frame(seq)
        turn: FloatArray = np.arctan2(to.b, to.a) - np.arctan2(self.path.maps[:, 1], self.path.maps[:, 0])
        return turn

    def seen_from(self, seq: int, anchors: Anchors) -> Anchors:
        """Where objects stood, in pixels of one frame; without rows of frames that have nothing in common with it.

        Args:
            seq: of that frame.
            anchors: in pixels of the frame of each row.
        """
        path, to = self.path, self.path.in_frame(seq)
        turn = self.turn(seq)
        below = _below(turn)
        larger = to.scale / path.scale(np.arange(len(path)))
        quarters = np.rint(turn / (math.pi / 2)).astype(np.int64) % 4
        known = path.stretch[anchors.seq] == path.stretch[seq]
        first = anchors.first if known.all() else np.append(0, known.cumsum())[anchors.first]
        x, y, size, edges = (np.empty(first[-1], dtype) for dtype in (float, float, float, np.uint8))
        end = 0
        for begin in range(0, len(known), PART):  # small enough for the processor's cache
            rows = np.arange(begin, min(begin + PART, len(known)))
            rows = rows[known[rows]]
            at, large, own = (
                anchors.seq[rows].astype(np.int64),
                anchors.size[rows],
                slice(end, end + len(rows)),
            )
            feet = np.stack((anchors.x[rows], anchors.y[rows]), axis=1) + below[at] * large[:, None]
            x[own], y[own] = to.apply(path.to_ground(feet, at)).T
            size[own] = large * larger[at]
            edges[own] = TURNED[quarters[at], anchors.edges[rows]]
            end += len(rows)
        return bounded(first, anchors.seq[known], x, y, size, edges)

    def boxes_seen_from(self, seq: int, boxes: TrackTable) -> TrackTable:
        """Upright boxes of objects that stand where `seen_from` says, in pixels of one frame, which may lie beside its picture.

        Args:
            seq: of that frame.
            boxes: in pixels of the frame of each row.

        Returns:
            The rows of frames that have ground in common with that one. What is seen after a quarter turn is as wide as it was
            high.
        """
        path, to = self.path, self.path.in_frame(seq)
        boxes = boxes[path.stretch[boxes.seq] == path.stretch[seq]]
        at, turn = boxes.seq, self.turn(seq)
        below, turn = _below(turn)[at], turn[at]
        larger = to.scale / path.scale(at)
        x1, y1, x2, y2 = boxes.xyxy.T
        size = np.sqrt((x2 - x1) * (y2 - y1))
        feet = np.stack(((x1 + x2) / 2, y2), axis=1) + below * size[:, None]
        x, y = to.apply(path.to_ground(feet, at)).T
        lies = np.rint(turn / (math.pi / 2)).astype(np.int64) % 2 == 1
        width, height = np.where(lies, y2 - y1, x2 - x1) * larger, np.where(lies, x2 - x1, y2 - y1) * larger
        return replace(boxes, xyxy=np.stack((x - width / 2, y - height, x + width / 2, y), axis=1))

    def seen_in(self, seq: IntArray, on: IntArray, xy: FloatArray) -> FloatArray:
        """Points of some frames, where they are in others that have ground in common with them.

        Args:
            seq: int64 (N,), of the frames in which they are wanted.
            on: int64 (N,), of the frames in which they are given.
            xy: float64 (N, 2), pixels.

        Returns:
            float64 (N, 2).
        """
        return self.path.to_frame(self.path.to_ground(xy, on), seq)

    def between(self, before: Line | Zone, after: Line | Zone) -> Motion | None:
        """From the picture that one was drawn on to that of another, None where they have nothing in common."""
        return self.path.between(self.seq_of(before), self.seq_of(after))

    def unplaced(self, shapes: Sequence[Line | Zone]) -> Iterator[Unplaced]:
        """Where nothing leads from the frame that lines and zones were drawn on."""
        drawn: dict[int, list[str]] = {}
        begins: dict[int, int] = {}  # a frame of each stretch in question
        for shape in shapes:
            seq = self.seq_of(shape)
            at = begins.setdefault(int(self.path.stretch[seq]), seq)
            drawn.setdefault(at, []).append(shape.name)
        for seq, names in drawn.items():
            for first, end in self.hidden(seq):
                yield Unplaced(tuple(names), first, end)

    def hidden(self, seq: int) -> Iterable[tuple[int, int]]:
        """Frames that have nothing in common with one of them: runs of first, and behind the last."""
        return _runs(self.path.stretch != self.path.stretch[seq])


def _below(turn: FloatArray) -> FloatArray:
    """From the middle of a box's lower edge to the side that is below after a turn, in sizes: float64 (N, 2)."""
    below: FloatArray = np.stack((np.sin(turn) / 2, (np.cos(turn) - 1) / 2), axis=1)
    return below


def _runs(which: BoolArray) -> Iterable[tuple[int, int]]:
    """Where it is true: first, and behind the last."""
    change = np.flatnonzero(np.diff(which, prepend=False, append=False)).tolist()
    return zip(change[::2], change[1::2], strict=True)
