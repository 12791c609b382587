"""Benchmarks and tools follow the product: one that names what is no longer there is found before it is needed."""

import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted(
    path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".")
    for path in (ROOT / "benchmarks").rglob("*.py")
    if path.name != "__init__.py"
)


@pytest.mark.parametrize("name", MODULES)
def test_a_benchmark_can_be_imported(name):
    """Nothing is measured, everything that it imports is there."""
    importlib.import_module(name)
