"""Which precision is the fastest here and still agrees with f32: measured once, remembered.

bf16 gains 1.4 to 2.7 times on processors that multiply it in matrices and loses on others that only list it, so no
table of processors decides. One thread, precisions in turn, the minimum of five, processor time instead of wall time:
another program on the machine must not choose. The frame is one of the demo clip, where networks for streets find
vehicles and networks for everyday things find round trees.

`auto` is a timing, so its answer belongs to a job: it is resolved once, when the job is made.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from sightline.adapters.engines.choice import choose_engine
from sightline.adapters.engines.common import PRECISIONS, Precision, is_quantised
from sightline.disk import write_whole
from sightline.errors import Misconfigured, Unavailable
from sightline.machine import cpu_name_and_flags
from sightline.ports import Slot
from sightline.types import Detections, ImageSpec
from sightline.vision.boxes import iou
from sightline.vision.heads import Profile, Wanted

__all__ = ["Trial", "agree", "choose", "measure", "resolve_precision", "timed"]

Models = Mapping[Precision, tuple[Path, Profile]]

GAIN = 1.10  # a precision must be so many times faster than f32 to be worth other bytes
ROUNDS = 5
CONFIDENCE, OVERLAP, MEAN_OVERLAP = 0.3, 0.5, 0.95
FRAME_AT_S = 16  # a busy moment of the demo clip


@dataclass(frozen=True, slots=True)
class Trial:
    """A precision that was tried.

    Attributes:
        precision: `f32`, `bf16` or `int8`.
        cpu_s: processor seconds a picture, the minimum of some.
        agrees: it finds what f32 finds.
    """

    precision: Precision
    cpu_s: float
    agrees: bool


def resolve_precision(
    asked: str,
    path: Path,
    profile: Profile,
    *,
    imgsz: tuple[int, int] | None = None,
    engine: str = "auto",
    int8: tuple[Path, Profile] | None = None,
    cache: Path | None = None,
) -> Precision:
    """The precision that a job runs in.

    Args:
        asked: `auto`, or a precision, which is taken as it is.
        path, profile: the model.
        imgsz: width and height of the picture; None: the model's own.
        engine: `auto` or a name.
        int8: the quantised twin of the model, where there is one and the user allows it: it loses matches.
        cache: folder where answers are kept; None, or one that cannot be written: measured every time, 1 to 2 s.

    Raises:
        Misconfigured: an unknown precision, or the model does not load.
    """
    known: dict[str, Precision] = {precision: precision for precision in PRECISIONS}
    if asked in known:
        return known[asked]
    if asked != "auto":
        raise Misconfigured(f"precision {asked!r}: one of auto, {', '.join(PRECISIONS)}", code="precision")
    models = _candidates(choose_engine(path, engine), path, profile, int8)
    if len(models) == 1:
        return next(iter(models))
    key = _key(models, imgsz)
    best = known.get(_recalled(cache, key))
    if best is None or best not in models:
        trials = measure(models, imgsz)
        best = choose(trials)
        _remember(cache, key, best, trials)
    return best


def choose(trials: Sequence[Trial]) -> Precision:
    """The fastest precision that agrees with f32 and gains at least 10 %; `f32`, which comes first, where none does.

    >>> choose([Trial("f32", 0.030, True), Trial("bf16", 0.020, True), Trial("int8", 0.010, False)])
    'bf16'
    """
    base = trials[0]
    fit = [trial for trial in trials[1:] if trial.agrees and trial.cpu_s * GAIN <= base.cpu_s]
    return min([*fit, base], key=lambda trial: trial.cpu_s).precision if fit else base.precision


def agree(base: Detections, other: Detections) -> bool:
    """Whether every box over 0.3 in `base` has one of its class in `other`, at a mean overlap above 0.95.

    Nothing found is no evidence: then it is False.

    Args:
        base: what f32 found.
        other: what another precision found, down to half that confidence.
    """
    base = base[base.confidence > CONFIDENCE]
    if not len(base) or not len(other):
        return False
    overlaps = np.where(base.class_id[:, None] == other.class_id, iou(base.xyxy, other.xyxy), 0.0).max(axis=1)
    return bool(overlaps.min() >= OVERLAP and overlaps.mean() > MEAN_OVERLAP)


def timed(
    slots: Mapping[Precision, Slot], rounds: int = ROUNDS, clock: Callable[[], float] = time.process_time
) -> dict[Precision, float]:
    """Processor seconds a picture, the minimum of `rounds`, the slots in turn."""
    seconds: dict[Precision, float] = dict.fromkeys(slots, float("inf"))
    for _ in range(rounds):
        for precision, slot in slots.items():
            began = clock()
            slot.start()
            slot.result()
            seconds[precision] = min(seconds[precision], clock() - began)
    return seconds


def measure(models: Models, imgsz: tuple[int, int] | None) -> list[Trial]:
    """Try each precision on the fixed frame, with OpenVINO.

    Args:
        models: file and profile by precision, `f32` first.
        imgsz: width and height of the picture; None: the model's own.
    """
    from sightline.adapters.engines.openvino import OpenVinoDetector

    slots: dict[Precision, Slot] = {}
    found: dict[Precision, Detections] = {}
    for precision, (path, profile) in models.items():
        wanted = Wanted(tuple(range(len(profile.labels))), conf=CONFIDENCE / 2)
        detector = OpenVinoDetector(path, profile, wanted, imgsz=imgsz, precision=precision)
        slot = detector.slot()
        _paint(detector.info.image, slot)
        slot.start()
        slots[precision], found[precision] = slot, slot.result()
    seconds = timed(slots)
    return [Trial(p, seconds[p], p == "f32" or agree(found["f32"], found[p])) for p in models]


def _candidates(
    engine: str, path: Path, profile: Profile, int8: tuple[Path, Profile] | None
) -> dict[Precision, tuple[Path, Profile]]:
    if engine != "ultralytics" and is_quantised(path):
        return {"int8": (path, profile)}
    if engine != "openvino":
        return {"f32": (path, profile)}
    from sightline.adapters.engines.openvino import has_bfloat

    models: dict[Precision, tuple[Path, Profile]] = {"f32": (path, profile)}
    if has_bfloat():
        models["bf16"] = path, profile
    if int8 is not None:
        models["int8"] = int8
    return models


def _paint(image: ImageSpec, slot: Slot) -> None:
    """Fill a slot with the fixed frame."""
    import av

    from sightline.adapters.pixels import Painter

    clip = resources.files("sightline") / "demo" / "street.mp4"
    with resources.as_file(clip) as path, av.open(str(path)) as container:
        container.seek(FRAME_AT_S * 1_000_000)  # to the key frame before it
        frame = next(container.decode(video=0))
        Painter(image, frame.width, frame.height, 0, None).paint(frame, slot.image)


def _key(models: Models, imgsz: tuple[int, int] | None) -> dict[str, Any]:
    """All that the answer depends on."""
    from sightline.adapters.engines.openvino import version

    name, flags = cpu_name_and_flags()
    profile = models["f32"][1]
    return {
        "v": 1,
        "models": {precision: profile.sha256 for precision, (_, profile) in models.items()},
        "imgsz": imgsz or profile.imgsz,
        "cpu": name,
        "flags": hashlib.sha256(" ".join(sorted(flags)).encode()).hexdigest(),
        "openvino": version(),
    }


def _file(cache: Path, key: Mapping[str, Any]) -> Path:
    return cache / f"precision-{hashlib.sha256(json.dumps(key).encode()).hexdigest()[:16]}.json"


def _recalled(cache: Path | None, key: Mapping[str, Any]) -> str:
    """The precision of an earlier run, empty where there is none: a damaged file is one that is not there."""
    if cache is None:
        return ""
    try:
        kept = json.loads(_file(cache, key).read_text("utf-8"))
        return str(kept["precision"]) if kept["key"] == json.loads(json.dumps(key)) else ""
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _remember(cache: Path | None, key: Mapping[str, Any], best: Precision, trials: Sequence[Trial]) -> None:
    if cache is None:
        return
    kept = {"key": key, "precision": best, "trials": [asdict(trial) for trial in trials]}
    with suppress(OSError, Unavailable):  # an answer that cannot be kept is measured again next time
        cache.mkdir(parents=True, exist_ok=True)
        write_whole(_file(cache, key), [json.dumps(kept, indent=1).encode()])
