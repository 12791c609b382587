PRAGMA application_id = 1397181524;
PRAGMA user_version = 1;
CREATE TABLE complete (
  job_id TEXT NOT NULL, stream TEXT NOT NULL,
  PRIMARY KEY (job_id, stream)
) WITHOUT ROWID;
CREATE TABLE head (
  topic TEXT NOT NULL, part INTEGER NOT NULL, next INTEGER NOT NULL,
  PRIMARY KEY (topic, part)
) WITHOUT ROWID;
CREATE TABLE jobs (
  number INTEGER PRIMARY KEY, job_id TEXT NOT NULL UNIQUE, made TEXT NOT NULL,
  state TEXT NOT NULL, code TEXT NOT NULL, reason TEXT NOT NULL, result TEXT NOT NULL
);
CREATE TABLE log (
  topic TEXT NOT NULL, part INTEGER NOT NULL, first_off INTEGER NOT NULL, n INTEGER NOT NULL, records BLOB NOT NULL,
  PRIMARY KEY (topic, part, first_off)
) WITHOUT ROWID;
CREATE TABLE outbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT, record BLOB NOT NULL
);
CREATE TABLE positions (
  topic TEXT NOT NULL, stage TEXT NOT NULL, part INTEGER NOT NULL,
  epoch INTEGER NOT NULL, commit_no INTEGER NOT NULL, low_water INTEGER NOT NULL,
  attempts INTEGER NOT NULL, claimed_at INTEGER NOT NULL, stuck INTEGER NOT NULL,
  PRIMARY KEY (topic, stage, part)
) WITHOUT ROWID;
CREATE TABLE states (
  job_id TEXT NOT NULL, stage TEXT NOT NULL, stream TEXT NOT NULL, next_seq INTEGER NOT NULL, state BLOB NOT NULL,
  PRIMARY KEY (job_id, stage, stream)
);
