"""What processes of a service report of themselves, summed: values of Prometheus, as data."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping

import msgspec
from prometheus_client.core import Metric
from prometheus_client.registry import Collector, CollectorRegistry

__all__ = ["Family", "Report", "Reports", "report_of"]

Key = tuple[str, tuple[tuple[str, str], ...]]


class Sample(msgspec.Struct, frozen=True):
    """A value."""

    name: str
    labels: dict[str, str]
    value: float


class Family(msgspec.Struct, frozen=True):
    """Values of one meaning; `kind` is Prometheus's: counter, gauge, histogram."""

    name: str
    kind: str
    about: str
    samples: list[Sample]


class Report(msgspec.Struct, frozen=True):
    """What one process counted since it began; another `process` has begun again at 0."""

    process: str
    families: list[Family]


def report_of(process: str, registry: CollectorRegistry) -> Report:
    """What a registry holds now."""
    return Report(
        process,
        [
            Family(
                each.name,
                each.type,
                each.documentation,
                [
                    Sample(sample.name, dict(sample.labels), sample.value)
                    for sample in each.samples
                    if not sample.name.endswith("_created")
                ],
            )
            for each in registry.collect()
        ],
    )


class Reports(Collector):
    """The last report of each process, as one: counts of those that have ended go on to count, their gauges do not."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last: dict[str, Report] = {}
        self._ended: dict[Key, float] = {}

    def put(self, role: str, report: Report) -> None:
        """A report of the process that has a role now."""
        with self._lock:
            before = self._last.get(role)
            if before is not None and before.process != report.process:
                for family in before.families:
                    if family.kind != "gauge":
                        _add(self._ended, family.samples)
            self._last[role] = report

    def collect(self) -> Iterator[Metric]:
        """Every family, its values summed."""
        with self._lock:
            reports, sums = list(self._last.values()), dict(self._ended)
        families: dict[str, Family] = {}
        for family in (family for report in reports for family in report.families):
            families.setdefault(family.name, family)
            _add(sums, family.samples)
        for family in families.values():
            yield _metric(family, sums)


def _add(sums: dict[Key, float], samples: Iterable[Sample]) -> None:
    for sample in samples:
        key = sample.name, tuple(sample.labels.items())
        sums[key] = sums.get(key, 0) + sample.value


def _metric(family: Family, sums: Mapping[Key, float]) -> Metric:
    names = {family.name} | {f"{family.name}_{end}" for end in ("total", "bucket", "sum", "count")}
    made = Metric(family.name, family.about, family.kind)
    for (name, labels), value in sums.items():
        if name in names:
            made.add_sample(name, dict(labels), value)
    return made
