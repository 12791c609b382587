PRAGMA application_id = 1397181524;
PRAGMA user_version = 2;
CREATE TABLE complete (
  job_id TEXT NOT NULL, stream TEXT NOT NULL,
  PRIMARY KEY (job_id, stream)
) WITHOUT ROWID;
CREATE TABLE gone (job_id TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE head (
  topic TEXT NOT NULL, part INTEGER NOT NULL, next INTEGER NOT NULL,
  PRIMARY KEY (topic, part)
) WITHOUT ROWID;
CREATE TABLE identity (id TEXT NOT NULL);
CREATE TABLE job_counts (
  scope TEXT NOT NULL, state TEXT NOT NULL, n INTEGER NOT NULL,
  PRIMARY KEY (scope, state)
) WITHOUT ROWID;
CREATE TABLE job_revision (revision INTEGER NOT NULL);
CREATE TABLE jobs (
  number INTEGER PRIMARY KEY AUTOINCREMENT, job_id TEXT NOT NULL UNIQUE, made TEXT NOT NULL,
  state TEXT NOT NULL, code TEXT NOT NULL, reason TEXT NOT NULL, result TEXT NOT NULL,
  facts TEXT NOT NULL, times TEXT NOT NULL, owner TEXT NOT NULL, video_id TEXT NOT NULL, parent_id TEXT
);
CREATE TABLE log (
  topic TEXT NOT NULL, part INTEGER NOT NULL, first_off INTEGER NOT NULL, n INTEGER NOT NULL, records BLOB NOT NULL,
  PRIMARY KEY (topic, part, first_off)
) WITHOUT ROWID;
CREATE TABLE notes (
  revision INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, id TEXT NOT NULL, value TEXT NOT NULL,
  UNIQUE (kind, id)
);
CREATE TABLE outbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT, record BLOB NOT NULL
);
CREATE TABLE positions (
  topic TEXT NOT NULL, stage TEXT NOT NULL, part INTEGER NOT NULL,
  epoch INTEGER NOT NULL, commit_no INTEGER NOT NULL, low_water INTEGER NOT NULL,
  attempts INTEGER NOT NULL, claimed_at INTEGER NOT NULL, stuck INTEGER NOT NULL, identity TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (topic, stage, part)
) WITHOUT ROWID;
CREATE TABLE states (
  job_id TEXT NOT NULL, stage TEXT NOT NULL, stream TEXT NOT NULL, next_seq INTEGER NOT NULL, state BLOB NOT NULL,
  PRIMARY KEY (job_id, stage, stream)
);
CREATE TRIGGER job_changed AFTER UPDATE ON jobs BEGIN
  UPDATE job_counts SET n = n - 1 WHERE scope IN ('all', 'owner:' || OLD.owner) AND state = OLD.state;
  INSERT INTO job_counts VALUES ('all', NEW.state, 1), ('owner:' || NEW.owner, NEW.state, 1)
    ON CONFLICT DO UPDATE SET n = n + 1;
  UPDATE job_revision SET revision = revision + 1;
END;
CREATE TRIGGER job_created AFTER INSERT ON jobs BEGIN
  INSERT INTO job_counts VALUES ('all', NEW.state, 1), ('owner:' || NEW.owner, NEW.state, 1)
    ON CONFLICT DO UPDATE SET n = n + 1;
  UPDATE job_revision SET revision = revision + 1;
END;
CREATE TRIGGER job_removed AFTER DELETE ON jobs BEGIN
  UPDATE job_counts SET n = n - 1 WHERE scope IN ('all', 'owner:' || OLD.owner) AND state = OLD.state;
  UPDATE job_revision SET revision = revision + 1;
END;
CREATE INDEX jobs_by_owner ON jobs (owner, state, number);
CREATE INDEX jobs_by_parent ON jobs (parent_id, state, number);
CREATE INDEX jobs_by_state ON jobs (state, number);
CREATE INDEX jobs_by_video ON jobs (video_id, state, number);
