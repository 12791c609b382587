"""SciPy's assignment solver without the rest of `scipy.optimize`, which takes 0.3 s and 50 MiB to import.

The solver is one compiled file that needs NumPy only. Where a build of SciPy keeps it elsewhere, the whole package is
imported: the same function, later.
"""

from __future__ import annotations

from functools import cache
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Protocol

from sightline.arrays import FloatArray, IndexArray

__all__ = ["Solver", "linear_sum_assignment", "load"]


class Solver(Protocol):
    """`scipy.optimize.linear_sum_assignment`."""

    def __call__(self, cost: FloatArray, maximize: bool = False, /) -> tuple[IndexArray, IndexArray]:
        """Rows, rising, and their columns."""


def linear_sum_assignment(score: FloatArray) -> tuple[IndexArray, IndexArray]:
    """The one-to-one assignment of largest total score (Crouse 2016, a shortest augmenting path method).

    Args:
        score: float64 (R, C).

    Returns:
        Rows, rising, and their columns, min(R, C) of each.

    >>> import numpy as np
    >>> linear_sum_assignment(np.array([[1.0, 3.0], [2.0, 9.0]]))
    (array([0, 1]), array([0, 1]))
    """
    return load()(score, True)


@cache
def load() -> Solver:
    """The solver."""
    spec = find_spec("scipy")
    folders = [] if spec is None else [Path(each) for each in spec.submodule_search_locations or ()]
    for path in (
        folder / "optimize" / f"_lsap{suffix}" for folder in folders for suffix in EXTENSION_SUFFIXES
    ):
        compiled = spec_from_file_location("_lsap", path) if path.is_file() else None
        if compiled is not None and compiled.loader is not None:
            module = module_from_spec(compiled)
            compiled.loader.exec_module(module)
            solver: Solver = module.linear_sum_assignment
            return solver
    from scipy import optimize

    whole: Solver = optimize.linear_sum_assignment
    return whole
