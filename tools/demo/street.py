"""The part of a scene that does not move: a main road with zebras, a bridge across it, footpaths, roofs, trees.

Everything follows from the random generator that is passed in. Pictures are float32 RGB, `H` x `W`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image, ImageDraw

from .sprites import Sprite, draw_tree, shade

__all__ = ["LANE", "H", "Lane", "Road", "Street", "W"]

W, H = 1280, 720
LANE = 62  # width of a lane in pixels
FAR = 1600  # half the length of a road in pixels: past every corner
GROUNDS = [(104, 124, 84), (126, 122, 110), (150, 148, 142), (116, 112, 96)]
ROOFS = [(140, 78, 66), (120, 120, 126), (168, 160, 148), (92, 84, 84)]
CLUTTER = [(70, 92, 52), (122, 116, 104), (86, 86, 90), (160, 152, 130)]
PAVEMENTS = [(150, 146, 140), (176, 174, 170)]  # beside the road, beside the bridge


@dataclass(frozen=True, slots=True)
class Lane:
    """A lane on the ground (level 0) or on the bridge (level 1); `speed` in pixels per second."""

    level: int
    centre: np.ndarray
    way: np.ndarray
    speed: float


@dataclass(frozen=True, slots=True)
class Road:
    """A straight road through `centre`, `angle` radians from the x axis."""

    centre: np.ndarray
    angle: float
    lanes: int

    @property
    def way(self) -> np.ndarray:
        """Unit vector along the road."""
        return np.array([np.cos(self.angle), np.sin(self.angle)])

    @property
    def half(self) -> float:
        """Half its width in pixels, without the pavement."""
        return self.lanes * LANE / 2

    def y_at(self, x: float) -> float:
        """Where its middle line is at column `x`."""
        return float(self.centre[1] + np.tan(self.angle) * (x - W / 2))


@dataclass(frozen=True, slots=True)
class Deck:
    """The bridge: its picture and mask, cut to the columns that it covers."""

    columns: slice
    mask: np.ndarray
    picture: np.ndarray


def smooth_noise(rng: np.random.Generator, scale: int, amplitude: float) -> np.ndarray:
    """Noise with patches of about `scale` pixels, float32 (H, W)."""
    small = rng.normal(0, 1, (H // scale + 2, W // scale + 2)).astype(np.float32)
    return np.asarray(Image.fromarray(small).resize((W, H), Image.Resampling.BICUBIC)) * amplitude


def _across(way: np.ndarray) -> np.ndarray:
    return np.array([-way[1], way[0]])


def _strip(draw: ImageDraw.ImageDraw, road: Road, width: float, colour: tuple[int, ...] | int) -> None:
    c, d, p = road.centre, road.way, _across(road.way)
    corners = ((-1, -1), (1, -1), (1, 1), (-1, 1))
    draw.polygon([tuple(c + d * i * FAR + p * j * width / 2) for i, j in corners], fill=colour)


class Street:
    """Ground, bridge and trees of one world.

    Attributes:
        ground: the picture below everything, shadow of the bridge included.
        deck: the bridge, None without one.
        trees: x, y and sprite of each crown.
        road, zebras, lanes: where actors move.
    """

    def __init__(
        self, rng: np.random.Generator, light: tuple[int, int], bridge: int | Literal["any"] | None
    ) -> None:
        self._rng, self._light = rng, light
        self.lanes: list[Lane] = []
        self.deck: Deck | None = None
        if bridge == "any":
            bridge = 2 if rng.random() < 0.8 else None
        self._draw_ground()
        grain = (smooth_noise(rng, 48, 7) + smooth_noise(rng, 7, 4) + smooth_noise(rng, 2, 3))[..., None]
        self.ground = np.clip(np.asarray(self._image, np.float32) + grain, 0, 255)
        if bridge is not None:
            self._draw_bridge(bridge, grain)
        self.trees = self._plant()

    def _draw_ground(self) -> None:
        r = self._rng
        base = GROUNDS[r.integers(4)]
        self._image = Image.new("RGB", (W, H), tuple(int(v + r.integers(-14, 15)) for v in base))
        draw = ImageDraw.Draw(self._image)
        centre = np.array([W / 2, r.uniform(0.42, 0.6) * H])
        self.road = Road(centre, r.uniform(-0.09, 0.09), int(r.integers(2, 5)))
        self._draw_footpaths(draw, base)
        self._draw_roofs(draw)
        self._draw_road(draw, self.road, 0)
        self._draw_zebras(draw)
        self._draw_manholes(draw)
        self._draw_clutter(draw)

    def _draw_footpaths(self, draw: ImageDraw.ImageDraw, base: tuple[int, ...]) -> None:
        r = self._rng
        for _ in range(3):
            x, tilt = r.uniform(0.05, 0.95) * W, r.uniform(-0.5, 0.5)
            path = Road(np.array([x, H / 2]), np.pi / 2 - tilt, 0)
            _strip(draw, path, r.uniform(40, 70), shade(base, r.uniform(1.1, 1.3)))

    def _draw_roofs(self, draw: ImageDraw.ImageDraw) -> None:
        r = self._rng
        for _ in range(r.integers(0, 5)):
            x, y = r.uniform(0, W), r.choice([0, H]) + r.uniform(-30, 30)
            w, h = r.uniform(90, 260), r.uniform(60, 130)
            colour = ROOFS[r.integers(4)]
            corners = [x - w / 2, y - h / 2, x + w / 2, y + h / 2]
            draw.rectangle(corners, fill=colour, outline=shade(colour, 0.6), width=3)
            draw.line([(x - w / 2, y), (x + w / 2, y)], fill=shade(colour, 0.75), width=3)

    def _draw_road(self, draw: ImageDraw.ImageDraw, road: Road, level: int) -> None:
        """Pavement, asphalt and lines; adds the lanes."""
        r, c, d, n = self._rng, road.centre, road.way, road.lanes
        p, grey = _across(d), int(r.integers(78, 118))
        _strip(draw, road, n * LANE + 34, PAVEMENTS[level])
        _strip(draw, road, n * LANE + 6, (grey, grey, grey + 3))
        white = int(r.integers(200, 236))
        for k in range(n + 1):
            offset = c + p * (k - n / 2) * LANE
            dash = 2 * FAR if k in (0, n) else r.uniform(24, 60)
            for s in np.arange(-FAR, FAR, dash * 2):
                a = offset + d * s
                draw.line([tuple(a), tuple(a + d * dash)], fill=(white,) * 3, width=int(r.integers(3, 6)))
        for k in range(n):
            way = d if k >= n / 2 else -d
            self.lanes.append(Lane(level, c + p * (k + 0.5 - n / 2) * LANE, way, r.uniform(210, 330)))

    def _draw_zebras(self, draw: ImageDraw.ImageDraw) -> None:
        c, d, half = self.road.centre, self.road.way, self.road.half
        self.zebras = [float(x) for x in self._rng.choice([0.12, 0.24, 0.76, 0.88], 2, replace=False) * W]
        for x in self.zebras:
            for k in np.arange(-half + 8, half - 8, 24):
                a = c + d * (x - W / 2) + _across(d) * k
                draw.line([tuple(a - d * 26), tuple(a + d * 26)], fill=(222,) * 3, width=10)

    def _draw_manholes(self, draw: ImageDraw.ImageDraw) -> None:
        r = self._rng
        for _ in range(r.integers(2, 9)):
            x, y, s = (
                r.uniform(0, W),
                self.road.centre[1] + r.uniform(-1, 1) * self.road.half,
                r.uniform(5, 11),
            )
            draw.ellipse([x - s, y - s, x + s, y + s], fill=(70, 70, 72), outline=(56, 56, 58))

    def _draw_clutter(self, draw: ImageDraw.ImageDraw) -> None:
        """Stones, bins, bushes: small things that are not people."""
        r = self._rng
        for _ in range(r.integers(4, 24)):
            x, y, s = r.uniform(0, W), r.uniform(0, H), r.uniform(4, 15)
            colour = CLUTTER[r.integers(4)]
            if abs(y - self.road.centre[1]) > self.road.half + 50:
                corners = [x - s, y - s * r.uniform(0.6, 1), x + s, y + s]
                draw.ellipse(corners, fill=colour, outline=shade(colour, 0.7))

    def _draw_bridge(self, lanes: int, grain: np.ndarray) -> None:
        """A road at level 1 across the main road, and its shadow on the ground; no lanes: a footbridge."""
        r, mask, picture = self._rng, Image.new("L", (W, H)), self._image.copy()
        bridge = Road(np.array([r.uniform(0.38, 0.62) * W, H / 2]), np.pi / 2 + r.uniform(-0.07, 0.07), lanes)
        self._draw_road(ImageDraw.Draw(picture), bridge, 1)
        _strip(ImageDraw.Draw(mask), bridge, lanes * LANE + 34, 255)
        on = np.asarray(mask) > 0
        self.ground[np.roll(on, self._light[0] * 3, 1)] *= 0.72
        covered = np.flatnonzero(on.any(0))
        columns = slice(covered[0], covered[-1] + 1)
        deck = np.clip(np.asarray(picture, np.float32) + grain, 0, 255)
        self.deck = Deck(columns, on[:, columns], deck[:, columns])

    def _plant(self) -> list[tuple[float, float, Sprite]]:
        """Trees beside the road; some hang over its edge."""
        r, trees = self._rng, []
        for _ in range(r.integers(8, 20)):
            x, y, radius = r.uniform(0, W), r.uniform(0, H), int(r.uniform(20, 36))
            if abs(y - self.road.y_at(x)) < self.road.half + radius * r.uniform(0.2, 1):
                continue
            blobs, green = r.uniform(-0.45, 0.45, (14, 2)) * radius, r.uniform(0.75, 1.2)
            trees.append((x, y, draw_tree(radius, blobs, green, self._light)))
        return trees
