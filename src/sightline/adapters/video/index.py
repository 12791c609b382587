"""Every frame of a video without decoding it: packets are read once, their presentation times sorted.

Packets are not frames. The first ones are decoded and compared with the times that they promise; where they differ, or
times are missing or repeated, one pass decodes everything and the index holds what came out. A frame that the
container promises but the file no longer holds is `failed("truncated")`; a packet that does not decode in the
decoding pass is `failed("decode")`. Otherwise what does not decode shows when it is read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np

from sightline.adapters.opened import Place
from sightline.adapters.video.decode import FirstFrame
from sightline.adapters.video.end import is_cut_off
from sightline.adapters.video.file import VideoFile, VideoLimits
from sightline.adapters.video.scan import (
    DecodedPass,
    PacketPass,
    PaddedFile,
    decode_all,
    scan_packets,
    step_of,
)
from sightline.arrays import BoolArray, IntArray
from sightline.errors import InvalidVideo
from sightline.types import Caveat, Part, SourceIndex
from sightline.vision.sampling import microseconds

__all__ = ["build_index"]

_LONG_GOP = 2_000
_CHUNK_HEADER = 8
# Times its size that a truncated file may have had; a damaged table asks for any amount.
_LARGEST_PROMISE = 64
_TEN_YEARS_US = 315_360_000_000_000
_NAMED_PARTS = 5
# FFmpeg's own assumption about streams that say nothing.
_ASSUMED_RATE = 25


@dataclass(frozen=True, slots=True)
class _Rows:
    """Frames in presentation order; `pts` may repeat, fall or be missing where they are counted."""

    pts: list[int | None]
    key: list[bool]
    failed: dict[int, str]
    counted: bool
    first: FirstFrame


def build_index(path: Place, name: str, limits: VideoLimits, fps: Fraction | None = None) -> SourceIndex:
    """Find every frame of a video.

    Args:
        path: of the file.
        name: for messages.
        limits: what is refused.
        fps: frames per second, for a file that has no times; None: what its header says, 25 where it says nothing.

    Raises:
        NotFound: no such file.
        Unavailable: it cannot be read.
        InvalidVideo: `empty`, `not_video`, `unreadable`, `no_video`, `no_frame`, `encrypted` or `limit`.
    """
    file = VideoFile(path, name, limits)
    try:
        promised = scan_packets(file, limits.frames)
        size = _promised_size(file, len(promised.pts))
        if size > file.size:
            promised = _scan_padded(path, name, limits, size)
        steady = _labels_are_steady(file, promised)
        rows = _from_packets(promised) if steady else None
        if rows is None:
            rows = _from_frames(_decoded(path, name, limits, promised), promised, name, steady)
        return _index(path, file, rows, promised, fps)
    finally:
        file.close()


def _promised_size(file: VideoFile, found: int) -> int:
    """Bytes that the tables of an MP4 need where packets are missing, 0 where they are absurd or nothing is."""
    if "mp4" not in file.container.format.name.split(",") or len(file.stream.index_entries) <= found:
        return 0
    promised = max(entry.pos + entry.size for entry in file.stream.index_entries)
    return promised if promised <= _LARGEST_PROMISE * file.size else 0


def _labels_are_steady(file: VideoFile, found: PacketPass) -> bool:
    """Whether a seek finds a packet at its place and by the same pts.

    AVI numbers chunks as they come: damage shifts the numbers, and its index may point elsewhere.
    """
    if file.container.format.name != "avi":
        return True
    indexed = [entry.pos + _CHUNK_HEADER for entry in file.stream.index_entries if entry.size]
    return indexed == found.position


def _scan_padded(path: Place, name: str, limits: VideoLimits, size: int) -> PacketPass:
    with PaddedFile(path, size) as source:
        file = VideoFile(path, name, limits, source)
        try:
            return scan_packets(file, limits.frames)
        finally:
            file.close()


def _decoded(path: Place, name: str, limits: VideoLimits, promised: PacketPass) -> DecodedPass:
    file = VideoFile(path, name, limits)
    try:
        return decode_all(file, promised.parts)
    finally:
        file.close()


def _from_packets(found: PacketPass) -> _Rows | None:
    if found.first is None or not found.is_frames:
        return None
    order = sorted(range(len(found.pts)), key=lambda row: found.pts[row] or 0)
    failed = {row: "truncated" for row, packet in enumerate(order) if found.cut[packet]}
    return _Rows(
        [found.pts[packet] for packet in order],
        [found.begins[packet] and not found.cut[packet] for packet in order],
        failed,
        False,
        found.first,
    )


def _from_frames(found: DecodedPass, promised: PacketPass, name: str, steady: bool) -> _Rows:
    if found.first is None:
        reason = "no frame can be decoded, it is empty, damaged or encrypted: copy or convert it again"
        raise InvalidVideo(name, reason=reason, code="no_frame")
    shown = [pts for pts, reason in zip(found.pts, found.failed, strict=True) if not reason]
    rising = all(a is not None and b is not None and a < b for a, b in pairwise(shown))
    # Behind a fall, where decoding does not begin anew, frames of both parts come out of the decoder mixed.
    rising |= bool(promised.parts) and len(set(shown)) == len(shown)
    if not (rising and steady) or None in shown:
        failed = {row: reason for row, reason in enumerate(found.failed) if reason}
        return _Rows(found.pts, [row == 0 for row in range(len(found.pts))], failed, True, found.first)
    reasons = {pts: reason for pts, reason in zip(found.pts, found.failed, strict=True) if pts is not None}
    reasons |= {pts: "" for pts in shown if pts is not None}
    reasons |= {
        pts: "truncated"
        for pts, cut in zip(promised.pts, promised.cut, strict=True)
        if cut and pts is not None
    }
    begins = {pts for pts, key in zip(promised.pts, promised.begins, strict=True) if key}
    ordered = sorted(reasons)
    return _Rows(
        list(ordered),
        [pts in begins for pts in ordered],
        {row: reasons[pts] for row, pts in enumerate(ordered) if reasons[pts]},
        False,
        found.first,
    )


def _index(
    path: Place, file: VideoFile, rows: _Rows, promised: PacketPass, fps: Fraction | None
) -> SourceIndex:
    stream = file.stream
    clock, caveats = _clock(file, rows, promised, fps)
    distances = np.diff(clock.tick)
    key = np.array(rows.key, dtype=np.bool_)
    claimed: int | None = stream.frames or None
    return SourceIndex(
        kind="video",
        name=file.name,
        codec=file.codec,
        width=rows.first.width,
        height=rows.first.height,
        rotation=rows.first.rotation,
        stream=stream.index,
        time_base=clock.time_base,
        frame=np.arange(len(rows.pts), dtype=np.int64),
        tick=clock.tick,
        pts_us=clock.pts_us,
        key=key,
        failed=rows.failed,
        counted=clock.counted,
        vfr=bool(len(distances) > 1 and np.ptp(distances) > 1),
        duration_us=int(clock.pts_us[-1])
        + _last_us(rows, promised, clock, stream.time_base, step_of(stream)),
        claimed_frames=claimed,
        parts=promised.parts,
        clock="file" if clock.step is None else "rate",
        caveats=(
            *caveats,
            *_joined(promised, clock),
            *_cut_off(path, file, rows, promised.parts),
            *_caveats(file, rows, key, claimed),
        ),
    )


@dataclass(frozen=True, slots=True)
class _Clock:
    """Strictly rising times: ticks of `time_base`, and microseconds from the first frame.

    `step` is the seconds between frames where times are made up from a frame rate, None where they are the file's.
    """

    tick: IntArray
    time_base: Fraction
    pts_us: IntArray
    counted: bool
    step: Fraction | None = None


def _clock(
    file: VideoFile, rows: _Rows, promised: PacketPass, fps: Fraction | None
) -> tuple[_Clock, list[Caveat]]:
    """The best times that the file allows: its pts, its dts where every frame has one, made-up ones."""
    if file.raw:
        return _made_up(file, rows, fps)
    base: Fraction = file.stream.time_base
    total = len(rows.pts)
    for candidate in (rows.pts, promised.dts if rows.counted and len(promised.dts) == total else []):
        known = [tick for tick in candidate if tick is not None]
        if len(known) == total and _is_sane(known, base):
            tick = np.array(known, dtype=np.int64)
            times = microseconds(tick - tick[0], base)
            if (np.diff(tick) > 0).all():
                return _Clock(tick, base, _rising(times), rows.counted), []
    known = [pts for pts in rows.pts if pts is not None]
    if len(known) == total and _is_sane(known, base):
        times = _rising(microseconds(np.array(known, dtype=np.int64) - known[0], base))
        detail = "presentation times repeat or fall: a frame is at least 1 microsecond after the one before"
        return _Clock(times, Fraction(1, 1_000_000), times, True), [Caveat("timestamps", detail)]
    return _made_up(file, rows, fps)


def _made_up(file: VideoFile, rows: _Rows, fps: Fraction | None) -> tuple[_Clock, list[Caveat]]:
    """Frames at even distances, told apart by the pts that FFmpeg gave them, or by counting."""
    said = file.stream.codec_context.framerate or (None if file.raw else 1 / step_of(file.stream))
    rate = fps or Fraction(said or _ASSUMED_RATE)
    times = microseconds(np.arange(len(rows.pts), dtype=np.int64), 1 / rate)
    known = np.array([pts for pts in rows.pts if pts is not None], dtype=np.int64)
    distances = np.diff(known)
    if (
        len(known) == len(times)
        and not rows.counted
        and (distances > 0).all()
        and len(set(distances.tolist())) < 2
    ):
        clock = _Clock(known, 1 / rate / int(distances[0] if len(distances) else 1), times, False, 1 / rate)
    else:
        clock = _Clock(np.arange(len(times), dtype=np.int64), 1 / rate, times, True, 1 / rate)
    if fps is not None:
        return clock, []
    whose = "as its header says" if said else "an assumption, as nothing in it says so"
    detail = (
        f"no usable presentation times: {_plain(rate)} frames a second, {whose}; --fps gives another rate"
    )
    return clock, [Caveat("timestamps", detail)]


def _plain(rate: Fraction) -> str:
    return f"{float(rate):.3f}".rstrip("0").rstrip(".")


def _rising(times: IntArray) -> IntArray:
    """Times, each at least 1 later than the one before."""
    numbers = np.arange(len(times), dtype=np.int64)
    rising: IntArray = np.maximum.accumulate(times - numbers) + numbers
    return rising


def _is_sane(known: list[int], time_base: Fraction) -> bool:
    return (max(known) - min(known)) * time_base * 1_000_000 < _TEN_YEARS_US


def _last_us(rows: _Rows, promised: PacketPass, clock: _Clock, time_base: Fraction, step: Fraction) -> int:
    """Microseconds that the last frame is shown: what its packet says, else the usual distance."""
    last = rows.pts[-1]
    if clock.step is not None:
        return round(clock.step * 1_000_000)
    if not clock.counted and last in promised.pts:
        duration = promised.duration[promised.pts.index(last)]
        if duration > 0:
            return round(duration * time_base * 1_000_000)
    if len(clock.tick) < 2:
        return round(step * 1_000_000)
    distances = Counter(np.diff(clock.tick).tolist())
    usual: int = max(distances, key=lambda distance: (distances[distance], -distance))
    return round(usual * clock.time_base * 1_000_000)


def _joined(promised: PacketPass, clock: _Clock) -> list[Caveat]:
    """Where the clock falls, by the number and the new time of the first frame behind."""
    found = []
    for row in promised.fell:
        first = promised.pts[row]
        at = row if clock.counted or first is None else int(np.searchsorted(clock.tick, first))
        if 0 < at < len(clock.pts_us):
            found.append(f"frame {at} ({clock.pts_us[at] / 1e6:.3f} s)")
    if not found:
        return []
    where = ", ".join(found[:_NAMED_PARTS])
    more = f" and {len(found) - _NAMED_PARTS} more" if len(found) > _NAMED_PARTS else ""
    detail = (
        f"the clock in the file falls at {where}{more}, as where recordings are joined: {len(found) + 1} parts, each goes "
        "on where the one before ends"
    )
    return [Caveat("clock_falls", detail)]


def _cut_off(path: Place, file: VideoFile, rows: _Rows, parts: Sequence[Part]) -> list[Caveat]:
    """What the account does not say: the file ends too early, and no frame that it promises is missing."""
    if "truncated" in rows.failed.values():
        return []
    keys = [pts for pts, key in zip(rows.pts, rows.key, strict=True) if key]
    key_tick = keys[-1] if keys and not (rows.counted or parts) else None
    if not is_cut_off(path, file, key_tick):
        return []
    return [Caveat("cut_off", "the file ends in the middle of its data: what came behind is lost")]


def _caveats(file: VideoFile, rows: _Rows, key: BoolArray, claimed: int | None) -> list[Caveat]:
    found, total = [], len(rows.pts)
    if claimed is not None and claimed != total:
        found.append(Caveat("claimed_frames", f"the header claims {claimed} frames, the file holds {total}"))
    if rows.failed:
        kinds = ", ".join(
            f"{count} {reason}" for reason, count in sorted(Counter(rows.failed.values()).items())
        )
        found.append(Caveat("damaged", f"frames that cannot be decoded: {kinds}"))
    if rows.counted:
        found.append(
            Caveat("counted", "times do not tell frames apart: they are counted from the start, in one chunk")
        )
    longest = int(np.diff(np.append(np.flatnonzero(key), total)).max()) if key.any() else total
    if longest > _LONG_GOP and not rows.counted:
        found.append(
            Caveat("long_gop", f"{longest} frames without a key frame: a restart decodes them again")
        )
    aspect = file.stream.sample_aspect_ratio
    if aspect is not None and aspect not in (0, 1):
        found.append(
            Caveat("pixel_aspect", f"pixels are {aspect} as wide as high; boxes are in stored pixels")
        )
    if rows.first.mirrored:
        found.append(Caveat("mirrored", "the container asks for a mirror image; frames are not mirrored"))
    others = sum(stream.type == "video" for stream in file.container.streams) - 1
    if others > 0:
        found.append(Caveat("streams", f"{others + 1} video streams; stream {file.stream.index} is the best"))
    return found
