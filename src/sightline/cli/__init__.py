"""Command line: parse, call, print. One file per command; each is imported when it is asked for."""

from sightline.cli.program import main

__all__ = ["main"]
