"""What decoding costs: CPU milliseconds a frame, packets a second, seeks.

    python benchmarks/decode.py [VIDEO...]

Without arguments the demo clip (720p) and an enlarged copy (1080p) are measured. Prints the minimum over rounds of
process CPU time, with one thread; `bound` is PyAV decoding without scaling, in the same run. Nothing is asserted.
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

import sightline
from sightline.adapters.video.reader import VideoReader
from sightline.types import ImageSpec
from sightline.vision.preprocess import Preprocess
from sightline.vision.sampling import chunks

DEMO = Path(sightline.__file__).parent / "demo" / "street.mp4"
ROUNDS = 5
FRAMES = 300
READERS = {
    "i420 640x384": (ImageSpec(640, 384, "i420"), None),
    "rgb 640x384": (ImageSpec(640, 384, "rgb"), None),
    "bgr own size": (ImageSpec(0, 0, "bgr"), None),
    "rgb 640x384, blur and contrast": (ImageSpec(640, 384, "rgb"), Preprocess(3, 1.3, 5.0)),
}


def cheapest(work: Callable[[], int]) -> float:
    """CPU milliseconds per unit that `work` counts; the minimum of the rounds."""
    found = []
    for _ in range(ROUNDS):
        start = time.process_time()
        units = work()
        found.append((time.process_time() - start) / units * 1000)
    return min(found)


def decode_only(path: Path) -> int:
    with av.open(str(path)) as container:
        stream = container.streams.best("video")
        stream.codec_context.thread_count, stream.codec_context.thread_type = 1, "NONE"
        count = 0
        for _ in container.decode(stream):
            count += 1
            if count == FRAMES:
                break
        return count


def read(path: Path, image: ImageSpec, preprocess: Preprocess | None, index) -> int:
    reader = VideoReader(path, image, preprocess)
    size = (image.width or index.width, image.height or index.height)
    out = np.empty(ImageSpec(*size, image.layout).shape(), np.uint8)
    count = 0
    for chunk in chunks(index):
        rows = range(chunk.first, min(chunk.end, chunk.first + FRAMES - count))
        count += sum(1 for _ in reader.read(chunk, rows, index.tick[list(rows)].tolist(), lambda: out))
        if count >= FRAMES:
            break
    reader.close()
    return count


def enlarged(path: Path, folder: Path) -> Path:
    """The first frames in 1080p."""
    target = folder / "street-1080p.mp4"
    with av.open(str(path)) as source, av.open(str(target), "w") as out:
        stream = out.add_stream("libx264", rate=25, options={"preset": "medium", "threads": "2"})
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = 1920, 1080, "yuv420p", 100
        for number, frame in enumerate(source.decode(video=0)):
            if number == FRAMES:
                break
            large = frame.reformat(1920, 1080, "yuv420p")
            large.pts, large.time_base = number, Fraction(1, 25)
            out.mux(stream.encode(large))
        out.mux(stream.encode(None))
    return target


def repeated(path: Path, folder: Path, packets: int = 100_000) -> Path:
    """The same packets over and over: an hour of video for the index."""
    target = folder / "long.mp4"
    with av.open(str(path)) as source:
        template = source.streams.best("video")
        found = [packet for packet in source.demux(template) if packet.size]
        length = max(packet.pts + packet.duration for packet in found)
        with av.open(str(target), "w") as out:
            stream = out.add_stream_from_template(template)
            for number in range(packets):
                packet = av.Packet(bytes(found[number % len(found)]))
                model, shift = found[number % len(found)], number // len(found) * length
                packet.stream, packet.time_base, packet.is_keyframe = (
                    stream,
                    model.time_base,
                    model.is_keyframe,
                )
                packet.pts, packet.dts, packet.duration = model.pts + shift, model.dts + shift, model.duration
                out.mux(packet)
    return target


def report(path: Path) -> None:
    index = VideoReader(path, ImageSpec(0, 0)).index()
    bound = cheapest(lambda: decode_only(path))
    print(f"\n{path.name}: {len(index)} frames, {index.width}x{index.height}, {index.codec}")
    print(f"  {'PyAV, decoding alone (bound)':34} {bound:7.2f} CPU ms a frame")
    for name, (image, preprocess) in READERS.items():
        cost = cheapest(lambda image=image, preprocess=preprocess: read(path, image, preprocess, index))
        print(f"  {name:34} {cost:7.2f} CPU ms a frame, {cost / bound:.2f} x bound")
    opening = cheapest(lambda: VideoReader(path, ImageSpec(0, 0)).index() and 1)
    print(f"  {'index, opening and probe included':34} {opening:7.1f} CPU ms")


def main() -> None:
    """Measure and print."""
    print(f"av {av.__version__}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {ROUNDS} rounds")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = [Path(argument) for argument in sys.argv[1:]] or [DEMO, enlarged(DEMO, folder)]
        for path in paths:
            report(path)
        long = repeated(DEMO, folder)
        start, wall = time.process_time(), time.perf_counter()
        count = len(VideoReader(long, ImageSpec(0, 0)).index())
        cpu, wall = time.process_time() - start, time.perf_counter() - wall
        print(f"\nindex of {count} packets: {count / cpu:,.0f} a CPU second, {wall:.2f} s")


if __name__ == "__main__":
    main()
