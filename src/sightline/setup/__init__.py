"""Setup: what a machine needs before a run: is everything there, models of the user's own."""
