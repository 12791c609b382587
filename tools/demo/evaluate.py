"""Judge the demo's model on the demo's clip, after H.264: recall, precision and counts per group and threshold.

usage: python -m tools.demo.evaluate [--model M.onnx] [--clip C.mp4] [--engine onnxruntime|openvino]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np

from .counting import counted
from .judge import boxes_of, judge, right_class, true_count
from .scenes import GROUPS, MUST
from .targets import fit
from .truth import read_truth

DEMO = Path("src/sightline/demo")
THRESHOLDS = (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8)
SHARES = (0.5, 0.25, 0.05)
HIGH = 0.70
FPS = 25
COUNTED = FPS / 3  # frames: a third of a second
ABOVE = 0.1  # how much surer than `high` a detection has to be to begin a track

Infer = Callable[[np.ndarray], np.ndarray]


def onnxruntime(model: Path) -> Infer:
    """ONNX Runtime on one thread."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    return lambda images: session.run(None, {"images": images})[0]


def openvino(model: Path) -> Infer:
    """OpenVINO on one thread, float32."""
    import openvino as ov

    config = {"INFERENCE_NUM_THREADS": 1, "INFERENCE_PRECISION_HINT": "f32"}
    compiled = ov.Core().compile_model(str(model), "CPU", config)
    return lambda images: compiled(images)[0].copy()


ENGINES = {"onnxruntime": onnxruntime, "openvino": openvino}


def inputs_of(clip: Path) -> Iterator[np.ndarray]:
    """Every decoded frame as the network wants it: float32 (1, 3, IN_H, IN_W), RGB in 0 to 1."""
    with av.open(str(clip)) as box:
        for frame in box.decode(video=0):
            fitted = fit(frame.to_ndarray(format="rgb24"))
            yield np.ascontiguousarray(fitted.transpose(2, 0, 1)[None], np.float32) / 255


def run(model: Path, clip: Path, engine: str) -> tuple[list[np.ndarray], float]:
    """The network's output for every frame, and milliseconds a frame without decoding."""
    infer, outputs, spent = ENGINES[engine](model), [], 0.0
    for images in inputs_of(clip):
        begin = time.perf_counter()
        outputs.append(infer(images)[0])
        spent += time.perf_counter() - begin
    return outputs, spent / len(outputs) * 1e3


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description="Judge the demo's model on the demo's clip.")
    parser.add_argument("--model", type=Path, default=DEMO / "sightline-tiny.onnx")
    parser.add_argument("--clip", type=Path, default=DEMO / "street.mp4")
    parser.add_argument("--engine", choices=ENGINES, default="onnxruntime")
    args = parser.parse_args()
    outputs, milliseconds = run(args.model, args.clip, args.engine)
    truths = read_truth(args.clip.with_suffix(".gt.csv"), len(outputs))
    print(
        f"{args.clip.stat().st_size} bytes of video, {len(outputs)} frames, {args.engine} {milliseconds:.1f} ms"
    )
    for group in GROUPS:
        found = [boxes_of(output, group) for output in outputs]
        print(f"{group}: {true_count(truths, group, COUNTED)} to count")
        for high in THRESHOLDS:
            score = judge([some.above(high) for some in found], truths, group)
            tracks = counted(found, high, min(high + ABOVE, 0.9), FPS, COUNTED)
            print(
                f"  at {high:.2f}: recall {score.recall:.4f}, precision {score.precision:.4f}, count {tracks}"
            )
        sure = [some.above(HIGH) for some in found]
        lower = ", ".join(f"{share}: {judge(sure, truths, group, share).recall:.4f}" for share in SHARES)
        print(f"  recall at {HIGH:.2f} by least visible share, {MUST} is the demand: {lower}")
        print(f"  right class: { {label: round(v, 3) for label, v in right_class(sure, truths).items()} }")


if __name__ == "__main__":
    main()
