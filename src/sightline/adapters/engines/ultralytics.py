"""Ultralytics: users' own `.pt` files, with the extra `ultralytics`, whose licence is AGPL-3.0.

Only its network is used: letterbox, threshold and suppression are ours, so a `.pt` file and its ONNX export behave
alike. A `.pt` file is a pickle: loading one runs what is in it, so load only files whose origin you trust.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sightline.adapters.engines import quiet
from sightline.adapters.engines.common import Feed, picture_size, precision_of, reason
from sightline.adapters.engines.pool import PooledSlot
from sightline.errors import EngineError, Misconfigured, setting
from sightline.ports import DetectorInfo
from sightline.types import ImageSpec
from sightline.vision.heads import Decoder, Profile, Wanted

__all__ = ["MISSING", "UltralyticsDetector", "read_labels"]

MISSING = 'Ultralytics is not installed: pip install "sightline[ultralytics]" (its licence is AGPL-3.0)'


class UltralyticsDetector:
    """A network in PyTorch, loaded by Ultralytics, on the CPU."""

    def __init__(
        self,
        path: Path,
        profile: Profile,
        wanted: Wanted,
        *,
        imgsz: tuple[int, int] | None = None,
        precision: str = "f32",
        threads: int = 1,
    ) -> None:
        """Load: seconds, and 600 MB.

        Args:
            path: the `.pt` file.
            profile: its labels may be empty, its head is ignored: both are in the file.
            wanted: what is kept of its output.
            imgsz: width and height of the picture; None: the profile's, else 640 x 640.
            precision: `f32`.
            threads: requests that run at the same time, on a core each.

        Raises:
            Misconfigured: the extra is not installed, the file is no detector, or size or precision do not fit.
        """
        if precision_of(profile, precision, quantised=False) != "f32":
            raise Misconfigured(
                f"{profile.name}: Ultralytics runs it in f32: {setting('precision', 'f32')}", code="precision"
            )
        width, height = picture_size(profile, None, imgsz)
        model, torch = _load(path), import_module("torch")
        torch.set_num_threads(1)
        self._network, self._torch = model.model.float().fuse(verbose=False).eval(), torch
        ends = bool(getattr(self._network, "end2end", False))
        profile = replace(profile, labels=_labels(model), head="end2end" if ends else "yolov8")
        self._image = ImageSpec(width, height, profile.colour, profile.fit, profile.pad)
        self._decoder, self._feed = Decoder(profile, wanted, width, height), Feed(profile, self._image)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="ultralytics")
        version = f"{import_module('ultralytics').__version__}, torch {torch.__version__}"
        self._info = DetectorInfo(
            profile.name, profile.sha256, profile.labels, "ultralytics", version, "f32", self._image
        )

    @property
    def info(self) -> DetectorInfo:
        """See `Detector`."""
        return self._info

    def slot(self) -> PooledSlot:
        """See `Detector`."""
        return PooledSlot(self._run, self._pool, self._image, self._feed, self._decoder)

    def close(self) -> None:
        """See `Detector`."""
        self._pool.shutdown()

    def _run(self, planes: NDArray[np.float32]) -> tuple[NDArray[np.float32]]:
        try:
            with self._torch.inference_mode():
                output: NDArray[np.float32] = self._network(self._torch.from_numpy(planes))[0].numpy()
        except RuntimeError as exc:
            raise EngineError(f"PyTorch failed on a picture: {reason(exc)}") from exc
        return (output,)


def read_labels(path: Path) -> tuple[str, ...]:
    """Labels of a `.pt` file by class id; errors as for `UltralyticsDetector`."""
    return _labels(_load(path))


def _load(path: Path) -> Any:
    if not path.is_file():  # Ultralytics would look for it on the network
        raise Misconfigured(f"{path.name}: no such file", code="model_missing")
    try:
        ultralytics = quiet.load("ultralytics")
    except ImportError as exc:
        raise Misconfigured(MISSING, code="missing_extra") from exc
    try:
        model = ultralytics.YOLO(path)
    except (RuntimeError, OSError, TypeError, AttributeError, ImportError) as exc:
        raise Misconfigured(
            f"{path.name}: Ultralytics cannot load it: {reason(exc, path)}", code="model"
        ) from exc
    if model.task != "detect":
        raise Misconfigured(
            f"{path.name}: a model for the task {model.task!r}, expected detect", code="model"
        )
    return model


def _labels(model: Any) -> tuple[str, ...]:
    names = model.names
    return tuple(str(names[number]) for number in range(len(names)))
