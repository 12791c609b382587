"""The version of the documents, and the indexes: `migrate` makes them, and leads them forward."""

from __future__ import annotations

from collections.abc import Callable

from pymongo.errors import DuplicateKeyError

from sightline.adapters.mongo.address import MAIN, RUNNER
from sightline.adapters.mongo.errors import translated
from sightline.adapters.mongo.server import ANSWER_S, Documents, Server
from sightline.errors import ServiceMisconfigured

__all__ = ["MIGRATIONS", "check_version", "migrate"]

COUNTERS = ("order", "revision", "news", "notes")
_KEY = {"_id": "version"}


def _first(server: Server) -> None:
    """Indexes and counters. Documents of the system before ours in `outbox` lack our fields: `sparse` passes them over."""
    server.jobs.create_index([("number", 1)], name="number", unique=True, sparse=True)
    for name in ("state", "owner", "video_id", "parent_id"):
        keys = [(name, 1), *([] if name == "state" else [("state", 1)]), ("number", 1)]
        server.jobs.create_index(keys, name=f"by_{name}", sparse=True)
    _queue(server.jobs)
    server.jobs.create_index([("untold", 1)], name="untold", sparse=True)
    _queue(server.commits)
    server.commits.create_index([("open", 1)], name="open", sparse=True)
    server.commits.create_index([("place", 1), ("n", 1)], name="by_place")
    server.commits.create_index([("job", 1), ("stage", 1), ("stream", 1), ("order", 1)], name="by_fold")
    server.folds.create_index([("job", 1)], name="by_job")
    server.parts.create_index([("of", 1), ("part", 1)], name="by_whole")
    server.parts.create_index([("job", 1)], name="by_job")
    server.positions.create_index([("topic", 1), ("stage", 1), ("part", 1)], name="by_topic")
    server.gone.create_index([("number", 1)], name="by_number")
    server.gone.create_index([("unfinished", 1)], name="unfinished", sparse=True)
    server.holds.create_index([("owner", 1)], name="by_owner")
    server.notes.create_index([("kind", 1), ("name", 1)], name="by_kind")
    for counter in COUNTERS:
        _insert_once(server.counters, counter)


def _queue(documents: Documents) -> None:
    documents.create_index([("queued", 1), ("order", 1)], name="queued", sparse=True)


def _insert_once(documents: Documents, name: str) -> None:
    try:
        documents.insert_one({"_id": name, "n": 0})
    except DuplicateKeyError:  # of a migration that was cut off, or another one beside it
        return


MIGRATIONS: tuple[Callable[[Server], None], ...] = (_first,)


def migrate(
    uri: str,
    database: str = MAIN,
    *,
    runner_uri: str | None = None,
    runner_database: str = RUNNER,
    answer_s: float = ANSWER_S,
) -> tuple[int, int]:
    """Lead the collections to the newest version; the versions before and after. Repeating is harmless, also after a cut.

    Args:
        uri: of the server; its user must be allowed to make indexes.
        database, runner_uri, runner_database, answer_s: see `Server.at`.

    Raises:
        ServiceMisconfigured: the database is of a newer version, or cannot be used. Nothing was changed.
        Unavailable: repeat.
    """
    server = Server.at(
        uri, database, runner_uri=runner_uri, runner_database=runner_database, answer_s=answer_s
    )
    try:
        with translated(server.name):
            before = _version(server)
            for number, step in enumerate(MIGRATIONS[before:], start=before + 1):
                step(server)
                if not _moved(server, number):
                    return number, len(MIGRATIONS)  # somebody beside us was faster, with the same steps
            return before, len(MIGRATIONS)
    finally:
        server.close()


def check_version(server: Server) -> None:
    """Look whether the collections are of the newest version.

    Raises:
        ServiceMisconfigured: there are none, or of another version (code `database_version`).
    """
    with translated(server.name):
        version = _version(server)
    newest = len(MIGRATIONS)
    if version < newest:
        has = f"collections of version {version}" if version else "no collections of Sightline"
        raise ServiceMisconfigured(
            f"{server.name} has {has}, this Sightline needs version {newest}; migrate the database",
            code="database_version",
        )


def _version(server: Server) -> int:
    """Version of the collections, 0 where there are none.

    Raises:
        ServiceMisconfigured: a newer Sightline made them.
    """
    found = server.about.find_one(_KEY)
    version = int(found["version"]) if found else 0
    if version > len(MIGRATIONS):
        raise ServiceMisconfigured(
            f"{server.name} has collections of version {version}, this Sightline knows {len(MIGRATIONS)}; use the newer "
            "Sightline",
            code="database_version",
        )
    return version


def _moved(server: Server, to: int) -> bool:
    """Whether this migration was the one that led to version `to`."""
    if to > 1:
        step = {"$set": {"version": to}}
        return server.about.update_one({**_KEY, "version": to - 1}, step).modified_count == 1
    try:
        server.about.insert_one({**_KEY, "version": to})
    except DuplicateKeyError:
        return False
    return True
