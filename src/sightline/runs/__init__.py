"""Finished runs: their folders, what is in them, counting and checking them again; no inference."""
