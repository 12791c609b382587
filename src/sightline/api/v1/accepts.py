"""Which kind of answer a request wants, by its `Accept`."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request

__all__ = ["preferred"]

JSON = "application/json"


def preferred(request: Request, kinds: Sequence[str]) -> str:
    """The kind that is asked for more than JSON and any other, else JSON; the first one of those that weigh the same."""
    weights = {JSON: 0.0, **dict.fromkeys(kinds, 0.0)}
    for item in request.headers.get("accept", "").split(",")[:20]:
        kind, *parameters = (part.strip().lower() for part in item.split(";"))
        weight = next((part.removeprefix("q=") for part in parameters if part.startswith("q=")), "1")
        if kind in weights:
            weights[kind] = float(weight) if weight.replace(".", "", 1).isdecimal() else 0.0
    return max(weights, key=lambda kind: weights[kind])
