"""Write the card of the demo's model: what it wants, how it was trained, what it reaches on the demo's clip.

usage: python -m tools.demo.make_card --trained-with "torch 2.15.0, ..." [--images 18000]
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from .evaluate import DEMO, HIGH, run
from .judge import boxes_of, judge
from .scenes import GROUPS, LABELS, MUST
from .targets import FIRST, GREY, IN_H, IN_W
from .truth import read_truth

__all__ = ["card_of"]

NEW = 0.80  # confidence from which a detection may begin a track


def card_of(model: Path, metrics: Mapping[str, float], images: int, trained_with: str) -> str:
    """The card as TOML."""
    tables: dict[str, dict[str, object]] = {
        "": {
            "name": model.stem,
            "licence": "Apache-2.0",
            "file": model.name,
            "sha256": hashlib.sha256(model.read_bytes()).hexdigest(),
            "head": "yolov8",
            "labels": list(LABELS),
            "imgsz": [IN_W, IN_H],
        },
        "input": {"fit": "centre", "colour": "rgb", "scale": 255.0, "pad": GREY},
        "thresholds": {"high": HIGH, "new": NEW},
        "provenance": {
            "data": "scenes rendered by tools/demo/scenes.py; no recorded video",
            "images": images,
            "seeds": f"worlds {FIRST} and up, torch 0; the clip is none of them",
            "trained_with": trained_with,
            "judged_on": f"street.mp4 at {HIGH}, IoU 0.5, visible share {MUST} or more",
            "metrics": dict(metrics),
        },
    }
    return "\n".join(_table(name, rows) for name, rows in tables.items())


def _table(name: str, rows: Mapping[str, object]) -> str:
    head = f"[{name}]\n" if name else ""
    return head + "".join(f"{key} = {_value(value)}\n" for key, value in rows.items())


def _value(value: object) -> str:
    """A TOML value; strings, numbers and lists are written as in JSON."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_value(v)}" for key, v in value.items()) + " }"
    return json.dumps(value)


def measure(model: Path, clip: Path) -> dict[str, float]:
    """Recall and precision per group at `HIGH`, rounded down to three decimals."""
    outputs, _ = run(model, clip, "onnxruntime")
    truths = read_truth(clip.with_suffix(".gt.csv"), len(outputs))
    metrics = {}
    for group in GROUPS:
        score = judge([boxes_of(output, group).above(HIGH) for output in outputs], truths, group)
        metrics[f"{group}_recall"] = int(score.recall * 1000) / 1000
        metrics[f"{group}_precision"] = int(score.precision * 1000) / 1000
    return metrics


def main() -> None:
    """Measure and write the card beside the model."""
    parser = argparse.ArgumentParser(description="Write the card of the demo's model.")
    parser.add_argument("--model", type=Path, default=DEMO / "sightline-tiny.onnx")
    parser.add_argument("--clip", type=Path, default=DEMO / "street.mp4")
    parser.add_argument("--images", type=int, default=18000)
    parser.add_argument("--trained-with", required=True)
    args = parser.parse_args()
    card = card_of(args.model, measure(args.model, args.clip), args.images, args.trained_with)
    args.model.with_suffix(".card.toml").write_text(card)
    print(card)


if __name__ == "__main__":
    main()
