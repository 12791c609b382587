"""Model cards: what must be known of a network to use it, in a TOML file `<stem>.card.toml` beside the model.

The schema and a commented example are in docs/reference/model-card.md.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from sightline.validation import checked, read_toml
from sightline.vision.coco import NAMED_LABELS
from sightline.vision.heads import BoxOrder, BoxUnit, Fit, HeadName, Profile, ScoreKind

__all__ = ["Card", "Input", "Output", "Thresholds", "card_path", "read_card", "toml_of"]

Unit = Annotated[float, Field(gt=0, le=1)]
Side = Annotated[int, Field(ge=32, le=8192)]
Channels = tuple[float, float, float]
Above = Annotated[float, Field(gt=0)]
Positive = tuple[Above, Above, Above]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


_STRETCHED: tuple[HeadName, ...] = ("rtdetr", "detr", "detr-deployed")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Input(_Part):
    """How the network wants its picture."""

    fit: Fit = Field(
        default="centre",
        description="Where the scaled frame lies in the picture; stretch fills it, the default of DETRs.",
    )
    colour: Literal["rgb", "bgr"] = Field(default="rgb", description="Order of the channels in training.")
    scale: float = Field(
        default=255.0, gt=0, description="Pixel values are divided by it: 255 gives 0..1, 1 keeps 0..255."
    )
    pad: int = Field(default=114, ge=0, le=255, description="Grey value around the frame.")
    mean: Channels = Field(default=(0.0, 0.0, 0.0), description="By channel, subtracted after scale.")
    std: Positive = Field(default=(1.0, 1.0, 1.0), description="By channel, divided by after that.")


class Output(_Part):
    """What its numbers mean, where that is not what they mean in its head."""

    box: BoxOrder | None = Field(default=None, description="Order of a box: cxcywh, xywh, xyxy.")
    unit: BoxUnit | None = Field(
        default=None, description="Of its boxes: pixel, or picture, whose parts are 0..1."
    )
    scores: ScoreKind | None = Field(default=None, description="probability, or logit: before the sigmoid.")


class Thresholds(_Part):
    """Confidences that suit this network; flags win over all, `high` and `new` win over the pipeline file."""

    high: Unit | None = Field(
        default=None, description="The tracker's: detections from it on are matched first."
    )
    new: Unit | None = Field(
        default=None, description="The tracker's: a detection from it on may start a track."
    )
    conf: Unit | None = Field(
        default=None, description="Lowest confidence, where the pipeline file names none."
    )
    iou: Unit | None = Field(default=None, description="Largest overlap, where the pipeline file names none.")


class Card(_Part):
    """What must be known of a network to use it."""

    name: str = Field(min_length=1, description="Name for people, and for --model.")
    licence: str = Field(default="", description="SPDX name of the licence of the weights.")
    file: str = Field(description="File name of the model, beside the card.")
    sha256: Digest | None = Field(
        default=None, description="Of the model file, and then of its .bin or other files of weights."
    )
    url: str = Field(default="", description="Where the file comes from.")
    head: HeadName = Field(
        description="What the output means: yolov8, yolov5, yolox, yolox-decoded, end2end, rtdetr, detr, "
        "detr-deployed; ultralytics for .pt."
    )
    labels: tuple[str, ...] = Field(
        default=(), description="By class id, or coco, or coco-91. Only a .pt file may leave them out."
    )
    imgsz: Side | tuple[Side, Side] | None = Field(
        default=None,
        description="Width and height, or the longest side alone; a network of one size needs none.",
    )
    input: Input = Input()
    output: Output = Output()
    thresholds: Thresholds = Thresholds()
    provenance: dict[str, Any] = Field(default={}, description="Anything: data, seeds, metrics.")

    @field_validator("labels", mode="before")
    @classmethod
    def _named(cls, labels: object) -> object:
        return NAMED_LABELS.get(labels, labels) if isinstance(labels, str) else labels

    @model_validator(mode="after")
    def _labelled(self) -> Self:
        if not self.labels and self.head != "ultralytics":
            raise ValueError("labels: the words of the class ids, in their order, are missing")
        return self

    def profile(self, sha256: str) -> Profile:
        """The part that an engine needs, with the digest of the file as it is."""
        size = self.imgsz if isinstance(self.imgsz, tuple) else None
        own, out = self.input, self.output
        return Profile(
            self.name,
            sha256,
            self.labels,
            self.head,
            self.fit,
            own.colour,
            own.scale,
            own.pad,
            size,
            own.mean,
            own.std,
            out.box,
            out.unit,
            out.scores,
            self.file,
        )

    @property
    def fit(self) -> Fit:
        """Where the scaled frame lies; DETRs are trained on frames that fill the picture."""
        if self.head in _STRETCHED and "fit" not in self.input.model_fields_set:
            return "stretch"
        return self.input.fit


def card_path(model: Path) -> Path:
    """Where the card of a model file lies.

    >>> card_path(Path("a/yolox-nano.onnx")).name
    'yolox-nano.card.toml'
    """
    return model.with_suffix(".card.toml")


def read_card(path: Path) -> Card:
    """A card.

    Raises:
        Misconfigured: not TOML, an unknown key (names the nearest), or a value out of its range.
    """
    return checked(Card, read_toml(path), lambda key: f"{path.name}: {key}")


def toml_of(card: Card) -> str:
    """A card as TOML; keys that are not set are left out."""
    values = card.model_dump(mode="json", exclude_none=True, exclude_unset=True)
    tables = {key: value for key, value in values.items() if isinstance(value, dict)}
    lines = [f"{key} = {_value(value)}" for key, value in values.items() if key not in tables]
    for name, table in tables.items():
        lines += ["", f"[{name}]", *(f"{_key(key)} = {_value(value)}" for key, value in table.items())]
    return "\n".join(lines) + "\n"


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else json.dumps(key)


def _value(value: object) -> str:
    """A TOML value; strings, numbers and lists are written as in JSON."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(str(key))} = {_value(v)}" for key, v in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
