"""A request is counted however it ends."""

import asyncio

import pytest
from prometheus_client import CollectorRegistry

from sightline.api.observed import HttpMetrics, Observed
from sightline.api.settings import ApiSettings

SCOPE = {
    "type": "http",
    "method": "GET",
    "path": "/x",
    "headers": [(b"traceparent", b"00-1")],
    "server": ("h", 8080),
}


async def leaves(scope, receive, send):
    raise asyncio.CancelledError


async def fails(scope, receive, send):
    await send({"type": "http.response.start", "status": 500, "headers": []})
    raise ValueError


async def nothing(*_):
    pass


@pytest.mark.parametrize(
    ("app", "error", "status"), [(leaves, asyncio.CancelledError, "499"), (fails, ValueError, "500")]
)
def test_what_does_not_end_well_is_counted(app, error, status):
    """And the error goes on."""
    registry, spans = CollectorRegistry(), []
    observed = Observed(app, ApiSettings(), HttpMetrics(registry), lambda *span: spans.append(span))

    with pytest.raises(error):
        asyncio.run(observed(dict(SCOPE), nothing, nothing))

    labels = {"port": "api", "method": "GET", "route": "unknown", "status": status}
    assert registry.get_sample_value("sightline_http_requests_total", labels) == 1
    [(facts, parent, began, ended)] = spans
    assert (facts["status"], parent) == (int(status), "00-1")
    assert began <= ended
