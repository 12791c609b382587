"""The quantised twin of a model: the same network in int8, beside it."""

from __future__ import annotations

from pathlib import Path

from sightline.errors import Misconfigured
from sightline.models.cards import card_path, read_card
from sightline.models.facts import facts_of
from sightline.models.registry import Model, sha256_of

__all__ = ["int8_twin"]


def int8_twin(model: Model) -> Model | None:
    """The int8 network made from a model: `<stem>-int8.xml`, `<stem>-int8.onnx`, or Ultralytics' export folder.

    It loses about one match in twenty, so it is only used where the user allows it. Without a card it has that of
    the model.

    Raises:
        Misconfigured: it is not quantised, or its labels are others.
    """
    path = _beside(model.path)
    if path is None:
        return None
    facts = facts_of(path)
    own = read_card(card_path(path)) if card_path(path).is_file() else None
    labels = own.labels if own is not None else facts.labels or model.card.labels
    if labels != model.card.labels or not facts.quantised:
        raise Misconfigured(f"{path.name}: not the int8 network of {model.path.name}", code="model")
    digest = sha256_of(path)
    card = own or model.card.model_copy(update={"name": path.stem, "file": path.name, "sha256": digest})
    return Model(path, card, digest, facts.fixed)


def _beside(path: Path) -> Path | None:
    folder = path.with_name(f"{path.stem}_int8_openvino_model")
    files = [path.with_name(f"{path.stem}-int8{suffix}") for suffix in (".xml", ".onnx")]
    found = [file for file in (*files, *sorted(folder.glob("*.xml"))) if file.is_file()]
    return found[0] if found else None
