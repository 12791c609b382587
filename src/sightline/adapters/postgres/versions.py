"""Versions of the tables: what leads from each to the next. A version that was released never changes.

What has to be written together is a function of the database, so that it is one statement: no lock waits for a client.
Locks are taken in one order, which no two transactions can meet crosswise: position, job, `job_revision`, keys of the
outbox in the order of their hashes. Whoever changes `outbox_keys` otherwise than by a new row is alone (`relays_alone`)
before it asks for keys.
"""

from __future__ import annotations

from typing import Any

from sightline.adapters.postgres.address import PUBLIC, Address
from sightline.adapters.postgres.errors import translated
from sightline.adapters.postgres.server import Connected, connect
from sightline.errors import ServiceMisconfigured

__all__ = ["MIGRATIONS", "check_version", "migrate", "script"]

_TABLES = """
CREATE TABLE jobs (
  job_id TEXT COLLATE "C" PRIMARY KEY, number BIGINT NOT NULL, made TEXT NOT NULL,
  state TEXT COLLATE "C" NOT NULL, code TEXT NOT NULL, reason TEXT NOT NULL, result TEXT NOT NULL, facts TEXT NOT NULL,
  streams TEXT[] NOT NULL, times JSONB NOT NULL,
  owner TEXT COLLATE "C" NOT NULL, video_id TEXT COLLATE "C" NOT NULL, parent_id TEXT COLLATE "C"
);
CREATE INDEX jobs_by_state ON jobs (state, number);
CREATE INDEX jobs_by_owner ON jobs (owner, state, number);
CREATE INDEX jobs_by_video ON jobs (video_id, state, number);
CREATE INDEX jobs_by_parent ON jobs (parent_id, state, number);
CREATE TABLE gone (job_id TEXT COLLATE "C" PRIMARY KEY);
CREATE TABLE job_counts (
  scope TEXT COLLATE "C" NOT NULL, state TEXT COLLATE "C" NOT NULL, n BIGINT NOT NULL,
  PRIMARY KEY (scope, state)
) WITH (fillfactor = 50);
CREATE TABLE job_revision (revision BIGINT NOT NULL) WITH (fillfactor = 50);
INSERT INTO job_revision VALUES (0);
CREATE TABLE positions (
  topic TEXT COLLATE "C" NOT NULL, stage TEXT COLLATE "C" NOT NULL, part INTEGER NOT NULL,
  epoch BIGINT NOT NULL, commit_no BIGINT NOT NULL, low_water BIGINT NOT NULL,
  attempts INTEGER NOT NULL, claimed_at BIGINT NOT NULL, stuck BOOLEAN NOT NULL, identity TEXT NOT NULL,
  PRIMARY KEY (topic, stage, part)
) WITH (fillfactor = 50);
CREATE TABLE states (
  job_id TEXT COLLATE "C" NOT NULL, stage TEXT COLLATE "C" NOT NULL, stream TEXT COLLATE "C" NOT NULL,
  next_seq BIGINT NOT NULL, state BYTEA NOT NULL,
  PRIMARY KEY (job_id, stage, stream)
);
ALTER TABLE states ALTER state SET STORAGE EXTERNAL;
CREATE TABLE complete (
  job_id TEXT COLLATE "C" NOT NULL, stream TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (job_id, stream)
);
CREATE TABLE frames (
  id SERIAL PRIMARY KEY, frame_id TEXT NOT NULL, video_id TEXT NOT NULL, "timestamp" TIMESTAMPTZ NOT NULL,
  path TEXT NOT NULL, job_id TEXT COLLATE "C" NOT NULL, seq BIGINT NOT NULL, frame BIGINT NOT NULL,
  pts_us BIGINT NOT NULL,
  UNIQUE (job_id, seq)
);
CREATE INDEX frames_by_name ON frames (video_id, frame_id);
CREATE TABLE outbox (
  id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, key TEXT COLLATE "C" NOT NULL,
  topic TEXT NOT NULL, part INTEGER NOT NULL, value BYTEA NOT NULL, headers TEXT NOT NULL
);
CREATE INDEX outbox_by_key ON outbox (key, id);
CREATE TABLE outbox_keys (
  key TEXT COLLATE "C" PRIMARY KEY, head BIGINT NOT NULL, holder TEXT COLLATE "C", held_to BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX outbox_keys_free ON outbox_keys (head) WHERE holder IS NULL;
CREATE INDEX outbox_keys_held ON outbox_keys (holder, head) WHERE holder IS NOT NULL;
CREATE TABLE notes (
  kind TEXT COLLATE "C" NOT NULL, id TEXT COLLATE "C" NOT NULL, revision BIGINT NOT NULL, value TEXT NOT NULL,
  PRIMARY KEY (kind, id)
);
CREATE SEQUENCE note_revision;
"""

# `jobs.number` is the revision at which a job was created: as the row of the revision is locked until the commit, jobs become
# visible in the order of their numbers, and no page passes one that comes later.
_JOBS = """
CREATE FUNCTION wake() RETURNS void LANGUAGE sql AS $$
  SELECT pg_notify('sightline_' || current_schema(), '')
$$;

CREATE FUNCTION count_job() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF TG_OP <> 'INSERT' THEN
    UPDATE job_revision SET revision = revision + 1;
    UPDATE job_counts SET n = n - 1 WHERE scope IN ('all', 'owner:' || OLD.owner) AND state = OLD.state;
  END IF;
  IF TG_OP <> 'DELETE' THEN
    INSERT INTO job_counts VALUES ('all', NEW.state, 1), ('owner:' || NEW.owner, NEW.state, 1)
    ON CONFLICT (scope, state) DO UPDATE SET n = job_counts.n + 1;
  END IF;
  PERFORM wake();
  RETURN NULL;
END $$;
CREATE TRIGGER count_job AFTER INSERT OR UPDATE OR DELETE ON jobs FOR EACH ROW EXECUTE FUNCTION count_job();

CREATE FUNCTION create_job(
  p_job TEXT, p_made TEXT, p_state TEXT, p_code TEXT, p_reason TEXT, p_result TEXT, p_facts TEXT, p_streams TEXT[],
  p_times JSONB, p_owner TEXT, p_video TEXT, p_parent TEXT,
  p_keys TEXT[], p_topics TEXT[], p_parts INTEGER[], p_values BYTEA[], p_headers TEXT[]
) RETURNS boolean LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
  place BIGINT;
BEGIN
  PERFORM FROM job_revision FOR UPDATE;
  IF EXISTS (SELECT FROM jobs WHERE job_id = p_job) OR EXISTS (SELECT FROM gone WHERE job_id = p_job) THEN
    RETURN false;
  END IF;
  UPDATE job_revision SET revision = revision + 1 RETURNING revision INTO place;
  INSERT INTO jobs VALUES (p_job, place, p_made, p_state, p_code, p_reason, p_result, p_facts, p_streams, p_times,
    p_owner, p_video, p_parent);
  PERFORM emit(p_keys, p_topics, p_parts, p_values, p_headers);
  RETURN true;
END $$;

-- FOR UPDATE, where an UPDATE alone would take less: it waits for commits, which hold the row FOR KEY SHARE.
CREATE FUNCTION advance_job(
  p_job TEXT, p_from TEXT[], p_to TEXT, p_code TEXT, p_reason TEXT, p_result TEXT, p_facts TEXT, p_streams TEXT[],
  p_now BIGINT
) RETURNS boolean LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
  stands TEXT;
BEGIN
  SELECT state INTO stands FROM jobs WHERE job_id = p_job FOR UPDATE;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  IF stands <> ALL (p_from) THEN
    RETURN false;
  END IF;
  UPDATE jobs SET state = p_to, code = p_code, reason = p_reason, result = coalesce(p_result, result),
    facts = coalesce(p_facts, facts), streams = coalesce(p_streams, streams),
    times = times || jsonb_build_object(p_to, p_now)
  WHERE job_id = p_job;
  RETURN true;
END $$;

CREATE FUNCTION remove_job(p_job TEXT) RETURNS boolean LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
  stands TEXT;
BEGIN
  SELECT state INTO stands FROM jobs WHERE job_id = p_job FOR UPDATE;
  IF NOT FOUND OR stands NOT IN ('ready', 'failed', 'cancelled') THEN
    RETURN false;
  END IF;
  DELETE FROM states WHERE job_id = p_job;
  DELETE FROM complete WHERE job_id = p_job;
  DELETE FROM frames WHERE job_id = p_job;
  INSERT INTO gone VALUES (p_job);
  DELETE FROM jobs WHERE job_id = p_job;
  RETURN true;
END $$;
"""

# Numbers of a sequence are taken before the commit, and commits end in another order. So whoever writes records of a key has
# the key to itself until its commit is seen: of a key, the order of ids is the order of commits, and of becoming visible.
_OUTBOX = """
CREATE FUNCTION lock_keys(p_keys TEXT[]) RETURNS void LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  PERFORM pg_advisory_xact_lock('outbox'::regclass::oid::int, sorted.hash)
  FROM (SELECT DISTINCT hashtext(key) AS hash FROM unnest(p_keys) AS key ORDER BY 1) AS sorted;
END $$;

CREATE FUNCTION relays_alone() RETURNS void LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  PERFORM pg_advisory_xact_lock('outbox_keys'::regclass::oid::int, 0);
END $$;

CREATE FUNCTION emit(p_keys TEXT[], p_topics TEXT[], p_parts INTEGER[], p_values BYTEA[], p_headers TEXT[])
RETURNS void LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF cardinality(p_keys) = 0 THEN
    RETURN;
  END IF;
  PERFORM lock_keys(p_keys);
  WITH written AS (
    INSERT INTO outbox (key, topic, part, value, headers)
    SELECT key, topic, part, value, headers
    FROM unnest(p_keys, p_topics, p_parts, p_values, p_headers) WITH ORDINALITY
      AS given (key, topic, part, value, headers, place)
    ORDER BY place
    RETURNING key, id
  )
  INSERT INTO outbox_keys (key, head) SELECT key, min(id) FROM written GROUP BY key ORDER BY key
  ON CONFLICT (key) DO NOTHING;
  IF FOUND THEN  -- of a key that had records waiting, relays know
    PERFORM wake();
  END IF;
END $$;

-- What relays hold and forget need not survive a crash of the server: records are sent again, and readers drop what comes
-- twice. Statistics of a queue are of another moment, full or empty: plans that search by index are right in both.
CREATE FUNCTION take(p_owner TEXT, p_limit INTEGER)
RETURNS TABLE (id BIGINT, key TEXT, topic TEXT, part INTEGER, value BYTEA, headers TEXT)
LANGUAGE plpgsql SET search_path FROM CURRENT SET synchronous_commit = off
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
BEGIN
  PERFORM relays_alone();
  RETURN QUERY
  WITH given AS MATERIALIZED (
    SELECT o.id, o.key, o.topic, o.part, o.value, o.headers
    FROM (
      SELECT key, head FROM (
        (SELECT key, head FROM outbox_keys WHERE holder = p_owner AND holder IS NOT NULL ORDER BY head LIMIT p_limit)
        UNION ALL
        (SELECT key, head FROM outbox_keys WHERE holder IS NULL ORDER BY head LIMIT p_limit)
      ) AS mine_or_free ORDER BY head LIMIT p_limit
    ) AS k CROSS JOIN LATERAL (SELECT * FROM outbox WHERE outbox.key = k.key ORDER BY id LIMIT p_limit) AS o
    ORDER BY k.head, o.id LIMIT p_limit
  ), held AS (
    UPDATE outbox_keys SET holder = p_owner, held_to = greatest(held_to, newest.id)
    FROM (SELECT key, max(id) AS id FROM given GROUP BY key) AS newest
    WHERE outbox_keys.key = newest.key AND (holder IS NULL OR held_to < newest.id)
  )
  SELECT * FROM given ORDER BY given.id;
END $$;

CREATE FUNCTION forget(p_ids BIGINT[]) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT SET synchronous_commit = off
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
  touched TEXT[];
BEGIN
  PERFORM relays_alone();
  touched := ARRAY(SELECT DISTINCT key FROM outbox WHERE id = ANY (p_ids));
  PERFORM lock_keys(touched);
  DELETE FROM outbox WHERE id = ANY (p_ids);
  DELETE FROM outbox_keys
  WHERE key = ANY (touched) AND NOT EXISTS (SELECT FROM outbox WHERE outbox.key = outbox_keys.key);
  UPDATE outbox_keys SET head = rest.head
  FROM (SELECT key, (SELECT min(id) FROM outbox WHERE outbox.key = t.key) AS head FROM unnest(touched) AS t (key)) AS rest
  WHERE outbox_keys.key = rest.key;
  UPDATE outbox_keys SET holder = NULL, held_to = 0 WHERE key = ANY (touched) AND holder IS NOT NULL AND head > held_to;
  IF FOUND THEN
    PERFORM wake();
  END IF;
END $$;

CREATE FUNCTION let_go(p_owner TEXT) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT SET synchronous_commit = off AS $$
BEGIN
  PERFORM relays_alone();
  UPDATE outbox_keys SET holder = NULL, held_to = 0 WHERE holder = p_owner AND holder IS NOT NULL;
  IF FOUND THEN
    PERFORM wake();
  END IF;
END $$;
"""

_COMMIT = """
CREATE FUNCTION commit_fold(
  p_topic TEXT, p_stage TEXT, p_part INTEGER, p_epoch BIGINT, p_commit_no BIGINT, p_low_water BIGINT, p_attempt INTEGER,
  p_job TEXT, p_stream TEXT, p_next_seq BIGINT, p_state BYTEA, p_complete BOOLEAN, p_now BIGINT,
  p_keys TEXT[], p_topics TEXT[], p_parts INTEGER[], p_values BYTEA[], p_headers TEXT[],
  p_jobs TEXT[], p_seqs BIGINT[], p_frame_ids TEXT[], p_videos TEXT[], p_stamps TIMESTAMPTZ[], p_paths TEXT[], p_frames BIGINT[],
  p_pts BIGINT[]
) RETURNS TABLE (tried INTEGER, alive BOOLEAN) LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
  stands TEXT;
  wanted TEXT[];
BEGIN
  UPDATE positions SET commit_no = commit_no + 1, low_water = p_low_water, stuck = false,
    attempts = CASE WHEN low_water = p_low_water THEN attempts + p_attempt ELSE 0 END
  WHERE topic = p_topic AND stage = p_stage AND part = p_part AND epoch = p_epoch AND commit_no = p_commit_no
  RETURNING attempts INTO tried;
  IF NOT FOUND THEN
    RETURN;  -- no row: another owner moved on, and nothing was written
  END IF;
  alive := true;
  IF p_job <> '' THEN
    IF p_complete THEN  -- it may move the job
      SELECT state, streams INTO stands, wanted FROM jobs WHERE job_id = p_job FOR UPDATE;
    ELSE
      SELECT state INTO stands FROM jobs WHERE job_id = p_job FOR KEY SHARE;
    END IF;
    alive := stands IS NOT NULL AND stands NOT IN ('ready', 'failed', 'cancelled');
    IF alive AND p_state IS NOT NULL THEN
      IF p_complete THEN
        INSERT INTO complete VALUES (p_job, p_stream) ON CONFLICT DO NOTHING;
        IF stands <> 'predictable' AND cardinality(wanted) > 0
          AND wanted <@ ARRAY(SELECT stream::text FROM complete WHERE job_id = p_job)
        THEN
          UPDATE jobs SET state = 'predictable', code = '', reason = '',
            times = times || jsonb_build_object('predictable', p_now)
          WHERE job_id = p_job;
        END IF;
      END IF;
      INSERT INTO states VALUES (p_job, p_stage, p_stream, p_next_seq, p_state)
      ON CONFLICT (job_id, stage, stream) DO UPDATE SET next_seq = EXCLUDED.next_seq, state = EXCLUDED.state;
      INSERT INTO frames (frame_id, video_id, "timestamp", path, job_id, seq, frame, pts_us)
      SELECT frame_id, video_id, stamp, path, job, seq, frame, pts
      FROM unnest(p_jobs, p_seqs, p_frame_ids, p_videos, p_stamps, p_paths, p_frames, p_pts)
        AS given (job, seq, frame_id, video_id, stamp, path, frame, pts)
      WHERE NOT EXISTS (SELECT FROM frames WHERE frames.job_id = given.job AND frames.seq = given.seq)
      ORDER BY job, seq
      ON CONFLICT (job_id, seq) DO NOTHING;
      PERFORM emit(p_keys, p_topics, p_parts, p_values, p_headers);
    END IF;
  END IF;
  RETURN NEXT;
END $$;
"""

MIGRATIONS: tuple[str, ...] = (_TABLES + _OUTBOX + _JOBS + _COMMIT,)

_VERSION_TABLE = """
CREATE TABLE sightline_version (one BOOLEAN PRIMARY KEY DEFAULT true CHECK (one), version INTEGER NOT NULL);
INSERT INTO sightline_version (version) VALUES (0);
"""
_SET_VERSION = "UPDATE sightline_version SET version = %d"
_FOREIGN = """
SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY 1 LIMIT 1
"""


def migrate(address: str, schema: str = PUBLIC) -> tuple[int, int]:
    """Lead the tables of a schema to the newest version; the versions before and after. Repeating is harmless.

    Args:
        address: of the database; its user must be allowed to create tables.
        schema: that holds them; made where it is missing.

    Raises:
        ServiceMisconfigured: the schema is of a newer version, or holds tables of another program, or the database cannot be used.
            Nothing was changed.
        Unavailable: nothing was changed, or, if the answer of the commit got lost, all of it. Repeat.
    """
    where = Address.of(address, schema)
    with translated(where.name):
        connection = connect(where)
        try:
            with connection.transaction():
                return _migrate(connection, where)
        finally:
            connection.close()


def script() -> str:
    """The statements that make the newest tables where there are none; in one transaction, or half of them may be there."""
    return "".join([_VERSION_TABLE, *MIGRATIONS, _SET_VERSION % len(MIGRATIONS), ";"])


def check_version(connection: Connected, where: Address) -> None:
    """Look whether the tables are of the newest version.

    Raises:
        ServiceMisconfigured: there are none, or of another version (code `database_version`).
    """
    version = _version(connection, where)
    newest = len(MIGRATIONS)
    if version is None or version < newest:
        has = "no tables of Sightline" if version is None else f"tables of version {version}"
        raise ServiceMisconfigured(
            f"{where.name}: schema {where.schema} has {has}, this Sightline needs version {newest}; migrate the database",
            code="database_version",
        )


def _migrate(connection: Connected, where: Address) -> tuple[int, int]:
    lock = "SELECT pg_advisory_xact_lock(hashtext('sightline migrate'), hashtext(%s))"
    connection.execute(lock, (where.schema,))
    if not _one(connection, "SELECT count(*) FROM pg_namespace WHERE nspname = %s", where.schema):
        connection.execute(f"CREATE SCHEMA {where.schema}".encode())
    before = _version(connection, where)
    if before is None:
        foreign = _one(connection, _FOREIGN, where.schema)
        if foreign is not None:
            raise ServiceMisconfigured(
                f"{where.name}: schema {where.schema} holds tables of another program ({foreign}); name an empty schema",
                code="database_format",
            )
        connection.execute(_VERSION_TABLE)
    for step in MIGRATIONS[before or 0 :]:
        connection.execute(step.encode())
    connection.execute((_SET_VERSION % len(MIGRATIONS)).encode())
    return before or 0, len(MIGRATIONS)


def _version(connection: Connected, where: Address) -> int | None:
    """Version of the tables; None where there are none.

    Raises:
        ServiceMisconfigured: a newer Sightline made them.
    """
    named = f"{where.schema}.sightline_version"
    if _one(connection, "SELECT to_regclass(%s)::text", named) is None:
        return None
    version = int(_one(connection, "SELECT version FROM sightline_version"))
    if version > len(MIGRATIONS):
        raise ServiceMisconfigured(
            f"{where.name}: schema {where.schema} has tables of version {version}, this Sightline knows "
            f"{len(MIGRATIONS)}; use the newer Sightline",
            code="database_version",
        )
    return version


def _one(connection: Connected, query: str, *given: Any) -> Any:
    row = connection.execute(query.encode(), given).fetchone()
    return None if row is None else row[0]
