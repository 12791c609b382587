"""Commands that ask a service over HTTP, or work on its stores where one names these."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sightline.cli import flags
from sightline.errors import Misconfigured, setting
from sightline.settings import ServeOptions

__all__ = ["STORES", "stores_in"]

STORES = [
    each
    for each in flags.parameters(
        ServeOptions,
        "serve.",
        of=("data", "ledger", "kafka", "partitions", "postgres", "mongo", "runner_database", "objects", "s3"),
    )
    if each.name not in ("serve__dataset", "serve__s3_cache")
]


def stores_in(given: Mapping[str, Any], server: str | None) -> ServeOptions | None:
    """Settings of the service on whose stores a command works; None where it asks over HTTP: no flag names a store.

    Raises:
        Misconfigured: both are named, or a setting is wrong.
    """
    if all(value is None for value in given.values()):
        return None
    if server is not None:
        raise Misconfigured(
            f"{setting('server')} asks a service over HTTP, the other flags name its stores: leave one out",
            code="usage",
        )
    return flags.read_serve(given).options
