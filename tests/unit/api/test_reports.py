"""What processes have counted, as one: sums never fall, whoever dies."""

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import generate_latest

from sightline.api.reports import Reports, report_of


class Process:
    """One that counts."""

    def __init__(self, name):
        self.name, self.registry = name, CollectorRegistry()
        self.frames = Counter("frames_total", "n", ["stage"], registry=self.registry)
        self.waiting = Gauge("waiting", "n", registry=self.registry)
        self.seconds = Histogram("seconds", "s", buckets=(1, 2), registry=self.registry)

    def report(self):
        return report_of(self.name, self.registry)


@pytest.fixture
def shown():
    """A registry that shows reports, and the values in it by name and labels."""
    reports, registry = Reports(), CollectorRegistry()
    registry.register(reports)

    def values():
        lines = generate_latest(registry).decode().splitlines()
        return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines if line[0] != "#"}

    reports.values = values
    return reports


def test_processes_are_summed(shown):
    """Counters, gauges, buckets."""
    for role, n in (("worker", 2), ("api", 5)):
        process = Process(role)
        process.frames.labels("detect").inc(n)
        process.waiting.set(n)
        process.seconds.observe(n / 4)
        shown.put(role, process.report())

    found = shown.values()

    assert found['frames_total{stage="detect"}'] == 7
    assert found["waiting"] == 7
    assert (found['seconds_bucket{le="1.0"}'], found['seconds_bucket{le="+Inf"}']) == (1, 2)
    assert (found["seconds_count"], found["seconds_sum"]) == (2, 1.75)


def test_what_a_process_says_again_is_not_added(shown):
    """Its last word counts."""
    process = Process("worker")
    for _ in range(3):
        process.frames.labels("detect").inc()
        shown.put("worker", process.report())

    assert shown.values()['frames_total{stage="detect"}'] == 3


def test_what_a_dead_process_counted_goes_on_to_count(shown):
    """And what it was waiting for does not."""
    for n in range(3):
        process = Process(f"worker {n}")
        process.frames.labels("detect").inc(10)
        process.seconds.observe(1.5)
        process.waiting.set(4)
        shown.put("worker", process.report())

    found = shown.values()

    assert found['frames_total{stage="detect"}'] == 30
    assert found['seconds_bucket{le="2.0"}'] == 3
    assert found["waiting"] == 4


def test_when_something_was_made_is_nobodys_business(shown):
    """A time stamp for each series doubles them."""
    process = Process("worker")
    process.frames.labels("detect").inc()
    shown.put("worker", process.report())

    assert not [name for name in shown.values() if "_created" in name]
