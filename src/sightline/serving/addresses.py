"""Where the stores of a service are, as its settings and the environment say: secrets come from the environment alone."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, TypedDict

from sightline.errors import Misconfigured, setting
from sightline.settings import ServeOptions

if TYPE_CHECKING:
    from sightline.adapters.kafka.connection import Connection
    from sightline.adapters.s3.settings import S3Settings

__all__ = ["check", "check_database", "kafka_connection", "mongo_place", "postgres_address", "s3_settings"]


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
    if options.ledger == "sqlite" and options.inline_frames:
        raise Misconfigured(
            f"{setting('inline_frames', 'true')} sends pictures through Kafka, and {setting('ledger', 'sqlite')} is chosen: "
            f"say {setting('ledger', 'postgres')} or {setting('ledger', 'mongo')}, or leave it out",
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


class MongoPlace(TypedDict):
    """Servers and databases of a ledger on MongoDB; see `MongoStore`."""

    uri: str
    database: str
    runner_uri: str | None
    runner_database: str


def mongo_place(options: ServeOptions, env: Mapping[str, str] = os.environ) -> MongoPlace:
    """Servers and databases of a ledger on MongoDB, as its store and its migration take them. Whoever gets it must not show it."""
    return {
        "uri": env["MONGO_URI"],
        "database": options.mongo_database,
        "runner_uri": env.get("RUNNER_MONGO_URI") or None,
        "runner_database": options.runner_database,
    }


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
