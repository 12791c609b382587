"""What a process of a service stands on, as its settings choose: the one place that opens stores of services."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sightline import pipeline
from sightline.adapters.files.objects import FolderObjects
from sightline.adapters.joined import ClosableLog, Documents
from sightline.adapters.sqlite.file import Synchronous
from sightline.adapters.sqlite.store import SqliteStore
from sightline.app.service_tools import PIPELINES, service_topology
from sightline.app.shared import addressed, consumer_groups, shared_topology
from sightline.errors import ServiceMisconfigured, setting
from sightline.events import Codecs, native
from sightline.jobs.topology import Topology
from sightline.pipeline import codecs_for
from sightline.ports import Limits, Members, Notes, ObjectStore, Outbox
from sightline.runtime.letters import SUFFIX
from sightline.serving.addresses import (
    check_database,
    kafka_connection,
    mongo_place,
    postgres_address,
    s3_settings,
)
from sightline.serving.config import ServeConfig, now_us
from sightline.serving.folder import DELETES, objects_folder
from sightline.serving.shown import Shown
from sightline.serving.watched import Watch, WatchedStore
from sightline.settings import ServeOptions

if TYPE_CHECKING:
    from sightline.adapters.s3.objects import S3Objects

__all__ = [
    "Opened",
    "codecs_of",
    "documents_of",
    "limits_of",
    "migrate",
    "notes_of",
    "objects_of",
    "open_store",
    "prepare",
    "require_topics",
    "shared_parts",
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
    codecs = codecs_of(options)
    log = KafkaLog(connection, settles=False, limits=limits_of(codecs))
    joined = WatchedStore(log, documents, watch, addressed(options.partitions, codecs))
    members = KafkaMembers(connection, consumer_groups(PIPELINES), log=log) if works else None
    shown = documents if isinstance(documents, Shown) else None
    return Opened(joined, documents.notes, topology_of(options), codecs, documents, members, shown)


def codecs_of(options: ServeOptions) -> Codecs:
    """Dialects by topic: where nobody else reads a topic it has our own."""
    shared = options.ledger != "sqlite"
    return codecs_for(pipeline.load(each) for each in PIPELINES) if shared else native


def limits_of(codecs: Codecs) -> Limits:
    """Bytes of a record by topic; a dead letter is as large as what it was."""
    return lambda topic: codecs(topic.removesuffix(SUFFIX)).max_bytes


def migrate(options: ServeOptions) -> tuple[int, int]:
    """Bring a shared ledger up to this release; its version before and after, 0 where there was none.

    Raises:
        Misconfigured: no database is chosen.
        ServiceMisconfigured: it refuses us, or holds what is another program's or a newer release's.
    """
    check_database(options)
    if options.ledger == "mongo":
        from sightline.adapters.mongo.versions import migrate as lead  # late: an extra

        return lead(**mongo_place(options))
    from sightline.adapters.postgres.versions import migrate as run  # late: an extra

    return run(postgres_address(options), options.postgres_schema)


@contextmanager
def shared_parts(options: ServeOptions, client: str) -> Iterator[tuple[ClosableLog, Documents]]:
    """Log and ledger that machines share, for an operator's command.

    Raises:
        Misconfigured: no database or no brokers are named.
        Unavailable: one does not answer.
    """
    from sightline.adapters.kafka.log import KafkaLog  # late: an extra

    connection = kafka_connection(options, client)
    limits = limits_of(codecs_of(options))
    with closing(documents_of(options)) as documents, closing(KafkaLog(connection, limits=limits)) as log:
        yield log, documents


def documents_of(options: ServeOptions) -> Documents:
    """Jobs, ledger and outbox that machines share.

    Raises:
        Misconfigured: none is chosen, or its address is missing.
        ServiceMisconfigured: see `PostgresStore`, `MongoStore`.
        Unavailable: the server does not answer.
    """
    check_database(options)
    if options.ledger == "mongo":
        from sightline.adapters.mongo.store import MongoStore  # late: an extra

        return MongoStore(**mongo_place(options), clock=now_us)
    from sightline.adapters.postgres.store import PostgresStore  # late: an extra

    return PostgresStore(postgres_address(options), options.postgres_schema, clock=now_us)


def objects_of(options: ServeOptions, data: Path, writer: str) -> FolderObjects | S3Objects:
    """The objects of a service.

    Args:
        options: of the service.
        data: folder in which they lie, or copies of those that lie elsewhere.
        writer: name of this process among those that write to one folder.

    Raises:
        ServiceMisconfigured: see `S3Settings`.
    """
    if options.objects == "folder":
        return FolderObjects(objects_folder(options, data), writer=writer, deletes=data / DELETES)
    from sightline.adapters.s3.cache import CachedFiles  # late: an extra
    from sightline.adapters.s3.objects import S3Objects

    cache = CachedFiles(data / "cache", options.s3_cache)
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
    objects = objects_of(config.serve, Path(config.data), "supervisor")
    if isinstance(objects, FolderObjects):
        objects.sweep()  # nobody is writing yet
    else:
        objects.check()
    with notes_of(config.serve, config.store) as notes:
        see(notes)
    if config.serve.ledger != "sqlite":
        require_topics(config.serve)


def require_topics(options: ServeOptions) -> None:
    """See that Kafka has every topic, with the partitions that are set.

    Raises:
        ServiceMisconfigured: it has not, or refuses to say.
        Unavailable: no broker answers.
    """
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
