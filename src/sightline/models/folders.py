"""Where models and measurements are kept between runs."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["cache_folder", "models_folder"]


def models_folder() -> Path:
    """Where `sightline models` keeps files: `$XDG_DATA_HOME/sightline/models`."""
    return _home("XDG_DATA_HOME", ".local/share") / "models"


def cache_folder() -> Path:
    """What can be measured again: `$XDG_CACHE_HOME/sightline`."""
    return _home("XDG_CACHE_HOME", ".cache")


def _home(variable: str, default: str) -> Path:
    named = os.environ.get(variable, "")
    # The XDG specification: a relative path is invalid and ignored.
    home = Path(named) if named and Path(named).is_absolute() else Path.home() / default
    return home / "sightline"
