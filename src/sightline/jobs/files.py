"""The files of a finished job, each a pure function of its result; `run.json` lists them and comes last."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sightline.formats import counts_csv, events_csv, run_folder, summary
from sightline.formats.registry import Writer
from sightline.formats.timeline import alone
from sightline.jobs.recipe import Recipe
from sightline.ports import Stat
from sightline.stages.collect import SEGMENT, segment_key, segment_keys
from sightline.stages.publish import CAMERA_KEY, published_anchors, published_camera, published_segments
from sightline.types import Caveat, JobResult, SourceIndex
from sightline.vision.counting import count_job
from sightline.vision.unfollowed import Start, unfollowed

__all__ = [
    "CAMERA_BIN",
    "RUN_JSON",
    "SEGMENT_FRAMES",
    "files_of",
    "manifest_of",
    "segment_path",
    "stored_streams",
]

Files = Iterator[tuple[str, Iterable[bytes]]]
RUN_JSON, CAMERA_BIN = "run.json", CAMERA_KEY
SEGMENT_FRAMES = SEGMENT
"""Frames of a segment, but of the last one of a stream."""
FRAME_BUFFER = (
    "bytetrack counts --tracker.track-buffer in sampled frames, which with a stride, gaps or a variable rate are not "
    "1/rate of a second; --tracker quality goes by time"
)
REMARKS = {"size_change": "the picture changes its size; boxes are in pixels of the first frame"}


def files_of(recipe: Recipe, result: JobResult, writers: Mapping[str, Writer]) -> Files:
    """Every file of a run folder but `run.json`, `timing.json` and `log.ndjson`, by relative path.

    Args:
        recipe: of the job.
        result: what its segments say.
        writers: by format, in the order in which they are written; the formats that were asked for.
    """
    for stream, parts in published_segments(result).items():
        for key, blob in zip(segment_keys("", stream, len(result.frames)), parts, strict=True):
            yield key, (blob,)
    counts = count_job(result)
    yield from published_anchors(result, counts)
    yield from published_camera(result)
    for name, writer in writers.items():
        if name != "mot" or recipe.tracked:
            yield from writer(result)
    if recipe.tracked:
        timeline = alone(result, counts)
        yield from events_csv.files([timeline])
        yield from counts_csv.files([timeline])
        yield from summary.files(result, counts)


def stored_streams(recipe: Recipe) -> tuple[str, ...]:
    """Streams of which there are segments; the published tracks come last, with the result."""
    published = [f"published:{name}" for name in recipe.class_ids] if recipe.tracked else []
    return *recipe.streams, *published


def segment_path(stream: str, first_seq: int) -> str:
    """Path of a segment, below the prefix of its job.

    >>> segment_path("tracks:cars", 128)
    'segments/tracks-cars/000000000128.seg'
    """
    return segment_key("", stream, first_seq)


def manifest_of(
    recipe: Recipe,
    index: SourceIndex,
    result: JobResult,
    stored: Mapping[str, Stat],
    versions: Mapping[str, str],
) -> bytes:
    """`run.json`: what the run is, and size and hash of every other file.

    Args:
        recipe: of the job.
        index: of its source.
        result: what its segments say.
        stored: every other file by relative path, segments included.
        versions: of the programs that had a part in it, by name; the engine's is the recipe's.
    """
    engine, source = recipe.engine, recipe.source
    picture = engine.picture
    return run_folder.encode(
        run_folder.RunFile(
            run_key=recipe.run_key,
            job_id=recipe.job_id,
            video_id=recipe.video_id,
            clock_start=recipe.clock_start,
            versions={**versions, engine.name: engine.version},
            pipeline=recipe.pipeline,
            settings=recipe.settings_json(),
            model=run_folder.Model(recipe.model.name, recipe.model.sha256, recipe.model.labels),
            engine=run_folder.Engine(
                engine.name, engine.version, engine.precision, (picture.width, picture.height)
            ),
            source=run_folder.source_of(index, Stat(source.bytes, source.sha256), recipe.sampled_rate),
            frames=run_folder.frames_of(result.frames, len(index)),
            warnings=run_folder.warnings_of(_caveats(recipe, index, result)),
            files=run_folder.files_of(stored),
        )
    )


def _caveats(recipe: Recipe, index: SourceIndex, result: JobResult) -> list[Caveat]:
    """What a user should know: of the source, of its frames as they were decoded, of settings that do not suit it."""
    failed = Counter(
        reason
        for outcome, reason in zip(result.frames.outcome, result.frames.reason, strict=True)
        if outcome == "failed"
    )
    found = list(index.caveats)
    if failed:
        kinds = ", ".join(f"{count} {reason}" for reason, count in sorted(failed.items()))
        found = [each for each in found if each.code != "damaged"]
        found.append(Caveat("damaged", f"frames that cannot be decoded: {kinds}"))
    found += _remarks(result)
    settings, tracker = recipe.settings, recipe.settings.tracker
    if tracker is not None and tracker["mode"] == "bytetrack" and (index.vfr or settings.stride > 1):
        found.append(Caveat("frame_buffer", FRAME_BUFFER))
    found += unfollowed(result, settings.conf, _start(tracker), settings.stride)
    return found


def _start(tracker: Mapping[str, Any] | None) -> Start | None:
    return None if tracker is None else Start.of(tracker["track_high_thresh"], tracker["new_track_thresh"])


def _remarks(result: JobResult) -> list[Caveat]:
    """What showed only while frames were decoded; it came with the frames' records, so it survives a crash."""
    frames = zip(result.frames.outcome, result.frames.reason, strict=True)
    seen = {reason for outcome, reason in frames if outcome == "ok" and reason}
    return [Caveat(code, REMARKS.get(code, code)) for code in sorted(seen)]
