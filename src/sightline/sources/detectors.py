"""Detectors: one compiled model for each picture size that the sources of a command need, shared by all threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from sightline import models
from sightline.adapters.engines.calibration import resolve_precision
from sightline.adapters.engines.choice import choose_engine, open_detector, output_shape, read_labels
from sightline.adapters.engines.common import Precision
from sightline.adapters.engines.function import DetectorFunction, FunctionDetector, version_of
from sightline.models import Model
from sightline.pipeline import Card, Overrides, Pipeline, Resolved, class_ids, model_of, resolve
from sightline.ports import Detector
from sightline.settings import DetectOptions
from sightline.vision.heads import Wanted

__all__ = ["Detectors", "resolve_pipeline"]

Size = tuple[int, int]


def resolve_pipeline(pipeline: Pipeline, options: DetectOptions, command: str) -> tuple[Resolved, Model]:
    """A pipeline closed for a command, and its model.

    Raises:
        Misconfigured: the model is not there, or values do not fit each other.
    """
    overrides = Overrides.model_validate(options.overrides())
    model = models.resolve(model_of(pipeline, overrides), probe=output_shape)
    if options.precision == "int8":
        model = models.int8_twin(model) or model
    card = Card(**model.card.thresholds.model_dump())
    resolved = resolve(pipeline, card, overrides, "detect" if command == "detect" else "track")
    return resolved, model


@dataclass
class Detectors:
    """Opens detectors on demand and keeps them.

    Attributes:
        model: what to load; None for a function.
        resolved: the pipeline.
        options: engine, device, precision and input size.
        threads: requests that run at the same time.
        function: a detector made elsewhere, instead of a model; its code is part of the run key.
        labels: of the function.
        calibration_s: seconds that measuring took, None where nothing was measured.
    """

    model: Model | None
    resolved: Resolved
    options: DetectOptions
    threads: int
    function: DetectorFunction | None = None
    labels: tuple[str, ...] = ()
    calibration_s: float | None = None
    _open: dict[Size, Detector] = field(default_factory=dict)
    _precisions: dict[Size, Precision] = field(default_factory=dict)
    _opening: threading.Lock = field(default_factory=threading.Lock)

    @property
    def measures(self) -> bool:
        """Whether precisions may be tried out, which must not be done while something else is at work."""
        return self.model is not None and self.options.precision == "auto"

    def at(self, width: int, height: int) -> Detector:
        """The detector for a source of `width` x `height` pixels."""
        size = self._picture(width, height)
        with self._opening:  # whoever asks second waits: two models of one size are twice the memory
            if size not in self._open:
                self._open[size] = self._made(size)
            return self._open[size]

    def calibrate(self, sources: Iterable[Size]) -> None:
        """Settle the precision for sources of these widths and heights."""
        assert self.model is not None
        engine = choose_engine(self.model.path, self.options.engine, device=self.options.device)
        for width, height in sources:
            self._precision(self._picture(width, height), engine)

    def keep_only(self, sources: Iterable[Size]) -> None:
        """Release the models that no source of these widths and heights needs."""
        needed = {self._picture(width, height) for width, height in sources}
        with self._opening:
            for size in [size for size in self._open if size not in needed]:
                self._open.pop(size).close()

    def _picture(self, width: int, height: int) -> Size:
        if self.model is None:
            return width, height
        asked = self.options.imgsz
        text = None if asked is None else str(asked) if isinstance(asked, int) else f"{asked[0]}x{asked[1]}"
        return self.model.picture(text, width, height)

    def reading(self) -> tuple[str, ...]:
        """What the model's card says about reading its pictures and outputs: head, order of colours, scale."""
        if self.model is None:
            return ()
        profile = self.model.profile
        extra = [] if profile.is_plain else [f"mean {profile.mean}", f"std {profile.std}"]
        said = {"box": profile.box, "unit": profile.unit, "scores": profile.scores}
        extra += [f"{key} {value}" for key, value in said.items() if value is not None]
        return profile.head, profile.colour, repr(profile.scale), *extra

    def close(self) -> None:
        """Release every model."""
        with self._opening:
            for detector in self._open.values():
                detector.close()
            self._open.clear()

    def _made(self, size: tuple[int, int]) -> Detector:
        branch = self.resolved.detector()
        if self.model is None:
            assert self.function is not None
            version = version_of(self.function)
            return FunctionDetector(self.function, self.labels, *size, version=version, conf=branch.conf)
        labels = read_labels(self.model.path, self.model.profile)
        groups = class_ids(self.resolved.groups, labels, self.resolved.classes, self.resolved.optional)
        wanted = Wanted.of(
            groups,
            tracked=self.resolved.tracker is not None,
            conf=branch.conf,
            iou=branch.iou,
            max_det=branch.max_det,
        )
        engine = choose_engine(self.model.path, self.options.engine, device=self.options.device)
        return open_detector(
            self.model.path,
            self.model.profile,
            wanted,
            imgsz=size,
            engine=engine,
            device=self.options.device,
            batch=self.options.batch,
            precision=self._precision(size, engine),
            threads=self.threads,
        )

    def _precision(self, size: Size, engine: str) -> Precision:
        assert self.model is not None
        if size not in self._precisions:
            began = time.perf_counter()
            self._precisions[size] = resolve_precision(
                self.options.precision,
                self.model.path,
                self.model.profile,
                imgsz=size,
                engine=engine,
                cache=models.cache_folder(),
            )
            if self.measures:
                self.calibration_s = round((self.calibration_s or 0.0) + time.perf_counter() - began, 3)
        return self._precisions[size]
