"""Figures as Grafana writes them: by the names that its dashboards have for units."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

__all__ = ["form", "ticks"]

STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
MOST = 5  # steps of an axis
SCALES: Mapping[str, tuple[tuple[float, str], ...]] = {
    "s": ((1e-6, " µs"), (1e-3, " ms"), (1.0, " s")),
    "bytes": ((1.0, " B"), (2.0**10, " KiB"), (2.0**20, " MiB"), (2.0**30, " GiB")),
    "short": ((1.0, ""), (1e3, " K"), (1e6, " M")),
    "cps": ((1.0, " c/s"), (1e3, " kc/s")),
    "reqps": ((1.0, " req/s"), (1e3, " kreq/s")),
}


def form(unit: str) -> Callable[[float], str]:
    """How values of a unit are written.

    Raises:
        KeyError: nobody has said how.
    """

    def written(value: float) -> str:
        size, name = scale_of(value or 1.0, unit)
        return f"{value / size:.3g}{name}"

    return written


def ticks(top: float, unit: str) -> list[float]:
    """From 0 to what is not below `top`, in steps that are round in the unit."""
    size, _ = scale_of(top or 1.0, unit)
    least = (top or 1.0) / size / MOST
    decade = 10.0 ** math.floor(math.log10(least))
    step = next(each * decade for each in STEPS if each * decade >= least * (1 - 1e-9))
    steps = max(math.ceil(top / size / step - 1e-9), 1)
    return [size * step * number for number in range(steps + 1)]


def scale_of(value: float, unit: str) -> tuple[float, str]:
    """The largest of a unit's sizes that is not above a value, and its name."""
    scales = SCALES[unit]
    return next((each for each in reversed(scales) if value >= each[0]), scales[0])
