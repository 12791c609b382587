"""Serving: a supervisor, an API process and a worker process over one data folder."""
