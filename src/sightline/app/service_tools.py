"""The tools of a service: source, model and result of each of its jobs, by the job's row."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from fractions import Fraction
from importlib.metadata import version

import msgspec
from msgspec import UNSET

from sightline import __version__, pipeline
from sightline.adapters.engines.choice import check_engine, choose_engine, read_labels
from sightline.app.foreign import ForeignFrames
from sightline.app.shared import shared_route
from sightline.errors import Misconfigured
from sightline.events import Codecs, native
from sightline.jobs import requests
from sightline.jobs.derived import plan_of
from sightline.jobs.files import RUN_JSON, files_of, manifest_of
from sightline.jobs.recipe import Engine, Model, Recipe
from sightline.jobs.replays import parent_of
from sightline.jobs.requests import Request
from sightline.jobs.topology import FRAME_PARTITIONS, Topology, topics_of
from sightline.jobs.upgrades import UPGRADED
from sightline.pipeline import Resolved, class_ids
from sightline.ports import Detector, FrameReader, Job, Jobs, Stat
from sightline.runs.writers import writers_of
from sightline.runtime.crew import Tools
from sightline.runtime.publish import Rendered
from sightline.settings import DetectOptions
from sightline.sources.detectors import Detectors, resolve_pipeline
from sightline.sources.frame_store import FrameStore
from sightline.sources.hashing import Hashing
from sightline.sources.identify import Span, engine_of, identify, model_of, versions_here, versions_in
from sightline.sources.replayed import as_sampled, span_of, timed_as, tracked_again, undetected
from sightline.sources.stored import Places, check_source, index_of, open_stored, probed_of
from sightline.stages.feed import Plan
from sightline.types import JobResult, SourceIndex

__all__ = ["PIPELINES", "ServiceTools", "check_models", "engine_name", "model_name", "service_topology"]

PIPELINES = ("traffic", "visdrone", "detect")
RESULT = "json-b"  # the format that old clients read
RESULT_FILE = "result.json"


def service_topology() -> Topology:
    """The topics of all jobs that a service takes, in one store."""
    groups = [group for name in PIPELINES for group in pipeline.load(name).groups]
    return Topology.of(topics_of(dict.fromkeys(groups), tracked=True), FRAME_PARTITIONS)


def check_models(options: DetectOptions) -> None:
    """See that there is a model for every pipeline, and an engine for it, before anybody sends a video.

    Raises:
        Misconfigured: there is none; says how to get it. Or engine, device or precision do not fit it: each job would fail.
    """
    for name in PIPELINES:
        _, model = resolve_pipeline(pipeline.load(name), options, "track")
        check_engine(
            model.path, model.profile, options.engine, options.device, options.precision, options.batch
        )


def engine_name(options: DetectOptions) -> str:
    """Name of the engine that runs the model of the jobs.

    Raises:
        Misconfigured: there is none, or no model.
    """
    _, model = resolve_pipeline(pipeline.load(PIPELINES[0]), options, "track")
    return choose_engine(model.path, options.engine)


def model_name(options: DetectOptions) -> str:
    """Name of the model of the jobs, for people.

    Raises:
        Misconfigured: there is none.
    """
    _, model = resolve_pipeline(pipeline.load(PIPELINES[0]), options, "track")
    return model.card.name


class ServiceTools:
    """Resolves jobs and makes what workers work with; called by several threads.

    Args:
        jobs: the rows.
        places: where sources lie.
        options: model, engine and precision of all jobs.
        workers: threads that decode and detect.
        publishing: hears of each job whose files are about to be written.
        frame_store, inline_frames, codecs: see `ForeignFrames`.
        partitions: of each topic, where several processes share the work; None: this one does all of it.

    Attributes:
        outdated: jobs that were begun with another model, engine or tracker; whoever makes their successors takes them out.
    """

    def __init__(
        self,
        jobs: Jobs,
        places: Places,
        options: DetectOptions,
        workers: int,
        publishing: Callable[[str], None] = lambda job_id: None,
        frame_store: FrameStore | None = None,
        partitions: int | None = None,
        codecs: Codecs = native,
        *,
        inline_frames: bool = False,
    ) -> None:
        self._partitions = partitions
        self._foreign = ForeignFrames(
            places,
            lambda recipe: self._request(recipe).source,
            self._dialect,
            shared=partitions is not None,
            codecs=codecs,
            frame_store=frame_store,
            inline_frames=inline_frames,
        )
        self._publishing = publishing
        self._jobs, self._places, self._options, self._workers = jobs, places, options, workers
        self._objects, self._hashing = places.objects, Hashing(places)
        self._lock = threading.Lock()
        self._pipelines: dict[str, tuple[Resolved, Detectors]] = {}
        self.outdated: set[str] = set()
        self._fit: set[str] = set()  # pipelines that the model has labels for

    def tools(self) -> Tools:
        """For a host."""
        return Tools(
            self.plan,
            self.reader,
            self.detector,
            self.render,
            resolve=self.resolve,
            rows=self._foreign.rows,
            named=self._foreign.named,
            broken=self._foreign.broken,
        )

    def check(self, pipeline: str) -> None:
        """See that the model has a label for each group of a pipeline, before a job of it is accepted.

        Raises:
            Misconfigured: it has none for one (`no_label`), or there is no such pipeline; names both lists.
        """
        if pipeline in self._fit:
            return
        resolved, detectors = self._pipeline(pipeline)
        model = detectors.model
        assert model is not None
        labels = read_labels(model.path, model.profile)
        class_ids(resolved.groups, labels, resolved.classes, resolved.optional)
        self._fit.add(pipeline)

    def resolve(self, job: Job) -> Recipe | None:
        """What is to be done for a job that is new; None while its source is being hashed.

        Raises:
            Misconfigured: there is no such pipeline, or the model has no label of a group.
            InvalidVideo: its source is gone, or is another one than it was.
        """
        request = requests.decode(job.request)
        resolved, detectors = self._pipeline(request.pipeline)
        replay = request.replay
        if replay is UNSET:
            stat = self._hashing.ask(job.job_id, request.source)
            if stat is None:
                return None
            recipe = self._identified(job, request, stat, resolved, detectors)
            return self._placed(job, request, recipe, resolved)
        parent = parent_of(job, self._jobs)
        if replay.stage == "track":
            recipe = self._placed(job, request, tracked_again(parent, replay, resolved), resolved)
            return undetected(recipe, parent)
        stat = Stat(parent.source.bytes, parent.source.sha256)
        resolved = as_sampled(parent, resolved)
        recipe = self._identified(job, request, stat, resolved, detectors, span_of(parent))
        return timed_as(self._placed(job, request, recipe, resolved), parent)

    def _identified(
        self,
        job: Job,
        request: Request,
        stat: Stat,
        resolved: Resolved,
        detectors: Detectors,
        span: Span | None = None,
    ) -> Recipe:
        """The recipe of a job whose frames are detected; without a span those of its whole source."""
        probed = probed_of(self._objects, request.source, job.video_id, stat)
        info = detectors.at(probed.index.width, probed.index.height).info
        span = span or Span(fps=_fps(probed.index))
        return identify(probed, resolved, info, span, reading=detectors.reading())

    def _placed(self, job: Job, request: Request, recipe: Recipe, resolved: Resolved) -> Recipe:
        """The same as a job's own, with where its records travel."""
        recipe = msgspec.structs.replace(
            recipe,
            job_id=job.job_id,
            video_id=job.video_id,
            created_at_us=job.created_at_us,
            clock_start=job.clock_start,
            formats=tuple(dict.fromkeys((*recipe.formats, RESULT))),
            route=msgspec.structs.replace(
                recipe.route, prefix=requests.job_prefix(job.job_id), bucket=request.bucket
            ),
        )
        if self._partitions is None:
            return recipe
        route = shared_route(resolved, recipe, request.bucket, self._partitions)
        return msgspec.structs.replace(recipe, route=route)

    def plan(self, recipe: Recipe) -> Plan:
        """Which frames of a job are sampled.

        Raises:
            Misconfigured: it was begun by a release whose tracker, or what comes behind it, is another one (`upgraded`).
        """
        began, now = versions_in(recipe), versions_here(recipe)
        if began != now:
            said = ", ".join(
                f"{name} {began[name]}, now {now[name]}" for name in began if began[name] != now[name]
            )
            raise self._outdated(recipe, f"it was begun by another release: {said}")
        return plan_of(recipe, index_of(self._objects, self._request(recipe).source))

    def _dialect(self, recipe: Recipe) -> str:
        return self._pipeline(recipe.pipeline)[0].dialect

    def reader(self, recipe: Recipe) -> FrameReader:
        """The source of a job, for one lane."""
        return open_stored(self._places, self._request(recipe).source, recipe)

    def detector(self, recipe: Recipe) -> Detector:
        """The model of a job.

        Raises:
            Misconfigured: it was begun with another one, or with another engine (`upgraded`).
        """
        _, detectors = self._pipeline(recipe.pipeline)
        detector = detectors.at(recipe.source.width, recipe.source.height)
        model, engine = model_of(detector.info, detectors.reading()), engine_of(detector.info)
        model = msgspec.structs.replace(model, name=recipe.model.name)  # it may have been renamed
        if (model, engine) != (recipe.model, recipe.engine):
            began, now = _named(recipe.model, recipe.engine), _named(model, engine)
            raise self._outdated(recipe, f"it was begun with {began}, the service has {now} now")
        return detector

    def _outdated(self, recipe: Recipe, reason: str) -> Misconfigured:
        self.outdated.add(recipe.job_id)
        return Misconfigured(reason, code=UPGRADED)

    def render(self, recipe: Recipe, result: JobResult) -> Rendered:
        """The files of a job, and the one that old clients look for.

        Raises:
            InvalidVideo: its source is gone, or is another one than it was.
        """
        request = self._request(recipe)
        if recipe.route.stored is UNSET:
            check_source(self._places, request.source, recipe.source.sha256)
        self._publishing(recipe.job_id)
        index = index_of(self._objects, request.source)
        versions = {"sightline": __version__, "av": version("av")}
        return Rendered(
            files_of(recipe, result, writers_of(recipe.formats)),
            RUN_JSON,
            lambda stored: manifest_of(recipe, index, result, stored, versions),
            {RESULT_FILE: requests.detection_key(request.bucket, recipe.job_id)},
        )

    def keep_only(self, recipes: Iterable[Recipe]) -> None:
        """Release the models that no job needs."""
        sizes: dict[str, list[tuple[int, int]]] = {}
        for recipe in recipes:
            sizes.setdefault(recipe.pipeline, []).append((recipe.source.width, recipe.source.height))
        with self._lock:
            for name, (_, detectors) in self._pipelines.items():
                detectors.keep_only(sizes.get(name, ()))

    def close(self) -> None:
        """Release every model."""
        with self._lock:
            for _, detectors in self._pipelines.values():
                detectors.close()
            self._pipelines.clear()
        self._foreign.close()

    def _request(self, recipe: Recipe) -> Request:
        return requests.decode(self._jobs.get(recipe.job_id).request)

    def _pipeline(self, name: str) -> tuple[Resolved, Detectors]:
        with self._lock:
            if name not in self._pipelines:
                resolved, model = resolve_pipeline(pipeline.load(name), self._options, "track")
                self._pipelines[name] = resolved, Detectors(model, resolved, self._options, self._workers)
            return self._pipelines[name]


def _named(model: Model, engine: Engine) -> str:
    """What decides detections, for people."""
    return f"{model.name} {model.sha256[:12]}, {engine.name} {engine.version} {engine.precision}"


def _fps(index: SourceIndex) -> Fraction | None:
    """Images per second that an index was made with; None where times are the source's own."""
    return None if index.kind != "images" or index.clock == "names" else 1 / index.time_base
