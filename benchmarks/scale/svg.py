"""Line plots as SVG: axes with units, a legend; readable on light and on dark pages."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

__all__ = ["Axis", "plot"]

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 360, 70, 180, 34, 52
COLOURS = "#1f77b4", "#e6550d", "#2ca02c", "#9467bd", "#d62728", "#17a2b8"
STYLE = (
    "text{font:12px sans-serif;fill:#222}.axis{stroke:#888;fill:none}.grid{stroke:#8883;fill:none}"
    "@media(prefers-color-scheme:dark){text{fill:#ddd}}"
)


@dataclass(frozen=True)
class Axis:
    """What an axis says: its label with the unit, its ticks, and whether equal steps are equal factors."""

    label: str
    ticks: Sequence[float]
    log: bool = False

    def place(self, value: float) -> float:
        """From 0 at the first tick to 1 at the last."""
        low, high, at = self.ticks[0], self.ticks[-1], value
        if self.log:
            low, high, at = math.log(low), math.log(high), math.log(value)
        return (at - low) / (high - low)


def plot(title: str, x: Axis, y: Axis, series: Mapping[str, Sequence[tuple[float, float]]]) -> str:
    """An SVG of lines by name.

    Args:
        title: above all.
        x, y: axes; every point lies between their first and last tick.
        series: points of each line.
    """

    def at(point: tuple[float, float]) -> tuple[float, float]:
        across, up = x.place(point[0]), y.place(point[1])
        return LEFT + across * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM)

    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    parts = [_text(LEFT, 18, title)]
    for tick in x.ticks:
        across = at((tick, y.ticks[0]))[0]
        parts += [
            _line("grid", [(across, TOP), (across, bottom)]),
            _text(across, bottom + 18, f"{tick:g}", "middle"),
        ]
    for tick in y.ticks:
        up = at((x.ticks[0], tick))[1]
        parts += [_line("grid", [(LEFT, up), (right, up)]), _text(LEFT - 6, up + 4, f"{tick:g}", "end")]
    parts += [
        _line("axis", [(LEFT, TOP), (LEFT, bottom), (right, bottom)]),
        _text((LEFT + right) / 2, HEIGHT - 12, x.label, "middle"),
        f'<g transform="translate(16 {(TOP + bottom) / 2}) rotate(-90)">{_text(0, 0, y.label, "middle")}</g>',
    ]
    for number, (name, points) in enumerate(series.items()):
        colour, down = COLOURS[number % len(COLOURS)], TOP + 14 + 20 * number
        parts += [
            _line("", [at(point) for point in points], colour),
            *(f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3" fill="{colour}"/>' for a, b in map(at, points)),
            _line("", [(right + 12, down - 4), (right + 32, down - 4)], colour),
            _text(right + 38, down, name),
        ]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">'
    return "\n".join([head, f"<title>{escape(title)}</title><style>{STYLE}</style>", *parts, "</svg>", ""])


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _line(kind: str, points: Sequence[tuple[float, float]], colour: str = "") -> str:
    look = f'fill="none" stroke="{colour}" stroke-width="2"' if colour else f'class="{kind}"'
    return f'<polyline {look} points="{" ".join(f"{a:.1f},{b:.1f}" for a, b in points)}"/>'
