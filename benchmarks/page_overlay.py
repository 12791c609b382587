"""What the page of a job takes in a browser: first paint of an hour, frames while it plays with boxes, memory over minutes.

    python -m benchmarks.page_overlay [--minutes 60] [--objects 50] [--play 20] [--width 1440] [--height 900]

The video is the bundled clip, joined with itself to that length, uploaded to a service that is started for it. Its frames and
their index are the service's; its boxes are made here, so many in every frame, and given to the browser as published
segments. Needs Chromium. Said are

`first`   milliseconds from the navigation to the first frame that is drawn with all of its boxes.
`seek`    milliseconds from a random seek to the same: median and most of 20.
`frames`  how long the browser takes from frame to frame while the video plays: median, 95 of 100, and how many took longer
          than 20 ms (60 a second are 16.7).
`draw`    milliseconds that the page itself takes to draw boxes, ids and trails: median and most.
`memory`  MiB of the page's own objects, after collecting, every ten seconds of playing; and segments that it holds.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

import av
import numpy as np
from playwright.sync_api import sync_playwright

from sightline.formats import segments
from sightline.types import FrameTable, Origin, TrackTable

CLIP = Path(__file__).parents[1] / "src" / "sightline" / "demo" / "street.mp4"
GROUP, SEGMENT, SIZE = "cars", 128, (1280, 720)
ARGUMENTS = [
    "--no-sandbox",
    "--autoplay-policy=no-user-gesture-required",
    "--mute-audio",
    "--enable-precise-memory-info",
]
FIRST = """() => {
  const look = () => {
    const said = window.sightline?.presented();
    if (sightline.settled() && said.boxes.length) window.first = performance.now();
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}"""
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


def boxes(first: int, count: int, objects: int) -> bytes:
    """A segment in which so many boxes drive through the picture."""
    seqs = np.arange(first, first + count)
    seq, track = np.repeat(seqs, objects), np.tile(np.arange(1, objects + 1), count)
    x = (track * 97 + seq * 3) % (SIZE[0] - 60)
    y = (track * 53) % (SIZE[1] - 40)
    rows = TrackTable(
        seq=seq,
        track_id=track,
        class_id=np.zeros(len(seq), np.int64),
        xyxy=np.stack([x, y, x + 48, y + 28], axis=1).astype(float),
        confidence=np.full(len(seq), 0.9),
        origin=np.full(len(seq), Origin.HIGH, np.uint8),
    )
    frames = FrameTable(seqs, seqs * 40_000, ("ok",) * count, ("",) * count)
    return segments.encode(segments.Segment("tracks", first, frames, rows))


def asked(port: int, path: str, method: str = "GET", body: bytes | None = None) -> Any:
    """The JSON of an answer."""
    headers = {"Content-Type": "video/mp4"} if body else {}
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", body, headers, method=method)
    with urllib.request.urlopen(request, timeout=300) as answer:
        return json.loads(answer.read())


def prepared(port: int, video: Path) -> Any:
    """A job of the video that was begun, and is stopped: only its frames are wanted."""
    job = asked(port, "/api/v1/jobs?name=hour", "POST", video.read_bytes())
    path = f"/api/v1/jobs/{job['job_id']}"
    while not job.get("sampled"):
        time.sleep(0.5)
        job = asked(port, path)
    asked(port, f"{path}/cancel", "POST")
    return asked(port, path)


def measured(page: Any, port: int, job: Any, objects: int, seconds: float) -> None:
    base = f"http://127.0.0.1:{port}/jobs/{job['job_id']}"
    whole = {
        **job,
        "state": "ready",
        "tracked": True,
        "groups": [{"name": GROUP, "labels": [{"class_id": 0, "label": "car"}]}],
    }
    page.route(re.compile(f"/api/v1/jobs/{job['job_id']}$"), lambda route: route.fulfill(json=whole))

    def segment(route: Any) -> None:
        first = int(route.request.url.rpartition("/")[2])
        route.fulfill(body=boxes(first, min(SEGMENT, job["sampled"] - first), objects))

    page.route(re.compile("/segments/"), segment)
    page.add_init_script(f"({FIRST})()")
    page.goto(f"{base}?t={job['source']['duration_us'] / 2e6:.2f}")
    while page.evaluate("window.first === undefined"):
        page.wait_for_timeout(50)
    print(f"first: {page.evaluate('window.first'):.0f} ms")
    chosen = random.Random(1)
    seeks = [page.evaluate(SEEK, chosen.randrange(job["sampled"])) for _ in range(20)]
    print(f"seek: {statistics.median(seeks):.0f} ms, most {max(seeks):.0f}", flush=True)
    page.evaluate(SEEK, 100)
    client = page.context.new_cdp_session(page)
    page.evaluate(PLAY, 2)  # warm
    frames: list[float] = []
    draws: list[float] = []
    memory = []
    while sum(frames) < 1000 * seconds:
        more, drawn = page.evaluate(PLAY, min(10, seconds))
        frames += more
        draws += drawn
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


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--objects", type=int, default=50)
    parser.add_argument("--play", type=float, default=20, help="seconds")
    parser.add_argument("--width", type=int, default=1440)
    parser.add_argument("--height", type=int, default=900)
    chosen = parser.parse_args()
    program = shutil.which("chromium") or shutil.which("google-chrome")
    with tempfile.TemporaryDirectory() as temporary:
        video = Path(temporary) / "hour.mp4"
        joined(video, chosen.minutes)
        command = [sys.executable, "-m", "sightline", "serve", "--json", "--data", f"{temporary}/data"]
        command += ["--api-port", "0", "--runner-port", "0", "--inference-port", "0", "--generator-port", "0"]
        serving = subprocess.Popen(
            [*command, "--model", "sightline-tiny"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        try:
            assert serving.stdout is not None
            port = json.loads(serving.stdout.readline())["api"]
            time.sleep(3)  # the worker is on its way up
            job = prepared(port, video)
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
                page = browser.new_page(viewport={"width": chosen.width, "height": chosen.height})
                measured(page, port, job, chosen.objects, chosen.play)
                browser.close()
        finally:
            serving.terminate()
            serving.wait()


if __name__ == "__main__":
    main()
