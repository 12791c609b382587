"""Event log, jobs, ledger and outbox in one SQLite file."""
