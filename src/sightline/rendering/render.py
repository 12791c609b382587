"""Render finished runs: their tracks drawn on the source, or on a blank canvas where detections came as text."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from sightline.adapters.drawing.overlays import Look
from sightline.disk import make_folder
from sightline.errors import Misconfigured, NotFound, setting
from sightline.rendering.annotate import annotate, annotate_blank
from sightline.runs.load import find_runs, load_result, names_of, read_run_json
from sightline.runs.place import Place, in_folder
from sightline.runs.recount import ShapesOf
from sightline.sources.named import Source, content_hash, expand
from sightline.sources.texts import SIZE_GUESSED
from sightline.telemetry import NULL, Hook
from sightline.types import JobResult

__all__ = [
    "Look",
    "Rendered",
    "check_size",
    "fps_of",
    "is_text",
    "render_place",
    "render_run",
    "source_of",
    "with_shapes",
]


@dataclass(frozen=True)
class Rendered:
    """One video that was drawn.

    Attributes:
        path: of it.
        blank: width and height of the canvas, where there were no pictures to draw on; else None.
    """

    path: Path
    blank: tuple[int, int] | None = None


def render_run(
    path: Path,
    out: Path | None = None,
    *,
    source: Path | None = None,
    look: Look | None = None,
    shapes: ShapesOf | None = None,
    hook: Hook = NULL,
) -> list[Rendered]:
    """Draw the tracks of a run, or of every run below `path`.

    Args:
        path: a run folder, or the folder of a whole command.
        out: the video of a single run; None: `annotated.mp4` in each run's own folder.
        source: where the source lies now; None: where it lay then. For a run of a text of detections the video or the
            images that they were made on; None: a blank canvas.
        look: what is drawn beside boxes, time and counts.
        shapes: lines and zones of each run, instead of those of `look`.
        hook: hears of progress.

    Raises:
        NotFound: no finished run is there, or the source is gone.
        Misconfigured: the source is another one, a line or zone beside the picture, lines or zones for a run without
            tracks, or `out` is one file for several runs.
        Unavailable: the disk is full.
    """
    folders = find_runs(path)
    if out is not None and len(folders) > 1:
        raise Misconfigured(
            f"{path} holds {len(folders)} runs: name one of them, or leave out -o", code="usage"
        )
    looks = with_shapes(
        look or Look(), shapes, [names_of(read_run_json(in_folder(folder))) for folder in folders]
    )
    return [
        render_place(in_folder(folder), out or folder / "annotated.mp4", source, each, hook)
        for folder, each in zip(folders, looks, strict=True)
    ]


def with_shapes(look: Look, shapes: ShapesOf | None, videos: Sequence[Sequence[str]]) -> list[Look]:
    """The look of each video, by its names: with the lines and zones that are meant for it; None: those of `look`."""
    if shapes is None:
        return [look] * len(videos)
    return [replace(look, lines=tuple(lines), zones=tuple(zones)) for lines, zones in shapes(videos)]


def render_place(place: Place, target: Path, named: Path | None, look: Look, hook: Hook = NULL) -> Rendered:
    """Draw one run, wherever it lies; see `render_run`.

    Args:
        place: of the run.
        target: the video.
        named: where the source lies now; None: where it lay then, which only a run in a folder knows.
        look: what is drawn beside boxes, time and counts.
        hook: hears of progress.
    """
    result, run = load_result(place)
    if (look.lines or look.zones) and all(group.tracks is None for group in result.groups):
        raise Misconfigured(f"{place.name}: this run has no tracks; use sightline track", code="no_tracks")
    found = source_of(place, named, run)
    make_folder(target.parent)
    if found is None:
        annotate_blank(result, target, hook, look)
        return Rendered(target, (result.width, result.height))
    if target.exists() and target.samefile(found.path):
        raise Misconfigured(f"{target} is the source itself: choose another {setting('out')}", code="usage")
    annotate(
        result,
        found,
        fps_of(run, found),
        target,
        hook,
        look,
        (lambda width, height: check_size(result, run, found, width, height)),
    )
    return Rendered(target)


def fps_of(run: Mapping[str, Any], source: Source) -> Fraction | None:
    """Frames per second that a run was told of its source; a video that a text was made on has its own times."""
    fps = run["settings"]["fps"]
    return None if fps is None or (is_text(run) and source.kind == "video") else Fraction(fps)


def is_text(run: Mapping[str, Any]) -> bool:
    """Whether a run was made of a text of detections."""
    return bool(run["source"]["kind"] == "detections")


def source_of(place: Place, named: Path | None, run: Mapping[str, Any]) -> Source | None:
    """The pictures of a run: its source, checked by its hash; of a text what was named, or None.

    Raises:
        NotFound: it is gone.
        Misconfigured: it is another one.
    """
    if is_text(run):
        return None if named is None else _pictures(named)
    path = named or _source_path(place)
    found, errors = expand([path])
    if errors or len(found) != 1:
        raise NotFound(
            f"{path.name}: the source of this run is not there any more; say where with {setting('source')}"
        )
    if content_hash(found[0]) != run["source"]["sha256"]:
        raise Misconfigured(
            f"{path.name}: this is not the source of {place.name}; say where it is with {setting('source')}"
        )
    return found[0]


def check_size(result: JobResult, run: Mapping[str, Any], source: Source, width: int, height: int) -> None:
    """Refuse pictures that a text of detections was not made on.

    Raises:
        Misconfigured: not the size that the run was told, or too small for the boxes.
    """
    if not is_text(run):
        return
    guessed = any(warning["code"] == SIZE_GUESSED for warning in run["warnings"])
    same = (width, height) == (result.width, result.height)
    if not (same or (guessed and width >= result.width and height >= result.height)):
        what, then = "the run was told", f"choose another {setting('source')}"
        if guessed:
            what = "the boxes reach to"
            then += f", or where boxes may reach beyond the picture track again with {setting('size', f'{width}x{height}')}"
        raise Misconfigured(
            f"{source.path.name}: its picture is {width}x{height}, {what} {result.width}x{result.height}; {then}",
            code="usage",
        )


def _pictures(named: Path) -> Source:
    found, errors = expand([named])
    if errors:
        raise errors[0].error
    if len(found) != 1 or found[0].kind == "detections":
        raise Misconfigured(
            f"{named}: name one video or one folder of images as {setting('source')}", code="usage"
        )
    return found[0]


def _source_path(place: Place) -> Path:
    """Where the source lay when the run was made; only `timing.json` knows, and no promise covers that file."""
    try:
        return Path(json.loads(place.read("timing.json"))["source_path"])
    except (NotFound, OSError, ValueError, KeyError, TypeError) as error:
        raise NotFound(
            f"{place.name}: timing.json does not say where the source is; say it with {setting('source')}"
        ) from error
