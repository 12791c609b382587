"""The assignment solver is SciPy's own, loaded alone."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import optimize

from sightline.vision import solver
from sightline.vision.solver import linear_sum_assignment, load

shapes = st.tuples(st.integers(0, 6), st.integers(0, 6))


@given(hnp.arrays(np.float64, shapes, elements=st.integers(0, 3).map(float)))
def test_it_chooses_what_scipy_chooses(score):
    """Equal totals too: which of them wins is part of the result."""
    ours, theirs = linear_sum_assignment(score), optimize.linear_sum_assignment(score, maximize=True)

    assert [part.tolist() for part in ours] == [part.tolist() for part in theirs]


def test_solving_does_not_import_the_rest_of_scipy():
    """0.3 s and 50 MiB of every process that tracks."""
    code = (
        "import sys, numpy; from sightline.vision.solver import linear_sum_assignment as solve; "
        "assert solve(numpy.eye(2))[1].tolist() == [0, 1]; sys.exit('scipy.optimize' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.fixture
def elsewhere(monkeypatch):
    """A SciPy whose compiled file has another name."""
    monkeypatch.setattr(solver, "EXTENSION_SUFFIXES", [".nowhere"])
    load.cache_clear()
    yield
    load.cache_clear()


def test_another_build_of_scipy_is_imported_whole(elsewhere):
    """The same function."""
    assert load() is optimize.linear_sum_assignment
