"""Models: their cards, the registry of known ones, and the folder that keeps them."""

from sightline.models.cards import Card, Input, Output, Thresholds, card_path, read_card, toml_of
from sightline.models.download import get
from sightline.models.folders import cache_folder, models_folder
from sightline.models.registry import (
    BUNDLED,
    KNOWN,
    Listed,
    Model,
    add,
    list_models,
    resolve,
    sha256_of,
    verify,
)
from sightline.models.twin import int8_twin

__all__ = [
    "BUNDLED",
    "KNOWN",
    "Card",
    "Input",
    "Listed",
    "Model",
    "Output",
    "Thresholds",
    "add",
    "cache_folder",
    "card_path",
    "get",
    "int8_twin",
    "list_models",
    "models_folder",
    "read_card",
    "resolve",
    "sha256_of",
    "toml_of",
    "verify",
]
