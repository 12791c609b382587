"""Values for other libraries, which are imported when they are asked for and are never needed otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

import numpy as np

from sightline.arrays import FloatArray, IntArray
from sightline.errors import Misconfigured

__all__ = ["data_frame", "supervision_detections"]


def data_frame(columns: Mapping[str, Any]) -> Any:
    """A `pandas.DataFrame` of columns.

    Raises:
        Misconfigured: pandas is not installed.
    """
    return _library("pandas", "to_pandas").DataFrame(columns)


def supervision_detections(
    xyxy: FloatArray,
    confidence: FloatArray,
    class_id: IntArray,
    track_id: IntArray | None = None,
    labels: Sequence[str] = (),
) -> Any:
    """A `supervision.Detections`: float32 boxes and confidences, as that library keeps them.

    Args:
        xyxy, confidence, class_id: of N boxes.
        track_id: its `tracker_id`, None where nothing was tracked.
        labels: by class id; where given, its `data["class_name"]`.

    Raises:
        Misconfigured: supervision is not installed.
    """
    named = {"class_name": np.array(labels, dtype=np.str_)[class_id]} if labels else {}
    return _library("supervision", "to_supervision").Detections(
        xyxy=xyxy.astype(np.float32),
        confidence=confidence.astype(np.float32),
        class_id=class_id.astype(np.int64),
        tracker_id=None if track_id is None else track_id.astype(np.int64),
        data=named,
    )


def _library(name: str, wants: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        raise Misconfigured(f"{wants} needs {name}: pip install {name}", code="missing_extra") from error
