"""`run.json` and `timing.json` of a run folder.

`run.json` is what a run is: result settings, source by name and hash, outcome of every frame, hash of every file. It
holds no clock, machine or path, so the same input and settings give the same bytes; written last, it marks a folder
as finished. `timing.json` holds what may differ from run to run. Both are UTF-8 JSON, keys in the order of the classes
below, free mappings sorted, no NaN; their schemas are in `docs/reference/schemas`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, Literal

import msgspec

from sightline.errors import Corrupt
from sightline.formats.versioned import Versioned, require_version
from sightline.ports import DetectorInfo, Stat
from sightline.types import Caveat, FrameTable, Outcome, SourceIndex

__all__ = [
    "VERSION",
    "Engine",
    "FileEntry",
    "Frames",
    "Machine",
    "Model",
    "NotOk",
    "RunFile",
    "Source",
    "StageTiming",
    "TimingFile",
    "Warned",
    "decode_run",
    "encode",
    "engine_of",
    "files_of",
    "frames_of",
    "model_of",
    "source_of",
    "warnings_of",
]

VERSION = 1


class Model(msgspec.Struct, frozen=True):
    """Which model; `sha256` of its file."""

    name: str
    sha256: str
    labels: tuple[str, ...]


class Engine(msgspec.Struct, frozen=True):
    """Which runtime, resolved; `imgsz` is width, height of the model's picture."""

    name: str
    version: str
    precision: str
    imgsz: tuple[int, int]


class Source(msgspec.Struct, frozen=True):
    """What was read: file name, size and hash, and what the index found; `rate` is sampled frames per second."""

    name: str
    bytes: int
    sha256: str
    kind: Literal["video", "images", "detections"]
    codec: str
    width: int
    height: int
    rotation: int
    stream: int
    duration_us: int
    rate: str
    vfr: bool
    claimed_frames: int | None
    gaps: tuple[tuple[int, int], ...]


class NotOk(msgspec.Struct, frozen=True):
    """A frame without a result, and why."""

    frame: int
    outcome: Literal["failed", "skipped"]
    reason: str


class Frames(msgspec.Struct, frozen=True):
    """Every frame accounted for: `total` in the source, `sampled` = ok + failed + skipped."""

    total: int
    sampled: int
    ok: int
    failed: int
    skipped: int
    reasons: dict[str, int]
    not_ok: tuple[NotOk, ...]


class Warned(msgspec.Struct, frozen=True):
    """Something a user should know; `code` is stable."""

    code: str
    detail: str


class FileEntry(msgspec.Struct, frozen=True):
    """Size and hash of a file of the folder."""

    bytes: int
    sha256: str


class RunFile(msgspec.Struct, frozen=True, kw_only=True):
    """`run.json`; `files` lists the folder's files without itself, `timing.json` and `log.ndjson`.

    `clock_start` is the clock time of frame 0 with its offset from UTC, as it was given; null where nobody said it.
    """

    v: int = VERSION
    run_key: str
    job_id: str
    video_id: str
    clock_start: str | None = None
    versions: dict[str, str]
    pipeline: str
    settings: dict[str, Any]
    model: Model
    engine: Engine
    source: Source
    frames: Frames
    warnings: tuple[Warned, ...]
    files: dict[str, FileEntry]


class StageTiming(msgspec.Struct, frozen=True):
    """What a stage did: frames, seconds at work, milliseconds a frame (median, 95th percentile)."""

    frames: int
    busy_s: float
    p50_ms: float | None
    p95_ms: float | None


class Machine(msgspec.Struct, frozen=True):
    """Where it ran."""

    cpu: str
    cores: int
    memory_bytes: int
    os: str
    python: str


class TimingFile(msgspec.Struct, frozen=True, kw_only=True):
    """`timing.json`; `starts` counts the processes that it took, `calibration_s` is None where nothing was measured.

    `wall_s` and `cpu_s` are those of the last start. `looked_s` is how long inference took, over all starts, and `fps`
    the frames by that; `draw_s` is what the annotated video took.
    """

    v: int = VERSION
    started_at: str
    finished_at: str
    wall_s: float
    cpu_s: float
    looked_s: float
    draw_s: float
    fps: float
    starts: int
    peak_rss_bytes: int
    calibration_s: float | None
    stages: dict[str, StageTiming]
    machine: Machine
    machine_settings: dict[str, Any]
    source_path: str


def encode(file: RunFile | TimingFile) -> bytes:
    """Canonical bytes: keys of classes in their order, keys of mappings sorted, stages as given, two spaces to a level.

    Raises:
        ValueError: a number that is not finite; says where.
    """
    plain = msgspec.to_builtins(file)
    for name in ("settings", "files", "machine_settings"):
        if name in plain:
            plain[name] = _sorted(plain[name])
    _check_finite(plain, "")
    return msgspec.json.format(msgspec.json.encode(plain), indent=2) + b"\n"


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list | tuple) else value


def _check_finite(value: Any, where: str) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{where.lstrip('.')} is {value}, which JSON cannot hold")
    if isinstance(value, dict):
        for key, item in value.items():
            _check_finite(item, f"{where}.{key}")
    elif isinstance(value, list | tuple):
        for place, item in enumerate(value):
            _check_finite(item, f"{where}[{place}]")


def decode_run(blob: bytes, name: str = "run.json") -> RunFile:
    """Read `run.json`.

    Raises:
        Corrupt: not JSON, another version (code `file_version`), a field missing or of another type; says which.
    """
    try:
        require_version(msgspec.json.decode(blob, type=Versioned).v, VERSION, name)
        return msgspec.json.decode(blob, type=RunFile)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Corrupt(f"{name}: {error}; run the job again") from error


def model_of(info: DetectorInfo) -> Model:
    """The model of a detector."""
    return Model(info.name, info.sha256, info.labels)


def engine_of(info: DetectorInfo) -> Engine:
    """The runtime of a detector."""
    return Engine(info.engine, info.version, info.precision, (info.image.width, info.image.height))


def source_of(index: SourceIndex, stat: Stat, rate: Fraction) -> Source:
    """The source, from its index, size and hash."""
    return Source(
        name=index.name,
        bytes=stat.size,
        sha256=stat.sha256,
        kind=index.kind,
        codec=index.codec,
        width=index.width,
        height=index.height,
        rotation=index.rotation,
        stream=index.stream,
        duration_us=index.duration_us,
        rate=str(rate),
        vfr=index.vfr,
        claimed_frames=index.claimed_frames,
        gaps=index.gaps,
    )


def frames_of(frames: FrameTable, total: int) -> Frames:
    """Account of a job's sampled frames; `total` is the number of frames in the source."""
    counts: Counter[Outcome] = Counter(frames.outcome)
    rows = zip(frames.frame.tolist(), frames.outcome, frames.reason, strict=True)
    not_ok = tuple(NotOk(frame, outcome, reason) for frame, outcome, reason in rows if outcome != "ok")
    reasons = Counter(frame.reason for frame in not_ok)
    return Frames(
        total=total,
        sampled=len(frames),
        ok=counts["ok"],
        failed=counts["failed"],
        skipped=counts["skipped"],
        reasons={reason: reasons[reason] for reason in sorted(reasons)},
        not_ok=not_ok,
    )


def warnings_of(caveats: Sequence[Caveat]) -> tuple[Warned, ...]:
    """Caveats as the file lists them."""
    return tuple(Warned(caveat.code, caveat.detail) for caveat in caveats)


def files_of(stats: Mapping[str, Stat]) -> dict[str, FileEntry]:
    """Files of the folder by path, sorted."""
    return {path: FileEntry(stats[path].size, stats[path].sha256) for path in sorted(stats)}
