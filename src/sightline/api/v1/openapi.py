"""The OpenAPI document, and a page of it: made here, without a script, so that it is there offline."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from html import escape
from importlib.metadata import version
from typing import Any

import msgspec
from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from sightline.api.access import SESSION
from sightline.api.documented import get, problems
from sightline.api.pool import Pool
from sightline.api.v1.edge import Edge
from sightline.api.v1.models import JobRequest

__all__ = ["Docs", "document", "page_of", "router"]

BODIES = (JobRequest,)  # of routes that read their bodies themselves
OURS = [{"$ref": f"#/components/schemas/{name}"} for name in ("ProblemBody", "HTTPValidationError")]
PROBLEM = "application/problem+json"
ABOUT = (
    "Videos in; detections, tracks and counts out. Every GET answers HEAD as well. Errors are `application/problem+json` "
    "(RFC 9457) with a `code` that never changes."
)
WHO: dict[str, Any] = {
    "token": {"type": "http", "scheme": "bearer", "description": "A token of the service, where it has any."},
    "session": {"type": "apiKey", "in": "cookie", "name": SESSION, "description": "The same, of a browser."},
}
FRAME = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Sightline: HTTP API</title>
<meta name="viewport" content="width=device-width"></head><body>
<h1>HTTP API</h1>
<p>%s</p>
<p><a href="/api/v1/openapi.json">OpenAPI document</a></p>
%s
</body></html>
"""


class Docs:
    """The document and its page.

    Args:
        pool: in whose threads the document is made: that takes a while.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def openapi(self, request: Request) -> Response:
        """This document."""
        made = await self._pool.call(lambda: msgspec.json.encode(request.app.openapi()))
        return Response(made, media_type="application/json")

    async def show(self, request: Request) -> Response:
        """`GET /docs`: the document as a page."""
        return HTMLResponse(await self._pool.call(lambda: page_of(request.app.openapi())))


def router(edge: Edge) -> APIRouter:
    """`/openapi.json`."""
    made = edge.router("about")
    get(
        made,
        "/openapi.json",
        Docs(edge.pool).openapi,
        operation_id="get_openapi",
        summary="The OpenAPI document",
        responses={200: {"description": "OpenAPI 3.1.", "content": {"application/json": {}}}} | problems(),
        response_class=Response,
    )
    return made


def document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document of an application, with errors as what they are sent."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # two operations of one name
        made: dict[str, Any] = get_openapi(
            title="Sightline",
            version=version("sightline"),
            openapi_version="3.1.0",
            description=ABOUT,
            routes=app.routes,
        )
    _, bodies = models_json_schema(
        [(model, "validation") for model in BODIES], ref_template="#/components/schemas/{model}"
    )
    made["components"]["schemas"] |= bodies["$defs"]
    for _, _, operation in operations(made):
        for answer in operation.get("responses", {}).values():
            said = answer.get("content", {}).get("application/json", {})
            if said.get("schema") in OURS:
                answer["content"] = {PROBLEM: {"schema": OURS[0]}}
    made["components"]["securitySchemes"] = WHO
    made["security"] = [{}, *({name: []} for name in WHO)]
    for name in ("HTTPValidationError", "ValidationError"):  # FastAPI's, which nobody is sent
        made["components"]["schemas"].pop(name, None)
    return made


def operations(made: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Path, method and operation of all that a document has."""
    for path, item in made["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def page_of(made: Mapping[str, Any]) -> str:
    """A document as a page."""
    parts = [_section(path, method, operation) for path, method, operation in operations(made)]
    return FRAME % (escape(made["info"]["description"]), "\n".join(parts))


def _section(path: str, method: str, operation: Mapping[str, Any]) -> str:
    given = "".join(
        f"<dt><code>{escape(each['name'])}</code> ({escape(each['in'])})</dt>"
        f"<dd>{escape(each.get('description', ''))}</dd>"
        for each in operation.get("parameters", ())
    )
    answers = "".join(
        f"<dt>{escape(status)}</dt><dd>{escape(answer['description'])}</dd>"
        for status, answer in operation.get("responses", {}).items()
    )
    return (
        f"<h2><code>{escape(method.upper())} {escape(path)}</code></h2><p>{escape(operation.get('summary', ''))}</p>"
        f"<p>{escape(operation.get('description', ''))}</p>"
        f"<dl>{given}</dl><h3>Answers</h3><dl>{answers}</dl>"
    )
