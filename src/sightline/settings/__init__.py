"""Settings: every option of a run, and where its value came from.

A flag wins over a variable `SIGHTLINE_*`, that over the file of `--config` or `./sightline.toml`, that over the user's
own file, that over the default. This package is the only reader of the environment.
"""

from sightline.settings.load import (
    Loaded,
    LoadedServe,
    about,
    example,
    flags_of,
    load,
    load_serve,
    schema,
    user_file,
    variable,
)
from sightline.settings.options import DetectOptions, TrackerOptions, TrackOptions
from sightline.settings.serve_options import ServeOptions

__all__ = [
    "DetectOptions",
    "Loaded",
    "LoadedServe",
    "ServeOptions",
    "TrackOptions",
    "TrackerOptions",
    "about",
    "example",
    "flags_of",
    "load",
    "load_serve",
    "schema",
    "user_file",
    "variable",
]
