"""Detectors: one compiled model for each picture size that the sources of a command need, shared by all threads."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from types import CodeType

from sightline import models
from sightline.adapters.engines.calibration import resolve_precision
from sightline.adapters.engines.choice import choose_engine, open_detector, output_shape, read_labels
from sightline.adapters.engines.function import FunctionDetector
from sightline.arrays import ByteArray
from sightline.models import Model
from sightline.pipeline import Card, Overrides, Pipeline, Resolved, class_ids, model_of, resolve
from sightline.ports import Detector
from sightline.settings import DetectOptions
from sightline.types import Detections
from sightline.vision.heads import Wanted

__all__ = ["DetectFunction", "Detectors", "resolve_pipeline", "version_of"]

DetectFunction = Callable[[list[ByteArray]], Sequence[Detections]]


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
    function: DetectFunction | None = None
    labels: tuple[str, ...] = ()
    calibration_s: float | None = None
    _open: dict[tuple[int, int], Detector] = field(default_factory=dict)
    _opening: threading.Lock = field(default_factory=threading.Lock)

    def at(self, width: int, height: int) -> Detector:
        """The detector for a source of `width` x `height` pixels."""
        if self.model is None:
            size = width, height
        else:
            asked = self.options.imgsz
            text = (
                None if asked is None else str(asked) if isinstance(asked, int) else f"{asked[0]}x{asked[1]}"
            )
            size = self.model.picture(text, width, height)
        with self._opening:  # whoever asks second waits: two models of one size are twice the memory
            if size not in self._open:
                self._open[size] = self._made(size)
            return self._open[size]

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
        engine = choose_engine(self.model.path, self.options.engine)
        began = time.perf_counter()
        precision = resolve_precision(
            self.options.precision,
            self.model.path,
            self.model.profile,
            imgsz=size,
            engine=engine,
            cache=models.cache_folder(),
        )
        if self.options.precision == "auto":
            self.calibration_s = round((self.calibration_s or 0.0) + time.perf_counter() - began, 3)
        return open_detector(
            self.model.path,
            self.model.profile,
            wanted,
            imgsz=size,
            engine=engine,
            device=self.options.device,
            precision=precision,
            threads=self.threads,
        )


def version_of(function: DetectFunction) -> str:
    """Digest of a function's own code: another body makes another run. Empty for an object that is called.

    What the function calls and refers to is not looked into, and another Python may compile it to other code.
    """
    code = getattr(function, "__code__", None)
    if not isinstance(code, CodeType):
        return ""
    digest = hashlib.sha256()
    for part in (*_parts(code), *_plain(getattr(function, "__defaults__", None) or ())):
        digest.update(part + b"\n")
    return digest.hexdigest()[:16]


def _parts(code: CodeType) -> Iterator[bytes]:
    """Instructions, names and constants of code and of what is defined inside it."""
    yield code.co_code
    yield " ".join((*code.co_names, *code.co_varnames)).encode()
    yield from _plain(code.co_consts)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _parts(constant)


def _plain(values: Iterable[object]) -> Iterator[bytes]:
    """Constants that are written the same way in every process; sets, for one, are not."""
    for value in values:
        if isinstance(value, tuple):
            yield from _plain(value)
        elif isinstance(value, str | bytes | int | float | complex | None):
            yield repr(value).encode()
