"""The options of `sightline.track` as types: what each keyword may be, for editors and type checkers.

`tests/meta/test_typing.py` holds these against `TrackOptions`, which checks the values.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Literal, TypedDict

__all__ = ["TrackArguments", "TrackerArguments"]

Mode = Literal["bytetrack", "quality"]
Words = str | Sequence[str]


class TrackerArguments(TypedDict, total=False):
    """Keys of `tracker`; see `TrackerOptions`."""

    mode: Mode | None
    track_high_thresh: float | None
    track_low_thresh: float | None
    new_track_thresh: float | None
    match_thresh: float | None
    track_buffer: float | None
    fuse_score: bool | None
    evidence: bool | None


class TrackArguments(TypedDict, total=False):
    """Keywords of `track`; see `TrackOptions`. `format` is another name of `formats`."""

    pipeline: str | Path
    model: str | Path | None
    conf: float | None
    iou: float | None
    imgsz: int | str | tuple[int, int] | list[int] | None
    max_det: int | None
    vid_stride: int | None
    classes: str | Sequence[str | int]
    two_wheelers: bool | None
    fps: float | str | Fraction | None
    start: float | str | timedelta | None
    end: float | str | timedelta | None
    start_time: str | datetime | None
    start_frame: int | None
    first_frame: int | None
    size: str | tuple[int, int] | list[int] | None
    mot_origin: Literal[0, 1]
    engine: Literal["auto", "openvino", "onnx", "ultralytics"]
    device: str
    batch: int
    precision: Literal["auto", "f32", "bf16", "int8"]
    out: str | Path | None
    project: str | Path
    name: str | None
    overwrite: bool
    keep: bool
    workers: int | None
    chunk_frames: int | None
    format: Words
    formats: Words
    save_video: bool
    refine: bool | None
    camera_motion: Literal["auto", "off"] | str | Path | None
    tracker: Mode | TrackerArguments
