"""Options of a run: the one place that says what a flag, a key and a Python argument are called, mean and default to.

Where a field is None, something else decides, and `default` in its schema says what. `flags` in its schema are the
flag's names where they are not the field's own.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from sightline.settings.fields import Options, field
from sightline.settings.words import (
    camera_motion,
    clock_time,
    duration,
    frame_rate,
    image_size,
    picture_size,
    words,
)

__all__ = ["DetectOptions", "TrackOptions", "TrackerOptions"]

STDOUT = Path("-")
FORMATS = ("mot", "csv")

Unit = Annotated[float, Field(ge=0, le=1)]
AboveZero = Annotated[float, Field(gt=0, le=1)]
# The command line and the environment hand in words.
PixelOrigin = Annotated[
    Literal[0, 1],
    BeforeValidator(lambda word: {"0": 0, "1": 1}.get(word, word) if isinstance(word, str) else word),
]
Words = Annotated[tuple[str, ...], BeforeValidator(words)]
Size = Annotated[int | tuple[int, int], BeforeValidator(image_size)]
PictureSize = Annotated[tuple[int, int], BeforeValidator(picture_size)]
Rate = Annotated[Fraction, BeforeValidator(frame_rate)]
Duration = Annotated[timedelta, BeforeValidator(duration)]
CameraMotion = Annotated[Literal["auto", "off"] | Path, BeforeValidator(camera_motion)]
ClockTime = Annotated[datetime, BeforeValidator(clock_time)]


class TrackerOptions(Options):
    """How objects are followed; what is unset is the model card's, the pipeline's or the official value."""

    mode: Literal["bytetrack", "quality"] | None = field(
        "result",
        None,
        "`bytetrack` is the official algorithm, `quality` our own on top of it.",
        "--tracker",
        says="the pipeline's",
        example="quality",
    )
    track_high_thresh: Unit | None = field(
        "result",
        None,
        "Detections from this confidence on are matched first.",
        says="the pipeline's, 0.6",
        example=0.6,
    )
    track_low_thresh: Unit | None = field(
        "result",
        None,
        "Detections above this confidence keep a track alive, never start one.",
        says="the pipeline's, 0.1",
        example=0.1,
    )
    new_track_thresh: Unit | None = field(
        "result",
        None,
        "A free detection from this confidence on starts a track.",
        says="the pipeline's, 0.7",
        example=0.7,
    )
    match_thresh: Annotated[float, Field(gt=0, le=1)] | None = field(
        "result",
        None,
        "Largest cost of a match. Higher: fewer splits, more wrong matches.",
        says="the pipeline's, 0.9",
        example=0.9,
    )
    track_buffer: float | None = field(
        "result",
        None,
        "How long a lost track is kept: sampled frames with `bytetrack`, 1/30 s with `quality`.",
        says="the pipeline's, 30",
        ge=0,
        allow_inf_nan=False,
        example=30,
    )
    fuse_score: bool | None = field(
        "result", None, "Multiply the overlap by the confidence.", says="the pipeline's, on", example=True
    )
    evidence: bool | None = field(
        "result",
        None,
        "Scale thresholds to the confidences of the video, and decide about each track by what it has shown.",
        says="on with `quality`, unless the model's card, the pipeline or a flag sets a threshold",
        example=False,
    )


class DetectOptions(Options):
    """Options of `detect`, and of `track` beside the tracker's."""

    pipeline: str = field("result", "traffic", "traffic, visdrone, detect, or a TOML file.")
    model: str | None = field(
        "result",
        None,
        "Name in the model cache, or a file.",
        says="the pipeline's, yolox-nano",
        example="yolox-nano",
    )
    conf: AboveZero | None = field(
        "result",
        None,
        "Lowest confidence of a detection.",
        says="the pipeline's; track 0.1, detect 0.25",
        example=0.1,
    )
    iou: AboveZero | None = field(
        "result",
        None,
        "Overlap from which of two boxes of a class the weaker one is dropped.",
        says="the pipeline's, 0.7",
        example=0.7,
    )
    imgsz: Size | None = field(
        "result",
        None,
        "Input size of the model, pixels: 640 is the longest side, 640x384 is width x height.",
        says="the model's",
        example=640,
    )
    max_det: int | None = field(
        "result", None, "Most detections in a frame.", says="the pipeline's, 300", ge=1, example=300
    )
    vid_stride: int | None = field(
        "result",
        None,
        "Look at every n-th frame; the tracker gets real time steps.",
        "--vid-stride",
        "--stride",
        says="the pipeline's, 1",
        ge=1,
        example=2,
    )
    classes: Words = field(
        "result",
        (),
        "Labels, class ids or groups to keep, any case: car,dog. A label in no group becomes one.",
        says="the pipeline's groups",
        example=["car", "person"],
    )
    two_wheelers: bool | None = field(
        "result",
        None,
        "Count a bicycle or motorcycle and its rider as one two-wheeler; off: riders are people, two-wheelers left out.",
        says="the pipeline's; on in traffic, where the model knows two-wheelers",
        example=True,
    )
    fps: Rate | None = field(
        "result",
        None,
        "Frames per second of image folders, text detections and raw streams (.h264, .hevc, .mjpeg), which have no times, "
        "e.g. 30 or 30000/1001; a video in a container has its own.",
        says="30; what a raw stream says, else 25",
        example=30,
    )
    start: Duration | None = field(
        "result", None, "Begin at this time of the source: 10s, 1m, 1:30.", says="begin", example="10s"
    )
    end: Duration | None = field(
        "result", None, "Stop before this time of the source.", says="end", example="1m"
    )
    start_time: ClockTime | None = field(
        "clock",
        None,
        "Clock time of frame 0, with its offset from UTC; `sightline count --start-time` sets it afterwards.",
        says="none: times count from the begin of the video",
        example="2026-11-21T08:00:00+01:00",
    )
    start_frame: int | None = field(
        "result",
        None,
        "First frame of text detections, in the file's numbers.",
        says="the first",
        ge=0,
        example=1,
    )
    first_frame: int | None = field(
        "result",
        None,
        "Number that a text of detections gives its first frame.",
        says="the format's: MOT, VisDrone 1; KITTI 0",
        ge=0,
        example=1,
    )
    size: PictureSize | None = field(
        "result",
        None,
        "Width x height of the picture that text detections were made on.",
        says="what holds the largest box",
        example="1920x1080",
    )
    mot_origin: PixelOrigin = field(
        "result", 0, "Number of the first pixel in MOT text: 0, or 1 for strict files."
    )
    engine: Literal["auto", "openvino", "onnx", "ultralytics"] = field("result", "auto", "Inference engine.")
    device: str = field(
        "result", "auto", "Where the engine runs: auto or cpu, or cuda:0 for a card of NVIDIA's."
    )
    batch: int = field(
        "result", 1, "Pictures that ONNX Runtime takes at a time; more are worth it on cards.", ge=1, le=64
    )
    precision: Literal["auto", "f32", "bf16", "int8"] = field(
        "result", "auto", "Arithmetic of the engine; auto measures once, then remembers."
    )
    out: Path | None = field(
        "machine",
        None,
        "Folder of the results; - writes one format to stdout.",
        "--out",
        "-o",
        says="next free name in --project",
        example="results",
    )
    project: Path = field("machine", Path("runs"), "Folder of the folders that are named by themselves.")
    name: str | None = field(
        "machine",
        None,
        "Name of such a folder: name, name2, name3.",
        says="the command's",
        min_length=1,
        example="track",
    )
    overwrite: bool = field("machine", False, "Replace what another run left in the folder of --out.")
    keep: bool = field("machine", False, "Keep the unfinished parts of a run when it is done.")
    workers: int | None = field(
        "machine",
        None,
        "Detect threads, which share one model.",
        says="usable cores, at most 8",
        ge=1,
        le=256,
        example=2,
    )
    chunk_frames: int | None = field(
        "machine", None, "Frames that are decoded in one piece, at least.", says="auto", ge=1, example=64
    )
    formats: Words = field(
        "machine",
        (),
        "Format to write, repeat it for several: mot, csv, csv-a, json-b, visdrone, kitti, yolo, ndjson, coco, coco-dataset, "
        "parquet, video.",
        "--format",
        "--formats",
        says=f"the pipeline's: {', '.join(FORMATS)}",
        example=["mot", "csv"],
    )
    save_video: bool = field("machine", False, "Write annotated.mp4 too.")

    @model_validator(mode="before")
    @classmethod
    def _one_or_several_formats(cls, values: Any) -> Any:
        """`format` is another name of `formats`."""
        if isinstance(values, dict) and "format" in values:
            if values.get("formats"):
                raise ValueError("format and formats are the same: give one of them")
            return {name: value for name, value in values.items() if name != "format"} | {
                "formats": values["format"]
            }
        return values

    @model_validator(mode="after")
    def _ends_behind_its_start(self) -> Self:
        if self.start is not None and self.end is not None and self.end <= self.start:
            raise ValueError(f"end {self.end} is not behind start {self.start}")
        return self

    @property
    def to_stdout(self) -> bool:
        """One format goes to stdout, no folder is made."""
        return self.out == STDOUT

    def overrides(self) -> dict[str, Any]:
        """What these options say about a pipeline, for `sightline.pipeline.Overrides`."""
        own = {
            "model",
            "conf",
            "iou",
            "max_det",
            "vid_stride",
            "classes",
            "two_wheelers",
            "refine",
            "camera_motion",
            "formats",
            "tracker",
        }
        said = self.model_dump(include=own)
        return said | {"camera_motion": "file"} if isinstance(said.get("camera_motion"), Path) else said


class TrackOptions(DetectOptions):
    """Options of `track`."""

    refine: bool | None = field(
        "result",
        None,
        "Improve finished tracks before they are counted; with `quality` only.",
        says="the pipeline's; on with quality",
        example=True,
    )
    camera_motion: CameraMotion | None = field(
        "result",
        None,
        "How the camera moves: `auto` tells it from the pictures; `off`; or a file: a line a frame with its number in the "
        "source, then m11 m12 m13 m21 m22 m23 of the map from the frame before it.",
        says="the pipeline's: auto, where there are pictures",
        example="auto",
    )
    tracker: TrackerOptions = Field(default=TrackerOptions(), description="How objects are followed.")

    @model_validator(mode="before")
    @classmethod
    def _tracker_by_name(cls, values: Any) -> Any:
        """`tracker = "quality"` is short for its mode."""
        if isinstance(values, dict) and isinstance(values.get("tracker"), str):
            return {**values, "tracker": {"mode": values["tracker"]}}
        return values
