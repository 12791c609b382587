"""What twenty clips cost in one command: beside twenty commands in a row, and beside one long video of the same frames.

    python -m benchmarks.clips [--clips 20] [--groups 2] [--rounds 3] [--workers 2] [--only row,clips,long]

Clips are groups of pictures of the bundled demo clip as they are, 50 frames each, no two clips of the same ones; the long
video is all of them behind each other. Each way is `python -m sightline track` with the bundled model in a process of its
own, the ways in turn, and medians are printed:

`row`    a command for each clip.
`clips`  one command for all of them.
`long`   one command for the long video.

Wall is from the start of the process to its end, CPU that of the process. Fails where a folder of `clips` differs from that
of `row` in more than `timing.json` and `log.ndjson`, or where `clips` has less than 95 % of the speed of `long` by wall, the
median of rounds. On a busy machine take more rounds, and look at the load that is printed.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from importlib import resources
from pathlib import Path

import av

AT_LEAST = 0.95
OF_THE_MACHINE = {"timing.json", "log.ndjson"}
Group = list[av.Packet]
Took = tuple[float, float]  # wall and CPU seconds


def groups_of(video: Path) -> list[Group]:
    """The packets of a video by group of pictures; the last group is shorter and left out."""
    found: list[Group] = []
    with av.open(str(video)) as container:
        for packet in container.demux(video=0):
            if packet.is_keyframe:
                found.append([])
            if packet.size:
                found[-1].append(packet)
    return found[:-1]


def write(path: Path, like: Path, groups: Sequence[Group]) -> int:
    """Write groups behind each other without encoding them again; frames."""
    frames = 0
    with av.open(str(like)) as source, av.open(str(path), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        base, rate = source.streams.video[0].time_base, source.streams.video[0].average_rate
        assert base is not None
        assert rate is not None
        tick = int(Fraction(1) / (base * rate))
        for group in groups:
            first = min(packet.pts for packet in group)
            for packet in group:
                copy = av.Packet(bytes(packet))
                copy.stream, copy.time_base, copy.is_keyframe = stream, base, packet.is_keyframe
                copy.pts = packet.pts - first + frames * tick
                copy.dts = packet.dts - first + frames * tick
                target.mux(copy)
            frames += len(group)
    return frames


def chosen(count: int, each: int, of: int) -> Iterator[tuple[int, ...]]:
    """Numbers of the groups of each clip; no two clips have the same."""
    for number in range(count):
        first, step = number % of, 1 + number // of
        yield tuple((first + step * k) % of for k in range(each))


def made(folder: Path, count: int, each: int) -> tuple[list[Path], Path, int]:
    """The clips, the long video, and how many frames either has."""
    demo = Path(str(resources.files("sightline") / "demo" / "street.mp4"))
    groups = groups_of(demo)
    picks = [[groups[place] for place in places] for places in chosen(count, each, len(groups))]
    clips = [folder / f"clip{number:02d}.mp4" for number in range(count)]
    frames = sum(write(clip, demo, pick) for clip, pick in zip(clips, picks, strict=True))
    long = folder / "long.mp4"
    assert write(long, demo, [group for pick in picks for group in pick]) == frames
    return clips, long, frames


def track(videos: Sequence[Path], out: Path, workers: int) -> None:
    """One command."""
    command = [sys.executable, "-m", "sightline", "track", *map(str, videos), "--out", str(out)]
    command += ["--model", "sightline-tiny", "--precision", "f32", "--workers", str(workers)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: {done.stderr[-2000:]}")


def timed(work: Callable[[], None]) -> Took:
    """Wall and CPU seconds of what a call starts."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    work()
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def differing(one: Path, other: Path) -> list[str]:
    """Files that are in one folder only, or have other bytes there, but for those that tell of the machine."""

    def files(root: Path) -> dict[str, bytes]:
        paths = [path for path in root.rglob("*") if path.is_file() and path.name not in OF_THE_MACHINE]
        return {str(path.relative_to(root)): path.read_bytes() for path in paths}

    mine, theirs = files(one), files(other)
    return sorted(path for path in mine | theirs if mine.get(path) != theirs.get(path))


def round_of(
    folder: Path, clips: Sequence[Path], long: Path, workers: int, ways: Sequence[str]
) -> tuple[dict[str, Took], list[str]]:
    """Each way once; what differs between `row` and `clips`."""

    def row() -> None:
        for clip in clips:
            track([clip], folder / "row" / clip.stem, workers)

    work: dict[str, Callable[[], None]] = {
        "row": row,
        "clips": lambda: track(clips, folder / "clips", workers),
        "long": lambda: track([long], folder / "long", workers),
    }
    took = {way: timed(work[way]) for way in ways}
    if not {"row", "clips"} <= set(ways):
        return took, []
    names = [clip.stem for clip in clips]
    assert all((folder / "row" / name / name / "run.json").exists() for name in names)
    return took, [
        f"{name}/{path}"
        for name in names
        for path in differing(folder / "row" / name / name, folder / "clips" / name)
    ]


def report(took: dict[str, list[Took]], frames: int) -> bool:
    """Print medians; whether clips are fast enough."""
    print(f"\n| {frames} frames | wall s | frames/s | CPU s | CPU ms a frame |\n|---|---:|---:|---:|---:|")
    for way, rounds in took.items():
        wall, cpu = (statistics.median(each) for each in zip(*rounds, strict=True))
        print(f"| {way} | {wall:.1f} | {frames / wall:.1f} | {cpu:.1f} | {1000 * cpu / frames:.2f} |")
    fast = True
    for way in ("row", "long"):
        if way in took and "clips" in took:
            pairs = zip(took[way], took["clips"], strict=True)
            ratios = [(theirs[0] / mine[0], theirs[1] / mine[1]) for theirs, mine in pairs]
            wall, cpu = (statistics.median(each) for each in zip(*ratios, strict=True))
            print(f"clips beside {way}, median of rounds: {wall:.3f} of its speed by wall, {cpu:.3f} by CPU")
            fast &= way == "row" or wall >= AT_LEAST
    return fast


def main() -> int:
    """Print the figures; 1 where a limit is passed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clips", type=int, default=20)
    parser.add_argument("--groups", type=int, default=2, help="groups of 50 frames in each clip")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", default="row,clips,long")
    asked = parser.parse_args()
    took: dict[str, list[Took]] = {way: [] for way in asked.only.split(",")}
    same = True
    with tempfile.TemporaryDirectory() as temporary:
        clips, long, frames = made(Path(temporary), asked.clips, asked.groups)
        for number in range(asked.rounds):
            ways = list(took)[number % len(took) :] + list(took)[: number % len(took)]
            folder = Path(temporary) / f"round{number}"
            found, differ = round_of(folder, clips, long, asked.workers, ways)
            for way, each in found.items():
                took[way].append(each)
            same &= not differ
            said = ", ".join(f"{way} {wall:.1f} s (CPU {cpu:.1f})" for way, (wall, cpu) in found.items())
            print(f"round {number + 1}: load {os.getloadavg()[0]:.1f}; {said}", flush=True)
            for path in differ[:10]:
                print(f"differs: {path}")
    fast = report(took, frames)
    if {"row", "clips"} <= set(took):
        print("folders are the same" if same else "folders differ")
    return 0 if same and fast else 1


if __name__ == "__main__":
    sys.exit(main())
