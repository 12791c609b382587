"""Ultralytics' `track` on a video, in its own environment: processor milliseconds a frame, as one line of JSON.

    PEER_PYTHON benchmarks/end_to_end/peer.py VIDEO MODEL WIDTHxHEIGHT [--precision f32]

Measured like ours: from the moment everything is loaded and warmed up to the last frame. It writes nothing, and it is
given what it can take: one thread, no video, no text, and for OpenVINO the precision that it would not choose itself.
This file runs under the peer's licence wherever it is run; nothing of the peer is part of this repository.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from typing import Any


def hinted(precision: str) -> None:
    """Have OpenVINO compile in `precision`: Ultralytics has no setting for it."""
    import openvino

    compiled = openvino.Core.compile_model

    def compile_model(self: Any, model: Any, device_name: Any = None, config: Any = None) -> Any:
        return compiled(self, model, device_name, {**(config or {}), "INFERENCE_PRECISION_HINT": precision})

    openvino.Core.compile_model = compile_model


def one_thread() -> None:
    """Have ONNX Runtime use one thread: by itself it takes one a core of the machine, and they spin for each other."""
    import onnxruntime

    session = onnxruntime.InferenceSession

    class OneThread(session):  # type: ignore[misc, valid-type]
        def __init__(self, path: Any, options: Any = None, **given: Any) -> None:
            options = options or onnxruntime.SessionOptions()
            options.intra_op_num_threads = options.inter_op_num_threads = 1
            super().__init__(path, options, **given)

    onnxruntime.InferenceSession = OneThread


def main() -> None:
    """Track and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("video")
    parser.add_argument("model")
    parser.add_argument("size")
    parser.add_argument("--precision", default="", help="that OpenVINO is made to use")
    parser.add_argument("--one-thread", action="store_true", help="for ONNX Runtime")
    asked = parser.parse_args()
    import torch
    from ultralytics import YOLO

    torch.set_num_threads(1)
    if asked.precision:
        hinted(asked.precision)
    if asked.one_thread:
        one_thread()
    width, height = (int(side) for side in asked.size.split("x"))
    model = YOLO(asked.model, task="detect")
    began: list[tuple[float, float]] = []
    model.add_callback("on_predict_start", lambda _: began.append((time.process_time(), time.perf_counter())))
    frames, boxes, ids = 0, 0, set()
    for found in model.track(
        asked.video,
        stream=True,
        imgsz=[height, width],
        tracker="bytetrack.yaml",
        device="cpu",
        save=False,
        verbose=False,
        rect=True,
    ):
        frames += 1
        boxes += len(found.boxes)
        if found.boxes.id is not None:
            ids.update(found.boxes.id.int().tolist())
    cpu, wall = time.process_time() - began[0][0], time.perf_counter() - began[0][1]
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        json.dumps(
            {"frames": frames, "cpu_s": cpu, "wall_s": wall, "rss_mib": rss, "boxes": boxes, "ids": len(ids)}
        )
    )


if __name__ == "__main__":
    main()
