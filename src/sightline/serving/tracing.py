"""Spans for OpenTelemetry, where an address to send them to is set: one of each request, one of each job with its parts.

A job's trace is named by its id, as the trace of its dead letters is (`runtime/dead_letters.py`), so that both are found together.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from sightline import __version__
from sightline.errors import Misconfigured, setting
from sightline.ports import Job, JobState
from sightline.settings import ServeOptions

__all__ = ["Spans", "check_installed", "spans_of"]

NEEDED = ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http")
# What a job does from when it has reached a state.
PARTS: Mapping[JobState, str] = {"processing": "process", "predictable": "publish"}


def check_installed(options: ServeOptions) -> None:
    """See that spans can be sent where they are asked for.

    Raises:
        Misconfigured: the extra is not installed.
    """
    if options.otlp and not all(_is_there(name) for name in NEEDED):
        raise Misconfigured(
            f'{setting("otlp", options.otlp)} needs OpenTelemetry: pip install "sightline[otel]"',
            code="missing_extra",
        )


def spans_of(options: ServeOptions, process: str) -> Spans | None:
    """Who makes the spans of this process; None where nobody is to."""
    if not options.otlp:
        return None
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    exporter = OTLPSpanExporter(endpoint=f"{options.otlp.rstrip('/')}/v1/traces")
    return Spans(BatchSpanProcessor(exporter), process)


class Spans:
    """See the module; called by any thread.

    Args:
        processor: of OpenTelemetry; takes spans that have ended.
        process: `api` or `worker`.
    """

    def __init__(self, processor: Any, process: str) -> None:
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider

        named = {"service.name": "sightline", "service.version": __version__, "sightline.process": process}
        self._provider = TracerProvider(resource=Resource(named))
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("sightline", __version__)

    def request(self, facts: Mapping[str, Any], parent: str, began_ns: int, ended_ns: int) -> None:
        """A request has been answered.

        Args:
            facts: as the log has them.
            parent: its header `traceparent`; empty where there is none.
            began_ns, ended_ns: nanoseconds since 1970.
        """
        from opentelemetry.trace import SpanKind, Status, StatusCode
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        span = self._tracer.start_span(
            f"{facts['method']} {facts['route']}",
            TraceContextTextMapPropagator().extract({"traceparent": parent} if parent else {}),
            SpanKind.SERVER,
            {
                "http.request.method": facts["method"],
                "http.route": facts["route"],
                "http.response.status_code": facts["status"],
                "sightline.port": facts["port"],
            },
            start_time=began_ns,
        )
        if facts["status"] >= 500:
            span.set_status(Status(StatusCode.ERROR))
        span.end(ended_ns)

    def job(self, job: Job) -> None:
        """A job has ended: when it reached each state is in its row."""
        from opentelemetry.trace import NonRecordingSpan, SpanContext, Status, StatusCode, TraceFlags
        from opentelemetry.trace import set_span_in_context as within

        names = hashlib.sha256(job.job_id.encode()).hexdigest()
        at = SpanContext(int(names[:32], 16), int(names[32:48], 16), True, TraceFlags(TraceFlags.SAMPLED))
        times = sorted((us, state) for state, us in job.times.items() if us)
        if not times:
            return
        whole = self._tracer.start_span(
            "job",
            within(NonRecordingSpan(at)),
            attributes={
                "sightline.job_id": job.job_id,
                "sightline.state": job.state,
                "sightline.code": job.code,
            },
            start_time=times[0][0] * 1000,
        )
        waits = (
            [(times[0][0], "wait")] if times[0][1] in ("new", "sent") else []
        )  # which of them is the store's business
        parts = waits + [(us, PARTS[state]) for us, state in times if state in PARTS]
        ends = [us for us, _ in parts[1:]] + [times[-1][0]]
        for (us, name), end in zip(parts, ends, strict=True):
            self._tracer.start_span(name, within(whole), start_time=us * 1000).end(end * 1000)
        if job.state == "failed":
            whole.set_status(Status(StatusCode.ERROR, job.code))
        whole.end(times[-1][0] * 1000)

    def close(self) -> None:
        """Send what waits."""
        self._provider.shutdown()


def _is_there(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:  # a package above it
        return False
