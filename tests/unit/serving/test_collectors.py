"""What a worker has to report of its stages."""

from prometheus_client import CollectorRegistry, generate_latest

from sightline import __version__
from sightline.errors import Unavailable
from sightline.jobs.topology import Topology, topics_of
from sightline.ports import Outgoing
from sightline.runtime.meter import Meter
from sightline.serving.collectors import StageCollector
from sightline.serving.lags import Lags
from sightline.testing import MemoryStore

TOPICS = topics_of(["cars"], tracked=True)
TOPOLOGY = Topology.of(TOPICS, 8)


class Down(MemoryStore):
    """A store that does not answer."""

    def positions(self, topic):
        raise Unavailable("no broker answers", code="kafka_down")


def told(lags, *awaits, engine="openvino", meter=None, stages=()) -> str:
    registry = CollectorRegistry()
    registry.register(StageCollector(meter or Meter(), lags, engine, lambda: [*awaits], stages))
    return generate_latest(registry).decode()


def test_what_waits_for_each_stage_is_told_as_it_was_found_last():
    """Whoever asks for metrics asks no server."""
    store = MemoryStore()
    frames = TOPICS["frames:main"]
    store.claim("detect", frames, 0)
    store.append([Outgoing(frames, 0, "j", b"{}")] * 2)
    lags = Lags(store, TOPOLOGY, lambda: 100.0)

    assert "sightline_lag_records{" not in told(lags)
    lags.look()
    assert 'sightline_lag_records{stage="detect"} 2.0' in told(lags)


def test_while_a_service_is_away_all_else_is_told_and_which_one_it_is():
    """When somebody wants to know most."""
    text = told(Lags(Down(), TOPOLOGY, lambda: 100.0), "kafka_down")

    assert 'sightline_awaits{code="kafka_down"} 1.0' in text
    assert "sightline_build_info{" in text
    assert "sightline_lag_records{" not in text


def test_who_awaits_nobody_says_nothing_of_it():
    """There is no series, of which an alert could be made."""
    text = told(Lags(MemoryStore(), TOPOLOGY, lambda: 100.0))

    assert "# TYPE sightline_awaits gauge" in text
    assert "sightline_awaits{" not in text


def test_who_has_no_engine_tells_all_else():
    """A worker that only tracks and counts."""
    text = told(Lags(MemoryStore(), TOPOLOGY, lambda: 100.0), engine="")

    assert f'sightline_build_info{{engine="",version="{__version__}"}} 1.0' in text


def test_frames_that_have_not_failed_are_0():
    """A series that begins at 31 failed frames has not increased to Prometheus."""
    meter = Meter()
    meter.count("frames", ("detect", "ok"), 5)
    text = told(Lags(MemoryStore(), TOPOLOGY, lambda: 100.0), meter=meter, stages=["detect"])

    assert 'sightline_frames_total{outcome="failed",stage="detect"} 0.0' in text
    assert 'sightline_frames_total{outcome="ok",stage="detect"} 5.0' in text
