"""Jobs: what a job is, as a value that any process can take up. Pure; JSON in and out."""
