"""Pictures of cars, vans, trucks, people and trees from above, each drawn from its measures, colours and direction.

A picture is drawn `SS` times larger and averaged down. Tall things lean upwards, because the camera looks slightly
from the south; that is how a network can tell a van from a truck of the same colour.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

__all__ = ["Look", "Paint", "Sprite", "draw_person", "draw_tree", "draw_vehicle", "shade"]

Colour = tuple[int, ...]
Points = Sequence[tuple[float, float]]
Paint = Callable[[ImageDraw.ImageDraw, ImageDraw.ImageDraw], None]

SS = 3
GLASS = (30, 36, 44)
CHASSIS = (45, 45, 48)
HEADLIGHT = (250, 245, 205)
BODY = [
    (-0.5, -0.38),
    (-0.46, -0.5),
    (0.4, -0.5),
    (0.5, -0.34),
    (0.5, 0.34),
    (0.4, 0.5),
    (-0.46, 0.5),
    (-0.5, 0.38),
]
SWING = (0.0, 0.2, 0.0, -0.2)  # of arms and legs, in body heights, by step


@dataclass(frozen=True, slots=True)
class Look:
    """Measures in pixels and colours of one vehicle or person.

    `light` is the offset of the shadow as dx, dy; `lift` is how far the roof leans upwards.
    """

    length: float
    width: float
    light: tuple[int, int]
    colour: Colour
    lift: float = 0.0
    cargo: Colour = ()
    trousers: Colour = ()
    skin: Colour = ()
    hair: Colour = ()


class Sprite:
    """A thing in one pose.

    Attributes:
        rgb, alpha: float32 (n, n, 3) and (n, n), shadow included.
        solid: bool (n, n), the thing's own pixels; `count` is how many.
        dx, dy: offset of the first pixel from the thing's position.
        extent: x1, y1, x2, y2 of the own pixels around the position.
    """

    def __init__(self, rgb: np.ndarray, alpha: np.ndarray, solid: np.ndarray) -> None:
        self.rgb, self.alpha, self.solid, self.count = rgb, alpha, solid, int(solid.sum())
        self.dx = self.dy = -len(solid) // 2
        ys, xs = np.flatnonzero(solid.any(1)), np.flatnonzero(solid.any(0))
        self.extent = np.array([xs[0] + self.dx, ys[0] + self.dy, xs[-1] + 1 + self.dx, ys[-1] + 1 + self.dy])


def shade(colour: Sequence[float], factor: float) -> Colour:
    """Lighter or darker by `factor`, kept within 0 to 255."""
    return tuple(int(min(255, max(0, v * factor))) for v in colour)


def _sprite(size: int, light: tuple[int, int], paint: Paint) -> Sprite:
    """Let `paint` draw colour and mask on canvases `SS` times larger; average down and add the shadow."""
    n = size * SS
    rgb, mask = Image.new("RGB", (n, n), (60, 60, 60)), Image.new("L", (n, n))
    paint(ImageDraw.Draw(rgb), ImageDraw.Draw(mask))
    alpha = np.asarray(mask.resize((size, size), Image.Resampling.BOX), np.float32) / 255
    colour = np.asarray(rgb.resize((size, size), Image.Resampling.BOX), np.float32)
    shadow = np.roll(alpha, light[::-1], (0, 1)) * 0.38 * (1 - alpha)
    total = np.maximum(alpha + shadow, 1e-6)
    return Sprite(colour * (alpha / total)[..., None], alpha + shadow, alpha > 0.5)


@dataclass(frozen=True, slots=True)
class _Frame:
    """Coordinates of a thing: x along its heading, y across it, on a canvas with it in the middle."""

    heading: np.ndarray
    half: int

    def ring(self, points: Points, size: tuple[float, float], up: float = 0.0) -> list[tuple[float, float]]:
        """Points in units of `size` to canvas pixels, `up` pixels higher."""
        across = np.array([-self.heading[1], self.heading[0]])
        centre = np.array([self.half, self.half], float)
        return [
            tuple((centre + self.heading * (x * size[0]) + across * (y * size[1]) - [0, up]) * SS)
            for x, y in points
        ]


def _half(length: float) -> int:
    return int(length * 0.62 + 34)


def _box(x1: float, x2: float, y: float = 0.5) -> list[tuple[float, float]]:
    return [(x1, -y), (x2, -y), (x2, y), (x1, y)]


class _Vehicle:
    """Draws the parts of a vehicle; coordinates in lengths and widths."""

    def __init__(
        self, look: Look, frame: _Frame, rgb: ImageDraw.ImageDraw, mask: ImageDraw.ImageDraw
    ) -> None:
        self.frame, self.size, self.rgb, self.mask = frame, (look.length, look.width), rgb, mask

    def lid(self, points: Points, height: float, colour: Colour) -> None:
        """A flat face at `height`."""
        self.rgb.polygon(self.frame.ring(points, self.size, height), fill=colour)

    def prism(self, points: Points, low: float, high: float, colour: Colour) -> None:
        """Dark walls from `low` to `high`, then the lid."""
        for up in np.arange(low, high + 0.01, 1 / SS):
            ring = self.frame.ring(points, self.size, up)
            self.rgb.polygon(ring, fill=shade(colour, 0.5))
            self.mask.polygon(ring, fill=255)
        self.lid(points, high, colour)


def _car(v: _Vehicle, look: Look) -> None:
    """Bonnet, windscreen, roof and rear window, headlights."""
    v.prism(BODY, 0, look.lift * 0.5, look.colour)
    v.prism([(-0.34, -0.44), (0.18, -0.44), (0.18, 0.44), (-0.34, 0.44)], look.lift * 0.5, look.lift, GLASS)
    v.lid(_box(-0.25, 0.07, 0.38), look.lift, shade(look.colour, 1.12))
    for y in (-0.36, 0.36):
        lamp = [(0.45, y - 0.1), (0.49, y - 0.1), (0.49, y + 0.1), (0.45, y + 0.1)]
        v.lid(lamp, look.lift * 0.5, HEADLIGHT)


def _van(v: _Vehicle, look: Look) -> None:
    """One long roof with ribs, short nose, windscreen far in front."""
    v.prism(BODY, 0, look.lift * 0.45, shade(look.colour, 0.92))
    v.prism(_box(-0.49, 0.36, 0.47), look.lift * 0.45, look.lift, look.colour)
    v.lid([(0.36, -0.43), (0.44, -0.4), (0.44, 0.4), (0.36, 0.43)], look.lift * 0.7, GLASS)
    for x in (-0.38, -0.22, -0.06, 0.1):
        v.lid(_box(x, x + 0.025, 0.38), look.lift, shade(look.colour, 0.62))
    v.lid(_box(0.19, 0.29, 0.2), look.lift, shade(look.colour, 0.72))


def _truck(v: _Vehicle, look: Look) -> None:
    """Cab, gap, cargo box of another colour with a frame and a stripe."""
    v.prism(_box(-0.5, 0.45, 0.3), 0, 3, CHASSIS)
    v.prism(_box(0.29, 0.5, 0.47), 0, look.lift * 0.72, look.colour)
    v.lid(_box(0.42, 0.475, 0.4), look.lift * 0.72, GLASS)
    v.prism(_box(-0.5, 0.24), 2, look.lift, look.cargo)
    v.lid(_box(-0.47, 0.21, 0.42), look.lift, shade(look.cargo, 0.9))
    v.lid(_box(-0.18, -0.08, 0.42), look.lift, shade(look.colour, 0.9))


def draw_vehicle(label: str, look: Look, heading: np.ndarray) -> Sprite:
    """A `car`, `van` or `truck` that drives in direction `heading`, a unit vector."""
    frame = _Frame(heading, _half(look.length))
    parts = {"car": _car, "van": _van, "truck": _truck}[label]
    return _sprite(
        2 * frame.half, look.light, lambda rgb, mask: parts(_Vehicle(look, frame, rgb, mask), look)
    )


def draw_person(look: Look, heading: np.ndarray, step: int) -> Sprite:
    """A person who walks in direction `heading`; `step` 0 to 3 is the pose of arms and legs."""
    frame, swing = _Frame(heading, _half(look.length)), SWING[step]
    size = (look.length, look.length)

    def paint(rgb: ImageDraw.ImageDraw, mask: ImageDraw.ImageDraw) -> None:
        def blob(x: float, y: float, rx: float, ry: float, colour: Colour) -> None:
            turn = np.linspace(0, 2 * np.pi, 20)
            ring = frame.ring([(x + rx * np.cos(u), y + ry * np.sin(u)) for u in turn], size)
            rgb.polygon(ring, fill=colour)
            mask.polygon(ring, fill=255)

        for side in (-1, 1):
            blob(0.1 + side * swing, side * 0.15, 0.24, 0.1, look.trousers)
            blob(0.02 - side * swing, side * 0.42, 0.16, 0.09, look.skin)
        blob(0, 0, 0.25, 0.5, shade(look.colour, 0.8))
        blob(0, 0, 0.2, 0.45, look.colour)
        blob(0.03, 0, 0.2, 0.19, look.hair)
        blob(0.16, 0, 0.07, 0.12, look.skin)

    return _sprite(2 * frame.half, look.light, paint)


def draw_tree(radius: int, blobs: np.ndarray, green: float, light: tuple[int, int]) -> Sprite:
    """A crown of overlapping discs at `blobs`, offsets in pixels, brighter towards the last one."""

    def paint(rgb: ImageDraw.ImageDraw, mask: ImageDraw.ImageDraw) -> None:
        for i, (bx, by) in enumerate(blobs):
            r, x, y = radius * (0.62 - 0.03 * i), radius + 30 + bx, radius + 30 + by
            disc = [(x - r) * SS, (y - r) * SS, (x + r) * SS, (y + r) * SS]
            rgb.ellipse(disc, fill=shade((44 * green, 82 * green, 40), 1 + 0.05 * i))
            mask.ellipse(disc, fill=255)

    return _sprite(2 * radius + 60, light, paint)
