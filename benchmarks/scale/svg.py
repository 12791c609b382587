"""Line plots as SVG: axes with units, a legend; readable on light and on dark pages."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

__all__ = ["COLOURS", "Axis", "Frame", "Point", "document", "line", "plot", "points", "rectangle", "text"]

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 360, 70, 180, 34, 52
COLOURS = (
    "#1f77b4",
    "#e6550d",
    "#2ca02c",
    "#9467bd",
    "#d62728",
    "#17a2b8",
    "#8c564b",
    "#e377c2",
    "#bcbd22",
    "#7f7f7f",
)
STYLE = (
    "text{font:12px sans-serif;fill:#222}.axis{stroke:#888;fill:none}.grid{stroke:#8883;fill:none}"
    "@media(prefers-color-scheme:dark){text{fill:#ddd}}"
)
Point = tuple[float, float]


@dataclass(frozen=True)
class Axis:
    """What an axis says: its label with the unit, its ticks, whether equal steps are equal factors, and how a tick is written."""

    label: str
    ticks: Sequence[float]
    log: bool = False
    form: Callable[[float], str] = "{:g}".format

    def place(self, value: float) -> float:
        """From 0 at the first tick to 1 at the last."""
        low, high, at = self.ticks[0], self.ticks[-1], value
        if self.log:
            low, high, at = math.log(low), math.log(high), math.log(value)
        return (at - low) / (high - low)


@dataclass(frozen=True)
class Frame:
    """Two axes, and the rectangle between them."""

    x: Axis
    y: Axis
    left: float
    top: float
    right: float
    bottom: float

    def across(self, value: float) -> float:
        """Where a value of the one axis is."""
        return self.left + self.x.place(value) * (self.right - self.left)

    def up(self, value: float) -> float:
        """Where a value of the other is."""
        return self.bottom - self.y.place(value) * (self.bottom - self.top)

    def at(self, point: Point) -> Point:
        """Where a point is that lies between the first and the last tick of each axis."""
        return self.across(point[0]), self.up(point[1])

    def grid(self) -> list[str]:
        """A line and a number for each tick, and the axes."""
        parts = []
        for tick in self.x.ticks:
            across = self.across(tick)
            parts += [
                line("grid", [(across, self.top), (across, self.bottom)]),
                text(across, self.bottom + 18, self.x.form(tick), "middle"),
            ]
        for tick in self.y.ticks:
            up = self.up(tick)
            parts += [
                line("grid", [(self.left, up), (self.right, up)]),
                text(self.left - 6, up + 4, self.y.form(tick), "end"),
            ]
        corners = [(self.left, self.top), (self.left, self.bottom), (self.right, self.bottom)]
        return [*parts, line("axis", corners)]


def plot(title: str, x: Axis, y: Axis, series: Mapping[str, Sequence[Point]]) -> str:
    """An SVG of lines by name.

    Args:
        title: above all.
        x, y: axes; every point lies between their first and last tick.
        series: points of each line.
    """
    frame = Frame(x, y, LEFT, TOP, WIDTH - RIGHT, HEIGHT - BOTTOM)
    right, middle = frame.right, (frame.top + frame.bottom) / 2
    parts = [
        text(LEFT, 18, title),
        *frame.grid(),
        text((LEFT + right) / 2, HEIGHT - 12, x.label, "middle"),
        f'<g transform="translate(16 {middle}) rotate(-90)">{text(0, 0, y.label, "middle")}</g>',
    ]
    for number, (name, points) in enumerate(series.items()):
        colour, down = COLOURS[number % len(COLOURS)], TOP + 14 + 20 * number
        parts += [
            line("", [frame.at(point) for point in points], colour),
            *(f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3" fill="{colour}"/>' for a, b in map(frame.at, points)),
            line("", [(right + 12, down - 4), (right + 32, down - 4)], colour),
            text(right + 38, down, name),
        ]
    return document(title, WIDTH, HEIGHT, parts)


def document(title: str, width: int, height: int, parts: Sequence[str]) -> str:
    """An SVG of these parts."""
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">'
    return "\n".join([head, f"<title>{escape(title)}</title><style>{STYLE}</style>", *parts, "</svg>", ""])


def text(x: float, y: float, said: str, anchor: str = "start", size: float = 0) -> str:
    """A line of text, from, around or up to a place; of a size of its own."""
    look = f' style="font-size:{size:.0f}px"' if size else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{look}>{escape(said)}</text>'


def line(kind: str, through: Sequence[Point], colour: str = "", width: float = 2) -> str:
    """A line of a colour, or one of the kinds `axis` and `grid`."""
    look = f'fill="none" stroke="{colour}" stroke-width="{width:g}"' if colour else f'class="{kind}"'
    return f'<polyline {look} points="{points(through)}"/>'


def points(through: Sequence[Point]) -> str:
    """As an attribute has them."""
    return " ".join(f"{a:.1f},{b:.1f}" for a, b in through)


def rectangle(left: float, top: float, right: float, bottom: float, look: str) -> str:
    """A rectangle; how it looks is said by its attributes."""
    return (
        f'<rect x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" height="{bottom - top:.1f}" {look}/>'
    )
