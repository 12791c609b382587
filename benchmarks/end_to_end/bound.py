"""What nobody gets below: the network alone plus decoding alone, as one line of JSON.

    python benchmarks/end_to_end/bound.py VIDEO MODEL WIDTHxHEIGHT --precision f32

The network is compiled by OpenVINO as it is, for pictures of f32 that lie ready: no scaling, no conversion, no look at
what it finds. Decoding is PyAV's in one thread, frames thrown away.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import av
import numpy as np
import openvino


def decoding(video: Path) -> tuple[float, int]:
    """Processor seconds for all frames, and how many there are."""
    with av.open(str(video)) as container:
        stream = container.streams.best("video")
        stream.codec_context.thread_count, stream.codec_context.thread_type = 1, "NONE"
        began = time.process_time()
        frames = sum(1 for _ in container.decode(stream))
        return time.process_time() - began, frames


def compiled(model: Path, width: int, height: int, precision: str) -> Any:
    """A request of the network, in one thread."""
    core = openvino.Core()
    network = core.read_model(model)
    if network.is_dynamic():
        network.reshape([1, 3, height, width])
    settings = {
        "INFERENCE_PRECISION_HINT": "bf16" if precision == "bf16" else "f32",
        "NUM_STREAMS": 1,
        "INFERENCE_NUM_THREADS": 1,
        "ENABLE_CPU_PINNING": False,
    }
    return core.compile_model(network, "CPU", settings).create_infer_request()


def inference(video: Path, request: Any, width: int, height: int, frames: int) -> float:
    """Processor seconds a picture, on real pictures of the video."""
    pictures = []
    with av.open(str(video)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number % 40 == 0:
                rgb = frame.reformat(width, height, "rgb24").to_ndarray()
                pictures.append(np.ascontiguousarray(rgb.transpose(2, 0, 1)[None], np.float32) / 255)
            if len(pictures) == 6:
                break
    tensors = [openvino.Tensor(picture) for picture in pictures]
    for number in range(4):
        request.infer({0: tensors[number % len(tensors)]})
    began = time.process_time()
    for number in range(frames):
        request.infer({0: tensors[number % len(tensors)]})
    return (time.process_time() - began) / frames


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("video", type=Path)
    parser.add_argument("model", type=Path)
    parser.add_argument("size")
    parser.add_argument("--precision", default="f32")
    parser.add_argument("--pictures", type=int, default=150)
    asked = parser.parse_args()
    width, height = (int(side) for side in asked.size.split("x"))
    request = compiled(asked.model, width, height, asked.precision)
    decode_s, frames = decoding(asked.video)
    infer_s = inference(asked.video, request, width, height, asked.pictures)
    print(json.dumps({"frames": frames, "decode_ms": 1000 * decode_s / frames, "infer_ms": 1000 * infer_s}))


if __name__ == "__main__":
    main()
