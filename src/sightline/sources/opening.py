"""Opening: a source of a command and the settings of all, into what can be run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from fractions import Fraction
from pathlib import Path

from sightline import models, pipeline
from sightline.adapters.engines.function import DetectorFunction
from sightline.errors import Misconfigured, setting
from sightline.jobs.recipe import Recipe
from sightline.machine import default_workers
from sightline.pipeline import Overrides, Resolved
from sightline.settings import DetectOptions
from sightline.sources.camera_file import CameraFile, read_camera_file
from sightline.sources.detectors import Detectors, resolve_pipeline
from sightline.sources.identify import Span, identify
from sightline.sources.named import Source
from sightline.sources.probe import Probed, picture_size, probe
from sightline.sources.texts import TextDetectors, open_text, resolved_for, without_group
from sightline.types import Caveat, SourceIndex

__all__ = ["Opener", "Ready"]

DEFAULT_FPS = Fraction(30)
SECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class Ready:
    """A source that can be run.

    Attributes:
        probed: what it is.
        recipe: what decides its result.
        detectors: shared with other videos.
        camera: how it moved, where a file says it.
    """

    probed: Probed
    recipe: Recipe
    detectors: Detectors | TextDetectors
    camera: CameraFile | None = None


class Opener:
    """Opens the sources of a command; pipeline and model are settled once, for all of them.

    Args:
        sources: all that will be opened.
        options: all settings.
        command: `track` or `detect`.
        function: a detector made elsewhere instead of a model, with its `labels`.

    Raises:
        Misconfigured: pipeline, model and settings do not fit each other.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        options: DetectOptions,
        command: str,
        function: DetectorFunction | None,
        labels: Sequence[str],
    ) -> None:
        self._options, self._command, self._function, self._labels = options, command, function, labels
        self._videos = [source for source in sources if source.kind != "detections"]
        self._of_texts = self._text_pipeline() if len(self._videos) < len(sources) else None
        said = getattr(options, "camera_motion", None)
        self._camera = read_camera_file(said) if isinstance(said, Path) else None
        self._resolved: Resolved | None = None
        self._detectors: Detectors | None = None
        if self._videos:
            self._resolved, self._detectors = self._model()

    @property
    def workers(self) -> int:
        """Threads that decode and detect; a function gets its frames in order, so one, unless somebody says otherwise."""
        most = default_workers() if self._function is None else 1
        return self._options.workers or most

    @property
    def calls(self) -> bool:
        """Whether frames go to a function, which may keep a state from frame to frame."""
        return self._function is not None and bool(self._videos)

    def open(self, source: Source) -> Ready:
        """Index and hash a source, and settle what its result depends on.

        Raises:
            Rejected: it cannot be read.
            Misconfigured: the settings do not fit it.
        """
        return self._text(source) if source.kind == "detections" else self._video(source)

    def calibrate(self) -> None:
        """Measure which precision is the fastest while nothing else is at work, for all sizes of pictures."""
        if self._detectors is not None and self._detectors.measures:
            sizes = dict.fromkeys(picture_size(source) for source in self._videos)
            self._detectors.calibrate([size for size in sizes if size is not None])

    def close(self) -> None:
        """Release every model."""
        if self._detectors is not None:
            self._detectors.close()

    def _model(self) -> tuple[Resolved, Detectors]:
        resolved, model = self._settled()
        detectors = Detectors(
            model, resolved, self._options, self.workers, self._function, tuple(self._labels)
        )
        return resolved, detectors

    def _settled(self) -> tuple[Resolved, models.Model | None]:
        loaded = pipeline.load(self._options.pipeline)
        if self._function is None:
            return resolve_pipeline(loaded, self._options, self._command)
        overrides = Overrides.model_validate(self._options.overrides())
        fitted = loaded.fitted(self._labels)
        return pipeline.resolve(
            fitted, None, overrides, "detect" if self._command == "detect" else "track"
        ), None

    def _text_pipeline(self) -> Resolved:
        loaded = pipeline.load(self._options.pipeline)
        overrides = Overrides.model_validate(self._options.overrides())
        resolved = pipeline.resolve(loaded, None, overrides, "track")
        if resolved.tracker is None:
            raise Misconfigured(
                f"pipeline {resolved.name} has no tracker: choose another {setting('pipeline')}", code="usage"
            )
        return resolved

    def _video(self, source: Source) -> Ready:
        assert self._detectors is not None
        assert self._resolved is not None
        probed = probe(source, self._options.fps)
        info = self._detectors.at(probed.index.width, probed.index.height).info
        if info.engine == "function":  # whoever wrote it named the labels that count
            probed = _with_caveats(probed, without_group(dict.fromkeys(info.labels, 0), self._resolved))
        span = self._span(source, probed.index)
        recipe = identify(
            probed,
            self._resolved,
            info,
            span,
            reading=self._detectors.reading(),
            camera_file=self._camera_sha256,
        )
        if self.calls and self.workers == 1:  # a function that keeps a state is promised the order of frames
            recipe = recipe.in_order()
        return Ready(probed, recipe, self._detectors, self._camera)

    def _text(self, source: Source) -> Ready:
        assert self._of_texts is not None
        probed, detectors, read_as = open_text(source, self._options, self._options.fps or DEFAULT_FPS)
        info = detectors.detector.info
        own = resolved_for(probed, info.labels, self._of_texts)
        probed = _with_caveats(probed, without_group(detectors.boxes, own))
        span = self._span(source, probed.index)
        recipe = identify(probed, own, info, span, text=read_as, camera_file=self._camera_sha256)
        return Ready(probed, recipe, detectors, self._camera)

    @property
    def _camera_sha256(self) -> str:
        return "" if self._camera is None else self._camera.sha256

    def _span(self, source: Source, index: SourceIndex) -> Span:
        options, fps = self._options, self._options.fps
        start = None if options.start is None else options.start // SECOND
        end = None if options.end is None else options.end // SECOND
        if fps is None and source.kind != "video" and index.clock != "names":
            fps = DEFAULT_FPS
        return Span(start, end, fps, options.start_time)


def _with_caveats(probed: Probed, more: tuple[Caveat, ...]) -> Probed:
    return replace(probed, index=replace(probed.index, caveats=(*probed.index.caveats, *more)))
