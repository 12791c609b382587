"""Files of lines and zones: read once, together for all runs that are counted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from sightline.counts import Line, Zone
from sightline.disk import read_text
from sightline.errors import InvalidFile, Misconfigured
from sightline.formats.geometry_json import read_lines, read_videos, read_zones

__all__ = ["ShapeFiles"]

Shape = TypeVar("Shape", Line, Zone)


class ShapeFiles:
    """Lines and zones out of files.

    Args:
        lines, zones: JSON files; one file may hold both and be named twice.
        drawn_on: number of the frame that those were drawn on that say none; None: the first sampled one.

    Raises:
        NotFound: a file is not there.
        InvalidFile: one cannot be read.
    """

    def __init__(self, lines: Sequence[str], zones: Sequence[str], drawn_on: int | None = None) -> None:
        self._lines = [(name, read_text(Path(name))) for name in lines]
        self._zones = [(name, read_text(Path(name))) for name in zones]
        self._drawn_on = drawn_on

    def __call__(self, runs: Sequence[Sequence[str]]) -> list[tuple[tuple[Line, ...], tuple[Zone, ...]]]:
        """Lines and zones of each run, by its names: those for its video and those for all.

        Raises:
            InvalidFile: an element is no line or zone, or two files give one name.
            Misconfigured: a file is for none of the runs.
        """
        for name, text in dict.fromkeys((*self._lines, *self._zones)):
            _check_meant(name, text, runs)
        return [
            (
                self._drawn(_gathered(self._lines, read_lines, run)),
                self._drawn(_gathered(self._zones, read_zones, run)),
            )
            for run in runs
        ]

    def _drawn(self, shapes: tuple[Shape, ...]) -> tuple[Shape, ...]:
        return tuple(
            replace(shape, frame=self._drawn_on) if shape.frame is None else shape for shape in shapes
        )


def _check_meant(name: str, text: str, runs: Sequence[Sequence[str]]) -> None:
    everything = bool(read_lines(text, name) or read_zones(text, name))
    if everything and not any(read_lines(text, name, run) or read_zones(text, name, run) for run in runs):
        raise Misconfigured(
            f"{name}: its video is {', '.join(read_videos(text, name))}, which is none of "
            f"{', '.join(run[0] for run in runs)}: name one of these, or a pattern",
            code="usage",
        )


def _gathered(
    files: Sequence[tuple[str, str]],
    read: Callable[[str, str, Sequence[str]], tuple[Shape, ...]],
    run: Sequence[str],
) -> tuple[Shape, ...]:
    found: dict[str, Shape] = {}
    for name, text in files:
        for shape in read(text, name, run):
            if shape.name in found:
                raise InvalidFile(
                    name,
                    reason=f"{shape.name!r} is in another file too; names must differ, or each file say its video",
                )
            found[shape.name] = shape
    return tuple(found.values())
