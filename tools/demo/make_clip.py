"""Render the demo clip as H.264 with its exact ground truth beside it.

One encoder thread and bit-exact muxing: the same seed gives the same bytes on the same machine with the same libx264.

usage: python -m tools.demo.make_clip [--seed 5] [--out src/sightline/demo/street.mp4]
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.codec.context import Flags

from .scenes import LABELS, H, Truth, W, clip
from .truth import write_truth

SEED = 5
FPS = 25
SECONDS = 25
X264 = {"crf": "25", "preset": "slow", "g": "50"}


def encode(path: Path, frames: Iterable[np.ndarray]) -> None:
    """Write uint8 RGB frames as H.264 in MP4."""
    with av.open(
        str(path), "w", format="mp4", options={"fflags": "+bitexact", "movflags": "+faststart"}
    ) as box:
        stream = box.add_stream("libx264", rate=FPS, options=X264)
        stream.width, stream.height, stream.pix_fmt = W, H, "yuv420p"
        stream.codec_context.thread_count = 1
        stream.codec_context.flags |= Flags.bitexact
        for i, frame in enumerate(frames):
            picture = av.VideoFrame.from_ndarray(frame, "rgb24")
            picture.pts, picture.time_base = i, Fraction(1, FPS)
            box.mux(stream.encode(picture))
        box.mux(stream.encode())


def main() -> None:
    """Write the clip and its truth; print what is in it."""
    parser = argparse.ArgumentParser(description="Render the demo clip with its ground truth.")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--out", type=Path, default=Path("src/sightline/demo/street.mp4"))
    args = parser.parse_args()
    truths: list[Truth] = []

    def frames() -> Iterator[np.ndarray]:
        for frame, truth in clip(args.seed, SECONDS, FPS):
            truths.append(truth)
            yield frame

    encode(args.out, frames())
    write_truth(args.out.with_suffix(".gt.csv"), truths)
    actors = {int(i): LABELS[c] for t in truths for i, c in zip(t.ids, t.class_ids, strict=True)}
    empty = sum(not len(t.ids) for t in truths)
    print(f"{args.out}: {args.out.stat().st_size} bytes, {len(truths)} frames, {empty} of them empty")
    print(", ".join(f"{list(actors.values()).count(label)} {label}" for label in LABELS))


if __name__ == "__main__":
    main()
