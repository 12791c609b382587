"""A model of the user's own, by a name."""

from __future__ import annotations

from pathlib import Path

from sightline import models
from sightline.adapters.engines.choice import output_shape

__all__ = ["add_model"]


def add_model(path: Path, name: str | None) -> models.Model:
    """Copy a model into the cache, with its card; an engine says what a file does not.

    Raises:
        Misconfigured: as `sightline.models.add`.
    """
    return models.add(path, name, probe=output_shape)
