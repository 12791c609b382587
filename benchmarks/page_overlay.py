"""What the page of a job takes in a browser: first paint of an hour, frames while it plays with boxes, counting, memory.

    python -m benchmarks.page_overlay [--minutes 60] [--objects 25] [--lines 4] [--share 0.02]
        [--play 20] [--width 1440] [--height 900]

The video is the bundled clip, joined with itself to that length and uploaded to a service that is started for it. Its frames
and their index are the service's; its tracks are those of `benchmarks.hour`, so many objects in a picture, as the finished
run of the job: an hour of 25 objects is 2.2 million boxes. The service gives the page all else as ever. Needs Chromium. Said are

`paint`   milliseconds from the navigation to the first contentful paint, and to the picture with all of its boxes.
`seek`    milliseconds from a random seek to the same: median and most of 20.
`recount` milliseconds from a line that has moved, one of `--lines`, to its numbers on the screen: while it is dragged, median
          and most of 20, and after it is let go, with all evidence.
`frames`  how long the browser takes from frame to frame while the video plays: median, 95 of 100, and how many took longer
          than 20 ms (60 a second are 16.7).
`draw`    milliseconds that the page itself takes to draw boxes, ids and trails: median and most.
`memory`  MiB of the page's own objects, after collecting, every ten seconds of playing; and segments that it holds.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
import numpy as np
from benchmarks.hour import street, write_run
from playwright.sync_api import sync_playwright

from sightline.adapters.files.objects import FolderObjects
from sightline.adapters.sqlite.store import SqliteStore
from sightline.jobs import requests
from sightline.jobs.recipe import known_of
from sightline.jobs.requests import job_prefix
from sightline.ports import Stat
from sightline.sources.stored import index_of

CLIP = Path(__file__).parents[1] / "src" / "sightline" / "demo" / "street.mp4"
LENGTH = 110  # boxes of a track
ARGUMENTS = [
    "--no-sandbox",
    "--autoplay-policy=no-user-gesture-required",
    "--mute-audio",
    "--enable-precise-memory-info",
]
FIRST = """() => {
  const look = () => {
    const said = window.sightline?.presented();
    if (said?.boxes.length && sightline.settled()) window.first = performance.now();
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}"""
PAINT = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
COUNTED = "Boolean(sightline.player.state.values.counts)"
RECOUNT = """([place, live]) => new Promise(done => {
  const { state } = sightline.player;
  const began = performance.now();
  const [before, which] = live ? [state.values.preview, "preview"] : [state.values.counts, "counts"];
  const [first, ...rest] = state.values.shapes;
  state.set({ live, shapes: [{ ...first, a: [place, first.a[1]], b: [place, first.b[1]] }, ...rest] });
  const look = () => {
    const now = state.values[which];
    if (now && now !== before) requestAnimationFrame(() => setTimeout(() => done(performance.now() - began)));
    else setTimeout(look, 1);
  };
  look();
})"""
SEEK = """row => new Promise(done => {
  const began = performance.now();
  sightline.player.seekRow(row);
  const look = () => {
    const said = sightline.presented();
    if (said.seq === row && sightline.settled()) done(performance.now() - began);
    else requestAnimationFrame(look);
  };
  look();
})"""
PLAY = """seconds => new Promise(done => {
  const [frames, draws] = [[], []];
  const { overlay } = sightline.player;
  const draw = overlay.draw;
  overlay.draw = () => {
    const began = performance.now();
    draw.call(overlay);
    draws.push(performance.now() - began);
  };
  let before = null;
  const end = performance.now() + 1000 * seconds;
  const look = (now) => {
    if (before !== null) frames.push(now - before);
    before = now;
    if (now < end) return requestAnimationFrame(look);
    delete overlay.draw;
    done([frames, draws]);
  };
  sightline.player.play();
  requestAnimationFrame(look);
})"""


def joined(path: Path, minutes: float) -> None:
    """The clip, again and again, without decoding it."""
    with av.open(str(CLIP)) as source, av.open(str(path), "w") as target:
        video = source.streams.video[0]
        packets = [packet for packet in source.demux(video) if packet.dts is not None]
        blobs = [(bytes(packet), packet.pts, packet.dts, packet.is_keyframe) for packet in packets]
        span = len(packets) * packets[0].duration
        made = target.add_stream_from_template(video)
        for again in range(max(1, round(minutes * 60 / float(span * video.time_base)))):
            for blob, pts, dts, key in blobs:
                packet = av.Packet(blob)
                packet.stream, packet.time_base = made, video.time_base
                packet.pts, packet.dts, packet.is_keyframe = pts + again * span, dts + again * span, key
                target.mux(packet)


def asked(
    port: int, path: str, method: str = "GET", body: bytes | None = None, media: str = "video/mp4"
) -> Any:
    """The JSON of an answer."""
    headers = {"Content-Type": media} if body else {}
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", body, headers, method=method)
    with urllib.request.urlopen(request, timeout=300) as answer:
        return json.loads(answer.read())


@contextmanager
def served(data: Path) -> Iterator[int]:
    """A service on a data folder; its port."""
    command = [sys.executable, "-m", "sightline", "serve", "--json", "--data", str(data)]
    command += ["--api-port", "0", "--runner-port", "0", "--inference-port", "0", "--generator-port", "0"]
    serving = subprocess.Popen(
        [*command, "--model", "sightline-tiny"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert serving.stdout is not None
        yield json.loads(serving.stdout.readline())["api"]
    finally:
        serving.terminate()
        serving.wait()


def begun(data: Path, video: Path) -> str:
    """A job of the video whose frames are known; the service is stopped again."""
    with served(data) as port:
        job = asked(port, "/api/v1/jobs?name=hour&pipeline=traffic", "POST", video.read_bytes())
        while not job.get("sampled"):
            time.sleep(0.5)
            job = asked(port, f"/api/v1/jobs/{job['job_id']}")
    return str(job["job_id"])


def finished(data: Path, job_id: str, objects: int) -> None:
    """Give the job the tracks of so many objects in every picture."""
    store, objects_of = SqliteStore(data / "store.sqlite"), FolderObjects(data / "objects")
    job = store.get(job_id)
    recipe, source = known_of(job), requests.decode(job.request).source
    index = index_of(objects_of, source)
    n, size = recipe.sampled, (recipe.source.width, recipe.source.height)
    first, *rest = recipe.class_ids
    tables = {first: street(n, round(n * objects / LENGTH), LENGTH, recipe.class_ids[first][0], size)}
    tables |= {name: street(n, 0, LENGTH, recipe.class_ids[name][0], size) for name in rest}
    folder = data / "objects" / job_prefix(job_id)
    write_run(folder, recipe, index, tables)
    key = f"{job_prefix(job_id)}run.json"
    stat = Stat.of(objects_of.read(key))
    store.advance(job_id, "ready", result={"key": key, "bytes": stat.size, "sha256": stat.sha256})
    store.close()


def drawn(port: int, job_id: str, lines: int, share: float) -> None:
    """Lines across the way of so large a share of the objects, side by side."""
    path = f"/api/v1/jobs/{job_id}/geometry"
    places = [0.1 + 0.8 * place / lines for place in range(lines)]
    shapes = [
        {"name": f"line {k}", "a": [x, 0.5 - share / 2], "b": [x, 0.5 + share / 2]}
        for k, x in enumerate(places)
    ]
    body = {"lines": shapes, "zones": [], "revision": asked(port, path)["revision"]}
    asked(port, path, "PUT", json.dumps(body).encode(), "application/json")


def measured(page: Any, port: int, job_id: str, seconds: float) -> None:
    """Say all that is measured of one page."""
    job = asked(port, f"/api/v1/jobs/{job_id}")
    page.add_init_script(f"({FIRST})()")
    page.goto(f"http://127.0.0.1:{port}/jobs/{job_id}?t={job['source']['duration_us'] / 2e6:.2f}")
    _until(page, "window.first !== undefined")
    print(f"paint: {page.evaluate(PAINT):.0f} ms, picture with boxes {page.evaluate('window.first'):.0f} ms")
    chosen = random.Random(1)
    seeks = [page.evaluate(SEEK, chosen.randrange(job["sampled"])) for _ in range(20)]
    print(f"seek: {statistics.median(seeks):.0f} ms, most {max(seeks):.0f}", flush=True)
    _until(page, COUNTED)
    counted(page)
    played(page, seconds)


def counted(page: Any) -> None:
    """A line that is dragged, and let go."""
    page.wait_for_timeout(1000)
    moves = [page.evaluate(RECOUNT, [0.3 + move / 100, True]) for move in range(20)]
    rest = page.evaluate(RECOUNT, [0.51, False])
    events = page.evaluate("sightline.player.state.values.counts.evidence.length")
    print(
        f"recount: {statistics.median(moves):.0f} ms, most {max(moves):.0f}; let go {rest:.0f} ms, {events} events"
    )


def played(page: Any, seconds: float) -> None:
    """Frames, drawing and memory while it plays."""
    page.evaluate(SEEK, 100)
    client = page.context.new_cdp_session(page)
    page.evaluate(PLAY, 2)  # warm
    frames: list[float] = []
    draws: list[float] = []
    memory = []
    while sum(frames) < 1000 * seconds:
        more, drawings = page.evaluate(PLAY, min(10, seconds))
        frames += more
        draws += drawings
        client.send("HeapProfiler.collectGarbage")
        memory.append(client.send("Runtime.getHeapUsage")["usedSize"] / 2**20)
    slow = sum(each > 20 for each in frames)
    print(
        f"frames: {statistics.median(frames):.1f} ms, 95 of 100 within {np.quantile(frames, 0.95):.1f}; "
        f"{slow} of {len(frames)} over 20 ms"
    )
    print(f"draw: {statistics.median(draws):.2f} ms, most {max(draws):.1f}, {len(draws)} drawings")
    held = page.evaluate("sightline.memory()")
    print(f"memory: {', '.join(f'{each:.1f}' for each in memory)} MiB; {held} segments", flush=True)


def _until(page: Any, script: str) -> None:
    while not page.evaluate(script):
        page.wait_for_timeout(20)


def main() -> None:
    """Make the hour, and measure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--objects", type=int, default=25, help="in a picture")
    parser.add_argument("--lines", type=int, default=4)
    parser.add_argument("--share", type=float, default=0.02, help="of the objects that a line is crossed by")
    parser.add_argument("--play", type=float, default=20, help="seconds")
    parser.add_argument("--width", type=int, default=1440)
    parser.add_argument("--height", type=int, default=900)
    parser.add_argument(
        "--keep", type=Path, help="folder of the service's data, made where it has none, and left"
    )
    chosen = parser.parse_args()
    program = shutil.which("chromium") or shutil.which("google-chrome")
    with tempfile.TemporaryDirectory() as temporary:
        root, video = chosen.keep or Path(temporary), Path(temporary) / "hour.mp4"
        data, made = root / "data", root / "job"
        if not made.exists():
            joined(video, chosen.minutes)
            job_id = begun(data, video)
            finished(data, job_id, chosen.objects)
            made.write_text(job_id)
        job_id = made.read_text()
        with served(data) as port, sync_playwright() as playwright:
            time.sleep(3)  # the worker is on its way up
            drawn(port, job_id, chosen.lines, chosen.share)
            browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
            page = browser.new_page(viewport={"width": chosen.width, "height": chosen.height})
            measured(page, port, job_id, chosen.play)
            browser.close()


if __name__ == "__main__":
    main()
