"""Jobs, ledger, outbox and notes in a PostgreSQL database.

Raises:
    Misconfigured: on import, where psycopg is missing (code `missing_extra`).
"""

from sightline.errors import Misconfigured

try:
    import psycopg as psycopg
except ImportError as error:
    raise Misconfigured(
        f'a PostgreSQL database needs psycopg: pip install "sightline[postgres]" ({error})',
        code="missing_extra",
    ) from error
