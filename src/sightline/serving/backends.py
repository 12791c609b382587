"""What a process of a service stands on, as its settings choose: the one place that names stores of services."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from sightline import pipeline
from sightline.adapters.files.objects import FolderObjects
from sightline.adapters.joined import Documents
from sightline.adapters.sqlite.file import Synchronous
from sightline.adapters.sqlite.store import SqliteStore
from sightline.app.service_tools import PIPELINES, service_topology
from sightline.app.shared import addressed, consumer_groups, shared_topology
from sightline.errors import Misconfigured, ServiceMisconfigured, setting
from sightline.events import Codecs, native
from sightline.jobs.topology import Topology
from sightline.pipeline import codecs_for
from sightline.ports import Members, Notes, ObjectStore, Outbox
from sightline.serving.config import ServeConfig, now_us
from sightline.serving.shown import Shown
from sightline.serving.watched import Watch, WatchedStore
from sightline.settings import ServeOptions

if TYPE_CHECKING:
    from sightline.adapters.kafka.connection import Connection
    from sightline.adapters.s3.objects import S3Objects
    from sightline.adapters.s3.settings import S3Settings

__all__ = [
    "Opened",
    "check",
    "check_database",
    "documents_of",
    "kafka_connection",
    "notes_of",
    "objects_of",
    "open_store",
    "postgres_address",
    "prepare",
    "tidy_objects",
    "topology_of",
]


@dataclass(frozen=True)
class Opened:
    """A store, and what belongs to it.

    Attributes:
        store, notes: ports.
        topology: its topics.
        codecs: dialects by topic.
        outbox: what waits for relays; None where there are none.
        shown: a view of jobs for those who read the database; None where there is none.
        members: who owns which partition; None where this process owns all.
    """

    store: WatchedStore
    notes: Notes
    topology: Topology
    codecs: Codecs = native
    outbox: Outbox | None = None
    members: Members | None = None
    shown: Shown | None = None


def check(options: ServeOptions, env: Mapping[str, str] = os.environ) -> None:
    """See that what the chosen stores need is there, before anything is done.

    Raises:
        Misconfigured: a setting is missing, or is there for a store that was not chosen.
    """
    if options.ledger == "sqlite" and options.postgres is not None:
        raise Misconfigured(
            f"{setting('postgres')} names a database, and {setting('ledger', 'sqlite')} is chosen: "
            f"say {setting('ledger', 'postgres')}, or leave the address out",
            code="usage",
        )
    if options.ledger == "sqlite" and env.get("POSTGRES_PASSWORD") and env.get("MONGO_URI"):
        raise Misconfigured(
            f"POSTGRES_PASSWORD and MONGO_URI are both set, and neither is chosen: say {setting('ledger', 'postgres')} "
            f"or {setting('ledger', 'mongo')}, or leave them out",
            code="usage",
        )
    if options.ledger != "sqlite":
        kafka_connection(options, "check", env)
        check_database(options, env)
    if options.objects == "s3":
        s3_settings(options, env)


def topology_of(options: ServeOptions) -> Topology:
    """The topics of a service."""
    return (
        service_topology() if options.ledger == "sqlite" else shared_topology(PIPELINES, options.partitions)
    )


def open_store(
    config: ServeConfig,
    watch: Watch,
    name: str,
    *,
    synchronous: Synchronous = "FULL",
    works: bool = False,
) -> Opened:
    """The store of a service.

    Args:
        config: of the service.
        watch: hears what happens in it.
        name: of this process among all.
        synchronous: of a file.
        works: it takes part in the work, and is told what its part is.

    Raises:
        ServiceMisconfigured: an address, a login or a topic is wrong or missing.
        Unavailable: a service does not answer.
    """
    options = config.serve
    if options.ledger == "sqlite":
        file = SqliteStore(config.store, synchronous=synchronous, clock=now_us)
        return Opened(WatchedStore(file, file, watch), file.notes, service_topology())
    from sightline.adapters.kafka.log import KafkaLog  # late: extras
    from sightline.adapters.kafka.members import KafkaMembers

    connection = kafka_connection(options, name)
    documents = documents_of(options)
    log = KafkaLog(connection, settles=False)
    codecs = codecs_for(pipeline.load(each) for each in PIPELINES)
    joined = WatchedStore(log, documents, watch, addressed(options.partitions, codecs))
    members = KafkaMembers(connection, consumer_groups(PIPELINES), log=log) if works else None
    shown = documents if isinstance(documents, Shown) else None
    return Opened(joined, documents.notes, topology_of(options), codecs, documents, members, shown)


def documents_of(options: ServeOptions, env: Mapping[str, str] = os.environ) -> Documents:
    """Jobs, ledger and outbox that machines share.

    Raises:
        Misconfigured: none is chosen, or its address is missing.
        ServiceMisconfigured: see `PostgresStore`, `MongoStore`.
        Unavailable: the server does not answer.
    """
    check_database(options, env)
    if options.ledger == "mongo":
        from sightline.adapters.mongo.store import MongoStore  # late: an extra

        return MongoStore(
            env["MONGO_URI"],
            options.mongo_database,
            runner_uri=env.get("RUNNER_MONGO_URI") or None,
            runner_database=options.runner_database,
            clock=now_us,
        )
    from sightline.adapters.postgres.store import PostgresStore  # late: an extra

    return PostgresStore(postgres_address(options, env), options.postgres_schema, clock=now_us)


def postgres_address(options: ServeOptions, env: Mapping[str, str] = os.environ) -> str:
    """Address of the database; where no setting names it, as system A's variables do. Whoever gets it must not show it.

    Raises:
        Misconfigured: nothing names it.
    """
    from psycopg.conninfo import make_conninfo  # late: an extra

    password = env.get("PGPASSWORD") or env.get("POSTGRES_PASSWORD") or None
    if options.postgres is not None:
        return make_conninfo(options.postgres, password=password)
    if not env.get("POSTGRES_HOST"):
        raise _missing("postgres", "ledger", "postgres")
    names = {
        "host": "POSTGRES_HOST",
        "port": "POSTGRES_PORT",
        "dbname": "POSTGRES_DB",
        "user": "POSTGRES_USER",
    }
    return make_conninfo(
        **{key: env[name] for key, name in names.items() if env.get(name)}, password=password
    )


def check_database(options: ServeOptions, env: Mapping[str, str] = os.environ) -> None:
    """See that a database is chosen and has an address.

    Raises:
        Misconfigured: it has none.
    """
    if options.ledger == "sqlite":
        raise Misconfigured(
            f"no database is chosen: say {setting('ledger', 'postgres')} or {setting('ledger', 'mongo')}",
            code="usage",
        )
    if options.ledger == "postgres" and options.postgres is None and not env.get("POSTGRES_HOST"):
        raise _missing("postgres", "ledger", "postgres")
    if options.ledger == "mongo" and not env.get("MONGO_URI"):
        raise Misconfigured(
            f"{setting('ledger', 'mongo')} needs the address of the server in MONGO_URI", code="usage"
        )


def objects_of(config: ServeConfig, writer: str) -> FolderObjects | S3Objects:
    """The objects of a service.

    Args:
        config: of the service.
        writer: name of this process among those that write to one folder.

    Raises:
        ServiceMisconfigured: see `S3Settings`.
    """
    options = config.serve
    if options.objects == "folder":
        return FolderObjects(config.objects, writer=writer)
    from sightline.adapters.s3.cache import CachedFiles  # late: an extra
    from sightline.adapters.s3.objects import S3Objects

    cache = CachedFiles(Path(config.data) / "cache", options.s3_cache)
    return S3Objects(s3_settings(options), cache)


def prepare(config: ServeConfig, see: Callable[[Notes], None]) -> None:
    """Make the stores of this machine, or bring them up to this release, before anybody works; look at shared ones.

    Args:
        config: of the service.
        see: looks at the notes.

    Raises:
        ServiceMisconfigured: a shared store refuses us, or has not been prepared: `migrate`, `topics create`.
        Unavailable: a service does not answer.
    """
    objects = objects_of(config, "supervisor")
    if isinstance(objects, FolderObjects):
        objects.sweep()  # nobody is writing yet
    else:
        objects.check()
    with notes_of(config.serve, config.store) as notes:
        see(notes)
    if config.serve.ledger != "sqlite":
        _check_topics(config.serve)


def _check_topics(options: ServeOptions) -> None:
    from sightline.adapters.kafka.topics import check as differences  # late: an extra
    from sightline.adapters.kafka.topics import plan

    wanted = plan({topic: partitions for _, topic, partitions in topology_of(options).reads()})
    found = differences(kafka_connection(options, "sightline-check"), wanted)
    missing = [each.topic for each in found if each.what == "topic"]
    if missing:
        raise ServiceMisconfigured(
            f"Kafka has no topic {', '.join(missing)}: make them with `sightline topics create`",
            code="no_topic",
        )
    others = [f"{each.topic} ({each.found})" for each in found if each.what == "partitions"]
    if others:  # whoever counts otherwise would own partitions that it does not know
        raise ServiceMisconfigured(
            f"Kafka has other numbers of partitions than {setting('partitions', str(options.partitions))}: "
            f"{', '.join(others)}; all workers need the number of the topics",
            code="no_topic",
        )


@contextmanager
def notes_of(options: ServeOptions, file: Path = Path()) -> Iterator[Notes]:
    """The notes of a service, whether it runs or not.

    Args:
        options: of the service.
        file: of a ledger on this machine; nothing is made of it elsewhere.

    Raises:
        ServiceMisconfigured: see `PostgresStore`.
    """
    if options.ledger == "sqlite":
        with closing(SqliteStore(file)) as store:
            yield store.notes
        return
    with closing(documents_of(options)) as shared:
        yield shared.notes


def tidy_objects(objects: ObjectStore) -> None:
    """Remove what a killed writer of a folder has left, beside everything else: it goes over the whole folder."""
    if isinstance(objects, FolderObjects):
        threading.Thread(target=objects.sweep, name="sightline-sweep", daemon=True).start()


def kafka_connection(options: ServeOptions, client: str, env: Mapping[str, str] = os.environ) -> Connection:
    """How brokers are reached; the password comes from the environment alone.

    Raises:
        Misconfigured: none are named.
        ServiceMisconfigured: parts of the login are missing.
    """
    if options.kafka is None:
        raise _missing("kafka", "ledger", options.ledger)
    from sightline.adapters.kafka.connection import Connection  # late: an extra

    return Connection(
        options.kafka,
        security=options.kafka_security,
        mechanism=options.kafka_mechanism,
        username=options.kafka_user,
        password=env.get("KAFKA_PASSWORD", ""),
        ca_file="" if options.kafka_ca is None else str(options.kafka_ca),
        client=client,
    )


def s3_settings(options: ServeOptions, env: Mapping[str, str] = os.environ) -> S3Settings:
    """Which bucket; the keys come from the environment alone.

    Raises:
        Misconfigured: none is named.
        ServiceMisconfigured: see `S3Settings`.
    """
    if options.s3_bucket is None:
        raise _missing("s3_bucket", "objects", "s3")
    from sightline.adapters.s3.settings import S3Keys, S3Settings  # late: an extra

    minio = {
        own: env[old]
        for own, old in (
            ("AWS_ACCESS_KEY_ID", "MINIO_ACCESS_KEY"),
            ("AWS_SECRET_ACCESS_KEY", "MINIO_SECRET_KEY"),
        )
        if env.get(old)
    }
    scheme = "https" if env.get("MINIO_SECURE", "").lower() in ("1", "true", "yes") else "http"
    theirs = f"{scheme}://{env['MINIO_ENDPOINT']}" if env.get("MINIO_ENDPOINT") else None
    return S3Settings(
        options.s3_bucket,
        S3Keys.of({**minio, **env}),
        endpoint=options.s3_endpoint or theirs,
        region=options.s3_region,
        prefix=options.s3_prefix,
        allow_http=options.s3_http,
    )


def _missing(name: str, choice: Literal["ledger", "objects"], chosen: str) -> Misconfigured:
    return Misconfigured(f"{setting(choice, chosen)} needs {setting(name)}", code="usage")
