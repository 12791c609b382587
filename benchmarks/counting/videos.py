"""Crossings and unique counts of real videos with several detectors, against truth by slit scan.

    python -m benchmarks.counting.videos CACHE [--videos highway-video1.avi] [--models yolox_nano_416]
        [--changes as,x0.6,noise] [--strides 1,2,3] [--floor 0.1] [--set name=value] [--json FILE]

Detections are made once, at confidence 0.05, by `sightline detect` into CACHE. Per line and direction: crossings that
meet a true one / crossings given out / true ones. They meet within 5 frames of the source, one step of the stride
more where frames are left out, and within 32 px on the motorway. `unique`: counted objects; on the motorway also
those that were in the zone this side of the hedge, where 50 are to be seen (46 cross a line).
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from benchmarks.counting.changes import CHANGES, changed, strided
from benchmarks.counting.play import Played, objects, overrides
from benchmarks.tracking.suites import Frame, shared_folder
from scipy.optimize import linear_sum_assignment

from sightline.counts import Event, Line, Zone
from sightline.vision.geometry import crossings

__all__ = ["MODELS", "VIDEOS", "Crossed", "Scene", "crossed", "detections", "scenes"]

VIDEOS = {
    "highway-video1.avi": "cars",
    "car-detection.mp4": "cars",
    "one-by-one-person-detection.mp4": "people",
}
NETWORKS = {
    "yolox_nano_416": ("yolox_nano_416.onnx",),
    "yolov8n_640_fp32": ("yolov8n_640_fp32.onnx",),
    "yolo11n_640_fp32": ("yolo11n_640_fp32.onnx",),
    "yolov8n_int8": ("yolov8n_int8_openvino/yolov8n.xml",),
    "yolov8n_480": ("yolov8n_640_fp32.onnx", "--imgsz", "480"),
    "yolo11n_480": ("yolo11n_640_fp32.onnx", "--imgsz", "480"),
}
MODELS = ("yolox_nano_416", "yolov8n_640_fp32", "yolo11n_640_fp32")
# This side of the hedge: below the line from (0, 75) to (100, 0) px of the motorway's 320 x 240.
CARRIAGEWAY = Zone("carriageway", ((0, 0.3125), (0.3125, 0), (1, 0), (1, 1), (0, 1)))
DIRECTIONS = {"left": "out", "right": "in"}
WITHIN_FRAMES, WITHIN_PX = 5, 32
SKIPPED = ("hard-shoulder",)  # nobody drives there


class Crossed(NamedTuple):
    """Crossings that meet a true one, those given out, the true ones."""

    met: int
    ours: int
    true: int


class Scene(NamedTuple):
    """A video's boxes of the group that is counted, and its truth."""

    video: str
    model: str
    frames: list[Frame]
    fps: float
    truth: dict[str, Any]


def detections(cache: Path, video: str, model: str) -> Path:
    """The dump of a video, made when it is not there."""
    folder = cache / f"{video}-{model}"
    found = list(folder.rglob("detections.csv"))
    if found:
        return found[0]
    data = shared_folder() / "data"
    file, *options = NETWORKS[model]
    command = [Path(sys.executable).with_name("sightline"), "detect", data / "real/video" / video]
    command += [
        "--model",
        data / "models" / file,
        *options,
        "--conf",
        "0.05",
        "--format",
        "csv",
        "-o",
        folder,
        "-q",
    ]
    done = subprocess.run(["nice", *map(str, command)], capture_output=True, text=True)
    if done.returncode not in (0, 4):  # 4: done, with remarks
        raise SystemExit(f"{video} {model}: {done.stderr[-500:]}")
    return next(folder.rglob("detections.csv"))


def scene(cache: Path, video: str, model: str, floor: float = 0.05) -> Scene:
    """Boxes of the video's group from confidence `floor` on."""
    truth = json.loads((shared_folder() / "data/real/video/truth.json").read_text())[video]
    by_frame = defaultdict(list)
    with detections(cache, video, model).open() as rows:
        for row in csv.DictReader(rows):
            if row["group"] == VIDEOS[video] and float(row["confidence"]) >= floor:
                numbers = [float(row[name]) for name in ("x1", "y1", "x2", "y2", "confidence", "class_id")]
                by_frame[int(row["frame"])].append(numbers)
    frames = []
    for number in range(truth["frames"]):
        boxes = np.array(by_frame[number], float).reshape(-1, 6)
        pts_us = round(number * 1e6 / truth["fps"])
        frames.append(Frame(boxes[:, :4], boxes[:, 4], boxes[:, 5].astype(np.int64), pts_us))
    return Scene(video, model, frames, truth["fps"], truth)


def scenes(cache: Path, videos: list[str], models: list[str], floor: float = 0.05) -> Iterator[Scene]:
    """All videos by all networks."""
    return (scene(cache, video, model, floor) for video in videos for model in models)


def _events(played: Played, scene: Scene, zones: tuple[Zone, ...] = ()) -> list[Event]:
    lines = [Line(x["name"], tuple(x["a"]), tuple(x["b"])) for x in scene.truth["lines"]]
    labels = dict.fromkeys(played.counted.tolist(), "counted")
    width, height = scene.truth["size"]
    return crossings(played.frames, played.tracks, lines, zones, width, height, labels, "group")


def _meet(true: list[dict], ours: list[Event], stride: int, near: bool) -> set[int]:
    """Rows of `ours` that meet a true crossing, at most one each."""
    apart = np.full((len(true), len(ours)), 1000.0)
    for row, want in enumerate(true):
        for column, event in enumerate(ours):
            late = abs(want["frame"] - event.seq * stride)
            if late < WITHIN_FRAMES + stride and not (near and abs(want["x"] - event.x) >= WITHIN_PX):
                apart[row, column] = late
    rows, columns = linear_sum_assignment(apart)
    return set(columns[apart[rows, columns] < 1000].tolist())


def crossed(played: Played, scene: Scene, stride: int = 1) -> dict[str, Crossed]:
    """Crossings by line and direction; one that meets only a doubtful true crossing is left out."""
    events, out, near = _events(played, scene), {}, scene.truth["size"][0] <= 320
    for line in scene.truth["lines"]:
        for side, direction in DIRECTIONS.items():
            true = [each for each in line["crossings"] if each["direction"] == side]
            sure = [each for each in true if not each.get("doubtful")]
            ours = [each for each in events if each.name == line["name"] and each.direction == direction]
            if line["name"] in SKIPPED or not (sure or ours):
                continue
            met = _meet(sure, ours, stride, near)
            rest = [event for place, event in enumerate(ours) if place not in met]
            excused = _meet([each for each in true if each.get("doubtful")], rest, stride, near=False)
            out[f"{line['name']} {direction}"] = Crossed(len(met), len(ours) - len(excused), len(sure))
    return out


def in_zone(played: Played, scene: Scene) -> int:
    """Counted objects that were on the motorway's near carriageway."""
    events = _events(played, scene, (CARRIAGEWAY,))
    return len({event.track_id for event in events if event.name == CARRIAGEWAY.name})


def outside(played: Played, truth: dict[str, Any]) -> int:
    """Counted objects of which no box lies in a frame with a true object: nothing can excuse them."""
    if not truth["objects"]:
        return 0
    spans = [(each["first"], each["last"]) for each in truth["objects"]]
    found = 0
    for track in played.counted:
        at = played.frames.pts_us[played.tracks.seq[played.tracks.track_id == track]] * truth["fps"] / 1e6
        found += not any((at.max() >= first) and (at.min() <= last) for first, last in spans)
    return found


def judged(scene: Scene, change: str, stride: int, settings: dict[str, Any]) -> dict[str, Any]:
    """Play one way and say what came out."""
    frames = strided(changed(change, scene.frames), stride)
    played = objects(frames, scene.fps / stride, **settings)
    motorway = scene.video == "highway-video1.avi"
    return {
        "video": scene.video,
        "model": scene.model,
        "change": change,
        "stride": stride,
        "lines": {name: tuple(each) for name, each in crossed(played, scene, stride).items()},
        "unique": len(played.counted),
        "carriageway": in_zone(played, scene) if motorway else None,
        "outside": outside(played, scene.truth),
    }


def text(row: dict[str, Any]) -> str:
    """One line of the table."""
    lines = "  ".join(f"{name} {met}/{ours}/{true}" for name, (met, ours, true) in row["lines"].items())
    zone = "" if row["carriageway"] is None else f" ({row['carriageway']} on the carriageway)"
    alone = f", {row['outside']} where nothing is" if row["outside"] else ""
    name = row["video"].split("-")[0]
    return f"{name:9s}{row['model']:18s}{row['change']:6s}/{row['stride']}  unique {row['unique']}{zone}{alone}  {lines}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("cache", type=Path, help="folder of the detections")
    parser.add_argument("--videos", default=",".join(VIDEOS))
    parser.add_argument("--models", default=",".join(MODELS), help=f"of {', '.join(NETWORKS)}")
    parser.add_argument("--changes", default=",".join(CHANGES))
    parser.add_argument("--strides", default="1,2,3", help="other than 1: the motorway only, as it is")
    parser.add_argument("--floor", type=float, default=0.05, help="lowest confidence that the detector gives")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    settings, rows = overrides(chosen.set), []
    for each in scenes(chosen.cache, chosen.videos.split(","), chosen.models.split(","), chosen.floor):
        ways = [(change, 1) for change in chosen.changes.split(",")]
        if each.video == "highway-video1.avi":
            ways += [("as", stride) for stride in map(int, chosen.strides.split(",")) if stride > 1]
        for change, stride in ways:
            rows.append(judged(each, change, stride, settings))
            print(text(rows[-1]), flush=True)
    wrong = sum(
        true - met + ours - met
        for row in rows
        for met, ours, true in row["lines"].values()
        if row["stride"] == 1
    )
    print(f"crossings missed or false, every frame seen: {wrong}")
    if chosen.json:
        chosen.json.write_text(json.dumps({"set": chosen.set, "videos": rows}))


if __name__ == "__main__":
    main()
