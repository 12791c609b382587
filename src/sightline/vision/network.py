"""What goes into a network and comes out of it: names, types and shapes, in the words of no engine."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Port", "Shape", "words"]

Shape = tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Port:
    """An input or output of a network.

    Attributes:
        name: as the file says it.
        dtype: NumPy's name of the type, e.g. `float32`, `uint8`; the file's own word for a type that NumPy lacks.
        shape: None for a side that may vary; empty where the file does not say it.
    """

    name: str
    dtype: str
    shape: Shape


def words(shape: Shape) -> str:
    """A shape for people.

    >>> words((1, 84, None)), words(())
    ('1x84x?', 'not said')
    """
    return "x".join("?" if side is None else str(side) for side in shape) or "not said"
