"""The tools of a command: source, model and result files of each of its jobs, by the job's recipe."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import version

import msgspec

from sightline import __version__
from sightline.adapters.text_detections import TextReader
from sightline.app.single import Begun, Single
from sightline.disk import chunks_of
from sightline.formats.registry import Writer
from sightline.jobs.derived import plan_of
from sightline.jobs.files import RUN_JSON, files_of, manifest_of
from sightline.jobs.recipe import Recipe
from sightline.ports import Detector, FrameReader
from sightline.runs.outcomes import VIDEO
from sightline.runs.writers import writers_of
from sightline.runtime.host import Tools
from sightline.runtime.publish import Rendered
from sightline.sources.probe import check_unchanged, open_reader
from sightline.stages.feed import Plan
from sightline.telemetry import Hook
from sightline.types import JobResult

__all__ = ["tools_of"]


def tools_of(single_of: Callable[[Recipe], Single], begun: Callable[[Single], Begun], hook: Hook) -> Tools:
    """What workers are made with: source and detector of each job by its recipe.

    Args:
        single_of: the source of a job that is worked on.
        begun: its folder and store.
        hook: hears how a video is drawn.
    """

    def plan(recipe: Recipe) -> Plan:
        single = single_of(recipe)
        camera = single.ready.camera
        motions = None if camera is None else camera.motions
        return plan_of(recipe, single.ready.probed.index, single.options.chunk_frames or 0, motions)

    def detector(recipe: Recipe) -> Detector:
        return single_of(recipe).ready.detectors.at(recipe.source.width, recipe.source.height)

    def reader(recipe: Recipe) -> FrameReader:
        single = single_of(recipe)
        probed = single.ready.probed
        if recipe.source.kind == "detections":
            return TextReader(probed.index)
        image, preprocess = recipe.engine.picture.spec(), recipe.settings.preprocess
        return open_reader(probed.source, image, preprocess, single.options.fps, probed.index)

    def render(recipe: Recipe, result: JobResult) -> Rendered:
        single, versions = single_of(recipe), {"sightline": __version__, "av": version("av")}
        probed = single.ready.probed
        check_unchanged(probed)
        writers = writers_of(recipe.formats)
        if single.options.save_video or "video" in single.options.formats:
            writers["video"] = _video(begun(single), hook)
        return Rendered(
            files_of(recipe, result, writers),
            RUN_JSON,
            lambda stored: manifest_of(recipe, probed.index, result, stored, versions),
        )

    def asked(recipe: Recipe) -> Recipe:
        now = single_of(recipe).recipe
        return msgspec.structs.replace(
            recipe, formats=now.formats, clock_start=now.clock_start, created_at_us=now.created_at_us
        )

    return Tools(plan, reader, detector, render, asked)


def _video(begun: Begun, hook: Hook) -> Writer:
    """Who draws the video; what draws is loaded when it does."""

    def files(result: JobResult) -> Iterator[tuple[str, Iterable[bytes]]]:
        from sightline.rendering.annotate import annotate

        path, single = begun.folder.partial / VIDEO, begun.single
        with begun.clock.drawing():
            annotate(result, single.ready.probed.source, single.options.fps, path, hook)
        yield VIDEO, chunks_of(path)

    return files
