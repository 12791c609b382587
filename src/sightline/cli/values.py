"""Values that a shell completes: looked up when they are asked for, so that they are those of now."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["COMPLETERS", "datasets", "formats", "known_models", "models", "pipelines", "readable"]


def models(context: Any) -> dict[str, str]:
    """Models that are here, with their licence. Files are completed by the shell."""
    from sightline.models import list_models

    return {model.name: model.licence for model in list_models() if model.path is not None}


def known_models(context: Any) -> dict[str, str]:
    """Models that can be brought, with their licence."""
    from sightline.models import KNOWN

    return {name: card.licence for name, card in KNOWN.items()}


def datasets(context: Any) -> list[str]:
    """Datasets that can be brought."""
    from sightline.setup.datasets import KNOWN

    return list(KNOWN)


def pipelines(context: Any) -> list[str]:
    """Bundled pipelines."""
    from sightline.pipeline import BUNDLED

    return list(BUNDLED)


def formats(context: Any) -> list[str]:
    """Formats of a finished run."""
    from sightline.formats.registry import FORMATS

    return [*FORMATS, "parquet", "video"]


def readable(context: Any) -> list[str]:
    """Formats that `convert` reads."""
    from sightline.formats.registry import SOURCES

    return list(SOURCES)


# By key of an option.
COMPLETERS: Mapping[str, Callable[[Any], Any]] = {"model": models, "pipeline": pipelines, "formats": formats}
