"""Write deploy/init.sql: the tables as `sightline migrate` makes them, for a server that makes them when it starts first.

Run `python tools/deploy/init_sql.py` after a new migration; a test compares.
"""

from pathlib import Path

from sightline.adapters.postgres.address import PUBLIC
from sightline.adapters.postgres.versions import script

TARGET = Path(__file__).resolve().parents[2] / "deploy" / "init.sql"
HEAD = """\
-- The tables of a service on PostgreSQL, as `sightline migrate` makes them: run it here, or let the server run it when it first
-- starts (mount it at /docker-entrypoint-initdb.d/). Written by tools/deploy/init_sql.py of the migrations.
"""


def text() -> str:
    """What the file holds."""
    return f"{HEAD}\nBEGIN;\nSET LOCAL search_path = {PUBLIC}, pg_temp;\n{script()}\nCOMMIT;\n"


if __name__ == "__main__":
    TARGET.write_text(text(), "utf-8")
