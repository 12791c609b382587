"""What it takes to count a line again over HTTP in an hour that a service has finished: the page's way, while a line is dragged.

    python -m benchmarks.recount_http [--hours 1] [--tracks 20000] [--length 110] [--moves 50] [--keep FOLDER]

The hour is that of `benchmarks.recount`, as a job of a service that is started on it: supervisor, API process, worker. Lines
move as there, with bins of 15 minutes; each answer is read to its end. Median, least and most of the wall clock at the
client, with the evidence of every event and without it; then with a filter that asks how sure the objects were.
"""

from __future__ import annotations

import argparse
import http.client
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec
from benchmarks.recount import FPS, LINES, made

from sightline.adapters.files.objects import FolderObjects
from sightline.adapters.sqlite.store import SqliteStore
from sightline.counts import Line
from sightline.formats.geometry_json import encode
from sightline.jobs import recipe as recipes
from sightline.jobs.requests import job_prefix
from sightline.ports import Job, Stat
from sightline.testing import scripted_recipe
from sightline.vision.bytetrack import TrackerSettings

ID = "00000000-0000-4000-8000-000000000001"
EVERYTHING: dict[str, Any] = {}
SURE = {"min_confidence": 0.5, "min_hits": 20}


def prepared(data: Path, hours: float, tracks: int, length: int) -> None:
    """A data folder with one job that is ready."""
    folder = data / "objects" / job_prefix(ID)
    if (folder / "run.json").exists():
        return
    folder.mkdir(parents=True)
    made(folder, hours, tracks, length)
    frames = round(hours * 3600 * FPS)
    recipe = scripted_recipe(ID, frames, tracker=TrackerSettings(), rate=str(FPS), prefix=job_prefix(ID))
    store, objects = SqliteStore(data / "store.sqlite"), FolderObjects(data / "objects")
    store.create(Job(ID, "bench", 0), [])
    store.advance(ID, "processing", facts=recipes.encode(recipe))
    key = f"{job_prefix(ID)}run.json"
    stat = Stat.of(objects.read(key))
    store.advance(ID, "ready", result={"key": key, "bytes": stat.size, "sha256": stat.sha256})
    store.close()


def asked(line: http.client.HTTPConnection, body: bytes, evidence: bool) -> tuple[float, int, int]:
    """Milliseconds, bytes of the answer, events."""
    began = time.perf_counter()
    path = f"/api/v1/jobs/{ID}/counts?evidence={'true' if evidence else 'false'}"
    line.request("POST", path, body, {"Content-Type": "application/json"})
    answer = line.getresponse()
    blob = answer.read()
    took = 1e3 * (time.perf_counter() - began)
    assert answer.status == 200, blob
    return took, len(blob), json.loads(blob)["events"]


def measured(port: int, moves: int) -> None:
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    shapes = LINES["everybody"](0)
    print(f"first: {asked(line, _body(shapes, EVERYTHING), False)[0]:.0f} ms")
    print(f"first with a filter: {asked(line, _body(shapes, SURE), False)[0]:.0f} ms")
    for what, which in (("", EVERYTHING), (", sure objects", SURE)):
        for name, drawn in LINES.items():
            for evidence in (False, True):
                found = [asked(line, _body(drawn(move % 5 / 5), which), evidence) for move in range(moves)]
                wall = [each[0] for each in found]
                print(
                    f"{name}{what}{', with evidence' if evidence else ''}: {statistics.median(wall):.1f} ms, "
                    f"least {min(wall):.1f}, most {max(wall):.1f}; {found[-1][2]} events, {found[-1][1] / 1024:.0f} KiB",
                    flush=True,
                )
    line.close()


def _body(shapes: Any, which: dict[str, Any]) -> bytes:
    lines = [shape for shape in shapes if isinstance(shape, Line)]
    drawn = json.loads(encode(lines, [shape for shape in shapes if not isinstance(shape, Line)]))
    return msgspec.json.encode({**drawn, **which, "bins": "15m"})


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--hours", type=float, default=1)
    parser.add_argument("--tracks", type=int, default=20_000, help="an hour")
    parser.add_argument("--length", type=int, default=110, help="boxes of each track")
    parser.add_argument("--moves", type=int, default=50)
    parser.add_argument("--keep", type=Path, help="data folder, made where it has none, and left")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        data = chosen.keep or Path(temporary)
        prepared(data, chosen.hours, chosen.tracks, chosen.length)
        command = [sys.executable, "-m", "sightline", "serve", "--json", "--data", str(data)]
        command += ["--api-port", "0", "--runner-port", "0", "--inference-port", "0"]
        serving = subprocess.Popen([*command, "--model", "sightline-tiny"], stdout=subprocess.PIPE, text=True)
        try:
            assert serving.stdout is not None
            port = json.loads(serving.stdout.readline())["api"]
            time.sleep(3)  # the worker is on its way up
            measured(port, chosen.moves)
        finally:
            serving.terminate()
            serving.wait()


if __name__ == "__main__":
    main()
