"""Track: everything that was named, in one process, each video for itself, the machine shared fairly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from sightline.adapters.engines.function import DetectorFunction
from sightline.app.several import run_all
from sightline.app.single import Single
from sightline.errors import Misconfigured, Rejected, setting
from sightline.runs.folders import Folder
from sightline.runs.reports import Report
from sightline.runs.roots import Command, Traits, begin_root, choose_root
from sightline.runs.writers import check_formats, check_groups
from sightline.settings import DetectOptions, TrackOptions
from sightline.sources.ahead import Ahead
from sightline.sources.named import Source, expand, traits
from sightline.sources.opening import Opener, Ready
from sightline.telemetry import NULL, Hook

__all__ = ["Ready", "track"]

NOT_OF_TEXTS = ("start", "end", "vid_stride", "conf", "iou", "max_det")
OF_TEXTS = ("size", "first_frame", "start_frame")


def track(
    sources: Sequence[str | Path],
    options: DetectOptions | None = None,
    hook: Hook = NULL,
    *,
    command: str = "track",
    function: DetectorFunction | None = None,
    labels: Sequence[str] = (),
    accept: Callable[[Ready], None] = lambda ready: None,
) -> list[Report]:
    """Track, or with `command` `detect` only detect in, everything that was named.

    Sources are read one after the other while those before them are worked on.

    Args:
        sources: files, image folders, dataset roots, patterns, texts of detections.
        options: all settings; the defaults where None.
        hook: hears of progress.
        command: `track` or `detect`; also the name of run folders.
        function: a detector made elsewhere instead of a model, with its `labels`.
        accept: sees the first source before anything is done; what it raises ends the command.

    Returns:
        A report for each source, in their order, then for what is none; what could not be read, is damaged, does not fit
        the settings, or is in the hands of another process, has failed, the rest is done.

    Raises:
        Misconfigured: the settings do not fit each other or the first source: nothing was done. Or a folder cannot be
            written.
        Unavailable: a disk is full, or a folder went away; repeat the command to go on.
        KeyboardInterrupt: interrupted; repeat the command to go on.
    """
    options = options or (TrackOptions() if command == "track" else DetectOptions())
    check_formats(options.formats)
    found, errors = expand(sources)
    failed = [Report(name, "failed", error=error) for name, error in errors]
    if not found:
        return failed
    _check_kinds(found, options, command)
    _check_camera(found, options)
    opener = Opener(found, options, command, function, labels)
    try:
        if len(found) > 1:
            opener.calibrate()
        return [*_run_all(found, opener, options, hook, command, accept), *failed]
    finally:
        opener.close()


def _run_all(
    found: Sequence[Source],
    opener: Opener,
    options: DetectOptions,
    hook: Hook,
    command: str,
    accept: Callable[[Ready], None],
) -> list[Report]:
    reports, first = _first(found, opener, options)
    if first is None:
        return reports
    accept(first)
    rest = found[len(reports) :]
    root = _begun_root(rest, first, opener, options, command)
    workers = opener.workers
    at_once = 1 if opener.calls else max(2, workers)

    def open_one(source: Source) -> Ready:
        return first if source is rest[0] else _opened(source, opener, options)

    ahead = Ahead(rest, open_one, at_once)
    return reports + run_all(
        ahead,
        rest,
        lambda ready: Single(ready, options, root, workers, command),
        hook,
        lanes=workers,
        at_once=at_once,
        reserve=0 if opener.calls else at_once,
    )


def _opened(source: Source, opener: Opener, options: DetectOptions) -> Ready:
    ready = opener.open(source)
    check_groups(options.formats, source.video_id, ready.recipe.class_ids)
    return ready


def _first(
    found: Sequence[Source], opener: Opener, options: DetectOptions
) -> tuple[list[Report], Ready | None]:
    """The first source that can be read, behind reports of those that cannot."""
    reports: list[Report] = []
    for source in found:
        try:
            return reports, _opened(source, opener, options)
        except Rejected as error:
            reports.append(Report(source.video_id, "failed", error=error))
    return reports, None


def _begun_root(
    sources: Sequence[Source], first: Ready, opener: Opener, options: DetectOptions, command: str
) -> Path:
    """The folder of the whole command, noted as its own where it named it by itself."""
    by_name = {source.video_id: source for source in sources}
    video_id, run_key = first.probed.source.video_id, first.recipe.run_key
    known: dict[str, Traits] = {name: traits(source) for name, source in by_name.items()}

    def key(name: str) -> str:
        try:
            return opener.open(by_name[name]).recipe.run_key
        except (Rejected, Misconfigured):
            return ""  # its own report says what is wrong with it

    whose = Command(video_id, run_key, known, key)
    while True:
        root = choose_root(options.out, options.project, options.name or command, whose)
        for source in sources:
            folder = Folder(root / source.video_id)
            if source.path.resolve().is_relative_to(folder.path.resolve()):
                raise Misconfigured(
                    f"{folder.path}: the source itself is there; choose another {setting('out')}",
                    code="usage",
                )
            folder.check(overwrite=options.overwrite)
        Folder(root / video_id).state(run_key, overwrite=options.overwrite)
        if options.out is not None or begin_root(root, whose):
            return root


def _check_camera(found: Sequence[Source], options: DetectOptions) -> None:
    """A file says how one camera moved in one video.

    Raises:
        Misconfigured: there are several.
    """
    if isinstance(options, TrackOptions) and isinstance(options.camera_motion, Path) and len(found) > 1:
        raise Misconfigured(
            f"{setting('camera_motion', str(options.camera_motion))} is of one video, and {len(found)} are named: track "
            "each with its own file",
            code="usage",
        )


def _check_kinds(found: Sequence[Source], options: DetectOptions, command: str) -> None:
    """Refuse options that a kind of source cannot follow, before anything is done."""
    texts = [source for source in found if source.kind == "detections"]
    videos = [source for source in found if source.kind != "detections"]
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
