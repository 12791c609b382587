"""The list of jobs as a page: made here, without a script, every word of a client's escaped."""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from sightline.api.access import caller_of
from sightline.api.backend import Backend
from sightline.api.pool import Pool
from sightline.ports import Job, Page, Which

__all__ = ["JobsPage"]

PAGE = 50
FRAME = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Sightline</title>
<meta name="viewport" content="width=device-width"></head><body>
<h1>Jobs</h1>
<p>%s</p>
<table><thead><tr><th>Name</th><th>State</th><th>Created</th><th>Result</th></tr></thead><tbody>
%s
</tbody></table>
<p>%s</p>
</body></html>
"""


class JobsPage:
    """See the module."""

    def __init__(self, backend: Backend, pool: Pool) -> None:
        self._backend, self._pool = backend, pool

    async def show(self, request: Request) -> Response:
        """`GET /`."""
        after = request.query_params.get("cursor", "")
        owner = caller_of(request).owner
        which = Which(owner=owner)
        page = await self._pool.call(lambda: self._backend.store.list(which, limit=PAGE, after=after))
        counts = await self._pool.call(self._backend.store.counts, owner)
        return HTMLResponse(page_of(page, sum(counts.by_state.values())))


def page_of(page: Page, total: int) -> str:
    """The page of some jobs out of all."""
    rows = "\n".join(_row(job) for job in page.jobs)
    older = f'<a href="/?cursor={quote(page.cursor, safe="")}">Older jobs</a>' if page.cursor else ""
    return FRAME % (f"{total} in all", rows or "<tr><td>No jobs yet.</td></tr>", older)


def _row(job: Job) -> str:
    created = datetime.fromtimestamp(job.created_at_us / 1e6, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    state = f"{job.state} ({job.code})" if job.code else job.state
    links = f'<a href="/api/result_video/{quote(job.job_id)}">answer</a>'
    if job.state == "ready":
        links += f' <a href="/jobs/{quote(job.job_id)}/result.json">download</a>'
    return (
        f"<tr><td>{escape(job.video_id)}</td><td>{escape(state)}</td><td>{created}</td><td>{links}</td></tr>"
    )
