"""Jobs, ledger, outbox and notes in a PostgreSQL database."""
