"""Clips of a camera whose motion is known exactly: it looks down on a generated ground on which vehicles drive.

A flight is small and quick to make; the same seeds give the same bytes.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import av
import numpy as np
from scipy import ndimage

from sightline.camera import Motion

__all__ = ["GROUNDS", "PATHS", "SIZE", "Flight", "fly", "ground", "looking", "shot", "through_h264"]

GROUNDS = ("town", "fields", "roads")
"""Fine texture and many edges; soft and weak; asphalt with marks and few other things."""
PATHS = ("still", "pan", "zoom", "turn", "shake", "all")
SIZE = (640, 360)
DOWN, ACROSS = 1100, 1700
CENTRE = np.array((ACROSS / 2, DOWN / 2))
SCALE = 1.25  # pixels of the ground that are one of a clip with sides of 640 and less


@dataclass(frozen=True)
class Flight:
    """Frames and the truth about them.

    `places` maps points of a frame to the ground; `boxes` are of the vehicles, float64 (N, 4), xyxy in pixels.
    """

    frames: Sequence[np.ndarray]
    places: Sequence[Motion]
    boxes: Sequence[np.ndarray]

    def motion(self, before: int, after: int) -> Motion:
        """Where points of one frame are in another."""
        return self.places[before].then(self.places[after].inverse())


def _noise(random: np.random.Generator, smoothness: float) -> np.ndarray:
    """Noise whose amplitude falls with the given power of the frequency; mean 0, deviation 1."""
    frequency = np.hypot(np.fft.fftfreq(DOWN)[:, None], np.fft.rfftfreq(ACROSS))
    frequency[0, 0] = 1
    noise = np.fft.irfft2(
        np.fft.rfft2(random.normal(size=(DOWN, ACROSS))) / frequency**smoothness, s=(DOWN, ACROSS)
    )
    return (noise - noise.mean()) / noise.std()


def ground(kind: str, seed: int = 3) -> np.ndarray:
    """float32, grey."""
    random = np.random.default_rng(seed)

    def patches(count: int, smallest: int, largest: int, contrast: float) -> None:
        for _ in range(count):
            height, width = random.integers(smallest, largest, 2)
            y, x = random.integers(0, DOWN - height), random.integers(0, ACROSS - width)
            image[y : y + height, x : x + width] += random.normal(0, contrast)

    if kind == "town":
        image = _noise(random, 1.0) * 30 + 120
        patches(300, 10, 100, 35)
    elif kind == "fields":
        image = _noise(random, 1.6) * 18 + _noise(random, 0.8) * 5 + 110
        patches(25, 80, 350, 18)
    elif kind == "roads":
        image = _noise(random, 1.3) * 5 + 90
        for y in range(60, DOWN, 170):
            image[y : y + 90] -= 25
            for x in range(0, ACROSS, 70):
                image[y + 43 : y + 47, x : x + 30] += 90
        for x in range(300, ACROSS, 500):
            image[:, x : x + 60] -= 30
        patches(90, 8, 50, 40)
    else:
        raise ValueError(kind)
    return np.clip(image, 5, 250).astype(np.float32)


def _places(path: str, count: int, size: tuple[int, int], seed: int) -> list[Motion]:
    """Where the camera is in each frame: it goes back and forth, so that it stays above the ground."""
    random = np.random.default_rng(seed)
    width, height = size
    found = []
    for frame in range(count):
        swing = 10 - abs((frame + 10) % 40 - 20)  # from -10 to 10 and back, one a frame
        zoom, turn = (0.01 * swing * (path in {name, "all"}) for name in ("zoom", "turn"))
        x, y = CENTRE
        if path in ("pan", "all"):
            x, y = x + 5 * swing, y + 3 * swing
        if path == "far":
            x, y = x + 20 * swing, y + 12 * swing
        if path in ("shake", "all"):
            x, y = np.array((x, y)) + random.normal(0, 3, 2)
        scale = SCALE * 640 / max(size) * np.exp(zoom)
        a, b = scale * np.cos(turn), scale * np.sin(turn)
        found.append(Motion(a, b, x - (a * width - b * height) / 2, y - (b * width + a * height) / 2))
    return found


def shot(image: np.ndarray, place: Motion, size: tuple[int, int] = SIZE) -> np.ndarray:
    """What a camera sees of a ground from a place, which maps points of the picture to the ground; float32 (h, w)."""
    ys, xs = np.mgrid[0 : size[1], 0 : size[0]] + 0.5
    x, y = np.moveaxis(place.apply(np.stack((xs, ys), axis=-1)), -1, 0)
    return ndimage.map_coordinates(image, [y - 0.5, x - 0.5], order=1, mode="mirror")


def fly(
    image: np.ndarray,
    path: str,
    count: int,
    *,
    size: tuple[int, int] = SIZE,
    vehicles: int = 14,
    noise: float = 1.5,
    seed: int = 1,
) -> Flight:
    """A clip of `count` frames.

    Args:
        image: of `ground`.
        path: one of `PATHS`: 5.8 pixels of the ground of pan a frame, 1 % of zoom, 0.01 rad of turn, shakes of 3 pixels;
            `all` does all of them. Or `far`, which pans four times as fast.
        size: width and height of the frames; 640 the longer one, or what is seen is coarse.
        noise: deviation of each pixel, in grey levels.
    """
    random = np.random.default_rng(seed)
    width, height = size
    where = CENTRE + random.uniform(-0.25, 0.25, (vehicles, 2)) * (ACROSS, DOWN)
    velocity = random.normal(0, 3, (vehicles, 2))
    sides, tones = random.integers(12, 60, (vehicles, 2)), random.uniform(10, 245, (vehicles, 2))
    frames, boxes = [], []
    places = _places(path, count, size, seed)
    for place in places:
        where = where + velocity
        now, rows = image.copy(), []
        for (x, y), (w, h), (body, window) in zip(where.round().astype(int), sides, tones, strict=True):
            if 0 <= x < ACROSS - w and 0 <= y < DOWN - h:
                now[y : y + h, x : x + w] = body
                now[y + h // 4 : y + h // 2, x + w // 5 : x + w * 4 // 5] = window
                corners = np.array([(x, y), (x + w, y), (x, y + h), (x + w, y + h)], float)
                seen = place.inverse().apply(corners)
                rows.append([*seen.min(axis=0), *seen.max(axis=0)])
        shown = shot(now, place, size)
        frames.append(np.clip(shown + random.normal(0, noise, shown.shape), 0, 255).astype(np.uint8))
        clipped = np.clip(np.array(rows).reshape(-1, 4), 0, [width, height, width, height])
        boxes.append(clipped[(clipped[:, 2] > clipped[:, 0]) & (clipped[:, 3] > clipped[:, 1])])
    return Flight(frames, places, boxes)


def looking(x: float = 0.0, y: float = 0.0, turn: float = 0.0, zoom: float = 1.0) -> Motion:
    """Where points of a picture of `SIZE` are when its camera has gone so far right and down, and turned, about its middle."""
    a, b = zoom * math.cos(turn), -zoom * math.sin(turn)
    middle = np.array(SIZE) / 2
    right, down = middle + np.array((x, y))
    return Motion(a, b, *(middle - np.array((a * right - b * down, b * right + a * down))).tolist())


def through_h264(frames: Sequence[np.ndarray], bits_per_s: int) -> list[np.ndarray]:
    """Grey frames, 25 a second, compressed by x264 with the settings it has by itself."""
    encoder = av.CodecContext.create("libx264", "w")
    encoder.height, encoder.width = frames[0].shape
    encoder.pix_fmt, encoder.framerate, encoder.bit_rate = "yuv420p", 25, bits_per_s
    encoder.thread_count = 1
    packets = []
    for number, frame in enumerate(frames):
        picture = av.VideoFrame.from_ndarray(frame, format="gray").reformat(format="yuv420p")
        picture.pts = number
        packets += encoder.encode(picture)
    packets += encoder.encode(None)
    decoder = av.CodecContext.create("h264", "r")
    decoded = [frame for packet in [*packets, None] for frame in decoder.decode(packet)]
    return [frame.reformat(format="gray").to_ndarray() for frame in decoded]
