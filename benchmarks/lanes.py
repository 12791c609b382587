"""How much faster one video is on many lanes, and a short clip beside a long video, with detectors that only sleep.

    python -m benchmarks.lanes [--frames 2000] [--lanes 1,2,4,8,16] [--only scaling,fairness]

`scaling`   one video of so many frames on N lanes against one lane, each picture 60 ms (groups of 40 pictures) or 20 ms
            (groups of 250); ideal is N, or as many lanes as there are groups. Sleeping costs no processor, so cores do not
            matter.
`fairness`  a clip beside a video 100 times its length, in one store, against the clip alone.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Iterator
from typing import Any

from tests.hosting import Work, rendered, run_job

from sightline.jobs.derived import plan_of
from sightline.jobs.topology import Topology
from sightline.runtime.host import Host, Tools, World, accept
from sightline.testing import (
    MemoryObjects,
    MemoryStore,
    ScriptedDetector,
    ScriptedReader,
    scripted_recipe,
)
from sightline.types import Detections
from sightline.vision.bytetrack import TrackerSettings


class SleepingReader(ScriptedReader):
    """Each frame takes a while."""

    def __init__(self, frames: int, group: int, seconds: float) -> None:
        super().__init__(frames, group=group)
        self._seconds = seconds

    def read(self, *args: Any) -> Iterator[Any]:
        """See `FrameReader`."""
        for decoded in super().read(*args):
            time.sleep(self._seconds)
            yield decoded


def nothing(number: int) -> Detections:
    return Detections.empty()


def wall(frames: int, lanes: int, group: int, seconds: float) -> float:
    """Seconds that a video takes."""
    recipe = scripted_recipe("j", frames, tracker=TrackerSettings())
    work = Work(
        recipe,
        ScriptedDetector(nothing),
        lambda: SleepingReader(frames, group, seconds),
        workers=lanes,
    )
    began = time.perf_counter()
    assert run_job(work).state == "ready"
    return time.perf_counter() - began


def scaling(frames: int, counts: list[int]) -> None:
    print(f"scaling: {frames} frames; times as fast as one lane (ideal)")
    for group, seconds in ((40, 0.06), (250, 0.02)):
        one = frames * seconds
        groups = math.ceil(frames / group)
        cells = []
        for lanes in counts:
            ideal = one / (math.ceil(groups / lanes) * group * seconds)
            cells.append(
                f"{lanes} lanes {one / wall(frames, lanes, group, seconds):.2f} ({min(ideal, lanes):.2f})"
            )
        print(f"  groups of {group}, {1000 * seconds:.0f} ms a picture: {'; '.join(cells)}", flush=True)


def together(lengths: dict[str, int], lanes: int, seconds: float) -> float:
    """Seconds until the shortest of these jobs, all in one store, has been published."""
    recipes = {
        name: scripted_recipe(name, frames, tracker=TrackerSettings(), prefix=f"{name}/")
        for name, frames in lengths.items()
    }
    indexes = {name: SleepingReader(frames, 40, 0).index() for name, frames in lengths.items()}
    detector = ScriptedDetector(nothing)
    tools = Tools(
        lambda recipe: plan_of(recipe, indexes[recipe.job_id]),
        lambda recipe: SleepingReader(recipe.sampled, 40, seconds),
        lambda recipe: detector,
        rendered,
    )
    store = MemoryStore()
    route = next(iter(recipes.values())).route
    world = World(store, MemoryObjects(), Topology.of(route.topics, route.frame_partitions))
    first = min(lengths, key=lambda name: lengths[name])
    for name in sorted(lengths, key=lambda name: -lengths[name]):
        accept(store, recipes[name])
    host = Host(tools, lanes)
    host.add(world)
    began = time.perf_counter()
    host.run(lambda: store.get(first).state == "ready", lambda: None)
    return time.perf_counter() - began


def fairness(frames: int) -> None:
    alone = together({"clip": frames}, 4, 0.01)
    beside = together({"clip": frames, "long": 100 * frames}, 4, 0.01)
    print(
        f"fairness: a clip of {frames} frames takes {alone:.2f} s alone, {beside:.2f} s beside one of {100 * frames}: {beside / alone:.2f} times"
    )


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--frames", type=int, default=2000)
    parser.add_argument("--lanes", default="1,2,4,8,16")
    parser.add_argument("--only", default="scaling,fairness")
    args = parser.parse_args()
    if "scaling" in args.only:
        scaling(args.frames, [int(each) for each in args.lanes.split(",")])
    if "fairness" in args.only:
        fairness(250)


if __name__ == "__main__":
    main()
