"""The engine for a model, by name; what is missing is named with the command that installs it."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from sightline.adapters.engines.common import is_quantised, precision_of
from sightline.adapters.engines.ultralytics import MISSING
from sightline.errors import Misconfigured, setting
from sightline.ports import Detector
from sightline.vision.heads import Profile, Wanted

__all__ = [
    "ENGINES",
    "check_engine",
    "choose_engine",
    "cuda_of",
    "open_detector",
    "output_shape",
    "read_labels",
]

ENGINES = ("openvino", "onnx", "ultralytics")

_PACKAGES = {"openvino": "openvino", "onnx": "onnxruntime", "ultralytics": "ultralytics"}
_MISSING = {
    "openvino": f"OpenVINO is not installed: {setting('engine', 'onnx')}, or pip install openvino",
    "onnx": 'ONNX Runtime is not installed: pip install "sightline[onnx]"',
    "ultralytics": MISSING,
}
_SUFFIXES = {"openvino": (".onnx", ".xml"), "onnx": (".onnx",), "ultralytics": (".pt",)}


def choose_engine(
    path: Path, asked: str = "auto", installed: Callable[[str], object] = find_spec, *, device: str = "auto"
) -> str:
    """The engine that runs a model: OpenVINO where it is installed, else ONNX Runtime, which runs on cards too; Ultralytics for
    `.pt` files.

    Args:
        path: the model file.
        asked: `auto` or one of `ENGINES`.
        installed: looks for a package by name.
        device: see `open_detector`.

    Raises:
        Misconfigured: unknown, not installed, or it does not read such files; the message says what to do.
    """
    if asked not in ("auto", *ENGINES):
        raise Misconfigured(f"engine {asked!r}: one of auto, {', '.join(ENGINES)}", code="engine")
    if cuda_of(device) is not None and asked == "auto":
        asked = "onnx"
    able = [engine for engine in ENGINES if path.suffix.lower() in _SUFFIXES[engine]]
    if not able:
        raise Misconfigured(
            f"{path.name}: no engine reads {path.suffix or 'such'} files: .onnx, .xml, .pt", code="engine"
        )
    if asked != "auto" and asked not in able:
        raise Misconfigured(
            f"{path.name}: engine {asked} does not read it: {setting('engine', able[0])}", code="engine"
        )
    wanted = able if asked == "auto" else [asked]
    for engine in wanted:
        if installed(_PACKAGES[engine]) is not None:
            return engine
    raise Misconfigured(_MISSING[wanted[-1]], code="missing_extra")


def check_engine(
    path: Path, profile: Profile, engine: str, device: str, precision: str, batch: int = 1
) -> str:
    """See that an engine can be asked to run a model, without loading it; the engine's name.

    Args:
        path, profile, engine, device, batch: see `open_detector`.
        precision: resolved, see there.

    Raises:
        Misconfigured: engine, device or precision do not fit the model or this machine.
    """
    name = choose_engine(path, engine, device=device)
    if cuda_of(device) is not None:
        _check_card(name, device)
    if batch > 1 and name != "onnx":
        raise Misconfigured(
            f"{setting('batch', batch)}: only ONNX Runtime takes several pictures at a time: {setting('engine', 'onnx')}, or "
            f"{setting('batch', 1)}",
            code="batch",
        )
    precision_of(profile, precision, quantised=name != "ultralytics" and is_quantised(path))
    return name


def open_detector(
    path: Path,
    profile: Profile,
    wanted: Wanted,
    *,
    imgsz: tuple[int, int] | None = None,
    engine: str = "auto",
    device: str = "auto",
    precision: str = "f32",
    threads: int = 1,
    batch: int = 1,
) -> Detector:
    """Load a model.

    Args:
        path: the model file: `.onnx`, `.xml`, `.pt`.
        profile: from its card.
        wanted: what is kept of its output.
        imgsz: width and height of the picture; None: the network's own, else the profile's, else 640 x 640.
        engine: `auto` or one of `ENGINES`.
        device: `auto` or `cpu`, which are the same, or `cuda:0` for a card of NVIDIA's.
        precision: `f32`, `bf16` or `int8`, resolved (`adapters.engines.calibration.resolve_precision`).
        threads: requests that run at the same time, on a core each. Changes no result.
        batch: pictures of a run of ONNX Runtime.

    Raises:
        Misconfigured: engine, device, size or precision do not fit the model or this machine.
    """
    name = check_engine(path, profile, engine, device, precision, batch)
    if name == "openvino":
        from sightline.adapters.engines.openvino import OpenVinoDetector

        return OpenVinoDetector(path, profile, wanted, imgsz=imgsz, precision=precision, threads=threads)
    if name == "onnx":
        from sightline.adapters.engines.onnx import OnnxDetector

        return OnnxDetector(
            path,
            profile,
            wanted,
            imgsz=imgsz,
            precision=precision,
            threads=threads,
            cuda=cuda_of(device),
            batch=batch,
        )
    from sightline.adapters.engines.ultralytics import UltralyticsDetector

    return UltralyticsDetector(path, profile, wanted, imgsz=imgsz, precision=precision, threads=threads)


def cuda_of(device: str) -> int | None:
    """Number of the card that a device names; None: the processor.

    Raises:
        Misconfigured: it names neither.

    >>> cuda_of("cuda"), cuda_of("cuda:1"), cuda_of("auto")
    (0, 1, None)
    """
    if device in ("auto", "cpu"):
        return None
    found = re.fullmatch(r"cuda(?::(\d{1,2}))?", device)
    if found is None:
        raise Misconfigured(
            f"{setting('device', device)}: one of auto, cpu, cuda:0, or the number of another card",
            code="device",
        )
    return int(found[1] or 0)


def _check_card(engine: str, device: str) -> None:
    """See that an engine is one that runs on cards of NVIDIA's, and was built for them.

    Raises:
        Misconfigured: it is not.
    """
    if engine != "onnx":
        raise Misconfigured(
            f"{setting('device', device)}: {engine} runs on the processor: {setting('engine', 'onnx')}",
            code="device",
        )
    from sightline.adapters.engines import quiet

    if "CUDAExecutionProvider" not in quiet.load("onnxruntime").get_available_providers():
        raise Misconfigured(
            f"{setting('device', device)}: this ONNX Runtime was built for processors: pip uninstall onnxruntime, then "
            'pip install "sightline[gpu]"',
            code="device",
        )


def read_labels(path: Path, profile: Profile) -> tuple[str, ...]:
    """Labels of a model by class id: its profile's; those in the file for a `.pt`, whose card may lack them.

    Raises:
        Misconfigured: Ultralytics is not installed, or the file is no detector.
    """
    if profile.labels:
        return profile.labels
    from sightline.adapters.engines import ultralytics

    return ultralytics.read_labels(path)


def output_shape(path: Path) -> tuple[int, ...]:
    """Shape of a model's first output for a picture of its size, or of 640 x 640, batch included.

    Raises:
        Misconfigured: no engine for it is installed, or it is no network.
    """
    if choose_engine(path) == "openvino":
        from sightline.adapters.engines import openvino

        return openvino.output_shape(path)
    from sightline.adapters.engines import onnx

    return onnx.output_shape(path)
