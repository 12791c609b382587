"""Every pipeline of real videos and folders of images, by clusters of several shapes: the bytes of one machine.

`python -m tests.cluster.identity VIDEO... --sequence VIDEO... --model MODEL`. Sequences are folders of JPEG, cut from a video.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import av

from tests.cluster.cluster import Cluster, Embedded, cut
from tests.cluster.demo import done, say
from tests.servers.programs import Missing
from tests.serving.service import Service

__all__ = ["main"]

PIPELINES = ("traffic", "visdrone", "detect")
LEDGERS = ("postgres", "mongo")
SHAPES = ((1, 1), (4, 2))
Made = dict[tuple[str, str], dict[str, str]]


def roles(detectors: int, trackers: int) -> list[tuple[str, ...]]:
    """Workers of a cluster of so many that detect and that track."""
    rest = ("track", "stats", "collect", "publish")
    return [("api",), ("feed", "relay"), *[("detect",)] * detectors, *[rest] * trackers]


def sources(folder: Path, videos: list[Path], sequences: list[Path], frames: int) -> list[str]:
    """The first frames of each, below a folder; their names."""
    folder.mkdir()
    for video in videos:
        cut(video, folder / video.name, frames)
    for video in sequences:
        images = folder / f"{video.stem}-images"
        images.mkdir()
        with av.open(str(video)) as opened:
            for number, frame in enumerate(itertools.islice(opened.decode(video=0), frames), 1):
                frame.to_image().save(images / f"{number:07d}.jpg", quality=92)
    return sorted(path.name for path in folder.iterdir())


def begun(service: Service, name: str, pipeline: str) -> str:
    """The id of a job of a file of the machine."""
    body = json.dumps({"source": {"path": name}, "pipeline": pipeline}).encode()
    status, said = service.ask("POST", "/api/v1/jobs", body, headers={"Content-Type": "application/json"})
    assert status == 202, said
    return str(json.loads(said)["job_id"])


def made(service: Service, names: list[str]) -> Made:
    """Files of every job, all of them begun at once."""
    jobs = {
        (name, pipeline): begun(service, name, pipeline)
        for name, pipeline in itertools.product(names, PIPELINES)
    }
    return {key: done(service, job_id, 3600) for key, job_id in jobs.items()}


def main(words: list[str] | None = None) -> int:
    """Run it; 0 where every file is the same, 1 where one differs, 3 where this machine lacks a server."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("videos", type=Path, nargs="+", metavar="VIDEO")
    parser.add_argument(
        "--sequence", type=Path, action="append", default=[], help="video to cut a folder of images from"
    )
    parser.add_argument("--model", default="sightline-tiny", help="default: the bundled model")
    parser.add_argument("--frames", type=int, default=150, help="of each; default: 150")
    asked = parser.parse_args(words)
    differ = 0
    with TemporaryDirectory(prefix="identity-") as place:
        folder = Path(place)
        folder.chmod(0o755)
        names = sources(folder / "files", asked.videos, asked.sequence, asked.frames)
        files = ("--files", str(folder / "files"))
        with (folder / "alone.log").open("ab") as log:
            alone = Embedded(folder / "alone", *files, model=asked.model, stderr=log).start()
        try:
            reference = made(alone, names)
        finally:
            alone.stop()
        say(f"one machine: {len(reference)} jobs of {', '.join(names)}")
        say(
            f"\n{'ledger':<9} {'detect':>6} {'track':>5} {'jobs':>5} {'files':>6} {'differ':>7} {'seconds':>8}"
        )
        try:
            for ledger, (detectors, trackers) in itertools.product(LEDGERS, SHAPES):
                with Cluster(folder / f"{ledger}-{detectors}", ledger, asked.model, files) as cluster:
                    cluster.prepare()
                    api = cluster.begin(roles(detectors, trackers))
                    began = time.monotonic()
                    found = made(api, names)
                    took = time.monotonic() - began
                others = [
                    f"{name}, {pipeline}: {path}"
                    for name, pipeline in reference
                    for path in sorted(reference[name, pipeline] | found[name, pipeline])
                    if reference[name, pipeline].get(path) != found[name, pipeline].get(path)
                ]
                differ += len(others)
                total = sum(map(len, found.values()))
                say(
                    f"{ledger:<9} {detectors:>6} {trackers:>5} {len(found):>5} {total:>6} {len(others):>7} {took:>8.1f}"
                )
                for each in others:
                    say(f"  differs: {each}")
        except Missing as lack:
            say(f"this machine lacks a server: {lack}")
            return 3
    say("the same bytes" if not differ else "NOT the same bytes")
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
