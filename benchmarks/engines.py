"""How long one picture takes: processor milliseconds by model, engine and precision, and whether they agree.

    python benchmarks/engines.py [--rounds 5] [--model NAME_OR_PATH ...]

One thread each, all combinations of a model in turn, the minimum of the rounds: a busy machine slows every row, not
one. `x` is OpenVINO's f32 time over this one; agreement is with ONNX Runtime f32 on the same frames: boxes over 0.3
that have one of their class, and the mean overlap. The last rows are what surrounds the network, on real outputs.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np

from sightline import models
from sightline.adapters.engines.calibration import FRAME_AT_S
from sightline.adapters.engines.choice import output_shape
from sightline.adapters.engines.common import is_quantised
from sightline.adapters.engines.onnx import OnnxDetector
from sightline.adapters.engines.openvino import OpenVinoDetector, has_bfloat
from sightline.adapters.pixels import Painter
from sightline.machine import cpu_name_and_flags
from sightline.types import Detections
from sightline.vision.boxes import iou
from sightline.vision.heads import Decoder, Wanted

FRAMES = 6


@dataclass
class Row:
    """An engine with a model, its best time and what it found."""

    name: str
    detector: Any
    found: list[Detections]
    cpu_ms: float = float("inf")


def shared() -> Path:
    """The folder with real data and detectors."""
    beside = Path(__file__).resolve().parents[2] / "shared"
    return Path(os.environ.get("SIGHTLINE_SHARED", beside)) / "data"


def frames(folder: Path) -> list[Any]:
    """Frames of real streets, or of the demo clip where there are none."""
    clip = folder / "real/video/bikes.mp4"
    if not clip.exists():
        clip = models.resolve(models.BUNDLED).path.with_name("street.mp4")
    with av.open(str(clip)) as container:
        if clip.name == "street.mp4":
            container.seek(FRAME_AT_S * 1_000_000)
        decoded = container.decode(video=0)
        return [frame for frame, _ in zip(decoded, range(FRAMES * 20), strict=False)][::20]


def rows_of(model: models.Model, size: tuple[int, int]) -> list[Row]:
    """Every engine and precision that runs the model."""
    wanted = Wanted(tuple(range(len(model.card.labels))), conf=0.1)
    given = (model.path, model.profile, wanted)
    if is_quantised(model.path):
        return [Row("openvino int8", OpenVinoDetector(*given, imgsz=size, precision="int8"), [])]
    rows = [
        Row("openvino f32", OpenVinoDetector(*given, imgsz=size), []),
        Row("openvino f32, rgb", OpenVinoDetector(*given, imgsz=size, layout="rgb"), []),
        Row("onnxruntime f32", OnnxDetector(*given, imgsz=size), []),
    ]
    if has_bfloat():
        rows.insert(1, Row("openvino bf16", OpenVinoDetector(*given, imgsz=size, precision="bf16"), []))
    return rows


def measure(rows: list[Row], pictures: list[Any], rounds: int) -> None:
    """Fill in times and detections."""
    slots = {row.name: row.detector.slot() for row in rows}
    for turn in range(rounds):
        for row in rows:
            slot = slots[row.name]
            for frame in pictures:
                paint(row.detector, frame, slot)
                began = time.process_time()
                slot.start()
                found = slot.result()
                row.cpu_ms = min(row.cpu_ms, 1000 * (time.process_time() - began))
                row.found += [found] if turn == 0 else []


def paint(detector: Any, frame: Any, slot: Any) -> None:
    """Put a frame into a slot's picture."""
    Painter(detector.info.image, frame.width, frame.height, 0, None).paint(frame, slot.image)


def agreement(base: list[Detections], other: list[Detections]) -> str:
    """Matched of all boxes over 0.3, and their mean overlap."""
    best: list[float] = []
    for a, b in zip(base, other, strict=True):
        a = a[a.confidence > 0.3]
        same = a.class_id[:, None] == b.class_id
        best += np.where(same, iou(a.xyxy, b.xyxy), 0.0).max(axis=1, initial=0.0).tolist()
    matched = [overlap for overlap in best if overlap >= 0.5]
    return f"{len(matched)} of {len(best)}, {np.mean(matched) if matched else 0:.4f}"


def minimum(step: Callable[[], object], rounds: int) -> float:
    """Processor milliseconds."""
    best = float("inf")
    for _ in range(rounds):
        began = time.process_time()
        step()
        best = min(best, time.process_time() - began)
    return 1000 * best


def report(model: models.Model, pictures: list[Any], rounds: int) -> None:
    """One model."""
    size = model.picture(None, pictures[0].width, pictures[0].height)
    rows = rows_of(model, size)
    measure(rows, pictures, rounds)
    base = rows[0]
    reference = next((row for row in rows if row.name.startswith("onnx")), base)
    print(
        f"\n{model.card.name} {size[0]}x{size[1]}, {sum(map(len, base.found))} boxes in {len(pictures)} frames"
    )
    for row in rows:
        agrees = agreement(reference.found, row.found)
        print(f"  {row.name:<18} {row.cpu_ms:7.2f} ms   x {base.cpu_ms / row.cpu_ms:4.2f}   {agrees}")
    if reference is not base:
        surroundings(model, size, reference, pictures[0], rounds)


def surroundings(model: models.Model, size: tuple[int, int], row: Row, frame: Any, rounds: int) -> None:
    """Decoding of one real output: all classes, and four of them."""
    planes = np.empty((1, 3, size[1], size[0]), np.float32)
    slot = row.detector.slot()
    paint(row.detector, frame, slot)
    np.divide(slot.image.transpose(2, 0, 1), model.card.input.scale, out=planes[0], casting="unsafe")
    output = row.detector._run(planes)
    for classes in sorted({4, len(model.card.labels)}):
        decode = Decoder(model.profile, Wanted(tuple(range(classes))), *size)
        cost = minimum(lambda decode=decode: decode(output), 20 * rounds)  # type: ignore[misc]
        print(f"  decode, {classes:>2} classes {cost:7.2f} ms")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Processor milliseconds a picture.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--model", action="append", default=[])
    args = parser.parse_args()
    folder = shared()
    names = ("yolox_nano_416.onnx", "yolov8n_640_fp32.onnx", "yolo11n_640_fp32.onnx", "yolov8n_int8_openvino")
    theirs = [str(folder / "models" / name) for name in names if (folder / "models" / name).exists()]
    name, flags = cpu_name_and_flags()
    fast = sorted(flags & {"avx512_bf16", "amx_bf16", "avx512_vnni", "avx_vnni", "amx_int8"})
    print(f"{name}, {os.cpu_count()} cores, {' '.join(fast)}, load {os.getloadavg()[0]:.1f}")
    pictures = frames(folder)
    for each in args.model or [models.BUNDLED, *theirs]:
        report(models.resolve(each, probe=output_shape), pictures, args.rounds)
    print(f"\nload {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
