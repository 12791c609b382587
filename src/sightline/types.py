"""Validated values that every layer shares: boxes in one frame, tables of a whole job, the index of a source.

Coordinates are continuous pixels of the decoded, rotated first frame (image), origin top-left, 0; boxes are
`xyxy` (x1, y1, x2, y2). Times are integer microseconds of presentation time. Arrays are read-only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from fractions import Fraction
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sightline.arrays import BoolArray, ByteArray, FloatArray, IntArray
from sightline.camera import CameraPath
from sightline.interop import supervision_detections
from sightline.verdicts import Verdicts

__all__ = [
    "ByteArray",
    "Caveat",
    "Chunk",
    "Detections",
    "FrameTable",
    "GroupResult",
    "ImageSpec",
    "InvalidDetections",
    "JobResult",
    "Origin",
    "Outcome",
    "Part",
    "SourceIndex",
    "TrackTable",
    "Tracks",
]


ROUNDING = 1e-6  # of a float32 near 1, a few steps of it

Outcome = Literal["ok", "failed", "skipped"]


class Origin(IntEnum):
    """How a track's box came about: a high or a low score, its unconfirmed first box, or a filled gap."""

    HIGH = 0
    LOW = 1
    BIRTH = 2
    INTERPOLATED = 3


def _frozen(
    values: ArrayLike, dtype: type, name: str, n: int | None, width: int | None = None
) -> NDArray[Any]:
    array: NDArray[Any] = np.array(values, dtype=dtype, copy=None, order="C")
    if width is not None:
        array = array.reshape(-1, width) if array.size == 0 else array
        if array.ndim != 2 or array.shape[1] != width:
            raise ValueError(f"{name}: shape {array.shape}, expected (N, {width})")
    elif array.ndim != 1:
        raise ValueError(f"{name}: shape {array.shape}, expected (N,)")
    if n is not None and len(array) != n:
        raise ValueError(f"{name}: {len(array)} rows, expected {n}")
    if array.flags.writeable:
        array = array.view()
        array.flags.writeable = False
    return array


class InvalidDetections(ValueError):
    """Boxes, confidences or class ids that cannot be what a detector found; says which row, its values, and why."""


def _numbers(values: ArrayLike, name: str) -> NDArray[Any]:
    """An array of whatever holds real numbers: a list, or anything with `__array__`.

    Raises:
        InvalidDetections: words, objects, truth values, or rows of different lengths.
    """
    if values is None:
        raise InvalidDetections(f"{name} is None: give a number for each box, none where there is no box")
    try:
        array = np.asarray(values)
    except (TypeError, ValueError, RuntimeError) as error:
        raise InvalidDetections(f"{name} cannot be read as numbers: {error}") from error
    if array.dtype.kind not in "iuf" and array.size:
        raise InvalidDetections(f"{name} holds {array.dtype}, expected numbers")
    return array


def _refuse(bad: BoolArray, name: str, values: NDArray[Any], reason: str) -> None:
    """Raise for the first row of which any value is bad.

    Raises:
        InvalidDetections: says which, its value and the reason.
    """
    if bad.any():
        row = int(np.argmax(bad.reshape(len(bad), -1).any(axis=1)))
        raise InvalidDetections(f"{name}[{row}] = {values[row].tolist()}: {reason}")


@dataclass(frozen=True, slots=True, eq=False, init=False)
class Detections:
    """What a detector found in one frame.

    Attributes:
        xyxy: float64 (N, 4), pixels, finite, x2 >= x1, y2 >= y1; a box may reach beyond the picture.
        confidence: float64 (N,) in [0, 1]; what float32 rounds to just above 1 is 1.
        class_id: int64 (N,), index in the model's labels, from 0.

    >>> found = Detections(xyxy=[[0, 0, 2, 2]], confidence=[0.9], class_id=[0])
    >>> len(found), len(Detections.empty()), len(found[found.confidence > 0.95])
    (1, 0, 0)
    """

    xyxy: FloatArray
    confidence: FloatArray
    class_id: IntArray

    def __init__(self, xyxy: ArrayLike, confidence: ArrayLike, class_id: ArrayLike) -> None:
        """Take lists or arrays of any kind of number.

        Raises:
            InvalidDetections: a `ValueError`: shapes or lengths that do not fit, or values against the promises above.
        """
        corners, scores = _numbers(xyxy, "xyxy"), _numbers(confidence, "confidence")
        given = _numbers(class_id, "class_id")
        try:
            boxes = _frozen(corners, np.float64, "xyxy", None, 4)
            scores = _frozen(scores, np.float64, "confidence", len(boxes))
            with np.errstate(invalid="ignore"):
                ids = _frozen(given, np.int64, "class_id", len(boxes))
        except ValueError as error:
            raise InvalidDetections(str(error)) from error
        if len(boxes):
            if 1 < np.maximum.reduce(scores) <= 1 + ROUNDING:
                scores = _frozen(np.minimum(scores, 1.0), np.float64, "confidence", None)
            _check_detections(boxes, scores, ids, given)
        self._set(boxes, scores, ids)

    def _set(self, xyxy: FloatArray, confidence: FloatArray, class_id: IntArray) -> None:
        object.__setattr__(self, "xyxy", xyxy)
        object.__setattr__(self, "confidence", confidence)
        object.__setattr__(self, "class_id", class_id)

    @classmethod
    def empty(cls) -> Self:
        """No detections."""
        return cls(np.empty((0, 4)), np.empty(0), np.empty(0, np.int64))

    def __len__(self) -> int:
        return len(self.xyxy)

    def __repr__(self) -> str:
        if not len(self):
            return "Detections(no boxes)"
        low, high = self.confidence.min(), self.confidence.max()
        return f"Detections({len(self)} boxes, confidence {low:.2f} to {high:.2f}, classes {_few(self.class_id)})"

    def to_supervision(self, labels: Sequence[str] = ()) -> Any:
        """The same as `supervision.Detections`; needs that library.

        Args:
            labels: by class id; where given, its `data["class_name"]`.

        Raises:
            Misconfigured: supervision is not installed.
        """
        return supervision_detections(self.xyxy, self.confidence, self.class_id, None, labels)

    def __getitem__(self, rows: BoolArray | IntArray | slice) -> Detections:
        chosen = object.__new__(Detections)  # rows of what was checked need no second look
        chosen._set(
            _frozen(self.xyxy[rows], np.float64, "xyxy", None, 4),
            _frozen(self.confidence[rows], np.float64, "confidence", None),
            _frozen(self.class_id[rows], np.int64, "class_id", None),
        )
        return chosen

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Detections)
            and np.array_equal(self.xyxy, other.xyxy)
            and np.array_equal(self.confidence, other.confidence)
            and np.array_equal(self.class_id, other.class_id)
        )

    __hash__ = None  # type: ignore[assignment]


def _few(ids: IntArray) -> str:
    """Distinct ids, at most eight of them.

    >>> _few(np.array([3, 1, 3])), _few(np.arange(20))
    ('1, 3', '0, 1, 2, 3, 4, 5, 6, 7, ...')
    """
    distinct = np.unique(ids).tolist()
    return ", ".join(map(str, distinct[:8])) + (", ..." if len(distinct) > 8 else "")


def _check_detections(xyxy: FloatArray, confidence: FloatArray, class_id: IntArray, given: Any) -> None:
    """The promises of `Detections` about values.

    Raises:
        InvalidDetections: one is broken.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        sides = xyxy[:, 2:] - xyxy[:, :2]
    lowest, highest = np.minimum.reduce, np.maximum.reduce
    if (  # none of it is true of NaN, and only finite corners have a finite side between them
        lowest(sides, axis=None) >= 0
        and highest(sides, axis=None) < np.inf
        and lowest(confidence) >= 0
        and highest(confidence) <= 1
        and lowest(class_id) >= 0
        and (given.dtype.kind == "i" or (given == class_id).all())
    ):
        return
    _refuse(~np.isfinite(xyxy), "xyxy", xyxy, "not finite")
    reason = "x2 < x1 or y2 < y1; boxes are x1, y1, x2, y2, so x2 = x + width, y2 = y + height"
    _refuse(xyxy[:, 2:] < xyxy[:, :2], "xyxy", xyxy, reason)
    _refuse(~np.isfinite(confidence), "confidence", confidence, "not finite")
    reason = "expected 0 to 1; divide percent by 100, put logits through a sigmoid"
    _refuse((confidence < 0) | (confidence > 1), "confidence", confidence, reason)
    _refuse(given != class_id, "class_id", given, "expected a whole number")
    _refuse(class_id < 0, "class_id", class_id, "expected an index of the labels, from 0")


@dataclass(frozen=True, slots=True, eq=False)
class Tracks:
    """The confirmed tracks of one frame.

    Attributes:
        xyxy: float64 (N, 4), pixels.
        confidence: float64 (N,), of the matched detection.
        class_id: int64 (N,), of the matched detection.
        track_id: int64 (N,), from 1, per job and group.
        origin: uint8 (N,), values of `Origin`.
    """

    xyxy: FloatArray
    confidence: FloatArray
    class_id: IntArray
    track_id: IntArray
    origin: ByteArray

    def __post_init__(self) -> None:
        xyxy = _frozen(self.xyxy, np.float64, "xyxy", None, 4)
        n = len(xyxy)
        object.__setattr__(self, "xyxy", xyxy)
        object.__setattr__(self, "confidence", _frozen(self.confidence, np.float64, "confidence", n))
        object.__setattr__(self, "class_id", _frozen(self.class_id, np.int64, "class_id", n))
        object.__setattr__(self, "track_id", _frozen(self.track_id, np.int64, "track_id", n))
        object.__setattr__(self, "origin", _frozen(self.origin, np.uint8, "origin", n))

    @classmethod
    def empty(cls) -> Self:
        """No tracks."""
        none = np.empty(0, np.int64)
        return cls(np.empty((0, 4)), np.empty(0), none, none, np.empty(0, np.uint8))

    def __len__(self) -> int:
        return len(self.xyxy)

    def __repr__(self) -> str:
        return (
            f"Tracks({len(self)} boxes, track_id {_few(self.track_id)})" if len(self) else "Tracks(no boxes)"
        )

    def to_supervision(self, labels: Sequence[str] = ()) -> Any:
        """The same as `supervision.Detections` with `tracker_id`; needs that library.

        Args:
            labels: by class id, `run.result.labels`; where given, its `data["class_name"]`.

        Raises:
            Misconfigured: supervision is not installed.
        """
        return supervision_detections(self.xyxy, self.confidence, self.class_id, self.track_id, labels)

    def __getitem__(self, rows: BoolArray | IntArray | slice) -> Tracks:
        return Tracks(
            self.xyxy[rows],
            self.confidence[rows],
            self.class_id[rows],
            self.track_id[rows],
            self.origin[rows],
        )

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Tracks)
            and np.array_equal(self.xyxy, other.xyxy)
            and np.array_equal(self.confidence, other.confidence)
            and np.array_equal(self.class_id, other.class_id)
            and np.array_equal(self.track_id, other.track_id)
            and np.array_equal(self.origin, other.origin)
        )

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True, slots=True, eq=False)
class FrameTable:
    """Every sampled frame of a job; row i is seq i.

    Attributes:
        frame: int64 (F,), number in the source, from 0, strictly increasing.
        pts_us: int64 (F,), microseconds, strictly increasing.
        outcome: F words `ok`, `failed` or `skipped`.
        reason: F words: why a frame has no result; for an `ok` frame empty, or a remark such as `size_change`.
    """

    frame: IntArray
    pts_us: IntArray
    outcome: tuple[Outcome, ...]
    reason: tuple[str, ...]

    def __post_init__(self) -> None:
        frame = _frozen(self.frame, np.int64, "frame", None)
        object.__setattr__(self, "frame", frame)
        object.__setattr__(self, "pts_us", _frozen(self.pts_us, np.int64, "pts_us", len(frame)))
        if len(self.outcome) != len(frame) or len(self.reason) != len(frame):
            raise ValueError("outcome and reason need one word a frame")

    def __len__(self) -> int:
        return len(self.frame)

    def __repr__(self) -> str:
        return f"FrameTable({len(self)} frames)"


@dataclass(frozen=True, slots=True, eq=False)
class TrackTable:
    """Boxes of one group over a whole job, a row a box, sorted by `seq`, then `track_id`.

    Also the table of a job's detections: there `track_id` is 0, `origin` is 0 and rows of a seq keep the order
    in which they were recorded.

    Attributes:
        seq: int64 (R,), row of the job's `FrameTable`.
        track_id: int64 (R,), from 1.
        class_id: int64 (R,), index in the model's labels, of that frame's detection.
        xyxy: float64 (R, 4), pixels.
        confidence: float64 (R,).
        origin: uint8 (R,), values of `Origin`.
    """

    seq: IntArray
    track_id: IntArray
    class_id: IntArray
    xyxy: FloatArray
    confidence: FloatArray
    origin: ByteArray

    def __post_init__(self) -> None:
        seq = _frozen(self.seq, np.int64, "seq", None)
        n = len(seq)
        object.__setattr__(self, "seq", seq)
        object.__setattr__(self, "track_id", _frozen(self.track_id, np.int64, "track_id", n))
        object.__setattr__(self, "class_id", _frozen(self.class_id, np.int64, "class_id", n))
        object.__setattr__(self, "xyxy", _frozen(self.xyxy, np.float64, "xyxy", n, 4))
        object.__setattr__(self, "confidence", _frozen(self.confidence, np.float64, "confidence", n))
        object.__setattr__(self, "origin", _frozen(self.origin, np.uint8, "origin", n))

    @classmethod
    def empty(cls) -> Self:
        """No rows."""
        none = np.empty(0, np.int64)
        return cls(none, none, none, np.empty((0, 4)), np.empty(0), np.empty(0, np.uint8))

    def __len__(self) -> int:
        return len(self.seq)

    def __repr__(self) -> str:
        return f"TrackTable({len(self)} rows, track_id {_few(self.track_id)})"

    def __getitem__(self, rows: BoolArray | IntArray | slice) -> TrackTable:
        return TrackTable(
            self.seq[rows],
            self.track_id[rows],
            self.class_id[rows],
            self.xyxy[rows],
            self.confidence[rows],
            self.origin[rows],
        )

    @classmethod
    def concatenate(cls, parts: Sequence[TrackTable]) -> TrackTable:
        """The rows of all parts, in their order; no parts are no rows."""
        if not parts:
            return cls.empty()
        return cls(
            np.concatenate([part.seq for part in parts]),
            np.concatenate([part.track_id for part in parts]),
            np.concatenate([part.class_id for part in parts]),
            np.concatenate([part.xyxy for part in parts]),
            np.concatenate([part.confidence for part in parts]),
            np.concatenate([part.origin for part in parts]),
        )

    def sorted(self) -> TrackTable:
        """The same rows by `seq`, then `track_id`."""
        return self[np.lexsort((self.track_id, self.seq))]


@dataclass(frozen=True, slots=True)
class Caveat:
    """Something a user should know about a result; `code` is stable, `detail` is for people."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class ImageSpec:
    """The picture that a detector wants.

    Attributes:
        width, height: pixels; 0, 0 asks for the frame in its own size.
        layout: `rgb` or `bgr`, uint8 (height, width, 3), or `i420`, uint8 (height * 3 / 2, width): planes Y, U, V.
        fit: `centre` or `topleft`: where the scaled frame lies in the picture; `stretch`: it fills it.
        pad: grey value 0..255 of the rest.
    """

    width: int
    height: int
    layout: Literal["rgb", "bgr", "i420"] = "rgb"
    fit: Literal["centre", "topleft", "stretch"] = "centre"
    pad: int = 114

    def shape(self) -> tuple[int, ...]:
        """Shape of the uint8 buffer that holds the picture."""
        return (self.height * 3 // 2, self.width) if self.layout == "i420" else (self.height, self.width, 3)


@dataclass(frozen=True, slots=True)
class Chunk:
    """A range of source frames that can be decoded alone: whole groups of pictures.

    Attributes:
        number: from 0.
        first, end: rows of the `SourceIndex`, end exclusive.
        first_tick: pts of the first frame in ticks of the stream's time base; None where frames are counted from
            the start of the stream because their pts cannot be trusted.
        end_tick: pts of the first frame behind the chunk, None for the last chunk.
    """

    number: int
    first: int
    end: int
    first_tick: int | None
    end_tick: int | None


@dataclass(frozen=True, slots=True)
class Part:
    """Packets of a video between which its clock only rises.

    Attributes:
        packet: number of the first packet, in the order of the file.
        shift: ticks that are added to the times in the file.
    """

    packet: int
    shift: int


@dataclass(frozen=True, slots=True, eq=False)
class SourceIndex:
    """What is in a source, found without decoding it.

    Attributes:
        kind: `video`, `images` or `detections`.
        name: file or folder name, for people.
        codec: codec name, or image formats.
        width, height: display size of the first frame, after rotation.
        rotation: degrees that a decoded frame must be turned counter-clockwise to be upright: 0, 90, 180, 270.
        stream: index of the chosen stream in its container.
        time_base: seconds per tick.
        frame: int64 (N,), source frame numbers from 0, strictly increasing; 0..N-1 but for numbered images with gaps.
        tick: int64 (N,), pts in ticks, in presentation order.
        pts_us: int64 (N,), microseconds from the first frame on a clock that starts at 0, strictly increasing.
        key: bool (N,), decoding can begin at this frame.
        failed: row -> reason, for frames that are known to be undecodable.
        names: image file names, one a row; empty for a video.
        counted: pts cannot be trusted, frames are told apart by counting from the start.
        vfr: the distance between frames varies.
        duration_us: from the first frame to the end of the last one.
        claimed_frames: what the container's header says, None where it says nothing.
        gaps: ranges (first, last) of numbers that have no image.
        parts: of a video that is read from its start on, as times in it lead nowhere: its clock falls, or it is a raw
            stream; `tick` has their shifts added.
        clock: where times come from: the `file`, the `names` of images, or a frame `rate`, given or assumed.
        caveats: what a user should know.
    """

    kind: Literal["video", "images", "detections"]
    name: str
    codec: str
    width: int
    height: int
    rotation: int
    stream: int
    time_base: Fraction
    frame: IntArray
    tick: IntArray
    pts_us: IntArray
    key: BoolArray
    failed: Mapping[int, str] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    counted: bool = False
    vfr: bool = False
    duration_us: int = 0
    claimed_frames: int | None = None
    gaps: tuple[tuple[int, int], ...] = ()
    parts: tuple[Part, ...] = ()
    clock: Literal["file", "names", "rate"] = "file"
    caveats: tuple[Caveat, ...] = ()

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def media_start_us(self) -> int:
        """What a player calls the time of the first frame, microseconds: players keep the times that a file has.

        0 where there is no file to play, and where the file has no times: a player makes up its own then. Where a clock
        falls, later parts were moved, and the first one may have been as well. Times that repeat or fall are counted from
        the first frame already; what a player makes of those is not known.
        """
        if self.kind != "video" or self.clock != "file" or not len(self):
            return 0
        moved = self.parts[0].shift if self.parts else 0
        return round((int(self.tick[0]) - moved) * self.time_base * 1_000_000)


@dataclass(frozen=True, slots=True, eq=False)
class GroupResult:
    """What a finished job knows about one group.

    Attributes:
        name: e.g. `cars`.
        class_ids: the model's classes that belong to it, rising.
        detections: every detection kept, in the form of a `TrackTable` without track ids.
        tracks: published tracks: refined, or as the tracker gave them without unconfirmed first boxes
            (`Origin.BIRTH`); None without a tracker.
        raw_ids: ids of tracks that were confirmed or published, None without a tracker.
        unique: int64 (F,), unique objects counted up to and including each frame; None without a tracker.
        riders: tracks that were left out of `tracks` as they ride, by id, and the track of the two-wheelers that each
            rides; empty where the result was read back from a run folder, whose tracks are without them already.
        rider_tracks: the rows of these tracks; None where there are no such tracks.
        level: what a sure box scores (`sightline.vision.reference`); None where thresholds are fixed.
        verdicts: why each track is an object or none; None where thresholds are fixed, tracks are not refined, or were
            read back as they had been published.
    """

    name: str
    class_ids: tuple[int, ...]
    detections: TrackTable
    tracks: TrackTable | None = None
    raw_ids: int | None = None
    unique: IntArray | None = None
    riders: Mapping[int, int] = field(default_factory=dict)
    rider_tracks: TrackTable | None = None
    level: float | None = None
    verdicts: Verdicts | None = None


@dataclass(frozen=True, slots=True, eq=False)
class JobResult:
    """Everything that writers need of a finished job; a pure function of its committed segments.

    Attributes:
        video_id, job_id: name for people, UUID text.
        created_at_us: time stamp of pts 0 in formats that must have a date, microseconds since 1970-01-01 UTC.
        frames: the sampled frames.
        rate: sampled frames per second.
        width, height: display pixels of the first frame.
        labels: the model's labels by class id.
        groups: in the pipeline's order; a group's place is its index here.
        min_hits: frames that a track must be seen in before it counts.
        conf: confidence from which a detection is an object in `csv-a` and `json-b`.
        clock_start: clock time of pts 0 with its offset from UTC; None where nobody said it.
        first_frame: number that a text of detections gives its first frame, None for other sources: MOT text of its
            tracks has the input's numbers and six decimals.
        camera: where it looked in each sampled frame; None where it never moved, or nobody knows.
    """

    video_id: str
    job_id: str
    created_at_us: int
    frames: FrameTable
    rate: Fraction
    width: int
    height: int
    labels: tuple[str, ...]
    groups: tuple[GroupResult, ...]
    min_hits: int
    conf: float
    clock_start: datetime | None = None
    first_frame: int | None = None
    camera: CameraPath | None = None
