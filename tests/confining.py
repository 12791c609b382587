"""Confined readers for tests, and what tests need of this kernel."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from sightline.adapters.confined.confine import Level
from sightline.adapters.confined.levels import levels
from sightline.adapters.confined.reader import ConfinedReader
from sightline.sources.named import image_files
from sightline.sources.probe import SYSTEM_B
from sightline.types import ImageSpec
from sightline.vision.sampling import chunks

__all__ = ["assert_same_index", "everything", "level", "needs", "open_confined"]


@cache
def level() -> Level:
    """What confines a process here."""
    return levels()


def needs(*parts: str) -> None:
    """Skip loudly where this kernel lacks a part: `rlimits`, `seccomp`, `landlock`."""
    for part in parts:
        if not getattr(level(), part):
            pytest.skip(f"this kernel does not give {part}: {level().missing}")


def assert_same_index(found, expected) -> None:
    """Every column and every word."""
    for name in type(expected).__dataclass_fields__:
        mine, theirs = getattr(found, name), getattr(expected, name)
        if isinstance(theirs, np.ndarray):
            assert mine.dtype == theirs.dtype, name
            np.testing.assert_array_equal(mine, theirs, err_msg=name)
        else:
            assert mine == theirs, name


def everything(reader, spec: ImageSpec, rows: range | None = None) -> list[tuple[int, str, str, bytes]]:
    """Each frame of a reader: row, outcome, reason, pixels."""
    index = reader.index()
    width, height = (spec.width, spec.height) if spec.width else (index.width, index.height)
    shape = ImageSpec(width, height, spec.layout).shape()
    found = []
    for chunk in chunks(index, 8):
        mine = [row for row in range(chunk.first, chunk.end) if rows is None or row in rows]
        if mine:
            read = reader.read(chunk, mine, index.tick[mine].tolist(), lambda: np.zeros(shape, np.uint8))
            found += [
                (f.row, f.outcome, f.reason, b"" if f.buffer is None else f.buffer.tobytes()) for f in read
            ]
    return found


def open_confined(source, image, preprocess, fps, index=None):
    """As `sources.probe.open_reader`, by a process that can do nothing else."""
    prepared = SYSTEM_B if preprocess == "blur-contrast" else None
    files = image_files(source.path) if source.kind == "images" else source.path
    return ConfinedReader(files, image, prepared, source.path.name, index=index, fps=fps)
