"""Jobs, ledger, outbox and notes in a PostgreSQL database.

Raises:
    ServiceMisconfigured: on import, where psycopg is missing (code `missing_extra`).
"""

from sightline.errors import ServiceMisconfigured

try:
    import psycopg as psycopg
except ImportError as error:
    raise ServiceMisconfigured(
        f'a PostgreSQL database needs psycopg: pip install "sightline[postgres]" ({error})',
        code="missing_extra",
    ) from error
