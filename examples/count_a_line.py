"""Track a video, then count who crosses a line, by direction, in bins of ten seconds.

python examples/count_a_line.py [VIDEO]
"""

import sys
from importlib import resources

import sightline as sl

VIDEO = resources.files("sightline") / "demo" / "street.mp4"
ACROSS = sl.Line("road", (0.5, 0.0), (0.5, 1.0), directions=("eastbound", "westbound"))


def main(video: str) -> None:
    """Given again, the run is there already: the line is counted on its tracks, without inference."""
    run = sl.track(video, model="sightline-tiny", out="runs/count_a_line")
    print(run)
    for row in run.count(lines=[ACROSS], bins="10s").bins:
        if row.count and row.name == "road":
            print(f"{row.start_us / 1e6:5.0f} s  {row.direction:<10} {row.label:<8} {row.count}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else str(VIDEO))
