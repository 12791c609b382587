"""Drawing on frames with Pillow: boxes, labels, trails, lines, zones, a panel of text, a grid of coordinates.

Sizes follow the picture: what is two pixels wide in 1280 x 720 is six in 3840 x 2160. Colours are those of Okabe and Ito
(jfly.uni-koeln.de/color), which people with any colour vision tell apart; text is black or white, whichever stands out.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from sightline.adapters.drawing.overlays import Overlay, Shape
from sightline.arrays import ByteArray, FloatArray

__all__ = ["Style", "color_of", "grid_labels", "grid_lines", "paint"]

Color = tuple[int, int, int]
PALETTE: tuple[Color, ...] = (
    (230, 159, 0),
    (86, 180, 233),
    (240, 228, 66),
    (213, 94, 0),
    (0, 158, 115),
    (204, 121, 167),
    (255, 255, 255),
    (0, 114, 178),
)
WHITE, BLACK, DARK = (255, 255, 255), (0, 0, 0), (16, 20, 26)
SHAPE: Color = (255, 45, 135)  # neither an object's colour nor that of road markings
PANEL_ALPHA, ZONE_ALPHA = 165, 45
REFERENCE = math.sqrt(1280 * 720)
FONT = resources.files("sightline") / "adapters" / "drawing" / "fonts" / "DejaVuSans.ttf"
STEPS = 12  # segments of a trail


@dataclass(frozen=True, slots=True)
class Style:
    """Sizes in pixels.

    Attributes:
        line: width of an outline.
        font: size of text.
        pad: between text and the edge of its ground.
        halo: dark edge around what is bright.
    """

    line: int
    font: int
    pad: int
    halo: int

    @classmethod
    def of(cls, width: int, height: int) -> Style:
        """For a picture of that size.

        >>> Style.of(1280, 720), Style.of(320, 240).font, Style.of(3840, 2160).line
        (Style(line=2, font=17, pad=4, halo=1), 9, 6)
        """
        scale = math.sqrt(width * height) / REFERENCE
        return cls(
            max(1, round(2 * scale)),
            max(9, round(17 * scale)),
            max(2, round(4 * scale)),
            max(1, round(scale)),
        )


def color_of(number: int) -> Color:
    """One of eight colours; neighbouring numbers have different ones.

    With two groups the ids of one are even and of the other odd, so that no colour is in both.

    >>> color_of(0), color_of(8) == color_of(0), color_of(1) != color_of(2)
    ((230, 159, 0), True, True)
    """
    return PALETTE[number % len(PALETTE)]


def paint(image: ByteArray, overlay: Overlay) -> ByteArray:
    """The image with everything drawn on it; the image itself where there is nothing to draw.

    Args:
        image: uint8 (H, W, 3), RGB; it is not changed.
        overlay: what to draw.
    """
    if not (len(overlay.xyxy) or overlay.panel or overlay.shapes):
        return image
    canvas = Image.fromarray(image)
    draw = ImageDraw.Draw(canvas)
    style = Style.of(*canvas.size)
    for shape in overlay.shapes:
        _paste(canvas, (_drawn_shape if shape.moves else _kept_shape)(shape, canvas.size, style))
    for number, points in overlay.trails:
        _trail(draw, points, color_of(number), style)
    _boxes(canvas, draw, overlay, style)
    for shape, mark in zip(overlay.shapes, overlay.marks, strict=True):
        _mark(canvas, shape, mark, style)
    if overlay.panel:
        _panel(canvas, draw, overlay.panel, style)
    return np.asarray(canvas)


def _boxes(canvas: Image.Image, draw: ImageDraw.ImageDraw, overlay: Overlay, style: Style) -> None:
    """All boxes, then all labels, so that no box cuts through a label."""
    limits = np.array([*canvas.size] * 2) - 1.0
    boxes = np.clip(np.rint(overlay.xyxy), 0, limits).astype(int).tolist()
    colors = [color_of(number) for number in overlay.numbers.tolist()]
    for (x1, y1, x2, y2), color in zip(boxes, colors, strict=True):
        halo = style.halo
        draw.rectangle((x1 - halo, y1 - halo, x2 + halo, y2 + halo), outline=DARK, width=halo)
        draw.rectangle((x1, y1, x2, y2), outline=color, width=style.line)
    for (x1, y1, _, y2), color, text in zip(boxes, colors, overlay.texts, strict=True):
        label = _label(text, style, color)
        above, below = y1 - style.halo - label.height, y2 + style.halo + 1
        y = above if above >= 0 else below if below + label.height <= canvas.height else y1
        canvas.paste(label, _inside(canvas, label, x1 - style.halo, y))


def _inside(canvas: Image.Image, label: Image.Image, x: float, y: float) -> tuple[int, int]:
    """The place nearest to `x`, `y` where the whole label lies inside the picture."""
    right, bottom = canvas.width - label.width, canvas.height - label.height
    return max(0, min(round(x), right)), max(0, min(round(y), bottom))


def _trail(draw: ImageDraw.ImageDraw, points: FloatArray, color: Color, style: Style) -> None:
    """The way of an object, thinner the longer ago."""
    few = points[np.unique(np.linspace(0, len(points) - 1, STEPS + 1).round().astype(int))]
    corners = [tuple(point) for point in few.round(1).tolist()]
    for number, (start, end) in enumerate(itertools.pairwise(corners), start=1):
        width = max(1, round((2 * style.line + 1) * number / len(corners)))
        draw.line((*start, *end), fill=color, width=width)


def _mark(canvas: Image.Image, shape: Shape, text: str, style: Style) -> None:
    """The text of a line at its middle, on the side that is out; that of a zone at its highest corner."""
    label = _label(text, style, DARK)
    if shape.kind == "zone":
        x, y = min(shape.points, key=lambda point: (point[1], point[0]))
        canvas.paste(label, _inside(canvas, label, x, y - label.height - style.line))
        return
    (ax, ay), (bx, by) = shape.points
    length = math.hypot(bx - ax, by - ay)
    out_x, out_y = (by - ay) / length, (ax - bx) / length
    reach_x, reach_y = label.width / 2 + 3 * style.pad, label.height / 2 + 3 * style.pad
    x, y = (ax + bx) / 2 + out_x * reach_x, (ay + by) / 2 + out_y * reach_y
    canvas.paste(label, _inside(canvas, label, x - label.width / 2, y - label.height / 2))


def _panel(canvas: Image.Image, draw: ImageDraw.ImageDraw, words: Sequence[str], style: Style) -> None:
    """Words in the upper left corner, in as many lines as the width asks for."""
    font, gap = _font(style.font), 3 * style.pad
    lines: list[list[str]] = []
    for word in words:
        fits = lines and sum(font.getlength(each) + gap for each in (*lines[-1], word)) <= 0.6 * canvas.width
        if fits:
            lines[-1].append(word)
        else:
            lines.append([word])
    wide = max(sum(font.getlength(word) for word in line) + gap * (len(line) - 1) for line in lines)
    step = _line_height(style.font)
    size = round(wide) + 4 * style.pad, step * len(lines) + 2 * style.pad
    at = style.pad * 2
    canvas.paste(DARK, (at, at, at + size[0], at + size[1]), _rounded(size, style.pad * 2, PANEL_ALPHA))
    for row, line in enumerate(lines):
        x = float(at + 2 * style.pad)
        for word in line:
            draw.text((x, at + style.pad + row * step), word, fill=WHITE, font=font)
            x += font.getlength(word) + gap


@lru_cache(maxsize=64)
def _rounded(size: tuple[int, int], radius: int, alpha: int) -> Image.Image:
    mask = Image.new("L", size, 0)
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, size[0] - 1, size[1] - 1), radius, fill=alpha)
    return mask


@lru_cache(maxsize=4096)
def _label(text: str, style: Style, ground: Color) -> Image.Image:
    """A text on its ground."""
    font = _font(style.font)
    label = Image.new(
        "RGB", (math.ceil(font.getlength(text)) + 2 * style.pad, _line_height(style.font)), ground
    )
    ink = BLACK if _luminance(ground) > 0.18 else WHITE
    ImageDraw.Draw(label).text((style.pad, 0), text, fill=ink, font=font)
    return label


def _luminance(color: Color) -> float:
    """Relative luminance, 0 to 1 (WCAG 2); above 0.18 black text has more contrast than white."""
    parts = [part / 255 for part in color]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@dataclass(frozen=True, slots=True)
class _Sprite:
    """A picture that is put on many frames: colours, how much of them, and where its left upper corner lies."""

    at: tuple[int, int]
    image: Image.Image
    mask: Image.Image


def _paste(canvas: Image.Image, sprite: _Sprite) -> None:
    canvas.paste(sprite.image, sprite.at, sprite.mask)


def _drawn_shape(shape: Shape, size: tuple[int, int], style: Style) -> _Sprite:
    """A line with an arrow to the side that is in, or a zone; smooth, as it is drawn larger first."""
    width, height = size
    finer = 1 if width * height > 4_000_000 else 3
    margin = 8 * style.line
    xs, ys = [x for x, _ in shape.points], [y for _, y in shape.points]
    left, top = (math.floor(max(0.0, min(side) - margin)) for side in (xs, ys))
    right, bottom = math.ceil(min(width, max(xs) + margin)), math.ceil(min(height, max(ys) + margin))
    large = (max(1, right - left) * finer, max(1, bottom - top) * finer)
    image, mask = Image.new("RGB", large, DARK), Image.new("L", large, 0)
    points = [((x - left) * finer, (y - top) * finer) for x, y in shape.points]
    _draw_shape(shape.kind, points, ImageDraw.Draw(image), ImageDraw.Draw(mask), style.line * finer)
    small = (large[0] // finer, large[1] // finer)
    if finer > 1:
        image, mask = image.reduce(finer), mask.reduce(finer)
    return _Sprite((left, top), image.crop((0, 0, *small)), mask.crop((0, 0, *small)))


_kept_shape = lru_cache(maxsize=256)(_drawn_shape)


def _draw_shape(
    kind: str,
    points: list[tuple[float, float]],
    image: ImageDraw.ImageDraw,
    mask: ImageDraw.ImageDraw,
    line: int,
) -> None:
    if kind == "zone":
        image.polygon(points, fill=SHAPE)
        mask.polygon(points, fill=ZONE_ALPHA)
        around = [*points, points[0], points[1]]
        for ink, width in ((DARK, 2 * line), (SHAPE, line)):
            image.line(around, fill=ink, width=width, joint="curve")
            mask.line(around, fill=255, width=width, joint="curve")
        return
    (ax, ay), (bx, by) = points
    length = math.hypot(bx - ax, by - ay)
    along_x, along_y = (bx - ax) / length, (by - ay) / length
    middle_x, middle_y = (ax + bx) / 2, (ay + by) / 2
    for ink, width, reach in ((DARK, 5 * line // 2, 6 * line), (SHAPE, 3 * line // 2, 5 * line)):
        # To the right of a -> b with y down is (-along_y, along_x).
        tip = middle_x - along_y * reach * 1.1, middle_y + along_x * reach * 1.1
        base = [(middle_x + side * along_x * reach, middle_y + side * along_y * reach) for side in (-1, 1)]
        for draw, color in ((image, ink), (mask, 255)):
            draw.line((ax, ay, bx, by), fill=color, width=width)
            draw.polygon([*base, tip], fill=color)


def grid_lines(image: ByteArray) -> ByteArray:
    """The image with a line every tenth of its sides; what is drawn on it later lies above them.

    Args:
        image: uint8 (H, W, 3), RGB; it is not changed.
    """
    canvas = Image.fromarray(image)
    draw = ImageDraw.Draw(canvas, "RGBA")
    style = Style.of(*canvas.size)
    width, height = canvas.size
    for tenth in range(1, 10):
        x, y = round(width * tenth / 10), round(height * tenth / 10)
        for ends in ((x, 0, x, height), (0, y, width, y)):
            draw.line(ends, fill=(*DARK, 120), width=style.halo * 2 + 1)
            draw.line(ends, fill=(*WHITE, 200), width=style.halo)
    return np.asarray(canvas)


def grid_labels(image: ByteArray) -> ByteArray:
    """The image with the coordinates of `grid_lines`, 0..1 and pixels, at its lower and left edge, clear of what `paint` writes at the top.

    Labels that would cover each other are left out: every second one stays, or every fifth.

    Args:
        image: uint8 (H, W, 3), RGB; it is not changed.
    """
    canvas = Image.fromarray(image)
    style = Style.of(*canvas.size)
    width, height = canvas.size
    small = Style(style.line, max(10, round(style.font * 0.8)), max(1, style.pad // 2), style.halo)
    across = [_label(f"{tenth / 10:g}  {round(width * tenth / 10)}", small, DARK) for tenth in range(10)]
    down = [_label(f"{tenth / 10:g}  {round(height * tenth / 10)}", small, DARK) for tenth in range(10)]
    for tenth in range(0, 10, _every(max(label.width for label in across), width)):
        canvas.paste(across[tenth], _inside(canvas, across[tenth], round(width * tenth / 10) + 1, height))
    step = _every(max(label.height for label in down), height)
    for tenth in range(step, 10, step):
        canvas.paste(down[tenth], _inside(canvas, down[tenth], 0, round(height * tenth / 10) + 1))
    corner = _label(f"1  {width} x {height}", small, DARK)
    canvas.paste(corner, _inside(canvas, corner, width, 0))
    return np.asarray(canvas)


def _every(label: int, side: int) -> int:
    """Every how many tenths of a side of the picture a label has room, pixels."""
    return next((step for step in (1, 2) if label + 2 <= side * step / 10), 5)


def _line_height(size: int) -> int:
    ascent, descent = _font(size).getmetrics()
    return int(ascent + descent)


@lru_cache(maxsize=8)
def _font(size: int) -> Any:
    """DejaVu Sans, as far as Latin, Greek and Cyrillic letters; others are drawn as empty boxes."""
    return ImageFont.truetype(BytesIO(FONT.read_bytes()), size)
