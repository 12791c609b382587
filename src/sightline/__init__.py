"""Sightline: video in; detections, tracks and counts out. Never loses or invents a frame.

>>> import sightline as sl
>>> sl.Line("north", (0.1, 0.5), (0.9, 0.5)).name
'north'
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.2.0"

__all__ = [
    "Detections",
    "Line",
    "Plane",
    "Recount",
    "Run",
    "Speeds",
    "Tracks",
    "Zone",
    "__version__",
    "count_joined",
    "load",
    "track",
]

if TYPE_CHECKING:
    from sightline.counts import Line, Zone
    from sightline.run import Run, count_joined, load, track
    from sightline.runs.recount import Recount
    from sightline.runs.speeds import Speeds
    from sightline.speeds import Plane
    from sightline.types import Detections, Tracks

_PLACES = {
    "Detections": "types",
    "Line": "counts",
    "Plane": "speeds",
    "Recount": "runs.recount",
    "Run": "run",
    "Speeds": "runs.speeds",
    "Tracks": "types",
    "Zone": "counts",
    "count_joined": "run",
    "load": "run",
    "track": "run",
}


def __getattr__(name: str) -> Any:
    """Public names are imported when they are first used: `import sightline` stays quick."""
    if name not in _PLACES:
        raise AttributeError(f"module 'sightline' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"sightline.{_PLACES[name]}"), name)


def __dir__() -> list[str]:
    """Public names, for `dir(sightline)` and completion: they are not loaded by it."""
    return sorted([*__all__, "__doc__", "__file__", "__name__", "__path__"])
