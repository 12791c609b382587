"""Health and metrics of a worker that answers nobody else."""

import socket
import urllib.error
import urllib.request

import pytest
from prometheus_client import CollectorRegistry, Counter

from sightline.serving.health import STILL_S, Health, moves, still
from sightline.serving.lags import Lag


@pytest.fixture
def asked():
    """Asks a worker whose work goes on as long as `well` holds something."""
    registry, well, awaits = CollectorRegistry(), [True], []
    Counter("frames", "Frames.", registry=registry).inc(3)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        health = Health(listener.detach(), "car_tracker", lambda: bool(well), lambda: awaits, registry)

    def ask(path):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    ask.well, ask.awaits = well, awaits
    yield ask
    health.close()


def test_a_worker_that_goes_on_says_so(asked):
    """To people, to probes and to Prometheus."""
    assert asked("/") == (200, "car_tracker is running!")
    assert asked("/health") == (200, '{"status":"ok"}')
    status, text = asked("/metrics")
    assert (status, "frames_total 3.0" in text) == (200, True)


def test_a_worker_that_waits_for_a_service_says_which(asked):
    """It is well: whoever starts it anew mends nothing."""
    asked.awaits.append("kafka_down")

    assert asked("/health") == (200, '{"status":"ok","awaits":["kafka_down"]}')


def test_a_worker_that_stands_still_is_unwell(asked):
    """503 to whoever may start it anew; what it has counted is told all the same."""
    asked.well.clear()

    assert asked("/")[0] == 503
    assert asked("/health") == (503, '{"status":"no progress"}')
    assert asked("/metrics")[0] == 200


@pytest.mark.parametrize(
    ("round_s", "detect", "awaits", "well"),
    [
        (0.1, None, [], True),
        (STILL_S, None, [], True),
        (STILL_S + 1, None, [], False),  # it hangs
        (STILL_S + 1, None, ["objects_down"], False),
        (0.1, Lag(0, 0.0), [], True),
        (0.1, Lag(500, STILL_S), [], True),
        (0.1, Lag(500, STILL_S + 1), [], False),  # frames wait for it
        (0.1, Lag(500, STILL_S + 1), ["objects_down"], True),  # and it for their pixels
        (0.1, Lag(0, 3600.0), [], True),
    ],
)
def test_who_waits_for_others_is_well(round_s, detect, awaits, well):
    """A feed whose window is full for an hour, a track that waits for a frame, a detector whose bucket is away: to start
    them anew would mend nothing.
    """
    assert moves(round_s, detect, awaits) is well


def test_there_is_nothing_else(asked):
    """And it is said what there is."""
    status, text = asked("/etc/passwd?x")
    assert status == 404
    assert "/metrics" in text


@pytest.mark.parametrize(
    ("shared", "seconds"),
    [
        (None, 90.0),  # nobody else works
        ({"detect": Lag(5, 2.0), "track": Lag(1, 80.0)}, 2.0),  # somebody detects
        ({"detect": Lag(5, 70.0), "track": Lag(1, 80.0)}, 70.0),  # nobody does anything
        (
            {"detect": Lag(0, 0.0)},
            0.0,
        ),  # nothing waits that anybody could count: such as a long film that is drawn
    ],
)
def test_what_others_do_counts_as_well(shared, seconds):
    """An API that works on nothing itself is well as long as the work goes on, whoever does it."""
    assert still(90.0, shared) == seconds
