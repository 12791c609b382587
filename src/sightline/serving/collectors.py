"""What the worker has to report of its stages, as Prometheus has it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from importlib.metadata import version

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from sightline import __version__
from sightline.runtime.meter import Labels, Meter
from sightline.serving.lags import Lags

__all__ = ["StageCollector", "build_info"]

SECONDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
COUNTED: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "frames": ("Frames that a stage has taken over.", ("stage", "outcome")),
    "detections": ("Boxes that were found.", ("label",)),
    "duplicates": ("Records that were dropped, as an earlier one had their identity.", ("stage",)),
}
ENGINES = {"openvino": "openvino", "onnx": "onnxruntime", "ultralytics": "ultralytics"}


class StageCollector(Collector):
    """Counts and times of a meter, and lags as they were found last: no server is asked, which may be away just then.

    Args:
        meter, lags: see there.
        engine: name of the engine; empty where this process has none.
        awaits: codes of the services that do not answer.
        stages: that take frames over here; each begins at 0, as what begins at 31 failed frames has not increased to Prometheus.
    """

    def __init__(
        self,
        meter: Meter,
        lags: Lags,
        engine: str,
        awaits: Callable[[], list[str]],
        stages: Collection[str] = (),
    ) -> None:
        self._meter, self._lags, self._engine, self._awaits = meter, lags, engine, awaits
        begun: dict[Labels, int] = {
            (stage, outcome): 0 for stage in sorted(stages) for outcome in ("ok", "failed")
        }
        self._begun: Mapping[str, Mapping[Labels, int]] = {"frames": begun}

    def describe(self) -> list[Metric]:
        """Nothing is asked before it is wanted."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Everything."""
        counts = self._meter.counts()
        for name, (about, labels) in COUNTED.items():
            counter = CounterMetricFamily(f"sightline_{name}", about, labels=labels)
            for values, n in {**self._begun.get(name, {}), **counts.get(name, {})}.items():
                counter.add_metric(values, n)
            yield counter
        yield self._seconds()
        yield from self._behind()
        yield self._awaited()
        yield build_info(self._engine)

    def _seconds(self) -> Metric:
        made = HistogramMetricFamily(
            "sightline_stage_duration_seconds", "How long a record took a stage.", labels=["stage"]
        )
        for stage, durations in self._meter.durations(SECONDS).items():
            bounds = [(str(bound), float(n)) for bound, n in zip(SECONDS, durations.within, strict=True)]
            made.add_metric([stage], [*bounds, ("+Inf", float(durations.count))], durations.sum_s)
        return made

    def _behind(self) -> Iterator[Metric]:
        records = GaugeMetricFamily(
            "sightline_lag_records", "Records that wait for a stage.", labels=["stage"]
        )
        still = GaugeMetricFamily(
            "sightline_lag_seconds", "For how long a stage has released none of what waits.", labels=["stage"]
        )
        for stage, lag in self._lags.last().items():
            records.add_metric([stage], lag.records)
            still.add_metric([stage], lag.still_s)
        yield records
        yield still

    def _awaited(self) -> Metric:
        made = GaugeMetricFamily(
            "sightline_awaits", "1 for each service that does not answer.", labels=["code"]
        )
        for code in self._awaits():
            made.add_metric([code], 1)
        return made


def build_info(engine: str) -> Metric:
    """Which versions these are; of a process without an engine only ours."""
    made = GaugeMetricFamily("sightline_build_info", "Versions; always 1.", labels=["version", "engine"])
    made.add_metric([__version__, f"{engine} {version(ENGINES[engine])}" if engine else ""], 1)
    return made
