"""The API process: HTTP over the data folder; it decodes nothing and loads no engine; `python -m sightline.serving.api FILE`."""

from __future__ import annotations

import os
import socket
import sys
import uuid
from pathlib import Path
from typing import Any

import msgspec

from sightline.adapters.confined.kernel import die_with_parent
from sightline.api.app import build
from sightline.api.backend import Backend, Probed
from sightline.api.claims import reap
from sightline.api.partial import sweep
from sightline.api.reports import Report, report_of
from sightline.api.server import serve
from sightline.api.settings import ApiSettings
from sightline.errors import SightlineError
from sightline.jobs.purge import Purged, purge
from sightline.jobs.requests import SourceRef
from sightline.serving.backends import objects_of, open_store, tidy_objects
from sightline.serving.config import ServeConfig, now_us
from sightline.serving.rpc import Client
from sightline.serving.seen import Seen
from sightline.serving.telling import Telling, log_of, process_id
from sightline.serving.tracing import spans_of
from sightline.sources.roots import Roots

__all__ = ["main", "settings_of"]

PATIENCE_S = 2.0  # a worker that is well says how it is within
MAKING_S = 600.0  # a result that is made before its first byte is sent


def main() -> None:
    """Answer for the service whose settings are in the file that was named."""
    config = ServeConfig.read(Path(sys.argv[1]))
    die_with_parent(config.supervisor)
    log = log_of(config, "api")
    try:
        _answer(config, log)
    except SightlineError as error:
        log.error("ended", code=error.code, detail=error.message)
        sys.exit(1)


def _answer(config: ServeConfig, log: Any) -> None:
    spans = spans_of(config.serve, "api")
    telling = Telling(log, spans)
    opened = open_store(config, telling, f"api-{process_id()}")
    store, notes = opened.store, opened.notes
    objects = objects_of(config.serve, Path(config.data), "api")
    worker, asked = Client(config.worker_socket), Client(config.worker_socket, PATIENCE_S)
    seen = Seen(asked)
    process = process_id()

    def probe(source: SourceRef) -> Probed:
        return msgspec.convert(worker.ask("probe", source=msgspec.to_builtins(source)), Probed)

    def check(pipeline: str) -> None:
        worker.ask("check", pipeline=pipeline)

    def cancel_and_purge(job_id: str) -> Purged:
        return purge(job_id, store, objects, notes, now_us())

    def reports() -> dict[str, Report]:
        return {"api": report_of(process, telling.registry), **seen.reports()}

    backend = Backend(
        store=store,
        objects=objects,
        notes=notes,
        probe=probe,
        now_us=now_us,
        new_id=lambda: str(uuid.uuid4()),
        cancel_and_purge=cancel_and_purge,
        moving=lambda: seen.vitals().moving,
        vitals=seen.vitals,
        reports=reports,
        roots=Roots(config.roots),
        stream=Client(config.worker_socket, MAKING_S).stream,
        spanned=None if spans is None else spans.request,
        check=check,
    )
    tidy_objects(objects)
    reap(notes, store, objects)
    sweep(notes, objects, now_us())
    settings = settings_of(config)
    sockets = [socket.socket(fileno=number) for number in config.sockets.values()]
    serve(build(backend, settings), sockets, settings)
    store.close()
    if spans is not None:
        spans.close()


def settings_of(config: ServeConfig) -> ApiSettings:
    """Limits of the HTTP edge, as the service was told."""
    serve = config.serve
    own = () if serve.host in ("0.0.0.0", "::") else (f"[{serve.host}]" if ":" in serve.host else serve.host,)
    return ApiSettings(
        roles={number: name for name, number in config.ports.items()},
        loopback=config.loopback,
        no_auth=serve.no_auth,
        open_metrics=serve.open_metrics,
        hosts=(*own, *serve.hosts),
        origins=serve.origins,
        max_bytes=serve.max_upload,
        uploads=serve.max_uploads,
        uploads_per_token=serve.uploads_per_token,
        quota=serve.quota,
        rate=serve.rate,
        service_name=serve.service_name,
        kafka_broker=os.environ.get(
            "KAFKA_BROKER"
        ),  # system A's status repeats the variable; nothing is sent there
    )


if __name__ == "__main__":
    main()
