"""Spans of requests and jobs; nothing where nobody asked for them."""

import subprocess
import sys

import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from sightline.errors import Misconfigured
from sightline.ports import Job
from sightline.runtime.dead_letters import _trace
from sightline.serving import tracing
from sightline.serving.tracing import Spans, check_installed, spans_of
from sightline.settings import ServeOptions

JOB = "00000000-0000-4000-8000-000000000001"
FACTS = {"method": "GET", "route": "/api/result_video/{event_id:path}", "status": 200, "port": "api"}
OTLP = ServeOptions(otlp="http://localhost:4318")


@pytest.fixture
def ended():
    """Makes spans, and says which have ended."""
    exporter = InMemorySpanExporter()
    spans = Spans(SimpleSpanProcessor(exporter), "api")
    spans.ended = exporter.get_finished_spans
    yield spans
    spans.close()


def test_a_request_is_a_span_named_by_its_route(ended):
    """Never by an address."""
    ended.request(FACTS, "", 5, 9)

    [span] = ended.ended()
    assert span.name == "GET /api/result_video/{event_id:path}"
    assert (span.start_time, span.end_time, span.status.is_ok) == (5, 9, True)
    assert span.attributes["http.response.status_code"] == 200
    assert span.parent is None


def test_a_request_goes_on_with_the_trace_of_who_asks(ended):
    """What is no `traceparent` is none."""
    ended.request(FACTS, f"00-{'ab' * 16}-{'cd' * 8}-01", 5, 9)
    ended.request(FACTS | {"status": 503}, "garbage", 5, 9)

    mine, other = ended.ended()
    assert f"{mine.context.trace_id:032x}" == "ab" * 16
    assert other.context.trace_id != mine.context.trace_id
    assert not other.status.is_ok


@pytest.mark.parametrize(
    ("times", "parts"),
    [
        (
            {"new": 1, "sent": 1, "processing": 3, "predictable": 7, "ready": 8},
            [("wait", 1, 3), ("process", 3, 7), ("publish", 7, 8)],
        ),
        ({"new": 1, "sent": 1, "processing": 3, "failed": 4}, [("wait", 1, 3), ("process", 3, 4)]),
        ({"new": 1, "sent": 1, "cancelled": 2}, [("wait", 1, 2)]),
        ({"sent": 1, "processing": 3, "failed": 4}, [("wait", 1, 3), ("process", 3, 4)]),
    ],
)
def test_a_job_is_a_span_with_its_parts(ended, times, parts):
    """Without a gap, in the trace that its dead letters name."""
    state = list(times)[-1]
    ended.job(
        Job(JOB, "street.mp4", 1, state=state, code="no_video" if state == "failed" else "", times=times)
    )

    *found, whole = ended.ended()

    assert [(span.name, span.start_time // 1000, span.end_time // 1000) for span in found] == parts
    assert (whole.name, whole.start_time // 1000, whole.end_time // 1000) == ("job", 1, times[state])
    assert {span.parent.span_id for span in found} == {whole.context.span_id}
    assert {f"{span.context.trace_id:032x}" for span in ended.ended()} == {_trace(JOB, "")[1].split("-")[1]}
    assert whole.status.is_ok == (state != "failed")


def test_nothing_is_made_where_nobody_asked():
    """And OpenTelemetry is not even loaded."""
    assert spans_of(ServeOptions(), "api") is None
    code = "import sightline.serving.worker, sightline.serving.api, sys; print('opentelemetry.sdk' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_an_extra_that_is_missing_is_said_before_anything_starts(monkeypatch):
    """With the command that installs it."""
    monkeypatch.setattr(tracing, "NEEDED", ("no_such_package.at_all",))

    check_installed(ServeOptions())
    with pytest.raises(Misconfigured, match=r'pip install "sightline\[otel\]"'):
        check_installed(OTLP)
