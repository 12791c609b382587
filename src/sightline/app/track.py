"""Track: everything that was named, in one process, each video for itself, the machine shared fairly."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from pathlib import Path

from sightline import models, pipeline
from sightline.app.detectors import DetectFunction, Detectors, resolve_pipeline
from sightline.app.several import run_all
from sightline.app.single import Ready, Single
from sightline.errors import Misconfigured, Rejected, setting
from sightline.machine import usable_cores
from sightline.pipeline import Overrides, Resolved
from sightline.runs.folders import Folder, begin_root, choose_root
from sightline.runs.reports import Report
from sightline.runs.writers import check_formats, check_groups
from sightline.settings import DetectOptions, TrackOptions
from sightline.sources.identify import Span, identify
from sightline.sources.named import Source, expand
from sightline.sources.probe import Probed, probe
from sightline.sources.texts import open_text, resolved_for, without_group
from sightline.telemetry import NULL, Hook, Planned
from sightline.types import Caveat, SourceIndex

__all__ = ["Ready", "track"]

MAX_WORKERS = 8
DEFAULT_FPS = Fraction(30)
SECOND = timedelta(microseconds=1)
NOT_OF_TEXTS = ("start", "end", "vid_stride", "conf", "iou", "max_det")
OF_TEXTS = ("size", "first_frame", "start_frame")


def track(
    sources: Sequence[str | Path],
    options: DetectOptions | None = None,
    hook: Hook = NULL,
    *,
    command: str = "track",
    function: DetectFunction | None = None,
    labels: Sequence[str] = (),
    accept: Callable[[Sequence[Ready]], None] = lambda ready: None,
) -> list[Report]:
    """Track, or with `command` `detect` only look at, everything that was named.

    Args:
        sources: files, image folders, dataset roots, patterns, texts of detections.
        options: all settings; the defaults where None.
        hook: hears of progress.
        command: `track` or `detect`; also the name of run folders.
        function: a detector made elsewhere instead of a model, with its `labels`.
        accept: sees what can be run before anything is; what it raises ends the command.

    Returns:
        A report for each source, in their order, then for what is none; what could not be read, is damaged, or is in the
        hands of another process, has failed, the rest is done.

    Raises:
        Misconfigured: nothing was done.
        Unavailable: a disk is full, or a folder went away; repeat the command to go on.
        KeyboardInterrupt: interrupted; repeat the command to go on.
    """
    options = options or (TrackOptions() if command == "track" else DetectOptions())
    check_formats(options.formats)
    found, errors = expand(sources)
    failed = [Report(name, "failed", error=error) for name, error in errors]
    texts = [source for source in found if source.kind == "detections"]
    videos = [source for source in found if source.kind != "detections"]
    _check_kinds(texts, videos, options, command)
    ready, reports = _open_texts(texts, options)
    detectors = None
    try:
        if videos:
            resolved, detectors = _open_model(options, command, function, tuple(labels))
            opened, unread = _opened(videos, lambda source: _ready(source, options, resolved, detectors))
            ready, reports = ready + opened, reports + unread
        for each in ready:
            check_groups(options.formats, each.probed.source.video_id, each.recipe.class_ids)
        accept(ready)
        if ready:
            reports += _run_all(ready, options, hook, command, _workers(options, function))
    finally:
        if detectors is not None:
            detectors.close()
    place = {source.video_id: number for number, source in enumerate(found)}
    return sorted(reports, key=lambda report: place[report.video_id]) + failed


def _opened(
    sources: Sequence[Source], open_one: Callable[[Source], Ready]
) -> tuple[list[Ready], list[Report]]:
    """What can be run, and reports of what cannot be read."""
    ready: list[Ready] = []
    reports: list[Report] = []
    for source in sources:
        try:
            ready.append(open_one(source))
        except Rejected as error:
            reports.append(Report(source.video_id, "failed", error=error))
    return ready, reports


def _open_model(
    options: DetectOptions, command: str, function: DetectFunction | None, labels: tuple[str, ...]
) -> tuple[Resolved, Detectors]:
    resolved, model = _resolved(options, command, function, labels)
    return resolved, Detectors(model, resolved, options, _workers(options, function), function, labels)


def _workers(options: DetectOptions, function: DetectFunction | None) -> int:
    """Detect threads; a function gets its frames in order, so one, unless somebody says otherwise."""
    return options.workers or (min(usable_cores(), MAX_WORKERS) if function is None else 1)


def _resolved(
    options: DetectOptions, command: str, function: DetectFunction | None, labels: Sequence[str]
) -> tuple[Resolved, models.Model | None]:
    loaded = pipeline.load(options.pipeline)
    if function is None:
        return resolve_pipeline(loaded, options, command)
    overrides = Overrides.model_validate(options.overrides())
    fitted = loaded.fitted(labels)
    return pipeline.resolve(fitted, None, overrides, "detect" if command == "detect" else "track"), None


def _ready(source: Source, options: DetectOptions, resolved: Resolved, detectors: Detectors) -> Ready:
    probed = probe(source, options.fps)
    info = detectors.at(probed.index.width, probed.index.height).info
    if info.engine == "function":  # whoever wrote it named the labels that count
        probed = _with_caveats(probed, without_group(dict.fromkeys(info.labels, 0), resolved))
    span = _span(options, source, probed.index)
    return Ready(probed, identify(probed, resolved, info, span, reading=detectors.reading()), detectors)


def _with_caveats(probed: Probed, more: tuple[Caveat, ...]) -> Probed:
    return replace(probed, index=replace(probed.index, caveats=(*probed.index.caveats, *more)))


def _span(options: DetectOptions, source: Source, index: SourceIndex) -> Span:
    start = None if options.start is None else options.start // SECOND
    end = None if options.end is None else options.end // SECOND
    fps = options.fps
    if fps is None and source.kind != "video" and index.clock != "names":
        fps = DEFAULT_FPS
    return Span(start, end, fps, options.start_time)


def _run_all(
    ready: Sequence[Ready], options: DetectOptions, hook: Hook, command: str, workers: int
) -> list[Report]:
    keys = {each.probed.source.video_id: each.recipe.run_key for each in ready}
    root = _begun_root(ready, options, command, keys)
    singles = [Single(_in_order(each, workers), options, root, workers, command) for each in ready]
    hook.emit(Planned(len(ready), sum(each.recipe.sampled for each in ready)))
    return run_all(singles, hook, lanes=workers, at_once=1 if _called(ready) else max(2, workers))


def _called(ready: Sequence[Ready]) -> bool:
    """Whether frames go to a function, which may keep a state from frame to frame."""
    return any(
        isinstance(each.detectors, Detectors) and each.detectors.function is not None for each in ready
    )


def _in_order(ready: Ready, workers: int) -> Ready:
    """A function that keeps a state is promised the order of frames."""
    return replace(ready, recipe=ready.recipe.in_order()) if workers == 1 and _called([ready]) else ready


def _begun_root(
    ready: Sequence[Ready], options: DetectOptions, command: str, keys: Mapping[str, str]
) -> Path:
    """The folder of the whole command, noted as its own where it named it by itself."""
    while True:
        root = choose_root(options.out, options.project, options.name or command, keys)
        for each in ready:
            folder = Folder(root / each.probed.source.video_id)
            if each.probed.source.path.resolve().is_relative_to(folder.path.resolve()):
                raise Misconfigured(
                    f"{folder.path}: the source itself is there; choose another {setting('out')}",
                    code="usage",
                )
            folder.state(each.recipe.run_key, overwrite=options.overwrite)
        if options.out is not None or begin_root(root, keys):
            return root


def _check_kinds(
    texts: Sequence[Source], videos: Sequence[Source], options: DetectOptions, command: str
) -> None:
    """Refuse options that a kind of source cannot follow, before anything is done."""
    if texts and (not isinstance(options, TrackOptions) or command != "track"):
        raise Misconfigured("text of detections can only be tracked: use sightline track", code="usage")
    for name in NOT_OF_TEXTS if texts else ():
        if getattr(options, name) is not None:
            raise Misconfigured(
                f"{texts[0].path.name}: text of detections is tracked as it is; leave out {setting(name)}",
                code="usage",
            )
    if texts and (options.save_video or "video" in options.formats):
        said = setting("save_video") if options.save_video else setting("format", "video")
        raise Misconfigured(
            f"{texts[0].path.name}: text of detections has no picture; leave out {said} and draw the run afterwards: "
            f"sightline render RUN {setting('source', 'VIDEO')}",
            code="usage",
        )
    for name in OF_TEXTS if videos and not texts else ():
        if getattr(options, name) is not None:
            raise Misconfigured(
                f"{videos[0].path.name}: {setting(name)} is for text of detections, a video has its own; leave it out",
                code="usage",
            )


def _open_texts(texts: Sequence[Source], options: DetectOptions) -> tuple[list[Ready], list[Report]]:
    if not texts:
        return [], []
    loaded = pipeline.load(options.pipeline)
    resolved = pipeline.resolve(loaded, None, Overrides.model_validate(options.overrides()), "track")
    if resolved.tracker is None:
        raise Misconfigured(
            f"pipeline {resolved.name} has no tracker: choose another {setting('pipeline')}", code="usage"
        )
    return _opened(texts, lambda source: _ready_text(source, options, resolved))


def _ready_text(source: Source, options: DetectOptions, resolved: Resolved) -> Ready:
    probed, detectors, read_as = open_text(source, options, options.fps or DEFAULT_FPS)
    info = detectors.detector.info
    own = resolved_for(probed, info.labels, resolved)
    probed = _with_caveats(probed, without_group(detectors.boxes, own))
    recipe = identify(probed, own, info, _span(options, source, probed.index), text=read_as)
    return Ready(probed, recipe, detectors)
