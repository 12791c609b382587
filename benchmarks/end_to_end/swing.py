"""Write a video as a camera sees it that pans slowly and sways: 7/8 of its picture, at the size of all of it.

python benchmarks/end_to_end/swing.py VIDEO OUT.mp4
"""

from __future__ import annotations

import argparse
from fractions import Fraction
from itertools import pairwise

import av

ACROSS = "iw/16 + 3*sin(n/5) - iw/32*cos(n/40)"
DOWN = "ih/16 + 2*sin(n/7)"


def main() -> None:
    """Read, cut, scale and write; the way is that of `tests.media.swung`, whose pictures are smaller."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("video")
    parser.add_argument("out")
    asked = parser.parse_args()
    with av.open(asked.video) as source, av.open(asked.out, "w") as made:
        seen = source.streams.video[0]
        written = made.add_stream("libx264", rate=seen.average_rate or Fraction(25))
        written.width, written.height, written.pix_fmt = seen.width, seen.height, "yuv420p"
        graph = av.filter.Graph()
        steps = [
            graph.add_buffer(template=seen),
            graph.add("crop", f"w=iw*7/8:h=ih*7/8:x='{ACROSS}':y='{DOWN}'"),
            graph.add("scale", f"{seen.width}:{seen.height}"),
            graph.add("buffersink"),
        ]
        for step, following in pairwise(steps):
            step.link_to(following)
        graph.configure()
        for frame in source.decode(seen):
            graph.push(frame)
            made.mux(written.encode(graph.pull()))
        made.mux(written.encode(None))


if __name__ == "__main__":
    main()
